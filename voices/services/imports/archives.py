"""Check an archive of an import: a child process reads it, then its clips are stored in batches."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import transaction

from audio.archives.read import ArchiveHead, ArchiveRequest, Member, TextFile, stream_archive
from audio.findings.findings import Finding, make_finding
from audio.findings.thresholds import Thresholds
from audio.ingest_batch import IngestedFile, ingest_files
from audio.untrusted.runner import ChildFailed
from audio.wav.convert import is_convertible
from voicehub.storage import open_local_path
from voicehub.upload_limits import ARCHIVE_WAV_BYTES, IMPORT_WAV_BYTES
from voices.models import Import, ImportFile, ImportFileKind, ImportText
from voices.models.recording_lengths import RECORDING_LIMITS
from voices.services.imports.clips import BATCH_SIZE, CheckedSound, mark_checked, store_clips
from voices.services.imports.rows import lock_open
from voices.services.imports.spare_files import delete_earlier_contents
from voices.services.imports.texts import make_archive_text
from voices.services.imports.work import ImportWork


def check_archive(import_set: Import, file: ImportFile, folder: Path, work: ImportWork, thresholds: Thresholds) -> None:
    """Store the clips and texts of the archive. A run that is repeated leaves out what is stored already."""
    if file.chosen_code_page:
        work.extend_lease()
        delete_earlier_contents(file)
    with TemporaryDirectory(dir=folder) as inner:
        target = Path(inner)
        request = ArchiveRequest(
            _make_folder(target, "members"), True, RECORDING_LIMITS, thresholds, language=import_set.voice.language,
            code_page=file.chosen_code_page, keep_texts=True,
        )  # fmt: skip
        check = _ArchiveCheck(import_set, file, work, thresholds, _make_folder(target, "wavs"))
        try:
            with ExitStack() as stack:
                path = work.wait_for(partial(stack.enter_context, open_local_path(file.file, target)))
                check.store_parts(stack.enter_context(closing(stream_archive(path, request))))
        except ChildFailed as failed:
            work.extend_lease()
            _refuse_archive(import_set, file, failed.finding)
            return
        check.finish()


def forget_contents(file: ImportFile) -> None:
    """Delete the rows of the clips and texts of an archive. The worker that holds the lease deletes their files."""
    file.clips.all().delete()
    file.texts.all().delete()


def _make_folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


class _ArchiveCheck:
    """Stores the parts of an archive in batches, while a child reads the next ones."""

    def __init__(
        self, import_set: Import, file: ImportFile, work: ImportWork, thresholds: Thresholds, wavs: Path
    ) -> None:
        self.import_set, self.file, self.work = import_set, file, work
        self.thresholds, self.wavs = thresholds, wavs
        self.head: ArchiveHead | None = None
        self.texts: list[ImportText] = []
        self.wav_room = ARCHIVE_WAV_BYTES
        self.stored = set(file.clips.values_list("position", flat=True))

    def store_parts(self, parts: Generator[ArchiveHead | TextFile | Member, None, None]) -> None:
        batch: list[Member] = []
        for part in self.work.follow(parts):
            if isinstance(part, ArchiveHead):
                self.head = part
                self.work.add_total(part.files)
            elif isinstance(part, TextFile):
                self.texts.append(make_archive_text(self.file, part))
            else:
                batch.append(part)
            if len(batch) == BATCH_SIZE:
                self._store_batch(batch)
                batch = []
        self._store_batch(batch)

    def _store_batch(self, members: Sequence[Member]) -> None:
        batch = [member for member in members if member.number not in self.stored]
        converted = self._convert(batch)
        sounds = [_describe_member(self.file, member, converted.get(member.number)) for member in batch]
        self.work.extend_lease()
        self.work.wav_room -= store_clips(self.import_set, sounds, (), self.work.keep_lease)
        self.work.add_done(len(members))

    def _convert(self, batch: Sequence[Member]) -> dict[int, IngestedFile]:
        """What is left of the members in other formats, by number. Without room, nothing more is converted."""
        is_archive_full = self.wav_room < self.work.wav_room
        room = min(self.wav_room, self.work.wav_room)
        converted = _convert_members(batch, self.wavs, self.thresholds, self.work, room)
        self.wav_room -= sum(found.wav.stat().st_size for found in converted.values() if found.wav)
        for number, found in converted.items():
            if not found.has_room:
                fields = refuse_archive_wav(found.fields) if is_archive_full else refuse_wav(found.fields)
                converted[number] = replace(found, fields=fields)
                self.wav_room = 0
        return converted

    def finish(self) -> None:
        assert self.head  # noqa: S101 - the child yields it first
        with transaction.atomic():
            lock_open(self.import_set)
            self.file.texts.all().delete()
            ImportText.objects.bulk_create(self.texts)
            findings = [finding.as_dict() for finding in self.head.findings]
            mark_checked(self.file, ImportFileKind.ARCHIVE, findings=findings, code_page=self.head.code_page)


def _refuse_archive(import_set: Import, file: ImportFile, finding: Finding) -> None:
    """The archive cannot be taken as a whole, so nothing of it is. A run that is stopped here is repeated."""
    with transaction.atomic():
        lock_open(import_set)
        forget_contents(file)
    delete_earlier_contents(file)
    with transaction.atomic():
        lock_open(import_set)
        mark_checked(file, ImportFileKind.ARCHIVE, findings=[finding.as_dict()])


def _convert_members(
    members: Sequence[Member], wavs: Path, thresholds: Thresholds, work: ImportWork, room: int
) -> dict[int, IngestedFile]:
    """The results of the members in other audio formats, by number, in one child."""
    others = [member for member in members if member.path and _is_convertible(member)]
    if not others:
        return {}
    paths = [member.path for member in others if member.path]
    folder = _make_folder(wavs, f"{members[0].number}")
    with closing(ingest_files(paths, folder, RECORDING_LIMITS, thresholds, room=room)) as results:
        found = list(work.follow(results))
    return {member.number: result for member, result in zip(others, found, strict=True)}


def refuse_wav(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a file that is not converted, because the import has no room for its WAV."""
    return {**fields, "findings": [make_finding("wavs_too_big", limit=IMPORT_WAV_BYTES >> 30).as_dict()]}


def refuse_archive_wav(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "findings": [make_finding("archive_too_big", limit=ARCHIVE_WAV_BYTES >> 20).as_dict()]}


def _is_convertible(member: Member) -> bool:
    return not member.facts["seconds"] and is_convertible(str(member.inspection["findings"][0]["code"]))


def _describe_member(file: ImportFile, member: Member, converted: IngestedFile | None) -> CheckedSound:
    if converted:
        values = (converted.ok, converted.has_sound, converted.fields, member.path, converted.wav)
        return CheckedSound(file, member.number, member.name, *values, is_spare=True)
    fields, has_sound = member.facts, bool(member.facts["seconds"])
    return CheckedSound(file, member.number, member.name, member.ok, has_sound, fields, member.path, is_spare=True)
