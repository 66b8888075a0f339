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
from voices.services.accounts import AccountPaused, conversation
from voices.services.builds import lifecycle
from voices.services.builds.dataset import pack
from voices.services.builds.journal import BuildJournal, GateClosed
from voices.services.builds.lifecycle import build_for_work, finish, training, unconfirmed
from voices.services.builds.recheck import not_allowed
from voices.services.builds.spec import FileChanged, spec_of


def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    """Send a build, or go on where a worker stopped. Returns the time after which to try again, if any."""
    build = build_for_work(build_id)
    if build is None:
        return None
    taken_up = build.status == BuildStatus.SUBMITTING
    if taken_up and build.step:
        unconfirmed(build, look_up_after=timedelta())
        return None
    if not taken_up and not lifecycle.begin_submit(build):
        return None
    if reasons := not_allowed(build):
        finish(build, BuildStatus.FAILED, issue=" ".join(reasons))
        return None
    return _send(build, lease)


def _objections(build: Build) -> tuple[str, ...]:
    """The gate, asked while a build is sent. Raises AccountPaused when somebody has stopped the account meanwhile."""
    if paused := Account.objects.filter(pk=build.remote_voice.account_id, paused_at__isnull=False).first():
        raise AccountPaused(paused)
    return not_allowed(build)


def _send(build: Build, lease: Lease) -> timedelta | None:
    account = build.remote_voice.account
    try:
        with conversation(account) as provider:
            spec = spec_of(build, partial(pack, beat=lease.extend))
            report = provider.submit_build(spec, BuildJournal(build, lease, _objections))
    except (GateClosed, Refused, FileChanged) as closed:
        lease.extend()
        finish(build, BuildStatus.FAILED, issue=str(closed))
    except CallFailure as failure:
        lease.extend()  # what came of it is written only by the one whose task it still is
        return lifecycle.came_to_nothing(build, failure)
    else:
        lease.extend()
        training(build, report)
    return None


def submit_given_up(build_id: str) -> None:
    """Sending failed again and again on our side: nobody shall wait for it, and no step in doubt be forgotten."""
    build = build_for_work(build_id)
    if build is None:
        return
    if build.status == BuildStatus.SUBMITTING and build.step:
        unconfirmed(build, look_up_after=timedelta())
    elif build.status in (BuildStatus.QUEUED, BuildStatus.SUBMITTING):
        told = "Something failed on our side, again and again. An admin finds the reason among the tasks."
        finish(build, BuildStatus.FAILED, issue=told)
