"""Forms of browsers that hide where they come from: without Referer, or with Origin “null”."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Consent, ConsentStatus, Take
from tests.consent.rows import ConsentFactory, get_guest_url, make_clip, make_upload
from tests.support.html import read_hidden_value, read_html
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
HOST = "voices.example"
HIDDEN_ORIGINS: list[dict[str, str]] = [{}, {"origin": "null"}]
WORDS = "This browser hides where the form comes from"


@pytest.fixture
def consent(factory: ConsentFactory, settings: Any) -> Consent:
    settings.ALLOWED_HOSTS = [HOST, "testserver"]
    settings.CSRF_COOKIE_NAME = "__Host-csrf"
    return factory.make_consent()


class Browser:
    """A browser that has opened the link of a consent, over HTTPS unless `is_secure` is false."""

    def __init__(self, factory: ConsentFactory, consent: Consent, *, is_secure: bool = True) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.options: dict[str, Any] = {"secure": is_secure}
        self.client.get(factory.make_link(consent), headers={"host": HOST}, **self.options)
        page = read_html(self.client.get(get_guest_url("home", consent), headers={"host": HOST}, **self.options))
        self.token = read_hidden_value(page, "csrfmiddlewaretoken")

    def post(self, url: str, headers: dict[str, str], **data: Any) -> Any:
        data = {"csrfmiddlewaretoken": self.token, **data}
        return self.client.post(url, data, headers={"host": HOST, **headers}, **self.options)


@pytest.mark.parametrize("site", [{}, {"sec-fetch-site": "same-origin"}])
@pytest.mark.parametrize("origin", HIDDEN_ORIGINS)
def test_forms_of_a_talent_work_without_their_origin(
    factory: ConsentFactory, consent: Consent, origin: dict[str, str], site: dict[str, str]
) -> None:
    browser = Browser(factory, consent)
    assert browser.post(get_guest_url("decline", consent), origin | site).status_code == 302
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED


@pytest.mark.parametrize("origin", HIDDEN_ORIGINS)
def test_take_arrives_without_its_origin(factory: ConsentFactory, consent: Consent, origin: dict[str, str]) -> None:
    factory.open_link(consent)  # the notice is read and ticked
    browser = Browser(factory, consent)
    url, file = get_guest_url("submit", consent), make_upload(make_clip())
    assert browser.post(url, origin | {"accept": "application/json"}, file=file, recorded="on").status_code == 200
    assert Take.objects.filter(consent=consent).count() == 1


@pytest.mark.parametrize(
    ("headers", "is_secure"),
    [
        ({"origin": "null", "sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "null"}, False),  # without HTTPS, the cookie proves nothing
    ],
)
def test_form_that_may_be_of_another_site_is_refused_with_what_to_do(
    factory: ConsentFactory, consent: Consent, headers: dict[str, str], is_secure: bool
) -> None:
    browser, url = Browser(factory, consent, is_secure=is_secure), get_guest_url("decline", consent)
    response = browser.post(url, headers)
    page = read_html(response)
    assert response.status_code == 403
    assert WORDS in page and "open the page in another browser" in page and "Nothing was changed" in page
    script: Any = browser.post(url, headers | {"accept": "application/json"})
    assert (script.status_code, script.json()["kind"]) == (403, "origin")
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


def test_wrong_token_and_foreign_origin_are_refused_as_before(factory: ConsentFactory, consent: Consent) -> None:
    browser, url = Browser(factory, consent), get_guest_url("decline", consent)
    assert browser.post(url, {"origin": "null"}, csrfmiddlewaretoken="x" * 64).status_code == 403
    same_origin = {"sec-fetch-site": "same-origin"}
    response = browser.post(url, same_origin, csrfmiddlewaretoken="x" * 64)
    assert response.status_code == 403 and "open for too long" in read_html(response)
    assert browser.post(url, {"origin": "https://evil.example"} | same_origin).status_code == 403
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


def test_pages_of_staff_keep_the_strict_check(consent: Consent, producer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    url = reverse("notifications")
    page: Any = client.get(url, headers={"host": HOST}, secure=True)
    data = {"csrfmiddlewaretoken": read_hidden_value(read_html(page), "csrfmiddlewaretoken")}
    response = client.post(url, data, headers={"host": HOST}, secure=True)
    assert response.status_code == 403 and WORDS in read_html(response)
    origin = {"host": HOST, "origin": f"https://{HOST}"}
    assert client.post(url, data, headers=origin, secure=True).status_code == 302


def test_missing_cookie_is_named(factory: ConsentFactory, consent: Consent) -> None:
    browser = Browser(factory, consent)
    del browser.client.cookies["__Host-csrf"]
    response = browser.post(get_guest_url("decline", consent), {"origin": f"https://{HOST}"})
    assert response.status_code == 403 and "This browser blocks cookies" in read_html(response)
