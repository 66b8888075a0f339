"""Add the clips of an import to its voice: a task does so in batches, each in one transaction.

A clip keeps its id and its files as a recording. A run that is stopped goes on with the first batch that is not stored.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from audio.findings.thresholds import Thresholds
from voicehub import outbox
from voicehub.edit_versions import make_version
from voicehub.models import Task, TaskStatus, User
from voicehub.outbox import Lease, PermanentFailure
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_thresholds
from voicehub.transitions import move, move_all
from voices import access
from voices.models import (
    Import,
    ImportClip,
    ImportClipState,
    ImportLine,
    ImportLineReason,
    ImportStatus,
    InclusionSource,
    Recording,
    RecordingStatus,
    Voice,
    WorkKind,
)
from voices.services.imports.clear import CLEAR_TASK
from voices.services.imports.clips import BATCH_SIZE
from voices.services.imports.rows import ADD_TASK, CHECK_TASK, lock_import, lock_open, query_unchecked
from voices.services.imports.work import ImportWork, clear_work, start_work
from voices.services.recordings.bulk.parts import record_parts
from voices.services.recordings.bulk.row_updates import update_rows
from voices.services.recordings.bulk.transcripts import apply_transcripts
from voices.services.recordings.figures import set_figures
from voices.services.recordings.inclusion import find_exclusion, list_warning_codes, make_fields
from voices.services.recordings.store import ANALYZE_TASK
from voices.services.recordings.text_checks import check_transcript

COPIED_FIELDS = ("sha256", "size", "seconds", "sample_rate", "wav_sha256", "findings", "levels")
# Long values that nothing looks at: the database copies them, without a detour through Python.
WAVEFORMS = ("peaks", "fine_peaks", "recipe")
# The voice keeps the order of an archive. Files that came one by one are added by name.
ADD_ORDER = ("source__name", "source__created_at", "source_id", "position")


def start_adding(import_set: Import, by: User) -> int:
    """Have a task add the clips. Returns how many. Raises ActionRefused if there is nothing to add, or not yet."""
    with transaction.atomic():
        _require_checked(lock_open(import_set))
        count = _query_ready(import_set).count()
        if not count and not _query_earlier(import_set).exists():
            raise ActionRefused("There is nothing to add. Upload recordings, or discard the import.")
        move(import_set, ImportStatus.ADDING, added_by=by)
        start_work(import_set, count)
        outbox.enqueue_task(ADD_TASK, import_set.pk)
    return count


def _require_checked(import_set: Import) -> None:
    """Raise ActionRefused if a file, or the match of clips and texts, waits for the check."""
    checks = Task.objects.filter(kind=CHECK_TASK, object_id=str(import_set.pk))
    is_unchecked = query_unchecked(import_set).exists()
    if import_set.work_started_at or is_unchecked or checks.filter(status=TaskStatus.WAITING).exists():
        latest = checks.order_by("-created_at").first()
        if latest and latest.status == TaskStatus.FAILED:
            raise ActionRefused("The check of the files failed. An admin can start it again under Tasks.")
        raise ActionRefused("The files are still being checked. Wait until that is done.")


def add_import(import_id: str, lease: Lease) -> timedelta | None:
    """Add the clips that are ready. A person who may not add recordings anymore adds none."""
    import_set = (
        Import.objects.select_related("voice", "by", "added_by")
        .filter(pk=import_id, status=ImportStatus.ADDING)
        .first()
    )
    if import_set is None:
        return None
    _require_permission(import_set)
    work, thresholds = ImportWork(import_set, lease.extend), load_thresholds()
    work.begin(_query_ready(import_set).count())
    # The lease is renewed before each batch, so that a worker that lost it writes nothing more.
    while batch := list(_query_ready(import_set).defer(*WAVEFORMS).order_by(*ADD_ORDER)[:BATCH_SIZE]):
        lease.extend()
        _add_batch(import_set.voice, import_set, batch, thresholds)
        work.add_done(len(batch))
    work.end(WorkKind.ADDING)
    _finish(import_set)
    return None


def handle_add_failure(import_id: str) -> None:
    """Called when the task failed for good. A person can start it again, and the clips that it added stay added."""
    if import_set := Import.objects.filter(pk=import_id).first():
        _reopen(import_set)


def _reopen(import_set: Import) -> None:
    """Open it again, and have the files checked that arrived meanwhile. Needs a transaction."""
    lock_import(import_set)
    if move(import_set, ImportStatus.OPEN, since=ImportStatus.ADDING):
        clear_work(import_set)
        if query_unchecked(import_set).exists():
            outbox.enqueue_task(CHECK_TASK, import_set.pk)


def _query_ready(import_set: Import) -> QuerySet[ImportClip]:
    return ImportClip.objects.filter(import_set=import_set, status=ImportClipState.READY)


def _query_earlier(import_set: Import) -> QuerySet[ImportLine]:
    """The lines that change transcripts of recordings that the voice has."""
    return ImportLine.objects.filter(import_set=import_set, reason=ImportLineReason.EARLIER)


def _require_permission(import_set: Import) -> None:
    by = _get_adder(import_set)
    if not by.has_perm("voices.add_recording") or access.are_recordings_closed(import_set.voice, by):
        raise PermanentFailure(f"{by} no longer has permission to add recordings to this voice.")


def _get_adder(import_set: Import) -> User:
    """Who had it added. Imports that were started by an earlier version name only who uploaded them."""
    return import_set.added_by or import_set.by


def _add_batch(voice: Voice, import_set: Import, clips: Sequence[ImportClip], thresholds: Thresholds) -> None:
    rows = [_make_recording(voice, import_set, clip, thresholds) for clip in clips]
    with transaction.atomic():
        # What another import added at this moment is left out by the constraint, and looked up afterwards.
        Recording.objects.bulk_create(rows, ignore_conflicts=True)
        stored = _find_stored(voice, clips)
        added = [clip for clip in clips if stored[clip.sha256] == clip.pk]
        duplicates = [clip for clip in clips if stored[clip.sha256] != clip.pk]
        _copy_waveforms(added)
        move_all(added, ImportClipState.ADDED, recording=F("pk"))
        move_all(duplicates, ImportClipState.DUPLICATE)
        for clip in duplicates:
            clip.recording_id = stored[clip.sha256]
        update_rows(duplicates, ["recording"])


def _copy_waveforms(clips: Sequence[ImportClip]) -> None:
    clip = ImportClip.objects.filter(pk=OuterRef("pk"))
    values = {name: Subquery(clip.values(name)[:1]) for name in WAVEFORMS}
    Recording.objects.filter(pk__in=[row.pk for row in clips]).update(**values)


def _find_stored(voice: Voice, clips: Sequence[ImportClip]) -> dict[str, UUID]:
    """The id of the recording with each hash. KeyError later if one was not stored for another reason."""
    rows = Recording.objects.filter(voice=voice, sha256__in=[clip.sha256 for clip in clips])
    return dict(rows.values_list("sha256", "pk"))


def _make_recording(voice: Voice, import_set: Import, clip: ImportClip, thresholds: Thresholds) -> Recording:
    """The unsaved recording of a clip, with its text checked."""
    row = Recording(
        id=clip.pk,
        voice=voice,
        file=clip.file.name,
        wav=clip.wav.name or "",
        file_name=clip.file_name[-200:],
        transcript=clip.text,
        normalized_transcript=clip.normalized_text,
        normalized_version=make_version(clip.text) if clip.normalized_text else "",
        status=RecordingStatus.ACCEPTED if clip.is_usable else RecordingStatus.REFUSED,
        uploaded_by=import_set.by,
        **{name: getattr(clip, name) for name in COPIED_FIELDS},
        **_make_inclusion(clip),
    )
    if clip.text and clip.is_usable:
        results = check_transcript(row, voice.language, row.findings, row.measures, thresholds)
        row.findings, row.measures = results["findings"], results["measures"]
    set_figures(row)
    return row


def _make_inclusion(clip: ImportClip) -> dict[str, object]:
    """The choice of a table is that of a person. A clip that is too long stays out of builds, and says why."""
    if not clip.is_usable:
        return {"active": False}
    if clip.in_builds is not None:
        return {"active": clip.in_builds, "active_by": InclusionSource.PERSON, "active_set_at": timezone.now()}
    return make_fields(find_exclusion(list_warning_codes(clip.findings)))


def _finish(import_set: Import) -> None:
    """Set the transcripts of earlier recordings, and have the new ones analyzed.

    If another file has arrived, the import is open again, and nothing of that file is lost.
    """
    with transaction.atomic():
        lock_import(import_set)
        if query_unchecked(import_set).exists():
            _reopen(import_set)
            _enqueue_analysis(import_set)
            return
        lines = _query_earlier(import_set)
        changes = [
            {"id": line.recording_id.hex, "before": line.text_before, "after": line.text}
            for line in lines
            if line.recording_id
        ]
        set_count = 0
        if change := record_parts(import_set.voice, _get_adder(import_set), changes):
            result = apply_transcripts(change.pk, import_set.voice, _get_adder(import_set))
            set_count = result.changed + result.following
        if not move(import_set, ImportStatus.ADDED, finished_at=timezone.now(), text_count=set_count):
            return
        _enqueue_analysis(import_set)
        outbox.enqueue_task(CLEAR_TASK, import_set.pk)


def _enqueue_analysis(import_set: Import) -> None:
    if import_set.clips.filter(status=ImportClipState.ADDED, is_usable=True).exists():
        outbox.enqueue_task(ANALYZE_TASK, import_set.voice_id)
