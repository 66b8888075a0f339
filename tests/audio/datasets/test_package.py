"""The single file for a provider has a valid name, checksums known in advance, and the same bytes each time."""

import hashlib
import io
import tarfile
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from audio.datasets.archive_writer import DatasetEntry
from audio.datasets.concatenate import Concatenation, concatenate_clips
from audio.datasets.package import PackedUpload, encode_mp3, pack_archive, pack_mp3, pack_wav
from audio.findings.findings import FileRefused
from audio.wav.riff import ALLOWED_RATES, read_header
from tests.support.sounds import make_clip_from_wav
from tests.support.wav import load_sample_wav, make_sine_tone, make_wav_bytes


def make_entries() -> list[DatasetEntry]:
    data = load_sample_wav("slt-01")
    return [
        DatasetEntry(name, f"Text of {name}.", len(data), lambda: io.BytesIO(data)) for name in ("take-01", "Take 01")
    ]


def make_concatenation(rate: int = 16000, seconds: float = 4.0) -> Concatenation:
    clip = make_clip_from_wav("tone", make_wav_bytes(make_sine_tone(seconds / 2, rate), rate=rate))
    return concatenate_clips([clip, clip], gap_seconds=0)


def read_checked(packed: PackedUpload) -> bytes:
    """Read the file twice. Check that its bytes are equal and match the stated size and checksums, and return them."""
    data = b"".join(packed.chunks())
    assert data == b"".join(packed.chunks())
    assert (packed.size, packed.md5) == (len(data), hashlib.md5(data, usedforsecurity=False).digest())
    return data


@pytest.mark.parametrize("with_text", [True, False])
def test_clip_names_in_an_archive_have_only_letters_and_digits(with_text: bool) -> None:
    packed = pack_archive("vh-voice 7", make_entries(), with_text)
    assert (packed.name, packed.content_type) == ("vhvoice7.tar.gz", "application/gzip")
    with tarfile.open(fileobj=io.BytesIO(read_checked(packed)), mode="r:gz") as tarball:
        texts = tarball.extractfile("metadata.csv").read().decode() if with_text else ""  # type: ignore[union-attr]
        clips = [name for name in tarball.getnames() if name != "metadata.csv"]
    assert clips == ["take01.wav", "Take01x2.wav"]
    assert texts == ("take01|Text of take-01.\nTake01x2|Text of Take 01.\n" if with_text else "")


def test_wav_contains_all_clips() -> None:
    packed = pack_wav("vh", make_concatenation())
    assert (packed.name, packed.content_type) == ("vh.wav", "audio/x-wav")
    assert read_header(io.BytesIO(read_checked(packed))).seconds == 4
    assert pack_wav("vh", make_concatenation(), packed.size).md5 == packed.md5
    with pytest.raises(FileRefused) as refused:
        pack_wav("vh", make_concatenation(), packed.size - 1)
    assert refused.value.finding.code == "joined_too_big"


def test_progress_is_reported_while_checksums_are_computed() -> None:
    chunk_sizes: list[int] = []
    packed = pack_archive("vh", make_entries(), True, lambda chunk: chunk_sizes.append(len(chunk)))
    assert sum(chunk_sizes) == packed.size


@pytest.mark.parametrize("rate", ALLOWED_RATES)
def test_mp3_keeps_the_sound_at_every_rate(rate: int) -> None:
    packed = pack_mp3("vh-1", make_concatenation(rate), 10_000_000)
    assert (packed.name, packed.content_type) == ("vh1.mp3", "audio/mpeg")
    samples, decoded_rate = soundfile.read(io.BytesIO(read_checked(packed)))
    assert (decoded_rate, samples.ndim) == (rate, 1)
    assert len(samples) / rate == pytest.approx(4, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples))
    original = np.abs(np.fft.rfft(np.concatenate(list(make_concatenation(rate).read_samples())) / 32768))
    assert spectrum.argmax() / len(samples) == pytest.approx(original.argmax() / (4 * rate), rel=0.05)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


def test_mp3_uses_the_best_bitrate_that_fits() -> None:
    sizes = {kilobits: len(encode_mp3(make_concatenation(), kilobits)) for kilobits in (160, 128, 96, 32)}
    assert pack_mp3("vh", make_concatenation(), sizes[160]).size == sizes[160]
    assert pack_mp3("vh", make_concatenation(), sizes[160] - 1).size == sizes[128]
    assert pack_mp3("vh", make_concatenation(), sizes[128] - 1).size == sizes[96]
    with pytest.raises(FileRefused) as refused:
        pack_mp3("vh", make_concatenation(), sizes[32] - 1)
    assert refused.value.finding.code == "joined_too_big"


def test_large_archive_is_streamed_in_small_chunks() -> None:
    sound = bytes(1 << 20)

    def iterate_chunk_sizes() -> Iterator[int]:
        entries = [DatasetEntry(f"clip{number}", "", len(sound), lambda: io.BytesIO(sound)) for number in range(8)]
        yield from map(len, pack_archive("vh", entries, True).chunks())

    assert max(iterate_chunk_sizes()) < 1 << 19
