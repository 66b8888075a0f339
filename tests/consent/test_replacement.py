"""A newer approval for the same talent, provider and purpose replaces the older consent, where everyone sees it."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from consent.models import Consent, ConsentStatus, EventKind
from consent.services.audit_log import find_broken_logs
from consent.services.gate import BuildPurpose, check_permission
from consent.services.review import suspend_consent, withdraw_consent
from tests.consent.rows import PROVIDER, ConsentFactory, get_guest_url, read_page
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from voicehub.refusals import ActionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def replace(factory: ConsentFactory, older: Consent) -> Consent:
    newer = factory.make_approved_consent(older.talent)
    older.refresh_from_db()
    return newer


@pytest.mark.parametrize("status", [ConsentStatus.APPROVED, ConsentStatus.SUSPENDED])
def test_newer_approval_replaces_the_older_consent(factory: ConsentFactory, status: ConsentStatus) -> None:
    older = factory.make_approved_consent()
    if status == ConsentStatus.SUSPENDED:
        suspend_consent(older, factory.producer, "A dispute.")
    newer = replace(factory, older)
    assert (older.status, older.replaced_by, newer.status) == (ConsentStatus.REPLACED, newer, ConsentStatus.APPROVED)
    event = older.events.latest("sequence")
    assert (event.kind, event.actor) == (EventKind.REPLACED, factory.producer)
    assert event.payload == {"newer": str(newer.pk), "status": status}
    assert not list(find_broken_logs())
    assert check_permission(BuildPurpose(newer.talent, PROVIDER, newer.purpose, "", ())).consent == newer


def test_approval_replaces_no_other_consent(factory: ConsentFactory) -> None:
    """Neither of another purpose, provider or talent, nor one that has ended."""
    talent = factory.make_talent()
    others = [
        factory.make_approved_consent(talent, "advertising"),
        factory.make_approved_consent(factory.make_talent("Theo Brand", "theo@people.test")),
        factory.make_consent(talent),
        factory.make_submitted_consent(talent),
    ]
    elsewhere, withdrawn = factory.make_approved_consent(talent), factory.make_approved_consent(talent, "internal")
    Consent.objects.filter(pk=elsewhere.pk).update(provider="voiceai")
    withdraw_consent(withdrawn, factory.producer, "Changed her mind.")
    statuses = dict(Consent.objects.values_list("pk", "status"))
    newer = factory.make_approved_consent(talent)
    factory.make_approved_consent(talent, "internal")
    after = dict(Consent.objects.values_list("pk", "status"))
    assert {pk: after[pk] for pk in statuses} == statuses
    assert not Consent.objects.filter(replaced_by__isnull=False).exists()
    assert newer.status == ConsentStatus.APPROVED and len(others) == 4


def test_refused_approval_replaces_nothing(factory: ConsentFactory, producer_client: Client) -> None:
    older, newer = factory.make_approved_consent(), None
    newer = factory.make_submitted_consent(older.talent)
    producer_client.post(reverse("consent:approve", args=[newer.pk]), {"take": newer.takes.get().pk})
    assert set(Consent.objects.values_list("status", flat=True)) == {"approved", "submitted"}
    assert older.events.latest("sequence").kind == EventKind.APPROVED


def test_database_refuses_a_second_approved_consent(factory: ConsentFactory) -> None:
    older = factory.make_approved_consent()
    newer = replace(factory, older)
    for status in (ConsentStatus.APPROVED, ConsentStatus.SUSPENDED):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.filter(pk=older.pk).update(status=status)
    assert Consent.objects.get(pk=newer.pk).status == ConsentStatus.APPROVED


def test_replaced_consent_can_not_be_changed(factory: ConsentFactory) -> None:
    older = factory.make_approved_consent()
    replace(factory, older)
    for act in (suspend_consent, withdraw_consent):
        with pytest.raises(ActionRefused, match="no longer possible"):
            act(older, factory.producer, "A reason.")


def test_both_consents_and_the_talent_show_the_replacement(factory: ConsentFactory, viewer_client: Client) -> None:
    older = factory.make_approved_consent()
    newer = replace(factory, older)
    old_page, new_page = (read_page(viewer_client, one.get_absolute_url()) for one in (older, newer))
    assert f'Replaced by <a href="{newer.get_absolute_url()}">' in old_page and "Open the newer consent" in old_page
    assert "Replaced by a newer approval for the same provider and purpose." in old_page
    assert f'Replaces <a href="{older.get_absolute_url()}">' in new_page
    talent_page = read_page(viewer_client, older.talent.get_absolute_url())
    assert f'href="{newer.get_absolute_url()}">the newer consent</a>' in talent_page


def open_replaced_consent(factory: ConsentFactory) -> tuple[Client, Consent, Consent]:
    """A browser with the link of a consent that was replaced, that consent, and the newer one."""
    older = factory.make_consent()
    guest = factory.open_link(older)
    approve_after_listening(older, factory.make_take(older), factory.producer)
    return guest, older, replace(factory, older)


def test_private_link_of_a_replaced_consent_says_so_and_still_opens(factory: ConsentFactory) -> None:
    older = factory.make_consent()
    path = factory.make_link(older)
    approve_after_listening(older, factory.make_take(older), factory.producer)
    replace(factory, older)
    page = read_html(Client().get(path, follow=True))
    assert "by a newer consent for the same provider and purpose" in page and "Withdraw this consent" in page


@pytest.mark.parametrize("form", [{"reason": ""}, {"reason": "", "all": "yes"}])
def test_withdrawal_on_the_link_of_a_replaced_consent_ends_the_newer(
    factory: ConsentFactory, form: dict[str, str]
) -> None:
    guest, older, newer = open_replaced_consent(factory)
    page = read_html(guest.post(get_guest_url("withdraw", older), form, follow=True))
    newer.refresh_from_db()
    older.refresh_from_db()
    assert (older.status, newer.status) == (ConsentStatus.REPLACED, ConsentStatus.WITHDRAWN)
    assert "The newer consent was withdrawn." in page and "no longer possible" not in page
    assert "Withdraw this consent" not in page


def test_review_says_what_the_approval_replaces(factory: ConsentFactory, producer_client: Client) -> None:
    older = factory.make_approved_consent()
    newer = factory.make_submitted_consent(older.talent)
    other = factory.make_submitted_consent(factory.make_talent("Theo Brand", "theo@people.test"))
    assert f'this consent replaces <a class="underlined" href="{older.get_absolute_url()}">' in " ".join(
        read_page(producer_client, newer.get_absolute_url()).split()
    )
    assert "this consent replaces" not in " ".join(read_page(producer_client, other.get_absolute_url()).split())
