"""What happens to the results of comparing a talent's voice when the talent allows it, or no longer does."""

from django.db import transaction
from django.utils import timezone

from consent.models import Talent
from voicehub import outbox
from voices.models import Recording, Voice
from voices.services.recordings.comparison import SPEAKERS_NOT_COMPARED, enqueue_comparisons
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.take_matches import MATCH_TASK, OTHER_SPEAKER

# What `voices.services.recordings.speakers` keeps in the comparison of a voice.
SPEAKER_MEMBERS = frozenset({"judged_together", "matched"})


def compare_everything(talent: Talent) -> None:
    """Enqueue comparing the speakers of all recordings, and then of the takes."""
    enqueue_comparisons(talent)
    outbox.enqueue_task(MATCH_TASK, talent.pk)


def forget_speakers(talent: Talent) -> None:
    """Delete how similar each recording is, and what was found by that. The next comparison renews the summary."""
    with transaction.atomic():
        for voice in talent.voices.select_for_update().order_by("pk"):
            voice.recordings.exclude(speaker_result={}).update(speaker_result={})
            _remove_findings(voice)
            kept = {name: value for name, value in voice.comparison.items() if name not in SPEAKER_MEMBERS}
            if kept:
                kept["missing"] = SPEAKERS_NOT_COMPARED
            Voice.objects.filter(pk=voice.pk).update(comparison=kept)
    enqueue_comparisons(talent)


def _remove_findings(voice: Voice) -> None:
    """Remove the findings that name another speaker. Recordings that were left out for them may be used again."""
    flagged = voice.recordings.filter(warning_codes__contains=OTHER_SPEAKER)
    rows = list(flagged.only("set_findings"))
    for row in rows:
        findings = [finding for finding in row.set_findings if finding["code"] != OTHER_SPEAKER]
        Recording.objects.filter(pk=row.pk).update(set_findings=findings, checked_at=timezone.now())
    update_figures(Recording.objects.filter(pk__in=[row.pk for row in rows]))
    if rows:
        update_inclusion(voice.recordings.all())
