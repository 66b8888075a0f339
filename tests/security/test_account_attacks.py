"""Attacks on the accounts of staff: redirects, replay, races, oracles, other ways around the second factor."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.voicehub.sign_in.codes import (
    PASSWORD,
    WRONG_PASSWORD,
    add_app,
    compute_code,
    has_factor,
    is_signed_in,
    sign_in,
    sign_in_earlier,
)
from voicehub.models import BrowserSession, SecurityEvent, SecurityEventKind, SignInAttempts, Task, User
from voicehub.sign_in.limits import MAX_FOR_NAME_AND_NETWORK

FACTOR_URL = "/sign-in/second-factor/"
ELSEWHERE = [
    "https://evil.test/", "//evil.test/", "///evil.test/", "/\\evil.test/", "\\\\evil.test", "https:evil.test",
    "javascript:alert(1)", "http://testserver@evil.test/", "http://partner.test/", "http://127.0.0.1:8000/",
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.one_database
def test_no_address_after_a_sign_in_or_a_confirmation_leads_elsewhere(producer: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "partner.test"]
    for target in ELSEWHERE:
        client = Client()
        answers = [client.post("/sign-in/", {"login": "paula", "password": PASSWORD, "next": target})]
        sign_in_earlier(client, timedelta(minutes=16))
        answers.append(client.post("/profile/confirm/", {"password": PASSWORD, "next": target}))
        for answer in answers:
            assert (answer.status_code, answer.headers["Location"]) == (302, "/"), target
    client = Client()
    answer = client.post("/sign-in/", {"login": "paula", "password": PASSWORD, "next": "/talents/?show=all"})
    assert answer.headers["Location"] == "/talents/?show=all"


@pytest.mark.django_db
@pytest.mark.one_database
def test_reset_writes_as_much_for_an_unknown_address_as_for_a_known_one(producer: User) -> None:
    written = []
    for email in (producer.email, "unknown@studio.test"):
        before = SecurityEvent.objects.count(), Task.objects.count()
        Client().post("/password/forgotten/", {"email": email})
        written.append((SecurityEvent.objects.count() - before[0], Task.objects.count() - before[1]))
    assert written == [(1, 1), (1, 1)]
    assert "unknown@studio.test" not in str(list(SecurityEvent.objects.values()))


@pytest.mark.django_db
@pytest.mark.one_database
def test_flood_of_delayed_sign_ins_is_one_row_for_each_address_and_minute(producer: User) -> None:
    for _ in range(14):
        sign_in(Client(), "paula", WRONG_PASSWORD)
    delayed = SecurityEvent.objects.filter(kind=SecurityEventKind.SIGN_IN_DELAYED)
    assert delayed.count() == 1
    delayed.update(at=timezone.now() - timedelta(seconds=61))
    sign_in(Client(), "paula", WRONG_PASSWORD)
    assert delayed.count() == 2


@pytest.mark.django_db
@pytest.mark.one_database
def test_ipv4_clients_of_a_server_on_ipv6_do_not_share_one_limit(producer: User) -> None:
    for _ in range(11):
        sign_in(Client(REMOTE_ADDR="::ffff:192.0.2.1"), "paula", WRONG_PASSWORD)
    assert sign_in(Client(REMOTE_ADDR="192.0.2.1"), "paula").status_code == 429
    assert sign_in(Client(REMOTE_ADDR="::ffff:198.51.100.1"), "paula").status_code == 302


@pytest.mark.django_db
@pytest.mark.one_database
def test_second_factor_is_not_skipped_while_nothing_remembers_used_codes(producer: User, settings: Any) -> None:
    add_app(producer)
    client = Client()
    sign_in(client, "paula")
    caches = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    settings.CACHES = caches
    response = client.post(FACTOR_URL, {"code": compute_code()}, headers={"Accept": "text/html"})
    assert (response.status_code, is_signed_in(client)) == (503, False)
    assert "does not respond" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_recovery_code_that_is_sent_many_times_at_once_signs_in_once(producer: User) -> None:
    codes = add_app(producer)
    clients = [Client() for _ in range(4)]
    for client in clients:
        sign_in(client, "paula")

    def enter(client: Client) -> None:
        try:
            client.post(FACTOR_URL, {"code": codes[0]})
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(enter, clients))
    assert [is_signed_in(client) for client in clients].count(True) == 1


@pytest.mark.django_db
@pytest.mark.one_database
def test_password_alone_reaches_no_page_that_changes_the_account(producer: User) -> None:
    add_app(producer)
    client = Client()
    sign_in(client, "paula")
    names = [
        "profile", "profile_email", "account_change_password", "account_set_password", "account_reauthenticate",
        "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "notifications", "session_state",
    ]  # fmt: skip
    for name in names:
        for response in (client.get(reverse(name)), client.post(reverse(name), {"password": PASSWORD})):
            assert response.status_code in (302, 401, 405), name
            assert "/sign-in/" in response.headers.get("Location", "/sign-in/"), name
    assert not is_signed_in(client)


@pytest.mark.django_db
@pytest.mark.one_database
def test_person_who_removes_the_demanded_factor_sees_only_the_profile(producer: User, settings: Any) -> None:
    settings.VOICEHUB_SECOND_FACTOR_ROLES = {"producer"}
    add_app(producer)
    client = Client()
    sign_in(client, "paula")
    client.post(FACTOR_URL, {"code": compute_code()})
    assert client.get("/talents/").status_code == 200
    assert client.post("/profile/app/remove/").status_code == 302
    assert not has_factor(producer)
    assert client.get("/talents/").headers["Location"] == "/profile/"
    assert client.post("/notifications/", {}).headers["Location"] == "/profile/"


@pytest.mark.django_db
@pytest.mark.one_database
def test_admin_role_cannot_weaken_the_access_of_a_superuser(make_person: Callable[..., User]) -> None:
    root = make_person("root", is_superuser=True, is_staff=True)
    add_app(root)
    root_client, manager_client = Client(), Client()
    root_client.force_login(root)
    manager_client.force_login(make_person("manager", "admin", is_staff=True))
    factor, session = Authenticator.objects.get(user=root, type="totp"), BrowserSession.objects.get(user=root)
    for url, action, pk in (
        ("admin:mfa_authenticator_changelist", "remove", factor.pk),
        ("admin:voicehub_browsersession_changelist", "end", session.pk),
    ):
        manager_client.post(reverse(url), {"action": action, "_selected_action": [str(pk)]})
    assert has_factor(root)
    assert root_client.get("/").status_code == 200
    assert not SecurityEvent.objects.filter(person=root).exists()


@pytest.mark.django_db
@pytest.mark.one_database
def test_forms_of_other_sites_change_nothing(producer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    other = Client()
    other.force_login(producer)
    for url in ("/profile/sessions/", "/sign-out/", "/sign-in/passkey/", "/profile/confirm/", "/password/forgotten/"):
        assert client.post(url, {"password": PASSWORD}).status_code == 403, url
    assert client.get("/sign-out/").status_code == 405
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 200)


@pytest.mark.django_db
@pytest.mark.one_database
def test_password_is_not_guessed_by_the_page_of_the_confirmation(producer: User) -> None:
    client = Client()
    sign_in(client, "paula")
    sign_in_earlier(client, timedelta(minutes=16))
    answers = [client.post("/profile/confirm/", {"password": WRONG_PASSWORD}).status_code for _ in range(10)]
    assert set(answers) == {200}
    assert client.post("/profile/confirm/", {"password": PASSWORD}).status_code != 302
    assert client.get(reverse("mfa_activate_totp")).status_code == 302
    assert SignInAttempts.objects.exists()


@pytest.mark.django_db
@pytest.mark.one_database
def test_present_password_is_not_guessed_by_the_page_that_changes_it(producer: User) -> None:
    client = Client()
    client.force_login(producer)
    new = {"password1": "correct horse battery", "password2": "correct horse battery"}
    for number in range(12):
        client.post("/profile/password/", new | {"oldpassword": f"guess {number}"}, REMOTE_ADDR="192.0.2.9")
        cache.clear()  # beside the limit of five changes in a minute
    page = client.post("/profile/password/", new | {"oldpassword": PASSWORD}, REMOTE_ADDR="192.0.2.9")
    assert "Too many failed attempts" in page.content.decode()
    producer.refresh_from_db()
    assert producer.check_password(PASSWORD)
    failed = SecurityEvent.objects.filter(kind=SecurityEventKind.SIGN_IN_FAILED, actor=producer)
    assert failed.count() == MAX_FOR_NAME_AND_NETWORK


@pytest.mark.django_db
@pytest.mark.one_database
def test_person_who_takes_the_name_of_another_is_still_known_by_the_username(
    producer: User, make_person: Callable[..., User]
) -> None:
    client, admin_client = Client(), Client()
    client.force_login(producer)
    client.post("/profile/", {"first_name": "Root", "last_name": ""})
    event = SecurityEvent.objects.get(kind=SecurityEventKind.USER_CHANGED)
    assert (event.actor, event.detail) == (producer, "Name: Paula → Root")
    admin_client.force_login(make_person("root", is_superuser=True, is_staff=True))
    page = admin_client.get(reverse("admin:voicehub_securityevent_changelist")).content.decode()
    assert re.search(r'class="field-account[^>]*>\s*(<[^>]+>)?\s*paula\s*<', page)
