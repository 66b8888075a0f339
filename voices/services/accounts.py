"""Accounts: adding them, testing and changing their keys, pausing them, and every conversation with their providers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import registry
from providers.base import Provider
from providers.errors import CallFailure, ProviderError
from providers.types import ApiLogEntry
from voicehub import outbox
from voicehub.encryption import DecryptionError
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEASE
from voices.models import Account, AccountCall, Build, BuildStatus, Mode, Preview, PreviewStatus, RemoteVoice

MAX_CALLS = 100
# What goes on by itself when an account works again: the task for each status that a build can wait in.
TASK_BY_STATUS = {
    BuildStatus.QUEUED: "submit_build",
    BuildStatus.SUBMITTING: "submit_build",
    BuildStatus.UNCONFIRMED: "settle_build",
    BuildStatus.TRAINING: "refresh_build",
}


class AccountPaused(CallFailure):
    """Nothing is asked of the provider with this account; the text says why."""

    stops_account = True

    def __init__(self, account: Account) -> None:
        super().__init__(f"The account {account.name} is paused. {account.pause_reason}")


class KeyDecryptionFailed(CallFailure):
    """The stored key, or what was sealed for a build, cannot be opened with the encryption keys at hand."""

    stops_account = True


@contextmanager
def open_session(account: Account) -> Iterator[Provider]:
    """The account's provider. What it answers is kept, and an account whose key it refuses is paused.

    Every way in which it can fail, inside as well, is a CallFailure.
    """
    account.refresh_from_db(fields=["paused_at", "pause_reason", "encrypted_key"])
    if account.paused_at:
        raise AccountPaused(account)
    with _open_recorded_session(account) as provider:
        yield provider


@contextmanager
def _open_recorded_session(account: Account) -> Iterator[Provider]:
    try:
        with registry.open_provider(account) as provider:
            try:
                yield provider
            finally:
                with _ignore_database_errors():
                    _record_calls(account, provider.api_log)
    except DecryptionError as unreadable:
        failure = KeyDecryptionFailed(str(unreadable))
        record_error(account, failure)
        raise failure from None
    except ProviderError as error:
        record_error(account, error)
        raise
    with _ignore_database_errors():
        record_error(account, None)


@contextmanager
def _ignore_database_errors() -> Iterator[None]:
    """That it cannot be written down, as the database is locked, must not lose what was paid for."""
    with suppress(DatabaseError), transaction.atomic():
        yield


def _record_calls(account: Account, entries: Iterable[ApiLogEntry]) -> None:
    """Write the answers down, and forget the oldest."""
    AccountCall.objects.bulk_create(
        AccountCall(
            account=account, at=entry.at, operation=entry.operation[:60], status=entry.status, response_text=entry.text
        )
        for entry in entries
    )
    # These and no others: another worker may be writing newer ones.
    account.calls.filter(pk__in=list(account.calls.values_list("pk", flat=True)[MAX_CALLS:])).delete()


def record_error(account: Account, error: CallFailure | None) -> None:
    """Keep an account's last error where staff see it; None means that it has just worked.

    A key that is refused, or cannot be read, pauses the account, once.
    """
    told = "" if error is None else error.staff_message
    Account.objects.filter(pk=account.pk).update(last_error=told[:300], checked_at=timezone.now())
    if error is not None and error.stops_account:
        # Of a key that was changed while it was asked, the refusal says nothing any more.
        asked = Account.objects.working().filter(pk=account.pk, encrypted_key=account.encrypted_key)
        asked.update(paused_at=timezone.now(), pause_reason=told[:300])


def test_account(account: Account) -> None:
    """Ask the provider whether the key is good; what came of it stands in the account's row.

    A key that works resumes an account which the provider's refusal had paused.
    """
    try:
        with _open_recorded_session(account) as provider:
            provider.check_key()
    except CallFailure:
        pass
    else:
        _resume_waiting_work(Account.objects.filter(pk=account.pk, paused_by=None, paused_at__isnull=False))
    account.refresh_from_db()


def add_account(name: str, provider: str, mode: Mode | str, key: str) -> Account:
    """Raises NotPossible for a name that is taken, or a provider that VoiceHub does not know."""
    if provider not in registry.PROVIDERS:
        raise ActionRefused("Choose one of the providers.")
    account = Account(name=name, provider=provider, mode=mode)
    account.set_key(key)
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise ActionRefused(f"There is an account called “{name}” already.") from None
    return account


def change_key(account: Account, key: str) -> None:
    """Another key: what was known was known of the old one, and what waited for a good key goes on."""
    account.set_key(key)
    account.key_changed_at, account.checked_at, account.last_error = timezone.now(), None, ""
    account.save(update_fields=["encrypted_key", "key_hint", "key_changed_at", "checked_at", "last_error"])
    _resume_waiting_work(Account.objects.filter(pk=account.pk, paused_by=None, paused_at__isnull=False))
    account.refresh_from_db()


def pause_account(account: Account, reason: str, by: User) -> None:
    """Nothing is asked of the provider with this account until somebody resumes it. Raises NotPossible."""
    said = f"Paused by {by}: {reason}" if reason else f"Paused by {by}."
    changed = Account.objects.working().filter(pk=account.pk)
    if not changed.update(paused_at=timezone.now(), paused_by=by, pause_reason=said[:300]):
        raise ActionRefused(f"{account.name} is paused already.")
    account.refresh_from_db()


def resume_account(account: Account) -> None:
    """What waited goes on. Raises NotPossible."""
    if not _resume_waiting_work(Account.objects.filter(pk=account.pk, paused_at__isnull=False)):
        raise ActionRefused(f"{account.name} is not paused.")
    account.refresh_from_db()


def _resume_waiting_work(paused: QuerySet[Account]) -> int:
    """Resume these accounts, and ring for everything that waits for them."""
    with transaction.atomic():
        ids = list(paused.select_for_update().values_list("pk", flat=True))
        resumed = Account.objects.filter(pk__in=ids)
        resumed.update(paused_at=None, paused_by=None, pause_reason="")
        for build in Build.objects.active().filter(remote_voice__account__in=ids):
            # An answer that was lost a moment ago is not to be looked for sooner because of this.
            after = LEASE if build.status == BuildStatus.UNCONFIRMED else timedelta()
            outbox.enqueue_task(TASK_BY_STATUS[BuildStatus(build.status)], build.pk, after=after)
        for preview in Preview.objects.filter(remote_voice__account__in=ids, status=PreviewStatus.QUEUED):
            outbox.enqueue_task("make_preview", preview.pk)
        asked = RemoteVoice.objects.filter(account__in=ids, deletion_requested_at__isnull=False, deleted_at=None)
        for remote in asked:
            outbox.enqueue_task("delete_remote_voice", remote.pk)
    return len(ids)
