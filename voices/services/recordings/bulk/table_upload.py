"""Transcripts from text files that are uploaded beside recordings: tables, and one file for each clip."""

from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from audio.transcripts.cleaning import clean_text
from audio.transcripts.names import CLIP_TEXT_SUFFIX
from audio.transcripts.rows import DELIMITERS
from voicehub.csv_tables import read_text
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.upload_limits import TRANSCRIPT_TABLE_BYTES
from voices.models import Recording, Voice
from voices.services.recordings.bulk.changes import BulkResult
from voices.services.recordings.bulk.table_preview import TEXT_TOO_LONG, RowIndex, TablePreview, preview_table
from voices.services.recordings.bulk.transcripts import MAX_TRANSCRIPT_LENGTH, apply_transcripts
from voices.services.recordings.store import set_transcript

IN_DOUBT = (
    "It is not certain which column of the table has the transcripts, so none was set. Choose the table under “Set "
    "transcripts from a table”, which shows its columns."
)


@dataclass(slots=True)
class FilledTranscripts:
    """What a text file set: `changed` and `unchanged` transcripts, and a sentence on each line that fits nothing."""

    changed: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


def fill_transcripts(voice: Voice, file: "UploadedFile[Any]", by: User) -> FilledTranscripts:
    """Set the transcripts of a table, or that of the clip with the name of a text file.

    Raises ActionRefused if the file has no transcripts, or if it is in doubt which column has them.
    """
    data = bytes(file.read(TRANSCRIPT_TABLE_BYTES + 1))
    if clip := _find_clip(voice, file.name or "", data):
        return _fill_clip(clip, data)
    ids = list(voice.recordings.values_list("pk", flat=True))
    with transaction.atomic():
        preview = preview_table(voice, ids, data, by)
        if not preview.table.columns.is_certain:
            raise ActionRefused(IN_DOUBT)
        result = apply_transcripts(preview.change.pk, voice, by) if preview.change else BulkResult()
    return FilledTranscripts(result.changed + result.following, preview.unchanged, _list_problems(preview))


def _find_clip(voice: Voice, name: str, data: bytes) -> Recording | None:
    """The recording whose text this file is: of the same name, with a text without columns."""
    if not name.lower().endswith(CLIP_TEXT_SUFFIX) or any(mark.encode() in data for mark in DELIMITERS[:2]):
        return None
    found = RowIndex(voice.recordings.only("file_name", "transcript")).find(name[: -len(CLIP_TEXT_SUFFIX)])
    return found[0] if len(found) == 1 else None


def _fill_clip(clip: Recording, data: bytes) -> FilledTranscripts:
    text = clean_text(read_text(data))
    if not text:
        raise ActionRefused("The file has no text.")
    if len(text) > MAX_TRANSCRIPT_LENGTH:
        raise ActionRefused(f"{TEXT_TOO_LONG}.")
    if text == clip.transcript:
        return FilledTranscripts(unchanged=1)
    set_transcript(Recording.objects.select_related("voice").get(pk=clip.pk), text)
    return FilledTranscripts(changed=1)


def _list_problems(preview: TablePreview) -> list[str]:
    """A sentence on each line that changes nothing although it should."""
    lines = sorted((line.number, line.name, reason) for reason, lines in preview.unused for line in lines)
    return [
        f"Line {number}, {name[:80] or 'without a name'}: {reason[0].lower()}{reason[1:]}."
        for number, name, reason in lines
    ]
