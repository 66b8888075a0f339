"""Send a build to its provider.

Nothing is sent twice: the journal records each call that creates something before it is made. If another worker takes
over a build with a pending call, the build is UNCONFIRMED until it is resolved (see `reconcile`).
"""

from datetime import timedelta
from functools import partial

from django.utils import timezone

from audio.findings.findings import FileRefused
from providers.errors import CallFailure
from providers.types import Handover
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease, LeaseLost
from voicehub.retry_policy import DELETION_AFTER_SUBMIT
from voices.models import Account, Build, BuildStatus, WorkKind
from voices.services.accounts import AccountPaused, open_session
from voices.services.builds import lifecycle
from voices.services.builds.dataset import pack_upload
from voices.services.builds.journal import BuildJournal, GateClosed
from voices.services.builds.lengths import find_length_objection
from voices.services.builds.lifecycle import (
    find_build_with_relations,
    mark_training,
    mark_unconfirmed,
    set_final_status,
)
from voices.services.builds.recheck import adopt_replacements, check_gate_again
from voices.services.builds.spec import FileChanged, make_build_spec
from voices.services.uploaders import is_consent_exempt
from voices.services.work_samples import make_sending_key, record_work

# With these, recordings are sent one by one.
COUNTED_HANDOVERS = (Handover.RECORDINGS, Handover.FILE_IDS)
DELETION_TASKS = ("delete_remote_voice", "delete_remote_files")


def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    """Send a build, or resume where a worker stopped. Returns the delay before the next attempt, if any."""
    build = find_build_with_relations(build_id)
    if build is None:
        return None
    is_taken_over = build.status == BuildStatus.SUBMITTING
    if is_taken_over and build.pending_call:
        mark_unconfirmed(build, lookup_after=timedelta())
        return None
    is_first_attempt = build.submitted_at is None
    if not is_taken_over and not lifecycle.begin_submit(build):
        return None
    if reasons := check_gate_again(build):
        set_final_status(build, BuildStatus.FAILED, issue=" ".join(reasons))
        return None
    if is_first_attempt:
        if objection := find_length_objection(build):
            set_final_status(build, BuildStatus.FAILED, issue=objection)
            return None
        adopt_replacements(build)
    delay = _send_build(build, lease)
    if is_first_attempt:  # an attempt that resumes another one sends only the rest
        _record_sending(build)
    _hasten_deletion(build)
    return delay


def _hasten_deletion(build: Build) -> None:
    """If the build was withdrawn, its deletion waits for this worker. Let it go on once the task has ended."""
    if not Build.objects.filter(pk=build.pk, status=BuildStatus.WITHDRAWN).exists():
        return
    waiting = Task.objects.filter(object_id=str(build.remote_voice_id), status=TaskStatus.WAITING)
    for kind in waiting.filter(kind__in=DELETION_TASKS).values_list("kind", flat=True):
        outbox.enqueue_task(kind, build.remote_voice_id, after=DELETION_AFTER_SUBMIT)


def _find_objections(build: Build) -> tuple[str, ...]:
    """Check the gate while a build is sent. Raises AccountPaused if the account was paused meanwhile."""
    if paused := Account.objects.filter(pk=build.remote_voice.account_id, paused_at__isnull=False).first():
        raise AccountPaused(paused)
    return check_gate_again(build)


def _send_build(build: Build, lease: Lease) -> timedelta | None:
    account = build.remote_voice.account
    try:
        with open_session(account) as provider:
            spec = make_build_spec(build, partial(pack_upload, heartbeat=lease.extend))
            is_exempt = is_consent_exempt(account, build.remote_voice.capabilities)
            Build.objects.filter(pk=build.pk).update(is_consent_exempt=is_exempt)
            report = provider.submit_build(spec, BuildJournal(build, lease, _find_objections))
    except (GateClosed, FileRefused, FileChanged) as refusal:
        lease.extend()
        set_final_status(build, BuildStatus.FAILED, issue=str(refusal))
        lifecycle.clear_pending_call(build)  # the call was not made, or it was cut off before its last byte
    except CallFailure as failure:
        lease.extend()  # only the worker that holds the lease records the result
        return lifecycle.handle_call_failure(build, failure)
    except LeaseLost:
        # If the build was withdrawn, this worker still has its task: end it, because the deletion of the files waits.
        if not Build.objects.filter(pk=build.pk, status=BuildStatus.WITHDRAWN).exists():
            raise
    else:
        lease.extend()
        mark_training(build, report)
    return None


def _record_sending(build: Build) -> None:
    if build.status != BuildStatus.TRAINING or build.submitted_at is None:
        return
    count = build.recordings.count() if build.handover in COUNTED_HANDOVERS else 0
    seconds = (timezone.now() - build.submitted_at).total_seconds()
    record_work(WorkKind.SENDING, make_sending_key(build), seconds, count)


def handle_submit_failure(build_id: str) -> None:
    """Called when the task failed repeatedly. Fail the build, or mark it UNCONFIRMED if a call may have been made."""
    build = find_build_with_relations(build_id)
    if build is None:
        return
    if build.status == BuildStatus.SUBMITTING and build.pending_call:
        mark_unconfirmed(build, lookup_after=timedelta())
    elif build.status in (BuildStatus.QUEUED, BuildStatus.SUBMITTING):
        message = "VoiceHub could not send this build. Ask an admin to look up the reason under Tasks."
        set_final_status(build, BuildStatus.FAILED, issue=message)
