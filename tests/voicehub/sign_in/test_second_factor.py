"""Second factors: what a password alone opens, codes that work once, and roles that must have a factor."""

import json
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.voicehub.sign_in.codes import (
    PASSWORD,
    add_app,
    compute_code,
    has_factor,
    is_signed_in,
    sign_in,
    sign_in_earlier,
)
from voicehub.models import SecurityEvent, SecurityEventKind, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FACTOR_URL = "/sign-in/second-factor/"


def enter_code(client: Client, code: str) -> bool:
    client.post(FACTOR_URL, {"code": code})
    return is_signed_in(client)


def test_password_alone_opens_nothing(producer: User) -> None:
    add_app(producer)
    client = Client()
    assert sign_in(client, "paula").headers["Location"] == FACTOR_URL
    assert not is_signed_in(client)
    for url in ("/", "/profile/", "/administration/"):
        assert client.get(url, follow=True).request["PATH_INFO"] == FACTOR_URL


def test_code_of_the_app_signs_in_once(producer: User) -> None:
    add_app(producer)
    code = compute_code()
    first, second = Client(), Client()
    sign_in(first, "paula")
    assert enter_code(first, code)
    sign_in(second, "paula")
    assert not enter_code(second, code)


def test_recovery_code_signs_in_once(producer: User) -> None:
    codes = add_app(producer)
    first, second = Client(), Client()
    sign_in(first, "paula")
    assert enter_code(first, codes[0])
    sign_in(second, "paula")
    assert not enter_code(second, codes[0])
    assert enter_code(second, codes[1])


def test_codes_cannot_be_guessed_without_end(producer: User) -> None:
    add_app(producer)
    client = Client()
    sign_in(client, "paula")
    for _ in range(6):
        assert not enter_code(client, "000000")
    assert b"Too many failed attempts" in client.post(FACTOR_URL, {"code": compute_code()}).content


def test_guesses_elsewhere_do_not_block_the_code_in_a_browser_of_before(producer: User) -> None:
    codes = add_app(producer)
    own, other = Client(), Client()
    sign_in(own, "paula")
    assert enter_code(own, codes[0])
    own.post(reverse("account_logout"))
    sign_in(other, "paula")
    for _ in range(6):
        assert not enter_code(other, "000000")
    sign_in(own, "paula")
    assert not enter_code(own, codes[0]), "a code works once"
    assert enter_code(own, codes[1])


def test_codes_cannot_be_guessed_in_a_browser_of_before_either(producer: User) -> None:
    codes = add_app(producer)
    client = Client()
    sign_in(client, "paula")
    assert enter_code(client, codes[0])
    client.post(reverse("account_logout"))
    sign_in(client, "paula")
    for _ in range(6):
        assert not enter_code(client, "000000")
    assert not enter_code(client, codes[1])
    assert SecurityEvent.objects.filter(kind=SecurityEventKind.FACTOR_FAILED).count() == 5


def test_secret_of_the_app_is_encrypted(producer: User) -> None:
    from tests.voicehub.sign_in.codes import SECRET

    add_app(producer)
    assert SECRET not in json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def test_new_password_by_mail_does_not_pass_the_second_factor(producer: User) -> None:
    from voicehub.sign_in.mails import make_password_link

    add_app(producer)
    client = Client()
    path = make_password_link(producer).removeprefix(settings.VOICEHUB_BASE_URL)
    form_url = client.get(path).headers["Location"]
    client.post(form_url, {"password1": "correct horse battery", "password2": "correct horse battery"})
    assert sign_in(client, "paula", "correct horse battery").headers["Location"] == FACTOR_URL
    assert not is_signed_in(client)


def test_factor_needs_the_password_again_after_a_while(producer: User) -> None:
    client = Client()
    client.force_login(producer)
    sign_in_earlier(client, timedelta(minutes=16))
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert client.get(reverse(name)).headers["Location"].startswith("/profile/confirm/")
    client.post("/profile/confirm/", {"password": PASSWORD})
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.fixture
def demand_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VOICEHUB_SECOND_FACTOR_ROLES", {"producer", "admin"})


@pytest.mark.usefixtures("demand_factor")
def test_role_that_must_have_a_factor_sees_only_the_profile_until_then(producer: User) -> None:
    client = Client()
    sign_in(client, "paula")
    for url in ("/", "/talents/", "/administration/"):
        assert client.get(url).headers["Location"] == "/profile/"
    assert client.get("/", headers={"HX-Request": "true"}).status_code == 403
    assert b"Your role needs a second factor" in client.get("/profile/").content
    secret_page = client.get("/profile/app/")
    assert secret_page.status_code == 200
    code = compute_code(secret_page.context["form"].secret)
    assert client.post("/profile/app/", {"code": code}).headers["Location"] == "/profile/codes/"
    assert has_factor(producer)
    assert client.get("/").status_code == 200


@pytest.mark.usefixtures("demand_factor")
def test_superuser_has_every_role_and_others_are_free(admin: User, viewer: User) -> None:
    admin.groups.clear()
    for name, status in (("ada", 302), ("vera", 200)):
        client = Client()
        sign_in(client, name)
        assert client.get("/").status_code == status


def test_admin_site_has_no_other_way_in(admin: User) -> None:
    add_app(admin)
    client = Client()
    client.post("/administration/login/", {"username": "ada", "password": PASSWORD})
    assert not is_signed_in(client)


def test_admin_removes_the_lost_factor_of_another_person(admin: User, producer: User, viewer: User) -> None:
    add_app(producer)
    client = Client()
    client.force_login(admin)
    selected = [str(pk) for pk in Authenticator.objects.filter(user=producer).values_list("pk", flat=True)]
    client.post("/administration/mfa/authenticator/", {"action": "remove", "_selected_action": selected})
    assert not has_factor(producer)
    events = SecurityEvent.objects.filter(kind=SecurityEventKind.FACTOR_REMOVED)
    assert {(event.actor, event.person) for event in events} == {(admin, producer)}


def test_sign_up_is_closed() -> None:
    assert Client().get("/signup/").status_code == 404
    assert Client().get("/sign-in/signup/").status_code == 404
