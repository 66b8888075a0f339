"""What an uploaded file holds: a WAV as it is wanted, or another kind of sound of which one can be made."""

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
    """`original` is of the bytes as they came; where a WAV was `made` of them, `heard` is of that."""

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
        """Why it is refused; or what was put right, and what there is to say of the sound."""
        if self.refusal:
            return (self.refusal,)
        return (*self.made.findings, *self.heard.findings) if self.made else self.heard.findings

    def facts(self) -> dict[str, Any]:
        """Field by field as rows keep it."""
        facts = self.heard.facts() | {
            "sha256": self.original.sha256,
            "size": self.original.size,
            "findings": [one.as_dict() for one in self.findings],
            "fine_peaks": list(self.heard.peaks_fine),
        }
        if self.made:
            facts["recipe"] = {**self.made.recipe, "original": self.made.original_format}
            facts["wav_sha256"] = self.heard.sha256
        return facts


@contextlib.contextmanager
def understood(file: BinaryIO, limits: Limits, thresholds: Thresholds) -> Iterator[Understood]:
    """Look at a file from its start; a WAV that has to be made of it is gone afterwards. OSError passes through."""
    original = inspect(file, limits, thresholds)
    if original.header or not can_be_converted(original.findings[0].code):
        yield Understood(original, original)
        return
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(temporary_wav(file, thresholds=thresholds))
        except Refused as refused:
            yield Understood(original, original, refusal=refused.finding)
            return
        with made.path.open("rb") as wav:
            heard = inspect(wav, limits, thresholds)
        yield Understood(original, heard, made)
