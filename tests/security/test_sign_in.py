"""Failed sign-ins are delayed for a name from a network, for a network, and for a name. No owner is locked out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from voicehub.client_address import get_client_address
from voicehub.models import SignInAttempts, User
from voicehub.sign_in.limits import MAX_FOR_NAME_AND_NETWORK as MAX_ATTEMPTS
from voicehub.sign_in.limits import WINDOW

CORRECT_PASSWORD, WRONG_PASSWORD = "secret", "not the secret"
ADDRESS, OTHER_ADDRESS = "192.0.2.1", "192.0.2.2"


def sign_in(name: str = "paula", password: str = WRONG_PASSWORD, address: str = ADDRESS, **headers: str) -> Any:
    form = {"login": name, "password": password}
    return Client(REMOTE_ADDR=address, headers=headers).post(reverse("account_login"), form)


def fail_sign_ins(times: int = MAX_ATTEMPTS, **fields: str) -> list[int]:
    return [sign_in(**fields).status_code for _ in range(times)]


@pytest.mark.django_db
def test_correct_password_is_refused_after_ten_failed_attempts(producer: User) -> None:
    assert fail_sign_ins() == [200] * MAX_ATTEMPTS
    response = sign_in(password=CORRECT_PASSWORD)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "900"
    assert "Too many failed attempts. Try again in 15 minutes." in response.content.decode()


@pytest.mark.django_db
def test_limit_does_not_affect_other_addresses_or_usernames(producer: User, viewer: User) -> None:
    fail_sign_ins(MAX_ATTEMPTS + 1)
    assert sign_in(password=CORRECT_PASSWORD, address=OTHER_ADDRESS).status_code == 302
    assert sign_in("vera", CORRECT_PASSWORD).status_code == 302


@pytest.mark.django_db
def test_limit_ends_after_15_minutes(producer: User) -> None:
    fail_sign_ins(MAX_ATTEMPTS + 1)
    SignInAttempts.objects.update(since=timezone.now() - WINDOW + timedelta(seconds=5))
    assert sign_in(password=CORRECT_PASSWORD).status_code == 429
    SignInAttempts.objects.update(since=timezone.now() - WINDOW)
    assert sign_in(password=CORRECT_PASSWORD).status_code == 302
    assert not SignInAttempts.objects.filter(count__gt=0).exists()


@pytest.mark.django_db
def test_successful_sign_in_resets_failed_attempts(producer: User) -> None:
    fail_sign_ins(MAX_ATTEMPTS - 1)
    assert sign_in(password=CORRECT_PASSWORD).status_code == 302
    assert fail_sign_ins() == [200] * MAX_ATTEMPTS


@pytest.mark.django_db
@pytest.mark.parametrize("spelling", ["PAULA", " paula ", "ｐａｕｌａ"])
def test_spelling_variants_of_username_share_one_limit(producer: User, spelling: str) -> None:
    fail_sign_ins(name=spelling)
    assert sign_in(password=CORRECT_PASSWORD).status_code == 429


@pytest.mark.django_db
def test_ipv6_addresses_of_one_network_share_one_limit(producer: User) -> None:
    for number in range(MAX_ATTEMPTS):
        sign_in(address=f"2001:db8::{number + 1:x}")
    assert sign_in(password=CORRECT_PASSWORD, address="2001:db8::ffff").status_code == 429
    assert sign_in(password=CORRECT_PASSWORD, address="2001:db8:0:1::1").status_code == 302


@pytest.mark.django_db
def test_unknown_usernames_are_limited_too() -> None:
    assert fail_sign_ins(MAX_ATTEMPTS + 1, name="unknown") == [200] * MAX_ATTEMPTS + [429]


@pytest.mark.django_db
def test_username_of_failed_attempt_is_not_stored(producer: User) -> None:
    sign_in(name="my-password-in-the-wrong-field")
    assert "my-password" not in str(SignInAttempts.objects.values())


@pytest.mark.django_db
def test_forged_forwarded_header_does_not_avoid_limit(producer: User) -> None:
    for number in range(MAX_ATTEMPTS):
        sign_in(**{"X-Forwarded-For": f"198.51.100.{number}"})
    assert sign_in(password=CORRECT_PASSWORD, **{"X-Forwarded-For": "198.51.100.99"}).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_concurrent_attempts_do_not_exceed_limit(producer: User) -> None:
    def sign_in_from_thread(_number: int) -> int:
        try:
            return int(sign_in().status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        status_codes = list(threads.map(sign_in_from_thread, range(3 * MAX_ATTEMPTS)))
    assert sorted(status_codes) == [200] * MAX_ATTEMPTS + [429] * 2 * MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.7", ADDRESS),
        (1, "", ADDRESS),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "10.0.0.1", ADDRESS),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "no address", None),
    ],
)
def test_client_address_trusts_only_configured_proxies(
    proxies: int, forwarded: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VOICEHUB_PROXIES", proxies)
    request: HttpRequest = RequestFactory().get("/", REMOTE_ADDR=ADDRESS, headers={"X-Forwarded-For": forwarded})
    assert get_client_address(request) == expected
