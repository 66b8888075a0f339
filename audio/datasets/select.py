"""Selects the best recordings if a provider limits their seconds, bytes or number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.findings.findings import Severity
from audio.levels.inspection import Inspection

STEPS, MIN_STEPS, MAX_CELLS = 6000, 500, 1 << 26
"""The time limit is divided into STEPS, and each recording is rounded up to whole steps: a selection never exceeds the
limit and wastes at most one step per recording. With a limit on files there are
fewer steps (but at least MIN_STEPS), so that the table of the knapsack has at most MAX_CELLS cells."""
CLEAN_SNR_DB, WORST_SNR_DB = 40.0, 10.0
FINDING_PENALTY = 0.15
CLIPPING_PENALTY = 30.0
"""Penalty per share of clipped samples: 0.03 for one in a thousand, the share that is reported as clipping."""
UNUSABLE_CODES = frozenset({"silent", "no_speech"})
SHORT_SECONDS = 3.0
"""A shorter recording has little more than its first and last word, which sound unlike the rest."""
LENGTH_CODES = frozenset({"long"})
"""Findings about the length, which say nothing about the quality of the sound."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One recording: its duration, and its quality from 0 (never selected) to 1."""

    seconds: float
    quality: float


@dataclass(frozen=True, slots=True)
class SelectionLimits:
    """Maximum total seconds, including `gap_seconds` between two recordings, and maximum number of files."""

    max_seconds: float
    max_files: int | None = None
    gap_seconds: float = 0.0


def compute_quality(inspection: Inspection) -> float:
    """Compute the quality of an inspected recording, 0..1; 0 if it is refused or has no speech."""
    levels, header = inspection.levels, inspection.header
    if levels is None or header is None or any(one.severity == Severity.ERROR for one in inspection.findings):
        return 0.0
    return compute_levels_quality(header.seconds, levels.as_dict(), [one.code for one in inspection.findings])


def compute_levels_quality(seconds: float, levels: Mapping[str, float], codes: Sequence[str]) -> float:
    """Compute the quality of an accepted recording from its levels by name and the codes of its findings."""
    if not UNUSABLE_CODES.isdisjoint(codes):
        return 0.0
    noise = (levels.get("snr_db", CLEAN_SNR_DB) - WORST_SNR_DB) / (CLEAN_SNR_DB - WORST_SNR_DB)
    length = min(1.0, seconds / SHORT_SECONDS)
    faults = sum(code not in LENGTH_CODES for code in codes)
    clean = 1.0 - FINDING_PENALTY * faults - CLIPPING_PENALTY * levels.get("clipped_share", 0.0)
    return float(np.clip(noise, 0.05, 1.0)) * length * max(0.05, clean)


def select_recordings(candidates: Sequence[Candidate], limits: SelectionLimits) -> tuple[int, ...]:
    """Return the sorted indices of the candidates with the greatest sum of seconds times quality within the limits.

    Solves a knapsack problem, exact up to the rounding to steps. The result is deterministic.
    """
    usable = [
        index for index, one in enumerate(candidates) if one.quality > 0 and 0 < one.seconds <= limits.max_seconds
    ]
    durations = [candidates[index].seconds + limits.gap_seconds for index in usable]
    total = limits.max_seconds + limits.gap_seconds
    files = len(usable) if limits.max_files is None else min(limits.max_files, len(usable))
    if files == len(usable) and sum(durations) <= total:
        return tuple(usable)
    limited = files < len(usable)
    steps = STEPS if not limited else max(MIN_STEPS, min(STEPS, MAX_CELLS // (len(usable) * (files + 1))))
    weights = [math.ceil(need / total * steps) for need in durations]
    values = [candidates[index].seconds * candidates[index].quality for index in usable]
    return tuple(usable[number] for number in _solve_knapsack(weights, values, steps, files if limited else None))


def _solve_knapsack(weights: Sequence[int], values: Sequence[float], steps: int, files: int | None) -> list[int]:
    """Return the indices of the most valuable set of at most `files` items with a total weight of at most `steps`."""
    shift = 0 if files is None else 1
    best = np.zeros(((files or 0) + 1, steps + 1))
    choices: list[NDArray[np.uint8]] = []
    for weight, value in zip(weights, values, strict=True):
        if weight > steps or len(best) <= shift:
            choices.append(np.zeros(0, np.uint8))
            continue
        with_it = best[: len(best) - shift, : steps + 1 - weight] + value
        without = best[shift:, weight:]
        better = with_it > without
        np.copyto(without, with_it, where=better)
        choices.append(np.packbits(better, axis=1))
    return _trace_choices(weights, choices, steps, len(best) - 1, shift)


def _trace_choices(
    weights: Sequence[int], choices: Sequence[NDArray[np.uint8]], steps_left: int, files: int, shift: int
) -> list[int]:
    """Return the indices of the selected items, by following the choices from the last item to the first."""
    selected = []
    for number in range(len(weights) - 1, -1, -1):
        column = steps_left - weights[number]
        if column < 0 or files < shift or not len(choices[number]):
            continue
        if choices[number][files - shift, column >> 3] >> (7 - (column & 7)) & 1:
            selected.append(number)
            steps_left, files = column, files - shift
    return selected[::-1]
