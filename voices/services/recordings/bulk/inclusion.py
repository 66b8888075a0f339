"""Include many recordings in builds, or exclude them, by the choice of a person. Check many recordings again."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction

from voicehub import outbox
from voicehub.models import User
from voices.models import BulkChange, BulkKind, InclusionSource, Recording, RecordingStatus, Voice
from voices.services.recordings.bulk.changes import (
    GONE,
    NOT_USABLE,
    BulkResult,
    find_changed_again,
    query_locked,
    read_changes,
    record_change,
    split_ids,
)
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK
from voices.services.refused_recordings import note_refusals

DECISION_FIELDS = ("active", "active_by", "exclusion_code")


def include_recordings(voice: Voice, ids: Sequence[UUID], by: User) -> BulkResult:
    """Put these recordings in builds. One that no account can use stays out, as with the switch of its row."""
    return _decide(voice, ids, by, BulkKind.INCLUDE)


def leave_out_recordings(voice: Voice, ids: Sequence[UUID], by: User) -> BulkResult:
    return _decide(voice, ids, by, BulkKind.LEAVE_OUT)


def _decide(voice: Voice, ids: Sequence[UUID], by: User, kind: BulkKind) -> BulkResult:
    result, active = BulkResult(), kind == BulkKind.INCLUDE
    changes: list[dict[str, str]] = []
    with transaction.atomic():
        for chunk in split_ids(ids):
            rows = list(query_locked(voice, chunk, "status", *DECISION_FIELDS))
            result.skip(GONE, len(chunk) - len(rows))
            chosen = _choose_rows(rows, active, result)
            changes += [{"id": row.pk.hex, "before": _code_decision(row), "after": ""} for row in chosen]
            Recording.objects.filter(pk__in=[row.pk for row in chosen]).update(**_make_choice(active))
        result.changed = len(changes)
        result.change = record_change(voice, by, kind, changes)
    return result


def _make_choice(active: bool) -> dict[str, Any]:
    return {"active": active, "active_by": InclusionSource.PERSON, "exclusion_code": ""}


def _choose_rows(rows: Iterable[Recording], active: bool, result: BulkResult) -> list[Recording]:
    """The rows that this choice changes. The others are counted in the result."""
    chosen = []
    for row in rows:
        if not row.is_usable:
            result.skip(NOT_USABLE)
        elif row.active == active:
            result.skip("already in builds" if active else "already excluded")
        else:
            chosen.append(row)
    return _drop_refused(chosen, result) if active else chosen


def _drop_refused(rows: list[Recording], result: BulkResult) -> list[Recording]:
    note_refusals(rows)
    allowed = [row for row in rows if not row.is_refused_everywhere]
    result.skip("refused by the provider", len(rows) - len(allowed))
    sources = set(Recording.objects.filter(source__in=[row.pk for row in allowed]).values_list("source", flat=True))
    result.skip("already split into clips", len(sources))
    return [row for row in allowed if row.pk not in sources]


def _code_decision(row: Recording) -> str:
    """Who has decided about the recording, and the code of the finding if it was a check."""
    return f"{row.active_by}:{row.exclusion_code}"


def _decode_decision(text: str, active: bool) -> dict[str, Any] | None:
    """The fields of a decision. None if it is none that the recording can have had."""
    source, _, code = text.partition(":")
    is_check = source == InclusionSource.CHECK
    if source not in InclusionSource.values or is_check != bool(code) or is_check and active:
        return None
    return {"active": active, "active_by": source, "exclusion_code": code}


def undo_decisions(change: BulkChange) -> int:
    """Restore the decisions that have not been changed since. Returns how many."""
    active = change.kind == BulkKind.INCLUDE
    changed = find_changed_again(change)
    before = sorted((text, pk) for pk, (text, _after) in read_changes(change).items() if pk not in changed)
    restored = 0
    for decision, group in groupby(before, key=lambda pair: pair[0]):
        fields = _decode_decision(decision, not active)
        for chunk in split_ids([pk for _decision, pk in group]) if fields else ():
            rows = change.voice.recordings.filter(pk__in=chunk, status=RecordingStatus.ACCEPTED, **_make_choice(active))
            restored += rows.exclude(active_set_at__gt=change.applied_at).update(**(fields or {}))
    if change.voice.recordings.filter(checked_at__gte=change.applied_at).exists():
        # Checks have passed over these recordings, because a person had decided.
        outbox.enqueue_task(COMPARE_TASK, change.voice_id)
    return restored


def recheck_recordings(voice: Voice, ids: Sequence[UUID]) -> BulkResult:
    """Enqueue the analysis of these recordings. Those that wait for theirs are not enqueued twice."""
    result = BulkResult()
    with transaction.atomic():
        for chunk in split_ids(ids):
            rows = list(query_locked(voice, chunk, "status", "analyzed_at"))
            result.skip(GONE, len(chunk) - len(rows))
            result.skip(NOT_USABLE, sum(not row.is_usable for row in rows))
            result.skip("being checked already", sum(row.is_usable and row.analyzed_at is None for row in rows))
            analyzed = [row.pk for row in rows if row.is_usable and row.analyzed_at]
            result.changed += Recording.objects.filter(pk__in=analyzed).update(analyzed_at=None)
        if result.changed or result.skipped["being checked already"]:
            outbox.enqueue_task(ANALYZE_TASK, voice.pk)
    return result
