"""Many names from one network and many networks against one name are delayed; the owner still gets in."""

import pytest
from django.test import Client

from tests.voicehub.sign_in.codes import WRONG_PASSWORD, add_app, compute_code, is_signed_in, sign_in
from voicehub.models import SecurityEvent, SecurityEventKind, User
from voicehub.sign_in.limits import MAX_FOR_BROWSER, MAX_FOR_NAME, MAX_FOR_NAME_AND_NETWORK, MAX_FOR_NETWORK

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
DELAYED = 429


def guess(name: str, address: str) -> int:
    return int(sign_in(Client(REMOTE_ADDR=address), name, WRONG_PASSWORD).status_code)


def attack_name(name: str) -> None:
    """Reach the limit of a name from ever new networks."""
    for number in range(MAX_FOR_NAME):
        assert guess(name, f"198.51.100.{number}") == 200


def test_password_sprayed_over_many_names_is_delayed(producer: User) -> None:
    statuses = [guess(f"name-{number}", "192.0.2.1") for number in range(MAX_FOR_NETWORK + 5)]
    assert statuses == [200] * MAX_FOR_NETWORK + [DELAYED] * 5
    assert sign_in(Client(REMOTE_ADDR="192.0.2.1"), "paula").status_code == DELAYED
    assert sign_in(Client(REMOTE_ADDR="192.0.2.2"), "paula").status_code == 302


def test_one_name_guessed_from_rotating_addresses_is_delayed(producer: User) -> None:
    attack_name("paula")
    assert guess("paula", "203.0.113.1") == DELAYED
    assert sign_in(Client(REMOTE_ADDR="203.0.113.2"), "paula").status_code == DELAYED


def test_browser_that_signed_in_before_is_not_delayed_by_an_attack(producer: User) -> None:
    client = Client()
    sign_in(client, "paula")
    client.post("/sign-out/")
    attack_name("paula")
    sign_in(client, "paula")
    assert is_signed_in(client)


def test_browser_that_signed_in_before_has_its_own_limit(producer: User) -> None:
    client = Client()
    sign_in(client, "paula")
    client.post("/sign-out/")
    statuses = [sign_in(client, "paula", WRONG_PASSWORD).status_code for _ in range(MAX_FOR_BROWSER + 1)]
    assert statuses == [200] * MAX_FOR_BROWSER + [DELAYED]
    assert sign_in(client, "paula").status_code == DELAYED


def test_cookie_of_another_person_does_not_help(producer: User, viewer: User) -> None:
    client = Client()
    sign_in(client, "vera")
    client.post("/sign-out/")
    client.cookies[f"voicehub-known-{producer.pk}"] = client.cookies[f"voicehub-known-{viewer.pk}"].value
    attack_name("paula")
    assert sign_in(client, "paula").status_code == DELAYED


def test_browser_is_new_again_after_the_password_changed(producer: User) -> None:
    client = Client()
    sign_in(client, "paula")
    client.post("/sign-out/")
    producer.set_password("another secret")
    producer.save()
    attack_name("paula")
    assert sign_in(client, "paula", "another secret").status_code == DELAYED


def test_correct_password_with_second_factor_passes_every_limit(producer: User) -> None:
    add_app(producer)
    attack_name("paula")
    client = Client(REMOTE_ADDR="192.0.2.1")
    for _ in range(MAX_FOR_NAME_AND_NETWORK):
        sign_in(client, "paula", WRONG_PASSWORD)
    assert sign_in(client, "paula").headers["Location"] == "/sign-in/second-factor/"
    client.post("/sign-in/second-factor/", {"code": compute_code()})
    assert is_signed_in(client)


def test_delayed_answer_is_the_same_for_right_and_wrong_passwords(producer: User) -> None:
    attack_name("paula")
    pages = [sign_in(Client(), "paula", password).content for password in ("secret", WRONG_PASSWORD)]
    assert b"Too many failed attempts. Try again in 15 minutes." in pages[0]
    assert [b"is wrong" in page for page in pages] == [False, False]


def test_own_sign_ins_of_an_attacker_do_not_reset_the_limit_of_the_network(producer: User, viewer: User) -> None:
    for number in range(MAX_FOR_NETWORK):
        assert guess(f"name-{number}", "192.0.2.1") == 200
        if number % 10 == 0:
            assert sign_in(Client(REMOTE_ADDR="192.0.2.1"), "vera").status_code == 302
    assert guess("paula", "192.0.2.1") == DELAYED


def test_each_attempt_is_recorded_with_its_address_and_without_the_typed_name(producer: User) -> None:
    guess("paula", "192.0.2.7")
    guess("my-password-in-the-wrong-field", "192.0.2.8")
    known, unknown = SecurityEvent.objects.filter(kind=SecurityEventKind.SIGN_IN_FAILED).order_by("at")
    assert (known.actor, known.address) == (producer, "192.0.2.7")
    assert (unknown.actor, unknown.address) == (None, "192.0.2.8")
    assert "my-password" not in str(SecurityEvent.objects.values())
