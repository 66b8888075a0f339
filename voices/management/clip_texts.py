"""Reads the transcripts of the clips in a folder, for the command that packs them."""

from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError

from audio.findings.findings import FileRefused
from audio.transcripts.table import match_table

MAX_NAMED = 5


def read_clip_texts(path: Path, clips: Sequence[Path]) -> dict[str, str]:
    """The text of each clip, by the clip's name without .wav. A line that fits no clip raises CommandError."""
    if not path.exists():
        raise CommandError(f"There is no {path}. Create it, or use --without-text.")
    try:
        match = match_table(path.read_bytes(), [clip.name for clip in clips])
    except FileRefused as refused:
        raise CommandError(f"{path}: {refused.finding.text} {refused.finding.advice}") from None
    if wrong := [*match.unknown, *match.ambiguous, *match.repeated]:
        lines = ", ".join(f"{line.number} ({line.name[:40]!r})" for line in wrong[:MAX_NAMED])
        raise CommandError(f"{path}: these lines fit no clip, or several: {lines}. Correct them.")
    return {Path(name).stem: line.text for name, line in match.lines.items()}
