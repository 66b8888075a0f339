"""Repair of transcripts: what is certainly wrong is put right on request, with the undo of the bulk actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audio.analysis.transcript_repair import REPAIRABLE_CODES, repair_transcript
from voicehub.models import User
from voices.models import RecordingStatus, Voice
from voices.models.voice import NEEDS_REVIEW
from voices.services.recordings.bulk.changes import BulkResult
from voices.services.recordings.bulk.parts import record_parts
from voices.services.recordings.bulk.transcripts import MAX_TRANSCRIPT_LENGTH, apply_transcripts

HAS_REPAIRABLE_CODE = reduce(or_, (Q(warning_codes__contains=code) for code in REPAIRABLE_CODES))


@dataclass(frozen=True, slots=True)
class Repair:
    """A transcript as it is, and as its repair leaves it."""

    id: UUID
    file_name: str
    before: str
    after: str


def find_repairs(voice: Voice) -> list[Repair]:
    """The transcripts of this voice that a repair changes, in the order of their file names."""
    return list(_iterate_repairs(voice, Q()))


def has_repairs(voice: Voice) -> bool:
    return any(True for _repair in _iterate_repairs(voice, Q()))


def _iterate_repairs(voice: Voice, condition: Q) -> Iterator[Repair]:
    rows = voice.recordings.filter(NEEDS_REVIEW, HAS_REPAIRABLE_CODE, condition, status=RecordingStatus.ACCEPTED)
    for pk, name, before in rows.order_by("file_name", "pk").values_list("pk", "file_name", "transcript"):
        after = repair_transcript(before)
        if after and after != before and len(after) <= MAX_TRANSCRIPT_LENGTH:
            yield Repair(pk, name, before, after)


def repair_transcripts(voice: Voice, by: User, recording: UUID | None = None) -> BulkResult:
    """Repair one transcript, or all that a repair changes. The result can be undone as one change.

    Of many, the first part is repaired at once. A task repairs the others.
    """
    condition = Q(pk=recording) if recording else Q()
    with transaction.atomic():
        repairs = _iterate_repairs(voice, condition)
        changes = [{"id": one.id.hex, "before": one.before, "after": one.after} for one in repairs]
        change = record_parts(voice, by, changes)
        return apply_transcripts(change.pk, voice, by) if change else BulkResult()
