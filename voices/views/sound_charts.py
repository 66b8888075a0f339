"""The charts of the Readiness tab: quality of the recordings, and their loudness and noise by day."""

from collections.abc import Mapping, Sequence
from math import ceil, floor

from django.utils.formats import date_format

from voicehub.charts import Chart, ChartKind, Series
from voices.models import Voice
from voices.services.recordings.days import QUALITY_STEP, DayAverage, count_by_quality, load_day_averages

MIN_DAYS = 5
# Decibels on the axis of a chart by day.
LEAST_RANGE, RANGE_STEP = 20.0, 5
MIN_RATED = 5
LOWEST_QUALITY, HIGHEST_QUALITY = 1.0, 5.0


def make_sound_charts(voice: Voice) -> list[Chart]:
    """The charts for which there are enough numbers."""
    days, qualities = load_day_averages(voice), count_by_quality(voice)
    charts = [_make_quality_chart(qualities)] if sum(qualities.values()) >= MIN_RATED else []
    return [*charts, *_make_day_charts(days)] if len(days) >= MIN_DAYS else charts


def _make_quality_chart(counts: Mapping[float, int]) -> Chart:
    steps = int((HIGHEST_QUALITY - LOWEST_QUALITY) / QUALITY_STEP)
    lows = [LOWEST_QUALITY + QUALITY_STEP * step for step in range(steps)]
    # The best quality belongs to the last step, not to one of its own.
    bounded = dict.fromkeys(lows, 0)
    for low, count in counts.items():
        bounded[min(max(low, lows[0]), lows[-1])] += count
    values: dict[str | float, float] = {
        f"{low:.1f} to {low + QUALITY_STEP:.1f}": float(count) for low, count in bounded.items()
    }
    return Chart(
        "Quality, our estimate",
        ChartKind.BAR,
        "Quality",
        "Recordings",
        tuple(values),
        (Series("Recordings", values),),
        ticks=dict(zip(values, (f"{low:.1f}" for low in bounded), strict=True)),
    )


def _make_day_charts(days: Sequence[DayAverage]) -> list[Chart]:
    format_day = "M j" if days[0].day.year == days[-1].day.year else "M j, Y"
    labels = {one.day: date_format(one.day, format_day) for one in days}
    loudness: dict[str | float, float] = {labels[one.day]: one.loudness for one in days if one.loudness is not None}
    noise: dict[str | float, float] = {
        labels[one.day]: one.signal_to_noise for one in days if one.signal_to_noise is not None
    }
    return [
        _make_day_chart("Loudness by day", "Loudness (LUFS)", tuple(labels.values()), loudness),
        _make_day_chart("Speech above noise by day", "Speech above noise (dB)", tuple(labels.values()), noise),
    ]


def _make_day_chart(title: str, unit: str, labels: tuple[str, ...], values: Mapping[str | float, float]) -> Chart:
    return Chart(title, ChartKind.LINE, "Day added", unit, labels, (Series(unit, values),), y_range=_find_range(values))


def _find_range(values: Mapping[str | float, float]) -> tuple[float, float] | None:
    """A range of whole steps, so wide that inaudible differences look small."""
    if not values:
        return None
    low, high = min(values.values()), max(values.values())
    margin = max(0.0, LEAST_RANGE - (high - low)) / 2
    return RANGE_STEP * floor((low - margin) / RANGE_STEP), RANGE_STEP * ceil((high + margin) / RANGE_STEP)
