"""Split a recording that is too long into segments, at its pauses."""

import contextlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.core.files import File
from django.db import transaction

from audio.datasets.clips import Clip, WrittenClip
from audio.datasets.segment import split_clip, write_segments
from audio.findings.findings import FileRefused
from audio.findings.thresholds import Thresholds
from audio.ingest import IngestResult
from audio.levels.inspection import inspect_file
from audio.wav.riff import read_header
from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.storage import BLOCK
from voicehub.threshold_overrides import load_thresholds
from voicehub.transitions import move
from voices.models import Recording, RecordingStatus
from voices.services.recordings.figures import update_figures
from voices.services.recordings.store import CLIP_LIMITS, make_recording, store_recording

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def enqueue_split(recording: Recording, by: User) -> None:
    """Enqueue splitting of a recording that is too long. Raises ActionRefused for any other recording."""
    with transaction.atomic():
        recipe = {**recording.recipe, "cut_by": by.pk}
        if not recording.is_too_long or not move(recording, RecordingStatus.SPLITTING, recipe=recipe):
            raise ActionRefused("Only a recording that is too long can be split.")
        outbox.enqueue_task("cut_recording", recording.pk)


def split_recording(recording_id: str, lease: Lease) -> None:
    """Store each segment as a recording. Segments stored by an earlier attempt are recognized by their hash."""
    recording = Recording.objects.select_related("voice").filter(pk=recording_id).first()
    if recording is None or recording.status != RecordingStatus.SPLITTING:
        return
    by, thresholds = User.objects.get(pk=recording.recipe["cut_by"]), load_thresholds()
    try:
        with _write_segments(recording, lease) as segments:
            for segment in segments:
                _store_segment(recording, segment, by, thresholds)
    except FileRefused as refused:
        found = [*recording.findings, refused.finding.as_dict()]
        with transaction.atomic():
            move(recording, RecordingStatus.REFUSED, findings=found)
            update_figures(Recording.objects.filter(pk=recording.pk))
        return
    move(recording, RecordingStatus.SPLIT)


def handle_split_failure(recording_id: str) -> None:
    """Called when the task failed repeatedly. Reset the recording to REFUSED, so that a user can try again."""
    if recording := Recording.objects.filter(pk=recording_id).first():
        move(recording, RecordingStatus.REFUSED)


@contextlib.contextmanager
def _write_segments(recording: Recording, lease: Lease) -> Iterator[Iterator[WrittenClip]]:
    """Yield an iterator that writes the segments of a recording one by one into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="voicehub-cut-") as folder:
        path = Path(folder) / "whole.wav"
        with recording.sound.open("rb") as stored, path.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
        with path.open("rb") as file:
            header = read_header(file)
        steps = tuple(recording.recipe.get("steps", ()))
        clip = Clip(
            recording.title,
            recording.sha256,
            header.sample_rate,
            header.frames,
            partial(_open_with_heartbeat, path, lease),
            steps,
        )
        yield write_segments(clip, split_clip(clip), Path(folder))


def _open_with_heartbeat(path: Path, lease: Lease) -> BinaryIO:
    return io.BufferedReader(_HeartbeatFile(path, lease), BLOCK)


class _HeartbeatFile(io.FileIO):
    """A file that renews the lease on each read: analyzing three hours of audio takes about a minute."""

    def __init__(self, path: Path, lease: Lease) -> None:
        super().__init__(path)
        self._lease = lease

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._lease.extend()
        return super().readinto(buffer)


def _store_segment(source: Recording, segment: WrittenClip, by: User, thresholds: Thresholds) -> None:
    with segment.path.open("rb") as wav:
        found = inspect_file(wav, CLIP_LIMITS, thresholds)
        file = File(wav, name=segment.path.name)
        recording = make_recording(source.voice, file, IngestResult(found, found), by, "")
        recording.source, recording.recipe = source, segment.recipe
        store_recording(recording, file)
    segment.path.unlink()
