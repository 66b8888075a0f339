"""Staff suspend a contract and resume it; the gate names the reason, and each time leaves a row."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from consent.models import Contract, ContractSuspension
from consent.services.contracts import resume_contract, suspend_contract
from consent.services.gate import BuildPermission, BuildPurpose, check_permission
from consent.services.review import suspend_consent
from tests.consent.rows import PROVIDER, ConsentFactory, get_url, read_page
from tests.support.permissions import grant
from voicehub.models import User
from voicehub.refusals import ActionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

REASON = "The agency <disputes> the pay."


def check_gate(contract: Contract, purpose: str = "narration") -> BuildPermission:
    subject = BuildPurpose(contract.talent, PROVIDER, purpose, "", ())
    return check_permission(subject, provider_label="Resemble AI")


def make_contract(factory: ConsentFactory) -> Contract:
    return factory.make_contract(factory.make_approved_consent().talent)


def test_suspended_contract_closes_the_gate_until_it_is_resumed(factory: ConsentFactory) -> None:
    contract = make_contract(factory)
    suspend_contract(contract, factory.producer, REASON)
    permission = check_gate(contract)
    assert permission.reasons == (f"The contract signed on January 2, 2025 is suspended: {REASON}",)
    assert (permission.contract, permission.suspended_contract, permission.is_held) == (None, contract, True)
    assert list(Contract.objects.in_force()) == [] and list(Contract.objects.current()) == [contract]
    assert not contract.is_in_force
    resume_contract(contract, factory.producer, "Settled.")
    permission = check_gate(contract)
    assert (permission.contract, permission.is_given, permission.is_held) == (contract, True, False)
    assert contract.is_in_force


def test_another_contract_in_force_keeps_the_gate_open(factory: ConsentFactory) -> None:
    contract = make_contract(factory)
    other = factory.make_contract(contract.talent)
    suspend_contract(contract, factory.producer, REASON)
    assert check_gate(contract).contract == other
    other.purposes = ["advertising"]
    other.save()
    assert check_gate(contract).is_held, "the other contract does not allow it, the suspended one would"


def test_contract_that_a_suspended_one_replaced_stays_replaced(factory: ConsentFactory) -> None:
    older = make_contract(factory)
    newer = factory.make_contract(older.talent, supersedes=older)
    suspend_contract(newer, factory.producer, REASON)
    assert check_gate(older).suspended_contract == newer
    with pytest.raises(ActionRefused, match="not in force"):
        suspend_contract(older, factory.producer, REASON)


def test_voice_is_held_only_if_nothing_but_a_suspension_is_missing(factory: ConsentFactory) -> None:
    contract = make_contract(factory)
    consent = contract.talent.consents.get()
    suspend_contract(contract, factory.producer, REASON)
    suspend_consent(consent, factory.producer, "A dispute.")
    assert check_gate(contract).is_held and len(check_gate(contract).reasons) == 2
    assert not check_gate(contract, "advertising").is_held
    Contract.objects.update(ends_on=timezone.localdate() - timedelta(days=1))
    assert not check_gate(contract).is_held
    Contract.objects.update(ends_on=None)
    type(consent).objects.update(valid_until=timezone.localdate() - timedelta(days=1))
    assert not check_gate(contract).is_held


def test_reason_of_a_suspended_contract_that_does_not_allow_the_purpose(factory: ConsentFactory) -> None:
    contract = make_contract(factory)
    Contract.objects.update(purposes=["advertising"])
    suspend_contract(contract, factory.producer, REASON)
    assert check_gate(contract).reasons == (
        "The contract signed on January 2, 2025 is suspended: The agency <disputes> the pay.",
        "The contract signed on January 2, 2025 does not allow narration and audiobooks.",
    )
    assert not check_gate(contract).is_held


def test_page_suspends_and_resumes_a_contract_and_shows_each_time(
    factory: ConsentFactory, producer_client: Client, viewer: User
) -> None:
    viewer_client = Client()
    viewer_client.force_login(grant(viewer, "read_contract"))
    contract = make_contract(factory)
    page = contract.get_absolute_url()
    assert get_url("contract_suspend", contract) in read_page(producer_client, page)
    assert get_url("contract_suspend", contract) not in read_page(viewer_client, page)
    for name in ("contract_suspend", "contract_resume"):
        assert b"Enter a reason" in producer_client.post(get_url(name, contract), {"reason": " "}, follow=True).content
    assert not ContractSuspension.objects.exists()
    producer_client.post(get_url("contract_suspend", contract), {"reason": REASON})
    for client in (producer_client, viewer_client):
        text = read_page(client, page)
        assert ">Suspended</span>" in text and "The agency &lt;disputes&gt; the pay." in text
    assert ">Suspended</span>" in read_page(viewer_client, contract.talent.get_absolute_url())
    response = producer_client.post(get_url("contract_suspend", contract), {"reason": "Again."}, follow=True)
    assert b"already suspended" in response.content
    producer_client.post(get_url("contract_resume", contract), {"reason": "Settled."})
    text = read_page(viewer_client, page)
    assert ">In force</span>" in text and "Settled." in text and "The agency &lt;disputes&gt; the pay." in text
    response = producer_client.post(get_url("contract_resume", contract), {"reason": "Again."}, follow=True)
    assert b"is not suspended" in response.content
    suspension = ContractSuspension.objects.get()
    assert (suspension.suspended_by, suspension.resumed_by) == (factory.producer, factory.producer)


def test_every_suspension_of_a_contract_is_kept(factory: ConsentFactory) -> None:
    contract = make_contract(factory)
    for reason in ("First.", "Second."):
        suspend_contract(contract, factory.producer, reason)
        resume_contract(contract, factory.producer, f"End of: {reason}")
    rows = list(contract.suspensions.values_list("reason", "resume_reason"))
    assert rows == [("First.", "End of: First."), ("Second.", "End of: Second.")]


def test_database_refuses_two_open_suspensions(factory: ConsentFactory) -> None:
    contract = make_contract(factory)
    suspend_contract(contract, factory.producer, REASON)
    with pytest.raises(IntegrityError), transaction.atomic():
        ContractSuspension.objects.create(contract=contract, suspended_by=factory.producer, reason=REASON)
