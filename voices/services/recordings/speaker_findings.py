"""The findings that name another speaker, in recordings and in what builds froze of them: results of a comparison."""

from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from voices.models import BuildRecording, Recording, Voice
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion

OTHER_SPEAKER = "other_speaker"


def remove_speaker_findings(voice: Voice) -> None:
    """Remove them. Recordings that were left out for them may be used again. Call it in a transaction."""
    flagged = voice.recordings.filter(warning_codes__contains=OTHER_SPEAKER)
    rows = list(flagged.only("set_findings"))
    for row in rows:
        findings = [finding for finding in row.set_findings if finding["code"] != OTHER_SPEAKER]
        Recording.objects.filter(pk=row.pk).update(set_findings=findings, checked_at=timezone.now())
    update_figures(Recording.objects.filter(pk__in=[row.pk for row in rows]))
    if rows:
        update_inclusion(voice.recordings.all())
    _remove_from_builds(voice)


def _remove_from_builds(voice: Voice) -> None:
    frozen = BuildRecording.objects.filter(recording__voice=voice).alias(codes=Cast(F("finding_codes"), TextField()))
    for row in frozen.filter(codes__contains=f'"{OTHER_SPEAKER}"').only("finding_codes"):
        codes = [code for code in row.finding_codes if code != OTHER_SPEAKER]
        BuildRecording.objects.filter(pk=row.pk).update(finding_codes=codes)
