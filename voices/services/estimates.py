"""When work is expected to end, learnt from earlier work of the same kind. Pure functions, without the database."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from voicehub.text import HOUR, format_duration

# Work that counts its units has a rate of its own after this many units and seconds.
OWN_RATE_UNITS = 3
OWN_RATE_SECONDS = 2.0
# Work is called slow only beyond the slowest tenth of the earlier work, and beyond this factor of the usual time.
# The seconds keep work that usually takes a second from being called slow at once.
SLOW_FACTOR = 1.5
SLOW_SECONDS = 2.0
SLOW_QUANTILE = 0.9
# A bar stays below this share until the work has really ended.
MAX_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class PastWork:
    """What was learnt from earlier work: how long it usually took. All times are medians in seconds.

    `per_unit` is None for work without counted units. `slow` is the time that few of them exceeded.
    """

    count: int
    usual: float
    slow: float
    per_unit: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What can be said about the end of work: the seconds that are left, and whether it is slower than usual.

    `remaining` is None if nothing is known. It is 0 if the work should end now.
    """

    remaining: float | None = None
    usual: float | None = None
    is_slow: bool = False


def summarize_past(samples: Iterable[tuple[int, float]]) -> PastWork | None:
    """Summarize (units, seconds) of earlier work. None if there was none."""
    rows = list(samples)
    if not rows:
        return None
    seconds = sorted(duration for _units, duration in rows)
    rates = [duration / units for units, duration in rows if units]
    slow = seconds[math.ceil(SLOW_QUANTILE * len(seconds)) - 1]
    return PastWork(len(rows), median(seconds), slow, median(rates) if rates else None)


def estimate_counted(past: PastWork | None, done: int, total: int, elapsed: float | None) -> Estimate:
    """Estimate work that counts its units. The more of it is done, the more its own rate counts.

    `done` are the units of this run, in `elapsed` seconds. Without `elapsed`, only earlier work counts.
    """
    usual_rate = past.per_unit if past else None
    own_rate = _find_own_rate(done, elapsed)
    if usual_rate is None and own_rate is None:
        return Estimate()
    usual = usual_rate * total if usual_rate is not None else None
    if usual_rate is None or own_rate is None:
        rate = own_rate if usual_rate is None else usual_rate
    else:
        weight = done / total if total else 1.0
        rate = weight * own_rate + (1 - weight) * usual_rate
    assert rate is not None  # noqa: S101 - one of both rates is known
    is_slow = usual is not None and elapsed is not None and elapsed > usual * SLOW_FACTOR + SLOW_SECONDS
    if is_slow:  # the usual rate is of no use any more
        return Estimate(None if own_rate is None else max(0, total - done) * own_rate, usual, is_slow)
    return Estimate(max(0, total - done) * rate, usual, is_slow)


def _find_own_rate(done: int, elapsed: float | None) -> float | None:
    if elapsed is None or done < OWN_RATE_UNITS or elapsed < OWN_RATE_SECONDS:
        return None
    return elapsed / done


def estimate_uncounted(past: PastWork | None, elapsed: float) -> Estimate:
    """Estimate work whose steps are not counted, such as a training: it usually takes the median of earlier work."""
    if past is None:
        return Estimate()
    is_slow = elapsed > max(past.slow, past.usual * SLOW_FACTOR) + SLOW_SECONDS
    return Estimate(max(0.0, past.usual - elapsed), past.usual, is_slow)


def compute_share(estimate: Estimate, elapsed: float) -> float | None:
    """The share of uncounted work that is probably done, at most MAX_SHARE. None if nothing is known."""
    if not estimate.usual:
        return None
    return min(MAX_SHARE, max(0.0, elapsed / estimate.usual))


def describe_end(estimate: Estimate) -> str:
    """“about 3 min left”, or what is known instead. Empty if nothing is known."""
    if estimate.is_slow and not estimate.remaining and estimate.usual is not None:
        return f"takes longer than usual (usually {format_rough(estimate.usual)})"
    if estimate.is_slow and estimate.remaining:
        return f"about {format_rough(estimate.remaining)} left, longer than usual"
    if estimate.remaining is None:
        return ""
    if estimate.remaining <= 0:
        return "should end soon"
    if estimate.remaining < 10:
        return "a few seconds left"
    return f"about {format_rough(estimate.remaining)} left"


def format_rough(seconds: float) -> str:
    """A duration without false precision: 134 → "2 min", 47 → "50 s", 4 → "4 s", 7000 → "1 h 55 min"."""
    steps = ((10, 1), (55, 10), (570, 60), (HOUR, 300))
    step = next((step for below, step in steps if seconds < below), 600)
    return format_duration(max(1, round(seconds / step)) * step)
