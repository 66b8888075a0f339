"""The search dialog: keyboard, touch, failures."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]
NAMES = ("Quentin Find", "Quentin Found")


@pytest.fixture(scope="module", autouse=True)
def talents(studio: Studio) -> None:
    rows = "; ".join(f"Talent.objects.create(name={name!r}, created_by=user)" for name in NAMES)
    studio.run_script(
        "from consent.models import Talent; from voicehub.models import User;"
        f" user = User.objects.get(username='paula'); {rows}"
    )


def find_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search everything")


def find_option(page: Page, text: str) -> Locator:
    return page.get_by_role("option").filter(has_text=text)


def get_active_text(page: Page) -> str:
    """The text of the option that a screen reader reads, by the field's aria-activedescendant."""
    return str(
        find_field(page).evaluate(
            "(field) => document.getElementById(field.getAttribute('aria-activedescendant'))?.textContent ?? ''"
        )
    )


def test_talent_is_found_and_opened_by_keyboard(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ed")
    page = tab.goto("/")
    page.keyboard.press("Control+k")
    expect(find_field(page)).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Type at least 2 characters.")).to_be_visible()
    page.keyboard.type("quentin")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("2 results")
    expect(find_field(page)).to_have_attribute("aria-expanded", "true")
    assert NAMES[0] in get_active_text(page)
    tab.check_page("search dialog")
    page.keyboard.press("ArrowDown")
    assert NAMES[1] in get_active_text(page)
    expect(find_option(page, NAMES[1])).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    assert NAMES[0] in get_active_text(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=NAMES[1], level=1)).to_be_visible()
    page.keyboard.press("/")
    expect(find_field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_slash_is_typed_into_a_field(open_tab: OpenTab) -> None:
    page = open_tab("desktop", "ed").goto("/search/")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("a/b")
    expect(page.get_by_role("searchbox")).to_have_value("a/b")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(find_field(page)).to_be_focused()
    page.keyboard.type("quentin nowhere")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("No match for “quentin nowhere”")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=quentin+nowhere")
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("No match for “quentin nowhere”")


def test_talent_is_found_by_touch(open_tab: OpenTab) -> None:
    tab = open_tab("phone", "ed")
    page = tab.goto("/search/?q=quentin")
    tab.check_page("search page")
    page = tab.goto("/")
    page.get_by_role("link", name="Search", exact=True).tap()
    find_field(page).fill("found")
    option = find_option(page, NAMES[1])
    expect(option).to_be_visible()
    tab.check_page("search dialog")
    option.tap()
    expect(page.get_by_role("heading", name=NAMES[1], level=1)).to_be_visible()


def test_dialog_says_why_it_cannot_search(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ed")
    page, suggestions = tab.goto("/"), re.compile("/search/suggestions/")
    page.keyboard.press("Control+k")
    page.route(suggestions, lambda route: route.abort("aborted"))
    page.keyboard.type("found")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("status")).to_have_text("No connection to the server.")
    page.unroute(suggestions)
    dialog.get_by_role("button", name="Try again").click()
    expect(find_option(page, NAMES[1])).to_be_visible()
    expect(dialog.get_by_role("button", name="Try again")).to_be_hidden()
    tab.context.clear_cookies()
    with tab.allow_status(401):
        find_field(page).press_sequentially(" f")
        expect(dialog.get_by_role("status")).to_have_text("You are signed out.")
    dialog.get_by_role("button", name="Sign in again").click()
    expect(page.get_by_label("Username")).to_be_visible()
