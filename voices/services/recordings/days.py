"""How the recordings of a voice sound from day to day, and how their quality is distributed.

The comparison, which follows every change of the recordings, stores both. So a page reads no recording for them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, F, FloatField, Sum, TextField
from django.db.models.functions import Cast, Floor, Substr
from django.utils.timezone import localdate

from voicehub.json_fields import is_number
from voices.models import RecordingStatus, Voice

MAX_DAYS = 60
QUALITY_STEP = 0.5

Sums = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class DayAverage:
    """The averages of the recordings added on one day. `loudness` in LUFS, `signal_to_noise` in decibels."""

    day: date
    count: int
    loudness: float | None
    signal_to_noise: float | None


def summarize_sound(voice: Voice) -> dict[str, Any]:
    """What the charts need of the recordings, as JSON. Every page that loads the voice reads it, so it is short."""
    days = _compute_day_averages(voice)
    return {
        "days": [[one.day.isoformat(), one.count, *map(_round, (one.loudness, one.signal_to_noise))] for one in days],
        "quality": sorted(_count_by_quality(voice).items()),
    }


def load_day_averages(voice: Voice) -> list[DayAverage]:
    """The newest days on which usable recordings were added, the oldest of them first."""
    if (stored := voice.comparison.get("sound")) is None:  # not compared yet, or by an earlier version
        return _compute_day_averages(voice)
    return [day for row in stored["days"] if (day := _read_day(row))]


def count_by_quality(voice: Voice) -> dict[float, int]:
    """How many usable recordings have an estimated quality of 1.0 to 1.5, of 1.5 to 2.0, and so on."""
    if (stored := voice.comparison.get("sound")) is None:
        return _count_by_quality(voice)
    pairs = [row for row in stored["quality"] if isinstance(row, list | tuple) and len(row) == 2]
    return {low: int(count) for low, count in pairs if is_number(low) and is_number(count)}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _read_day(row: Any) -> DayAverage | None:
    """None if the row is damaged."""
    try:
        day, count, *figures = row
        loudness, noise = (float(one) if is_number(one) else None for one in figures)
        return DayAverage(date.fromisoformat(day), int(count), loudness, noise)
    except (TypeError, ValueError):
        return None


def _compute_day_averages(voice: Voice) -> list[DayAverage]:
    """The database adds up the recordings of each minute, and the minutes make the days of the current time zone.

    SQLite has no time zones: a day of each row would be computed in Python.
    """
    days: dict[date, list[Sums]] = {}
    for minute, *sums in _add_up_minutes(voice):
        days.setdefault(localdate(datetime.fromisoformat(f"{minute}+00:00")), []).append(sums)
    return [_make_day_average(day, days[day]) for day in sorted(days)[-MAX_DAYS:]]


def _add_up_minutes(voice: Voice) -> Iterable[tuple[Any, ...]]:
    """For each minute, in UTC: the recordings, then the count and the sum of each figure."""
    usable = voice.recordings.filter(status=RecordingStatus.ACCEPTED, analyzed_at__isnull=False).order_by()
    minutes = usable.annotate(minute=Substr(Cast("created_at", TextField()), 1, len("2026-01-31 23:59")))
    figures = [function(figure) for figure in ("loudness", "signal_to_noise") for function in (Count, Sum)]
    return minutes.values_list("minute").annotate(Count("pk"), *figures)


def _make_day_average(day: date, minutes: Sequence[Sums]) -> DayAverage:
    count, loudness_count, loudness, noise_count, noise = (
        sum(value or 0 for value in values) for values in zip(*minutes, strict=True)
    )
    return DayAverage(
        day,
        int(count),
        loudness / loudness_count if loudness_count else None,
        noise / noise_count if noise_count else None,
    )


def _count_by_quality(voice: Voice) -> dict[float, int]:
    usable = voice.recordings.filter(status=RecordingStatus.ACCEPTED, quality__isnull=False).order_by()
    step = Cast(Floor(F("quality") / QUALITY_STEP), FloatField())
    return {
        step * QUALITY_STEP: count
        for step, count in usable.annotate(step=step).values_list("step").annotate(Count("pk"))
    }
