"""The providers: every package beside this module. The only file of this package that reads settings."""

import pkgutil
from importlib import import_module
from typing import Protocol

from django.conf import settings

import providers
from providers.base import Provider, WaitForSlot

SHARE_OF_LEASE = 0.75  # of the worker's lease: the longest time that one call may take


class InvalidProviderPackage(Exception):
    """A vendor's package does not declare its adapter as docs/providers.md requires."""


class Credentials(Protocol):
    """The attributes of an account that are needed to open its provider."""

    provider: str
    mode: str

    def decrypt_key(self) -> str: ...


def load_providers() -> dict[str, type[Provider]]:
    """The `ADAPTER` of every vendor's package, by slug, in display order.

    Raises InvalidProviderPackage or the import error of a package, so that a broken package stops the start.
    """
    names = [module.name for module in pkgutil.iter_modules(providers.__path__) if module.ispkg]
    adapters = sorted(map(_load_adapter, names), key=lambda adapter: (adapter.list_position, adapter.label))
    return {adapter.slug: adapter for adapter in adapters}


def _load_adapter(name: str) -> type[Provider]:
    module = import_module(f"{providers.__name__}.{name}.adapter")
    adapter = getattr(module, "ADAPTER", None)
    if not (isinstance(adapter, type) and issubclass(adapter, Provider) and adapter.slug == name):
        raise InvalidProviderPackage(f"{module.__name__} has no ADAPTER, a Provider whose slug is {name!r}.")
    return adapter


PROVIDERS = load_providers()


def get_provider_class(slug: str) -> type[Provider]:
    """The adapter class of a provider. Raises KeyError for a provider that VoiceHub does not know."""
    return PROVIDERS[slug]


def list_providers() -> list[type[Provider]]:
    return list(PROVIDERS.values())


def get_provider_label(slug: str) -> str:
    """The provider's display name, or the slug if VoiceHub does not have this provider, or no longer has it."""
    return get_provider_class(slug).label if slug in PROVIDERS else slug


def list_provider_choices() -> list[tuple[str, str]]:
    return [(provider.slug, provider.label) for provider in list_providers()]


def open_provider(account: Credentials, wait_for_slot: WaitForSlot | None = None) -> Provider:
    """The adapter with this account's key, talking to the vendor or, for a sandbox account, to the sandbox.

    A call ends well before the worker's lease does, so that no other worker looks up a result that is still in transit.
    """
    sandbox = settings.VOICEHUB_SANDBOX_URL if account.mode == "sandbox" else ""
    return get_provider_class(account.provider)(
        account.decrypt_key(),
        sandbox_url=sandbox,
        sandboxed=account.mode == "sandbox",
        longest_call=settings.VOICEHUB_LEASE_SECONDS * SHARE_OF_LEASE,
        wait_for_slot=wait_for_slot,
    )


def list_limit_choices() -> list[tuple[str, str]]:
    """Every limit of every tier of every provider."""
    names = {name for p in list_providers() for tier in p.tiers.values() for name in tier.limits}
    return [(name, name.replace("_", " ").capitalize()) for name in sorted(names)]
