"""Check an uploaded file, and convert it to an accepted WAV if it is another audio format."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from audio.findings.findings import FileRefused, Finding
from audio.findings.thresholds import Thresholds
from audio.levels.inspection import DurationLimits, Inspection, inspect_file
from audio.wav.convert import (
    CONVERSION_LIMITS,
    ConversionLimits,
    ConvertedWav,
    convert_to_temporary_wav,
    is_convertible,
)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """`original` describes the uploaded file. `inspection` describes the converted WAV if there is one."""

    original: Inspection
    inspection: Inspection
    conversion: ConvertedWav | None = None
    refusal: Finding | None = None

    @property
    def ok(self) -> bool:
        return self.inspection.ok and self.refusal is None

    @property
    def wav_path(self) -> Path | None:
        return self.conversion.path if self.conversion else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """If there is a refusal, only that; otherwise the findings of the conversion, then those about the audio."""
        if self.refusal:
            return (self.refusal,)
        return (*self.conversion.findings, *self.inspection.findings) if self.conversion else self.inspection.findings

    def build_row_fields(self) -> dict[str, Any]:
        fields = self.inspection.build_row_fields() | {
            "sha256": self.original.sha256,
            "size": self.original.size,
            "findings": [one.as_dict() for one in self.findings],
            "fine_peaks": list(self.inspection.fine_peaks),
        }
        if self.conversion:
            fields["recipe"] = {**self.conversion.recipe, "original": self.conversion.original_format}
            fields["wav_sha256"] = self.inspection.sha256
        return fields


@contextlib.contextmanager
def ingest_audio(
    file: BinaryIO,
    limits: DurationLimits,
    thresholds: Thresholds,
    conversion_limits: ConversionLimits = CONVERSION_LIMITS,
) -> Iterator[IngestResult]:
    """Inspect a file and convert it if needed. The converted WAV is deleted on exit. OSError passes through."""
    original = inspect_file(file, limits, thresholds)
    if original.header or not is_convertible(original.findings[0].code):
        yield IngestResult(original, original)
        return
    with contextlib.ExitStack() as stack:
        try:
            conversion = stack.enter_context(convert_to_temporary_wav(file, None, thresholds, conversion_limits))
        except FileRefused as refused:
            yield IngestResult(original, original, refusal=refused.finding)
            return
        with conversion.path.open("rb") as wav:
            inspection = inspect_file(wav, limits, thresholds)
        yield IngestResult(original, inspection, conversion)
