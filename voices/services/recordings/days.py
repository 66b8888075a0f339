"""How the recordings of a voice sound from day to day, and how their quality is distributed."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Avg, Count, F, FloatField
from django.db.models.functions import Cast, Floor, TruncDate

from voices.models import RecordingStatus, Voice

MAX_DAYS = 60
QUALITY_STEP = 0.5


@dataclass(frozen=True, slots=True)
class DayAverage:
    """The averages of the recordings added on one day. `loudness` in LUFS, `signal_to_noise` in decibels."""

    day: date
    count: int
    loudness: float | None
    signal_to_noise: float | None


def load_day_averages(voice: Voice) -> list[DayAverage]:
    """The newest days on which usable recordings were added, the oldest of them first. The database averages them."""
    usable = voice.recordings.filter(status=RecordingStatus.ACCEPTED, analyzed_at__isnull=False).order_by()
    days = usable.annotate(day=TruncDate("created_at")).values_list("day")
    averages = days.annotate(Count("pk"), Avg("loudness"), Avg("signal_to_noise")).order_by("-day")[:MAX_DAYS]
    return [DayAverage(*row) for row in reversed(averages)]


def count_by_quality(voice: Voice) -> dict[float, int]:
    """How many usable recordings have an estimated quality of 1.0 to 1.5, of 1.5 to 2.0, and so on."""
    usable = voice.recordings.filter(status=RecordingStatus.ACCEPTED, quality__isnull=False).order_by()
    step = Cast(Floor(F("quality") / QUALITY_STEP), FloatField())
    return {
        step * QUALITY_STEP: count
        for step, count in usable.annotate(step=step).values_list("step").annotate(Count("pk"))
    }
