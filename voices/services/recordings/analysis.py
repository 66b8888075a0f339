"""Background analysis. First each recording alone, then a comparison of all recordings of the voice."""

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from audio.analysis import compare
from audio.analysis.analyze import analyze_recording
from audio.analysis.transcript_lint import lint_transcript
from audio.findings import catalog_sound as sound_codes
from audio.findings import catalog_transcript as transcript_codes
from audio.findings.thresholds import Thresholds
from audio.networks import speaker_match
from audio.networks.estimates import estimate_quality
from audio.wav.riff import WavRefused, load_samples, read_header
from consent.models import TakeCheck, Talent
from consent.services.take_checks import save_speaker_match
from voicehub import outbox
from voicehub.outbox import Lease
from voicehub.retry_policy import COMPARE_DELAY
from voicehub.storage import open_file
from voicehub.threshold_overrides import load_thresholds
from voices.models import Recording, RecordingStatus, Voice
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.store import COMPARE_TASK

logger = logging.getLogger(__name__)

# Number of recordings that one run of the task analyzes, before other tasks get their turn.
BATCH_SIZE = 20
# Load only the fields that the comparison needs: there may be thousands of rows.
COMPARE_FIELDS = (
    "voice",
    "file",
    "wav",
    "file_name",
    "transcript",
    "seconds",
    "created_at",
    "measures",
    "set_findings",
)
# Findings of the upload or of an earlier analysis that this analysis replaces.
REPLACED_CODES = frozenset(sound_codes.CODES) | frozenset(transcript_codes.CODES)
OTHER_SPEAKER = "other_speaker"
MAX_MATCH_RECORDINGS = 20


def enqueue_comparisons(talent: Talent) -> None:
    """Enqueue comparing the recordings of all the talent's voices with each other and with the talent's takes."""
    for voice in talent.voices.all():
        outbox.enqueue_task(COMPARE_TASK, voice.pk)


def has_comparable_recordings(talent: Talent) -> bool:
    return Recording.objects.filter(voice__talent=talent, status=RecordingStatus.ACCEPTED).exists()


def analyze_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    """Analyze the new recordings of the voice. Each takes about a second.

    The task works in batches: take checks wait in the same queue, and a stopping worker finishes its task first.
    """
    thresholds = load_thresholds()
    waiting = Recording.objects.filter(voice_id=UUID(voice_id), status=RecordingStatus.ACCEPTED, analyzed_at=None)
    # Read all rows before the first write: SQLite fails to upgrade a stale read (SQLITE_BUSY_SNAPSHOT).
    batch = list(waiting.select_related("voice").defer("peaks", "fine_peaks")[:BATCH_SIZE])
    for recording in batch:
        lease.extend()
        _save_analysis(recording, _analyze_recording(recording, thresholds))
    update_inclusion(Recording.objects.filter(pk__in=[recording.pk for recording in batch]))
    if waiting.exists():
        return timedelta()
    outbox.enqueue_task(COMPARE_TASK, voice_id, after=COMPARE_DELAY)
    return None


def _save_analysis(recording: Recording, fields: Mapping[str, Any]) -> None:
    """Store the analysis, unless the transcript changed meanwhile. Then the recording waits for a new analysis."""
    unchanged = Recording.objects.filter(pk=recording.pk, transcript=recording.transcript)
    unchanged.update(**fields, analyzed_at=timezone.now())


def _analyze_recording(recording: Recording, thresholds: Thresholds) -> dict[str, Any]:
    """The fields to store after the analysis.

    A recording that fails must not block the other recordings. Storage errors propagate, so the task is retried.
    """
    try:
        with open_file(recording.sound) as stored:
            file = io.BytesIO(stored.read())
    except FileNotFoundError:
        return _report_failure("The file is missing from storage. Upload the recording again.")
    try:
        return _run_analysis(recording, file, thresholds)
    except WavRefused as refused:
        return _report_failure(f"The file could not be read: {refused}")
    except Exception:  # noqa: BLE001 - any error in one recording
        logger.exception("Recording %s could not be analyzed", recording.pk)
        return _report_failure("The recording could not be analyzed. Listen to it yourself.")


def _report_failure(reason: str) -> dict[str, Any]:
    return {"measures": {"missing": [reason]}}


