"""What programs hear in a take: opinions for the person who listens, kept beside the evidence."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from audio import statement
from audio.analysis.analyze import analyze_recording
from audio.wav.riff import load_samples, read_header
from consent import extension_points
from consent.models import Consent, Pronunciation, Take, TakeCheck
from voicehub import outbox
from voicehub.threshold_overrides import load_thresholds

CHECK_FAILED = "The programs could not look at this recording. Listen to it yourself."


def enqueue_take_check(take: Take) -> None:
    """Have the take looked at in the background; to be called in the transaction that keeps it."""
    TakeCheck.objects.create(take=take)
    outbox.enqueue_task("check_take", take.pk)


def check_take(take_id: str) -> None:
    """Measure the take and listen for the words of its statement; a later call replaces what an earlier one found."""
    take = Take.objects.select_related("consent__talent").get(pk=take_id)
    found = _run_checks(take)
    TakeCheck.objects.filter(take=take).update(**found, error="", checked_at=timezone.now())
    extension_points.compare_with_recordings(take.consent.talent)


def handle_check_failure(take_id: str) -> None:
    """Nobody waits in vain: the page says that there will be no check. What an earlier one found stays."""
    TakeCheck.objects.filter(take_id=UUID(take_id), checked_at=None).update(
        error=CHECK_FAILED, checked_at=timezone.now()
    )


def save_speaker_match(take: Take, match: Mapping[str, Any]) -> None:
    """Note how alike the voice of this take and the voice of the talent's recordings are (`Match.as_dict()`)."""
    TakeCheck.objects.filter(take=take).update(speaker=dict(match))


def _run_checks(take: Take) -> dict[str, Any]:
    consent = take.consent
    limits = load_thresholds(consent.provider)
    with take.file.open("rb") as file:
        header = read_header(file)  # type: ignore[arg-type]  # a FieldFile reads like any binary file
        examined = analyze_recording(file, header, limits, consent.text)  # type: ignore[arg-type]  # the same
        samples = load_samples(file, header, statement.MAX_CHECKED_SECONDS)  # type: ignore[arg-type]  # the same
    read = statement.check_statement(
        samples,
        header.sample_rate,
        consent.text,
        language=consent.language,
        company=consent.company,
        talent=consent.talent.name,
        sounds_like=_load_pronunciations(consent),
        thresholds=limits,
    )
    return {
        "measures": examined.measures,
        "fine_peaks": list(examined.fine_peaks),
        "findings": [one.as_dict() for one in (*examined.findings, *read.findings)],
        "statement": read.as_dict(),
    }


def _load_pronunciations(consent: Consent) -> dict[str, str]:
    """How the names in this statement are said, where somebody of the studio has told."""
    words = {word.strip(".,;:!?“”\"'").lower() for word in f"{consent.company} {consent.talent.name}".split()}
    return {row.name: row.sounds_like for row in Pronunciation.objects.all() if row.name.lower() in words}
