"""Status changes of a build and of its remote voice. Only this module writes `Build.status`."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from providers import registry
from providers.errors import (
    CallFailure,
    NotFound,
    OutcomeUnknown,
    PlanRefused,
    ProviderUnavailable,
    ResponseUnreadable,
)
from providers.parsing import trim_response
from providers.types import BuildReport, Visibility
from voicehub import outbox
from voicehub.models import User
from voicehub.retry_policy import (
    LEASE,
    PAUSED_ACCOUNT_RETRY,
    POLL_SHARE_OF_AGE,
    SANDBOX_POLL,
    SLOWEST_POLL,
    UNREACHABLE_RETRY,
)
from voicehub.transitions import move
from voices.models import Account, Build, BuildStatus, Preview, RemoteVoice
from voices.models.build import ACTIVE_STATUSES
from voices.models.choices import AccountMode
from voices.services.accounts import AccountPaused, clear_plan_refusal, record_plan_refusal
from voices.services.deletion_log import lock_consents, record_voice_request
from voices.services.file_deletion import request_file_deletion
from voices.services.staff_mails import enqueue_build_mail, enqueue_public_voice_mail

VOICE_MISSING = (
    "The provider no longer has this voice under this account's key: it was deleted there, or the key is of another "
    "account. The next build makes a new voice."
)
VOICE_PUBLIC = "The provider shows this voice to everyone, but no user made it public. Make it private or delete it."
VOICE_WAS_PUBLIC = (
    "The provider showed this voice to everyone, although no user made it public. It reports it as private again. "
    "Others may have used it in the meantime."
)
CONSENT_WITHDRAWN = "The consent was withdrawn. VoiceHub deletes the voice at the provider."
CONSENT_REJECTED = "The provider rejected the consent."
STILL_VISIBLE = "The provider says that it deleted this voice, but still shows it."


def find_build_with_relations(build_id: str) -> Build | None:
    related = ("voice__talent", "remote_voice__account", "consent__take", "contract")
    return Build.objects.select_related(*related).filter(pk=build_id).first()


# --- Status of a build ---


def begin_submit(build: Build) -> bool:
    """Mark the build as being sent. False if it was canceled meanwhile or another worker sends it."""
    return move(build, BuildStatus.SUBMITTING, since=BuildStatus.QUEUED, submitted_at=timezone.now())


def mark_canceled(build: Build, by: User) -> bool:
    """Cancel the build. False if part of it may already have been sent."""
    return move(build, BuildStatus.CANCELED, finished_at=timezone.now(), issue=f"Canceled by {by}.")


def withdraw_build(build: Build, issue: str = CONSENT_WITHDRAWN) -> bool:
    """Stop an active build, because its consent was withdrawn or has ended. It never becomes ready. False if it ended.

    `pending_call` stays: a call whose outcome is unknown may still create a voice, which is then deleted. A build that
    was sent is still polled, for the bill and the proof.
    """
    now = timezone.now()
    if not move(build, BuildStatus.WITHDRAWN, finished_at=now, progress_message="", issue=issue):
        return False
    if build.submitted_at:
        outbox.enqueue_task("refresh_build", build.pk, after=SLOWEST_POLL)
    return True


def record_withdrawn_state(build: Build, report: BuildReport) -> None:
    """Store what the provider reports about a withdrawn build. Its status stays, and it gets no samples."""
    withdrawn = Build.objects.filter(pk=build.pk, status=BuildStatus.WITHDRAWN)
    withdrawn.update(raw_status=report.raw_status, raw_response=trim_response(report.raw))


def clear_pending_call(build: Build) -> None:
    """The pending call of a build that has ended certainly created no voice."""
    Build.objects.filter(pk=build.pk).exclude(status__in=ACTIVE_STATUSES).update(pending_call="")


def requeue_build(build: Build, message: str) -> None:
    """Queue the build again after a call that was certainly not executed. It can be canceled until it is sent."""
    move(build, BuildStatus.QUEUED, since=BuildStatus.SUBMITTING, pending_call="", progress_message=message[:120])


def resume_build(build: Build, remote_id: str, **fields: Any) -> bool:
    """Send the rest of the build after a lost response was resolved. Without `remote_id`, no voice was created."""
    with transaction.atomic():
        is_requeued = move(build, BuildStatus.QUEUED, pending_call="", progress_message="", lookup_attempts=0, **fields)
        if is_requeued:
            RemoteVoice.objects.filter(pk=build.remote_voice_id).update(remote_id=remote_id)
            outbox.enqueue_task("submit_build", build.pk)
    return is_requeued


def mark_unconfirmed(build: Build, *, lookup_after: timedelta) -> None:
    message = "The response was lost. Checking whether the provider received the build."
    with transaction.atomic():
        if move(build, BuildStatus.UNCONFIRMED, progress_message=message, lookup_attempts=0):
            outbox.enqueue_task("settle_build", build.pk, after=lookup_after)


def mark_training(build: Build, report: BuildReport | None = None, **fields: Any) -> bool:
    """Record that the provider is training the build. `report` is the provider's response, if there is one."""
    if report is not None:
        fields |= {"raw_status": report.raw_status, "raw_response": trim_response(report.raw), "resume_state": ""}
        fields |= {"samples": [asdict(sample) for sample in report.samples], "expected_at": report.expected_at}
    with transaction.atomic():
        now = timezone.now()
        if not move(
            build,
            BuildStatus.TRAINING,
            pending_call="",
            progress_message="",
            lookup_attempts=0,
            training_at=now,
            **fields,
        ):
            return False
        if report is not None:
            record_observation(build.remote_voice, report)
        if build.remote_voice.tier in build.remote_voice.account.plan_refusals:
            clear_plan_refusal(build.remote_voice.account, build.remote_voice.tier)
        outbox.enqueue_task("refresh_build", build.pk, after=compute_poll_interval(build))
    return True


