"""Every URL of the studio, with every method, by every identity, with the ids of existing rows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from consent.models import Consent, ConsentStatus, Question
from consent.services.invitations import create_private_link
from tests.access_matrix import (
    LINK_URLS,
    METHODS,
    OPEN_URLS,
    OWN_URLS,
    SIGN_IN_URLS,
    TOKEN_URLS,
    Requests,
    build_other_url,
    is_expected,
    list_studio_urls,
)
from tests.damaged_studio import make_damageable_studio
from tests.test_urls import ACCESS, list_urls
from tests.voices.rows import PROVIDER, Studio
from voicehub.models import Task, TaskStatus, User
from voices.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def studio(producer: User) -> Studio:
    account = Account(name="Main", provider=PROVIDER, mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    studio = Studio(producer, account)
    make_damageable_studio(studio)
    other = studio.make_talent("Someone Else")
    studio.make_contract(other)
    requested = studio.make_consent(other, ConsentStatus.REQUESTED)
    create_private_link([requested], producer)
    invitation = requested.invitations.get()
    Question.objects.create(consent=requested, invitation=invitation, text="How long?")
    Task.objects.create(kind="send_invitation", object_id=str(invitation.pk), status=TaskStatus.FAILED)
    return studio


def list_answers(client: Client, monkeypatch: pytest.MonkeyPatch, *, opens: Callable[[str], bool]) -> dict[str, Any]:
    """By URL, the status of each method. Pages that are open are drawn in full."""
    requests = Requests(client, monkeypatch)
    return {
        name: {method: requests.send(method, url, is_drawn=opens(name) and method == "GET") for method in METHODS}
        for name, url in list_studio_urls().items()
    }


def test_anonymous_visitors_are_led_to_sign_in(studio: Studio, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = list_answers(client, monkeypatch, opens=lambda _name: False)
    assert {name: one for name, one in answers.items() if set(one.values()) != {302}} == {}


@pytest.mark.parametrize("role", ["", "viewer", "engineer", "producer", "admin"])
def test_each_role_does_what_the_table_says(
    studio: Studio, role: str, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_person("someone", role))
    answers = list_answers(client, monkeypatch, opens=lambda name: role in ACCESS[name][1])
    wrong = [
        f"{name} {method}: {status}"
        for name, statuses in answers.items()
        for method, status in statuses.items()
        if not is_expected(name, method, status, is_allowed=role in ACCESS[name][1])
    ]
    assert wrong == [], "\n".join(wrong)


def list_other_urls() -> dict[str, str]:
    """The URLs of the site that are no pages of the studio: those behind links, of sign-in, and for any user."""
    patterns = dict(list_urls())
    return {name: build_other_url(name, patterns[name]) for name in patterns if name not in ACCESS}


def test_every_url_is_in_a_table() -> None:
    names = {name for name, _pattern in list_urls()}
    assert names == set(ACCESS) | LINK_URLS | TOKEN_URLS | OPEN_URLS | SIGN_IN_URLS | OWN_URLS


@pytest.fixture
def talent_client(studio: Studio) -> Client:
    """The browser of a talent who opened a link of their own, and not that of the other talent."""
    approved = Consent.objects.filter(status=ConsentStatus.APPROVED).earliest("created_at")
    own = studio.make_consent(approved.talent, ConsentStatus.REQUESTED)
    url = create_private_link([own], studio.producer)
    client = Client()
    assert client.get(url[url.index("/i/") :]).status_code == 302
    return client


@pytest.mark.parametrize("who", ["anonymous", "talent", "", "viewer", "producer", "admin"])
def test_no_identity_opens_the_link_of_another_talent(
    studio: Studio,
    who: str,
    talent_client: Client,
    make_person: Callable[..., User],
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither with the id of the link, nor with a wrong token, not even staff."""
    if who == "talent":
        client = talent_client
    elif who != "anonymous":
        client.force_login(make_person("someone", who))
    requests, urls = Requests(client, monkeypatch), list_other_urls()
    for name in LINK_URLS | TOKEN_URLS:
        statuses = {method: requests.send(method, urls[name]) for method in METHODS}
        assert set(statuses.values()) <= {403, 404, 405}, (name, statuses)
        assert statuses["GET"] in {404, 405}, (name, statuses)


def test_talent_opens_no_page_of_staff(studio: Studio, talent_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = list_answers(talent_client, monkeypatch, opens=lambda _name: False)
    assert {name: one for name, one in answers.items() if set(one.values()) != {302}} == {}


@pytest.mark.parametrize("who", ["anonymous", "", "viewer", "admin"])
def test_pages_of_sign_in_answer_every_method(
    studio: Studio, who: str, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages of a person's own account lead a visitor without one to sign-in. No page fails."""
    if who != "anonymous":
        client.force_login(make_person("someone", who))
    requests, urls = Requests(client, monkeypatch), list_other_urls()
    for name in SIGN_IN_URLS | OPEN_URLS | OWN_URLS:
        statuses = {method: requests.send(method, urls[name], is_drawn=method == "GET") for method in METHODS}
        assert not any(status >= 500 for status in statuses.values()), (name, statuses)
        if name in OWN_URLS and who == "anonymous":
            assert set(statuses.values()) == {302}, (name, statuses)
