"""Sending a build to its provider.

Nothing is ever sent twice: the journal notes each step that creates something before it is made, and a build whose
step is still noted when another worker takes it up is UNCONFIRMED until it is settled (see `reconcile`).
"""

from datetime import timedelta
from functools import partial

from audio.findings.findings import Refused
from providers.errors import CallFailure
from voicehub.outbox import Lease
from voices.models import Account, Build, BuildStatus
from voices.services.accounts import AccountPaused, open_session
from voices.services.builds import lifecycle
from voices.services.builds.dataset import pack_upload
from voices.services.builds.journal import BuildJournal, GateClosed
from voices.services.builds.lifecycle import (
    find_build_with_relations,
    mark_training,
    mark_unconfirmed,
    set_final_status,
)
from voices.services.builds.recheck import check_gate_again
from voices.services.builds.spec import FileChanged, make_build_spec


def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    """Send a build, or go on where a worker stopped. Returns the time after which to try again, if any."""
    build = find_build_with_relations(build_id)
    if build is None:
        return None
    taken_up = build.status == BuildStatus.SUBMITTING
    if taken_up and build.pending_call:
        mark_unconfirmed(build, lookup_after=timedelta())
        return None
    if not taken_up and not lifecycle.begin_submit(build):
        return None
    if reasons := check_gate_again(build):
        set_final_status(build, BuildStatus.FAILED, issue=" ".join(reasons))
        return None
    return _send_build(build, lease)


def _find_objections(build: Build) -> tuple[str, ...]:
    """The gate, asked while a build is sent. Raises AccountPaused when somebody has stopped the account meanwhile."""
    if paused := Account.objects.filter(pk=build.remote_voice.account_id, paused_at__isnull=False).first():
        raise AccountPaused(paused)
    return check_gate_again(build)


def _send_build(build: Build, lease: Lease) -> timedelta | None:
    account = build.remote_voice.account
    try:
        with open_session(account) as provider:
            spec = make_build_spec(build, partial(pack_upload, heartbeat=lease.extend))
            report = provider.submit_build(spec, BuildJournal(build, lease, _find_objections))
    except (GateClosed, Refused, FileChanged) as closed:
        lease.extend()
        set_final_status(build, BuildStatus.FAILED, issue=str(closed))
    except CallFailure as failure:
        lease.extend()  # what came of it is written only by the one whose task it still is
        return lifecycle.handle_call_failure(build, failure)
    else:
        lease.extend()
        mark_training(build, report)
    return None


def handle_submit_failure(build_id: str) -> None:
    """Sending failed again and again on our side: nobody shall wait for it, and no step in doubt be forgotten."""
    build = find_build_with_relations(build_id)
    if build is None:
        return
    if build.status == BuildStatus.SUBMITTING and build.pending_call:
        mark_unconfirmed(build, lookup_after=timedelta())
    elif build.status in (BuildStatus.QUEUED, BuildStatus.SUBMITTING):
        told = "Something failed on our side, again and again. An admin finds the reason among the tasks."
        set_final_status(build, BuildStatus.FAILED, issue=told)
