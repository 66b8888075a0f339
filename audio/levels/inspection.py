"""Check format, length and levels of an incoming WAV file."""

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import soundfile

from audio.findings.findings import Finding, Severity, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.measure import Levels, Measurement, measure_levels
from audio.untrusted.child import pack_signed_bytes
from audio.untrusted.runner import parse_signed_bytes
from audio.wav.riff import UnnamedFile, WavHeader, WavRefused, read_header

HASH_BLOCK_BYTES = 1 << 18
MAX_REPORTED_PAUSES = 5
PEAK_SETS = ("peaks", "fine_peaks")


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """Allowed duration of a file, in seconds. The defaults are what Resemble's documentation asks of a clip.

    A file of more than `long_seconds` is allowed, with a warning.
    """

    min_seconds: float = 1.5
    max_seconds: float = 20.0
    long_seconds: float = math.inf


DEFAULT_LIMITS = DurationLimits()


@dataclass(frozen=True, slots=True)
class Inspection:
    """Result of `inspect_file`. `ok`: no finding refuses the file. `size` (bytes) and `sha256` cover the whole file.

    Without a readable header, `header` and `levels` are None and both sets of peaks are empty.
    """

    ok: bool
    size: int
    sha256: str
    header: WavHeader | None
    levels: Levels | None
    peaks: tuple[int, ...]
    fine_peaks: tuple[int, ...]
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the values for a JSON column. The peaks are stored elsewhere."""
        return {
            "ok": self.ok,
            "size": self.size,
            "sha256": self.sha256,
            "header": self.header and build_header_dict(self.header),
            "levels": self.levels and self.levels.as_dict(),
            "findings": [found.as_dict() for found in self.findings],
        }

    def build_row_fields(self) -> dict[str, Any]:
        """Return the values for the fields of a database row with audio, including the peaks of the waveform."""
        return self._build_sound_fields() | {"peaks": list(self.peaks)}

    def build_packed_fields(self) -> dict[str, Any]:
        """The same for a record of a child, with both sets of peaks as text. See `unpack_fields`."""
        packed = {name: pack_signed_bytes(getattr(self, name)) for name in PEAK_SETS}
        return self._build_sound_fields() | packed

    def _build_sound_fields(self) -> dict[str, Any]:
        return {
            "sha256": self.sha256,
            "size": self.size,
            "seconds": self.header.seconds if self.header else 0,
            "sample_rate": self.header.sample_rate if self.header else 0,
            "findings": [found.as_dict() for found in self.findings],
            "levels": self.levels.as_dict() if self.levels else {},
        }


def unpack_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The values for a row, from those that a child packed. Raises ChildFailed if it did not."""
    return fields | {name: parse_signed_bytes(fields.get(name)) for name in PEAK_SETS}


def build_header_dict(header: WavHeader) -> dict[str, Any]:
    return {
        "sample_rate": header.sample_rate,
        "channels": header.channels,
        "bits": header.bits,
        "frames": header.frames,
        "seconds": round(header.seconds, 3),
    }


def inspect_file(
    file: BinaryIO, limits: DurationLimits = DEFAULT_LIMITS, thresholds: Thresholds = THRESHOLDS
) -> Inspection:
    """Check format, length and levels of a seekable file from its start. Problems become findings.

    The bytes are read once, in blocks, so memory does not grow with the file. OSError passes through.
    """
    digest = hashlib.sha256()
    size = file.seek(0, os.SEEK_END)
    try:
        header = read_header(file)
        _check_second_decoder(file, header)
        _hash_range(digest, file, 0, header.data_offset)
        measured = measure_levels(file, header, digest.update)
    except WavRefused as refused:
        return build_refusal(file, refused.finding)
    _hash_range(digest, file, header.data_offset + header.frames * 2, size)
    found = tuple(_check_duration(header, limits)) + tuple(check_levels(header, measured.levels, thresholds))
    return _build_inspection(size, digest.hexdigest(), header, measured, found)


def _build_inspection(
    size: int, sha256: str, header: WavHeader, measured: Measurement, found: tuple[Finding, ...]
) -> Inspection:
    ok = not any(one.severity == Severity.ERROR for one in found)
    return Inspection(ok, size, sha256, header, measured.levels, measured.peaks, measured.fine_peaks, found)


def build_refusal(file: BinaryIO, reason: Finding) -> Inspection:
    """The result for a file that cannot be read. Its bytes are hashed."""
    digest, size = hashlib.sha256(), file.seek(0, os.SEEK_END)
    _hash_range(digest, file, 0, size)
    return Inspection(False, size, digest.hexdigest(), None, None, (), (), (reason,))


def _hash_range(digest: "hashlib._Hash", file: BinaryIO, start: int, end: int) -> None:
    file.seek(start)
    while start < end:
        data = file.read(min(HASH_BLOCK_BYTES, end - start))
        if not data:
            return
        digest.update(data)
        start += len(data)


