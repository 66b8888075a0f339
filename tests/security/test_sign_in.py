"""Guessing at the sign-in: it ends after ten tries, and locks nobody out but the one who guesses."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from voicehub.login_throttle import MAX_ATTEMPTS, WINDOW
from voicehub.middleware import get_client_address
from voicehub.models import SignInAttempts, User

RIGHT, WRONG = "secret", "not the secret"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def sign_in(name: str = "paula", password: str = WRONG, address: str = HERE, **headers: str) -> Any:
    given = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address, headers=headers).post(reverse("login"), given)


def guess(times: int = MAX_ATTEMPTS, **how: str) -> list[int]:
    return [sign_in(**how).status_code for _ in range(times)]


@pytest.mark.django_db
def test_after_ten_wrong_tries_even_the_right_password_has_to_wait(producer: User) -> None:
    assert guess() == [200] * MAX_ATTEMPTS
    refused = sign_in(password=RIGHT)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert "Too many failed attempts. Try again in 15 minutes." in refused.content.decode()


@pytest.mark.django_db
def test_the_person_gets_in_from_elsewhere_and_others_from_here(producer: User, viewer: User) -> None:
    guess(MAX_ATTEMPTS + 1)
    assert sign_in(password=RIGHT, address=ELSEWHERE).status_code == 302
    assert sign_in("vera", RIGHT).status_code == 302


@pytest.mark.django_db
def test_the_wait_is_over_after_a_quarter_of_an_hour(producer: User) -> None:
    guess(MAX_ATTEMPTS + 1)
    SignInAttempts.objects.update(since=timezone.now() - WINDOW + timedelta(seconds=5))
    assert sign_in(password=RIGHT).status_code == 429
    SignInAttempts.objects.update(since=timezone.now() - WINDOW)
    assert sign_in(password=RIGHT).status_code == 302
    assert not SignInAttempts.objects.exists()


@pytest.mark.django_db
def test_who_remembers_the_password_in_time_starts_anew(producer: User) -> None:
    guess(MAX_ATTEMPTS - 1)
    assert sign_in(password=RIGHT).status_code == 302
    assert guess() == [200] * MAX_ATTEMPTS


@pytest.mark.django_db
@pytest.mark.parametrize("spelling", ["PAULA", " paula ", "ｐａｕｌａ"])
def test_another_spelling_of_the_name_gives_no_more_tries(producer: User, spelling: str) -> None:
    guess(name=spelling)
    assert sign_in(password=RIGHT).status_code == 429


@pytest.mark.django_db
def test_all_addresses_of_one_home_count_together(producer: User) -> None:
    for number in range(MAX_ATTEMPTS):
        sign_in(address=f"2001:db8::{number + 1:x}")
    assert sign_in(password=RIGHT, address="2001:db8::ffff").status_code == 429
    assert sign_in(password=RIGHT, address="2001:db8:0:1::1").status_code == 302


@pytest.mark.django_db
def test_names_that_nobody_has_are_limited_in_the_same_way() -> None:
    assert guess(MAX_ATTEMPTS + 1, name="nobody") == [200] * MAX_ATTEMPTS + [429]


@pytest.mark.django_db
def test_what_was_typed_is_not_kept(producer: User) -> None:
    sign_in(name="my-password-in-the-wrong-field")
    assert "my-password" not in str(SignInAttempts.objects.values())


@pytest.mark.django_db
def test_a_caller_cannot_make_up_addresses(producer: User) -> None:
    for number in range(MAX_ATTEMPTS):
        sign_in(**{"X-Forwarded-For": f"198.51.100.{number}"})
    assert sign_in(password=RIGHT, **{"X-Forwarded-For": "198.51.100.99"}).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_no_more_tries(producer: User) -> None:
    looked_at: list[str] = []

    def note(**_: object) -> None:
        looked_at.append("a password")

    def in_a_thread(_number: int) -> int:
        try:
            return int(sign_in().status_code)
        finally:
            connection.close()

    user_login_failed.connect(note)
    try:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(in_a_thread, range(3 * MAX_ATTEMPTS)))
    finally:
        user_login_failed.disconnect(note)
    assert sorted(answers) == [200] * MAX_ATTEMPTS + [429] * 2 * MAX_ATTEMPTS
    assert len(looked_at) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.7", HERE),
        (1, "", HERE),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "10.0.0.1", HERE),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "no address", None),
    ],
)
def test_only_what_our_own_proxies_say_of_a_caller_is_believed(
    proxies: int, forwarded: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VOICEHUB_PROXIES", proxies)
    request: HttpRequest = RequestFactory().get("/", REMOTE_ADDR=HERE, headers={"X-Forwarded-For": forwarded})
    assert get_client_address(request) == expected
