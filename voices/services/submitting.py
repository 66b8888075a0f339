"""Sending a build to its provider, and finding out what became of it when an answer was lost.

Nothing is ever sent twice: the journal notes each step that creates something before it is made, and a build whose
step is still noted when another worker takes it up is UNCONFIRMED until a look-up, or a person, has settled it.
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract
from consent.services import NotPossible, permission
from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import LEASE, Lease
from voicehub.secrets import SecretUnreadable
from voicehub.transitions import move
from voices.models import Build, BuildStatus, RemoteVoice
from voices.providers import registry
from voices.providers.base import Provider
from voices.providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderUnavailable,
    ResponseUnreadable,
)
from voices.providers.types import BuildReport, RemoteStatus, Tier
from voices.services.accounts import note_error
from voices.services.journal import BuildJournal, GateClosed
from voices.services.news import GONE, finish, retire, watch
from voices.services.spec import spec_of

TRY_AGAIN = timedelta(seconds=15)
AFTER_GIVING_UP = timedelta(hours=1)
LOOK_UPS = 2  # a list may lag, so that a voice is only taken for absent when it was looked for twice


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
        _unconfirmed(build, look_up_after=timedelta())
        return None
    if not taken_up and not move(build, BuildStatus.SUBMITTING, since=BuildStatus.QUEUED, submitted_at=timezone.now()):
        return None
    if reasons := _not_allowed(build):
        finish(build, BuildStatus.FAILED, issue=" ".join(reasons))
        return None
    return _send(build, lease)


def _not_allowed(build: Build) -> tuple[str, ...]:
    """The gate once more, now: a consent or a contract may have ended since the build was started."""
    account = build.remote_voice.account
    label = registry.label(account.provider)
    allowed = permission(build.voice.talent, account.provider, build.voice.purpose, provider_label=label)
    if allowed.given and not _rests_on_what_is_in_force(build):
        return ("The consent or the contract that the build was started with is not in force any more.",)
    return allowed.reasons


def _rests_on_what_is_in_force(build: Build) -> bool:
    """Whether the very consent and contract of the build still hold; newer ones beside them change nothing."""
    unexpired = Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate())
    consent = Consent.objects.filter(unexpired, pk=build.consent_id, status=ConsentStatus.APPROVED)
    return consent.exists() and Contract.objects.in_force().filter(pk=build.contract_id).exists()


def _send(build: Build, lease: Lease) -> timedelta | None:
    account = build.remote_voice.account
    try:
        with registry.open_provider(account) as provider:
            report = provider.submit(spec_of(build), BuildJournal(build, lease, _not_allowed))
    except GateClosed as closed:
        lease.extend()
        finish(build, BuildStatus.FAILED, issue=str(closed))
    except (ProviderError, SecretUnreadable) as error:
        lease.extend()  # what came of it is written only by the one whose task it still is
        note_error(account, error)
        return _came_to_nothing(build, error)
    else:
        lease.extend()
        note_error(account, None)
        _training(build, report)
    return None


def _came_to_nothing(build: Build, error: ProviderError | SecretUnreadable) -> timedelta | None:
    if isinstance(error, ProviderUnavailable | ResponseUnreadable):
        return _later(build, error)
    if isinstance(error, OutcomeUnknown):
        _unconfirmed(build, look_up_after=LEASE)
        return None
    gone = isinstance(error, NotFound) and bool(build.remote_voice.remote_id)
    if isinstance(error, NotFound):
        retire(build.remote_voice)  # deleted over there, so that the next build makes a new one
    finish(build, BuildStatus.FAILED, issue=GONE if gone else words(error), step="")
    return None


def words(error: Exception) -> str:
    """What staff are told: the provider's own words where it has some."""
    return f"{error.public} {error.detail}".strip() if isinstance(error, ProviderError) else str(error)


def _later(build: Build, error: ProviderError) -> timedelta:
    """Not done, and known not to be done: the whole is tried again in a while, and may be called off until then."""
    move(build, BuildStatus.QUEUED, since=BuildStatus.SUBMITTING, step="", doing=f"{error.public} Trying again.")
    wait = getattr(error, "retry_after", None)
    return timedelta(seconds=wait) if wait else TRY_AGAIN


def _unconfirmed(build: Build, *, look_up_after: timedelta) -> None:
    doing = "The answer was lost. Looking whether the provider has it."
    with transaction.atomic():
        if move(build, BuildStatus.UNCONFIRMED, doing=doing, looked_up=0):
            outbox.add("settle_build", build.pk, after=look_up_after)


def _training(build: Build, report: BuildReport) -> None:
    said: dict[str, Any] = {"raw_status": report.raw_status, "raw_answer": dict(report.raw)}
    with transaction.atomic():
        if move(build, BuildStatus.TRAINING, step="", doing="", training_at=timezone.now(), **said):
            watch(build)


