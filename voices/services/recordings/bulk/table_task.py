"""The task that sets or restores the parts of large tables of transcripts, after the first part."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import Lease, PermanentFailure
from voicehub.text import format_count
from voices import access
from voices.models import BulkChange, Voice
from voices.services.recordings.bulk.parts import count_recordings, is_due, list_due, load_tables
from voices.services.recordings.bulk.transcripts import set_part, undo_transcripts
from voices.services.recordings.store import COMPARE_TASK

PERMISSION = "voices.change_recording"


def finish_tables(voice_id: str, lease: Lease) -> None:
    """Set or restore what is left of each table of the voice, and have the recordings compared.

    A person who may not change the recordings anymore changes none. What their table would still change is dropped.
    """
    voice = Voice.objects.get(pk=voice_id)
    refused = [text for parts in load_tables(voice) if (text := _finish_table(voice, parts, lease))]
    outbox.enqueue_task(COMPARE_TASK, voice.pk)
    if refused:
        raise PermanentFailure(" ".join(refused))


def _finish_table(voice: Voice, parts: Sequence[BulkChange], lease: Lease) -> str:
    """Why the rest of this table is dropped. Empty if it is finished."""
    first, due = parts[0], list_due(parts)
    for number, part in enumerate(due):
        lease.extend()
        if not _is_allowed(first.by_id, voice):
            return _drop_parts(first, due[number:])
        _finish_part(first.pk, part.pk)
    return ""


def _is_allowed(user_id: int, voice: Voice) -> bool:
    """Whether this person may change the recordings now. Permissions are read again for each part."""
    user = User.objects.get(pk=user_id)
    return user.has_perm(PERMISSION) and not access.are_recordings_closed(voice, user)


def _finish_part(first_id: UUID, part_id: UUID) -> None:
    """Bring a part in line with the first one, which is locked: an undo at this moment comes before or after."""
    with transaction.atomic():
        rows = BulkChange.objects.select_for_update(of=("self",))
        first, part = rows.defer("changes").get(pk=first_id), rows.select_related("voice").get(pk=part_id)
        if not is_due(first, part):
            return
        if first.undone_at is None:
            set_part(part)
        else:
            undo_transcripts(part)
            part.undone_at = timezone.now()
            part.save(update_fields=["undone_at"])


def _drop_parts(first: BulkChange, due: Sequence[BulkChange]) -> str:
    text = format_count(count_recordings(due), "transcript of a table was", "transcripts of a table were")
    BulkChange.objects.filter(pk__in=[part.pk for part in due]).delete()
    act = "restored" if first.undone_at else "set"
    return f"{text} not {act}: {first.by} no longer has permission to change these recordings."
