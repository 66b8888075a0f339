"""Finding out what became of a build when an answer was lost: by looking, or by asking a person who has looked."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from providers.base import Provider
from providers.errors import CallFailure, NotFound
from providers.types import BuildReport, Capabilities, RemoteStatus
from voicehub.models import User
from voicehub.refusals import NotPossible
from voicehub.retry_policy import (
    INCONCLUSIVE_LOOKUP_INTERVAL,
    LEASE,
    LOOKUPS_BEFORE_ABSENT,
    PAUSED_ACCOUNT_RETRY,
    UNREACHABLE_RETRY,
)
from voices.models import Build, BuildStatus
from voices.services.accounts import AccountPaused, conversation
from voices.services.builds.lifecycle import build_for_work, came_to_nothing, finish, go_on, training


def settle_build(build_id: str) -> timedelta | None:
    """Find out by looking whether the last step of an UNCONFIRMED build was done."""
    build = build_for_work(build_id)
    if build is None or build.status != BuildStatus.UNCONFIRMED:
        return None
    try:
        with conversation(build.remote_voice.account) as provider:
            found, proven = _look(build, provider, build.remote_voice.capabilities)
    except AccountPaused:
        return PAUSED_ACCOUNT_RETRY
    except CallFailure as failure:
        if isinstance(failure, NotFound) and build.step == "build":
            return _gone(build, failure)
        return UNREACHABLE_RETRY
    if found is not None:
        _there(build, found)
        return None
    return _not_there(build, proven=proven and not _under_another_key(build))


def _look(build: Build, provider: Provider, can: Capabilities) -> tuple[BuildReport | None, bool]:
    """What the provider has of the step, and whether seeing nothing of it proves that it was not done.

    That is the voice by its name, or any sign that the build call moved it. Where a provider does not say how a voice
    stands, or not every time, that nothing has changed proves nothing.
    """
    if build.step == "create" and can.can_find:
        return provider.find_build(build.remote_voice.reference), True
    if build.step == "create":
        listed = provider.list_voices() if can.can_list else iter(())
        return next((one for one in listed if one.name == build.remote_voice.reference), None), False
    report = provider.fetch_build(build.remote_voice.remote_id)
    comparable = bool(build.mark.strip() and report.version.strip())
    begun = report.status is RemoteStatus.TRAINING or (comparable and report.version != build.mark)
    return (report if begun else None), comparable


def _under_another_key(build: Build) -> bool:
    """Whether the account got another key since the step: if it is another account's, it knows nothing of it."""
    changed = build.remote_voice.account.key_changed_at
    return changed is not None and (build.submitted_at is None or changed > build.submitted_at)


def _in_doubt(build: Build) -> QuerySet[Build]:
    """The build, as long as it is this step of this try: meanwhile it may be settled, and the next step in doubt."""
    tried = Build.objects.filter(pk=build.pk, status=BuildStatus.UNCONFIRMED, submitted_at=build.submitted_at)
    return tried.filter(step=build.step)


def _gone(build: Build, error: NotFound) -> timedelta | None:
    if _looked_in_vain(build) < LOOKUPS_BEFORE_ABSENT:
        return LEASE
    with transaction.atomic():
        return came_to_nothing(build, error) if _in_doubt(build).select_for_update().exists() else None


def _there(build: Build, report: BuildReport) -> None:
    if build.step == "create":
        _go_on(build, report.remote_id)
        return
    with transaction.atomic():
        if _in_doubt(build).select_for_update().exists():
            training(build, report)


def _not_there(build: Build, *, proven: bool) -> timedelta | None:
    """Looked for in vain, often enough, it was not made; where that proves nothing, a person has to look."""
    if _looked_in_vain(build) < LOOKUPS_BEFORE_ABSENT:
        return LEASE
    if not proven:
        return INCONCLUSIVE_LOOKUP_INTERVAL
    _go_on(build, build.remote_voice.remote_id)
    return None


def _looked_in_vain(build: Build) -> int:
    """How often in a row, with this time; no more than are needed are counted."""
    looked = build.looked_up + 1
    if looked < LOOKUPS_BEFORE_ABSENT:
        _in_doubt(build).update(looked_up=looked)
    return looked


def _go_on(build: Build, remote_id: str, **fields: Any) -> bool:
    """What became of the step is known: send what is still to be sent. False when somebody else has settled it."""
    with transaction.atomic():
        return _in_doubt(build).select_for_update().exists() and go_on(build, remote_id, **fields)


def settle_by_hand(build: Build, by: User, remote_id: str, why: str, step: str = "") -> None:
    """A person has looked at the provider: it has what was being made, under `remote_id`, or not (an empty text).

    What was being made is the voice or, of a voice whose id we know, its build. `why` says how the person knows, and
    stays with the build, and `step`, if it is given, of which step they say it. Raises NotPossible.
    """
    if step and step != build.step:
        raise NotPossible("That is settled already. Look what is asked now.")
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
            return _in_doubt(build).select_for_update().exists() and training(build, **said)
    return _go_on(build, remote_id or build.remote_voice.remote_id, **said)


def conclude_by_hand(build: Build, by: User, to: BuildStatus, why: str) -> None:
    """A person has looked at a voice of which the provider says nothing that we understand: it is ready, or failed.

    Raises NotPossible for any other build.
    """
    with transaction.atomic():
        rows = Build.objects.select_for_update().filter(pk=build.pk, status=BuildStatus.TRAINING, word_unknown=True)
        if not rows.exists() or to not in (BuildStatus.READY, BuildStatus.FAILED):
            raise NotPossible("What the provider says of this build is clear. It is not for a person to say.")
        finish(build, to, issue=why if to == BuildStatus.FAILED else "", settled_by=by, settled_why=why[:300])
    if build.status != to:
        raise NotPossible("The provider has said meanwhile how it stands.")
