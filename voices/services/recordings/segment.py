"""Split a long recording into clips, at its pauses or where a person put the cuts."""

from collections.abc import Sequence

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from audio.datasets.clips import Clip, WrittenClip
from audio.datasets.segment import split_clip, write_clips
from audio.findings.findings import FileRefused
from audio.findings.thresholds import Thresholds
from audio.ingest import IngestResult
from audio.levels.inspection import inspect_file
from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import COMPARE_DELAY
from voicehub.text import format_count
from voicehub.threshold_overrides import load_thresholds
from voicehub.transitions import move
from voices.models import CutProposal, InclusionSource, Recording, RecordingStatus
from voices.models.recording_lengths import RECORDING_LIMITS
from voices.services.recordings.cuts import NOT_PROPOSED, ONLY_LONG, Span, refuse_split
from voices.services.recordings.inclusion import make_fields
from voices.services.recordings.store import COMPARE_TASK, make_recording, store_recording
from voices.services.recordings.whole_clip import open_whole_clip

PlacedSpan = tuple[int, int, dict[str, str]]
PLACED_BY_PERSON = {"placed_by": "person"}


def enqueue_split(recording: Recording, by: User, clips: Sequence[Span] = ()) -> None:
    """Enqueue splitting of a long recording: at its pauses, or into these clips, in samples.

    Raises ActionRefused for any other recording, and if an earlier split stored clips that are not among these.
    """
    with transaction.atomic():
        recipe = {**recording.recipe, "cut_by": by.pk}
        if not recording.can_be_cut:
            raise ActionRefused(ONLY_LONG)
        _store_clips(recording, clips)
        if not move(recording, RecordingStatus.SPLITTING, recipe=recipe):
            raise ActionRefused(ONLY_LONG)
        outbox.enqueue_task("cut_recording", recording.pk)


def _store_clips(recording: Recording, clips: Sequence[Span]) -> None:
    """Store the clips of a person in the proposal. Clips equal to those proposed are none of a person."""
    proposal = CutProposal.objects.select_for_update().filter(recording=recording).first()
    chosen = [list(clip) for clip in clips]
    if proposal is None or proposal.proposed_at is None:
        if chosen:
            raise ActionRefused(NOT_PROPOSED)
        return
    if chosen == proposal.segments:
        chosen = []
    if chosen != proposal.clips:
        _require_no_pieces(recording)
        proposal.clips = chosen
        proposal.save(update_fields=["clips"])


def _require_no_pieces(recording: Recording) -> None:
    if count := recording.pieces.count():
        stored = format_count(count, "clip", "clips")
        raise ActionRefused(
            f"An earlier split was interrupted after {stored}. Split the recording into the same clips, or delete "
            f"the {stored} first, so that nothing is in two clips."
        )


def split_recording(recording_id: str, lease: Lease) -> None:
    """Store each segment as a recording. Segments stored by an earlier attempt are recognized by their hash."""
    recording = Recording.objects.select_related("voice").filter(pk=recording_id).first()
    if recording is None or recording.status != RecordingStatus.SPLITTING:
        return
    by, thresholds = User.objects.get(pk=recording.recipe["cut_by"]), load_thresholds()
    try:
        with open_whole_clip(recording, lease) as (clip, folder):
            for segment in write_clips(clip, _list_spans(recording, clip), folder):
                _store_segment(recording, segment, by, thresholds)
    except FileRefused as refused:
        with transaction.atomic():
            _restore(recording)
            refuse_split(recording, refused)
        return
    with transaction.atomic():
        if move(recording, RecordingStatus.SPLIT, **make_fields("") | {"active": False}):
            outbox.enqueue_task(COMPARE_TASK, recording.voice_id, after=COMPARE_DELAY)


def handle_split_failure(recording_id: str) -> None:
    """Called when the task failed repeatedly. The recording is again what it was, so that a user can try again."""
    if recording := Recording.objects.filter(pk=recording_id).first():
        with transaction.atomic():
            _restore(recording)


def _restore(recording: Recording) -> None:
    """Back to the status before the split. With clips that were stored already, the recording stays out of builds.

    Its sound would be in a build twice. Splitting it is the choice of a person, so no check puts it back.
    """
    if recording.error_codes:
        move(recording, RecordingStatus.REFUSED)
    elif recording.pieces.exists():
        # Later than any bulk change, so that no undo includes it either.
        choice = make_fields("") | {"active": False, "active_by": InclusionSource.PERSON}
        move(recording, RecordingStatus.ACCEPTED, **choice, active_set_at=timezone.now())
    else:
        move(recording, RecordingStatus.ACCEPTED)


def _list_spans(recording: Recording, clip: Clip) -> list[PlacedSpan]:
    """The clips to write, each with what placed it: the stored ones, or those that a proposal would have."""
    proposal = CutProposal.objects.filter(recording=recording).exclude(proposed_at=None).first()
    if proposal is None or not proposal.segments:
        split = split_clip(clip)
        placed_by: dict[str, str] = {"heard_by": split.speech_levels.speech.method}
        return [(segment.start, segment.end, placed_by) for segment in split.segments]
    proposed = {tuple(span) for span in proposal.segments}
    placed_by = {"heard_by": proposal.method}
    spans = [(int(start), int(end)) for start, end in proposal.clips or proposal.segments]
    return [(*span, placed_by if span in proposed else PLACED_BY_PERSON) for span in spans]


def _store_segment(source: Recording, segment: WrittenClip, by: User, thresholds: Thresholds) -> None:
    with segment.path.open("rb") as wav:
        found = inspect_file(wav, RECORDING_LIMITS, thresholds)
        file = File(wav, name=segment.path.name)
        recording = make_recording(source.voice, file, IngestResult(found, found), by, "")
        recording.source, recording.recipe = source, segment.recipe
        store_recording(recording, file)
    segment.path.unlink()
