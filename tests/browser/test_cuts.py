"""The page where the cuts of a long recording are moved, added and removed before the recording is split there."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

MAKE_RECORDING = """
from tests.consent.rows import ConsentFactory
from tests.support.long_recordings import make_long_wav
from tests.voices.rows import make_upload
from voicehub.models import User
from voices.models import Voice
from voices.services.recordings.store import add_recording
paula = User.objects.get(username="paula")
talent = ConsentFactory(paula).make_talent({talent!r}, "long@talent.test")
voice = Voice.objects.create(talent=talent, name="Long takes", purpose="narration", created_by=paula)
add_recording(voice, make_upload("interview.wav", make_long_wav({repeat})), paula)
"""


@pytest.fixture
def recording(studio: Studio, request: pytest.FixtureRequest) -> UUID:
    return make_recording(studio, f"Lena {request.node.name}"[:90])


def make_recording(studio: Studio, talent: str, repeat: int = 4) -> UUID:
    studio.run_script(MAKE_RECORDING.format(talent=talent, repeat=repeat))
    query = """SELECT r.id FROM voices_recording r JOIN voices_voice v ON v.id = r.voice_id
        JOIN consent_talent t ON t.id = v.talent_id WHERE t.name = ?"""
    return UUID(studio.fetch_rows(query, talent)[0]["id"])


def open_cuts(tab: Tab, recording: UUID) -> Page:
    """Ask for the proposal and wait for the editor."""
    page = tab.goto(f"/recordings/{recording}/cuts/")
    page.get_by_role("button", name="Propose cuts").click()
    expect(page.get_by_role("button", name=re.compile(r"Split into \d+ clips"))).to_be_visible()
    return page


def read_clips(page: Page) -> list[list[float]]:
    """The start and the end of each clip that the form would send."""
    return [[float(word) for word in line.split()] for line in page.locator("#clips").input_value().splitlines()]


def find_cut(page: Page, number: int) -> Locator:
    return page.get_by_role("slider", name=f"Cut {number}", exact=True)


def read_seconds(cut: Locator) -> float:
    return float(cut.get_attribute("aria-valuenow") or "nan")


def place_cut(page: Page, number: int, steps: int) -> None:
    """Move a cut by so many steps of 100 ms with the keys."""
    find_cut(page, number).focus()
    for _ in range(abs(steps)):
        page.keyboard.press("Shift+ArrowRight" if steps > 0 else "Shift+ArrowLeft")


def test_cut_is_moved_by_keys_and_by_the_pointer(recording: UUID, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ed")
    page = open_cuts(tab, recording)
    proposed = read_clips(page)
    cut = find_cut(page, 1)
    before = read_seconds(cut)
    cut.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert read_seconds(cut) == pytest.approx(before - 0.13, abs=0.011)
    place_cut(page, 1, -10)
    moved = read_clips(page)
    assert moved[0][0] == proposed[0][0] and moved[1][1] == proposed[1][1] and moved[2:] == proposed[2:]
    assert moved[0][1] == pytest.approx(before - 1.13, abs=0.01), "the cut is in speech: no silence is left out"
    assert moved[1][0] == moved[0][1]
    page.keyboard.press("Control+z")
    assert read_clips(page) == proposed, "the steps of one move are undone together"

    page.get_by_role("button", name="Move the cut 10 ms later").click()
    assert read_seconds(cut) == pytest.approx(before + 0.01, abs=0.011)
    page.get_by_role("button", name="Move the cut 10 ms earlier").click()
    page.get_by_role("button", name="Undo").click()
    assert read_clips(page) == proposed

    cut.focus()
    page.keyboard.press("ArrowDown")
    expect(find_cut(page, 2)).to_be_focused()
    box = find_cut(page, 2).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = read_seconds(find_cut(page, 2))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 16, y, steps=4)
    page.mouse.move(x - 32, y, steps=4)
    page.mouse.up()
    assert read_seconds(find_cut(page, 2)) == pytest.approx(before - 2, abs=0.02), "16 pixels are a second"
    page.get_by_role("button", name="Undo").click()
    assert read_clips(page) == proposed
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    tab.check_page("cuts")


def test_cuts_are_added_removed_and_undone(recording: UUID, open_tab: OpenTab) -> None:
    page = open_cuts(open_tab("desktop", "ed"), recording)
    proposed = read_clips(page)
    count = len(proposed)
    find_cut(page, 2).focus()
    page.keyboard.press("Delete")
    assert read_clips(page) == [proposed[0], [proposed[1][0], proposed[2][1]], *proposed[3:]]
    expect(page.get_by_role("button", name=f"Split into {count - 1} clips")).to_be_visible()
    expect(find_cut(page, 2)).to_be_focused()
    page.get_by_role("button", name="Remove the cut").click()
    assert len(read_clips(page)) == count - 2
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    assert read_clips(page) == proposed

    wave = page.get_by_role("group", name="Waveform with its cuts")
    wave.dblclick(position={"x": 16 * 5, "y": 90})
    expect(find_cut(page, 1)).to_be_focused()
    assert read_seconds(find_cut(page, 1)) == pytest.approx(5, abs=0.1)
    assert len(read_clips(page)) == count + 1
    wave.click(position={"x": 16 * 9, "y": 90})
    page.get_by_role("button", name="Add a cut here").click()
    assert read_seconds(find_cut(page, 2)) == pytest.approx(9, abs=0.1)
    expect(page.get_by_role("status").filter(has_text="Cut 2 added at 0:0")).to_have_count(1)
    # At a cut, there is nothing to cut.
    page.get_by_role("button", name="Add a cut here").click()
    expect(page.get_by_role("status").filter(has_text="only inside a clip")).to_have_count(1)
    assert len(read_clips(page)) == count + 2


def test_clip_plays_by_itself(recording: UUID, open_tab: OpenTab) -> None:
    page = open_cuts(open_tab("desktop", "ed"), recording)
    start, end = read_clips(page)[1]
    # Eight times as fast, so that the test need not wait for the whole clip.
    page.evaluate("document.getElementById('cuts-audio').defaultPlaybackRate = 8")
    page.evaluate("document.getElementById('cuts-audio').playbackRate = 8")
    button = page.get_by_role("button", name="Play clip 2", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    played = page.evaluate("document.getElementById('cuts-audio').currentTime")
    assert start <= played < end
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("document.getElementById('cuts-audio').currentTime") == pytest.approx(end, abs=0.01)


def test_clip_outside_the_limits_is_marked_and_stops_the_split(recording: UUID, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ed")
    page = open_cuts(tab, recording)
    proposed = read_clips(page)
    for _ in range(7):
        find_cut(page, 1).focus()
        page.keyboard.press("Delete")
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Too long")
    expect(row).to_contain_text("at most 60 s")
    tab.check_page("cuts with a clip that is too long")
    page.get_by_role("button", name=re.compile("Split into")).click()
    expect(page.get_by_role("button", name="Show clip 1 in the waveform")).to_be_focused()
    # What is left out needs no length.
    page.get_by_role("button", name="Leave out clip 1", exact=True).click()
    expect(row).to_contain_text("Left out")
    assert read_clips(page) == proposed[8:]


def test_refused_clips_stay_in_the_editor(recording: UUID, open_tab: OpenTab) -> None:
    """The page judges as the server does, so a script sends what the page would not."""
    tab = open_tab("desktop", "ed")
    page = open_cuts(tab, recording)
    with tab.allow_status(400):
        page.evaluate(
            "document.getElementById('clips').value = '0.5 1\\n2 9'; HTMLFormElement.prototype.submit.call("
            "document.getElementById('cuts-form'))"
        )
        alert = page.get_by_role("alert").filter(has_text="was not split")
        expect(alert).to_contain_text("Clip 1, at 0:00.50, lasts 0.50 s.")
    expect(page.get_by_role("row").nth(2)).to_contain_text("Too short")
    assert read_clips(page)[:2] == [[0.5, 1.0], [2.0, 9.0]]


def test_recording_is_split_at_the_moved_cuts(studio: Studio, recording: UUID, open_tab: OpenTab) -> None:
    tab = open_tab("phone", "ed")
    page = open_cuts(tab, recording)
    place_cut(page, 1, -10)
    wanted = read_clips(page)
    tab.check_page("cuts")
    page.get_by_role("button", name=f"Split into {len(wanted)} clips").tap()
    expect(page.get_by_text(f"Splitting interview.wav into {len(wanted)} clips.")).to_be_visible()
    expect(page.get_by_text(f"interview-{len(wanted):03}.wav").first).to_be_visible()
    rows = studio.fetch_rows("SELECT seconds FROM voices_recording WHERE source_id = ? ORDER BY file_name", recording)
    assert [row["seconds"] for row in rows] == pytest.approx([end - start for start, end in wanted], abs=1e-4)
