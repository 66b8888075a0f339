"""Sending a build to its provider.

Nothing is ever sent twice: the journal notes each step that creates something before it is made, and a build whose
step is still noted when another worker takes it up is UNCONFIRMED until it is settled (voices.services.settling).
"""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from voicehub import outbox
from voicehub.audio.findings import Refused
from voicehub.outbox import LEASE, Lease
from voicehub.secrets import SecretUnreadable
from voicehub.transitions import move
from voices.models import Account, Build, BuildStatus
from voices.providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderUnavailable,
    ResponseUnreadable,
)
from voices.providers.tolerant import to_keep
from voices.providers.types import BuildReport
from voices.services.accounts import WHILE_PAUSED, AccountPaused, conversation, words
from voices.services.datasets import pack
from voices.services.gate import not_allowed
from voices.services.journal import BuildJournal, GateClosed
from voices.services.news import GONE, finish, retire, seen, watch
from voices.services.spec import FileChanged, spec_of

TRY_AGAIN = timedelta(seconds=15)
AFTER_GIVING_UP = timedelta(hours=1)


def build_for_work(build_id: str) -> Build | None:
    related = ("voice__talent", "remote_voice__account", "consent__take", "contract")
    return Build.objects.select_related(*related).filter(pk=build_id).first()


def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    """Send a build, or go on where a worker stopped. Returns the time after which to try again, if any."""
    build = build_for_work(build_id)
    if build is None:
        return None
    taken_up = build.status == BuildStatus.SUBMITTING
    if taken_up and build.step:
        unconfirmed(build, look_up_after=timedelta())
        return None
    if not taken_up and not move(build, BuildStatus.SUBMITTING, since=BuildStatus.QUEUED, submitted_at=timezone.now()):
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
            report = provider.submit(spec, BuildJournal(build, lease, _objections))
    except AccountPaused as paused:
        return _waits(build, paused)
    except (GateClosed, Refused, FileChanged) as closed:
        lease.extend()
        finish(build, BuildStatus.FAILED, issue=str(closed))
    except (ProviderError, SecretUnreadable) as error:
        lease.extend()  # what came of it is written only by the one whose task it still is
        return came_to_nothing(build, error)
    else:
        lease.extend()
        training(build, report)
    return None


def _waits(build: Build, paused: AccountPaused) -> timedelta:
    """Nothing was sent; it goes on by itself when the account works again, and may be called off until then."""
    move(build, BuildStatus.QUEUED, since=BuildStatus.SUBMITTING, step="", doing=f"Waits. {paused}"[:120])
    return WHILE_PAUSED


def came_to_nothing(build: Build, error: ProviderError | SecretUnreadable) -> timedelta | None:
    if isinstance(error, ProviderUnavailable | ResponseUnreadable):
        return _later(build, error)
    if isinstance(error, ProviderAuthError | SecretUnreadable):
        return _waits(build, AccountPaused(Account.objects.get(pk=build.remote_voice.account_id)))
    if isinstance(error, OutcomeUnknown):
        unconfirmed(build, look_up_after=LEASE)
        return None
    gone = isinstance(error, NotFound) and bool(build.remote_voice.remote_id)
    if isinstance(error, NotFound):
        retire(build.remote_voice)  # deleted over there, so that the next build makes a new one
    finish(build, BuildStatus.FAILED, issue=GONE if gone else words(error), step="")
    return None


def _later(build: Build, error: ProviderError) -> timedelta:
    """Not done, and known not to be done: the whole is tried again in a while, and may be called off until then."""
    move(build, BuildStatus.QUEUED, since=BuildStatus.SUBMITTING, step="", doing=f"{error.public} Trying again.")
    wait = getattr(error, "retry_after", None)
    return timedelta(seconds=wait) if wait else TRY_AGAIN


def unconfirmed(build: Build, *, look_up_after: timedelta) -> None:
    doing = "The answer was lost. Looking whether the provider has it."
    with transaction.atomic():
        if move(build, BuildStatus.UNCONFIRMED, doing=doing, looked_up=0):
            outbox.add("settle_build", build.pk, after=look_up_after)


def training(build: Build, report: BuildReport) -> None:
    said: dict[str, Any] = {
        "raw_status": report.raw_status,
        "raw_answer": to_keep(report.raw),
        "samples": [asdict(sample) for sample in report.samples],
    }
    with transaction.atomic():
        now = timezone.now()
        if move(build, BuildStatus.TRAINING, step="", doing="", kept="", looked_up=0, training_at=now, **said):
            seen(build.remote_voice, report)
            watch(build)


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
