"""The same silence before and after what is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicehub.audio.findings import Refused, finding
from voicehub.audio.prepare.clips import Clip, Made, write_wav
from voicehub.audio.prepare.hearing import hear
from voicehub.audio.samples import Int16

EDGE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Edges:
    """Samples `start` to before `end` are kept; so many zeros come before and after them, where there was less."""

    start: int
    end: int
    zeros_before: int
    zeros_after: int


def edges(clip: Clip, seconds: float = EDGE_SECONDS) -> Edges:
    """What to cut or add, so that there are `seconds` of silence around speech; Refused if nobody speaks."""
    segments = hear(clip).speech.segments
    if not segments:
        raise Refused(finding("nothing_to_cut"))
    rate, frames = clip.rate, clip.frames
    first = round((segments[0][0] - seconds) * rate)
    last = round((segments[-1][1] + seconds) * rate)
    return Edges(max(0, first), min(frames, last), max(0, -first), max(0, last - frames))


def set_edges(clip: Clip, target: Path, seconds: float = EDGE_SECONDS) -> Made:
    """Write the clip with its new edges; `target` must not exist yet."""
    found = edges(clip, seconds)
    how = clip.recipe(
        {
            "step": "edges",
            "start_frame": found.start,
            "end_frame": found.end,
            "zeros_before": found.zeros_before,
            "zeros_after": found.zeros_after,
        }
    )
    return write_wav(target, clip.rate, _samples(clip, found), how)


def _samples(clip: Clip, found: Edges) -> Iterator[Int16]:
    yield np.zeros(found.zeros_before, "<i2")
    yield from clip.samples(found.start, found.end)
    yield np.zeros(found.zeros_after, "<i2")
