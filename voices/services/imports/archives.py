"""Check an archive of an import: a child process reads it, then its clips are stored in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from audio.archives.read import Archive, Member, read_archive
from audio.findings.findings import make_finding
from audio.findings.thresholds import Thresholds
from audio.ingest_batch import IngestedFile, ingest_files
from audio.wav.convert import is_convertible
from voicehub.storage import open_local_path
from voicehub.transitions import move
from voicehub.upload_limits import ARCHIVE_WAV_BYTES
from voices.models import Import, ImportFile, ImportFileKind, ImportFileStatus, ImportText
from voices.services.imports.clips import BATCH_SIZE, CheckedSound, delete_paths, lock_open, store_clips
from voices.services.imports.texts import make_archive_text
from voices.services.imports.work import ImportWork
from voices.services.recordings.store import CLIP_LIMITS


def check_archive(import_set: Import, file: ImportFile, folder: Path, work: ImportWork, thresholds: Thresholds) -> None:
    """Store the clips and texts of the archive. A run that is repeated leaves out what is stored already."""
    with TemporaryDirectory(dir=folder) as inner:
        target = Path(inner)
        counter = _MemberCounter(work)
        with open_local_path(file.file, target) as path:
            archive = read_archive(
                path, folder=_make_folder(target, "members"), keep_refused=True, clip_limits=CLIP_LIMITS,
                thresholds=thresholds, language=import_set.voice.language, code_page=file.chosen_code_page,
                keep_texts=True, progress=counter.count_read,
            )  # fmt: skip
        _store_members(import_set, file, archive.members, _make_folder(target, "wavs"), counter, thresholds)
        _finish_archive(import_set, file, archive)


def forget_contents(file: ImportFile) -> None:
    """Delete the clips and texts of an archive that is checked once more, in the caller's transaction."""
    clips, texts = list(file.clips.select_related("import_set")), list(file.texts.all())
    file.clips.all().delete()
    file.texts.all().delete()
    transaction.on_commit(
        lambda: delete_paths(
            [path for clip in clips for path in clip.list_paths()]
            + [str(text.content) for text in texts if text.content]
        )
    )


def _make_folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


@dataclass(slots=True)
class _MemberCounter:
    """Counts each member of an archive in two halves: when it is read, and when it is stored."""

    work: ImportWork
    total: int = 0
    read: int = 0
    halves: int = 0
    reported: int = 0

    def count_read(self, read: int, total: int) -> None:
        if total and not self.total:
            self.total = total
            self.work.add_total(total)
        self.add(read - self.read)
        self.read = read

    def add(self, halves: int) -> None:
        self.halves += halves
        whole = self.halves // 2 - self.reported
        self.reported += whole
        self.work.add_done(whole)


def _store_members(
    import_set: Import,
    file: ImportFile,
    members: Sequence[Member],
    wavs: Path,
    counter: _MemberCounter,
    thresholds: Thresholds,
) -> None:
    stored = set(file.clips.values_list("position", flat=True))
    converted_bytes = 0
    for start in range(0, len(members), BATCH_SIZE):
        batch = [member for member in members[start : start + BATCH_SIZE] if member.number not in stored]
        converted = _convert_members(batch, wavs, thresholds) if converted_bytes <= ARCHIVE_WAV_BYTES else {}
        converted_bytes += sum(found.wav.stat().st_size for found in converted.values() if found.wav)
        counter.work.extend_lease()
        store_clips(import_set, [_describe_member(file, member, converted.get(member.number)) for member in batch])
        counter.add(len(batch))


def _convert_members(members: Sequence[Member], wavs: Path, thresholds: Thresholds) -> Mapping[int, IngestedFile]:
    """The results of the members in other audio formats, by number, in one child."""
    others = [member for member in members if member.path and _is_convertible(member)]
    folder = _make_folder(wavs, f"{members[0].number}") if others else wavs
    paths = [member.path for member in others if member.path]
    results = ingest_files(paths, folder, CLIP_LIMITS, thresholds) if others else iter(())
    return {member.number: found for member, found in zip(others, results, strict=True)}


def _is_convertible(member: Member) -> bool:
    return not member.facts["seconds"] and is_convertible(str(member.inspection["findings"][0]["code"]))


def _describe_member(file: ImportFile, member: Member, converted: IngestedFile | None) -> CheckedSound:
    if converted:
        values = (converted.ok, converted.has_sound, converted.fields, member.path, converted.wav)
        return CheckedSound(file, member.number, member.name, *values, is_spare=True)
    fields, has_sound = member.facts, bool(member.facts["seconds"])
    if member.path and _is_convertible(member):
        fields = {**fields, "findings": [make_finding("archive_too_big", limit=ARCHIVE_WAV_BYTES >> 20).as_dict()]}
    return CheckedSound(file, member.number, member.name, member.ok, has_sound, fields, member.path, is_spare=True)


def _finish_archive(import_set: Import, file: ImportFile, archive: Archive) -> None:
    texts = [make_archive_text(file, text) for text in archive.texts]
    with transaction.atomic():
        lock_open(import_set)
        file.texts.all().delete()
        ImportText.objects.bulk_create(texts)
        move(
            file,
            ImportFileStatus.CHECKED,
            kind=ImportFileKind.ARCHIVE,
            findings=[finding.as_dict() for finding in archive.findings],
            code_page=archive.code_page,
        )
