"""Builds WAV files: speech-like files, and named hostile files with the finding code that must be reported."""

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16000
SAMPLE_FOLDER = Path(__file__).parents[2] / "sample"

Samples = NDArray[np.float64]
Chunks = Sequence[tuple[bytes, bytes]]


def decibels_to_gain(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def list_sample_times(duration: float, rate: int = RATE) -> Samples:
    """The time of each sample in seconds."""
    return np.arange(round(duration * rate)) / rate


def make_sine_tone(duration: float = 2.0, rate: int = RATE, frequency: float = 440.0, peak: float = 0.5) -> Samples:
    return np.asarray(peak * np.sin(2 * np.pi * frequency * list_sample_times(duration, rate)))


def make_white_noise(duration: float, rms_dbfs: float, rate: int = RATE, seed: int = 1) -> Samples:
    samples = np.random.default_rng(seed).standard_normal(round(duration * rate))
    return np.asarray(samples * decibels_to_gain(rms_dbfs) / np.sqrt(np.mean(samples**2)))


def make_speech_like(
    duration: float = 3.0,
    rate: int = RATE,
    pitch: float = 120.0,
    rms_dbfs: float = -20.0,
    room_dbfs: float = -65.0,
) -> Samples:
    """Make the harmonics of a voice in four syllables a second, with pauses between them, plus room noise."""
    times = list_sample_times(duration, rate)
    count = min(20, int(rate / 2 / pitch))
    harmonics = sum(np.sin(2 * np.pi * pitch * n * times + n * n) / n for n in range(1, count + 1))
    samples = harmonics * np.clip(np.sin(2 * np.pi * 2 * times) * 2, 0, 1)
    return np.asarray(
        samples * decibels_to_gain(rms_dbfs) / np.sqrt(np.mean(samples**2))
        + make_white_noise(duration, room_dbfs, rate)
    )


def encode_pcm(samples: Samples) -> bytes:
    return np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def make_chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    padding = b"\0" * (len(body) % 2)
    return name + struct.pack("<I", len(body) if size is None else size) + body + padding


@dataclass
class Wav:
    """A WAV file, built chunk by chunk. Every field can have a wrong value."""

    rate: int = RATE
    channels: int = 1
    bits: int = 16
    tag: int = 1
    byte_rate: int | None = None
    block_align: int | None = None
    fmt_tail: bytes = b""
    fmt_cut: int = 0
    data: bytes | None = None
    data_size: int | None = None
    riff: bytes = b"RIFF"
    form: bytes = b"WAVE"
    riff_size: int | None = None
    riff_size_shift: int = 0
    before: Chunks = ()
    between: Chunks = ()
    after: Chunks = ()
    inside: bytes = b""
    outside: bytes = b""
    with_fmt: bool = True
    with_data: bool = True

    def fmt(self) -> bytes:
        block_align = self.channels * self.bits // 8 if self.block_align is None else self.block_align
        byte_rate = (self.rate * block_align if self.byte_rate is None else self.byte_rate) & 0xFFFFFFFF
        body = (
            struct.pack("<HHIIHH", self.tag, self.channels, self.rate, byte_rate, block_align, self.bits)
            + self.fmt_tail
        )
        return make_chunk(b"fmt ", body[: len(body) - self.fmt_cut])

    def bytes(self) -> bytes:
        sound = encode_pcm(make_speech_like(2.0, self.rate or RATE)) if self.data is None else self.data
        parts = [make_chunk(*part) for part in self.before]
        parts += [self.fmt()] if self.with_fmt else []
        parts += [make_chunk(*part) for part in self.between]
        parts += [make_chunk(b"data", sound, self.data_size)] if self.with_data else []
        parts += [make_chunk(*part) for part in self.after]
        body = self.form + b"".join(parts) + self.inside
        size = len(body) + self.riff_size_shift if self.riff_size is None else self.riff_size
        return self.riff + struct.pack("<I", size) + body + self.outside


def make_wav_bytes(samples: Samples | None = None, **overrides: Any) -> bytes:
    """Make a valid WAV of `samples` (default: two seconds of speech-like sound). `overrides` replace fields of Wav."""
    if samples is not None:
        overrides["data"] = encode_pcm(samples)
    return Wav(**overrides).bytes()


def make_wav_file(samples: Samples | None = None, **overrides: Any) -> BinaryIO:
    return io.BytesIO(make_wav_bytes(samples, **overrides))


def encode_speech(kind: str, subtype: str, channels: int = 1) -> bytes:
    """Encode two seconds of speech-like sound in another format, with libsndfile."""
    out = io.BytesIO()
    samples = make_speech_like(2.0)
    soundfile.write(out, np.stack([samples] * channels, axis=1), RATE, format=kind, subtype=subtype)
    return out.getvalue()


def load_sample_wav(name: str) -> bytes:
    """Return a file of the sample studio as a 16-bit WAV."""
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="int16")
    return make_wav_bytes(data=samples.astype("<i2").tobytes(), rate=rate)


