"""How much of an account is used, as its provider reports it: plan, credits or speech, and voices."""

from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from providers import registry
from providers.base import Provider
from providers.usage import Usage
from voices.models import Account, UsageReading

SECONDS = "s"  # the unit of speech; every other unit is a word of the provider


def reports_usage(account: Account) -> bool:
    """Whether the provider reports any use of an account."""
    tiers = registry.PROVIDERS[account.provider].tiers.values() if account.provider in registry.PROVIDERS else ()
    return any(tier.can_report_usage for tier in tiers)


def fetch_usage(account: Account, provider: Provider) -> None:
    """Store what the provider reports now, if it reports any, also as the reading of the day. Raises ProviderError."""
    if reports_usage(account):
        usage = provider.fetch_usage()
        with transaction.atomic():
            Account.objects.filter(pk=account.pk).update(usage=_make_json(usage), usage_at=timezone.now())
            store_reading(account, usage)


def store_reading(account: Account, usage: Usage) -> None:
    """Store the reading of today, in place of an earlier one of the same day."""
    if usage.used is None and usage.remaining is None:
        return
    values = {"unit": usage.unit[:20], "used": usage.used, "remaining": usage.remaining, "since": usage.since}
    values |= {"read_at": timezone.now(), "key_changed_at": account.key_changed_at}
    UsageReading.objects.update_or_create(account=account, day=timezone.localdate(), defaults=values)


def _make_json(usage: Usage) -> dict[str, object]:
    """The reported values only."""
    values = asdict(usage) | {"since": usage.since.isoformat() if usage.since else None}
    return {name: value for name, value in values.items() if value not in (None, "")}


def describe_voice_limit(account: Account) -> list[str]:
    """Advice for a build if the account had as many voices as its plan allows. Empty if not, or if not known."""
    voices, limit = account.usage.get("voices"), account.usage.get("voice_limit")
    if voices is None or limit is None or voices < limit:
        return []
    return [f"The account had {voices:,} of {limit:,} voices when last asked: the provider may refuse another voice."]
