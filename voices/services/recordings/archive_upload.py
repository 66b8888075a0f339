"""Archive upload: each file in the archive is added like a single upload."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.files import File

from audio.archives.read import Member, read_archive
from audio.findings.findings import make_finding
from audio.findings.thresholds import Thresholds
from audio.ingest import ingest_audio
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_thresholds
from voicehub.upload_limits import ARCHIVE_WAV_BYTES
from voices.models import InclusionSource, Recording, Voice, WorkKind
from voices.services.recordings.store import CLIP_LIMITS, make_recording, set_active, set_transcript, store_recording
from voices.services.recordings.upload_progress import ProgressWriter


@dataclass(slots=True)
class ArchiveResult:
    """The result of an archive upload.

    `refused` has (name, finding) of unreadable files, which are reported but not stored. `duplicates` has
    (name, earlier recording) of files that were uploaded before. `findings` are about the archive itself. If all other
    lists are empty, the whole archive was refused. `converted_bytes` is the size of the converted WAVs.
    """

    recordings: list[Recording] = field(default_factory=list)
    duplicates: list[tuple[str, Recording]] = field(default_factory=list)
    refused: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    converted_bytes: int = 0


def add_archive(voice: Voice, file: "File[Any]", by: User, progress: ProgressWriter | None = None) -> ArchiveResult:
    """Add every recording of an archive in its order, with the transcripts and choices of its tables."""
    thresholds, progress = load_thresholds(), progress or ProgressWriter()
    with tempfile.TemporaryDirectory(prefix="voicehub-archive-") as folder:
        archive = read_archive(
            cast(BinaryIO, file),
            folder=Path(folder),
            keep_refused=True,
            clip_limits=CLIP_LIMITS,
            thresholds=thresholds,
            language=voice.language,
            progress=progress.write_read,
        )
        progress.end_activity(WorkKind.READING, len(archive.members))
        result = ArchiveResult(findings=[finding.as_dict() for finding in archive.findings])
        for number, member in enumerate(archive.members):
            progress.write_added(number, len(archive.members))
            _add_member(result, voice, member, by, thresholds)
        progress.end_activity(WorkKind.ADDING, len(result.recordings))
    return result


def _add_member(result: ArchiveResult, voice: Voice, member: Member, by: User, thresholds: Thresholds) -> None:
    if member.path is None:  # damaged: with keep_refused, all others have a path
        result.refused.append((member.name, member.inspection["findings"][0]))
        return
    # Check for duplicates first: an interrupted archive is uploaded again, and conversion is slow.
    if duplicate := Recording.objects.filter(voice=voice, sha256=member.sha256).first():
        _record_duplicate(result, duplicate, member)
        return
    if result.converted_bytes > ARCHIVE_WAV_BYTES:
        result.refused.append((member.name, make_finding("archive_too_big", limit=ARCHIVE_WAV_BYTES >> 20).as_dict()))
        return
    with member.path.open("rb") as stored, ingest_audio(stored, CLIP_LIMITS, thresholds) as sound:
        if sound.inspection.header is None:
            result.refused.append((member.name, sound.build_row_fields()["findings"][0]))
            return
        result.converted_bytes += sound.wav_path.stat().st_size if sound.wav_path else 0
        file = File(stored, name=member.name)
        recording, is_new = store_recording(
            make_recording(voice, file, sound, by, member.transcript), file, sound.wav_path
        )
    if is_new:
        _apply_choice(recording, member)
        result.recordings.append(recording)
    else:
        _record_duplicate(result, recording, member)


def _record_duplicate(result: ArchiveResult, recording: Recording, member: Member) -> None:
    result.duplicates.append((member.name, recording))
    if member.transcript and not recording.transcript:
        set_transcript(recording, member.transcript)
    if recording.active_by != InclusionSource.PERSON:
        _apply_choice(recording, member)


def _apply_choice(recording: Recording, member: Member) -> None:
    """A table's choice is that of a person. A recording that cannot be used stays out of builds, and says why."""
    if member.in_builds is not None and recording.is_usable:
        with suppress(ActionRefused):
            set_active(recording, member.in_builds)