EXTENSION = struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
ZIP = b"PK\x03\x04" + b"\0" * 26 + b"PK\x05\x06" + b"\0" * 18
HTML = b"<!doctype html><script>alert(1)</script>"

MakeBytes = Callable[[], bytes]


def _wav(**overrides: Any) -> MakeBytes:
    return lambda: make_wav_bytes(**overrides)


def _pack_without_data(chunk: bytes) -> MakeBytes:
    body = make_wav_bytes()[8:36] + chunk
    return lambda: b"RIFF" + struct.pack("<I", len(body)) + body


def _junk(count: int) -> Chunks:
    return [(b"JUNK", b"")] * count


HOSTILE_WAVS: dict[str, tuple[MakeBytes, str]] = {
    "empty file": (lambda: b"", "empty_file"),
    "one byte": (lambda: b"R", "not_wav"),
    "text": (lambda: b"Dear studio, please find attached my voice.", "not_wav"),
    "web page": (lambda: HTML, "not_wav"),
    "zeros": (lambda: bytes(4096), "not_wav"),
    "headerless samples": (lambda: encode_pcm(make_speech_like(2.0)), "not_wav"),
    "lower-case riff": (_wav(riff=b"riff"), "not_wav"),
    "RF64 by name": (_wav(riff=b"RF64"), "is_rf64"),
    "RF64 of a terabyte": (
        _wav(riff=b"RF64", riff_size=0xFFFFFFFF, before=[(b"ds64", b"\xff" * 28)]),
        "is_rf64",
    ),
    "real RF64": (lambda: encode_speech("RF64", "PCM_16"), "is_rf64"),
    "BW64": (_wav(riff=b"BW64"), "is_rf64"),
    "RIFX": (_wav(riff=b"RIFX"), "is_rifx"),
    "Wave64": (lambda: encode_speech("W64", "PCM_16"), "is_wave64"),
    "FLAC": (lambda: encode_speech("FLAC", "PCM_16"), "is_flac"),
    "FLAC of 68 G samples": (
        lambda: b"fLaC\x80\x00\x00\x22" + bytes(10) + b"\x0a\xc4\x40\xff\xff\xff\xff\xff" + bytes(16),
        "is_flac",
    ),
    "AIFF": (lambda: encode_speech("AIFF", "PCM_16"), "is_aiff"),
    "CAF": (lambda: encode_speech("CAF", "PCM_16"), "is_caf"),
    "Ogg Vorbis": (lambda: encode_speech("OGG", "VORBIS"), "is_ogg"),
    "MP3": (lambda: encode_speech("MP3", "MPEG_LAYER_III"), "is_mp3"),
    "MP3 with tags": (lambda: b"ID3\x04" + bytes(200), "is_mp3"),
    "M4A": (lambda: b"\0\0\0\x20ftypM4A " + bytes(100), "is_mp4"),
    "WebM": (lambda: b"\x1aE\xdf\xa3" + bytes(100), "is_webm"),
    "ZIP": (lambda: ZIP, "is_zip"),
    "AVI": (_wav(form=b"AVI "), "not_wave_form"),
    "WebP": (_wav(form=b"WEBP"), "not_wave_form"),
    "four bytes": (lambda: b"RIFF", "cut_in_header"),
    "eleven bytes": (lambda: make_wav_bytes()[:11], "cut_in_header"),
    "RIFF length 0, never written": (_wav(riff_size=0), "length_unwritten"),
    "RIFF length all ones, never written": (
        _wav(riff_size=0xFFFFFFFF, data_size=0xFFFFFFFF),
        "length_unwritten",
    ),
    "RIFF header only": (lambda: make_wav_bytes()[:12], "truncated"),
    "half a header": (lambda: make_wav_bytes()[:30], "truncated"),
    "last byte missing": (lambda: make_wav_bytes()[:-1], "data_length_off"),
    "last second missing": (lambda: make_wav_bytes()[:-32000], "truncated"),
    "RIFF length 0, last second missing": (lambda: make_wav_bytes(riff_size=0)[:-32000], "data_overruns"),
    "data length 0, never written": (_wav(data_size=0), "length_unwritten"),
    "both lengths 0, never written": (_wav(riff_size=0, data_size=0), "length_unwritten"),
    "lengths of SoX in a pipe": (_wav(riff_size=0x7FFFF024, data_size=0x7FFFF000), "length_unwritten"),
    "RIFF length too long by one": (_wav(riff_size_shift=1), "outer_length_wrong"),
    "RIFF length is the file size": (_wav(riff_size_shift=8), "outer_length_wrong"),
    "RIFF length too long, LIST cut": (lambda: make_wav_bytes(after=[(b"LIST", b"INFO")])[:-2], "bytes_after_end"),
    "RIFF length of 4 GB": (_wav(riff_size=0xFFFFFFFE), "length_unwritten"),
    "one byte after the end": (_wav(outside=b"\0"), "bytes_after_end"),
    "ZIP after the end": (_wav(outside=ZIP), "bytes_after_end"),
    "web page after the end": (_wav(outside=HTML), "bytes_after_end"),
    "second WAV after the end": (lambda: make_wav_bytes() * 2, "bytes_after_end"),
    "RIFF length too short by two": (_wav(riff_size_shift=-2), "bytes_after_end"),
    "RIFF length ends in the header": (_wav(riff_size=4), "bytes_after_end"),
    "three stray bytes in RIFF": (_wav(inside=b"abc"), "bytes_after_end"),
    "seven stray bytes in RIFF": (_wav(inside=b"LIST\0\0\0"), "bytes_after_end"),
    "web page in RIFF": (_wav(inside=HTML), "bytes_after_end"),
    "LIST length too long by one byte": (_wav(inside=b"LIST\x05\0\0\0abcd"), "bytes_after_end"),
    "data length too long by one byte": (_wav(data_size=64001), "data_length_off"),
    "LIST length of 4 GB": (_wav(inside=b"LIST\xff\xff\xff\xff"), "bytes_after_end"),
    "fmt length of 4 GB": (lambda: _patch_field(make_wav_bytes(), 16, 0xFFFFFFFF), "chunk_overruns"),
    "chunk without a name": (_wav(after=[(b"\0\0\0\0", b"1234")]), "bytes_after_end"),
    "nine bytes of sound missing": (lambda: make_wav_bytes(riff_size=0)[:-9], "data_overruns"),
    "odd LIST in place of the data, not padded": (_pack_without_data(b"LIST\x03\0\0\0abc"), "padding_missing"),
    "end in the head of a chunk": (lambda: make_wav_bytes(riff_size=33)[:41], "chunk_cut"),
    "chunk name with control characters": (_wav(before=[(b"a\nb\x7f", b"")]), "chunk_unnamed"),
    "odd LIST, not padded": (_wav(inside=b"LIST\x03\0\0\0abc"), "bytes_after_end"),
    "odd data, not padded": (lambda: _drop_last_byte(make_wav_bytes()), "data_half_sample"),
    "odd data, padded": (_wav(data=b"\1" * 64001), "data_half_sample"),
    "65 chunks": (_wav(after=_junk(63)), "too_many_chunks"),
    "200 000 chunks": (_wav(after=_junk(200_000)), "too_many_chunks"),
    "data after 64 chunks": (_wav(before=_junk(64)), "too_many_chunks"),
    "2 MB of ID3 data": (_wav(before=[(b"id3 ", bytes(2 << 20))]), "side_data_too_big"),
    "1.2 MB in two LIST chunks": (_wav(after=[(b"LIST", bytes(600_000))] * 2), "side_data_too_big"),
    "no chunks": (_wav(with_fmt=False, with_data=False), "no_format"),
    "no fmt": (_wav(with_fmt=False), "no_format"),
    "two fmt chunks": (_wav(between=[(b"fmt ", Wav().fmt()[8:])]), "two_formats"),
    "second fmt after data": (_wav(after=[(b"fmt ", Wav(rate=48000).fmt()[8:])]), "two_formats"),
    "fmt after data": (_wav(with_fmt=False, after=[(b"fmt ", Wav().fmt()[8:])]), "format_too_late"),
    "empty fmt": (_wav(fmt_cut=16), "format_length"),
    "fmt of 14 bytes": (_wav(fmt_cut=2), "format_length"),
    "fmt of 17 bytes": (_wav(fmt_tail=b"\0"), "format_length"),
    "fmt of 40 bytes for PCM": (_wav(fmt_tail=EXTENSION), "format_length"),
    "fmt with a missing extension": (_wav(fmt_tail=b"\x16\0"), "format_length"),
    "no data": (_wav(with_data=False), "no_data"),
    "data under another name": (_wav(with_data=False, after=[(b"DATA", bytes(64000))]), "no_data"),
    "list of waves": (
        _wav(with_data=False, after=[(b"LIST", b"wavl" + make_chunk(b"data", bytes(800)))]),
        "no_data",
    ),
    "two data chunks": (_wav(after=[(b"data", bytes(800))]), "two_data"),
    "data length too long by one sample": (_wav(data_size=64002), "data_length_off"),
    "data length of 4 GB": (_wav(data_size=0xFFFFFFFF), "length_unwritten"),
    "data length of 2 GB": (_wav(data_size=0x7FFFFFFF), "length_unwritten"),
    "data length too short": (_wav(data=bytes(64000), data_size=32000), "chunk_unnamed"),
    "empty data": (_wav(data=b""), "data_empty"),
    "empty data before LIST": (_wav(data=b"", after=[(b"LIST", b"INFO")]), "data_empty"),
    "one byte of data": (_wav(data=b"\1"), "data_half_sample"),
    "extensible": (_wav(tag=0xFFFE, fmt_tail=EXTENSION), "format_extensible"),
    "floats": (lambda: encode_speech("WAV", "FLOAT"), "not_pcm"),
    "doubles": (lambda: encode_speech("WAV", "DOUBLE"), "not_pcm"),
    "mu-law": (lambda: encode_speech("WAV", "ULAW"), "not_pcm"),
    "A-law": (lambda: encode_speech("WAV", "ALAW"), "not_pcm"),
    "Microsoft ADPCM": (lambda: encode_speech("WAV", "MS_ADPCM"), "not_pcm"),
    "IMA ADPCM": (lambda: encode_speech("WAV", "IMA_ADPCM"), "not_pcm"),
    "GSM": (lambda: encode_speech("WAV", "GSM610"), "not_pcm"),
    "MP3 in WAV": (_wav(tag=0x55), "not_pcm"),
    "encoding 0": (_wav(tag=0), "not_pcm"),
    "unknown encoding": (_wav(tag=0xBEEF), "not_pcm"),
    "stereo": (lambda: encode_speech("WAV", "PCM_16", channels=2), "not_mono"),
    "65 535 channels": (_wav(channels=65535, block_align=65534), "not_mono"),
    "no channels": (_wav(channels=0), "no_channels"),
    "8 bits": (lambda: encode_speech("WAV", "PCM_U8"), "not_16_bit"),
    "24 bits": (lambda: encode_speech("WAV", "PCM_24"), "not_16_bit"),
    "32 bits": (lambda: encode_speech("WAV", "PCM_32"), "not_16_bit"),
    "13 bits": (_wav(bits=13, block_align=2), "not_16_bit"),
    "0 bits": (_wav(bits=0), "not_16_bit"),
    "0 Hz": (_wav(rate=0), "rate_zero"),
    "11 025 Hz": (_wav(rate=11025), "rate_not_allowed"),
    "32 000 Hz": (_wav(rate=32000), "rate_not_allowed"),
    "96 000 Hz": (_wav(rate=96000), "rate_not_allowed"),
    "4 GHz": (_wav(rate=0xFFFFFFFF, data=bytes(800)), "rate_not_allowed"),
    "block align 4": (_wav(block_align=4), "block_align_wrong"),
    "block align 0": (_wav(block_align=0), "block_align_wrong"),
    "half the byte rate": (_wav(byte_rate=RATE), "byte_rate_wrong"),
    "byte rate 0": (_wav(byte_rate=0), "byte_rate_wrong"),
}
"""Name of the file: (function that makes it, finding code that must refuse it)."""

