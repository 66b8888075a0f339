"""An uploaded archive: each file in it is taken in like one that was uploaded by itself."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.files import File

from audio.archives.read import Member, read_archive
from audio.findings.findings import make_finding
from audio.findings.thresholds import Thresholds
from audio.ingest import ingest_audio
from voicehub.models import User
from voicehub.threshold_overrides import load_thresholds
from voicehub.upload_limits import ARCHIVE_WAV_BYTES
from voices.models import Recording, Voice
from voices.services.recordings.store import CLIP_LIMITS, make_recording, set_transcript, store_recording


@dataclass(slots=True)
class ArchiveResult:
    """What became of an archive. `refused` are (name, finding) of files of which no sound could be made: these are
    told, not kept; `findings` are of the archive itself, which was refused as a whole if nothing else is there; `made`
    are the bytes of the WAVs that were made."""

    recordings: list[Recording] = field(default_factory=list)
    duplicate_count: int = 0
    refused: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    converted_bytes: int = 0


def add_archive(voice: Voice, file: "File[Any]", by: User) -> ArchiveResult:
    """Take in every recording of a .zip, .tar or .tar.gz, with the transcripts of its metadata.csv."""
    limits = load_thresholds()
    with tempfile.TemporaryDirectory(prefix="voicehub-archive-") as folder:
        archive = read_archive(
            cast(BinaryIO, file),
            folder=Path(folder),
            keep_refused=True,
            clip_limits=CLIP_LIMITS,
            thresholds=limits,
        )
        taken = ArchiveResult(findings=[one.as_dict() for one in archive.findings])
        for member in archive.members:
            _add_member(taken, voice, member, by, limits)
    return taken


def _add_member(taken: ArchiveResult, voice: Voice, member: Member, by: User, limits: Thresholds) -> None:
    # Looked for first: an archive that was cut off halfway is sent again, and to convert takes a while.
    if earlier := Recording.objects.filter(voice=voice, sha256=member.sha256).first():
        _count_duplicate(taken, earlier, member)
        return
    if taken.converted_bytes > ARCHIVE_WAV_BYTES:
        taken.refused.append((member.name, make_finding("archive_too_big", limit=ARCHIVE_WAV_BYTES >> 20).as_dict()))
        return
    assert member.path  # noqa: S101 - with keep_refused each has one
    with member.path.open("rb") as stored, ingest_audio(stored, CLIP_LIMITS, limits) as sound:
        if sound.inspection.header is None:
            taken.refused.append((member.name, sound.build_row_fields()["findings"][0]))
            return
        taken.converted_bytes += sound.wav_path.stat().st_size if sound.wav_path else 0
        file = File(stored, name=member.name)
        recording, new = store_recording(
            make_recording(voice, file, sound, by, member.transcript), file, sound.wav_path
        )
    if new:
        taken.recordings.append(recording)
    else:
        _count_duplicate(taken, recording, member)


def _count_duplicate(taken: ArchiveResult, recording: Recording, member: Member) -> None:
    taken.duplicate_count += 1
    if member.transcript and not recording.transcript:
        set_transcript(recording, member.transcript)
