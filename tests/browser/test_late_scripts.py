"""What a person chooses on a slow line, before the script of the page has arrived, is not lost."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import sound, staff_steps
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    return open_tab("desktop", "paula")


@contextmanager
def hold_script(page: Page, name: str) -> Iterator[None]:
    """Load the page again. Inside this block, it has come without this script, which then arrives."""
    held: list[Route] = []
    address = re.compile(rf"/js/{name}(\.[0-9a-f]+)?\.js")
    page.route(address, lambda route: held.append(route))
    with page.expect_request(address):
        page.reload(wait_until="commit")
    yield
    for route in held:
        route.continue_()
    page.unroute(address)
    page.wait_for_load_state()


def add_voice(tab: Tab, name: str) -> Page:
    staff_steps.add_voice(tab, staff_steps.add_talent(tab, f"{name.partition(chr(44))[0]} Early"), name)
    tab.page.wait_for_load_state()
    return tab.page


def test_files_chosen_before_the_script_are_uploaded(tab: Tab) -> None:
    page = add_voice(tab, "Ann, early files")
    with hold_script(page, "upload-queue"):
        page.get_by_label("choose them").set_input_files(sound.make_upload("one.wav", sound.read_clip("slt-01")))
    page.wait_for_url(re.compile("/imports/"))
    expect(page.get_by_role("button", name="Add 1 recording")).to_be_visible()


def test_rows_and_speed_chosen_before_the_scripts_stay(tab: Tab) -> None:
    page = add_voice(tab, "Ben, early choices")
    staff_steps.upload_files(page, {f"{name}.wav": sound.read_clip(name) for name in staff_steps.SLT_CLIPS[:2]})
    with hold_script(page, "recordings-selection"):
        page.locator("[data-select-page]").check()
    expect(page.get_by_text("2 selected", exact=True)).to_be_visible()
    expect(page.locator("[data-select-page]")).to_be_checked()
    with hold_script(page, "recordings-player"):
        page.locator("[data-speed]").first.select_option("1.5")
    expect(page.locator("[data-speed]").first).to_have_value("1.5")
    assert page.evaluate("localStorage.getItem('playback-speed')") == "1.5"
