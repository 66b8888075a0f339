"""The one file that a provider takes: named as it wants, its sums known before, made anew and the same each time."""

import hashlib
import io
import tarfile
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from audio.datasets.archive_writer import Entry
from audio.datasets.concatenate import Concatenation, concatenate_clips
from audio.datasets.package import PackedUpload, encode_mp3, pack_archive, pack_mp3, pack_wav
from audio.findings.findings import Refused
from audio.wav.riff import ALLOWED_RATES, read_header
from tests.support.sounds import clip_in
from tests.support.wav import sample_wav, tone, wav_bytes


def entries() -> list[Entry]:
    data = sample_wav("slt-01")
    return [Entry(name, f"Said in {name}.", len(data), lambda: io.BytesIO(data)) for name in ("take-01", "Take 01")]


def whole(rate: int = 16000, seconds: float = 4.0) -> Concatenation:
    clip = clip_in("tone", wav_bytes(tone(seconds / 2, rate), rate=rate))
    return concatenate_clips([clip, clip], gap_seconds=0)


def assert_as_told(packed: PackedUpload) -> bytes:
    data = b"".join(packed.chunks())
    assert data == b"".join(packed.chunks())
    assert (packed.size, packed.md5) == (len(data), hashlib.md5(data, usedforsecurity=False).digest())
    return data


@pytest.mark.parametrize("with_text", [True, False])
def test_an_archive_has_names_of_letters_and_digits(with_text: bool) -> None:
    packed = pack_archive("vh-voice 7", entries(), with_text)
    assert (packed.name, packed.content_type) == ("vhvoice7.tar.gz", "application/gzip")
    with tarfile.open(fileobj=io.BytesIO(assert_as_told(packed)), mode="r:gz") as tar:
        texts = tar.extractfile("metadata.csv").read().decode() if with_text else ""  # type: ignore[union-attr]
        clips = [name for name in tar.getnames() if name != "metadata.csv"]
    assert clips == ["take01.wav", "Take01x2.wav"]
    assert texts == ("take01|Said in take-01.\nTake01x2|Said in Take 01.\n" if with_text else "")


def test_a_wav_holds_everything() -> None:
    packed = pack_wav("vh", whole())
    assert (packed.name, packed.content_type) == ("vh.wav", "audio/x-wav")
    assert read_header(io.BytesIO(assert_as_told(packed))).seconds == 4
    assert pack_wav("vh", whole(), packed.size).md5 == packed.md5
    with pytest.raises(Refused) as refused:
        pack_wav("vh", whole(), packed.size - 1)
    assert refused.value.finding.code == "joined_too_big"


def test_the_pieces_are_heard_while_the_sums_are_made() -> None:
    heard: list[int] = []
    packed = pack_archive("vh", entries(), True, lambda piece: heard.append(len(piece)))
    assert sum(heard) == packed.size


@pytest.mark.parametrize("rate", ALLOWED_RATES)
def test_an_mp3_keeps_the_sound_at_every_rate(rate: int) -> None:
    packed = pack_mp3("vh-1", whole(rate), 10_000_000)
    assert (packed.name, packed.content_type) == ("vh1.mp3", "audio/mpeg")
    samples, heard_at = soundfile.read(io.BytesIO(assert_as_told(packed)))
    assert (heard_at, samples.ndim) == (rate, 1)
    assert len(samples) / rate == pytest.approx(4, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples))
    original = np.abs(np.fft.rfft(np.concatenate(list(whole(rate).read_samples())) / 32768))
    assert spectrum.argmax() / len(samples) == pytest.approx(original.argmax() / (4 * rate), rel=0.05)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


def test_an_mp3_takes_the_best_bitrate_that_fits() -> None:
    sizes = {kilobits: len(encode_mp3(whole(), kilobits)) for kilobits in (160, 128, 96, 32)}
    assert pack_mp3("vh", whole(), sizes[160]).size == sizes[160]
    assert pack_mp3("vh", whole(), sizes[160] - 1).size == sizes[128]
    assert pack_mp3("vh", whole(), sizes[128] - 1).size == sizes[96]
    with pytest.raises(Refused) as refused:
        pack_mp3("vh", whole(), sizes[32] - 1)
    assert refused.value.finding.code == "joined_too_big"


def test_a_big_archive_is_never_joined() -> None:
    sound = bytes(1 << 20)

    def pieces() -> Iterator[int]:
        many = [Entry(f"clip{number}", "", len(sound), lambda: io.BytesIO(sound)) for number in range(8)]
        yield from map(len, pack_archive("vh", many, True).chunks())

    assert max(pieces()) < 1 << 19
