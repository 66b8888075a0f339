"""Deletion of remote voices at their providers, repeated and verified until each voice is gone."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from consent.labels import NEVER_CREATED
from consent.models import Consent
from consent.services.legal_hold import require_no_hold
from providers.base import Provider
from providers.errors import CallFailure, NotFound
from providers.parsing import trim_response
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import (
    INCONCLUSIVE_LOOKUP_INTERVAL,
    LEASE,
    LEGAL_HOLD_RETRY,
    LOOKUPS_BEFORE_ABSENT,
    PAUSED_ACCOUNT_RETRY,
    UNREACHABLE_RETRY,
)
from voices.models import Build, BuildStatus, RemoteVoice, Voice, WorkKind
from voices.services.accounts import AccountPaused, open_session
from voices.services.builds.lifecycle import STILL_VISIBLE, retire_remote_voice
from voices.services.builds.poll import record_state_before_deletion
from voices.services.builds.reconcile import look_up_call
from voices.services.builds.reconcile import was_key_changed as was_key_changed_since_submit
from voices.services.deletion_assignment import assign_if_manual
from voices.services.deletion_calls import (
    compute_retry,
    delete_at_provider,
    find_answer_code,
    is_on_hold,
    is_overdue,
    make_manual_proof,
    must_wait,
    record_deletion_time,
)
from voices.services.deletion_confirmation import confirm_voice_deletion
from voices.services.deletion_log import lock_consents, record_voice_deletion, record_voice_request
from voices.services.deletion_reports import report_deletion
from voices.services.file_deletion import request_file_deletion
from voices.services.remote_voices import (
    DELETED_STATUSES,
    KEY_CHANGED,
    NOT_FOUND,
    mark_deleted,
    record_report,
    require_capability,
    require_no_active_build,
    require_remote_voice,
    was_key_changed,
)

CONSENT_WITHDRAWN = "The consent was withdrawn."
CREATION_IN_DOUBT = (
    "The consent or contract ended while this voice was being created, and the provider does not show whether it "
    "exists. Look for its name on the provider's website, delete it there, and confirm the deletion here."
)


def request_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Enqueue the deletion at the provider, with retries until it succeeds. Raises ActionRefused."""
    require_capability(remote, remote.capabilities.can_delete, "delete a voice")
    with transaction.atomic():
        lock_voice(remote)
        require_deletable(remote)
        _record_deletion_request(remote, by, reason)
        outbox.enqueue_task("delete_remote_voice", remote.pk)


def require_deletable(remote: RemoteVoice) -> None:
    """Raise ActionRefused if a legal hold on the talent stops the deletion. Needs a transaction."""
    if remote.voice is not None:
        require_no_hold(remote.voice.talent)


def request_withdrawal_deletion(remote: RemoteVoice, cause: Consent | None = None) -> None:
    """Enqueue the deletion after a withdrawal, in the caller's transaction. Its builds must have ended."""
    request_deletion_after_end(remote, CONSENT_WITHDRAWN, cause=cause)


def request_deletion_after_end(
    remote: RemoteVoice, reason: str, by: User | None = None, cause: Consent | None = None
) -> None:
    """Enqueue the deletion after the end of a consent or contract, in the caller's transaction, with builds stopped.

    A provider without deletion by API is left to a user (see `deletion_assignment`). A voice that may still be created
    is looked up first. The files that were sent are deleted even if no voice was created. `cause` is the consent.
    """
    if remote.deleted_at:
        request_file_deletion(remote, cause)
        return
    if not (remote.remote_id or is_creation_in_doubt(remote)):
        retire_remote_voice(remote)
        request_file_deletion(remote, cause)
        return
    if remote.deletion_requested_at is None:
        _store_deletion_request(remote, by, reason, cause)
    else:
        record_voice_request(remote, None, cause)
        request_file_deletion(remote, cause)
    outbox.enqueue_task("delete_remote_voice", remote.pk)


def is_creation_in_doubt(remote: RemoteVoice) -> bool:
    """Whether a withdrawn build has sent the call that creates this voice and never got the response."""
    return not remote.remote_id and _query_doubtful_builds(remote).exists()


def _query_doubtful_builds(remote: RemoteVoice) -> QuerySet[Build]:
    return Build.objects.filter(remote_voice=remote, status=BuildStatus.WITHDRAWN, pending_call="create")


def record_manual_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Record that a user deleted the voice on the provider's website or saw that it is gone. Raises ActionRefused."""
    if not is_creation_in_doubt(remote):
        require_remote_voice(remote)
    with transaction.atomic():
        _record_deletion_request(remote, by, reason)
        if not confirm_voice_deletion(remote, make_manual_proof(by, reason), by):
            raise ActionRefused("The deletion of this voice is already confirmed.")


def lock_voice(remote: RemoteVoice) -> None:
    """The same first lock as in `start_build` and in the decision on a voice that ended before an upgrade."""
    if remote.voice_id:
        Voice.objects.select_for_update().get(pk=remote.voice_id)


def _record_deletion_request(remote: RemoteVoice, by: User, reason: str) -> None:
    lock_voice(remote)
    lock_consents(remote)
    require_no_active_build(remote)
    _store_deletion_request(remote, by, reason)


def _store_deletion_request(remote: RemoteVoice, by: User | None, reason: str, cause: Consent | None = None) -> None:
    """Store the request, its entries in the audit log, and who deletes the voice if VoiceHub cannot."""
    remote.deletion_requested_at, remote.deletion_requested_by = timezone.now(), by
    remote.deletion_reason = reason[:300]
    remote.retired_at = remote.retired_at or timezone.now()
    remote.save(update_fields=["deletion_requested_at", "deletion_requested_by", "deletion_reason", "retired_at"])
    record_voice_request(remote, by, cause)
    request_file_deletion(remote, cause)
    assign_if_manual(remote)


