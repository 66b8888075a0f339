"""Convert any readable audio file to a 16-bit mono WAV. The original is never changed.

A child process with limits decodes the file in blocks. No header is trusted, and memory does not grow with the size
that a header claims. The same file gives the same bytes each time.
"""

import contextlib
import math
import os
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from audio.findings.findings import FileRefused, Finding, Severity, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.untrusted.runner import FINDING_SHAPE, ChildLimits, run_job
from audio.wav.decode import Frames, SoundReader, open_sound
from audio.wav.mixdown import Mix, choose_mix
from audio.wav.pcm import RESAMPLING_QUALITY, Quantizer, WavWriter, choose_allowed_rate, resample_blocks
from audio.wav.recipe import Recipe, build_recipe, hash_source
from audio.wav.riff import ALLOWED_RATES, FULL_SCALE, SIGNATURES, Float32, WavHeader, WavRefused, read_header
from audio.wav.source_format import COMPLETE_AUDIO_CODES, PLACEHOLDER_LENGTH, build_format_dict, list_format_findings
from audio.wav.unwritten_length import fill_in_length


@dataclass(frozen=True, slots=True)
class ConversionLimits:
    """How long a sound may last, and how long its conversion may take."""

    max_seconds: float = 2 * 3600.0
    cpu_seconds: int = 300
    wall_seconds: float = 600.0

    def make_child_limits(self) -> ChildLimits:
        file_bytes = int(self.max_seconds * max(ALLOWED_RATES) * 2) + (1 << 20)
        return ChildLimits(self.cpu_seconds, 768 << 20, file_bytes, wall_seconds=self.wall_seconds)


CONVERSION_LIMITS = ConversionLimits()
MAX_MISSING_SECONDS = 0.25
"""Up to this much audio may be missing at the end: encoders count their own delay in different ways."""
MAX_AMPLITUDE = 1e6
"""As a multiple of full scale. Floating point files may exceed full scale, but such large values are not audio."""
ROUNDING_MARGIN = 2 / FULL_SCALE
"""Rounding alone adds at most this much above full scale."""

OTHER_FORMAT_CODES = frozenset(
    {"format_extensible", "not_pcm", "not_mono", "not_16_bit", "rate_not_allowed", "not_wav"}
    | {code for _, _, code in SIGNATURES if code != "is_zip"}
)

LENGTH_FIELDS: tuple[tuple[bytes, int, str, int], ...] = (
    (b"FORM", 4, ">I", 8),
    (b"RIFX", 4, ">I", 8),
    (b"RF64", 20, "<Q", 8),
    (b"riff\x2e\x91\xcf\x11", 16, "<Q", 0),
    (b".snd", 8, ">I", 24),
)
"""(first bytes, offset of the length field, its struct format, bytes that the length does not count). Checked here
because libsndfile accepts files whose end is missing."""


@dataclass(frozen=True, slots=True)
class ConvertedWav:
    """A WAV that the strict reader accepts, and how it was made.

    `original_format` has container, subtype, sample_rate, channels, frames and seconds of the source file.
    `findings` say what was fixed and what to check.
    """

    path: Path
    header: WavHeader
    recipe: Recipe
    original_format: dict[str, Any]
    findings: tuple[Finding, ...]


def convert_to_wav(
    source: Path | BinaryIO,
    target: Path,
    rate: int | None = None,
    thresholds: Thresholds = THRESHOLDS,
    limits: ConversionLimits = CONVERSION_LIMITS,
) -> ConvertedWav:
    """Convert any audio file to `target`, which must not exist yet; `rate` is one of ALLOWED_RATES.

    Without `rate`, the file keeps its own rate if that is allowed, see `choose_allowed_rate`. Raises Refused with a
    code if the file is unreadable or damaged, or has no audio or too much audio; then `target` does not exist. OSError
    passes through.
    """
    if rate is not None and rate not in ALLOWED_RATES:
        raise ValueError(f"{rate} is not one of {ALLOWED_RATES}")
    sha256 = hash_source(source)
    target.touch(exist_ok=False)
    try:
        return _convert_in_child(source, target, sha256, rate, thresholds, limits)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def convert_to_temporary_wav(
    source: Path | BinaryIO,
    rate: int | None = None,
    thresholds: Thresholds = THRESHOLDS,
    limits: ConversionLimits = CONVERSION_LIMITS,
) -> Iterator[ConvertedWav]:
    """Like `convert_to_wav`, for uploads: the WAV is deleted on exit, after the caller has copied it to a storage."""
    with tempfile.TemporaryDirectory(prefix="voicehub-wav-") as folder:
        yield convert_to_wav(source, Path(folder) / "sound.wav", rate, thresholds, limits)


