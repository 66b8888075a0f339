"""What the private link shows: the state of each consent, and the deletions until each is confirmed."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent import extension_points
from consent.access import INVITATION_COOKIE
from consent.extension_points import Deletion
from consent.models import Capture, Consent, ConsentStatus, EventKind, Purpose
from consent.services.review import suspend_consent, withdraw_consent
from consent.services.takes import submit_take
from tests.consent.rows import (
    ConsentFactory,
    allow_comparison,
    get_guest_url,
    get_invitation,
    get_url,
    make_clip,
    make_upload,
    read_page,
)
from tests.support.html import read_html

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def deletions() -> Iterator[list[Deletion]]:
    """What other apps delete for a withdrawn consent. The test fills the list."""
    rows: list[Deletion] = []

    def list_rows(consent: Consent) -> list[Deletion]:
        return list(rows) if consent.status == ConsentStatus.WITHDRAWN else []

    handler = (lambda consent: None, list_rows, lambda consent: False)
    extension_points._stop_handlers.append(handler)
    yield rows
    extension_points._stop_handlers.remove(handler)


def make_deletion(subject: str, *, is_confirmed: bool) -> Deletion:
    now = timezone.now()
    return Deletion(
        "Resemble AI",
        subject,
        now,
        now if is_confirmed else None,
        "Gone" if is_confirmed else "Staff delete it by hand",
    )


def open_withdrawn(factory: ConsentFactory) -> tuple[Consent, Client]:
    consent = factory.make_approved_consent()
    guest = factory.open_link(consent)
    withdraw_consent(consent, None, "")
    return consent, guest


def get_list_url(consent: Consent) -> str:
    return get_guest_url("deletions", consent)


def read_home(guest: Client) -> str:
    """The page of the link that this browser opened last."""
    return read_html(guest.get(guest.cookies[INVITATION_COOKIE]["path"]))


def test_deletions_are_listed_until_each_is_confirmed(factory: ConsentFactory, deletions: list[Deletion]) -> None:
    consent, guest = open_withdrawn(factory)
    deletions += [make_deletion("Voice A", is_confirmed=True), make_deletion("Voice B", is_confirmed=False)]
    page = read_home(guest)
    assert "Voice A" in page and "Deleted, confirmed" in page
    assert "Voice B" in page and "Not yet deleted. Staff delete it by hand." in page and " data-open" in page
    assert "there is nothing to delete" not in page
    deletions[1] = make_deletion("Voice B", is_confirmed=True)
    page = read_home(guest)
    assert "Not yet deleted" not in page and " data-open" not in page


def test_list_is_sent_again_only_when_it_changed(factory: ConsentFactory, deletions: list[Deletion]) -> None:
    consent, guest = open_withdrawn(factory)
    deletions.append(make_deletion("Voice <b>", is_confirmed=False))
    first = guest.get(get_list_url(consent))
    seen = first.context["status"].change_token
    assert seen in read_html(first) and "Voice &lt;b&gt;" in read_html(first) and "noindex" in first["X-Robots-Tag"]
    assert guest.get(get_list_url(consent), {"seen": seen}).status_code == 204
    deletions[0] = make_deletion("Voice <b>", is_confirmed=True)
    assert "Deleted, confirmed" in read_html(guest.get(get_list_url(consent), {"seen": seen}))


def test_list_needs_the_link_of_the_talent(factory: ConsentFactory, deletions: list[Deletion]) -> None:
    consent, guest = open_withdrawn(factory)
    deletions.append(make_deletion("Voice A", is_confirmed=False))
    other = factory.open_link(factory.make_consent(factory.make_talent("Theo Brand", "theo@people.test")))
    for client in (Client(), other):
        response = client.get(get_list_url(consent))
        assert response.status_code == 404 and b"Voice A" not in response.content
    consent.invitations.update(revoked_at=timezone.now())
    assert guest.get(get_list_url(consent)).status_code == 404


@pytest.mark.parametrize("on_behalf", [False, True])
def test_page_names_who_withdrew(factory: ConsentFactory, on_behalf: bool) -> None:
    consent = factory.make_approved_consent()
    guest = factory.open_link(consent)
    withdraw_consent(consent, factory.producer if on_behalf else None, "")
    page = read_home(guest)
    assert ("by Paula, on your behalf" in page) is on_behalf
    assert ("by you, on " in page) is not on_behalf


def test_what_cannot_be_undone_is_said_before_and_with_a_withdrawal(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    text = "What was already produced with a voice stays"
    assert text in read_home(guest)
    assert text in read_html(guest.get(get_guest_url("record", consent)))
    approved = factory.make_approved_consent()
    assert text in read_home(factory.open_link(approved))


def test_promise_to_delete_names_the_legal_hold(factory: ConsentFactory) -> None:
    for consent in (factory.make_consent(), factory.make_approved_consent()):
        page = read_home(factory.open_link(consent))
        assert "deleted at" in page and "Only a legal hold can delay that." in page


def test_suspended_consent_can_be_withdrawn_on_the_link(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A dispute.")
    guest = factory.open_link(consent)
    page = read_home(guest)
    assert "No build can start with this consent" in page and "Withdraw this consent" in page
    guest.post(get_guest_url("withdraw", consent))
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.WITHDRAWN


def test_footer_says_how_long_the_link_works(factory: ConsentFactory) -> None:
    requested = factory.make_consent()
    page = read_home(factory.open_link(requested))
    assert "You can answer until" in page and "until the studio ends it" in page
    page = read_home(factory.open_link(factory.make_approved_consent()))
    assert "You can answer until" not in page and "It keeps working until the studio ends it." in page


def test_query_count_of_the_page_does_not_grow_with_status_entries(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    one = factory.make_approved_consent(talent)
    guest = factory.open_link(one)
    guest.get(get_guest_url("home", one))

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert guest.get(get_guest_url("home", one)).status_code == 200
        return len(queries)

    before = count()
    for _ in range(5):
        suspend_consent(one, factory.producer, "x")
        Consent.objects.filter(pk=one.pk).update(status=ConsentStatus.APPROVED)
    assert count() == before


def test_comparison_is_not_asked_once_every_consent_is_over(factory: ConsentFactory) -> None:
    consent, guest = open_withdrawn(factory)
    assert 'id="voice-comparison"' not in read_home(guest)
    allow_comparison(consent.talent)
    assert 'id="voice-comparison"' in read_home(guest), "an answer can be changed"


def test_page_weighs_less_than_100_kb(factory: ConsentFactory, deletions: list[Deletion]) -> None:
    consent, guest = open_withdrawn(factory)
    deletions += [make_deletion(f"Voice {number}", is_confirmed=False) for number in range(20)]
    page = guest.get(get_guest_url("home", consent)).content
    static = [finders.find(name.decode()) for name in re.findall(rb'(?:src|href)="/static/([^"]+)"', page)]
    assert len(static) == 8
    assert len(page) + sum(Path(file).stat().st_size for file in static if file) < 100_000


def test_many_consents_are_folded_below_the_first_request(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    consents = [factory.make_approved_consent(talent) for _ in range(3)]
    guest = factory.open_link(consents[0])
    assert '<details class="part"' not in read_home(guest)
    requests = [factory.make_consent(talent) for _ in range(2)]
    get_invitation(consents[0]).consents.add(*consents, *requests)
    page = read_home(guest)
    assert page.count('<details class="part">') == 3
    assert page.index(f"tick-{requests[1].pk}") < page.index('<details class="part">')
    in_force, earlier = page[page.index("Narration and audiobooks</h2>") :].split("<h2>Earlier</h2>")
    assert in_force.count('<details class="part">') == 1 and earlier.count("Narration and audiobooks, with") == 2


def test_page_says_which_of_the_four_steps_it_is(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    assert "Step 1 of 4: what it is about" in read_home(guest)
    page = read_html(guest.get(get_guest_url("record", consent)))
    assert 'data-steps="review sending sent" hidden' in page
    assert page.index("Step 2 of 4: read aloud") < page.index("Step 3 of 4: listen and send")
    submit_take(consent, make_upload(make_clip()), Capture.LINK)
    assert "Step 4 of 4: done" in read_html(guest.get(get_guest_url("receipt", consent)))
    assert "Step " not in read_home(guest)


# --- staff act on behalf of the talent ------------------------------------------------------------


@pytest.mark.parametrize("status", [ConsentStatus.REQUESTED, ConsentStatus.SUBMITTED])
def test_producer_declines_on_behalf_of_the_talent(
    factory: ConsentFactory, producer_client: Client, status: ConsentStatus
) -> None:
    consent = factory.make_consent() if status == ConsentStatus.REQUESTED else factory.make_submitted_consent()
    url = get_url("decline", consent)
    assert url in read_page(producer_client, consent.get_absolute_url())
    assert b"Enter a reason" in producer_client.post(url, {"reason": ""}, follow=True).content
    consent.refresh_from_db()
    assert consent.status == status
    response = producer_client.post(url, {"reason": "She called on Monday."}, follow=True)
    assert "Paula declined on behalf of the talent" in read_html(response)
    consent.refresh_from_db()
    event = consent.events.get(kind=EventKind.DECLINED)
    assert (consent.status, event.actor, event.payload) == (
        ConsentStatus.DECLINED,
        factory.producer,
        {"reason": "She called on Monday."},
    )


def test_consent_in_force_cannot_be_declined(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    url = get_url("decline", consent)
    assert url not in read_page(producer_client, consent.get_absolute_url())
    assert b"no longer possible" in producer_client.post(url, {"reason": "x"}, follow=True).content
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED


def test_withdrawal_by_staff_is_labeled(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    assert "Withdraw on behalf of the talent" in read_page(producer_client, consent.get_absolute_url())
    response: Any = producer_client.post(get_url("withdraw", consent), {"reason": "By phone."}, follow=True)
    assert "Paula withdrew the consent on behalf of the talent" in read_html(response)


def test_staff_who_decline_on_the_link_are_named(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    producer_client.get(factory.make_link(consent))
    producer_client.post(get_guest_url("decline", consent))
    assert consent.events.latest("sequence").actor == factory.producer
    assert consent.events.latest("sequence").at > timezone.now() - timedelta(minutes=1)


def test_contract_of_all_ended_consents_is_named_once(factory: ConsentFactory) -> None:
    talent, purposes = factory.make_talent(), [Purpose.NARRATION, Purpose.ADVERTISING]
    first = factory.make_approved_consent(talent)
    talent.contracts.update(purposes=purposes)
    consents = [first, factory.make_approved_consent(talent, Purpose.ADVERTISING)]
    assert talent.contracts.count() == 1
    guest, home = factory.open_link(*consents), get_guest_url("home", first)
    counts = [read_page(guest, home).count("Your contract:")]
    for consent in consents:
        withdraw_consent(consent, None, "")
        counts.append(read_page(guest, home).count("Your contract:"))
    assert counts == [0, 1, 1], "a receipt has a button for it, and one line is enough for both"
