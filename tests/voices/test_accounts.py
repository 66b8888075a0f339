"""Accounts: whether a key works, whose limits hold, and that no key is ever shown."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.voices.rows import Studio
from voices.models import LimitOverride
from voices.providers.errors import ProviderAuthError
from voices.providers.resemble_v2 import ResembleV2
from voices.views.accounts import amount

pytestmark = pytest.mark.django_db


def page(client: Client) -> str:
    return client.get(reverse("voices:account_list")).content.decode()


def test_of_a_key_only_its_end_is_shown(as_admin: Client, studio: Studio) -> None:
    assert "dbox</span>" in page(as_admin)
    assert studio.account.key() not in page(as_admin)
    assert studio.account.sealed_key not in page(as_admin)


def test_a_key_that_works_and_one_that_does_not(
    as_admin: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.VOICEHUB_SANDBOX_URL = "http://127.0.0.1:9"
    path = reverse("voices:account_test", args=[studio.account.pk])
    monkeypatch.setattr(ResembleV2, "check_key", lambda self: None)
    assert "The key of Main works." in as_admin.post(path, follow=True).content.decode()

    def refused(_provider: ResembleV2) -> None:
        raise ProviderAuthError("check key", "no", status=401)

    monkeypatch.setattr(ResembleV2, "check_key", refused)
    text = as_admin.post(path, follow=True).content.decode()
    assert text.count("does not accept this account&#x27;s key") == 2  # as the message, and in its row
    assert "Not working" in text


def test_a_limit_of_the_studios_own_is_marked_and_names_who_says_so(as_admin: Client, studio: Studio) -> None:
    assert ">Ours<" not in page(as_admin)
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="least_recordings", value=7, source="Support, by mail."
    )
    text = page(as_admin)
    assert text.count(">Ours<") == 1
    assert "7 recordings" in text
    assert "Support, by mail." in text


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (59.5, "s", "59.5 seconds"),
        (1, "s", "1 second"),
        (60, "s", "1:00 minutes"),
        (600, "s", "10:00 minutes"),
        (1, "recordings", "1 recording"),
        (1500, "characters", "1,500 characters"),
    ],
)
def test_amounts_are_told_in_the_unit_that_people_think_in(value: float, unit: str, words: str) -> None:
    assert amount(value, unit) == words


def test_a_producer_sees_accounts_and_cannot_test_them(as_producer: Client, studio: Studio) -> None:
    assert "Test the key" not in page(as_producer)
    assert reverse("admin:voices_account_add") not in page(as_producer)
