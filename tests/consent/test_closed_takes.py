"""After a withdrawal the recordings of the statement are closed to viewers and engineers."""

from collections.abc import Callable

import pytest
from django.test import Client

from consent.models import Take
from consent.services.review import withdraw_consent
from tests.consent.rows import ConsentFactory, get_url, read_page
from tests.support.permissions import grant
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeClient = Callable[[User], Client]
TAKE_URLS = ("take_audio", "take_original", "take_peaks", "take_check")
CLOSED = "Closed: the consent was withdrawn."


@pytest.fixture
def factory(producer: User) -> ConsentFactory:
    return ConsentFactory(producer)


def list_statuses(client: Client, take: Take) -> set[int]:
    responses = [client.get(get_url(name, take)) for name in TAKE_URLS]
    for response in responses:
        response.getvalue()  # closes the file
    return {response.status_code for response in responses}


@pytest.mark.parametrize("is_replaced", [False, True])
def test_withdrawal_closes_the_statement_to_viewers_and_engineers(
    factory: ConsentFactory, viewer: User, engineer: User, make_client: MakeClient, is_replaced: bool
) -> None:
    """Also that of an earlier consent, if the one that replaced it is withdrawn. Even if they may hear takes."""
    consent = factory.make_approved_consent()
    newest = factory.make_approved_consent(consent.talent) if is_replaced else consent
    take = consent.takes.get()
    staff = [make_client(grant(person, "hear_take")) for person in (viewer, engineer)]
    assert all(list_statuses(client, take) == {200} for client in staff)
    withdraw_consent(newest, factory.producer, "She called.")
    for client in staff:
        assert list_statuses(client, take) == {403}
        page = read_page(client, consent.get_absolute_url())
        assert CLOSED in page and get_url("take_audio", take) not in page
    producer = make_client(factory.producer)
    assert list_statuses(producer, take) == {200}
    assert CLOSED not in read_page(producer, consent.get_absolute_url())
