"""Every provider has its contract tests."""

import importlib
from pathlib import Path

import pytest

from providers import registry
from providers.base import Provider
from providers.http import HttpProvider
from providers.types import Handover
from tests.providers.contract import ProviderContract
from tests.providers.file_contract import FileContract
from tests.providers.http_contract import HttpProviderContract
from tests.providers.retrain_contract import RecordingsContract, RetrainContract


def load_contracts() -> dict[type[Provider], type[ProviderContract]]:
    """Every contract class that pytest collects in this folder, by its provider."""
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.providers.{path.stem}")
    classes: list[type[ProviderContract]] = [ProviderContract]
    for contract in classes:
        classes.extend(contract.__subclasses__())
    return {contract.provider_class: contract for contract in classes if contract.__name__.startswith("Test")}


def list_slugs_without_contract() -> list[str]:
    contracts = load_contracts()
    return [provider.slug for provider in registry.list_providers() if provider not in contracts]


def test_every_provider_has_a_contract() -> None:
    assert list_slugs_without_contract() == []


def test_exactly_the_http_providers_have_the_http_contract() -> None:
    for provider, contract in load_contracts().items():
        assert issubclass(contract, HttpProviderContract) == issubclass(provider, HttpProvider)


def test_every_contract_sets_all_attributes_and_matches_its_tiers() -> None:
    """Each test class sets every required attribute, and inherits the tests of each capability of its provider."""
    for provider, contract in load_contracts().items():
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
            assert issubclass(contract, FileContract) == tier.can_delete_files, contract
        handovers = {handover for tier in provider.tiers.values() for handover in tier.handover}
        assert issubclass(contract, RecordingsContract) == (Handover.RECORDINGS in handovers), contract


def test_provider_without_contract_tests_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PROVIDERS, "untested", HttpProvider)
    monkeypatch.setattr(HttpProvider, "slug", "untested", raising=False)
    assert "untested" in list_slugs_without_contract()


def test_slugs_and_labels_are_unique() -> None:
    providers = registry.list_providers()
    assert [provider.slug for provider in providers] == list(registry.PROVIDERS)
    assert len({provider.label for provider in providers}) == len(providers)