def delete_remote_voice(remote_voice_id: str) -> timedelta | None:
    """Delete a retired remote voice at its provider and verify the deletion. Retried until the voice is gone."""
    rows = RemoteVoice.objects.select_related("account", "voice__talent")
    remote = rows.filter(pk=remote_voice_id, deleted_at=None).first()
    if remote is None:
        return None
    if is_on_hold(remote):
        return LEGAL_HOLD_RETRY
    if must_wait(remote):
        return compute_deletion_retry(remote)
    if is_creation_in_doubt(remote):
        return _look_up_doubtful_voice(remote)
    if not remote.remote_id:
        _forget_deletion_request(remote)
        return None
    capabilities = remote.find_capabilities()
    if capabilities is None or not capabilities.can_delete:
        assign_if_manual(remote)
        return None
    try:
        with open_session(remote.account) as provider:
            if was_key_changed(remote):
                record_report(remote, provider.fetch_build(remote.remote_id))
            record_state_before_deletion(remote, provider)
            response = delete_at_provider(provider.delete_voice, remote.remote_id)
            code = find_answer_code(provider)
            final_status = _verify_deletion(provider, remote.remote_id)
    except AccountPaused as paused:
        return _report_problem(remote, str(paused), PAUSED_ACCOUNT_RETRY)
    except NotFound:
        RemoteVoice.objects.filter(pk=remote.pk).update(alert=KEY_CHANGED)
        return compute_deletion_retry(remote)
    except CallFailure as failure:
        return _report_problem(remote, failure.staff_message, compute_deletion_retry(remote))
    now = timezone.now().isoformat()
    return _record_deletion(remote, {"answer": trim_response(response), "code": code, "look": final_status, "at": now})


def _forget_deletion_request(remote: RemoteVoice) -> None:
    """The voice was never created, so there is nothing to delete. The audit log says so where it has the request."""
    with transaction.atomic():
        lock_consents(remote)
        fields = {"deletion_requested_at": None, "deletion_reason": "", "alert": ""}
        if RemoteVoice.objects.filter(pk=remote.pk, deletion_requested_at__isnull=False).update(**fields):
            remote.deletion_proof = {"look": NEVER_CREATED}
            record_voice_deletion(remote)
            report_deletion(remote)


def compute_deletion_retry(remote: RemoteVoice) -> timedelta:
    return compute_retry(remote, _get_request_time(remote))


def _get_request_time(remote: RemoteVoice) -> datetime:
    """When the deletion was requested. VoiceHub itself deletes a voice that it retires, without a request."""
    return remote.deletion_requested_at or remote.retired_at or remote.created_at


def _report_problem(remote: RemoteVoice, problem: str, retry: timedelta) -> timedelta:
    """Ask staff for help when a deletion has failed for a day. Returns the time until the next attempt."""
    if is_overdue(remote, _get_request_time(remote)):
        alert = f"VoiceHub has tried to delete this voice for more than a day. The last problem: {problem}"
        RemoteVoice.objects.filter(pk=remote.pk).update(alert=alert[:300])
    return retry


def _look_up_doubtful_voice(remote: RemoteVoice) -> timedelta | None:
    """Look up by its name whether the provider created the voice. If so, it is deleted next."""
    capabilities = remote.find_capabilities()
    if capabilities is None:
        return _ask_about_doubtful_voice(remote)
    build = _query_doubtful_builds(remote).select_related("remote_voice__account").latest("created_at")
    try:
        with open_session(remote.account) as provider:
            report, is_proven = look_up_call(build, provider, capabilities)
    except AccountPaused as paused:
        return _report_problem(remote, str(paused), PAUSED_ACCOUNT_RETRY)
    except CallFailure as failure:
        return _report_problem(remote, failure.staff_message, UNREACHABLE_RETRY)
    if report is not None:
        with transaction.atomic():
            RemoteVoice.objects.filter(pk=remote.pk).update(remote_id=report.remote_id)
            _query_doubtful_builds(remote).update(pending_call="")
            remote.remote_id = report.remote_id
            assign_if_manual(remote)
            outbox.enqueue_task("refresh_build", build.pk)  # for the bill and the proof
        return timedelta()
    if build.lookup_attempts + 1 < LOOKUPS_BEFORE_ABSENT:
        Build.objects.filter(pk=build.pk).update(lookup_attempts=build.lookup_attempts + 1)
        return LEASE
    if is_proven and not was_key_changed_since_submit(build):
        mark_deleted(remote)
        return None
    return _ask_about_doubtful_voice(remote)


def _ask_about_doubtful_voice(remote: RemoteVoice) -> timedelta:
    RemoteVoice.objects.filter(pk=remote.pk).update(alert=CREATION_IN_DOUBT)
    return INCONCLUSIVE_LOOKUP_INTERVAL


def _verify_deletion(provider: Provider, remote_id: str) -> str:
    """The state after a deletion: NOT_FOUND, or the provider's status."""
    try:
        return provider.fetch_build(remote_id).raw_status
    except NotFound:
        return NOT_FOUND


def _record_deletion(remote: RemoteVoice, deletion: dict[str, object]) -> timedelta | None:
    """Mark the voice as deleted only if the provider no longer shows it. Otherwise set an alert and retry."""
    is_gone = deletion["look"] == NOT_FOUND or str(deletion["look"]).lower() in DELETED_STATUSES
    if is_gone:
        if confirm_voice_deletion(remote, deletion):
            record_deletion_time(WorkKind.DELETION, remote, _get_request_time(remote))
        return None
    remote.deletion_proof, remote.alert = deletion, STILL_VISIBLE
    remote.save(update_fields=["deletion_proof", "alert"])
    return compute_deletion_retry(remote)
