"""The accounts of the full studio, what they used, failed tasks, and deletions."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from consent.models import Consent, ConsentStatus, Invitation
from tests.full_studio.clock import act_ago
from tests.support.offline_proofs import make_offline_proof
from tests.support.task_runner import run_due_tasks
from voicehub import outbox
from voicehub.models import Task, TaskStatus, User
from voices.models import Account, AccountCall, AccountMode, Build, BuildStatus, RemoteVoice, UsageReading, VoteChoice
from voices.services.blind_listening import cast_vote, load_sentences
from voices.services.deletion import request_deletion_after_end
from voices.services.deletion_confirmation import confirm_voice_deletion

NAMES = {
    "audiostack": "AudioStack production",
    "resemble_v1": "Resemble AI, archive team",
    "resemble_v2": "Northlight main",
    "speechgen": "Speechgen",
    "voiceai": "Practice at Voice.ai",
}
USAGE: dict[str, dict[str, Any]] = {
    "audiostack": {"plan": "Enterprise", "unit": "credits", "used": 184_250.0, "remaining": 315_750.0},
    "resemble_v2": {"plan": "Business", "unit": "s", "used": 486_120.0, "voices": 46, "voice_limit": 50},
}
USAGE_DAYS = 184


def make_accounts(by: User) -> dict[str, Account]:
    """The account of each provider that builds use, by provider. Two more accounts exist: one is paused."""
    accounts = {
        slug: _make_account(name, slug, AccountMode.SANDBOX if slug == "voiceai" else AccountMode.LIVE)
        for slug, name in NAMES.items()
    }
    _make_account("Northlight practice", "resemble_v2", AccountMode.SANDBOX)
    paused = _make_account("Voice.ai of the agency in Hamburg, billed to the productions of the autumn", "voiceai")
    reason = "The provider rejected the key (401): Invalid or revoked API key. Enter a new key, and resume the account."
    fields = {"paused_at": timezone.now() - timedelta(hours=7), "pause_reason": reason, "last_error": reason}
    Account.objects.filter(pk=paused.pk).update(**fields)
    for slug, usage in USAGE.items():
        _make_usage(accounts[slug], usage)
    for account in accounts.values():
        _make_calls(account)
    return accounts


def _make_account(name: str, provider: str, mode: AccountMode = AccountMode.LIVE) -> Account:
    account = Account(name=name, provider=provider, mode=mode, checked_at=timezone.now() - timedelta(hours=3))
    account.set_key(f"key-of-the-{provider}-{mode}-account")
    with act_ago(days=330):
        account.save(force_insert=True)
    return account


def _make_usage(account: Account, usage: dict[str, Any]) -> None:
    Account.objects.filter(pk=account.pk).update(usage=usage, usage_at=timezone.now() - timedelta(hours=3))
    left, total, rows = 2_400_000.0, 0.0, []
    for ago in range(USAGE_DAYS, -1, -1):
        day = timezone.localdate() - timedelta(days=ago)
        spent = 1200.0 + 900.0 * (day.weekday() < 5) + 37.0 * (day.day % 11)
        left, total = left - spent, spent if day.day == 1 else total + spent
        fields = (
            {"remaining": left} if account.provider == "audiostack" else {"used": total, "since": day.replace(day=1)}
        )
        rows.append(UsageReading(account=account, day=day, unit=usage["unit"], read_at=timezone.now(), **fields))
    UsageReading.objects.bulk_create(row for place, row in enumerate(rows) if place % 41 != 12)


ANSWERS = {429: '{"error": "Too many requests. Wait 20 seconds."}', None: ""}


def _make_calls(account: Account) -> None:
    calls = (
        ("list voices", 200),
        ("fetch build", 200),
        ("create recording", 429),
        ("create voice", 201),
        ("usage", None),
    )
    AccountCall.objects.bulk_create(
        AccountCall(
            account=account,
            at=timezone.now() - timedelta(minutes=11 * number),
            operation=calls[number % 5][0],
            status=calls[number % 5][1],
            response_text=ANSWERS.get(calls[number % 5][1], '{"success": true, "page": 1, "items": []}'),
        )
        for number in range(40)
    )


def make_proofs(account: Account, by: User) -> None:
    """The proofs that a provider wants by mail. The newest is not confirmed yet."""
    for number, consent in enumerate(Consent.objects.filter(provider=account.provider, status=ConsentStatus.APPROVED)):
        confirmed = {"confirmed_on": timezone.localdate()} if number else {}
        make_offline_proof(consent, account, by, **confirmed)


def make_votes(builds: list[Build], voters: list[User]) -> None:
    for place, sentence in enumerate(load_sentences(builds)[:2]):
        for number, voter in enumerate(voters):
            choice = VoteChoice.SAMPLE if number != place else VoteChoice.SAME
            if sentence.is_comparable:
                cast_vote(sentence, voter, choice, 1 + number % 2)


def make_deletions(by: User) -> None:
    """Deletions that are done, that run, and that are planned because a contract ended."""
    retired = RemoteVoice.objects.filter(retired_at__isnull=False, deletion_requested_at=None).exclude(remote_id="")
    for number, remote in enumerate(retired.exclude(builds__status__in=["training", "unconfirmed"]).distinct()[:9]):
        with act_ago(days=3 + number * 4):
            request_deletion_after_end(remote, "The voice was replaced by a newer one.", by)
            if number != 1:
                confirm_voice_deletion(remote, {"answer": {"success": True}, "look": "The voice is gone."}, by)
    for kind in ("expire_consents", "schedule_deletions"):
        outbox.enqueue_task(kind, "all")
        run_due_tasks(kind, once=kind)


def make_alerts() -> None:
    public = RemoteVoice.objects.filter(account__provider="voiceai", builds__status=BuildStatus.READY, deleted_at=None)
    for remote in public[:1]:
        alert = "The voice is public at the provider: everyone can use it. Make it private, or delete it."
        RemoteVoice.objects.filter(pk=remote.pk).update(visibility="public", alert=alert)


def make_failed_tasks() -> None:
    """Tasks that failed for good, two of them mails that a server refused."""
    refused = (
        "The mail server refused the address {}: 550 5.1.1 The email account that you tried to reach does not exist."
    )
    now = timezone.now()
    unopened = Invitation.objects.filter(opened_at=None).order_by("-created_at")
    for number, link in enumerate(unopened[:2]):
        _fail("send_invitation", link.pk, refused.format(link.sent_to), now - timedelta(hours=2 + number))
    for build in Build.objects.filter(status=BuildStatus.READY)[:1]:
        _fail("make_preview", build.previews.all()[0].pk, "The provider answered 503 five times.", now)
        _fail("examine_recordings", build.voice_id, "The worker stopped during the task 5 times.", now)
    Task.objects.filter(status=TaskStatus.WAITING).exclude(kind__in=["delete_remote_voice"]).update(
        status=TaskStatus.DONE, finished_at=now
    )


def _fail(kind: str, object_id: object, reason: str, at: Any) -> None:
    Task.objects.filter(kind=kind, object_id=str(object_id)).delete()
    Task.objects.create(
        kind=kind, object_id=str(object_id), status=TaskStatus.FAILED, reason=reason, finished_at=at, attempts=5
    )
