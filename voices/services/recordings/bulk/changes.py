"""What the actions on many recordings share: work in chunks, their result, and the row from which they are undone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import UNDO_TIME
from voices.models import BulkChange, BulkKind, Recording, Voice

FINISH_TASK = "finish_bulk_change"
# Recordings that one statement reads or writes. SQLite takes at most 999 values in some of its builds.
CHUNK_SIZE = 500
# Kinds of change that set the same value of a recording.
SAME_VALUE = ((BulkKind.INCLUDE, BulkKind.LEAVE_OUT), (BulkKind.TRANSCRIPTS,), (BulkKind.DELETION,))
GONE = "deleted meanwhile"
NOT_USABLE = "not usable"


@dataclass(slots=True)
class BulkResult:
    """How many recordings were changed, and how many were not for each reason. `change` can be undone.

    A task changes the `following` ones.
    """

    changed: int = 0
    following: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    change: BulkChange | None = None

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why recordings were not changed, with the number of each, the most frequent first."""
        return sorted(self.skipped.items(), key=lambda pair: (-pair[1], pair[0]))

    def skip(self, reason: str, count: int = 1) -> None:
        if count:
            self.skipped[reason] += count


def split_ids(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """The ids in chunks, in one order for everyone, so that two actions at once never wait for each other's rows."""
    ordered = sorted(ids)
    return (ordered[start : start + CHUNK_SIZE] for start in range(0, len(ordered), CHUNK_SIZE))


def query_locked(voice: Voice, ids: Sequence[UUID], *fields: str) -> QuerySet[Recording]:
    """These recordings of the voice, locked until the transaction ends, with only these fields loaded."""
    return voice.recordings.filter(pk__in=ids).select_for_update(of=("self",)).only("voice", *fields).order_by("pk")


def lock_recordings(voice: Voice, ids: Sequence[UUID], *fields: str) -> list[Recording]:
    """Lock these recordings in the order for everyone, before a transaction changes them in several steps."""
    return [row for chunk in split_ids(ids) for row in query_locked(voice, chunk, *fields)]


def record_change(voice: Voice, by: User, kind: BulkKind, changes: Sequence[Mapping[str, str]]) -> BulkChange | None:
    """Store what an action changed, in its transaction. None if it changed nothing."""
    if not changes:
        return None
    change = BulkChange.objects.create(voice=voice, by=by, kind=kind, changes=list(changes), applied_at=timezone.now())
    outbox.enqueue_task(FINISH_TASK, change.pk, after=UNDO_TIME)
    return change


def lock_change(change_id: UUID, voice: Voice, by: User) -> BulkChange:
    """The change of this person, locked until the transaction ends. Raises ActionRefused if its time has passed."""
    change = BulkChange.objects.select_for_update(of=("self",)).filter(pk=change_id, voice=voice).first()
    if change is None or change.is_expired or change.kind == BulkKind.DELETION:
        raise ActionRefused("This is no longer possible: the time limit is one hour. Nothing was changed.")
    if change.by_id != by.pk:
        raise ActionRefused(f"Only {change.by}, who started this, can do it. Nothing was changed.")
    if change.undone_at:
        raise ActionRefused("This is already undone. Nothing was changed.")
    return change


def read_changes(change: BulkChange) -> dict[UUID, tuple[str, str]]:
    """What each recording had before and after. Ids that are damaged are excluded."""
    return {pk: (one["before"], one["after"]) for one in change.changes if (pk := _read_id(one["id"]))}


def find_changed_again(change: BulkChange) -> set[UUID]:
    """The recordings that a later change of the same kind was about, also if it left the same value.

    The other parts of its table are about other recordings.
    """
    kinds = next(group for group in SAME_VALUE if change.kind in group)
    later = BulkChange.objects.filter(voice=change.voice_id, kind__in=kinds, applied_at__gt=change.applied_at)
    first = change.first_part_or_self_id
    others = later.filter(undone_at=None).exclude(pk=first).exclude(first_part=first)
    return {pk for one in others for pk in read_changes(one)}


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
