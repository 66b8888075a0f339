"""Set and restore the transcripts of many recordings: those that a preview of a table recorded, or a repair."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audio.findings.thresholds import Thresholds
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_thresholds
from voices.models import BulkChange, BulkKind, Recording, Voice
from voices.services.recordings.bulk.changes import (
    BulkResult,
    find_changed_again,
    lock_change,
    query_locked,
    read_changes,
    split_ids,
)
from voices.services.recordings.bulk.parts import enqueue_rest
from voices.services.recordings.bulk.row_updates import update_rows
from voices.services.recordings.figures import FIGURES, SOURCES, set_figures
from voices.services.recordings.text_checks import check_transcript

# As in the form of one transcript.
MAX_TRANSCRIPT_LENGTH = 2000
TEXT_FIELDS = ("status", "transcript", "transcript_set_at", *SOURCES, *FIGURES)
CHECKED_FIELDS = ("findings", "measures", *FIGURES)


def apply_transcripts(change_id: UUID, voice: Voice, by: User) -> BulkResult:
    """Set the transcripts of a preview, where they are still as the preview showed them.

    Of a large table, the first part is set at once. A task sets the others.
    """
    with transaction.atomic():
        change = lock_change(change_id, voice, by)
        if change.kind != BulkKind.TRANSCRIPTS or change.applied_at:
            raise ActionRefused("These transcripts were set already. Nothing was changed.")
        planned = len(change.changes)
        set_part(change)
        changed = len(change.changes)
        following = enqueue_rest(change, is_changed=bool(changed))
    result = BulkResult(changed=changed, change=change if changed or following else None, following=following)
    result.skip("changed meanwhile", planned - changed)
    return result


def set_part(change: BulkChange) -> None:
    """Set the transcripts of this part. Afterwards its changes are those that were made."""
    written = _write_texts(change.voice, read_changes(change))
    change.changes = [one for one in change.changes if UUID(one["id"]) in written]
    change.applied_at = timezone.now()
    change.save(update_fields=["changes", "applied_at"])


def undo_transcripts(change: BulkChange) -> int:
    """Restore the transcripts that have not been changed since. Returns how many."""
    changed = find_changed_again(change)
    texts = {pk: (after, before) for pk, (before, after) in read_changes(change).items() if pk not in changed}
    return len(_write_texts(change.voice, texts, unset_since=change.applied_at))


def _write_texts(voice: Voice, texts: Mapping[UUID, tuple[str, str]], unset_since: datetime | None = None) -> set[UUID]:
    """Replace the first text of each recording by the second, and check it. Returns what changed.

    Other texts stay, and those that a person set after `unset_since`.
    """
    written, thresholds, now = set[UUID](), load_thresholds(), timezone.now()
    for chunk in split_ids(list(texts)):
        groups: defaultdict[tuple[str, ...], list[Recording]] = defaultdict(list)
        for row in query_locked(voice, chunk, *TEXT_FIELDS):
            if row.transcript != texts[row.pk][0] or _is_set_since(row, unset_since):
                continue
            row.transcript, row.checked_at = texts[row.pk][1], now
            groups[_check_row(row, voice.language, thresholds) if row.is_usable else ()].append(row)
        # Each row with only what changed of it: to write a column takes time in each of its indexes.
        for names, rows in sorted(groups.items(), key=lambda group: group[0]):
            update_rows(rows, ["transcript", "checked_at", *names])
            written.update(row.pk for row in rows)
    return written


def _is_set_since(row: Recording, time: datetime | None) -> bool:
    return bool(time and row.transcript_set_at and row.transcript_set_at > time)


def _check_row(row: Recording, language: str, thresholds: Thresholds) -> tuple[str, ...]:
    """Set the findings, measures and figures of the row's text. Returns the names of those that changed."""
    before = [getattr(row, name) for name in CHECKED_FIELDS]
    results = check_transcript(row, language, row.findings, row.measures, thresholds)
    row.findings, row.measures = results["findings"], results["measures"]
    set_figures(row)
    values = zip(CHECKED_FIELDS, before, strict=True)
    return tuple(name for name, value in values if getattr(row, name) != value)
