"""Background analysis of each recording alone. Afterwards all recordings of the voice are compared."""

import contextlib
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import accumulate
from typing import Any, BinaryIO
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audio.analysis.analyze import analyze_recording
from audio.analysis.sound_features import build_features
from audio.findings import catalog_sound as sound_codes
from audio.findings.thresholds import Thresholds
from audio.networks.estimates import estimate_quality
from audio.wav.riff import WavRefused, load_samples, read_header
from voicehub import outbox
from voicehub.outbox import Lease, LeaseLost
from voicehub.retry_policy import COMPARE_DELAY
from voicehub.threshold_overrides import load_thresholds
from voices.models import Recording, RecordingStatus, WorkKind
from voices.services.recordings.figures import SOURCES, compute_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.store import COMPARE_TASK
from voices.services.recordings.text_checks import check_transcript
from voices.services.recordings.whole_clip import open_sound
from voices.services.work_samples import measure_work

logger = logging.getLogger(__name__)

# Number of recordings that one run of a task analyzes, before other tasks get their turn.
BATCH_SIZE = 20
# Long recordings take longer: after so many seconds of sound, a run takes no other one.
BATCH_SECONDS = 600
# The tasks that help with one voice, so that this number of workers and one more can work on it.
SHARES = 7
SHARE_TASK = "examine_share"
ID_SPACE = 1 << 128


def analyze_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    """Analyze the new recordings of the voice. Each takes about a second.

    The task works in batches: take checks wait in the same queue, and a stopping worker finishes its task first. With
    more than one batch, further tasks each analyze a share of the recordings, from its first id. This task begins with
    the last id, and does what a share leaves undone. A recording that two of them analyze gets the same results twice.
    """
    waiting = _query_waiting(UUID(voice_id))
    if waiting.count() > BATCH_SIZE:
        for number in range(SHARES):
            if _query_share(UUID(voice_id), number).exists():
                outbox.enqueue_task(SHARE_TASK, f"{voice_id}:{number}")
    _analyze_batch(waiting.order_by("-pk"), lease)
    if waiting.exists():
        return timedelta()
    outbox.enqueue_task(COMPARE_TASK, voice_id, after=COMPARE_DELAY)
    return None


def analyze_share(voice_and_share: str, lease: Lease) -> timedelta | None:
    """Analyze a batch of one share of the new recordings of a voice: those with ids in one of SHARES equal ranges."""
    voice_id, _, number = voice_and_share.partition(":")
    share = _query_share(UUID(voice_id), int(number))
    _analyze_batch(share.order_by("pk"), lease)
    return timedelta() if share.exists() else None


def _query_waiting(voice_id: UUID) -> QuerySet[Recording]:
    return Recording.objects.filter(voice_id=voice_id, status=RecordingStatus.ACCEPTED, analyzed_at=None)


def _query_share(voice_id: UUID, number: int) -> QuerySet[Recording]:
    first, end = (UUID(int=min(ID_SPACE * edge // SHARES, ID_SPACE - 1)) for edge in (number, number + 1))
    return _query_waiting(voice_id).filter(pk__gte=first, pk__lte=end)


def _analyze_batch(waiting: QuerySet[Recording], lease: Lease) -> None:
    thresholds = load_thresholds()
    # Read all rows before the first write: SQLite fails to upgrade a stale read (SQLITE_BUSY_SNAPSHOT).
    batch = _limit_seconds(waiting.select_related("voice").defer("peaks", "fine_peaks")[:BATCH_SIZE])
    with measure_work(WorkKind.ANALYSIS, "", len(batch)):
        for recording in batch:
            lease.extend()
            _store_clip_results(recording, _analyze_recording(recording, thresholds, lease), thresholds)
    update_inclusion(Recording.objects.filter(pk__in=[recording.pk for recording in batch]))


def _limit_seconds(recordings: Iterable[Recording]) -> list[Recording]:
    """The first of these, as many as a batch has time for, and at least one."""
    totals = accumulate((recording.seconds for recording in recordings), initial=0.0)
    return [recording for recording, before in zip(recordings, totals, strict=False) if before < BATCH_SECONDS]


def _store_clip_results(recording: Recording, fields: Mapping[str, Any], thresholds: Thresholds) -> None:
    """Store the results of a recording's own analysis, with a check of its transcript as it is now.

    If the transcript was changed meanwhile, only the new text is checked: the audio is the same.
    """
    rows = Recording.objects.filter(pk=recording.pk)
    while not rows.filter(transcript=recording.transcript).update(
        **_add_text_checks(recording, fields, thresholds), analyzed_at=timezone.now(), checked_at=timezone.now()
    ):
        transcript = rows.values_list("transcript", flat=True).first()
        if transcript is None:  # the recording was deleted
            return
        recording.transcript = transcript


def _add_text_checks(recording: Recording, fields: Mapping[str, Any], thresholds: Thresholds) -> dict[str, Any]:
    findings, measures = fields.get("findings", recording.findings), fields["measures"]
    fields = {**fields, **check_transcript(recording, recording.voice.language, findings, measures, thresholds)}
    # No comparison changes the findings of a recording that is not analyzed yet.
    return {**fields, **compute_figures(*(fields.get(name, getattr(recording, name)) for name in SOURCES))}


def _analyze_recording(recording: Recording, thresholds: Thresholds, lease: Lease) -> dict[str, Any]:
    """The fields to store after the analysis.

    A recording that fails must not block the other recordings. Storage errors propagate, so the task is retried.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_sound(recording, lease))
        except FileNotFoundError:
            return _report_failure("The file is missing from storage. Upload the recording again.")
        return _try_analysis(recording, file, thresholds)


def _try_analysis(recording: Recording, file: BinaryIO, thresholds: Thresholds) -> dict[str, Any]:
    try:
        return _run_analysis(recording, file, thresholds)
    except (LeaseLost, OSError):
        raise
    except WavRefused as refused:
        return _report_failure(f"The file could not be read: {refused}")
    except Exception:  # noqa: BLE001 - any error in one recording
        logger.exception("Recording %s could not be analyzed", recording.pk)
        return _report_failure("The recording could not be analyzed. Listen to it yourself.")


def _report_failure(reason: str) -> dict[str, Any]:
    return {"measures": {"missing": [reason]}}


def _run_analysis(recording: Recording, file: BinaryIO, thresholds: Thresholds) -> dict[str, Any]:
    header = read_header(file)
    report = analyze_recording(file, header, thresholds)
    samples = load_samples(file, header)
    features = build_features(report.content_hash, report.levels, samples, header.sample_rate)
    kept = [finding for finding in recording.findings if finding["code"] not in sound_codes.CODES]
    return {
        "findings": kept + [finding.as_dict() for finding in report.findings],
        "measures": {
            **report.measures,
            "estimates": estimate_quality(samples, header.sample_rate).as_dict(),
        },
        "sound_features": features.as_dict(),
    }
