"""Measure the levels of speech and noise, and the pauses, once speech was detected."""

import numpy as np
from numpy.typing import NDArray

from audio.levels.measure import FRAMES_PER_SECOND, MAX_PAUSES, PAUSE_SECONDS, Span
from audio.networks.vad import PAD_SECONDS, Speech

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIN_NOISE_FRAMES = 10
QUIETEST_PARTS = 10
DIGITAL_SILENCE = 1e-10
MIN_NOISE_RATIO = 10 ** (6 / 10)
CLEAR_SPEECH_RATIO = 10 ** (25 / 10)
MIN_SPEECH_SHARE = 10 ** (-25 / 10)
OUTSIDE_SECONDS = 0.25
INSIDE_SECONDS = 0.3
"""How far outside and inside a segment its exact edge is searched."""


def measure_noise_and_speech(powers: Float64, speech: Speech) -> Span:
    """(power of the noise, mean power of the 20 ms frames with speech).

    The power of the noise is the median of the quietest frames without speech. Their number is a tenth of all frames,
    but at most half of the frames without speech: the other half may be breath, or speech that the model missed.
    Digital silence does not count. If hardly any frame is without speech, the quietest of all frames are used.
    """
    spoken = _mark_speech_frames(speech, len(powers))
    is_audible = powers > DIGITAL_SILENCE
    unspoken = powers[~spoken & is_audible]
    ranked = np.sort(unspoken if len(unspoken) >= MIN_NOISE_FRAMES else powers[is_audible])
    quiet = ranked[: max(1, min(len(ranked) // 2, len(powers) // QUIETEST_PARTS))]
    return _compute_median(quiet), _compute_mean(powers[spoken])


def _mark_speech_frames(speech: Speech, count: int) -> Bools:
    """Whether the middle of each frame is in speech."""
    inside = np.zeros(count, np.bool_)
    for start, end in speech.segments:
        inside[round(start * FRAMES_PER_SECOND) : round(end * FRAMES_PER_SECOND)] = True
    return inside


def _compute_median(powers: Float64) -> float:
    return float(np.median(powers)) if len(powers) else 0.0


def _compute_mean(powers: Float64) -> float:
    return float(powers.mean()) if len(powers) else 0.0


def trim_spans(segments: tuple[Span, ...], powers: Float64, noise: float, spoken: float) -> tuple[Span, ...]:
    """Move the edges of segments to where the level rises and falls: the model is reliable, but not exact in time.

    If the level does not rise or fall near an edge, the edge only loses its padding. Frames outside a segment are
    searched only in quiet rooms: in noise, a loud frame there may be any sound.
    """
    is_loud = powers >= max(noise * MIN_NOISE_RATIO, min(spoken * MIN_SPEECH_SHARE, noise * 100))
    outside = OUTSIDE_SECONDS if spoken > noise * CLEAR_SPEECH_RATIO else 0.0
    return tuple(
        (_find_start(is_loud, start, end, outside), _find_end(is_loud, start, end, outside)) for start, end in segments
    )


def _find_start(loud: Bools, start: float, end: float, outside: float) -> float:
    low, high = _get_frame_index(start - outside), _get_frame_index(min(end, start + INSIDE_SECONDS))
    found = np.flatnonzero(loud[low:high])
    return (low + int(found[0])) / FRAMES_PER_SECOND if len(found) else min(end, start + PAD_SECONDS)


def _find_end(loud: Bools, start: float, end: float, outside: float) -> float:
    low, high = _get_frame_index(max(start, end - INSIDE_SECONDS)), _get_frame_index(end + outside)
    found = np.flatnonzero(loud[low:high])
    return (low + int(found[-1]) + 1) / FRAMES_PER_SECOND if len(found) else max(start, end - PAD_SECONDS)


def _get_frame_index(seconds: float) -> int:
    return max(0, round(seconds * FRAMES_PER_SECOND))


def measure_edges_and_pauses(spans: tuple[Span, ...], total: float) -> tuple[float, float, tuple[Span, ...]]:
    """Seconds before the first and after the last span, and the pauses of half a second or more between them."""
    between = zip(spans[:-1], spans[1:], strict=True)
    pauses = [(one[1], other[0]) for one, other in between if other[0] - one[1] >= PAUSE_SECONDS]
    return spans[0][0], max(0.0, total - spans[-1][1]), tuple(pauses[:MAX_PAUSES])
