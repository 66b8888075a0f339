"""Speech is found, also in noise, at every sample rate and block size. Noise and tones are not speech."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
import soxr

from audio.networks import vad
from audio.networks.silero import CHUNK, Silero, load_silero
from audio.networks.vad import Speech, SpeechDetector, detect_speech
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32
from tests.support.degradations import add_white_noise
from tests.support.wav import RATE, SAMPLE_FOLDER, Samples, make_sine_tone, make_white_noise

NAMES = [path.stem for path in sorted(SAMPLE_FOLDER.glob("*-0?.flac"))]
MISSING_MODEL = MissingModel("silero-vad is not installed.")


def read_sample(name: str = "slt-01") -> Float32:
    return np.asarray(soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")[0])


def make_two_clips_with_pause(name: str, seconds: float = 1.2) -> tuple[Float32, tuple[float, float]]:
    """Two clips with room noise between and around them, and the start and end of the pause between them."""
    room = make_white_noise(seconds, -66.0).astype(np.float32)
    first, second = read_sample(name), read_sample("slt-02")
    start = seconds + len(first) / RATE
    return np.concatenate((room, first, room, second, room)), (start, start + seconds)


@pytest.fixture
def missing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "load_silero", lambda: MISSING_MODEL)


def matches_segments(speech: Speech, expected: tuple[tuple[float, float], ...], tolerance: float = 0.05) -> bool:
    pairs = zip(speech.segments, expected, strict=False)
    same = len(speech.segments) == len(expected)
    return same and all(abs(time - other) < tolerance for pair in pairs for time, other in zip(*pair, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_clips_are_speech_and_the_room_around_them_is_not(name: str) -> None:
    samples, (start, end) = make_two_clips_with_pause(name)
    speech = detect_speech(samples, RATE)
    assert (speech.method, speech.missing_reason) == ("model", "")
    assert speech.total == pytest.approx(len(samples) / RATE)
    pauses = speech.list_pauses(1.0)
    assert len(pauses) == 3
    # The files in sample/ have 0.15 s of room noise at their ends.
    assert start - 0.3 < pauses[1][0] < start + 0.1 and end - 0.1 < pauses[1][1] < end + 0.3
    assert pauses[0][0] == 0.0 and pauses[2][1] == speech.total


@pytest.mark.parametrize("snr", [15.0, 5.0])
@pytest.mark.parametrize("name", NAMES[::3])
def test_pause_between_clips_is_found_in_noise(name: str, snr: float) -> None:
    samples, (start, end) = make_two_clips_with_pause(name)
    speech = detect_speech(add_white_noise(samples, snr), RATE)
    inner = [pause for pause in speech.list_pauses(0.8) if pause[0] > 0.0 and pause[1] < speech.total]
    assert len(inner) == 1
    assert inner[0][0] < start + 0.2 and inner[0][1] > end - 0.2
    assert speech.share > 0.6


NOT_SPEECH: dict[str, Samples] = {
    "no samples": np.zeros(0),
    "one sample": np.ones(1),
    "silence": np.zeros(10 * RATE),
    "full scale": np.ones(3 * RATE),
    "quiet room": make_white_noise(10.0, -66.0),
    "noise": make_white_noise(10.0, -30.0),
    "loud noise": make_white_noise(10.0, -6.0),
    "low tone": make_sine_tone(10.0, frequency=120.0),
    "high tone": make_sine_tone(10.0, frequency=3000.0),
    "hum": sum((make_sine_tone(10.0, frequency=50.0 * n, peak=0.2 / n) for n in range(1, 9)), np.zeros(10 * RATE)),
    "clicks": np.where(np.arange(10 * RATE) % 4000 == 0, 0.9, 0.0),
}


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_noise_tones_and_silence_are_not_speech(name: str) -> None:
    samples = NOT_SPEECH[name]
    speech = detect_speech(samples.astype(np.float32), RATE)
    assert (speech.segments, speech.seconds, speech.share) == ((), 0.0, 0.0)
    assert speech.list_pauses() == ((0.0, speech.total),)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_sample_rate_does_not_change_the_segments(rate: int) -> None:
    samples, _ = make_two_clips_with_pause("rms-02")
    speech = detect_speech(soxr.resample(samples, RATE, rate), rate)
    # At 8 kHz half the band is missing, and some soft word endings with it.
    assert matches_segments(speech, detect_speech(samples, RATE).segments, tolerance=0.15 if rate == 8000 else 0.05)


@pytest.mark.parametrize("size", [1, 777, 16000, 50_000])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_block_size_and_int16_do_not_change_the_segments(rate: int, size: int) -> None:
    samples, _ = make_two_clips_with_pause("slt-03")
    samples = soxr.resample(samples, RATE, rate)[: 4000 if size == 1 else None]
    integers = np.round(samples * 32767).astype(np.int16)
    detector = SpeechDetector(rate)
    for start in range(0, len(integers), size):
        detector.add(integers[start : start + size])
    speech = detector.get_speech()
    assert matches_segments(speech, detect_speech(samples, rate).segments, 0.033)
    assert speech.total == pytest.approx(len(samples) / rate)


def test_model_state_carries_over_between_batches() -> None:
    model = load_silero()
    assert isinstance(model, Silero)
    samples = read_sample()[: 160 * CHUNK]
    one_batch = model.compute_probabilities(samples, model.create_state())
    state = model.create_state()
    batches = [model.compute_probabilities(batch, state) for batch in np.split(samples, 16)]
    assert np.allclose(np.concatenate(batches), one_batch, atol=1e-4)
    without_state = [model.compute_probabilities(batch, model.create_state()) for batch in np.split(samples, 16)]
    assert not np.allclose(np.concatenate(without_state), one_batch, atol=1e-2)


def test_memory_does_not_grow_with_duration() -> None:
    def measure_peak_memory(minutes: int) -> int:
        block = np.tile(read_sample(), 12)[: 60 * RATE]
        detector = SpeechDetector(RATE)
        tracemalloc.start()
        for _ in range(minutes):
            detector.add(block)
        detector.get_speech()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure_peak_memory(1)
    assert measure_peak_memory(10) < 1.2 * measure_peak_memory(1) + 500_000


def test_short_gaps_between_spans_are_closed_and_short_spans_dropped() -> None:
    def list_spans() -> Iterator[tuple[float, float]]:
        yield from ((0.05, 0.5), (0.7, 1.0), (1.3, 1.35), (2.0, 2.99))

    padded = tuple(vad._pad_spans(list_spans(), 3.0))
    assert padded == ((0.0, 1.08), (1.92, 3.0))


def test_pauses_are_the_gaps_between_segments() -> None:
    speech = Speech(((0.0, 1.0), (1.5, 2.0), (2.1, 2.9)), 4.0)
    assert speech.seconds == pytest.approx(2.3)
    assert speech.share == pytest.approx(0.575)
    assert speech.list_pauses(0.3) == ((1.0, 1.5), (2.9, 4.0))


@pytest.mark.usefixtures("missing_model")
@pytest.mark.parametrize("name", NAMES[::3])
def test_without_the_model_speech_is_detected_by_level_with_a_reason(name: str) -> None:
    samples, (start, end) = make_two_clips_with_pause(name)
    speech = detect_speech(samples, RATE)
    assert (speech.method, speech.missing_reason) == ("level", "silero-vad is not installed.")
    pauses = speech.list_pauses(1.0)
    assert len(pauses) == 3
    assert start - 0.3 < pauses[1][0] < start + 0.1 and end - 0.1 < pauses[1][1] < end + 0.3


@pytest.mark.usefixtures("missing_model")
@pytest.mark.parametrize("name", ["no samples", "one sample", "silence", "quiet room", "noise", "low tone", "clicks"])
def test_level_method_does_not_take_steady_sound_for_speech(name: str) -> None:
    speech = detect_speech(NOT_SPEECH[name].astype(np.float32), RATE)
    assert (speech.segments, speech.method) == ((), "level")
