"""No provider without its contract."""

import importlib
from pathlib import Path

import pytest

from providers import registry
from providers.base import Provider
from providers.http import HttpProvider
from providers.types import Handover
from tests.providers.contract import ProviderContract
from tests.providers.http_contract import HttpProviderContract
from tests.providers.retrain_contract import RecordingsContract, RetrainContract


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
    return [provider.slug for provider in registry.list_providers() if provider not in held]


def test_every_provider_is_held_to_the_contract() -> None:
    assert without_contract() == []


def test_providers_over_http_are_held_to_the_http_contract() -> None:
    for provider, contract in contracts().items():
        assert issubclass(contract, HttpProviderContract) == issubclass(provider, HttpProvider)


def test_no_part_of_the_contract_is_left_open() -> None:
    """What a contract leaves to its subclass is there, and what it declares is held."""
    for provider, contract in contracts().items():
        for name in (
            "creating_operations",
            "upload_operation",
            "statuses",
            "responses_without_id",
            "build_voice_response",
            "build_error_response",
        ):
            assert getattr(contract, name, None) is not getattr(ProviderContract, name, None), (contract, name)
        for tier in provider.tiers.values():
            assert issubclass(contract, RetrainContract) == tier.can_retrain, contract
        ways = {way for tier in provider.tiers.values() for way in tier.handover}
        assert issubclass(contract, RecordingsContract) == (Handover.RECORDINGS in ways), contract


def test_provider_without_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PROVIDERS, "nobody", HttpProvider)
    monkeypatch.setattr(HttpProvider, "slug", "nobody", raising=False)
    assert "nobody" in without_contract()


def test_slugs_and_labels_are_of_one_provider_each() -> None:
    providers = registry.list_providers()
    assert [provider.slug for provider in providers] == list(registry.PROVIDERS)
    assert len({provider.label for provider in providers}) == len(providers)
