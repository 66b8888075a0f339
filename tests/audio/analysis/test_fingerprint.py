"""The same sound is found again in whatever it was exported to, and no other reading is taken for it."""

import hashlib
import io
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import soundfile
import soxr

from audio.analysis.fingerprint import ContentHash, compute_difference, compute_fingerprint, find_similar_pairs
from audio.wav.riff import Float32, read_blocks, read_header
from tests.support.wav import RATE, SAMPLE, noise, sample_wav, tone, wav_bytes
from tests.support.worse import noisy, quieter

NAMES = [path.stem for path in sorted(SAMPLE.glob("*-0?.flac"))]
SAME = 0.25


def clip(name: str) -> Float32:
    return np.asarray(soundfile.read(SAMPLE / f"{name}.flac", dtype="float32")[0])


def coded(samples: Float32, rate: int, kind: str, codec: str) -> tuple[Float32, int]:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=codec, compression_level=0.9)
    file.seek(0)
    heard, rate = soundfile.read(file, dtype="float32")
    return np.asarray(heard), rate


def at(rate: int) -> Callable[[Float32], tuple[Float32, int]]:
    return lambda samples: (soxr.resample(samples, RATE, rate), rate)


def faster(samples: Float32, by: float) -> Float32:
    """Read in less time, at a higher pitch."""
    return np.asarray(soxr.resample(samples, RATE, RATE / by))


EXPORTS: dict[str, Callable[[Float32], tuple[Float32, int]]] = {
    "8 kHz": at(8000),
    "22.05 kHz": at(22050),
    "48 kHz": at(48000),
    "20 dB quieter in 16 bits": lambda samples: (np.round(quieter(samples, 20) * 32768) / np.float32(32768), RATE),
    "louder and clipped": lambda samples: (np.clip(samples * 2, -1, 1), RATE),
    "turned upside down": lambda samples: (-samples, RATE),
    "noise at 25 dB": lambda samples: (noisy(samples, 25), RATE),
    "half a second cut": lambda samples: (samples[5001 : -int(0.2 * RATE)], RATE),
    "silence around": lambda samples: (np.pad(samples, (13001, 20011)), RATE),
    "MP3": lambda samples: coded(samples, RATE, "MP3", "MPEG_LAYER_III"),
    "Vorbis": lambda samples: coded(samples, RATE, "OGG", "VORBIS"),
    "Opus": lambda samples: coded(samples, RATE, "OGG", "OPUS"),
    "cut, quieter, 22.05 kHz, MP3": lambda samples: coded(
        soxr.resample(quieter(samples[4001:], 10), RATE, 22050), 22050, "MP3", "MPEG_LAYER_III"
    ),
}


@pytest.fixture(scope="module")
def originals() -> list[str]:
    return [compute_fingerprint(clip(name), RATE) for name in NAMES]


@pytest.mark.parametrize("how", EXPORTS)
def test_export_is_found_and_nothing_else(originals: list[str], how: str) -> None:
    exported = [compute_fingerprint(*EXPORTS[how](clip(name))) for name in NAMES]
    found = find_similar_pairs(originals + exported)
    assert [(one.one, one.other) for one in found] == [(place, place + len(NAMES)) for place in range(len(NAMES))]
    for pair, one, other in zip(found, originals, exported, strict=True):
        assert pair.difference == pytest.approx(compute_difference(one, other), abs=1e-3)
        assert pair.difference < SAME


def test_other_readings_differ_in_four_bits_of_ten(originals: list[str]) -> None:
    assert min(compute_difference(one, other) for one, other in combinations(originals, 2)) > 0.37
    assert find_similar_pairs(originals) == []


@pytest.mark.parametrize("by", [0.9, 0.95, 1.05, 1.1])
def test_same_words_in_another_tempo_are_another_reading(originals: list[str], by: float) -> None:
    others = [compute_fingerprint(faster(clip(name), by), RATE) for name in NAMES[:4]]
    assert min(compute_difference(one, other) for one, other in zip(originals, others, strict=False)) > 0.3
    assert find_similar_pairs(originals[:4] + others) == []


def test_part_is_the_same_only_if_it_is_most_of_it(originals: list[str]) -> None:
    samples = clip(NAMES[0])
    joined = compute_fingerprint(np.concatenate((samples, clip(NAMES[1]))), RATE)
    assert compute_difference(originals[0], joined) < 0.05
    half, other = len(samples) // 2, clip(NAMES[1])
    mixed = compute_fingerprint(np.concatenate((samples[:half], other[: len(samples) - half])), RATE)
    assert compute_difference(originals[0], mixed) > SAME / 2


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.zeros(9 * RATE), np.zeros(100), tone(0.5), clip(NAMES[0])[: RATE // 2]]
)
def test_silence_and_scraps_have_none(samples: "np.typing.NDArray[np.float64]") -> None:
    assert compute_fingerprint(samples.astype(np.float32), RATE) == ""


def test_empty_ones_are_like_nothing(originals: list[str]) -> None:
    assert find_similar_pairs([]) == find_similar_pairs(["", ""]) == []
    assert compute_difference("", "") == compute_difference("", originals[0]) == 1.0
    assert [(one.one, one.other) for one in find_similar_pairs(["", originals[0], "", originals[0], ""])] == [(1, 3)]


def test_two_rooms_are_not_the_same_sound() -> None:
    rooms = [compute_fingerprint(noise(6.0, -60.0, seed=seed).astype(np.float32), RATE) for seed in (1, 2, 3)]
    assert find_similar_pairs(rooms) == []


def test_it_is_small_and_ends_after_half_a_minute() -> None:
    samples = np.tile(clip(NAMES[0]), 20)
    assert len(compute_fingerprint(samples, RATE)) == len(compute_fingerprint(samples[: 31 * RATE], RATE)) < 3750
    assert len(compute_fingerprint(clip(NAMES[0]), RATE)) < 130 * len(clip(NAMES[0])) / RATE


def test_many_copies_are_found_without_trying_every_pair(originals: list[str]) -> None:
    found = find_similar_pairs(originals[:1] * 300)
    assert {one.one for one in found} | {one.other for one in found} == set(range(300))
    assert len(found) < 300 * 16


def content(data: bytes, step: int = 1000) -> str:
    file = io.BytesIO(data)
    header = read_header(file)
    digest = ContentHash(header.sample_rate)
    for block in read_blocks(file, header, step):
        digest.add(block)
    return digest.hexdigest()


def test_content_hash_is_of_the_sound_only() -> None:
    plain = sample_wav("slt-01")
    pcm = plain[44:]
    assert content(plain) == content(plain, 7) == hashlib.sha256(b"16000\n" + pcm).hexdigest()
    assert content(wav_bytes(data=pcm, before=[(b"LIST", b"INFOISFT\x04\0\0\0abc\0")])) == content(plain)
    assert content(wav_bytes(data=pcm, fmt_tail=b"\0\0")) == content(plain)
    assert content(wav_bytes(data=pcm, rate=22050)) != content(plain)
    assert content(wav_bytes(data=pcm[:-2] + b"\1\0")) != content(plain)
    assert content(wav_bytes(data=pcm[:-2])) != content(plain)
