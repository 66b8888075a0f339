"""Actions on many recordings in a real browser: ranges, the bar, one click for 63 of them, one undo, a table."""

import csv
import io
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Tab

OpenTab = Callable[..., Tab]

# 80 recordings without files.
MAKE_RECORDINGS = """
from django.utils import timezone
from tests.consent.rows import ConsentFactory
from voicehub.models import User
from voices.models import Recording, Voice
paula, now = User.objects.get(username="paula"), timezone.now()
talent = ConsentFactory(paula).make_talent({talent!r}, "many@talent.test")
voice = Voice.objects.create(
    talent=talent, name="Many lines", purpose="narration", created_by=paula,
    comparison={{"compared_at": now.isoformat()}},
)
Recording.objects.bulk_create(
    Recording(
        voice=voice, file=f"none/{{number}}.wav", file_name=f"line-{{number:03}}.wav", sha256=f"{{number:064}}", size=1,
        status="accepted", seconds=3.0, sample_rate=44100, uploaded_by=paula, transcript="The north wind.",
        analyzed_at=now, peaks=[0.1, 0.5, 0.2],
    )
    for number in range(1, 81)
)
"""


def make_voice(studio: Studio, talent: str) -> str:
    """Make a voice with the recordings line-001.wav to line-080.wav. Returns its path."""
    studio.run_script(MAKE_RECORDINGS.format(talent=talent))
    query = "SELECT v.id FROM voices_voice v JOIN consent_talent t ON t.id = v.talent_id WHERE t.name = ?"
    return f"/voices/{UUID(studio.fetch_rows(query, talent)[0]['id'])}/"


def count_left_out(studio: Studio, voice: str) -> int:
    query = "SELECT count(*) AS count FROM voices_recording WHERE voice_id = ? AND NOT active"
    return int(studio.fetch_rows(query, UUID(voice.split("/")[2]))[0]["count"])


def find_box(page: Page, number: int) -> Locator:
    return page.get_by_role("checkbox", name=f"Select line-{number:03}.wav")


def find_bar(page: Page) -> Locator:
    return page.get_by_role("form", name="Actions for the selected recordings")


def open_list(tab: Tab, voice: str) -> Page:
    return tab.goto(f"{voice}?size=100#recordings")


@pytest.fixture
def voice(studio: Studio, request: pytest.FixtureRequest) -> str:
    return make_voice(studio, f"Mary {request.node.name}"[:90])


def test_range_is_left_out_by_one_click_and_undone_by_another(studio: Studio, voice: str, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    page = open_list(tab, voice)
    expect(find_bar(page)).to_be_hidden()
    find_box(page, 5).click()
    find_box(page, 67).click(modifiers=["Shift"])
    bar = find_bar(page)
    expect(bar).to_contain_text("63 selected")
    expect(page.get_by_role("status").filter(has_text="63 recordings selected.")).to_have_count(1)
    tab.check_page("voice with selected recordings")
    bar.get_by_role("button", name="Exclude").click()
    toast = page.locator(".vh-toast")
    expect(toast).to_contain_text("63 recordings excluded from builds.")
    expect(bar).to_be_hidden()
    expect(toast.get_by_role("button", name="Undo")).to_be_focused()
    assert count_left_out(studio, voice) == 63
    page.keyboard.press("Enter")
    expect(toast).to_contain_text("Undone: 63 recordings are as before.")
    assert count_left_out(studio, voice) == 0
    page.keyboard.press("Escape")
    expect(toast).to_have_count(0)


def test_selection_follows_the_page_box_and_survives_a_refresh(voice: str, open_tab: OpenTab) -> None:
    page = open_tab("desktop", "paula").goto(f"{voice}?size=25#recordings")
    bar, page_box = find_bar(page), page.locator("[data-select-page]")
    page_box.check()
    expect(bar).to_contain_text("25 selected")
    find_box(page, 3).uncheck()
    expect(bar).to_contain_text("24 selected")
    assert page_box.evaluate("box => box.indeterminate")
    with page.expect_response("**/recordings/?**"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('recordings-changed'))")
    expect(bar).to_contain_text("24 selected")
    expect(find_box(page, 3)).not_to_be_checked()
    bar.get_by_label("All 80").check()
    expect(bar).to_contain_text("80 selected")
    find_box(page, 3).uncheck()
    expect(bar.get_by_label("All 80")).not_to_be_checked()
    expect(bar).to_contain_text("24 selected")
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_be_hidden()
    expect(page_box).to_be_focused()


def open_page(page: Page, link: str, number: int) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=link).click()
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text(f"{25 * number - 24} to ")


