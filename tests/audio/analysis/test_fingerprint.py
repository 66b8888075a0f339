"""The fingerprint of a sound matches its exports in any format, but no other reading."""

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
from tests.support.degradations import add_white_noise, lower_level
from tests.support.wav import RATE, SAMPLE_FOLDER, load_sample_wav, make_sine_tone, make_wav_bytes, make_white_noise

NAMES = [path.stem for path in sorted(SAMPLE_FOLDER.glob("*-0?.flac"))]
MAX_SAME_DIFFERENCE = 0.25


def load_clip(name: str) -> Float32:
    return np.asarray(soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")[0])


def encode_and_decode(samples: Float32, rate: int, kind: str, codec: str) -> tuple[Float32, int]:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=codec, compression_level=0.9)
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float32")
    return np.asarray(decoded), rate


def resample_to(rate: int) -> Callable[[Float32], tuple[Float32, int]]:
    return lambda samples: (soxr.resample(samples, RATE, rate), rate)


def speed_up(samples: Float32, factor: float) -> Float32:
    """Play the samples faster, so that they are shorter and their pitch is higher."""
    return np.asarray(soxr.resample(samples, RATE, RATE / factor))


EXPORTS: dict[str, Callable[[Float32], tuple[Float32, int]]] = {
    "8 kHz": resample_to(8000),
    "22.05 kHz": resample_to(22050),
    "48 kHz": resample_to(48000),
    "20 dB quieter in 16 bits": lambda samples: (np.round(lower_level(samples, 20) * 32768) / np.float32(32768), RATE),
    "louder and clipped": lambda samples: (np.clip(samples * 2, -1, 1), RATE),
    "inverted polarity": lambda samples: (-samples, RATE),
    "noise at 25 dB": lambda samples: (add_white_noise(samples, 25), RATE),
    "half a second cut": lambda samples: (samples[5001 : -int(0.2 * RATE)], RATE),
    "silence around": lambda samples: (np.pad(samples, (13001, 20011)), RATE),
    "MP3": lambda samples: encode_and_decode(samples, RATE, "MP3", "MPEG_LAYER_III"),
    "Vorbis": lambda samples: encode_and_decode(samples, RATE, "OGG", "VORBIS"),
    "Opus": lambda samples: encode_and_decode(samples, RATE, "OGG", "OPUS"),
    "cut, quieter, 22.05 kHz, MP3": lambda samples: encode_and_decode(
        soxr.resample(lower_level(samples[4001:], 10), RATE, 22050), 22050, "MP3", "MPEG_LAYER_III"
    ),
}


@pytest.fixture(scope="module")
def originals() -> list[str]:
    return [compute_fingerprint(load_clip(name), RATE) for name in NAMES]


@pytest.mark.parametrize("export", EXPORTS)
def test_export_matches_its_original_and_no_other(originals: list[str], export: str) -> None:
    exported = [compute_fingerprint(*EXPORTS[export](load_clip(name))) for name in NAMES]
    pairs = find_similar_pairs(originals + exported)
    assert [(pair.first_index, pair.second_index) for pair in pairs] == [
        (index, index + len(NAMES)) for index in range(len(NAMES))
    ]
    for pair, one, other in zip(pairs, originals, exported, strict=True):
        assert pair.difference == pytest.approx(compute_difference(one, other), abs=1e-3)
        assert pair.difference < MAX_SAME_DIFFERENCE


def test_fingerprints_of_different_readings_differ_in_almost_four_of_ten_bits(originals: list[str]) -> None:
    assert min(compute_difference(one, other) for one, other in combinations(originals, 2)) > 0.37
    assert find_similar_pairs(originals) == []


@pytest.mark.parametrize("factor", [0.9, 0.95, 1.05, 1.1])
def test_same_text_at_another_tempo_does_not_match(originals: list[str], factor: float) -> None:
    others = [compute_fingerprint(speed_up(load_clip(name), factor), RATE) for name in NAMES[:4]]
    assert min(compute_difference(one, other) for one, other in zip(originals, others, strict=False)) > 0.3
    assert find_similar_pairs(originals[:4] + others) == []