def _run_analysis(recording: Recording, file: BinaryIO, thresholds: Thresholds) -> dict[str, Any]:
    header = read_header(file)
    audio_report = analyze_recording(file, header, thresholds, recording.transcript)
    text = (
        lint_transcript(recording.transcript, header.seconds, recording.voice.language, thresholds)
        if recording.transcript
        else ()
    )
    estimates = estimate_quality(load_samples(file, header), header.sample_rate)
    kept = [finding for finding in recording.findings if finding["code"] not in REPLACED_CODES]
    return {
        "findings": kept + [finding.as_dict() for finding in (*audio_report.findings, *text)],
        "measures": {**audio_report.measures, "estimates": estimates.as_dict()},
    }


def compare_recordings(voice_id: str, lease: Lease) -> None:
    """Compare the recordings of a voice with each other and with the talent's newest takes."""
    voice = Voice.objects.select_related("talent").get(pk=voice_id)
    rows = {str(row.pk): row for row in voice.recordings.filter(status=RecordingStatus.ACCEPTED).only(*COMPARE_FIELDS)}
    thresholds = load_thresholds()
    report = compare.compare_recordings(_load_clips(rows.values(), lease), thresholds)
    with transaction.atomic():
        for key, clip_findings in report.clips.items():
            _save_set_findings(rows[key], [finding.as_dict() for finding in clip_findings])
        Voice.objects.filter(pk=voice.pk).update(comparison=_summarize_comparison(report))
        update_inclusion(voice.recordings.all())
    own_recordings = [
        row for key, row in rows.items() if OTHER_SPEAKER not in {finding.code for finding in report.clips.get(key, ())}
    ]
    _match_takes(voice.talent, own_recordings, thresholds, lease)


def _load_clips(rows: Iterable[Recording], lease: Lease) -> Iterator[compare.SetClip]:
    for row in rows:
        lease.extend()
        day = timezone.localdate(row.created_at)
        yield compare.SetClip(
            str(row.pk), row.file_name, partial(open_file, row.sound), day, row.transcript, row.measures
        )


def _save_set_findings(row: Recording, set_findings: list[dict[str, Any]]) -> None:
    if set_findings != row.set_findings:
        Recording.objects.filter(pk=row.pk).update(set_findings=set_findings)


def _summarize_comparison(report: compare.SetReport) -> dict[str, Any]:
    """The comparison result as the voice's page shows it."""
    days = [finding.as_dict() for findings in report.days.values() for finding in findings]
    outliers = sum(bool(clip_findings) for clip_findings in report.clips.values())
    unread = len(report.summary["unread"])
    if outliers:
        text = f"{outliers} of {report.summary['clips']} stand out. Each shows the reason."
    else:
        text = f"nothing stands out among {report.summary['clips']}."
    if unread:
        text += f" {unread} of them could not be read."
    return {
        "compared_at": timezone.now().isoformat(),
        "recordings": report.summary["clips"],
        "text": text,
        "days": days,
        "missing": report.summary["voices_missing"],
    }


def _match_takes(talent: Talent, recordings: Sequence[Recording], thresholds: Thresholds, lease: Lease) -> None:
    """Compare the newest take of each of the talent's consents with the longest recordings."""
    checked = TakeCheck.objects.filter(take__consent__talent=talent, checked_at__isnull=False)
    newest = {check.take.consent_id: check.take for check in checked.select_related("take").order_by("created_at")}
    if not newest:
        return
    longest = sorted(recordings, key=lambda row: row.seconds, reverse=True)[:MAX_MATCH_RECORDINGS]
    voiceprints = []
    for row in longest:
        lease.extend()
        voiceprints.append(_compute_voiceprint(row.sound))
    for take in newest.values():
        save_speaker_match(
            take, speaker_match.match_speaker(_compute_voiceprint(take.file), voiceprints, thresholds).as_dict()
        )


def _compute_voiceprint(file: FieldFile) -> speaker_match.Voiceprint | None:
    """The voiceprint of a file. None if the file is unreadable or the voice unclear. It is never stored."""
    try:
        with open_file(file) as sound:
            header = read_header(sound)
            return speaker_match.compute_voiceprint(load_samples(sound, header), header.sample_rate)
    except (OSError, WavRefused):
        return None