def test_selection_carries_to_other_pages_of_the_list(studio: Studio, voice: str, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"{voice}?size=25#recordings")
    bar = find_bar(page)
    for number in (2, 3, 4):
        find_box(page, number).check()
    open_page(page, "Next", 2)
    expect(bar).to_contain_text("3 selected, 3 on other pages")
    find_box(page, 26).check()
    find_box(page, 27).check()
    expect(bar).to_contain_text("5 selected, 3 on other pages")
    expect(page.get_by_role("status").filter(has_text="5 recordings selected, 3 on other pages.")).to_have_count(1)
    tab.check_page("recordings, selected on other pages")
    page.reload()
    expect(bar).to_contain_text("5 selected, 3 on other pages")
    open_page(page, "Previous", 1)
    expect(bar).to_contain_text("5 selected, 2 on other pages")
    expect(find_box(page, 3)).to_be_checked()
    for direction in ("ascending", "descending"):  # another order of the same recordings
        page.get_by_role("link", name="Name").click()
        expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", direction)
    expect(bar).to_contain_text("5 selected, 5 on other pages")
    bar.get_by_role("button", name="Exclude").click()
    expect(page.locator(".vh-toast")).to_contain_text("5 recordings excluded from builds.")
    expect(bar).to_be_hidden()
    assert count_left_out(studio, voice) == 5
    page.locator(".vh-toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".vh-toast")).to_contain_text("Undone: 5 recordings are as before.")
    assert count_left_out(studio, voice) == 0


def test_selection_of_other_pages_ends_with_its_filter_and_is_deleted_after_a_question(
    voice: str, open_tab: OpenTab
) -> None:
    page = open_tab("desktop", "paula").goto(f"{voice}?size=25#recordings")
    bar = find_bar(page)
    find_box(page, 1).check()
    open_page(page, "Next", 2)
    find_box(page, 30).check()
    bar.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 2 recordings?")).to_be_visible()
    page.get_by_role("button", name="Delete 2 recordings").click()
    expect(page.locator("#messages")).to_contain_text("2 recordings deleted.")
    expect(find_box(page, 2)).to_be_visible()
    expect(bar).to_be_hidden()

    find_box(page, 2).check()
    open_page(page, "Next", 2)
    find_box(page, 40).check()
    expect(bar).to_contain_text("2 selected, 1 on other pages")
    page.get_by_label("Search recordings").fill("line-04")
    expect(page.get_by_role("status").filter(has_text="10 found")).to_be_visible()
    expect(bar).to_contain_text(re.compile(r"1 selected(?!,)"))
    bar.get_by_role("button", name="Clear the selection").click()
    page.reload()
    expect(find_box(page, 40)).not_to_be_checked()
    expect(bar).to_be_hidden()


def test_all_that_match_are_exported_twice_and_left_out(studio: Studio, voice: str, open_tab: OpenTab) -> None:
    page = open_tab("desktop", "paula").goto(f"{voice}?size=25&q=line-0#recordings")
    find_box(page, 1).check()
    bar = find_bar(page)
    bar.get_by_label("All 80 that match").check()
    for _ in range(2):
        with page.expect_download() as download:
            bar.get_by_role("button", name="Export as CSV").click()
        text = download.value.path().read_text("utf-8-sig")
        assert len(list(csv.DictReader(io.StringIO(text)))) == 80
    bar.get_by_role("button", name="Exclude").click()
    expect(page.locator(".vh-toast")).to_contain_text("80 recordings excluded from builds.")
    assert count_left_out(studio, voice) == 80


def test_key_x_selects_rows_and_with_shift_a_range(voice: str, open_tab: OpenTab) -> None:
    page = open_list(open_tab("desktop", "paula"), voice)
    for keys in ("j", "x", "j", "j", "j", "Shift+X"):
        page.keyboard.press(keys)
    expect(find_bar(page)).to_contain_text("4 selected")


def test_failed_action_says_so_and_can_be_tried_again(studio: Studio, voice: str, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    page = open_list(tab, voice)
    find_box(page, 1).check()
    page.route("**/recordings/bulk/", lambda route: route.fulfill(status=500, body=""))
    with tab.allow_status(500):
        find_bar(page).get_by_role("button", name="Exclude").click()
        expect(page.get_by_role("alert")).to_contain_text("Not saved: Exclude. The server had a problem.")
    page.unroute("**/recordings/bulk/")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".vh-toast")).to_contain_text("1 recording excluded from builds.")
    assert count_left_out(studio, voice) == 1


def test_table_of_transcripts_and_deletion_on_a_phone(studio: Studio, voice: str, open_tab: OpenTab) -> None:
    tab = open_tab("phone", "paula")
    page = open_list(tab, voice)
    find_box(page, 1).check()
    find_box(page, 2).check()
    tab.check_page("voice with selected recordings")
    find_bar(page).get_by_role("button", name="Set transcripts").click()
    tab.check_page("table of transcripts")
    table = "LINE-001|A new text.\nline-002.wav|The north wind.\nline-009|Not selected.\n"
    file: FilePayload = {"name": "metadata.csv", "mimeType": "text/csv", "buffer": table.encode()}
    page.get_by_label("Table", exact=True).set_input_files(file)
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_role("status").first).to_contain_text("1 transcript will change. 1 is the same already.")
    tab.check_page("preview of transcripts")
    page.get_by_role("button", name="Set 1 transcript").click()
    expect(page.locator("#messages")).to_contain_text("1 transcript set.")
    page.locator("#messages").get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("Undone: 1 recording is as before.")
    page.goto(f"{studio.address}{voice}?size=100#recordings")
    find_box(page, 3).check()
    find_bar(page).get_by_text("More").click()
    find_bar(page).get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 1 recording?")).to_be_visible()
    tab.check_page("deletion of recordings")
    page.get_by_role("button", name="Delete 1 recording").click()
    expect(page.locator("#messages")).to_contain_text("1 recording deleted.")


def test_actions_work_without_scripts(
    studio: Studio, voice: str, chrome: Browser, sign_in_cookies: Callable[[str], object]
) -> None:
    cookies = sign_in_cookies("paula")
    context = chrome.new_context(**SIZES["desktop"], storage_state=cookies, java_script_enabled=False)  # type: ignore[arg-type]  # SIZES has mixed values
    page = context.new_page()
    page.goto(f"{studio.address}{voice}?size=25")
    expect(find_bar(page)).to_be_hidden()
    find_box(page, 1).check()
    find_bar(page).get_by_label("All 80").check()
    find_bar(page).get_by_role("button", name="Exclude").click()
    expect(page.locator("#messages")).to_contain_text("80 recordings excluded from builds.")
    assert count_left_out(studio, voice) == 80
    page.locator("#messages").get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("Undone: 80 recordings are as before.")
    assert count_left_out(studio, voice) == 0
    context.close()
