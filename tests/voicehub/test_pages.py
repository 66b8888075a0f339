"""The pages that every house needs: signing in and out, and what is said when something is wrong."""

import pytest
from django.test import Client
from django.urls import reverse

from voicehub.models import User

pytestmark = pytest.mark.django_db


def test_health_is_said_without_a_database_or_a_login(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]  # pytest-django's fixture
        response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_signing_in_leads_to_where_one_wanted_to_go_and_nowhere_else(producer: User) -> None:
    given = {"username": "paula", "password": "secret"}
    wanted = reverse("consent:talent_list")
    assert Client().get(wanted).headers["Location"] == f"{reverse('login')}?next={wanted}"
    assert Client().post(reverse("login"), {**given, "next": wanted}).headers["Location"] == wanted
    elsewhere = Client().post(reverse("login"), {**given, "next": "https://elsewhere.test/"})
    assert elsewhere.headers["Location"] == reverse("today")


def test_a_wrong_password_is_said_without_telling_which_part_was_wrong(producer: User) -> None:
    answers = [
        Client().post(reverse("login"), {"username": name, "password": "wrong"}).content.decode()
        for name in ("paula", "nobody")
    ]
    assert all("The user name or the password is wrong." in answer for answer in answers)


def test_signing_out_takes_a_post(producer: User) -> None:
    client = Client()
    client.force_login(producer)
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert client.get(reverse("consent:talent_list")).status_code == 302


def test_what_is_not_there_is_said_in_words(producer: User) -> None:
    client = Client()
    assert b"Page not found" in client.get("/nothing/here").content
    client.force_login(producer)
    page = client.get("/nothing/here")
    assert page.status_code == 404 and b"Page not found" in page.content and b"Go to Today" in page.content


def test_what_is_not_yours_is_said_in_words(viewer: User, outsider: User) -> None:
    for person, hint in ((viewer, True), (outsider, False)):
        client = Client()
        client.force_login(person)
        page = client.get(reverse("consent:talent_add"))
        assert page.status_code == 403 and b"You do not have access to this page" in page.content
        assert (b"Go to Today" in page.content) is hint


def test_a_forged_form_is_refused_in_words(producer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    page = client.post(reverse("consent:talent_add"), {"name": "X"})
    assert page.status_code == 403 and b"open for too long" in page.content


def test_a_mistake_of_ours_has_a_page_that_needs_nothing(
    producer: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr("consent.views.talents.query_talents", broken)
    client = Client(raise_request_exception=False)
    client.force_login(producer)
    page = client.get(reverse("consent:talent_list"))
    assert page.status_code == 500 and b"Something went wrong on our side" in page.content
    assert b"a mistake" not in page.content