def is_convertible(code: str) -> bool:
    """Whether a file that the strict reader refuses with this code may be complete audio in another format."""
    return code in OTHER_FORMAT_CODES | COMPLETE_AUDIO_CODES


def is_accepted_wav(file: BinaryIO) -> bool:
    """Whether the strict reader accepts the file, so that it needs no conversion."""
    try:
        read_header(file)
    except WavRefused:
        return False
    return True


def _convert_in_child(
    source: Path | BinaryIO,
    target: Path,
    sha256: str,
    rate: int | None,
    thresholds: Thresholds,
    limits: ConversionLimits,
) -> ConvertedWav:
    arguments = {
        "target": str(target.absolute()),
        "rate": rate,
        "seed": sha256,
        "silent_db": thresholds.channel_silent_db,
        "alike_share": thresholds.channels_alike_share,
        "max_seconds": limits.max_seconds,
    }
    shapes: dict[str, dict[str, Any]] = {"finding": FINDING_SHAPE, "result": {"format": dict, "steps": list}}
    findings: list[Finding] = []
    result: dict[str, Any] = {}
    for record in run_job(convert_job, source, arguments, shapes, limits.make_child_limits()):
        if record.pop("kind") == "finding":
            findings.append(Finding(**{**record, "severity": Severity(record["severity"])}))
        else:
            result = record
    with target.open("rb") as file:
        header = read_header(file)
    return ConvertedWav(target, header, build_recipe(sha256, result["steps"], "av"), result["format"], tuple(findings))


def convert_job(
    file: BinaryIO, target: str, rate: int | None, seed: str, silent_db: float, alike_share: float, max_seconds: float
) -> Iterator[dict[str, Any]]:
    """Run in the child: write the WAV to the empty file `target`, and yield findings, then the result."""
    code = _check_completeness(file)
    sound = open_sound(fill_in_length(file) if code == "length_unwritten" else file)
    mix = _choose_sound_mix(sound, silent_db, alike_share, max_seconds)
    conversion = _WavConversion(
        sound, mix, rate or choose_allowed_rate(sound.format_info.sample_rate), seed, max_seconds
    )
    conversion.write(Path(target))
    findings = [*list_format_findings(file, code, sound.format_info), *_list_mix_findings(mix, conversion)]
    yield from ({"kind": "finding", **one.as_dict()} for one in findings)
    yield {
        "kind": "result",
        "format": build_format_dict(sound.format_info, conversion.frames_read),
        "steps": list(conversion.list_steps()),
    }


