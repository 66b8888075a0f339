"""Concatenates clips into one WAV, streamed, with short silences between them; sets the silence around a clip."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audio.datasets.clips import Clip, WrittenClip, write_wav
from audio.datasets.segment import measure_speech
from audio.findings.findings import FileRefused, make_finding
from audio.wav.pcm import (
    HEADER_BYTES,
    MAX_DATA_BYTES,
    RESAMPLING_QUALITY,
    Quantizer,
    build_wav_header,
    count_resampled_frames,
    resample_blocks,
)
from audio.wav.recipe import Recipe, build_recipe
from audio.wav.riff import BYTES_PER_FRAME, Int16

GAP_SECONDS = 0.3
FADE_SECONDS = 0.005
"""Fade at both ends of each clip: short enough to lose no sound, long enough that the silence begins without click."""


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Clips in order, at one sampling rate; duration and size are known before any clip is opened."""

    clips: tuple[Clip, ...]
    rate: int
    gap_frames: int
    """Samples of silence between two clips."""

    @property
    def frames(self) -> int:
        return sum(map(self._count_frames, self.clips)) + self.gap_frames * (len(self.clips) - 1)

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    @property
    def size(self) -> int:
        """Bytes of the WAV."""
        return HEADER_BYTES + self.frames * BYTES_PER_FRAME

    def _count_frames(self, clip: Clip) -> int:
        return count_resampled_frames(clip.frames, clip.rate, self.rate)

    def read_samples(self) -> Iterator[Int16]:
        silence = np.zeros(self.gap_frames, "<i2")
        for number, clip in enumerate(self.clips):
            if number:
                yield silence
            yield from self._fade_clip(clip)

    def stream_wav(self) -> Iterator[bytes]:
        """Yield the WAV in pieces."""
        yield build_wav_header(self.rate, self.frames * BYTES_PER_FRAME)
        for block in self.read_samples():
            yield block.tobytes()

    def _fade_clip(self, clip: Clip) -> Iterator[Int16]:
        total, fade, done = self._count_frames(clip), max(1, round(self.rate * FADE_SECONDS)), 0
        for block in self._resample_clip(clip):
            if done < fade or done + len(block) > total - fade:
                positions = np.arange(done, done + len(block))
                ramp = np.minimum(np.minimum(positions, total - 1 - positions) / fade, 1.0)
                block = np.rint(block * ramp).astype("<i2")
            done += len(block)
            yield block

    def _resample_clip(self, clip: Clip) -> Iterator[Int16]:
        if clip.rate == self.rate:
            return clip.read_samples()
        return map(Quantizer(clip.sha256), resample_blocks(clip.read_floats(), clip.rate, self.rate))

    def make_recipe(self) -> Recipe:
        steps = [dict(step, of=number) for number, clip in enumerate(self.clips) for step in clip.steps]
        return build_recipe([clip.sha256 for clip in self.clips], [*steps, *self._list_steps()])

    def _list_steps(self) -> Iterator[dict[str, object]]:
        for number, clip in enumerate(self.clips):
            if clip.rate != self.rate:
                yield {
                    "step": "resample",
                    "of": number,
                    "from": clip.rate,
                    "to": self.rate,
                    "quality": RESAMPLING_QUALITY,
                    "dither": clip.sha256,
                }
        yield {"step": "join", "rate": self.rate, "gap_frames": self.gap_frames, "fade_seconds": FADE_SECONDS}


def concatenate_clips(
    clips: Sequence[Clip], rate: int | None = None, gap_seconds: float = GAP_SECONDS
) -> Concatenation:
    """Concatenate the clips; the default rate is that of most clips. Refused if there are no clips."""
    if not clips:
        raise FileRefused(make_finding("nothing_chosen"))
    rate = rate or find_common_rate([clip.rate for clip in clips])
    return Concatenation(tuple(clips), rate, round(gap_seconds * rate))


def find_common_rate(rates: Sequence[int]) -> int:
    """Return the rate of most clips, so that the fewest are resampled; of two equally frequent rates, the higher."""
    counts = Counter(rates)
    return max(counts, key=lambda rate: (counts[rate], rate))


def check_concatenation_limits(
    concatenation: Concatenation, max_seconds: float | None = None, max_bytes: int | None = None
) -> None:
    """Raise Refused if the concatenation exceeds the limits or the maximum size of a WAV."""
    if max_seconds is not None and concatenation.seconds > max_seconds:
        raise FileRefused(make_finding("joined_too_long", seconds=concatenation.seconds, limit=max_seconds))
    limit = MAX_DATA_BYTES if max_bytes is None else max_bytes
    if concatenation.size > limit:
        raise FileRefused(make_finding("joined_too_big", size=concatenation.size, limit=limit))


def write_concatenation(concatenation: Concatenation, target: Path) -> WrittenClip:
    """Write the WAV; `target` must not exist yet."""
    return write_wav(target, concatenation.rate, concatenation.read_samples(), concatenation.make_recipe())


EDGE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Edges:
    """The samples to keep (`start` to before `end`), and the zeros to add on each side where silence is missing."""

    start: int
    end: int
    zeros_before: int
    zeros_after: int


def find_edges(clip: Clip, seconds: float = EDGE_SECONDS) -> Edges:
    """Compute the edges that leave `seconds` of silence around the speech; Refused if there is no speech."""
    segments = measure_speech(clip).speech.segments
    if not segments:
        raise FileRefused(make_finding("nothing_to_cut"))
    rate, frames = clip.rate, clip.frames
    first = round((segments[0][0] - seconds) * rate)
    last = round((segments[-1][1] + seconds) * rate)
    return Edges(max(0, first), min(frames, last), max(0, -first), max(0, last - frames))


def set_edges(clip: Clip, target: Path, seconds: float = EDGE_SECONDS) -> WrittenClip:
    """Write the clip with its new edges; `target` must not exist yet."""
    edges = find_edges(clip, seconds)
    recipe = clip.make_recipe(
        {
            "step": "edges",
            "start_frame": edges.start,
            "end_frame": edges.end,
            "zeros_before": edges.zeros_before,
            "zeros_after": edges.zeros_after,
        }
    )
    return write_wav(target, clip.rate, _read_between_edges(clip, edges), recipe)


def _read_between_edges(clip: Clip, edges: Edges) -> Iterator[Int16]:
    yield np.zeros(edges.zeros_before, "<i2")
    yield from clip.read_samples(edges.start, edges.end)
    yield np.zeros(edges.zeros_after, "<i2")
