"""Deletion of remote voices whose consent or contract has ended by date: planned, announced, then requested."""

from collections.abc import Callable
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from consent.models import Talent
from consent.services.coverage import Coverage, CoverageEnd, VoiceUse
from voicehub import outbox
from voicehub.models import Task, TaskStatus, User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import DELETION_GRACE
from voices.models import Build, BuildStatus, RemoteFile, RemoteVoice
from voices.models.build import ACTIVE_STATUSES
from voices.services.builds.lifecycle import withdraw_build
from voices.services.deletion import lock_voice, request_deletion_after_end, require_deletable
from voices.services.deletion_calls import is_on_hold
from voices.services.deletion_log import lock_consents

DELETION_TASK, FILE_TASK = "delete_remote_voice", "delete_remote_files"
SCHEDULE_TASK, NOTICE_TASK = "schedule_deletions", "send_deletion_notice"

# The fields of a plan or of a decision. All are empty while the voice is covered.
NO_PLAN = {
    "coverage_ended_on": None,
    "coverage_end_reason": "",
    "deletion_planned_at": None,
    "deletion_due_on": None,
    "deletion_needs_confirmation": False,
    "kept_at": None,
    "kept_by": None,
    "kept_reason": "",
}


def query_undeleted() -> QuerySet[RemoteVoice]:
    """Voices of talents that exist or may exist at the provider, and whose deletion is not requested.

    A voice that is deleted, or was never created, counts while files that were sent for it are there.
    """
    in_doubt = Q(status=BuildStatus.WITHDRAWN, pending_call="create")
    creating = Build.objects.filter(Q(status__in=ACTIVE_STATUSES) | in_doubt, remote_voice=OuterRef("pk"))
    files = RemoteFile.objects.open().filter(remote_voice=OuterRef("pk"), deletion_requested_at=None)
    may_exist = Q(deleted_at=None) & (~Q(remote_id="") | Exists(creating))
    is_requested = Q(deletion_requested_at__isnull=False, deleted_at=None)
    return RemoteVoice.objects.filter(may_exist | Exists(files), voice__isnull=False).exclude(is_requested)


def get_use(remote: RemoteVoice) -> VoiceUse:
    """The use that a consent and a contract must cover. The remote voice must belong to a voice."""
    voice = remote.voice
    if voice is None:
        raise ValueError("An unknown voice has no use.")
    return VoiceUse(voice.talent_id, remote.account.provider, voice.purpose)


def schedule_deletions() -> None:
    """Plan deletions of voices that are no longer covered, cancel the plans of covered ones, and request what is due.

    Two workers at once do no harm: each change locks the voice and checks again.
    """
    remotes = query_undeleted().select_related("account", "voice")
    coverage = Coverage(query_undeleted().values("voice__talent"))
    for remote in remotes.order_by("pk"):
        if _decide(remote, coverage):
            with transaction.atomic():
                _update_plan(remote)


def _decide(remote: RemoteVoice, coverage: Coverage) -> Callable[[RemoteVoice], None] | None:
    """The change that this voice needs now, if any. A voice that a person decides about is never planned."""
    use = get_use(remote)
    end = coverage.find_end(use)
    if remote.coverage_ended_on is None:
        return partial(_plan_deletion, end=end) if end else None
    if coverage.is_covered(use) or (end is None and remote.deletion_due_on):
        return _drop_plan
    if end is None or remote.deletion_due_on is None:
        return None
    if end.reason != remote.coverage_end_reason:  # the mail gave another reason, so the week starts again
        return partial(_plan_deletion, end=end)
    return _request_planned_deletion if is_due(remote) and not is_on_hold(remote) else None


def is_due(remote: RemoteVoice) -> bool:
    """Whether the day of the planned deletion has come, and the mail about it was enqueued a week ago."""
    planned_at, due_on = remote.deletion_planned_at, remote.deletion_due_on
    if planned_at is None or due_on is None:
        return False
    return due_on <= timezone.localdate() and planned_at + DELETION_GRACE <= timezone.now()


