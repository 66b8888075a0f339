"""Recordings of a voice with the same sound, side by side, and the choice of the one that stays in builds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Recording, RecordingStatus, Voice
from voices.models.voice import BY_NAME, NEEDS_REVIEW
from voices.services.recordings.bulk.changes import BulkResult, lock_recordings
from voices.services.recordings.bulk.inclusion import include_recordings, leave_out_recordings
from voices.services.recordings.inclusion import COPY_CODES, get_sound_key, list_warning_codes

COPY_FIELDS = (
    *("voice", "file_name", "transcript", "status", "active", "seconds", "sample_rate", "levels"),
    *("set_findings", "quality", "created_at"),
)


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Recordings with the same sound, the oldest first."""

    rows: Sequence[Recording]

    @property
    def has_different_texts(self) -> bool:
        return len({row.transcript for row in self.rows}) > 1

    @property
    def is_settled(self) -> bool:
        """Whether only one of them is in builds."""
        return sum(row.active for row in self.rows) <= 1


def find_copies(voice: Voice) -> list[CopyGroup]:
    """The groups of copies in this voice. Groups with more than one recording in builds come first."""
    # Every member of a group has a finding whose code contains "same_sound". So have nearly equal ones: not copies.
    rows = voice.recordings.filter(
        NEEDS_REVIEW, BY_NAME, Q(warning_codes__contains="same_sound"), status=RecordingStatus.ACCEPTED
    )
    groups: dict[tuple[float, ...], list[Recording]] = defaultdict(list)
    for row in rows.only(*COPY_FIELDS).order_by("created_at", "pk"):
        if not COPY_CODES.isdisjoint(list_warning_codes(row.set_findings)):
            groups[get_sound_key(row)].append(row)
    found = [CopyGroup(group) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: group.is_settled)


def keep_copy(voice: Voice, recording: UUID, by: User) -> list[BulkResult]:
    """Keep this one of its copies in builds, and leave the others out. Each result can be undone.

    Raises ActionRefused if the recording has no copies anymore, or cannot stay.
    """
    with transaction.atomic():
        group = next((group for group in find_copies(voice) if any(row.pk == recording for row in group.rows)), None)
        if group is None:
            raise ActionRefused("This recording has no copies anymore. Reload the page to see what is left.")
        locked = {row.pk: row for row in lock_recordings(voice, [row.pk for row in group.rows], "status")}
        if recording not in locked or not locked[recording].is_usable:
            raise ActionRefused("This recording was deleted or cannot be used anymore. Reload the page.")
        others = [pk for pk in locked if pk != recording]
        kept = include_recordings(voice, [recording], by)
        if kept.skipped["refused by the provider"]:
            raise ActionRefused("Every provider refuses this recording, so it cannot stay. Keep another copy.")
        return [kept, leave_out_recordings(voice, others, by)]
