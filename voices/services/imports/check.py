"""The task that checks the files of an import: each once, in a limited child process, in batches.

A run that is stopped is repeated from the first batch that is not stored. Files that arrive meanwhile are checked too.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from audio.findings.findings import make_finding
from audio.findings.thresholds import Thresholds
from audio.ingest_batch import ingest_files
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.storage import open_local_path
from voicehub.threshold_overrides import load_thresholds
from voicehub.transitions import move_all
from voicehub.upload_limits import RECORDING_BYTES
from voices.models import Import, ImportFile, ImportFileKind, ImportFileStatus, ImportStatus, ImportText, WorkKind
from voices.models.recording_lengths import RECORDING_LIMITS
from voices.services.imports.archives import check_archive, refuse_wav
from voices.services.imports.clips import BATCH_SIZE, CheckedSound, mark_checked, store_clips
from voices.services.imports.kinds import read_kind
from voices.services.imports.matching import match_texts
from voices.services.imports.room import measure_wav_room
from voices.services.imports.rows import lock_open
from voices.services.imports.texts import make_text
from voices.services.imports.work import ImportWork, clear_work

# Number of files that one run checks, in some seconds, before other tasks get their turn.
FILES_PER_RUN = 2000


def check_import(import_id: str, lease: Lease) -> timedelta | None:
    """Check the uploaded files, then match clips and texts. An import that is not open anymore is left alone."""
    import_set = Import.objects.select_related("voice").filter(pk=import_id, status=ImportStatus.OPEN).first()
    if import_set is None:
        return None
    waiting = import_set.files.filter(status=ImportFileStatus.UPLOADED)
    work = ImportWork(import_set, lease.extend)
    work.begin(waiting.count())
    work.wav_room = measure_wav_room(import_set)
    try:
        with TemporaryDirectory(prefix="voicehub-import-") as folder:
            _check_files(list(waiting[:FILES_PER_RUN]), Path(folder), work)
        if waiting.exists():
            return timedelta()
        lease.extend()
        match_texts(import_set)
    except ActionRefused:  # it was discarded meanwhile
        return None
    work.end(WorkKind.READING)
    return None


def handle_check_failure(import_id: str) -> None:
    """Called when the task failed for good. The page then shows what was checked, and says that the check failed."""
    if import_set := Import.objects.filter(pk=import_id, status=ImportStatus.OPEN).first():
        clear_work(import_set)


def _check_files(files: Sequence[ImportFile], folder: Path, work: ImportWork) -> None:
    thresholds = load_thresholds()
    for kind, group in groupby(_read_kinds(files, work), lambda pair: pair[0]):
        same = [file for _kind, file in group]
        if kind == ImportFileKind.AUDIO:
            _check_sounds(same, folder, work, thresholds)
        elif kind == ImportFileKind.ARCHIVE:
            for file in same:
                check_archive(work.import_set, file, folder, work, thresholds)
                work.add_done(1)
        else:
            for start in range(0, len(same), BATCH_SIZE):
                _finish_files(same[start : start + BATCH_SIZE], kind, work)


def _read_kinds(files: Sequence[ImportFile], work: ImportWork) -> Iterator[tuple[ImportFileKind, ImportFile]]:
    """Each file with its kind, those of a kind together. A file that is lost counts as another file."""
    found: list[tuple[ImportFileKind, ImportFile]] = []
    for file in files:
        try:
            found.append((read_kind(file), file))
        except FileNotFoundError:
            file.findings = [make_finding("file_lost").as_dict()]
            found.append((ImportFileKind.OTHER, file))
        work.keep_lease()
    yield from sorted(found, key=lambda pair: pair[0])


def _check_sounds(files: Sequence[ImportFile], folder: Path, work: ImportWork, thresholds: Thresholds) -> None:
    """Check the files in one child, and store them in batches while it reads the next ones."""
    with ExitStack() as stack:
        small = [file for file in files if file.size <= RECORDING_BYTES]
        paths = [_open_path(stack, file, folder, work) for file in small]
        wavs = Path(stack.enter_context(TemporaryDirectory(dir=folder)))
        found_files = ingest_files(paths, wavs, RECORDING_LIMITS, thresholds, room=work.wav_room)
        results = stack.enter_context(closing(found_files))
        sounds: list[CheckedSound] = []
        for file, path, found in zip(small, paths, work.follow(results), strict=True):
            fields = found.fields if found.has_room else refuse_wav(found.fields)
            sounds.append(CheckedSound(file, 0, file.name, found.ok, found.has_sound, fields, path, found.wav))
            if len(sounds) == BATCH_SIZE:
                _store_batch(work, sounds)
                sounds = []
        _store_batch(work, sounds + [_refuse_large(file) for file in files if file.size > RECORDING_BYTES])


def _open_path(stack: ExitStack, file: ImportFile, folder: Path, work: ImportWork) -> Path:
    path = stack.enter_context(open_local_path(file.file, folder))
    work.keep_lease()
    return path


def _store_batch(work: ImportWork, sounds: Sequence[CheckedSound]) -> None:
    work.extend_lease()
    finished = [sound.source for sound in sounds]
    work.wav_room -= store_clips(work.import_set, sounds, finished, work.keep_lease)
    work.add_done(len(sounds))


def _refuse_large(file: ImportFile) -> CheckedSound:
    finding = make_finding("file_too_large", limit=RECORDING_BYTES >> 20).as_dict()
    return CheckedSound(file, 0, file.name, False, False, {"size": file.size, "findings": [finding]}, None)


def _finish_files(files: Sequence[ImportFile], kind: ImportFileKind, work: ImportWork) -> None:
    """Texts are stored, to be matched. Of other files, the page says what they are."""
    texts = [make_text(file) for file in files] if kind == ImportFileKind.TEXT else []
    with transaction.atomic():
        lock_open(work.import_set)
        ImportText.objects.filter(file__in=files).delete()
        ImportText.objects.bulk_create(texts)
        move_all([file for file in files if not file.findings], ImportFileStatus.CHECKED, kind=kind, findings=[])
        for file in files:
            if file.findings:
                mark_checked(file, kind, findings=file.findings)
    work.add_done(len(files))
