"""What happens to the results of comparing a talent's voice when the talent allows it, or no longer does."""

from django.db import transaction

from consent.models import Talent
from voicehub import outbox
from voices.models import Voice
from voices.services.recordings.comparison import SPEAKERS_NOT_COMPARED, enqueue_comparisons
from voices.services.recordings.speaker_findings import remove_speaker_findings
from voices.services.recordings.take_matches import MATCH_TASK

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
            remove_speaker_findings(voice)
            kept = {name: value for name, value in voice.comparison.items() if name not in SPEAKER_MEMBERS}
            if kept:
                kept["missing"] = SPEAKERS_NOT_COMPARED
            Voice.objects.filter(pk=voice.pk).update(comparison=kept)
    enqueue_comparisons(talent)