CLEAN_WAVS: dict[str, MakeBytes] = {
    "plain": _wav(),
    **{f"{rate} Hz": _wav(rate=rate) for rate in (8000, 16000, 22050, 44100, 48000)},
    "fmt of 18 bytes": _wav(fmt_tail=b"\0\0"),
    "written by libsndfile": lambda: encode_speech("WAV", "PCM_16"),
    "broadcast WAV": _wav(before=[(b"bext", bytes(602)), (b"JUNK", bytes(28))]),
    "LIST before the data": _wav(between=[(b"LIST", b"INFOISFT\x04\0\0\0abc\0"), (b"fact", bytes(4))]),
    "cue points after the data": _wav(after=[(b"cue ", bytes(28)), (b"iXML", b"<BWFXML/>")]),
    "odd LIST, padded": _wav(before=[(b"LIST", b"abc")]),
    "odd LIST at the end, padded": _wav(after=[(b"LIST", b"abc")]),
    "64 chunks": _wav(before=_junk(31), after=_junk(31)),
    "a megabyte of LIST": _wav(after=[(b"LIST", bytes((1 << 20) - 16))]),
    "a real voice": lambda: load_sample_wav("slt-01"),
}
"""Files that the reader must accept, by name."""


def _patch_field(data: bytes, position: int, value: int) -> bytes:
    return data[:position] + struct.pack("<I", value) + data[position + 4 :]


def _drop_last_byte(data: bytes) -> bytes:
    """Remove the last byte and adjust every length."""
    shortened = _patch_field(data[:-1], 4, len(data) - 9)
    return _patch_field(shortened, 40, len(data) - 45)
