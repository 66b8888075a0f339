"""One tick sets those of one purpose at all providers. What is sent and stored are the single ticks."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import talent_steps
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Tab

OpenTab = Callable[..., Tab]
PROVIDERS = {"Resemble AI": "resemble_v2", "AudioStack": "audiostack", "Speechgen": "speechgen"}
CREATE_LINK = """
from pathlib import Path
from tests.browser import prepared
Path({file!r}).write_text(prepared.create_link({name!r}, {providers!r}))
"""
READ_TICKS = """
SELECT c.provider, c.ticked_at IS NOT NULL AS is_ticked, group_concat(e.kind) AS kinds
FROM consent_consent c JOIN consent_event e ON e.consent_id = c.id
WHERE c.talent_name = ? AND e.kind LIKE '%ticked' GROUP BY c.id
"""


def open_page(studio: Studio, tab: Tab, name: str, *providers: str) -> Page:
    file = studio.folder.parent / "link.txt"
    studio.run_script(CREATE_LINK.format(file=str(file), name=name, providers=list(providers)))
    return tab.goto(urlsplit(file.read_text()).path)


def find_all_tick(page: Page) -> Locator:
    return page.get_by_role("checkbox", name=talent_steps.ALL_PROVIDERS)


def find_ticks(page: Page) -> list[Locator]:
    return [page.get_by_role("checkbox", name=f"with {provider}") for provider in PROVIDERS]


def expect_ticks(page: Page, *ticked: bool) -> None:
    for box, is_ticked in zip(find_ticks(page), ticked, strict=True):
        expect(box).to_be_checked(checked=is_ticked)


@pytest.fixture
def page(studio: Studio, open_tab: OpenTab, request: pytest.FixtureRequest) -> Page:
    """The first page of a link to three providers, on a phone. The talent has the name of the test."""
    return open_page(studio, open_tab("phone"), request.node.name, *PROVIDERS.values())


def test_one_tick_sets_all_and_only_the_single_ones_are_stored(
    studio: Studio, open_tab: OpenTab, request: pytest.FixtureRequest
) -> None:
    tab = open_tab("phone")
    page = open_page(studio, tab, request.node.name, *PROVIDERS.values())
    box = find_all_tick(page)
    expect(box).not_to_be_checked()
    expect_ticks(page, False, False, False)
    expect(page.get_by_text("Ticked: 0 of 3")).to_be_visible()
    tab.check_page("first page with a tick for all")
    box.check()
    expect_ticks(page, True, True, True)
    expect(page.locator("#voice-comparison-tick")).not_to_be_checked()
    expect(page.get_by_text("Ticked: 3 of 3")).to_be_visible()

    find_ticks(page)[1].uncheck()
    expect(box).to_be_checked(indeterminate=True)
    expect(page.get_by_text("Ticked: 2 of 3")).to_be_visible()
    tab.check_page("first page with a mixed tick")
    with page.expect_request(re.compile("/begin/$")) as sent:
        page.get_by_role("button", name="Continue to the text").click()
    expect(page.get_by_role("heading", name="Read this aloud")).to_be_visible()
    assert sorted(set(re.findall(r"(?:^|&)(\w+)=", sent.value.post_data or ""))) == [
        "csrfmiddlewaretoken", "notice", "purpose",
    ]  # fmt: skip
    assert (sent.value.post_data or "").count("purpose=") == 2
    rows = {
        row["provider"]: (row["is_ticked"], row["kinds"]) for row in studio.fetch_rows(READ_TICKS, request.node.name)
    }
    assert rows == {"resemble_v2": (1, "ticked"), "audiostack": (0, "not_ticked"), "speechgen": (1, "ticked")}

    page.go_back()
    expect_ticks(page, True, False, True)
    expect(box).to_be_checked(indeterminate=True)


def test_the_tick_follows_the_single_ones(page: Page) -> None:
    box = find_all_tick(page)
    first, second, third = find_ticks(page)
    first.check()
    expect(box).to_be_checked(indeterminate=True)
    box.click()  # a mixed tick becomes a full one
    expect_ticks(page, True, True, True)
    box.uncheck()
    expect_ticks(page, False, False, False)
    expect(page.get_by_role("link", name="Nothing is ticked yet")).to_be_visible()
    for single in (first, second, third):
        expect(box).not_to_be_checked()
        single.check()
    expect(box).to_be_checked()


def test_the_tick_works_by_keyboard_and_names_what_it_sets(page: Page) -> None:
    box, singles = find_all_tick(page), find_ticks(page)
    expect(page.get_by_role("group", name="Tick what you agree to").get_by_role("checkbox")).to_have_count(4)
    expect(box).to_have_accessible_description(
        "This sets the single ticks for Resemble AI, AudioStack, Speechgen. You can remove each of them again."
    )
    controlled = (box.get_attribute("aria-controls") or "").split()
    assert controlled == [single.get_attribute("id") for single in singles]
    box.focus()
    page.keyboard.press("Space")
    expect_ticks(page, True, True, True)
    singles[0].focus()
    page.keyboard.press("Space")
    expect_ticks(page, False, True, True)
    assert box.aria_snapshot().startswith('- checkbox "Narration and audiobooks, with all 3 providers" [checked=mixed]')
    box.focus()
    page.keyboard.press("Space")
    expect_ticks(page, True, True, True)


def test_bar_with_the_button_covers_the_links_behind_it(page: Page) -> None:
    """Links in the facts stand above their fold, which is the whole row, but never above the bar."""
    is_covered = """() => {
      const [link, bar] = [document.querySelector(".has-more dd > p > a"), document.querySelector(".act")];
      scrollBy(0, link.getBoundingClientRect().top - bar.getBoundingClientRect().top - 16);
      const [box, top] = [link.getBoundingClientRect(), bar.getBoundingClientRect().top];
      return box.top > top && Boolean(document.elementFromPoint(box.x + 2, box.y + 2).closest(".act"));
    }"""
    assert page.evaluate(is_covered)


def test_boxes_are_those_of_the_system_with_forced_colors(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    find_ticks(page)[0].check()
    for box in (find_all_tick(page), find_ticks(page)[0]):
        assert box.evaluate("(one) => getComputedStyle(one).appearance") == "auto"
        assert box.evaluate("(one) => getComputedStyle(one, '::before').content") == "none"


def test_one_provider_has_no_tick_for_all(studio: Studio, open_tab: OpenTab, request: pytest.FixtureRequest) -> None:
    page = open_page(studio, open_tab("phone"), request.node.name, "resemble_v2")
    expect(page.get_by_role("group", name="Tick what you agree to").get_by_role("checkbox")).to_have_count(1)
    expect(find_all_tick(page)).to_have_count(0)


def test_without_scripts_only_the_single_ticks_show(
    studio: Studio, open_tab: OpenTab, request: pytest.FixtureRequest
) -> None:
    tab = open_tab("phone")
    file = studio.folder.parent / "link.txt"
    providers = list(PROVIDERS.values())
    studio.run_script(CREATE_LINK.format(file=str(file), name=request.node.name, providers=providers))
    assert tab.context.browser
    context = tab.context.browser.new_context(**SIZES["phone"], java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{studio.address}{urlsplit(file.read_text()).path}")
    expect(page.locator("[data-tick-all]")).to_be_hidden()
    find_ticks(page)[2].check()
    page.get_by_role("button", name="Continue to the text").click()
    expect(page.get_by_text("by Speechgen").first).to_be_visible()
    context.close()