def compute_poll_interval(build: Build) -> timedelta:
    """Time until the next poll: the interval of the tier, growing with the age of the training."""
    tier_interval = timedelta(seconds=build.remote_voice.capabilities.poll_seconds)
    if build.remote_voice.account.mode == AccountMode.SANDBOX:
        tier_interval = min(tier_interval, SANDBOX_POLL)
    age = timezone.now() - (build.training_at or timezone.now())
    return max(tier_interval, min(age * POLL_SHARE_OF_AGE, SLOWEST_POLL))


def set_final_status(build: Build, to: BuildStatus, **fields: Any) -> None:
    """End the build. A remote voice whose consent was rejected is retired and deleted."""
    with transaction.atomic():
        now = timezone.now()
        if to == BuildStatus.CONSENT_REJECTED:
            lock_consents(build.remote_voice)
        if not move(build, to, finished_at=now, progress_message="", **fields):
            return
        enqueue_build_mail(build)
        if to == BuildStatus.READY:
            enqueue_samples(build)
        if to == BuildStatus.CONSENT_REJECTED:
            _request_rejected_deletion(build.remote_voice)


def _request_rejected_deletion(remote: RemoteVoice) -> None:
    """Retire the voice and request its deletion, so that it is listed until it is confirmed, also during a hold."""
    retire_remote_voice(remote)
    if remote.deletion_requested_at is None:
        remote.deletion_requested_at, remote.deletion_reason = timezone.now(), CONSENT_REJECTED
        remote.save(update_fields=["deletion_requested_at", "deletion_reason"])
    record_voice_request(remote, None)
    outbox.enqueue_task("delete_remote_voice", remote.pk)
    request_file_deletion(remote)


