"""Find out what happened to a call whose response was lost: look it up at the provider, or let staff decide."""

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
from voices.services.staff_mails import enqueue_build_mail


def reconcile_build(build_id: str) -> timedelta | None:
    """Look up at the provider whether the pending call of an UNCONFIRMED build was executed."""
    build = find_build_with_relations(build_id)
    if build is None or build.status != BuildStatus.UNCONFIRMED:
        return None
    try:
        with open_session(build.remote_voice.account) as provider:
            report_found, is_proof = look_up_call(build, provider, build.remote_voice.capabilities)
    except AccountPaused:
        return PAUSED_ACCOUNT_RETRY
    except CallFailure as failure:
        if isinstance(failure, NotFound) and build.pending_call == "build":
            return _handle_missing_voice(build, failure)
        return UNREACHABLE_RETRY
    if report_found is not None:
        _confirm_call(build, report_found)
        return None
    return _handle_empty_lookup(build, is_authoritative=is_proof and not was_key_changed(build))


def look_up_call(build: Build, provider: Provider, capabilities: Capabilities) -> tuple[BuildReport | None, bool]:
    """The result of the pending call if found, and whether an empty lookup proves that the call was not executed.

    A "create" call is looked up by the name of the voice. A "build" call is found if the voice is training or has a new
    version. If a provider does not always report a version, an unchanged version proves nothing.
    """
    if build.pending_call == "create" and capabilities.can_find:
        return provider.find_build(build.remote_voice.reference), True
    if build.pending_call == "create":
        listed = provider.list_voices() if capabilities.can_list else iter(())
        return next(
            (voice_report for voice_report in listed if voice_report.name == build.remote_voice.reference), None
        ), False
    report = provider.fetch_build(build.remote_voice.remote_id)
    comparable = bool(build.previous_version.strip() and report.version.strip())
    has_begun = report.status is RemoteStatus.TRAINING or (comparable and report.version != build.previous_version)
    return (report if has_begun else None), comparable


def was_key_changed(build: Build) -> bool:
    """Whether the key changed since the call. A key of another account does not show the result of the call."""
    changed = build.remote_voice.account.key_changed_at
    return changed is not None and (build.submitted_at is None or changed > build.submitted_at)


def _lock_pending_call(build: Build) -> QuerySet[Build]:
    """The build, if neither its attempt nor its pending call has changed (optimistic lock)."""
    unchanged = Build.objects.filter(pk=build.pk, status=BuildStatus.UNCONFIRMED, submitted_at=build.submitted_at)
    return unchanged.filter(pending_call=build.pending_call)


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
    """After LOOKUPS_BEFORE_ABSENT empty lookups: send the call again if they prove that it was not executed.

    Otherwise wait for staff, and look it up now and then.
    """
    lookups = _count_empty_lookup(build)
    if lookups < LOOKUPS_BEFORE_ABSENT:
        return LEASE
    if not is_authoritative:
        _ask_staff_once(build, lookups)
        return INCONCLUSIVE_LOOKUP_INTERVAL
    _resume_build(build, build.remote_voice.remote_id)
    return None


def _ask_staff_once(build: Build, lookups: int) -> None:
    if build.lookup_attempts < LOOKUPS_BEFORE_ABSENT:
        with transaction.atomic():
            if _lock_pending_call(build).update(lookup_attempts=lookups):
                enqueue_build_mail(build)


def _count_empty_lookup(build: Build) -> int:
    """The number of empty lookups in a row, including this one. Stored here only below LOOKUPS_BEFORE_ABSENT."""
    lookups = build.lookup_attempts + 1
    if lookups < LOOKUPS_BEFORE_ABSENT:
        _lock_pending_call(build).update(lookup_attempts=lookups)
    return lookups


def _resume_build(build: Build, remote_id: str, **fields: Any) -> bool:
    """Send the rest of the build. False if it was resolved meanwhile."""
    with transaction.atomic():
        return _lock_pending_call(build).select_for_update().exists() and resume_build(build, remote_id, **fields)


def resolve_submit_manually(build: Build, by: User, remote_id: str, reason: str, pending_call: str = "") -> None:
    """Record what staff saw at the provider. An empty `remote_id` means that the pending call was not executed.

    The call created the voice or, if its id was already known, started its build. `reason` says how staff know this,
    and is stored with the build. `pending_call`, if given, is the call that the form asked about. Raises ActionRefused.
    """
    if pending_call and pending_call != build.pending_call:
        raise ActionRefused("This question was already resolved. Reload the page to see the current one.")
    remote_id, known = remote_id.strip(), build.remote_voice.remote_id
    if remote_id and known and remote_id != known:
        raise ActionRefused(f"The voice of this build has the ID {known} at the provider. Check that voice.")
    try:
        is_resolved = _apply_resolution(build, remote_id, resolved_by=by, resolution_reason=reason[:300])
    except IntegrityError:
        raise ActionRefused("This ID belongs to another voice of this account. Check the ID.") from None
    if not is_resolved:
        raise ActionRefused("This build was already resolved.")


def _apply_resolution(build: Build, remote_id: str, **fields: Any) -> bool:
    if remote_id and build.pending_call == "build":
        with transaction.atomic():
            return _lock_pending_call(build).select_for_update().exists() and mark_training(build, **fields)
    return _resume_build(build, remote_id or build.remote_voice.remote_id, **fields)


def resolve_training_manually(build: Build, by: User, to: BuildStatus, reason: str) -> None:
    """Record that staff found a voice with an unrecognized provider status to be ready or failed.

    Raises ActionRefused for any other build.
    """
    with transaction.atomic():
        unresolved = Build.objects.select_for_update().filter(
            pk=build.pk, status=BuildStatus.TRAINING, has_unknown_status=True
        )
        if not unresolved.exists() or to not in (BuildStatus.READY, BuildStatus.FAILED):
            raise ActionRefused("The provider reports a clear status for this build. You cannot set it.")
        set_final_status(
            build, to, issue=reason if to == BuildStatus.FAILED else "", resolved_by=by, resolution_reason=reason[:300]
        )
    if build.status != to:
        raise ActionRefused("The provider has reported a status in the meantime. Reload the page.")
