"""Faults of a microphone and of the way to the studio, played by a scripted microphone on a phone-sized page."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.scripted_recorder import Recorder

pytestmark = pytest.mark.django_db


def test_question_that_nobody_answers_is_explained_and_given_up(recorder: Recorder) -> None:
    recorder.read("navigator.permissions.query = async () => ({ state: 'prompt' })")
    recorder.set(answer="never")
    recorder.press("Allow the microphone")
    recorder.wait(7)
    expect(recorder.message).to_contain_text("was not answered")
    expect(recorder.steps).to_contain_text(["Look for the question", "If there is none", "Press “Allow"])
    recorder.wait(40)
    expect(recorder.page.get_by_role("button", name="Allow the microphone")).to_be_focused()
    recorder.read("script.allow()")
    expect(recorder.message).to_have_attribute("data-tone", "bad")
    recorder.check_released()
    recorder.set(answer="allow")
    recorder.open()
    expect(recorder.message).to_have_text("The microphone sounds good.")
    expect(recorder.steps).to_have_count(0)


@pytest.mark.parametrize(
    ("answer", "text", "step_count"),
    [
        ("NotAllowedError", "The microphone is blocked for this page.", 4),
        ("NotReadableError", "Another program is using the microphone.", 0),
        ("UnheardOfError", "The microphone could not be opened.", 0),
    ],
)
def test_refusal_is_explained_without_words_of_the_engine(
    recorder: Recorder, answer: str, text: str, step_count: int
) -> None:
    recorder.read("navigator.permissions.query = async () => ({ state: 'denied' })")
    recorder.set(answer=answer)
    recorder.press("Allow the microphone")
    expect(recorder.message).to_contain_text(text)
    expect(recorder.steps).to_have_count(step_count)
    assert "raw words" not in recorder.page.content()
    recorder.check_released()


def test_browser_without_sound_output_does_not_hang(recorder: Recorder) -> None:
    recorder.set(resume="never")
    recorder.press("Allow the microphone")
    expect(recorder.message).to_have_text("Asking for the microphone …")
    recorder.wait(11)
    expect(recorder.message).to_contain_text("Connect a loudspeaker or headphones")
    recorder.check_released()
    recorder.set(resume="running")
    recorder.open()


def test_microphone_that_cannot_go_on_is_explained_without_words_of_the_engine(recorder: Recorder) -> None:
    recorder.open()
    recorder.set(resume="error")
    recorder.read("made.contexts.at(-1).state = 'interrupted'")
    recorder.press("Record")
    expect(recorder.message).to_contain_text("The microphone could not be opened.")
    assert "raw words" not in recorder.page.content()
    recorder.check_released()


def end_track(recorder: Recorder) -> None:
    recorder.read("made.tracks.at(-1).end()")


def stop_samples(recorder: Recorder) -> None:
    recorder.set(sound="none")
    recorder.wait(2)
    expect(recorder.message).to_contain_text("No sound is arriving")
    recorder.wait(4)


def send_silence(recorder: Recorder) -> None:
    recorder.set(sound="zeros")
    recorder.wait(2)
    expect(recorder.message).to_contain_text("The microphone is sending silence")
    recorder.wait(4)


@pytest.mark.parametrize(
    ("fail", "text"),
    [
        (end_track, "The recording was interrupted. Listen to what is there"),
        (stop_samples, "stopped sending sound, so the recording was stopped. Listen to what is there"),
        (send_silence, "nothing but silence for 5 seconds, so the recording was stopped. Listen to what is there"),
    ],
)
def test_microphone_that_fails_while_recording_is_opened_anew(
    recorder: Recorder, fail: Callable[[Recorder], None], text: str
) -> None:
    recorder.open()
    recorder.record()
    fail(recorder)
    expect(recorder.message).to_contain_text(text)
    expect(recorder.page.get_by_role("button", name="Play")).to_be_focused()
    recorder.check_released()
    recorder.set(sound="voice")
    recorder.press("Record again")
    expect(recorder.message).to_contain_text("Say a sentence")
    recorder.wait(4.5)
    assert recorder.read("made.tracks.map((track) => track.readyState)") == ["ended", "live"]
    recorder.record()
    recorder.stop()


def test_take_stays_in_reach_if_the_microphone_cannot_be_opened_again(recorder: Recorder) -> None:
    recorder.open()
    recorder.record()
    end_track(recorder)
    recorder.set(answer="NotFoundError")
    recorder.press("Record again")
    expect(recorder.message).to_contain_text("No microphone was found.")
    expect(recorder.page.get_by_role("group", name="Your recording")).to_be_visible()


def test_muted_microphone_is_named_until_it_is_turned_on(recorder: Recorder) -> None:
    recorder.open()
    recorder.record()
    recorder.read("made.tracks.at(-1).muted = true")
    recorder.wait(0.5)
    expect(recorder.message).to_contain_text("The microphone is muted")
    recorder.read("made.tracks.at(-1).muted = false")
    recorder.wait(0.5)
    expect(recorder.message).to_contain_text("Recording.")


def test_lost_sound_is_named_and_sent_with_the_take(recorder: Recorder) -> None:
    recorder.open()
    recorder.record()
    recorder.set(sound="none")
    recorder.wait(0.8)
    recorder.set(sound="voice")
    recorder.wait(2)
    expect(recorder.message).to_contain_text("Parts of the sound are being lost")
    recorder.stop()
    expect(recorder.page.locator("[data-part=findings]")).to_contain_text("About 0.8 s of the sound is missing.")
    play_and_send(recorder)
    expect(recorder.page).to_have_url(re.compile("#receipt"))
    device = re.search(r'name="device"\s+(\{.*\})', recorder.uploads[0])
    assert device and json.loads(device[1])["lostSeconds"] == pytest.approx(0.8, abs=0.1)


def play_and_send(recorder: Recorder) -> None:
    """By keys alone: a new take plays by itself, and the focus is on the button of the player."""
    send = recorder.page.get_by_role("button", name="Send it")
    expect(send).to_be_disabled()
    expect(recorder.page.get_by_role("button", name="Pause")).to_be_focused()
    recorder.page.keyboard.press("Space")
    expect(recorder.page.get_by_role("button", name="Play")).to_be_focused()
    recorder.read("document.querySelector('audio').playbackRate = 4")
    recorder.page.keyboard.press("Space")
    expect(send).to_be_enabled()
    recorder.press("Send it")


def test_network_that_is_cut_twice_sends_the_same_take_in_the_end(recorder: Recorder) -> None:
    recorder.open()
    recorder.record()
    recorder.stop()
    recorder.answers = [0, 200, 0, 200]
    play_and_send(recorder)
    for _attempt in range(2):
        expect(recorder.message).to_contain_text("The studio cannot be reached.")
        with recorder.page.expect_request(lambda request: request.method == "POST"):
            recorder.page.clock.fast_forward(10_000)
    expect(recorder.page).to_have_url(re.compile("#receipt"))
    hashes = {re.findall(r'name="sha256"\s+(\w+)', form)[0] for form in recorder.uploads}
    assert (len(recorder.uploads), len(hashes)) == (3, 1)


def test_take_is_sent_when_the_studio_answers_again(recorder: Recorder) -> None:
    """The network of the browser was never gone, so no `online` event comes."""
    recorder.open()
    recorder.record()
    recorder.stop()
    recorder.answers = [0, 0, 502]
    play_and_send(recorder)
    expect(recorder.message).to_contain_text("The studio cannot be reached.")
    expect(recorder.message).to_contain_text("The recording is safe in this browser.")
    for _attempt in range(3):
        with recorder.page.expect_request(lambda request: request.method == "HEAD"):
            recorder.page.clock.fast_forward(10_000)
    expect(recorder.page).to_have_url(re.compile("#receipt"))
    assert len(recorder.uploads) == 2


def test_headset_in_a_call_and_processing_are_named_before_recording(recorder: Recorder) -> None:
    recorder.set(label="AirPods", settings={"echoCancellation": True})
    recorder.open()
    expect(recorder.message).to_have_text("The microphone works. Before you record:")
    advice = recorder.page.locator("[data-part=advice] li")
    expect(advice).to_contain_text(["headset in call mode", "Chrome changes the voice with: echo cancellation"])
    recorder.set(label="Built-in", settings={})
    end_track(recorder)
    expect(recorder.message).to_contain_text("The microphone was disconnected.")
    recorder.open()
    expect(advice).to_have_count(0)


def test_dot_and_level_are_visible_with_forced_colors(recorder: Recorder) -> None:
    recorder.open()
    recorder.record(1)
    recorder.page.emulate_media(forced_colors="active")
    dot = recorder.page.locator(".recorder-dot")
    page_color = recorder.read("getComputedStyle(document.body).backgroundColor")
    assert dot.evaluate("(one) => getComputedStyle(one).backgroundColor") != page_color


def test_recorder_fits_a_phone_at_twice_its_zoom(recorder: Recorder) -> None:
    recorder.page.set_viewport_size({"width": 195, "height": 422})
    recorder.open()
    too_wide = """() => { const right = document.documentElement.clientWidth;
      return [...document.querySelectorAll(".recorder *")].filter((one) => one.getBoundingClientRect().right > right)
        .map((one) => one.outerHTML); }"""
    assert recorder.read(too_wide) == []
    recorder.record()
    recorder.stop()
    assert recorder.read(too_wide) == []
