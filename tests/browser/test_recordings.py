"""The table of recordings by keyboard and by mouse: rows, details, transcripts, playback, selection, filters."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import sound, staff_steps
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("account")

NAMES = [f"{name}.wav" for name in staff_steps.SLT_CLIPS[:4]]
FIRST, SECOND, THIRD = NAMES[:3]


@pytest.fixture
def tab(open_tab: OpenTab, request: pytest.FixtureRequest) -> Tab:
    """A producer's tab with the page of a voice that has four recordings."""
    tab = open_tab("desktop", "paula")
    name = f"Tara {request.node.name}"[:80]
    talent = staff_steps.prepare_talent(tab.studio, name)
    voice = staff_steps.prepare_voice(tab.studio, talent, "Tara, in rows", staff_steps.SLT_CLIPS[:4])
    tab.goto(f"{voice}?sort=name")
    expect(staff_steps.find_recording(tab.page, FIRST)).to_be_visible()
    return tab


def find_current(page: Page) -> Locator:
    return page.locator("#recordings tr.is-current")


def get_play_button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=f"Play {name}")


def read_time(page: Page) -> float:
    return float(page.locator("audio[data-rows]").evaluate("(audio) => audio.currentTime"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_rows_are_walked_and_worked_on_by_keys(tab: Tab) -> None:
    page = tab.page
    press(page, "j")
    expect(find_current(page)).to_contain_text(FIRST)
    press(page, "j", "ArrowDown", "k")
    expect(find_current(page)).to_contain_text(SECOND)
    expect(find_current(page)).to_be_focused()
    press(page, "x")
    expect(page.get_by_role("checkbox", name=f"Select {SECOND}")).to_be_checked()
    expect(page.get_by_role("form", name="Actions for the selected recordings")).to_contain_text("1 selected")
    press(page, "j", "Shift+x")
    expect(page.get_by_role("form", name="Actions for the selected recordings")).to_contain_text("2 selected")
    press(page, "k", "b")
    expect(staff_steps.find_switch(page, SECOND)).not_to_be_checked()
    expect(find_current(page)).to_be_focused()
    press(page, "b")
    expect(staff_steps.find_switch(page, SECOND)).to_be_checked()
    press(page, "Enter")
    details = page.get_by_role("region", name=f"Details of {SECOND}")
    expect(details).to_contain_text(sound.read_transcript("slt-02"))
    tab.check_page("recordings with details and a selection")
    press(page, "Enter")
    expect(details).to_have_count(0)


def test_keys_play_one_sound_at_a_time_at_the_remembered_speed(tab: Tab) -> None:
    page = tab.page
    page.get_by_label("Speed").select_option("0.75")
    page.get_by_label("Speed").focus()
    press(page, "j")
    expect(find_current(page)).to_have_count(0)  # the focus is in a field
    page.get_by_label("Speed").blur()
    press(page, "j", "Space")
    expect(get_play_button(page, FIRST)).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => document.querySelector('audio[data-rows]').currentTime > 0")
    assert page.locator("audio[data-rows]").evaluate("(audio) => audio.playbackRate") == 0.75
    press(page, "j", "Space")
    expect(get_play_button(page, SECOND)).to_have_attribute("aria-pressed", "true")
    expect(get_play_button(page, FIRST)).to_have_attribute("aria-pressed", "false")
    expect(page.locator("svg.is-played")).to_have_count(1)
    press(page, "Space")
    expect(get_play_button(page, SECOND)).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.get_by_label("Speed")).to_have_value("0.75")


def test_click_in_the_waveform_plays_from_there(tab: Tab) -> None:
    page = tab.page
    wave = staff_steps.find_recording(page, FIRST).locator("td > svg")
    width = wave.evaluate("(svg) => svg.getBoundingClientRect().width")
    wave.click(position={"x": width / 2, "y": 10})
    expect(get_play_button(page, FIRST)).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => document.querySelector('audio[data-rows]').currentTime > 1.5")
    mark = wave.locator("line")
    assert float(mark.get_attribute("x1") or 0) >= 13


def test_transcript_is_edited_by_keys(tab: Tab) -> None:
    page = tab.page
    press(page, "j", "e")
    text = page.get_by_role("textbox", name=f"Transcript of {FIRST}")
    expect(text).to_be_focused()
    press(page, "j", "x", "?", "Escape")
    expect(text).to_have_count(0)
    expect(staff_steps.find_recording(page, FIRST)).to_contain_text(sound.read_transcript("slt-01"))
    expect(page.get_by_role("checkbox", name=f"Select {FIRST}")).not_to_be_checked()
    press(page, "e", "ControlOrMeta+a")
    page.keyboard.type("Xylophones by the sea.")
    row = staff_steps.find_recording(page, FIRST)
    row_id = row.get_attribute("id")
    assert row_id
    with page.expect_response(lambda response: "poll" in response.url and f"#{row_id} " in response.text()):
        press(page, "Enter")
    expect(row.locator("form")).to_have_count(0)
    expect(row.get_by_text("Saved")).to_be_visible()  # also after the row was refreshed
    expect(row).to_be_focused()
    page.reload()
    expect(row).to_contain_text("Xylophones by the sea.")


def test_opened_details_are_in_the_address_and_survive_a_new_table(tab: Tab) -> None:
    page = tab.page
    details = staff_steps.open_details(page, THIRD)
    page.wait_for_url(re.compile(r"[?&]open=[0-9a-f-]{36}"))
    with page.expect_response(re.compile(r"/recordings/\?")):
        page.evaluate("document.body.dispatchEvent(new Event('recordings-changed'))")
    expect(details).to_be_visible()
    page.reload()
    expect(details).to_be_visible()
    press(page, "Tab")
    details.get_by_role("link", name="Download").focus()
    press(page, "Escape")
    expect(details).to_have_count(0)
    assert "open=" not in page.url


def test_keys_are_listed_and_can_be_turned_off(tab: Tab) -> None:
    page = tab.page
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    tab.check_page("keys of the recordings")
    dialog.get_by_label("Use these keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    press(page, "j")
    expect(find_current(page)).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Use these keys").check()
    press(page, "Escape", "j")
    expect(find_current(page)).to_have_count(1)


def test_filter_order_and_search_are_in_the_address(tab: Tab) -> None:
    page = tab.page
    page.get_by_role("link", name="Length").click()
    expect(page.get_by_role("columnheader", name="Length")).to_have_attribute("aria-sort", "descending")
    page.wait_for_url(re.compile("sort=longest"))
    page.get_by_label("Search recordings").fill(FIRST)
    expect(page.locator("#recordings tbody tr")).to_have_count(1)
    page.wait_for_url(re.compile(rf"q={FIRST}&sort=longest"))
    page.reload()
    expect(page.locator("#recordings tbody tr")).to_have_count(1)


def test_rows_fit_a_phone(tab: Tab, open_tab: OpenTab) -> None:
    path = staff_steps.read_path(tab.page)
    phone = open_tab("phone", "paula")
    page = phone.goto(path)
    expect(staff_steps.find_recording(page, FIRST)).to_be_visible()
    staff_steps.open_details(page, FIRST)
    page.get_by_role("checkbox", name=f"Select {SECOND}").check()
    staff_steps.edit_transcript(page, SECOND)
    phone.check_page("recordings on a phone")


def test_words_have_room_on_a_tablet(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 768, "height": 1024})
    row = staff_steps.find_recording(tab.page, FIRST)
    words, name, wave = (row.locator(f":scope > :nth-child({number})").bounding_box() for number in (5, 4, 3))
    assert words and name and wave
    assert words["width"] > 200 and name["x"] == wave["x"] and name["y"] >= wave["y"] + wave["height"] - 4
    staff_steps.open_details(tab.page, FIRST)
    tab.check_page("recordings on a tablet")
