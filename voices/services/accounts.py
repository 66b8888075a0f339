"""Accounts: add, pause, resume and test an account, change its key, and open a session with its provider."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import registry
from providers.base import Provider, WaitForSlot
from providers.errors import CallFailure, PlanRefused, ProviderError
from providers.types import ApiLogEntry
from voicehub import outbox
from voicehub.encryption import DecryptionError
from voicehub.models import SecurityEventKind, User
from voicehub.rate_limiter import RateLimiter
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEASE
from voicehub.security_log import record_change
from voices.models import (
    Account,
    AccountCall,
    AccountMode,
    Build,
    BuildStatus,
    Preview,
    PreviewStatus,
    RemoteFile,
    RemoteVoice,
)
from voices.services.staff_mails import enqueue_pause_mails
from voices.services.usage import fetch_usage

MAX_CALLS = 100
# The task to enqueue when an account works again, by the status of the waiting build.
TASK_BY_STATUS = {
    BuildStatus.QUEUED: "submit_build",
    BuildStatus.SUBMITTING: "submit_build",
    BuildStatus.UNCONFIRMED: "settle_build",
    BuildStatus.TRAINING: "refresh_build",
}


class AccountPaused(CallFailure):
    """The account is paused and makes no calls. The text says why."""

    stops_account = True

    def __init__(self, account: Account) -> None:
        super().__init__(f"The account {account.name} is paused. {account.pause_reason}")


class KeyDecryptionFailed(CallFailure):
    """The stored key or resume state cannot be decrypted with the configured encryption keys."""

    stops_account = True


@contextmanager
def open_session(account: Account) -> Iterator[Provider]:
    """Yield the account's provider. Its responses are logged, and a rejected key pauses the account.

    Every failure, also a failure inside the `with` block, is raised as a CallFailure.
    """
    account.refresh_from_db(fields=["paused_at", "pause_reason", "encrypted_key"])
    if account.paused_at:
        raise AccountPaused(account)
    with _open_recorded_session(account) as provider:
        yield provider


@contextmanager
def _open_recorded_session(account: Account) -> Iterator[Provider]:
    try:
        with registry.open_provider(account, _make_rate_limit(account)) as provider:
            try:
                yield provider
            finally:
                with _ignore_database_errors():
                    _record_calls(account, provider.api_log)
    except DecryptionError as decryption_error:
        failure = KeyDecryptionFailed(str(decryption_error))
        record_error(account, failure)
        raise failure from None
    except ProviderError as error:
        record_error(account, error)
        raise
    with _ignore_database_errors():
        record_error(account, None)


def _make_rate_limit(account: Account) -> WaitForSlot | None:
    """The provider's limit of calls per second, kept for this account by all processes together."""
    per_second = account.get_calls_per_second()
    return RateLimiter(str(account.pk), per_second).wait_for_slot if per_second and per_second > 0 else None


@contextmanager
def _ignore_database_errors() -> Iterator[None]:
    """A failed log write (for example, a locked database) must not abort a paid call."""
    with suppress(DatabaseError), transaction.atomic():
        yield


def _record_calls(account: Account, entries: Iterable[ApiLogEntry]) -> None:
    """Store these responses, and keep only the newest MAX_CALLS responses of the account."""
    AccountCall.objects.bulk_create(
        AccountCall(
            account=account, at=entry.at, operation=entry.operation[:60], status=entry.status, response_text=entry.text
        )
        for entry in entries
    )
    # Delete by id: another worker may be storing newer responses.
    account.calls.filter(pk__in=list(account.calls.values_list("pk", flat=True)[MAX_CALLS:])).delete()


def record_error(account: Account, error: CallFailure | None) -> None:
    """Store the error of the account's last call for staff. None means that the call succeeded.

    A key that is rejected or cannot be decrypted pauses the account, once. The key works if only the plan was refused.
    """
    message = "" if error is None or isinstance(error, PlanRefused) else error.staff_message
    Account.objects.filter(pk=account.pk).update(last_error=message[:300], checked_at=timezone.now())
    if error is not None and error.stops_account:
        # Do not pause the account if its key changed during the call.
        unchanged = Account.objects.working().filter(pk=account.pk, encrypted_key=account.encrypted_key)
        with transaction.atomic():
            if unchanged.update(paused_at=timezone.now(), pause_reason=message[:300]):
                enqueue_pause_mails(account.pk)


def record_plan_refusal(account: Account, tier: str, text: str) -> None:
    """Mark a tier that the account's plan does not include. It may be tried again, since a plan can change."""
    with transaction.atomic():
        locked = Account.objects.select_for_update().get(pk=account.pk)
        locked.plan_refusals[tier] = {"on": timezone.localdate().isoformat(), "text": text[:300]}
        locked.save(update_fields=["plan_refusals"])


