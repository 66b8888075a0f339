"""A build goes on under the consent and the contract that replaced its own, where they allow it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.models import Consent, Contract, Purpose
from tests.voices.services.builds.build_harness import BuildHarness
from voices.models import Build, BuildStatus
from voices.services.builds.journal import BuildJournal

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def replace_basis(harness: BuildHarness, build: Build, **terms: Any) -> tuple[Consent, Contract]:
    """A newer consent, and a contract with these terms, that replace those of the build."""
    yesterday = timezone.localdate() - timedelta(days=1)
    dates = {"signed_on": yesterday, "starts_on": yesterday}
    consent = harness.make_consent(build.voice.talent)
    return consent, harness.make_contract(build.voice.talent, supersedes=build.contract, **dates | terms)


def test_unsent_build_goes_on_under_the_consent_and_contract_that_replaced_its_own(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    consent, contract = replace_basis(harness, build)
    assert harness.finish_build(build).status == BuildStatus.READY
    build = Build.objects.get()
    assert (build.consent, build.contract) == (consent, contract)
    event = consent.events.get(kind="used")
    assert event.payload == {"build": str(build.pk), "voice": str(build.voice_id), "contract": str(contract.pk)}
    assert event.actor == harness.producer


def test_build_that_is_being_sent_goes_on_under_the_replacements(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent stays on record: the build names the consent and the contract of its start."""
    build = harness.start_build(harness.make_voice())
    original, replaced = BuildJournal.record_voice, list[Any]()

    def record_and_replace(journal: BuildJournal, remote_id: str) -> None:
        original(journal, remote_id)
        replaced.append(replace_basis(harness, Build.objects.get()))

    monkeypatch.setattr(BuildJournal, "record_voice", record_and_replace)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert replaced and (Build.objects.get().consent, Build.objects.get().contract) == (build.consent, build.contract)


def test_replacement_that_does_not_allow_the_build_stops_it(harness: BuildHarness) -> None:
    """Also when another contract in force would allow it: the build does not depend on that one."""
    build, requests = harness.start_build(harness.make_voice()), harness.count_requests()
    replace_basis(harness, build, purposes=[Purpose.ADVERTISING])
    harness.make_contract(build.voice.talent)
    harness.reach_status(build, BuildStatus.FAILED)
    assert build.issue == "The consent or the contract of this build is no longer in force."
    assert harness.count_requests() == requests


@pytest.mark.parametrize("is_replaced", [True, False])
def test_unconfirmed_contract_stops_a_build_that_began_with_a_confirmed_one(
    harness: BuildHarness, is_replaced: bool
) -> None:
    """Whether it replaces the contract of the build, or is filed beside it while that one is damaged."""
    build, requests = harness.start_build(harness.make_voice()), harness.count_requests()
    if is_replaced:
        replace_basis(harness, build, is_confirmed=False)
    else:
        Contract.objects.update(file_problem="The file is not the one that was filed.")
        harness.make_contract(build.voice.talent, is_confirmed=False)
    harness.reach_status(build, BuildStatus.FAILED)
    assert "is not confirmed for narration and audiobooks" in build.issue
    assert harness.count_requests() == requests


def test_unconfirmed_replacement_stops_a_build_although_another_contract_allows_it(harness: BuildHarness) -> None:
    build, requests = harness.start_build(harness.make_voice()), harness.count_requests()
    replace_basis(harness, build, is_confirmed=False)
    harness.make_contract(build.voice.talent)
    harness.reach_status(build, BuildStatus.FAILED)
    assert build.issue == "The consent or the contract of this build is no longer in force."
    assert harness.count_requests() == requests
