"""Sign-in and sign-out, the health check, and the error pages."""

import pytest
from django.test import Client
from django.urls import reverse

from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_health_check_needs_no_database_or_login(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]  # pytest-django's fixture
        response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_sign_in_redirects_to_target_on_this_site_only(producer: User) -> None:
    credentials = {"login": "paula", "password": "secret"}
    target = reverse("consent:talent_list")
    assert Client().get(target).headers["Location"] == f"{reverse('account_login')}?next={target}"
    assert Client().post(reverse("account_login"), {**credentials, "next": target}).headers["Location"] == target
    response = Client().post(reverse("account_login"), {**credentials, "next": "https://elsewhere.test/"})
    assert response.headers["Location"] == reverse("today")


def test_failed_sign_in_does_not_reveal_which_part_was_wrong(producer: User) -> None:
    pages = [
        Client().post(reverse("account_login"), {"login": name, "password": "wrong"}).content.decode()
        for name in ("paula", "unknown")
    ]
    assert all("The name or the password is wrong." in page for page in pages)


def test_sign_out_requires_post(producer: User) -> None:
    client = Client()
    client.force_login(producer)
    assert client.get(reverse("account_logout")).status_code == 405
    client.post(reverse("account_logout"))
    assert client.get(reverse("consent:talent_list")).status_code == 302


def test_missing_page_shows_page_not_found(producer: User) -> None:
    client = Client()
    assert b"Page not found" in client.get("/nothing/here").content
    client.force_login(producer)
    response = client.get("/nothing/here")
    assert response.status_code == 404 and b"Page not found" in response.content and b"Go to Today" in response.content


def test_forbidden_page_says_no_access(viewer: User, outsider: User) -> None:
    for user, has_link in ((viewer, True), (outsider, False)):
        client = Client()
        client.force_login(user)
        response = client.get(reverse("consent:talent_add"))
        assert response.status_code == 403 and b"No access to this page" in response.content
        assert (b"Go to Today" in response.content) is has_link


def test_form_without_csrf_token_is_refused_with_advice(producer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    response = client.post(reverse("consent:talent_add"), {"name": "X"})
    assert response.status_code == 403 and b"Allow cookies for this site" in response.content


def test_server_error_page_shows_no_details(
    producer: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_error(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr("consent.views.talents.query_talents", raise_error)
    client = Client(raise_request_exception=False)
    client.force_login(producer)
    response = client.get(reverse("consent:talent_list"))
    assert response.status_code == 500 and b"Something went wrong on our side" in response.content
    assert b"a mistake" not in response.content