def _check_completeness(file: BinaryIO) -> str:
    """Return the code with which the strict reader refuses the file, or "". Refused if declared bytes are missing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(28)
    for signature, offset, layout, uncounted in LENGTH_FIELDS:
        if head.startswith(signature) and len(head) >= offset + struct.calcsize(layout):
            length = struct.unpack_from(layout, head, offset)[0]
            missing = length + uncounted - size
            if missing > 0 and length != PLACEHOLDER_LENGTH:
                raise FileRefused(make_finding("truncated", missing=missing))
    try:
        read_header(file)
    except WavRefused as refused:
        if not is_convertible(refused.finding.code):
            raise
        return refused.finding.code
    return ""


def _choose_sound_mix(sound: SoundReader, silent_db: float, alike_share: float, max_seconds: float) -> Mix:
    if sound.format_info.channels == 1:
        return Mix((0,))
    return choose_mix(_read_valid_blocks(sound, max_seconds), sound.format_info.channels, silent_db, alike_share)


def _read_valid_blocks(sound: SoundReader, max_seconds: float) -> Iterator[Frames]:
    """Yield the blocks of a sound. Refused if values are not numbers, or if the sound lasts more than `max_seconds`."""
    frames_left = int(max_seconds * sound.format_info.sample_rate)
    for block in sound.read_blocks():
        frames_left -= len(block)
        if frames_left < 0:
            raise FileRefused(make_finding("too_long_to_convert", limit=_format_limit(max_seconds)))
        # Written so that NaN is refused too.
        if not (block.max() < MAX_AMPLITUDE and block.min() > -MAX_AMPLITUDE):
            raise FileRefused(make_finding("not_numbers"))
        yield block


def _format_limit(seconds: float) -> str:
    return f"{seconds / 3600:g} hours" if seconds >= 7200 else f"{seconds:g} seconds"


@dataclass(slots=True)
class _WavConversion:
    """The conversion of one file; after `write`, `frames_read` is the number of frames in the source."""

    sound: SoundReader
    mix: Mix
    rate: int
    seed: str
    max_seconds: float
    gain: float = 1.0
    frames_read: int = field(default=0, init=False)

    @property
    def needs_dither(self) -> bool:
        source = self.sound.format_info
        unchanged = source.fits_16_bits and len(self.mix.channels) == 1 and source.sample_rate == self.rate
        return not unchanged or self.gain != 1.0

    def write(self, target: Path) -> None:
        """Write the WAV; write it again with less gain if it exceeds full scale. Refused if audio is missing."""
        peak = self._write_once(target)
        self._check_length()
        if peak > 1 + ROUNDING_MARGIN:
            self.gain = (1 - ROUNDING_MARGIN) / peak
            self._write_once(target)

    def _write_once(self, target: Path) -> float:
        rounding = Quantizer(self.seed if self.needs_dither else None)
        with target.open("wb") as file:
            writer = WavWriter(file, self.rate)
            for block in resample_blocks(self._read_mono_blocks(), self.sound.format_info.sample_rate, self.rate):
                writer.write(rounding(block))
            writer.close()
        if not writer.frames:
            raise FileRefused(make_finding("no_sound"))
        return rounding.peak

    def _read_mono_blocks(self) -> Iterator[Float32]:
        self.frames_read = 0
        for block in _read_valid_blocks(self.sound, self.max_seconds):
            self.frames_read += len(block)
            mono = self.mix.mix_block(block)
            yield mono if self.gain == 1.0 else mono * self.gain

    def _check_length(self) -> None:
        source = self.sound.format_info
        if source.frames is not None and source.frames - self.frames_read > MAX_MISSING_SECONDS * source.sample_rate:
            declared, found = source.frames / source.sample_rate, self.frames_read / source.sample_rate
            raise FileRefused(make_finding("sound_missing", declared=declared, found=found))

    def list_steps(self) -> Iterator[dict[str, Any]]:
        source = self.sound.format_info
        yield {"step": "decode", "container": source.container, "subtype": source.subtype}
        if source.channels > 1:
            yield {"step": "mix", "channels": [number + 1 for number in self.mix.channels], "of": source.channels}
        if source.sample_rate != self.rate:
            yield {"step": "resample", "from": source.sample_rate, "to": self.rate, "quality": RESAMPLING_QUALITY}
        if self.gain != 1.0:
            yield {"step": "gain", "factor": self.gain}
        yield {"step": "round", "bits": 16, "dither": self.seed if self.needs_dither else None}


def _list_mix_findings(mix: Mix, conversion: _WavConversion) -> Iterator[Finding]:
    if mix.silent_channels:
        yield make_finding("channel_silent", channels=" and ".join(str(number + 1) for number in mix.silent_channels))
    if mix.has_different_channels:
        yield make_finding("channels_differ", channel=mix.channels[0] + 1)
    if conversion.gain != 1.0:
        yield make_finding("peaks_lowered", decibels=-20 * math.log10(conversion.gain))
