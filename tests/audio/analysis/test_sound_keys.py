"""Copies of a recording are found by their keys, and two readings of one statement are not taken for the same sound."""

import io
from itertools import combinations

import numpy as np
import pytest
import soundfile
import soxr

from audio.analysis.fingerprint import compute_fingerprint
from audio.analysis.sound_keys import KEY_SHARE, MIN_VOTES, find_offsets, is_copy, list_keys
from audio.wav.riff import Float32
from tests.support.sounds import encode_with_libsndfile
from tests.support.wav import SAMPLE_FOLDER

READERS = ("consent-slt", "consent-rms", "consent-awb", "consent-slt-2")
# Speech that is played faster or slower has the pitch and the throat of a smaller or larger person.
SIZES = (0.88, 1.0, 1.13)


def load(name: str) -> tuple[Float32, int]:
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")
    return samples, rate


def decode(data: bytes) -> tuple[Float32, int]:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    return samples, rate


def are_copies(one: str, other: str) -> bool:
    offsets = find_offsets(one, [("other", value, position) for value, position in list_keys(other)])
    return "other" in offsets and is_copy(one, other, offsets["other"])


def make_copies(samples: Float32, rate: int) -> dict[str, tuple[Float32, int]]:
    high = soxr.resample(samples, rate, 48000)
    noise = np.random.default_rng(3).standard_normal(len(samples)).astype(np.float32)
    return {
        "mp3": decode(encode_with_libsndfile(high, 48000, "MP3", "MPEG_LAYER_III")),
        "opus": decode(encode_with_libsndfile(high, 48000, "OGG", "OPUS")),
        "8 kHz": (soxr.resample(samples, rate, 8000), 8000),
        "44.1 kHz": (soxr.resample(samples, rate, 44100), 44100),
        "trimmed and quieter": (samples[round(0.41 * rate) :] * 0.3, rate),
        "noise at 25 dB": (samples + noise * np.sqrt(np.mean(samples**2)) * 10 ** (-25 / 20), rate),
        "with a sentence before": (np.concatenate([load("slt-01")[0], samples]), rate),
    }


@pytest.mark.parametrize("name", READERS)
def test_copies_are_found(name: str) -> None:
    original = compute_fingerprint(*load(name))
    missed = [
        kind for kind, copy in make_copies(*load(name)).items() if not are_copies(original, compute_fingerprint(*copy))
    ]
    assert missed == []


def test_readings_of_one_statement_by_twelve_voices_are_not_the_same_sound() -> None:
    readings = [
        compute_fingerprint(soxr.resample(samples, rate, rate * size), rate)
        for samples, rate in map(load, READERS)
        for size in SIZES
    ]
    assert len(readings) == 12
    assert [pair for pair in combinations(readings, 2) if are_copies(*pair)] == []


def test_keys_are_a_small_part_of_the_values() -> None:
    fingerprint = compute_fingerprint(*load("consent-slt"))
    keys, values = list_keys(fingerprint), len(fingerprint) * 3 // 4 // 3
    assert MIN_VOTES * 5 < len(keys) < 1.5 * values / KEY_SHARE
    assert list_keys("") == list_keys("not base64") == []