def handle_call_failure(build: Build, failure: CallFailure) -> timedelta | None:
    """Change the status of a build after a failed call. Returns the delay before the next attempt, if any."""
    if failure.stops_account:
        paused = AccountPaused(Account.objects.get(pk=build.remote_voice.account_id))
        requeue_build(build, f"Waiting. {paused}")
        return PAUSED_ACCOUNT_RETRY
    if isinstance(failure, ProviderUnavailable | ResponseUnreadable):
        requeue_build(build, f"{failure.default_message} Trying again.")
        return timedelta(seconds=failure.retry_after) if failure.retry_after else UNREACHABLE_RETRY
    if isinstance(failure, OutcomeUnknown):
        mark_unconfirmed(build, lookup_after=LEASE)
        return None
    if isinstance(failure, PlanRefused):
        _record_plan_refusal(build, failure)
        return None
    is_gone = isinstance(failure, NotFound) and bool(build.remote_voice.remote_id)
    if isinstance(failure, NotFound):
        retire_remote_voice(build.remote_voice)  # deleted at the provider, so the next build makes a new voice
    set_final_status(
        build, BuildStatus.FAILED, issue=VOICE_MISSING if is_gone else failure.staff_message, pending_call=""
    )
    return None


def _record_plan_refusal(build: Build, failure: PlanRefused) -> None:
    account = build.remote_voice.account
    label = registry.get_provider_label(account.provider)
    text = f"Your plan at {label} does not include this. Change the plan at the provider, or choose another tier."
    with transaction.atomic():
        record_plan_refusal(account, build.remote_voice.tier, failure.detail)
        set_final_status(build, BuildStatus.FAILED, issue=f"“{failure.detail}” {text}", pending_call="")


# --- State of the remote voice ---


def record_observation(remote: RemoteVoice, report: BuildReport) -> None:
    """Store what the provider reports. Sets `alert` if the voice is or was public, or should be gone."""
    earlier_alert = remote.alert
    remote.name, remote.raw_status = report.name[:256], report.raw_status
    remote.observed_status = report.status
    remote.raw_response, remote.checked_at = trim_response(report.raw), timezone.now()
    remote.is_locked, remote.components = report.is_locked, dict(report.components)
    if report.usage_count is not None:
        remote.usage_count = report.usage_count
    if report.visibility is not None:
        remote.visibility = report.visibility
        if report.visibility is Visibility.PRIVATE:
            remote.made_public_by = None  # a later change to public is by another user
        remote.alert = _find_visibility_alert(remote, earlier_alert)
    if remote.deletion_requested_at and not remote.alert and earlier_alert != VOICE_PUBLIC:
        remote.alert = earlier_alert  # only the deletion ends an alert about the deletion
    if remote.is_still_visible:
        remote.alert = STILL_VISIBLE
    observed = ["name", "raw_status", "observed_status", "raw_response", "checked_at", "visibility", "made_public_by"]
    with transaction.atomic():
        remote.save(update_fields=[*observed, "alert", "is_locked", "components", "usage_count"])
        if remote.alert == VOICE_PUBLIC != earlier_alert:
            enqueue_public_voice_mail(remote)


def _find_visibility_alert(remote: RemoteVoice, earlier_alert: str) -> str:
    """That a voice was public stays an alert until a person has seen it, or makes the voice private here."""
    if remote.visibility == Visibility.PUBLIC:
        return "" if remote.made_public_by_id else VOICE_PUBLIC
    return VOICE_WAS_PUBLIC if earlier_alert in {VOICE_PUBLIC, VOICE_WAS_PUBLIC} else ""


def enqueue_samples(build: Build) -> None:
    """Enqueue the download of the samples that the provider made with the new voice."""
    for sample in build.samples:
        preview = Preview.objects.create(
            remote_voice=build.remote_voice,
            build=build,
            text=sample["text"],
            title=sample["title"][:200],
            url=sample["url"],
        )
        outbox.enqueue_task("make_preview", preview.pk)


def retire_remote_voice(remote: RemoteVoice) -> None:
    """Stop using this remote voice. The next build makes a new remote voice."""
    remote.retired_at = timezone.now()
    remote.save(update_fields=["retired_at"])
