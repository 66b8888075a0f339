"""Finding out what became of a build when an answer was lost: by looking, or by asking a person who has looked."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from consent.services import NotPossible
from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import LEASE
from voicehub.secrets import SecretUnreadable
from voicehub.transitions import move
from voices.models import Build, BuildStatus, RemoteVoice
from voices.providers.base import Provider
from voices.providers.errors import NotFound, ProviderError
from voices.providers.types import BuildReport, Capabilities, RemoteStatus, Tier
from voices.services.accounts import WHILE_PAUSED, AccountPaused, conversation
from voices.services.news import finish, watch
from voices.services.submitting import TRY_AGAIN, build_for_work, came_to_nothing, training

LOOK_UPS = 2  # a list may lag, so that a voice is only taken for absent when it was looked for twice
LOOK_AGAIN = timedelta(minutes=10)  # where only a person can say that it is not there


def settle_build(build_id: str) -> timedelta | None:
    """Find out by looking whether the last step of an UNCONFIRMED build was done."""
    build = build_for_work(build_id)
    if build is None or build.status != BuildStatus.UNCONFIRMED:
        return None
    try:
        with conversation(build.remote_voice.account) as provider:
            can = provider.tiers[Tier(build.remote_voice.tier)]
            found = _look(build, provider, can)
    except AccountPaused:
        return WHILE_PAUSED
    except (ProviderError, SecretUnreadable) as error:
        if isinstance(error, NotFound) and build.step == "build":
            return came_to_nothing(build, error)
        return TRY_AGAIN
    if found is not None:
        _there(build, found)
        return None
    # Where a provider never says how a voice stands, that nothing has changed proves nothing.
    proven = can.can_find if build.step == "create" else bool(build.mark.strip())
    return _not_there(build, proven=proven)


def _look(build: Build, provider: Provider, can: Capabilities) -> BuildReport | None:
    """What the provider has of the step: the voice by its name, or any sign that the build call moved it."""
    if build.step == "create" and can.can_find:
        return provider.find_build(build.remote_voice.reference)
    if build.step == "create":
        listed = provider.list_voices() if can.can_list else iter(())
        return next((one for one in listed if one.name == build.remote_voice.reference), None)
    report = provider.fetch_build(build.remote_voice.remote_id)
    return report if report.mark != build.mark or report.status is RemoteStatus.TRAINING else None


def _there(build: Build, report: BuildReport) -> None:
    if build.step == "create":
        _go_on(build, report.remote_id)
    else:
        training(build, report)


def _not_there(build: Build, *, proven: bool) -> timedelta | None:
    """Looked for in vain, often enough, it was not made; where that proves nothing, a person has to look."""
    if build.looked_up + 1 < LOOK_UPS:
        Build.objects.filter(pk=build.pk).update(looked_up=build.looked_up + 1)
        return LEASE
    if not proven:
        return LOOK_AGAIN
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


def settle_by_hand(build: Build, by: User, remote_id: str, why: str) -> None:
    """A person has looked at the provider: it has what was being made, under `remote_id`, or not (an empty text).

    What was being made is the voice or, of a voice whose id we know, its build. `why` says how the person knows, and
    stays with the build. Raises NotPossible.
    """
    remote_id, known = remote_id.strip(), build.remote_voice.remote_id
    if remote_id and known and remote_id != known:
        raise NotPossible(f"The voice that is being built has the id {known} there. Look at that one.")
    try:
        settled = _settled_by_hand(build, remote_id, settled_by=by, settled_why=why[:300])
    except IntegrityError:
        raise NotPossible("That id belongs to another voice of this account.") from None
    if not settled:
        raise NotPossible("This build is settled already.")


def _settled_by_hand(build: Build, remote_id: str, **said: Any) -> bool:
    if remote_id and build.step == "build":
        with transaction.atomic():
            moved = move(
                build,
                BuildStatus.TRAINING,
                since=BuildStatus.UNCONFIRMED,
                step="",
                doing="",
                training_at=timezone.now(),
                **said,
            )
            if moved:
                watch(build)
        return moved
    return _go_on(build, remote_id or build.remote_voice.remote_id, **said)


def conclude_by_hand(build: Build, by: User, to: BuildStatus, why: str) -> None:
    """A person has looked at a voice of which the provider says nothing that we understand: it is ready, or failed.

    Raises NotPossible for any other build.
    """
    if build.status != BuildStatus.TRAINING or not build.unclear or to not in (BuildStatus.READY, BuildStatus.FAILED):
        raise NotPossible("What the provider says of this build is clear. It is not for a person to say.")
    finish(build, to, issue=why if to == BuildStatus.FAILED else "", settled_by=by, settled_why=why[:300])
    if build.status != to:
        raise NotPossible("The provider has said meanwhile how it stands.")
