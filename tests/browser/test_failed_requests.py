"""A failed request on a staff page says so, keeps what was typed, and can be repeated."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import sound, staff_steps
from tests.browser.studio import PASSWORD, Studio
from tests.browser.tab import Tab
from tests.support.processes import wait_for

OpenTab = Callable[..., Tab]


@pytest.fixture
def tab(open_tab: OpenTab, account: str) -> Tab:
    """An engineer's tab with the page of a voice that has one recording."""
    talent = staff_steps.add_talent(open_tab("desktop", "paula"), "Fay Failure")
    tab = open_tab("desktop", "ed")
    staff_steps.add_voice(tab, talent, "Fay, offline")
    staff_steps.upload_files(tab.page, {"one.wav": sound.read_clip("slt-01")})
    expect(find_switch(tab.page)).to_be_visible()
    return tab


def find_transcript(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Transcript of one.wav")


def find_switch(page: Page) -> Locator:
    return staff_steps.find_switch(page, "one.wav")


def find_toast(page: Page, text: str) -> Locator:
    return page.get_by_role("alert").filter(has_text=text)


def type_transcript(page: Page, text: str) -> None:
    staff_steps.edit_transcript(page, "one.wav").fill(text)
    find_transcript(page).blur()


def read_transcript(studio: Studio, page: Page) -> str:
    rows = studio.fetch_rows("SELECT transcript FROM voices_recording WHERE voice_id = ?", staff_steps.read_id(page))
    return str(rows[0]["transcript"])


def list_copies(page: Page) -> list[str]:
    """The copies of typed text in this tab. htmx keeps a key of its own."""
    keys: list[str] = page.evaluate("Object.keys(sessionStorage)")
    return [key for key in keys if not key.startswith("htmx-")]


def asks_before_leaving(page: Page) -> bool:
    return bool(page.evaluate("!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"))


def sign_in_here(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@contextmanager
def lock_database(studio: Studio) -> Iterator[None]:
    with closing(sqlite3.connect(studio.folder / "db.sqlite3", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def test_offline_change_is_put_back_or_marked_and_can_be_repeated(tab: Tab, studio: Studio) -> None:
    page = tab.page
    with tab.go_offline():
        type_transcript(page, "Typed offline.")
        find_switch(page).click()
        expect(find_toast(page, "Transcript of one.wav. No connection")).to_be_visible()
        expect(find_toast(page, "In builds: one.wav. No connection")).to_be_visible()
        expect(find_switch(page)).to_be_checked()
        expect(page.get_by_text("Not saved", exact=True)).to_be_visible()
        expect(page.get_by_text("Saved", exact=True)).to_have_count(0)
        tab.check_page("failed requests")
        assert asks_before_leaving(page)
    assert read_transcript(studio, page) == ""
    find_toast(page, "Transcript of one.wav").get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_text("Not saved", exact=True)).to_have_count(0)
    find_toast(page, "In builds: one.wav").get_by_role("button", name="Try again").click()
    expect(find_switch(page)).not_to_be_checked()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert read_transcript(studio, page) == "Typed offline."
    assert not asks_before_leaving(page)


def test_page_that_misses_its_updates_says_so_and_uploads_wait_for_the_connection(tab: Tab) -> None:
    page, note = tab.page, "This page is not up to date: no connection. Trying again…"
    with tab.go_offline():
        page.evaluate("document.body.dispatchEvent(new Event('recordings-changed'))")
        expect(page.get_by_text(note)).to_be_visible()
        staff_steps.drop_files(page, {"two.wav": sound.read_clip("slt-02")})
        expect(page.locator("[data-summary]")).to_contain_text("0 of 1 file uploaded")
        expect(page.locator("[data-summary]")).to_contain_text("No connection to the server.")
    staff_steps.add_import(page)
    expect(staff_steps.find_recording(page, "two.wav")).to_be_visible()
    expect(page.get_by_text(note)).to_have_count(0)


def test_request_without_an_answer_is_explained(tab: Tab) -> None:
    page = tab.page
    page.route("**/recordings/switch/", lambda _route: None)
    page.evaluate("htmx.config.timeout = 200")
    find_switch(page).click()
    expect(find_toast(page, "In builds: one.wav. The server did not answer.")).to_be_visible()
    expect(find_switch(page)).to_be_checked()
    page.unroute("**/recordings/switch/")
    page.evaluate("htmx.config.timeout = 30000")
    find_toast(page, "The server did not answer.").get_by_role("button", name="Try again").click()
    expect(find_switch(page)).not_to_be_checked()
    tab.problems[:] = [problem for problem in tab.problems if "htmx:timeout" not in problem]


def test_text_survives_sign_in_in_the_same_tab(tab: Tab, studio: Studio) -> None:
    page, voice = tab.page, staff_steps.read_path(tab.page)
    tab.context.clear_cookies()
    with tab.allow_status(401):
        type_transcript(page, "Typed while signed out.")
        find_toast(page, "You are signed out.").get_by_role("button", name="Sign in again").click()
        expect(page.get_by_role("heading", name="Sign in to VoiceHub")).to_be_visible()
    sign_in_here(page, "ed")
    expect(find_transcript(page)).to_have_value("Typed while signed out.")
    assert staff_steps.read_path(page) == voice
    assert read_transcript(studio, page) == ""
    page.get_by_role("button", name="Save Transcript of one.wav").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert read_transcript(studio, page) == "Typed while signed out."
    assert list_copies(page) == []


def test_text_is_not_shown_to_the_next_user(tab: Tab) -> None:
    page = tab.page
    tab.context.clear_cookies()
    with tab.allow_status(401):
        type_transcript(page, "Typed by Ed.")
        find_toast(page, "You are signed out.").get_by_role("button", name="Sign in again").click()
        expect(page.get_by_role("heading", name="Sign in to VoiceHub")).to_be_visible()
    sign_in_here(page, "paula")
    expect(find_transcript(page)).to_have_count(0)
    expect(page.get_by_text("Typed by Ed.")).to_have_count(0)
    assert list_copies(page) == []


def test_form_sent_while_signed_out_is_shown_again_with_its_text(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    talent = staff_steps.add_talent(tab, "Nora Notes")
    page = tab.goto(f"{talent}edit/")
    page.get_by_label("Notes").fill("Prefers mornings.")
    tab.context.clear_cookies()
    page.get_by_role("button", name="Save").click()
    sign_in_here(page, "paula")
    expect(page.get_by_label("Notes")).to_have_value("Prefers mornings.")
    expect(find_toast(page, "Your last changes are not saved.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Prefers mornings.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_transcript_that_someone_else_changed_shows_both(tab: Tab, open_tab: OpenTab, studio: Studio) -> None:
    page = tab.page
    other = open_tab("desktop", "paula")
    other.goto(staff_steps.read_path(page))
    type_transcript(other.page, "Theirs.")
    expect(other.page.get_by_text("Saved", exact=True)).to_be_visible()
    with tab.allow_status(409):
        type_transcript(page, "Mine.")
        expect(page.get_by_text("Someone else changed this transcript meanwhile.")).to_be_visible()
        expect(page.get_by_text("Theirs.", exact=True)).to_be_visible()
        tab.check_page("changed transcript")
    assert read_transcript(studio, page) == "Theirs."
    page.get_by_role("button", name="Keep mine").click()
    # A check of the recording can replace the row, and its note "Saved", at any moment.
    wait_for(lambda: read_transcript(studio, page) == "Mine.", "The transcript was not saved.")


def test_locked_database_is_explained(tab: Tab, studio: Studio) -> None:
    page = tab.page
    with tab.allow_status(503), lock_database(studio):
        find_switch(page).click()
        expect(find_toast(page, "The database is busy.")).to_be_visible()
        expect(find_switch(page)).to_be_checked()
    find_toast(page, "The database is busy.").get_by_role("button", name="Try again").click()
    expect(find_switch(page)).not_to_be_checked()
