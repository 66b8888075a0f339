"""What staff see of the audio checks: what was not measured is not fine, and a new transcript is checked at once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.processes import wait_for

OpenTab = Callable[..., Tab]

MARK_SCRIPT = "(mark) => getComputedStyle(mark, '::before').content"


def test_take_without_speech_has_no_tick_for_checks_of_speech(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    talent = staff_steps.add_talent(tab, "Mute Mia")
    staff_steps.add_contract(tab, talent)
    consent = staff_steps.request_consent(tab, talent)
    link = staff_steps.create_private_link(tab.page)
    with tab.open_guest_tab() as talent_tab:
        talent_steps.send_file(talent_steps.open_statement(talent_tab, link), sound.make_steady_noise())
    page = tab.goto(f"/consents/{consent}/")
    expect(page.locator(".sound-facts")).to_be_visible()
    expect(page.locator(".take-report[hx-get]")).to_have_count(0)  # the check is done
    facts = page.locator(".sound-facts .fact")
    for label in ("Level", "Noise", "Clipping", "Room", "Treble"):
        fact = facts.filter(has=page.locator("dt", has_text=label))
        expect(fact.locator("dd")).to_have_text("Not measured: no speech was found.")
        assert fact.locator(".fact-mark").evaluate(MARK_SCRIPT) == '"–"'
    marks = {label: facts.filter(has=page.locator("dt", has_text=label)) for label in ("Length", "Silence")}
    assert marks["Length"].locator(".fact-mark").evaluate(MARK_SCRIPT) == '"✓"', "its length was measured"
    assert marks["Silence"].locator(".fact-mark").evaluate(MARK_SCRIPT) == '"!"', "the finding"
    tab.check_page("consent with a take without speech")


@pytest.mark.usefixtures("account")
def test_new_transcript_is_checked_without_the_file(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    voice = staff_steps.add_voice(tab, staff_steps.add_talent(tab, "Linda Lint"), "Linda, linted")
    staff_steps.upload_files(
        tab.page,
        {"one.wav": sound.read_clip("slt-01"), "two.wav": sound.read_clip("slt-02"), "mute.wav": sound.make_silence()},
    )
    wait_for(lambda: _is_compared(studio, tab.page), "the comparison")
    page = tab.goto(voice)
    mute = staff_steps.open_details(page, "mute.wav")
    expect(mute.get_by_text("Not measured: no speech was found.")).to_be_visible()
    analyzed = _fetch_analysis_times(studio, tab.page)
    _delete_files(studio, tab.page)

    first, second = (staff_steps.find_recording(page, name) for name in ("one.wav", "two.wav"))
    _type_transcript(page, "one.wav", "It costs 5 % more.")
    expect(first.get_by_text("Transcript: digits")).to_be_visible()
    _type_transcript(page, "one.wav", "It costs more.")
    expect(first.get_by_text("Transcript: digits")).to_have_count(0)
    _type_transcript(page, "two.wav", "It costs more.")
    for clip in (first, second):
        expect(clip.get_by_text("Same transcript")).to_be_visible()
    expect(page.get_by_text("missing from storage")).to_have_count(0)
    assert _fetch_analysis_times(studio, tab.page) == analyzed
    tab.check_page("voice with checked transcripts")


def _type_transcript(page: Page, name: str, text: str) -> None:
    field = staff_steps.edit_transcript(page, name)
    field.fill(text)
    field.blur()


def _is_compared(studio: Studio, page: Page) -> bool:
    query = "SELECT 1 FROM voices_voice WHERE id = ? AND json_extract(comparison, '$.recordings') = 3"
    return bool(studio.fetch_rows(query, staff_steps.read_id(page)))


def _fetch_analysis_times(studio: Studio, page: Page) -> list[tuple[str, str]]:
    query = "SELECT file_name, analyzed_at FROM voices_recording WHERE voice_id = ? ORDER BY file_name"
    return [(row["file_name"], row["analyzed_at"]) for row in studio.fetch_rows(query, staff_steps.read_id(page))]


def _delete_files(studio: Studio, page: Page) -> None:
    """Delete the audio of the voice, so that nothing can listen to it."""
    for row in studio.fetch_rows("SELECT file FROM voices_recording WHERE voice_id = ?", staff_steps.read_id(page)):
        Path(studio.folder / "media" / row["file"]).unlink()
