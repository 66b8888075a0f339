"""Finding out what became of a build when an answer was lost: by looking, or by asking a person who has looked."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from providers.base import Provider
from providers.errors import CallFailure, NotFound
from providers.types import BuildReport, Capabilities, RemoteStatus
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import (
    INCONCLUSIVE_LOOKUP_INTERVAL,
    LEASE,
    LOOKUPS_BEFORE_ABSENT,
    PAUSED_ACCOUNT_RETRY,
    UNREACHABLE_RETRY,
)
from voices.models import Build, BuildStatus
from voices.services.accounts import AccountPaused, open_session
from voices.services.builds.lifecycle import (
    find_build_with_relations,
    handle_call_failure,
    mark_training,
    resume_build,
    set_final_status,
)


def reconcile_build(build_id: str) -> timedelta | None:
    """Find out by looking whether the last step of an UNCONFIRMED build was done."""
    build = find_build_with_relations(build_id)
    if build is None or build.status != BuildStatus.UNCONFIRMED:
        return None
    try:
        with open_session(build.remote_voice.account) as provider:
            found, proven = _look_up_call(build, provider, build.remote_voice.capabilities)
    except AccountPaused:
        return PAUSED_ACCOUNT_RETRY
    except CallFailure as failure:
        if isinstance(failure, NotFound) and build.pending_call == "build":
            return _handle_missing_voice(build, failure)
        return UNREACHABLE_RETRY
    if found is not None:
        _confirm_call(build, found)
        return None
    return _handle_empty_lookup(build, is_authoritative=proven and not _was_key_changed(build))


def _look_up_call(build: Build, provider: Provider, can: Capabilities) -> tuple[BuildReport | None, bool]:
    """What the provider has of the step, and whether seeing nothing of it proves that it was not done.

    That is the voice by its name, or any sign that the build call moved it. Where a provider does not say how a voice
    stands, or not every time, that nothing has changed proves nothing.
    """
    if build.pending_call == "create" and can.can_find:
        return provider.find_build(build.remote_voice.reference), True
    if build.pending_call == "create":
        listed = provider.list_voices() if can.can_list else iter(())
        return next((one for one in listed if one.name == build.remote_voice.reference), None), False
    report = provider.fetch_build(build.remote_voice.remote_id)
    comparable = bool(build.previous_version.strip() and report.version.strip())
    begun = report.status is RemoteStatus.TRAINING or (comparable and report.version != build.previous_version)
    return (report if begun else None), comparable


def _was_key_changed(build: Build) -> bool:
    """Whether the account got another key since the step: if it is another account's, it knows nothing of it."""
    changed = build.remote_voice.account.key_changed_at
    return changed is not None and (build.submitted_at is None or changed > build.submitted_at)


def _lock_pending_call(build: Build) -> QuerySet[Build]:
    """The build, as long as it is this step of this try: meanwhile it may be settled, and the next step in doubt."""
    tried = Build.objects.filter(pk=build.pk, status=BuildStatus.UNCONFIRMED, submitted_at=build.submitted_at)
    return tried.filter(pending_call=build.pending_call)


def _handle_missing_voice(build: Build, error: NotFound) -> timedelta | None:
    if _count_empty_lookup(build) < LOOKUPS_BEFORE_ABSENT:
        return LEASE
    with transaction.atomic():
        return handle_call_failure(build, error) if _lock_pending_call(build).select_for_update().exists() else None


def _confirm_call(build: Build, report: BuildReport) -> None:
    if build.pending_call == "create":
        _resume_build(build, report.remote_id)
        return
    with transaction.atomic():
        if _lock_pending_call(build).select_for_update().exists():
            mark_training(build, report)


def _handle_empty_lookup(build: Build, *, is_authoritative: bool) -> timedelta | None:
    """Looked for in vain, often enough, it was not made; where that proves nothing, a person has to look."""
    if _count_empty_lookup(build) < LOOKUPS_BEFORE_ABSENT:
        return LEASE
    if not is_authoritative:
        return INCONCLUSIVE_LOOKUP_INTERVAL
    _resume_build(build, build.remote_voice.remote_id)
    return None


def _count_empty_lookup(build: Build) -> int:
    """How often in a row, with this time; no more than are needed are counted."""
    looked = build.lookup_attempts + 1
    if looked < LOOKUPS_BEFORE_ABSENT:
        _lock_pending_call(build).update(lookup_attempts=looked)
    return looked


def _resume_build(build: Build, remote_id: str, **fields: Any) -> bool:
    """What became of the step is known: send what is still to be sent. False when somebody else has settled it."""
    with transaction.atomic():
        return _lock_pending_call(build).select_for_update().exists() and resume_build(build, remote_id, **fields)


def resolve_submit_manually(build: Build, by: User, remote_id: str, reason: str, pending_call: str = "") -> None:
    """A person has looked at the provider: it has what was being made, under `remote_id`, or not (an empty text).

    What was being made is the voice or, of a voice whose id we know, its build. `why` says how the person knows, and
    stays with the build, and `step`, if it is given, of which step they say it. Raises NotPossible.
    """
    if pending_call and pending_call != build.pending_call:
        raise ActionRefused("That is settled already. Look what is asked now.")
    remote_id, known = remote_id.strip(), build.remote_voice.remote_id
    if remote_id and known and remote_id != known:
        raise ActionRefused(f"The voice that is being built has the id {known} there. Look at that one.")
    try:
        settled = _apply_resolution(build, remote_id, resolved_by=by, resolution_reason=reason[:300])
    except IntegrityError:
        raise ActionRefused("That id belongs to another voice of this account.") from None
    if not settled:
        raise ActionRefused("This build is settled already.")


def _apply_resolution(build: Build, remote_id: str, **fields: Any) -> bool:
    if remote_id and build.pending_call == "build":
        with transaction.atomic():
            return _lock_pending_call(build).select_for_update().exists() and mark_training(build, **fields)
    return _resume_build(build, remote_id or build.remote_voice.remote_id, **fields)


def resolve_training_manually(build: Build, by: User, to: BuildStatus, reason: str) -> None:
    """A person has looked at a voice of which the provider says nothing that we understand: it is ready, or failed.

    Raises NotPossible for any other build.
    """
    with transaction.atomic():
        rows = Build.objects.select_for_update().filter(
            pk=build.pk, status=BuildStatus.TRAINING, has_unknown_status=True
        )
        if not rows.exists() or to not in (BuildStatus.READY, BuildStatus.FAILED):
            raise ActionRefused("What the provider says of this build is clear. It is not for a person to say.")
        set_final_status(
            build, to, issue=reason if to == BuildStatus.FAILED else "", resolved_by=by, resolution_reason=reason[:300]
        )
    if build.status != to:
        raise ActionRefused("The provider has said meanwhile how it stands.")
