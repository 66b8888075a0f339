"""Marks recordings as checked, for tests in which no worker analyzes them: only checked recordings can be built."""

from django.utils import timezone

from voices.models import Voice


def mark_checked(voice: Voice) -> None:
    """Mark all recordings of the voice as analyzed and compared now, without findings of these checks."""
    now = timezone.now()
    voice.recordings.filter(analyzed_at=None).update(analyzed_at=now)
    stored = Voice.objects.get(pk=voice.pk)
    stored.comparison = {**stored.comparison, "compared_at": timezone.now().isoformat()}
    stored.save(update_fields=["comparison"])
