"""Every URL of the studio, read and as a form, by every identity, with the ids of existing rows.

Each test tries all identities in one studio, because making its rows takes as long as hundreds of requests.
`tests/long/test_all_methods.py` tries the other methods.
"""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from consent.models import Consent, ConsentStatus
from consent.services.invitations import create_private_link
from tests.access_matrix import (
    LINK_URLS,
    METHODS,
    OPEN_URLS,
    OWN_URLS,
    ROLES,
    SIGN_IN_URLS,
    TOKEN_URLS,
    USUAL_METHODS,
    Requests,
    build_other_url,
    find_wrong_answers,
    list_answers,
    list_studio_urls,
    make_studio,
)
from tests.test_urls import ACCESS, list_urls
from tests.voices.rows import Studio
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

# What a producer without this one permission may not open.
NEEDED_ALONE = {
    "view_names": {
        "consent:notice_confirm", "consent:notice_file", "consent:record_in_studio", "consent:request_table",
        "consent:talent_edit", "consent:copy_link", "voices:offline_proof_file",
    },
    "view_contacts": {"consent:request_table", "consent:talent_edit"},
    "read_contract": {
        "consent:contract", "consent:contract_check", "consent:contract_confirm", "consent:contract_file",
        "consent:notice_confirm", "consent:notice_file", "consent:copy_link",
    },
    "hear_take": {
        "consent:copy_link", "consent:take_audio", "consent:take_check", "consent:take_original", "consent:take_peaks",
    },
    "view_spend": {"voices:spend"},
}  # fmt: skip
SignIn = Callable[[str], Client]


@pytest.fixture
def studio(producer: User) -> Studio:
    return make_studio(producer)


@pytest.fixture
def sign_in(make_person: Callable[..., User]) -> SignIn:
    """A browser of a user with this role, or with none ("")."""

    def make(role: str) -> Client:
        client = Client()
        client.force_login(make_person(f"someone-{role}", role))
        return client

    return make


@pytest.fixture
def talent_client(studio: Studio) -> Client:
    """The browser of a talent who opened a link of their own, and not that of the other talent."""
    approved = Consent.objects.filter(status=ConsentStatus.APPROVED).earliest("created_at")
    own = studio.make_consent(approved.talent, ConsentStatus.REQUESTED)
    url = create_private_link([own], studio.producer)
    client = Client()
    assert client.get(url[url.index("/i/") :]).status_code == 302
    return client


def test_each_role_does_what_the_table_says(studio: Studio, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of admins are drawn in full, those of the other roles in `tests/test_shown_names.py`."""
    wrong: list[str] = []
    for role in ROLES:
        requests = Requests(sign_in(role), monkeypatch)
        wrong += find_wrong_answers(role, list_answers(requests, USUAL_METHODS, is_drawn=role == "admin"))
    assert wrong == [], "\n".join(wrong)


def test_each_private_permission_is_asked_for_by_itself(
    studio: Studio, make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each role has several of them, so the table of roles cannot tell them apart."""
    permissions = Permission.objects.filter(group__name="producer")
    for_producers = {name: method.upper() for name, (method, roles) in ACCESS.items() if "producer" in roles}
    refused = {}
    for missing in NEEDED_ALONE:
        person = make_person(f"without-{missing}")
        person.user_permissions.set(permissions.exclude(codename=missing))
        client = Client()
        client.force_login(person)
        requests, urls = Requests(client, monkeypatch), list_studio_urls()
        refused[missing] = {name for name, method in for_producers.items() if requests.send(method, urls[name]) == 403}
    assert refused == NEEDED_ALONE


def test_visitors_and_talents_open_no_page_of_staff(
    studio: Studio, talent_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are led to sign-in, also with a link of their own."""
    for who, client in (("anonymous", Client()), ("talent", talent_client)):
        answers = list_answers(Requests(client, monkeypatch), METHODS)
        assert {name: one for name, one in answers.items() if set(one.values()) != {302}} == {}, who


def list_other_urls() -> dict[str, str]:
    """The URLs of the site that are no pages of the studio: those behind links, of sign-in, and for any user."""
    patterns = dict(list_urls())
    return {name: build_other_url(name, patterns[name]) for name in patterns if name not in ACCESS}


def test_every_url_is_in_a_table() -> None:
    names = {name for name, _pattern in list_urls()}
    assert names == set(ACCESS) | LINK_URLS | TOKEN_URLS | OPEN_URLS | SIGN_IN_URLS | OWN_URLS


def test_no_identity_opens_the_link_of_another_talent(
    studio: Studio, talent_client: Client, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither with the id of the link, nor with a wrong token, not even staff."""
    urls = list_other_urls()
    clients = {"anonymous": Client(), "talent": talent_client, **{role: sign_in(role) for role in ROLES}}
    for who, client in clients.items():
        requests = Requests(client, monkeypatch)
        for name in LINK_URLS | TOKEN_URLS:
            statuses = {method: requests.send(method, urls[name]) for method in METHODS}
            assert set(statuses.values()) <= {403, 404, 405}, (who, name, statuses)
            assert statuses["GET"] in {404, 405}, (who, name, statuses)


def test_pages_of_sign_in_fail_for_no_identity(
    studio: Studio, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages of a person's own account lead a visitor without one to sign-in."""
    urls = list_other_urls()
    for who, client in {"anonymous": Client(), **{role: sign_in(role) for role in ROLES}}.items():
        requests = Requests(client, monkeypatch)
        for name in SIGN_IN_URLS | OPEN_URLS | OWN_URLS:
            statuses = {method: requests.send(method, urls[name], is_drawn=who == "viewer") for method in METHODS}
            assert max(statuses.values()) < 500, (who, name, statuses)
            if name in OWN_URLS and who == "anonymous":
                assert set(statuses.values()) == {302}, (name, statuses)
