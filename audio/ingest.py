"""Check an uploaded file, and convert it to an accepted WAV if it is another audio format."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from audio.findings.findings import Finding, Refused
from audio.findings.thresholds import Thresholds
from audio.levels.inspect import Inspection, Limits, inspect
from audio.wav.convert import Derived, can_be_converted, temporary_wav


@dataclass(frozen=True, slots=True)
class Understood:
    """`original` describes the uploaded bytes. `inspection` describes the converted WAV if there is one."""

    original: Inspection
    heard: Inspection
    made: Derived | None = None
    refusal: Finding | None = None

    @property
    def ok(self) -> bool:
        return self.heard.ok and self.refusal is None

    @property
    def wav(self) -> Path | None:
        return self.made.path if self.made else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The refusal alone; otherwise what the conversion fixed, then the findings about the audio."""
        if self.refusal:
            return (self.refusal,)
        return (*self.made.findings, *self.heard.findings) if self.made else self.heard.findings

    def facts(self) -> dict[str, Any]:
        """Values for the fields of a database row."""
        fields = self.heard.facts() | {
            "sha256": self.original.sha256,
            "size": self.original.size,
            "findings": [one.as_dict() for one in self.findings],
            "fine_peaks": list(self.heard.peaks_fine),
        }
        if self.made:
            fields["recipe"] = {**self.made.recipe, "original": self.made.original_format}
            fields["wav_sha256"] = self.heard.sha256
        return fields


@contextlib.contextmanager
def understood(file: BinaryIO, limits: Limits, thresholds: Thresholds) -> Iterator[Understood]:
    """Inspect a file from its start. A converted WAV is deleted on exit. OSError passes through."""
    original = inspect(file, limits, thresholds)
    if original.header or not can_be_converted(original.findings[0].code):
        yield Understood(original, original)
        return
    with contextlib.ExitStack() as stack:
        try:
            conversion = stack.enter_context(temporary_wav(file, thresholds=thresholds))
        except Refused as refused:
            yield Understood(original, original, refusal=refused.finding)
            return
        with conversion.path.open("rb") as wav:
            inspection = inspect(wav, limits, thresholds)
        yield Understood(original, inspection, conversion)
