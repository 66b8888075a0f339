"""What can become of a build, and of the remote voice that it makes."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from providers import registry
from providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderUnavailable,
    ResponseUnreadable,
)
from providers.parsing import to_keep
from providers.types import BuildReport, Tier, Visibility
from voicehub import outbox
from voicehub.encryption import SecretUnreadable
from voicehub.outbox import LEASE
from voicehub.transitions import move
from voices.models import Account, Build, BuildStatus, Preview, RemoteVoice
from voices.services.accounts import WHILE_PAUSED, AccountPaused, words

GONE = (
    "The provider no longer has this voice under this account's key: it was deleted there, or the key is of another "
    "account. The next build makes it anew."
)
SLOWEST = timedelta(minutes=10)

LOOK_UPS = 2  # a list may lag, so that a voice is only taken for absent when it was looked for twice

PUBLIC = "The provider shows this voice to everybody, though it was made private. Make it private, or delete it."

STILL_THERE = "The provider says that it has deleted this voice, and still shows it."


def watch(build: Build) -> None:
    """Have the provider asked about a build that trains."""
    outbox.add("refresh_build", build.pk, after=pause(build))


def pause(build: Build) -> timedelta:
    """How long to wait before asking again: the tier's own pace, and ever slower when it takes long."""
    provider = registry.provider_class(build.remote_voice.account.provider)
    pace = timedelta(seconds=provider.tiers[Tier(build.remote_voice.tier)].poll_seconds)
    age = timezone.now() - (build.training_at or timezone.now())
    return max(pace, min(age / 20, SLOWEST))


def finish(build: Build, to: BuildStatus, **fields: Any) -> None:
    """The build is over. A remote voice whose consent was refused is of no more use: it is retired and deleted."""
    with transaction.atomic():
        now = timezone.now()
        if not move(build, to, finished_at=now, doing="", **fields):
            return
        if to == BuildStatus.READY:
            samples_later(build)
        if to == BuildStatus.CONSENT_REJECTED:
            retire(build.remote_voice)
            outbox.add("delete_remote_voice", build.remote_voice_id)


def seen(remote: RemoteVoice, report: BuildReport) -> None:
    """Write down how the voice stands over there; an alarm where others may use it, or where it should be gone."""
    remote.name, remote.raw_status = report.name[:256], report.raw_status
    remote.raw_answer, remote.seen_at = to_keep(report.raw), timezone.now()
    if report.visibility is not None:
        remote.visibility = report.visibility
        if report.visibility is Visibility.PRIVATE:
            remote.made_public_by = None  # whoever makes it public from now on is another
        remote.alarm = PUBLIC if report.visibility is Visibility.PUBLIC and not remote.made_public_by_id else ""
    if remote.lingers:
        remote.alarm = STILL_THERE
    fields = ["name", "raw_status", "raw_answer", "seen_at", "visibility", "made_public_by", "alarm"]
    remote.save(update_fields=fields)


def samples_later(build: Build) -> None:
    """Have the samples fetched that the provider made of the new voice."""
    for sample in build.samples:
        preview = Preview.objects.create(
            remote_voice=build.remote_voice,
            build=build,
            text=sample["text"],
            title=sample["title"][:200],
            url=sample["url"],
        )
        outbox.add("make_preview", preview.pk)


def retire(remote: RemoteVoice) -> None:
    """This remote voice can be of no more use; the next build makes another one."""
    remote.retired_at = timezone.now()
    remote.save(update_fields=["retired_at"])


TRY_AGAIN = timedelta(seconds=15)


def build_for_work(build_id: str) -> Build | None:
    related = ("voice__talent", "remote_voice__account", "consent__take", "contract")
    return Build.objects.select_related(*related).filter(pk=build_id).first()


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