def settle_build(build_id: str) -> timedelta | None:
    """Find out by looking whether the last step of an UNCONFIRMED build was done."""
    build = build_for_work(build_id)
    if build is None or build.status != BuildStatus.UNCONFIRMED:
        return None
    account = build.remote_voice.account
    try:
        with registry.open_provider(account) as provider:
            if not provider.tiers[Tier(build.remote_voice.tier)].can_find:
                return None  # a person has to look
            found = _look(build, provider)
    except (ProviderError, SecretUnreadable) as error:
        note_error(account, error)
        if isinstance(error, NotFound) and build.step == "build":
            return _came_to_nothing(build, error)
        return LEASE if isinstance(error, ProviderAuthError) else TRY_AGAIN
    if found is None:
        return _not_there(build)
    _there(build, found)
    return None


def _look(build: Build, provider: Provider) -> BuildReport | None:
    """What the provider has of the step: the voice by its name, or any sign that the build call moved it."""
    if build.step == "create":
        return provider.find_build(build.remote_voice.reference)
    report = provider.fetch_build(build.remote_voice.remote_id)
    return report if report.mark != build.mark or report.status is RemoteStatus.TRAINING else None


def _there(build: Build, report: BuildReport) -> None:
    if build.step == "create":
        _go_on(build, report.remote_id)
    else:
        _training(build, report)


def _not_there(build: Build) -> timedelta | None:
    if build.looked_up + 1 < LOOK_UPS:
        Build.objects.filter(pk=build.pk).update(looked_up=build.looked_up + 1)
        return LEASE
    _go_on(build, build.remote_voice.remote_id)
    return None


def _go_on(build: Build, remote_id: str, **fields: Any) -> bool:
    """What became of the step is known: send what is still to be sent. False when somebody else has settled it."""
    with transaction.atomic():
        moved = move(build, BuildStatus.QUEUED, since=BuildStatus.UNCONFIRMED, step="", doing="", looked_up=0, **fields)
        if moved:
            RemoteVoice.objects.filter(pk=build.remote_voice_id).update(remote_id=remote_id)
            outbox.add("submit_build", build.pk)
    return moved


def settle_by_hand(build: Build, by: User, remote_id: str) -> None:
    """A person has looked at the provider: it has what was being made, under `remote_id`, or not (an empty text).

    What was being made is the voice or, of a voice whose id we know, its build. Raises NotPossible.
    """
    remote_id, known = remote_id.strip(), build.remote_voice.remote_id
    if remote_id and known and remote_id != known:
        raise NotPossible(f"The voice that is being built has the id {known} there. Look at that one.")
    try:
        settled = _settled_by_hand(build, remote_id, f"Settled by {by}, who looked at the provider.")
    except IntegrityError:
        raise NotPossible("That id belongs to another voice of this account.") from None
    if not settled:
        raise NotPossible("This build is settled already.")


def _settled_by_hand(build: Build, remote_id: str, words: str) -> bool:
    if remote_id and build.step == "build":
        with transaction.atomic():
            moved = move(
                build,
                BuildStatus.TRAINING,
                since=BuildStatus.UNCONFIRMED,
                step="",
                doing="",
                training_at=timezone.now(),
                issue=words,
            )
            if moved:
                watch(build)
        return moved
    return _go_on(build, remote_id or build.remote_voice.remote_id, issue=words)


def submit_given_up(build_id: str) -> None:
    """Sending failed again and again on our side: nobody shall wait for it, and no step in doubt be forgotten."""
    build = build_for_work(build_id)
    if build is None:
        return
    if build.status == BuildStatus.SUBMITTING and build.step:
        _unconfirmed(build, look_up_after=timedelta())
    elif build.status in (BuildStatus.QUEUED, BuildStatus.SUBMITTING):
        told = "Something failed on our side, again and again. An admin finds the reason among the tasks."
        finish(build, BuildStatus.FAILED, issue=told)


def delete_remote_voice(remote_voice_id: str) -> timedelta | None:
    """Delete a retired remote voice at its provider, however often that has to be tried."""
    remote = RemoteVoice.objects.select_related("account").filter(pk=remote_voice_id, deleted_at=None).first()
    if remote is None or not remote.remote_id:
        return None
    try:
        with registry.open_provider(remote.account) as provider:
            provider.delete_voice(remote.remote_id)
    except (ProviderError, SecretUnreadable) as error:
        note_error(remote.account, error)
        return timedelta(minutes=10)
    remote.deleted_at = timezone.now()
    remote.save(update_fields=["deleted_at"])
    return None
