"""Findings of the checks on audio files, as people read them."""

from dataclasses import dataclass
from typing import Any

from audio.findings.catalog import CODES
from audio.findings.templates import Severity

__all__ = ["Finding", "FileRefused", "Severity", "make_finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check. `at` is where the problem is, in seconds from the start of the sound, if known."""

    severity: Severity
    code: str
    text: str
    advice: str
    at: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "severity": self.severity.value,
            "code": self.code,
            "text": self.text,
            "advice": self.advice,
            "at": self.at,
        }


class FileRefused(ValueError):
    """The file cannot be accepted; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def make_finding(code: str, at: float | None = None, **values: object) -> Finding:
    """Make the finding with this code. `values` replace the {names} in its texts; KeyError if a value is missing."""
    template = CODES[code]
    text, advice = template.text.format(**values), template.advice.format(**values)
    return Finding(template.severity, code, text, advice, at if at is None else round(at, 2))
