"""Downloads of a voice as a dataset: a zip of its recordings, their texts and a receipt, streamed and recorded.

All files are looked up before the first byte is sent. Each is compared with its stored hash while it is sent: if one
has changed, the archive breaks off before its directory, so that no program takes it for a complete one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from django.utils.text import slugify

from audio.datasets.archive_writer import METADATA
from audio.datasets.layouts import Layout, LayoutRow, format_table, has_originals, make_paths
from audio.datasets.stored_zip import (
    MAX_BYTES,
    StoredFile,
    compute_stored_size,
    fits_in_zip,
    make_text_file,
    stream_stored_files,
)
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.storage import BLOCK, StorageUnavailable, StoredFileLost, explain_storage_errors, open_stored_file
from voicehub.text import format_count, join_with_and
from voices.models import DatasetDownload, Recording, RecordingStatus, Voice
from voices.services.recordings.dataset_receipt import RECEIPT, ReceiptFile, make_receipt

FIELDS = (
    "voice", "file", "wav", "file_name", "sha256", "wav_sha256", "size", "transcript", "active", "seconds",
    "sample_rate", "normalized_transcript", "normalized_version",
)  # fmt: skip
MAX_NAMED = 3
NOTHING = "No recording matches this choice. Choose all recordings, or include recordings in builds."
TOO_LARGE = (
    "The archive would have {size:.1f} GB and {count} files. A download has at most {limit} GB and 65,000 files. "
    "Choose only the recordings in builds."
)
MISSING = (
    "{names} missing or changed. Nothing was downloaded. Restore what is missing from a backup, or "
    "delete these recordings and upload them again."
)
CHANGED = "The file of “{name}” has changed since it was uploaded."
LOST = "The file of “{name}” could not be read."
CLOSED_EARLY = "The connection was closed before the end."
STOPPED = "VoiceHub stopped with an error."


@dataclass(frozen=True, slots=True)
class PreparedDownload:
    """A dataset ready to be sent. `chunks` can be read only once, and records how it ends."""

    name: str
    size: int
    chunks: Iterator[bytes]


def query_usable_recordings(voice: Voice, *, only_in_builds: bool) -> QuerySet[Recording]:
    """The recordings of a download in their order. Files that no build can use are left out."""
    usable = voice.recordings.filter(status=RecordingStatus.ACCEPTED).order_by("created_at", "pk")
    return usable.filter(active=True) if only_in_builds else usable


def prepare_download(voice: Voice, by: User, layout: Layout, *, only_in_builds: bool) -> PreparedDownload:
    """Look up all files and record the download. Raises ActionRefused if one is missing or the archive is too large.

    Raises StorageUnavailable if the storage does not respond.
    """
    recordings = list(query_usable_recordings(voice, only_in_builds=only_in_builds).only(*FIELDS))
    if not recordings:
        raise ActionRefused(NOTHING)
    sent = _find_files(recordings, layout)
    files = _list_files(voice, by, layout, sent)
    size = compute_stored_size(files)
    if not fits_in_zip(files):
        raise ActionRefused(TOO_LARGE.format(size=size / 1e9, count=f"{len(sent):,}", limit=MAX_BYTES >> 30))
    record = DatasetDownload.objects.create(
        voice=voice, by=by, layout=layout, only_in_builds=only_in_builds, recording_count=len(sent), size=size
    )
    name = f"{slugify(voice.name) or 'voice'}-{layout.replace('_', '-')}.zip"
    return PreparedDownload(name, size, _stream_and_record(record, files))


def _find_files(recordings: Sequence[Recording], layout: Layout) -> list[ReceiptFile]:
    """The file of each recording, with the size that it has in the storage. ActionRefused names missing ones."""
    paths = make_paths(layout, [recording.file_name for recording in recordings])
    found, missing = [], []
    for recording, path in zip(recordings, paths, strict=True):
        file = _choose_file(recording, layout)
        try:
            size = _read_size(file)
        except StoredFileLost:
            missing.append(recording.file_name)
            continue
        if has_originals(layout) and size != recording.size:
            missing.append(recording.file_name)
        sha256 = recording.sha256 if has_originals(layout) else recording.sound_sha256
        found.append(ReceiptFile(recording, path, size, sha256))
    if missing:
        raise ActionRefused(MISSING.format(names=_name_files(missing)))
    return found


def _choose_file(recording: Recording, layout: Layout) -> FieldFile:
    return recording.file if has_originals(layout) else recording.sound


def _read_size(file: FieldFile) -> int:
    with explain_storage_errors(file):
        return file.size


def _name_files(names: Sequence[str]) -> str:
    named = [f"“{name}”" for name in names[:MAX_NAMED]]
    if rest := names[MAX_NAMED:]:
        named.append(format_count(len(rest), "other", "others"))
    noun, verb = ("file", "is") if len(names) == 1 else ("files", "are")
    return f"The {noun} of {join_with_and(named)} {verb}"


def _list_files(voice: Voice, by: User, layout: Layout, sent: Sequence[ReceiptFile]) -> list[StoredFile]:
    rows = [
        LayoutRow(one.path, one.recording.transcript, one.recording.active, one.recording.normalized_text)
        for one in sent
    ]
    return [
        make_text_file(METADATA, format_table(layout, rows)),
        make_text_file(RECEIPT, make_receipt(voice, by, layout, sent)),
        *(StoredFile(one.path, one.size, partial(_read_verified, one, layout)) for one in sent),
    ]


def _read_verified(sent: ReceiptFile, layout: Layout) -> Iterator[bytes]:
    """The bytes of a stored file. Raises StoredFileLost, which names it, if they are not those that were uploaded."""
    file, name = _choose_file(sent.recording, layout), sent.recording.file_name
    digest, remaining = hashlib.sha256(), sent.size
    with _name_lost_file(name), explain_storage_errors(file), open_stored_file(file) as opened:
        while remaining >= 0 and (block := opened.read(BLOCK)):
            remaining -= len(block)
            digest.update(block)
            if remaining >= 0:
                yield block
    if remaining or digest.hexdigest() != sent.sha256:
        raise StoredFileLost(CHANGED.format(name=name))


@contextmanager
def _name_lost_file(name: str) -> Iterator[None]:
    try:
        yield
    except (StoredFileLost, StorageUnavailable) as error:
        raise StoredFileLost(LOST.format(name=name)) from error


def _stream_and_record(record: DatasetDownload, files: Sequence[StoredFile]) -> Iterator[bytes]:
    try:
        yield from stream_stored_files(files)
    except BaseException as error:
        record.failure = _describe_failure(error)
        record.save(update_fields=["failure"])
        raise
    record.finished_at = timezone.now()
    record.save(update_fields=["finished_at"])


def _describe_failure(error: BaseException) -> str:
    if isinstance(error, StoredFileLost):
        return str(error)[:300]
    return CLOSED_EARLY if isinstance(error, GeneratorExit) else STOPPED
