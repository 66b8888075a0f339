"""No consent is sent, recorded or approved without a contract on file that allows it."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, Contract, EventKind, Invitation, Purpose, Talent
from consent.services.contracts import suspend_contract
from consent.services.filed_contracts import ContractMissing, explain_to_talent, find_contract_problem, judge_contracts
from consent.services.invitations import create_private_link, invite_talent
from consent.services.review import request_retake
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, get_guest_url, get_url, make_clip, make_upload, read_page
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from voicehub.refusals import ActionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reads_names")]

NAME, LABEL = "Tilda Strand", "Resemble AI"
NONE = f"No contract of {NAME} is on file."
OTHER = f"No contract of {NAME} allows {LABEL} for narration and audiobooks."


def count_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent(has_contract=False)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, ""),
        ({"ends_on": 0}, ""),
        ({"starts_on": 5}, ""),
        ({"providers": ["speechgen"]}, OTHER),
        ({"purposes": ["advertising"]}, OTHER),
        ({"ends_on": -1}, f"The contract of {NAME} that allows {LABEL} for narration and audiobooks ended on"),
    ],
)
def test_contract_on_file_allows_the_consent_and_has_not_ended(
    factory: ConsentFactory, consent: Consent, fields: dict[str, Any], problem: str
) -> None:
    assert find_contract_problem(consent) == NONE
    terms: dict[str, Any] = {
        name: count_days(value) if isinstance(value, int) else value for name, value in fields.items()
    }
    factory.make_contract(consent.talent, **terms)
    assert find_contract_problem(consent).startswith(problem) and bool(find_contract_problem(consent)) == bool(problem)
    assert bool(explain_to_talent(consent)) == bool(problem)


def test_contract_that_starts_later_is_said(factory: ConsentFactory, consent: Consent, producer_client: Client) -> None:
    contract = factory.make_contract(consent.talent, starts_on=date(2090, 5, 1))
    note = "The contract starts on May 1, 2090. No voice can be built before that day."
    assert judge_contracts(consent).start_note == note
    assert note in read_page(producer_client, consent.get_absolute_url())
    factory.make_take(consent)
    assert note in read_page(producer_client, consent.get_absolute_url())
    factory.make_contract(consent.talent, supersedes=contract)
    assert judge_contracts(consent).start_note == "", "another contract has started"


def test_suspended_contract_counts(factory: ConsentFactory, consent: Consent) -> None:
    suspend_contract(factory.make_contract(consent.talent), factory.producer, "A dispute.")
    assert find_contract_problem(consent) == ""


def test_replaced_contract_counts_until_its_replacement_starts(factory: ConsentFactory, consent: Consent) -> None:
    contract = factory.make_contract(consent.talent)
    newer = factory.make_contract(consent.talent, supersedes=contract, providers=["speechgen"], starts_on=count_days(1))
    assert find_contract_problem(consent) == ""
    Contract.objects.filter(pk=newer.pk).update(starts_on=count_days(0))
    assert "ended on" in find_contract_problem(consent)


def send_mail_invitation(factory: ConsentFactory, consent: Consent) -> None:
    invite_talent([consent], factory.producer)


def copy_link(factory: ConsentFactory, consent: Consent) -> None:
    create_private_link([consent], factory.producer)


def record_in_studio(factory: ConsentFactory, consent: Consent) -> None:
    submit_take(consent, make_upload(make_clip()), Capture.IN_STUDIO, by=factory.producer)


@pytest.mark.parametrize("act", [send_mail_invitation, copy_link, record_in_studio])
def test_nothing_is_sent_or_recorded_without_a_contract(
    factory: ConsentFactory, consent: Consent, act: Callable[[ConsentFactory, Consent], None]
) -> None:
    with pytest.raises(ContractMissing, match=f"^{re.escape(NONE)} Add the contract first.$"):
        act(factory, consent)
    assert not Invitation.objects.exists() and not consent.takes.exists()
    factory.make_contract(consent.talent)
    act(factory, consent)


def test_each_request_of_a_link_needs_a_contract(factory: ConsentFactory, talent: Talent) -> None:
    factory.make_contract(talent)
    consents = [factory.make_consent(talent), factory.make_consent(talent, Purpose.ADVERTISING, has_contract=False)]
    with pytest.raises(ContractMissing, match="for advertising"):
        create_private_link(consents, factory.producer)


def test_answered_consent_gets_a_new_link_without_a_contract(factory: ConsentFactory) -> None:
    """The talent must be able to withdraw."""
    consent = factory.make_approved_consent()
    consent.talent.contracts.update(ends_on=date(2025, 2, 1))
    create_private_link([consent], factory.producer)


def test_approval_needs_a_contract(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_submitted_consent()
    consent.talent.contracts.update(ends_on=date(2025, 2, 1))
    with pytest.raises(ActionRefused, match=r"ended on February 1, 2025\. Add the contract first\."):
        approve_after_listening(consent, consent.takes.get(), factory.producer)
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED
    page = read_page(producer_client, consent.get_absolute_url())
    assert "Until one is added, the recording cannot be approved." in page and "data-approve" not in page
    assert f"{get_url('contract_add', consent.talent)}?provider=resemble_v2&amp;purpose=narration" in page
    factory.make_contract(consent.talent)
    assert "data-approve" in read_page(producer_client, consent.get_absolute_url())
    approve_after_listening(consent, consent.takes.get(), factory.producer)


def test_pages_of_staff_lead_to_the_missing_contract(
    consent: Consent, producer_client: Client, engineer_client: Client
) -> None:
    page = read_page(producer_client, consent.get_absolute_url())
    add_url = f"{get_url('contract_add', consent.talent)}?provider=resemble_v2&amp;purpose=narration"
    assert "Next: add a contract" in page and NONE in page and add_url in page
    assert "Send the invitation" not in page and get_url("take_upload", consent) not in page
    response = producer_client.get(get_url("record_in_studio", consent), follow=True)
    assert response.redirect_chain == [(consent.get_absolute_url(), 302)]
    assert f"{NONE} Add the contract first." in read_html(response)
    response = producer_client.post(get_url("copy_link", consent), follow=True)
    assert f"{NONE} Add the contract first." in read_html(response)
    page = read_page(engineer_client, consent.get_absolute_url())
    assert "Waiting for the contract" in page and add_url not in page


def test_request_form_says_that_a_contract_is_missing(
    factory: ConsentFactory, talent: Talent, producer_client: Client
) -> None:
    factory.make_contract(talent)
    url, choice = get_url("statement", talent), {"statement": "resemble_v2:en-US", "purpose": "narration"}
    assert "alert-warning" not in producer_client.get(url, choice).content.decode()
    fragment = producer_client.get(url, choice | {"purpose": "advertising"}).content.decode()
    assert "The contract does not allow it." in fragment
    assert f"{get_url('contract_add', talent)}?provider=resemble_v2&amp;purpose=advertising" in fragment


# --- links that were sent before ----------------------------------------------------------------------------


@pytest.fixture
def opened(factory: ConsentFactory) -> tuple[Client, Consent]:
    """A browser with a link whose contract ended after it was sent."""
    consent = factory.make_consent()
    client = factory.open_link(consent)
    consent.talent.contracts.update(ends_on=date(2025, 2, 1))
    return client, consent


REASON = (
    "You cannot record this now, because your contract for this ended on February 1, 2025. The studio has to add a "
    "contract first."
)


def test_talent_reads_why_nothing_can_be_recorded(opened: tuple[Client, Consent]) -> None:
    client, consent = opened
    page = read_page(client, get_guest_url("home", consent))
    assert REASON in page and "Continue to the text" not in page
    for response in (client.get(get_guest_url("record", consent)), client.post(get_guest_url("begin", consent))):
        assert (response.status_code, response.headers["Location"]) == (302, get_guest_url("home", consent))
    assert consent.events.filter(kind__in=[EventKind.OPENED, EventKind.TICKED]).count() == 2  # while it was in force
    data = {"file": make_upload(make_clip()), "recorded": "on"}
    response = client.post(get_guest_url("submit", consent), data, headers={"Accept": "application/json"})
    assert (response.status_code, response.json()) == (409, {"problem": REASON})
    assert not consent.takes.exists()


def test_talent_can_decline_without_a_contract(opened: tuple[Client, Consent]) -> None:
    client, consent = opened
    client.post(get_guest_url("decline", consent), {"reason": ""})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED


def test_retake_waits_for_the_contract(factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    request_retake(consent, factory.producer, "Please read slower.")
    client = factory.open_link(consent)
    Contract.objects.update(providers=["speechgen"])
    page = read_page(client, get_guest_url("home", consent))
    assert "because no contract of yours allows it" in page and "Please read slower." in page
    factory.make_contract(consent.talent)
    assert "Read it again" in read_page(client, get_guest_url("home", consent))


def test_repeated_upload_is_answered_although_the_contract_ended(factory: ConsentFactory) -> None:
    """The page repeats an upload whose response was lost. The recording is there."""
    consent = factory.make_consent()
    client, take = factory.open_link(consent), factory.make_take(consent)
    consent.talent.contracts.update(ends_on=date(2025, 2, 1))
    data = {"file": make_upload(make_clip()), "recorded": "on", "sha256": take.sha256}
    response = client.post(get_guest_url("submit", consent), data, headers={"Accept": "application/json"})
    assert response.json()["next"] == reverse("invitation:receipt", args=[consent.invitations.get().pk, consent.pk])
