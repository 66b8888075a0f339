"""Which providers there are. The only file of this package that reads settings."""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from providers.base import Provider

PROVIDERS = {
    "resemble_v2": "providers.resemble_v2.adapter.ResembleV2",
    "resemble_v1": "providers.resemble_v1.adapter.ResembleV1",
    "audiostack": "providers.audiostack.adapter.AudioStack",
    "speechgen": "providers.speechgen.adapter.Speechgen",
    "voiceai": "providers.voiceai.adapter.VoiceAI",
}

SHARE_OF_LEASE = 0.75


class Credentials(Protocol):
    """What of an account is needed to open its provider."""

    provider: str
    mode: str

    def key(self) -> str: ...


def provider_class(slug: str) -> type[Provider]:
    """The adapter. Raises KeyError for a provider that VoiceHub does not know."""
    found: type[Provider] = import_string(PROVIDERS[slug])
    return found


def all_providers() -> list[type[Provider]]:
    return [provider_class(slug) for slug in PROVIDERS]


def label(slug: str) -> str:
    """The provider's own name for people; the slug where we do not know it (any more)."""
    return provider_class(slug).label if slug in PROVIDERS else slug


def choices() -> list[tuple[str, str]]:
    return [(provider.slug, provider.label) for provider in all_providers()]


def open_provider(account: Credentials) -> Provider:
    """The adapter with this account's key, talking to the vendor or, for a sandbox account, to the sandbox.

    A call ends well before a worker's lease does: what is still on its way must not be looked for in vain.
    """
    sandbox = settings.VOICEHUB_SANDBOX_URL if account.mode == "sandbox" else ""
    adapter = import_string(PROVIDERS[account.provider])
    opened: Provider = adapter(
        account.key(),
        sandbox_url=sandbox,
        sandboxed=account.mode == "sandbox",
        longest_call=settings.VOICEHUB_LEASE_SECONDS * SHARE_OF_LEASE,
    )
    return opened


def limit_choices() -> list[tuple[str, str]]:
    """Every limit that any tier of any provider has."""
    names = {name for p in all_providers() for tier in p.tiers.values() for name in tier.limits}
    return [(name, name.replace("_", " ").capitalize()) for name in sorted(names)]
