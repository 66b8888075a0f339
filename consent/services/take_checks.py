"""Automatic checks of a take: advice for the reviewer, stored separately from the evidence."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audio import statement
from audio.analysis.analyze import analyze_recording
from audio.wav.riff import load_samples, read_header
from consent import extension_points
from consent.models import Consent, Pronunciation, Take, TakeCheck, Talent
from consent.services.voice_comparison import lock_permission
from voicehub import outbox
from voicehub.threshold_overrides import load_take_thresholds

CHECK_FAILED = "This recording could not be checked automatically."


def enqueue_take_check(*takes: Take) -> None:
    """Enqueue one check of these takes of one recording. Call this in the transaction that saves them."""
    for take in takes:
        TakeCheck.objects.create(take=take)
    outbox.enqueue_task("check_take", takes[0].pk)


def check_take(take_id: str) -> None:
    """Measure the take and recognize the words of its statement. Replaces the results of an earlier check.

    The results are those of every take of the same recording: the sound and the statement are the same.
    """
    take = Take.objects.select_related("consent__talent").get(pk=take_id)
    results = _run_checks(take)
    _query_checks(take).update(**results, error="", checked_at=timezone.now())
    extension_points.compare_takes(take.consent.talent)


def handle_check_failure(take_id: str) -> None:
    """Store the error, so that the page stops waiting. The results of an earlier check stay."""
    for take in Take.objects.filter(pk=UUID(take_id)):
        _query_checks(take).filter(checked_at=None).update(error=CHECK_FAILED, checked_at=timezone.now())


def _query_checks(take: Take) -> QuerySet[TakeCheck]:
    """The check of this take, and those of the other takes of the same recording."""
    same = Take.objects.filter(sitting=take.sitting) if take.sitting else Take.objects.filter(pk=take.pk)
    return TakeCheck.objects.filter(take__in=same)


def save_speaker_match(take: Take, match: Mapping[str, Any]) -> None:
    """Store how similar the voices of this take and of the talent's recordings are (`match` is `Match.as_dict()`).

    Nothing is stored if the talent no longer allows the comparison.
    """
    talent_id = Talent.objects.values_list("pk", flat=True).get(consents=take.consent_id)
    with lock_permission(talent_id) as is_allowed:
        if is_allowed:
            TakeCheck.objects.filter(take=take).update(speaker=dict(match))


def _run_checks(take: Take) -> dict[str, Any]:
    consent = take.consent
    limits = load_take_thresholds(consent.provider)
    with take.sound.open("rb") as file:
        header = read_header(file)  # type: ignore[arg-type]  # a FieldFile is a readable binary file
        analysis = analyze_recording(file, header, limits, consent.text)  # type: ignore[arg-type]  # the same
        samples = load_samples(file, header, statement.MAX_CHECKED_SECONDS)  # type: ignore[arg-type]  # the same
    statement_check = statement.check_statement(
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
        "measures": analysis.measures,
        "fine_peaks": list(analysis.fine_peaks),
        "findings": [finding.as_dict() for finding in (*analysis.findings, *statement_check.findings)],
        "statement": statement_check.as_dict(),
    }


def _load_pronunciations(consent: Consent) -> dict[str, str]:
    """The studio's entries on how the names in this statement are pronounced, by name."""
    words = {word.strip(".,;:!?“”\"'").lower() for word in f"{consent.company} {consent.talent.name}".split()}
    return {row.name: row.sounds_like for row in Pronunciation.objects.all() if row.name.lower() in words}