def test_partial_copy_matches_only_if_it_has_most_of_the_clip(originals: list[str]) -> None:
    samples = load_clip(NAMES[0])
    extended = compute_fingerprint(np.concatenate((samples, load_clip(NAMES[1]))), RATE)
    assert compute_difference(originals[0], extended) < 0.05
    middle, other = len(samples) // 2, load_clip(NAMES[1])
    mixed = compute_fingerprint(np.concatenate((samples[:middle], other[: len(samples) - middle])), RATE)
    assert compute_difference(originals[0], mixed) > MAX_SAME_DIFFERENCE / 2


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.zeros(9 * RATE), np.zeros(100), make_sine_tone(0.5), load_clip(NAMES[0])[: RATE // 2]]
)
def test_silence_and_short_clips_have_no_fingerprint(samples: "np.typing.NDArray[np.float64]") -> None:
    assert compute_fingerprint(samples.astype(np.float32), RATE) == ""


def test_empty_fingerprints_match_no_other(originals: list[str]) -> None:
    assert find_similar_pairs([]) == find_similar_pairs(["", ""]) == []
    assert compute_difference("", "") == compute_difference("", originals[0]) == 1.0
    assert [
        (pair.first_index, pair.second_index) for pair in find_similar_pairs(["", originals[0], "", originals[0], ""])
    ] == [(1, 3)]


def test_background_noises_do_not_match() -> None:
    rooms = [
        compute_fingerprint(make_white_noise(6.0, -60.0, seed=seed).astype(np.float32), RATE) for seed in (1, 2, 3)
    ]
    assert find_similar_pairs(rooms) == []


def test_fingerprint_is_small_and_covers_30_seconds() -> None:
    samples = np.tile(load_clip(NAMES[0]), 20)
    assert len(compute_fingerprint(samples, RATE)) == len(compute_fingerprint(samples[: 31 * RATE], RATE)) < 3750
    assert len(compute_fingerprint(load_clip(NAMES[0]), RATE)) < 130 * len(load_clip(NAMES[0])) / RATE


def test_many_copies_are_found_without_comparing_every_pair(originals: list[str]) -> None:
    pairs = find_similar_pairs(originals[:1] * 300)
    assert {pair.first_index for pair in pairs} | {pair.second_index for pair in pairs} == set(range(300))
    assert len(pairs) < 300 * 16


def hash_content(data: bytes, step: int = 1000) -> str:
    file = io.BytesIO(data)
    header = read_header(file)
    digest = ContentHash(header.sample_rate)
    for block in read_blocks(file, header, step):
        digest.add(block)
    return digest.hexdigest()


def test_content_hash_depends_on_rate_and_samples_only() -> None:
    original = load_sample_wav("slt-01")
    pcm = original[44:]
    assert hash_content(original) == hash_content(original, 7) == hashlib.sha256(b"16000\n" + pcm).hexdigest()
    assert hash_content(make_wav_bytes(data=pcm, before=[(b"LIST", b"INFOISFT\x04\0\0\0abc\0")])) == hash_content(
        original
    )
    assert hash_content(make_wav_bytes(data=pcm, fmt_tail=b"\0\0")) == hash_content(original)
    assert hash_content(make_wav_bytes(data=pcm, rate=22050)) != hash_content(original)
    assert hash_content(make_wav_bytes(data=pcm[:-2] + b"\1\0")) != hash_content(original)
    assert hash_content(make_wav_bytes(data=pcm[:-2])) != hash_content(original)


def test_damaged_fingerprint_matches_nothing() -> None:
    whole = compute_fingerprint(load_clip(NAMES[0]), RATE)
    for damaged in ("not base64", whole[:-3], whole[:-4] + "AA=="):
        assert compute_difference(whole, damaged) == 1
        assert [pair.difference for pair in find_similar_pairs([whole, damaged, whole])] == [0]
