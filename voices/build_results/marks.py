"""What a provider and our checks said against a recording of a build."""

from collections.abc import Iterator
from dataclasses import dataclass

from voicehub.sound_report import format_code
from voices.models import BuildRecording
from voices.recording_rows import get_code_tone

# Findings of ours that repeat a flag of the provider.
REPEATED_FINDINGS = {"silent": "is_silent", "other_speaker": "is_outlier"}


@dataclass(frozen=True, slots=True)
class Found:
    """A flag of the provider or a finding of ours."""

    tone: str
    label: str
    is_flag: bool


def list_marks(row: BuildRecording) -> list[tuple[str, str]]:
    """The provider's marks on a recording, as (tone, label); the worst first."""
    marks = []
    if row.is_silent:
        marks.append(("bad", "Silent"))
    if row.is_outlier:
        marks.append(("wait", "Other speaker or sound"))
    if row.is_unused:
        marks.append(("over", "Not used"))
    return marks


def list_found(row: BuildRecording) -> list[Found]:
    """The provider's flags, the worst first, then our findings that say something else."""
    flags = [Found(tone, label, is_flag=True) for tone, label in list_marks(row)]
    return [*flags, *_iterate_findings(row)]


def _iterate_findings(row: BuildRecording) -> Iterator[Found]:
    for code in row.finding_codes:
        flag = REPEATED_FINDINGS.get(code)
        if flag is None or not getattr(row, flag):
            yield Found(get_code_tone(code), format_code(code), is_flag=False)
