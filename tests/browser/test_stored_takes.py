"""What a browser keeps of a recording that the studio has not received: encrypted, for a day, and part of one too."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.scripted_recorder import Recorder

pytestmark = pytest.mark.django_db

DAY_MS = 24 * 3600 * 1000
EARLIER_PART = "The page closed while you were recording. This is what your browser has kept."
READ_STORED = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("voicehub-takes");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const stores = opening.result.transaction(["takes", "parts"]);
    const [takes, parts] = ["takes", "parts"].map((name) => stores.objectStore(name).getAll());
    parts.onsuccess = () => { opening.result.close(); resolve([...takes.result, ...parts.result]); };
  };
})"""
# How many records are stored, and whether a script can read any of their sound: as it is, or with their key.
CHECK_SECRECY = f"""async () => {{
  const records = await ({READ_STORED})();
  const sealed = records.flatMap((one) => [one, one.sound, one.facts]).filter((one) => one?.data);
  const texts = sealed.map(({{ data }}) => new TextDecoder("latin1").decode(data));
  const keys = records.map((one) => one.key).filter(Boolean);
  const raw = await Promise.allSettled(keys.map((key) => crypto.subtle.exportKey("raw", key)));
  const exported = raw.filter((one) => one.status === "fulfilled").length;
  const plain = records.filter((one) => one.wav || one.device).length;
  const readable = plain + texts.filter((one) => /RIFF|Scripted/.test(one)).length;
  return {{ records: records.length, keys: keys.length, exported, readable }};
}}"""


def count_stored(recorder: Recorder) -> int:
    return len(recorder.read(READ_STORED))


def interrupt(recorder: Recorder, seconds: float, records: int) -> None:
    """Record for some seconds, then end the page as soon as so many records are stored."""
    recorder.open()
    recorder.record(seconds)
    recorder.page.wait_for_function(f"async () => (await ({READ_STORED})()).length >= {records}")
    recorder.visit()


def test_recording_that_the_page_ended_is_offered_and_can_be_sent(recorder: Recorder) -> None:
    interrupt(recorder, 3.2, 7)  # facts, and six times half a second
    expect(recorder.message).to_have_text(f"{EARLIER_PART} Listen to what is there, or record again.")
    expect(recorder.page.locator("[data-part=findings]")).to_contain_text("interrupted before you pressed Stop")
    expect(recorder.page.locator("[data-part=clock]")).to_have_text("0:00 / 0:03")
    recorder.play_to_the_end()
    recorder.press("Send it")
    expect(recorder.page).to_have_url(re.compile("#receipt"))
    assert '"isInterrupted":true' in recorder.uploads[0]
    assert count_stored(recorder) == 0


def test_part_that_is_too_short_can_only_be_deleted(recorder: Recorder) -> None:
    interrupt(recorder, 0.8, 2)
    expect(recorder.message).to_have_text(f"{EARLIER_PART} This recording cannot be sent. Record it again.")
    expect(recorder.page.get_by_role("button", name="Send it")).to_be_hidden()
    recorder.press("Delete it now")
    expect(recorder.message).to_have_text("The recording is deleted.")
    assert count_stored(recorder) == 0


def test_what_is_stored_is_encrypted_with_a_key_that_cannot_be_read(recorder: Recorder) -> None:
    recorder.open()
    recorder.record(2)
    recorder.page.wait_for_function(f"async () => (await ({READ_STORED})()).length >= 4")
    parts = recorder.read(CHECK_SECRECY)
    assert parts["records"] >= 4
    assert (parts["keys"], parts["exported"], parts["readable"]) == (1, 0, 0)
    recorder.wait(1)
    recorder.stop()
    take = recorder.read(CHECK_SECRECY)
    assert take == {"records": 1, "keys": 1, "exported": 0, "readable": 0}, "the take has replaced its parts"


def test_stored_recordings_are_deleted_after_a_day(recorder: Recorder) -> None:
    interrupt(recorder, 3.2, 7)
    recorder.page.clock.fast_forward(DAY_MS - 60_000)
    recorder.visit()
    expect(recorder.message).to_contain_text(EARLIER_PART)
    recorder.page.clock.fast_forward(2 * 60_000)
    recorder.visit()
    expect(recorder.message).to_contain_text("Say a sentence")
    assert count_stored(recorder) == 0


def test_browser_that_cannot_store_says_so_while_recording(recorder: Recorder) -> None:
    recorder.read("indexedDB.open = () => { throw new Error('private'); }, undefined")
    recorder.open()
    recorder.record()
    expect(recorder.page.get_by_text("This browser cannot keep what you are recording.")).to_be_visible()
    recorder.stop()
    expect(recorder.page.get_by_text("This browser cannot keep the recording.")).to_be_visible()
    recorder.play_to_the_end()
    recorder.press("Send it")
    expect(recorder.page).to_have_url(re.compile("#receipt"))


def test_microphone_opens_by_itself_on_the_next_page_of_a_sitting(recorder: Recorder) -> None:
    recorder.open()
    recorder.visit()
    expect(recorder.message).to_contain_text("Say a sentence")
    recorder.page.add_init_script("script.answer = 'NotAllowedError'")
    recorder.visit()
    expect(recorder.message).to_have_text("First the microphone. It is only used while this page is open.")
    expect(recorder.page.get_by_role("button", name="Allow the microphone")).to_be_enabled()
