"""Usage of accounts: asked when the key is tested and once a day, and never at the cost of the account."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.sandbox import SandboxProcess
from tests.voices.provider_studio import ProviderStudio
from voicehub.scheduler import RECURRING
from voices.models import Account, UsageReading
from voices.services.accounts import change_key
from voices.services.accounts import test_account as check_account
from voices.services.usage import describe_voice_limit
from voices.services.usage_refresh import refresh_usage

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]


def beat() -> None:
    """The lease is extended."""


def reload(account: Account) -> Account:
    account.refresh_from_db()
    return account


def test_test_of_the_key_also_asks_for_the_usage(make_studio: MakeStudio) -> None:
    account = make_studio("resemble_v2").account
    check_account(account)
    assert account.usage_at is not None
    assert (account.usage["plan"], account.usage["voices"], account.usage["voice_limit"]) == ("Sandbox", 0, 50)
    assert not account.last_error


def test_new_key_clears_the_usage_of_the_old_one(make_studio: MakeStudio) -> None:
    account = make_studio("audiostack").account
    check_account(account)
    change_key(account, "another-key-of-the-sandbox")
    assert (account.usage, account.usage_at) == ({}, None)


@pytest.mark.parametrize("provider", ["resemble_v1", "speechgen", "voiceai"])
def test_provider_without_usage_is_not_asked(make_studio: MakeStudio, provider: str) -> None:
    account = make_studio(provider).account
    check_account(account)
    assert (account.usage, account.usage_at, account.last_error) == ({}, None, "")
    assert account.calls.count() == 1


def test_failed_usage_call_does_not_make_a_good_key_bad(make_studio: MakeStudio, sandbox: SandboxProcess) -> None:
    account = make_studio("resemble_v2").account
    sandbox.set_faults({"operation": "list_teams", "do": "status:500"})
    check_account(account)
    assert (account.last_error, account.usage_at, account.paused_at) == ("", None, None)


def test_usage_that_a_member_may_not_see_does_not_pause_the_account(
    make_studio: MakeStudio, sandbox: SandboxProcess
) -> None:
    account = make_studio("resemble_v2").account
    sandbox.set_faults({"operation": "billing_usage", "do": "status:403"})
    check_account(account)
    assert (account.paused_at, account.last_error) == (None, "")
    assert "used" not in account.usage and account.usage["voice_limit"] == 50


def test_usage_is_refreshed_once_a_day(make_studio: MakeStudio) -> None:
    assert "refresh_usage" in RECURRING
    account = make_studio("audiostack").account
    check_account(account)
    first = account.usage_at
    assert refresh_usage(beat) == timedelta(days=1)
    assert reload(account).usage_at == first, "it is not old yet"
    Account.objects.update(usage_at=timezone.now() - timedelta(days=1), usage={})
    UsageReading.objects.all().delete()
    refresh_usage(beat)
    assert reload(account).usage == {"unit": "credits", "remaining": 100_000.0}
    reading = UsageReading.objects.get(account=account)
    assert (reading.day, reading.remaining, reading.unit) == (timezone.localdate(), 100_000.0, "credits")


@pytest.mark.parametrize("fields", [{"paused_at": timezone.now()}, {"checked_at": None}], ids=["paused", "untested"])
def test_paused_or_untested_account_is_left_alone(make_studio: MakeStudio, fields: dict[str, object]) -> None:
    account = make_studio("audiostack").account
    Account.objects.update(**{"checked_at": timezone.now()} | fields)
    refresh_usage(beat)
    assert (account.calls.count(), reload(account).usage_at) == (0, None)


def test_failed_refresh_keeps_the_last_known_usage(make_studio: MakeStudio, sandbox: SandboxProcess) -> None:
    account = make_studio("audiostack").account
    Account.objects.update(
        checked_at=timezone.now(),
        usage_at=timezone.now() - timedelta(days=2),
        usage={"remaining": 7, "unit": "credits"},
    )
    sandbox.set_faults({"operation": "list_speech_voices", "do": "status:500"})
    refresh_usage(beat)
    assert reload(account).usage["remaining"] == 7
    assert account.last_error


@pytest.mark.parametrize(
    ("usage", "has_advice"),
    [
        ({"voices": 50, "voice_limit": 50}, True),
        ({"voices": 49, "voice_limit": 50}, False),
        ({"voices": 50}, False),
        ({"voice_limit": 0}, False),
        ({}, False),
    ],
)
def test_full_account_is_advice_before_a_build(usage: dict[str, int], has_advice: bool) -> None:
    assert bool(describe_voice_limit(Account(usage=usage))) == has_advice