def _check_second_decoder(file: BinaryIO, header: WavHeader) -> None:
    """Refuse a file that a second, independent reader reads differently: such a file is malicious."""
    file.seek(0)
    try:
        with soundfile.SoundFile(UnnamedFile(file)) as sound:
            decoded = (sound.format, sound.subtype, sound.samplerate, sound.channels, sound.frames)
    except soundfile.SoundFileError:
        raise WavRefused(make_finding("decoder_disagrees")) from None
    if decoded != ("WAV", "PCM_16", header.sample_rate, header.channels, header.frames):
        raise WavRefused(make_finding("decoder_disagrees"))


def _check_duration(header: WavHeader, limits: DurationLimits) -> Iterator[Finding]:
    if header.seconds < limits.min_seconds:
        yield make_finding("too_short", seconds=header.seconds, limit=limits.min_seconds)
    if header.seconds > limits.max_seconds:
        yield make_finding("too_long", seconds=header.seconds, limit=limits.max_seconds)
    elif header.seconds > limits.long_seconds:
        minutes, seconds = divmod(int(header.seconds), 60)
        yield make_finding("long", minutes=minutes, seconds=seconds, limit=limits.long_seconds)


def is_silent(levels: Levels, thresholds: Thresholds = THRESHOLDS) -> bool:
    """Whether the recording contains nothing but room noise."""
    return has_silent_levels(levels.peak_dbfs, levels.rms_dbfs, thresholds)


def has_silent_levels(peak_dbfs: float, rms_dbfs: float, thresholds: Thresholds = THRESHOLDS) -> bool:
    """Whether a recording with these levels contains nothing but room noise."""
    return peak_dbfs < thresholds.silent_peak_dbfs or rms_dbfs < thresholds.silent_rms_dbfs


def check_levels(header: WavHeader, levels: Levels, thresholds: Thresholds = THRESHOLDS) -> Iterator[Finding]:
    """Findings about the measured levels. For a clip without speech, one says so and none is about noise or pauses."""
    yield from _check_clipping(levels, thresholds)
    yield from _check_offset_and_band(header, levels, thresholds)
    if is_silent(levels, thresholds):
        yield make_finding("silent")
    elif levels.speech_seconds < thresholds.silent_speech_seconds:
        yield make_finding("no_speech")
    else:
        yield from _check_loudness(levels, thresholds)
        yield from _check_noise(levels, thresholds)
        yield from _check_pauses(header, levels, thresholds)


def _check_clipping(levels: Levels, thresholds: Thresholds) -> Iterator[Finding]:
    first = levels.clipped[0][0] if levels.clipped else None
    if levels.clipped_share > thresholds.clipping_share:
        yield make_finding("clipping", at=first, share=levels.clipped_share)
    elif levels.clipped_share > thresholds.clipping_slight_share:
        yield make_finding("clipping_slight", at=first)


def _check_offset_and_band(header: WavHeader, levels: Levels, thresholds: Thresholds) -> Iterator[Finding]:
    if abs(levels.dc_offset) > thresholds.dc_offset_share:
        yield make_finding("dc_offset", share=abs(levels.dc_offset))
    if header.sample_rate < thresholds.telephone_rate:
        yield make_finding("telephone_band", rate=header.sample_rate)


def _check_loudness(levels: Levels, thresholds: Thresholds) -> Iterator[Finding]:
    if levels.rms_dbfs < thresholds.too_quiet_dbfs:
        yield make_finding("too_quiet", level=levels.rms_dbfs)
    if levels.rms_dbfs > thresholds.too_loud_dbfs:
        yield make_finding("too_loud", level=levels.rms_dbfs)
    if levels.peak_dbfs > thresholds.peak_high_dbfs:
        yield make_finding("peak_high", headroom=abs(levels.peak_dbfs))


def _check_noise(levels: Levels, thresholds: Thresholds) -> Iterator[Finding]:
    if levels.snr_db < thresholds.noisy_db:
        yield make_finding("noisy", snr=levels.snr_db)
    elif levels.snr_db < thresholds.noise_heard_db:
        yield make_finding("noise_heard", snr=levels.snr_db)


def _check_pauses(header: WavHeader, levels: Levels, thresholds: Thresholds) -> Iterator[Finding]:
    if levels.speech_seconds < thresholds.little_speech_share * header.seconds:
        yield make_finding("little_speech", seconds=levels.speech_seconds)
    if levels.leading_silence > thresholds.edge_silence_seconds:
        yield make_finding("silence_at_start", at=0.0, seconds=levels.leading_silence)
    if levels.trailing_silence > thresholds.edge_silence_seconds:
        start = header.seconds - levels.trailing_silence
        yield make_finding("silence_at_end", at=start, seconds=levels.trailing_silence)
    long_pauses = [(start, end) for start, end in levels.pauses if end - start > thresholds.pause_seconds]
    for start, end in long_pauses[:MAX_REPORTED_PAUSES]:
        yield make_finding("long_pause", at=start, seconds=end - start)
