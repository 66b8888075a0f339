"""Open deletions of remote voices: to decide, planned, running, stopped by a legal hold, or decided against."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery

from consent.services.coverage import Coverage
from voices.models import RemoteFile, RemoteVoice
from voices.services.scheduled_deletion import get_use, query_undeleted

RELATED = ("account", "voice__talent__legal_hold_by", "kept_by", "deletion_requested_by", "deletion_assigned_to")


@dataclass(frozen=True, slots=True)
class OpenDeletions:
    """Each voice is in one list. Voices of a talent with a legal hold are only in `on_hold`.

    `alerts` lists, in addition, every voice with an alert, also if its deletion is not open. `files` lists each voice
    whose files are being deleted, also if the voice itself is deleted or was never created.
    """

    alerts: list[RemoteVoice] = field(default_factory=list)
    to_decide: list[RemoteVoice] = field(default_factory=list)
    planned: list[RemoteVoice] = field(default_factory=list)
    running: list[RemoteVoice] = field(default_factory=list)
    files: list[RemoteVoice] = field(default_factory=list)
    manual: list[RemoteVoice] = field(default_factory=list)
    on_hold: list[RemoteVoice] = field(default_factory=list)
    kept: list[RemoteVoice] = field(default_factory=list)

    @property
    def has_rows(self) -> bool:
        return any((self.to_decide, self.planned, self.running, self.files, self.manual, self.on_hold, self.kept))


def load_open_deletions(talents: Collection[UUID] | None = None) -> OpenDeletions:
    """All voices, or those of `talents`, whose deletion is open or was decided against.

    Three queries, however many voices there are.
    """
    deletions = OpenDeletions()
    is_ended = Q(Exists(query_undeleted().filter(pk=OuterRef("pk"))), coverage_ended_on__isnull=False)
    is_open = (Q(deletion_requested_at__isnull=False) | ~Q(alert="")) & Q(deleted_at=None)
    has_files = Exists(RemoteFile.objects.requested().filter(remote_voice=OuterRef("pk")))
    every_voice = RemoteVoice.objects.annotate(has_open_files=has_files, has_ended=is_ended, **_count_files())
    rows = every_voice.filter(is_open | Q(has_ended=True) | Q(has_open_files=True))
    rows = rows if talents is None else rows.filter(voice__talent__in=talents)
    related = rows.select_related(*RELATED).defer("raw_response")
    every_row = list(related.order_by("deletion_requested_at", "deletion_due_on", "checked_at", "pk"))
    deletions.files.extend(remote for remote in every_row if remote.has_open_files)
    deletions.alerts.extend(remote for remote in every_row if remote.alert or remote.file_alert)
    requested = [remote for remote in every_row if remote.is_being_deleted]
    for remote in [*requested, *_drop_covered([remote for remote in every_row if remote.has_ended])]:
        _choose_list(deletions, remote).append(remote)
    return deletions


def load_last_deleted(most: int) -> list[RemoteVoice]:
    """The voices whose deletion was confirmed last, newest first, without those whose files wait for a decision."""
    is_done = Q(deleted_at__isnull=False, deletion_requested_at__isnull=False, deletion_needs_confirmation=False)
    rows = RemoteVoice.objects.filter(is_done)
    return list(rows.select_related(*RELATED).defer("raw_response").order_by("-deleted_at", "pk")[:most])


def _count_files() -> dict[str, Subquery]:
    """Of each voice, the number of files whose deletion was requested, how many are deleted, and since when."""
    requested = RemoteFile.objects.filter(remote_voice=OuterRef("pk"), deletion_requested_at__isnull=False)
    counts = requested.order_by().values("remote_voice")
    return {
        "file_count": Subquery(counts.annotate(value=Count("pk")).values("value")),
        "deleted_file_count": Subquery(counts.annotate(value=Count("deleted_at")).values("value")),
        "files_requested_at": Subquery(counts.annotate(value=Max("deletion_requested_at")).values("value")),
    }


def is_deletion_planned(remote: RemoteVoice) -> bool:
    """Whether the voice is deleted on `deletion_due_on`, unless something covers it by then."""
    is_open = remote.deletion_due_on and not (remote.deletion_requested_at or remote.deleted_at)
    return bool(is_open and _drop_covered([remote]))


def _drop_covered(ended: Sequence[RemoteVoice]) -> list[RemoteVoice]:
    """The voices whose coverage has ended and that wait for a day or a decision. Those covered again are excluded."""
    coverage = Coverage({get_use(remote).talent_id for remote in ended})
    return [
        remote
        for remote in ended
        if not coverage.is_covered(get_use(remote))
        and (remote.deletion_due_on is None or coverage.find_end(get_use(remote)))
    ]


def _choose_list(deletions: OpenDeletions, remote: RemoteVoice) -> list[RemoteVoice]:
    if remote.kept_at and not remote.is_being_deleted:
        return deletions.kept
    if remote.is_on_hold:
        return deletions.on_hold
    if remote.is_being_deleted:
        return deletions.manual if remote.needs_manual_deletion else deletions.running
    return deletions.to_decide if remote.deletion_needs_confirmation else deletions.planned
