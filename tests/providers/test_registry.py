"""No provider without its contract."""

import importlib
from pathlib import Path

import pytest

from tests.providers.contract import ProviderContract
from tests.providers.http_contract import HttpProviderContract
from voices.providers import registry
from voices.providers.base import Provider
from voices.providers.http import HttpProvider


def contracts() -> dict[type[Provider], type[ProviderContract]]:
    """Every contract class that pytest collects in this folder, by the provider that it holds."""
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.providers.{path.stem}")
    found: list[type[ProviderContract]] = [ProviderContract]
    for kind in found:
        found.extend(kind.__subclasses__())
    return {kind.provider_class: kind for kind in found if kind.__name__.startswith("Test")}


def without_contract() -> list[str]:
    held = contracts()
    return [provider.slug for provider in registry.all_providers() if provider not in held]


def test_every_provider_is_held_to_the_contract() -> None:
    assert without_contract() == []


def test_providers_over_http_are_held_to_the_http_contract() -> None:
    for provider, contract in contracts().items():
        assert issubclass(contract, HttpProviderContract) == issubclass(provider, HttpProvider)


def test_no_part_of_the_contract_is_left_open() -> None:
    """What a contract leaves to its subclass is there."""
    for contract in contracts().values():
        for name in ("_send_behind_our_back", "_recordings", "voice_item", "test_finds_a_voice_on_any_page"):
            assert name in vars(contract), f"{contract.__name__} does not say {name}"


def test_provider_without_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PROVIDERS, "nobody", "voices.providers.http.HttpProvider")
    monkeypatch.setattr(HttpProvider, "slug", "nobody", raising=False)
    assert without_contract() == ["nobody"]


def test_slugs_and_labels_are_of_one_provider_each() -> None:
    providers = registry.all_providers()
    assert [provider.slug for provider in providers] == list(registry.PROVIDERS)
    assert len({provider.label for provider in providers}) == len(providers)