def clear_plan_refusal(account: Account, tier: str) -> None:
    """The provider accepted a build in this tier."""
    with transaction.atomic():
        locked = Account.objects.select_for_update().get(pk=account.pk)
        if locked.plan_refusals.pop(tier, None):
            locked.save(update_fields=["plan_refusals"])


def test_account(account: Account) -> None:
    """Test the key at the provider, and store the result in the row of the account.

    A working key resumes an account that was paused because the provider rejected its key.
    """
    try:
        with _open_recorded_session(account) as provider:
            provider.check_key()
            with suppress(ProviderError):  # the key works, whatever comes of the usage
                fetch_usage(account, provider)
    except CallFailure:
        pass
    else:
        _resume_waiting_work(Account.objects.filter(pk=account.pk, paused_by=None, paused_at__isnull=False))
    account.refresh_from_db()


def add_account(name: str, provider: str, mode: AccountMode | str, key: str, by: User | None = None) -> Account:
    """Create an account. Raises ActionRefused if the name is taken or VoiceHub does not support the provider."""
    if provider not in registry.PROVIDERS:
        raise ActionRefused("Choose one of the providers.")
    account = Account(name=name, provider=provider, mode=mode)
    account.set_key(key)
    try:
        with transaction.atomic():
            account.save(force_insert=True)
            record_change(SecurityEventKind.KEY_CHANGED, by, name_account(account), "Account added with a key.")
    except IntegrityError:
        raise ActionRefused(f"An account called “{name}” already exists. Choose another name.") from None
    return account


def name_account(account: Account) -> str:
    """How the security log names it."""
    return f"Account: {account.name}"


@transaction.atomic
def change_key(account: Account, key: str, by: User | None = None) -> None:
    """Replace the key, clear what the old key showed, and resume work that waited for a valid key."""
    account.set_key(key)
    account.key_changed_at, account.checked_at, account.last_error = timezone.now(), None, ""
    account.usage, account.usage_at = {}, None
    fields = ["encrypted_key", "key_hint", "key_changed_at", "checked_at", "last_error", "usage", "usage_at"]
    account.save(update_fields=fields)
    record_change(SecurityEventKind.KEY_CHANGED, by, name_account(account), "Key replaced.")
    _resume_waiting_work(Account.objects.filter(pk=account.pk, paused_by=None, paused_at__isnull=False))
    account.refresh_from_db()


def pause_account(account: Account, reason: str, by: User) -> None:
    """Stop all calls of this account until a user resumes it. Raises ActionRefused."""
    message = f"Paused by {by}: {reason}" if reason else f"Paused by {by}."
    account_rows = Account.objects.working().filter(pk=account.pk)
    with transaction.atomic():
        if not account_rows.update(paused_at=timezone.now(), paused_by=by, pause_reason=message[:300]):
            raise ActionRefused(f"{account.name} is already paused.")
        record_change(SecurityEventKind.KEY_CHANGED, by, name_account(account), message.replace(f" by {by}", "", 1))
        enqueue_pause_mails(account.pk, paused_by=by)
    account.refresh_from_db()


def resume_account(account: Account, by: User | None = None) -> None:
    """Resume the account and its waiting work. Raises ActionRefused."""
    with transaction.atomic():
        if not _resume_waiting_work(Account.objects.filter(pk=account.pk, paused_at__isnull=False)):
            raise ActionRefused(f"{account.name} is not paused.")
        record_change(SecurityEventKind.KEY_CHANGED, by, name_account(account), "Resumed.")
    account.refresh_from_db()


def _resume_waiting_work(paused: QuerySet[Account]) -> int:
    """Resume these accounts, and enqueue the tasks that wait for a paused account."""
    with transaction.atomic():
        ids = list(paused.select_for_update().values_list("pk", flat=True))
        resumed = Account.objects.filter(pk__in=ids)
        resumed.update(paused_at=None, paused_by=None, pause_reason="")
        for build in Build.objects.active().filter(remote_voice__account__in=ids):
            # A response that was lost just now is looked up after LEASE, also if the account is resumed earlier.
            after = LEASE if build.status == BuildStatus.UNCONFIRMED else timedelta()
            outbox.enqueue_task(TASK_BY_STATUS[BuildStatus(build.status)], build.pk, after=after)
        for preview in Preview.objects.filter(remote_voice__account__in=ids, status=PreviewStatus.QUEUED):
            outbox.enqueue_task("make_preview", preview.pk)
        deletions = RemoteVoice.objects.filter(account__in=ids, deletion_requested_at__isnull=False, deleted_at=None)
        for remote in deletions:
            outbox.enqueue_task("delete_remote_voice", remote.pk)
        files = RemoteFile.objects.requested().filter(account__in=ids).order_by()
        for remote_voice_id in files.values_list("remote_voice", flat=True).distinct():
            outbox.enqueue_task("delete_remote_files", remote_voice_id)
    return len(ids)
