"""Speech is found where it is, in noise too, at every rate and in blocks of any size; noise and tones are none."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
import soxr

from audio.networks import vad as hearing
from audio.networks.silero import CHUNK, Silero, load_silero
from audio.networks.vad import Speech, SpeechDetector, detect_speech
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32
from tests.support.wav import RATE, SAMPLE, Samples, noise, tone
from tests.support.worse import noisy

NAMES = [path.stem for path in sorted(SAMPLE.glob("*-0?.flac"))]
GONE = MissingModel("silero-vad is not installed.")


def clip(name: str = "slt-01") -> Float32:
    return np.asarray(soundfile.read(SAMPLE / f"{name}.flac", dtype="float32")[0])


def with_pause(name: str, seconds: float = 1.2) -> tuple[Float32, tuple[float, float]]:
    """Two clips with the room between and around them, and where the pause between them is."""
    room = noise(seconds, -66.0).astype(np.float32)
    first, second = clip(name), clip("slt-02")
    start = seconds + len(first) / RATE
    return np.concatenate((room, first, room, second, room)), (start, start + seconds)


@pytest.fixture
def by_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "load_silero", lambda: GONE)


def near(found: Speech, expected: tuple[tuple[float, float], ...], within: float = 0.05) -> bool:
    pairs = zip(found.segments, expected, strict=False)
    same = len(found.segments) == len(expected)
    return same and all(abs(one - other) < within for pair in pairs for one, other in zip(*pair, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_clips_are_speech_and_what_is_around_them_is_not(name: str) -> None:
    samples, (start, end) = with_pause(name)
    found = detect_speech(samples, RATE)
    assert (found.method, found.missing_reason) == ("model", "")
    assert found.total == pytest.approx(len(samples) / RATE)
    pauses = found.list_pauses(1.0)
    assert len(pauses) == 3
    # The files in sample/ have 0.15 s of room at their ends.
    assert start - 0.3 < pauses[1][0] < start + 0.1 and end - 0.1 < pauses[1][1] < end + 0.3
    assert pauses[0][0] == 0.0 and pauses[2][1] == found.total


@pytest.mark.parametrize("snr", [15.0, 5.0])
@pytest.mark.parametrize("name", NAMES[::3])
def test_pause_is_found_in_noise(name: str, snr: float) -> None:
    samples, (start, end) = with_pause(name)
    found = detect_speech(noisy(samples, snr), RATE)
    inner = [one for one in found.list_pauses(0.8) if one[0] > 0.0 and one[1] < found.total]
    assert len(inner) == 1
    assert inner[0][0] < start + 0.2 and inner[0][1] > end - 0.2
    assert found.share > 0.6


NOT_SPEECH: dict[str, Samples] = {
    "nothing": np.zeros(0),
    "one sample": np.ones(1),
    "silence": np.zeros(10 * RATE),
    "full scale": np.ones(3 * RATE),
    "quiet room": noise(10.0, -66.0),
    "noise": noise(10.0, -30.0),
    "loud noise": noise(10.0, -6.0),
    "low tone": tone(10.0, frequency=120.0),
    "high tone": tone(10.0, frequency=3000.0),
    "hum": sum((tone(10.0, frequency=50.0 * n, peak=0.2 / n) for n in range(1, 9)), np.zeros(10 * RATE)),
    "clicks": np.where(np.arange(10 * RATE) % 4000 == 0, 0.9, 0.0),
}


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_what_nobody_says_is_not_speech(name: str) -> None:
    samples = NOT_SPEECH[name]
    found = detect_speech(samples.astype(np.float32), RATE)
    assert (found.segments, found.seconds, found.share) == ((), 0.0, 0.0)
    assert found.list_pauses() == ((0.0, found.total),)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_rate_does_not_matter(rate: int) -> None:
    samples, _ = with_pause("rms-02")
    found = detect_speech(soxr.resample(samples, RATE, rate), rate)
    # Half the band is gone at 8 kHz, and some soft ends of words with it.
    assert near(found, detect_speech(samples, RATE).segments, within=0.15 if rate == 8000 else 0.05)


@pytest.mark.parametrize("size", [1, 777, 16000, 50_000])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_blocks_of_any_size_and_whole_numbers_give_the_same(rate: int, size: int) -> None:
    samples, _ = with_pause("slt-03")
    samples = soxr.resample(samples, RATE, rate)[: 4000 if size == 1 else None]
    whole = np.round(samples * 32767).astype(np.int16)
    finder = SpeechDetector(rate)
    for start in range(0, len(whole), size):
        finder.add(whole[start : start + size])
    found = finder.get_speech()
    assert near(found, detect_speech(samples, rate).segments, 0.033)
    assert found.total == pytest.approx(len(samples) / rate)


def test_model_remembers_from_batch_to_batch() -> None:
    model = load_silero()
    assert isinstance(model, Silero)
    samples = clip()[: 160 * CHUNK]
    at_once = model.compute_probabilities(samples, model.create_state())
    state = model.create_state()
    parts = [model.compute_probabilities(part, state) for part in np.split(samples, 16)]
    assert np.allclose(np.concatenate(parts), at_once, atol=1e-4)
    fresh = [model.compute_probabilities(part, model.create_state()) for part in np.split(samples, 16)]
    assert not np.allclose(np.concatenate(fresh), at_once, atol=1e-2)


def test_ten_minutes_take_no_more_memory_than_one() -> None:
    def peak(minutes: int) -> int:
        block = np.tile(clip(), 12)[: 60 * RATE]
        finder = SpeechDetector(RATE)
        tracemalloc.start()
        for _ in range(minutes):
            finder.add(block)
        finder.get_speech()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(1)
    assert peak(10) < 1.2 * peak(1) + 500_000


def test_short_gaps_close_and_clicks_fall_away() -> None:
    def spans() -> Iterator[tuple[float, float]]:
        yield from ((0.05, 0.5), (0.7, 1.0), (1.3, 1.35), (2.0, 2.99))

    found = tuple(hearing._pad_spans(spans(), 3.0))
    assert found == ((0.0, 1.08), (1.92, 3.0))


def test_pauses_lie_between_segments() -> None:
    found = Speech(((0.0, 1.0), (1.5, 2.0), (2.1, 2.9)), 4.0)
    assert found.seconds == pytest.approx(2.3)
    assert found.share == pytest.approx(0.575)
    assert found.list_pauses(0.3) == ((1.0, 1.5), (2.9, 4.0))


@pytest.mark.usefixtures("by_level")
@pytest.mark.parametrize("name", NAMES[::3])
def test_without_the_model_the_level_decides_and_it_is_said(name: str) -> None:
    samples, (start, end) = with_pause(name)
    found = detect_speech(samples, RATE)
    assert (found.method, found.missing_reason) == ("level", "silero-vad is not installed.")
    pauses = found.list_pauses(1.0)
    assert len(pauses) == 3
    assert start - 0.3 < pauses[1][0] < start + 0.1 and end - 0.1 < pauses[1][1] < end + 0.3


@pytest.mark.usefixtures("by_level")
@pytest.mark.parametrize("name", ["nothing", "one sample", "silence", "quiet room", "noise", "low tone", "clicks"])
def test_level_takes_no_steady_sound_for_speech(name: str) -> None:
    found = detect_speech(NOT_SPEECH[name].astype(np.float32), RATE)
    assert (found.segments, found.method) == ((), "level")