def _update_plan(remote: RemoteVoice) -> None:
    """Decide again with the voice locked, so that a build, a decision or another worker does not interfere."""
    locked = lock_remote(remote)
    change = _decide(locked, Coverage([get_use(locked).talent_id])) if locked else None
    if locked and change:
        change(locked)


def lock_remote(remote: RemoteVoice) -> RemoteVoice | None:
    """The voice as it is now, locked; None if its deletion is requested or done. Needs a transaction."""
    if remote.voice_id is None:
        return None
    lock_voice(remote)
    lock_consents(remote)
    list(Build.objects.select_for_update().active().filter(remote_voice=remote).order_by("pk").values_list("pk"))
    rows = query_undeleted().select_related("account", "voice__talent").select_for_update(of=("self",))
    return rows.filter(pk=remote.pk).first()


def _drop_plan(remote: RemoteVoice) -> None:
    RemoteVoice.objects.filter(pk=remote.pk).update(**NO_PLAN)


def _plan_deletion(remote: RemoteVoice, end: CoverageEnd) -> None:
    """Plan the deletion a week after the end, and never less than a week after the mail."""
    due_on = timezone.localdate() + DELETION_GRACE
    RemoteVoice.objects.filter(pk=remote.pk).update(
        coverage_ended_on=end.last_day,
        coverage_end_reason=end.reason,
        deletion_planned_at=timezone.now(),
        deletion_due_on=due_on,
    )
    outbox.enqueue_task(NOTICE_TASK, remote.pk)


def _request_planned_deletion(remote: RemoteVoice) -> None:
    _request_ended_deletion(remote, remote.coverage_end_reason, None)


def _request_ended_deletion(remote: RemoteVoice, reason: str, by: User | None) -> None:
    """Stop the builds and request the deletion, as a withdrawal does."""
    for build in Build.objects.active().filter(remote_voice=remote):
        withdraw_build(build, f"{remote.coverage_end_reason} VoiceHub deletes the voice at the provider.")
    request_deletion_after_end(remote, reason, by)


def confirm_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Delete a voice whose consent or contract had ended before an upgrade. Raises ActionRefused."""
    with transaction.atomic():
        locked = _lock_ended(remote)
        require_deletable(locked)
        RemoteVoice.objects.filter(pk=locked.pk).update(
            deletion_needs_confirmation=False, kept_at=None, kept_by=None, kept_reason=""
        )
        _request_ended_deletion(locked, reason, by)


def keep_voice(remote: RemoteVoice, by: User, reason: str) -> None:
    """Keep such a voice. Staff are asked again only after a consent and contract have covered it and ended again."""
    with transaction.atomic():
        locked = _lock_ended(remote)
        RemoteVoice.objects.filter(pk=locked.pk).update(
            deletion_needs_confirmation=False, kept_at=timezone.now(), kept_by=by, kept_reason=reason
        )


def _lock_ended(remote: RemoteVoice) -> RemoteVoice:
    locked = lock_remote(remote)
    if locked is None or not (locked.deletion_needs_confirmation or locked.kept_at):
        raise ActionRefused("This voice no longer needs a decision. Reload the page to see its status.")
    use = get_use(locked)
    if Coverage([use.talent_id]).is_covered(use):
        raise ActionRefused("A consent and a contract in force cover this voice again. It is kept.")
    return locked


def resume_deletions(talent: Talent) -> None:
    """Enqueue every deletion that the talent's legal hold stopped, in the caller's transaction."""
    tasks = Task.objects.filter(kind=DELETION_TASK, status=TaskStatus.WAITING)
    waiting = set(tasks.values_list("object_id", flat=True))
    for remote in RemoteVoice.objects.filter(voice__talent=talent, deleted_at=None):
        if remote.deletion_requested_at or str(remote.pk) in waiting:
            outbox.enqueue_task(DELETION_TASK, remote.pk)
    files = RemoteFile.objects.requested().filter(remote_voice__voice__talent=talent)
    for pk in files.values_list("remote_voice", flat=True).distinct():
        outbox.enqueue_task(FILE_TASK, pk)
    outbox.enqueue_task(SCHEDULE_TASK, "all")
