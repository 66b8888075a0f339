"""Accounts: their list, adding one, whose limits hold, and that no key is ever shown."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers import registry
from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.models import Account, LimitOverride
from voices.views.accounts import LIMIT_LABELS, format_limit

pytestmark = pytest.mark.django_db


def page(client: Client) -> str:
    return read_html(client.get(reverse("voices:account_list")))


def provider_page(client: Client, slug: str) -> str:
    response = client.get(reverse("voices:provider", args=[slug]))
    assert response.status_code == 200
    return read_html(response)


def add(client: Client, **fields: str) -> str:
    given = {"name": "Second", "provider": "voiceai", "mode": "sandbox", "key": "canary-key-7391"} | fields
    return read_html(client.post(reverse("voices:account_add"), given, follow=True))


def test_of_a_key_only_its_end_is_shown(as_admin: Client, studio: Studio) -> None:
    for text in (page(as_admin), as_admin.get(reverse("voices:account", args=[studio.account.pk])).content.decode()):
        assert "dbox</span>" in text
        assert studio.account.decrypt_key() not in text
        assert studio.account.encrypted_key not in text


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "Not tested"),
        ({"checked_at": timezone.now()}, "Working"),
        ({"checked_at": timezone.now(), "last_error": "No credits."}, "Not working"),
        ({"paused_at": timezone.now(), "pause_reason": "The key is refused."}, "Paused"),
    ],
)
def test_each_account_is_a_row_that_says_how_it_stands(
    as_producer: Client, studio: Studio, fields: dict[str, object], word: str
) -> None:
    Account.objects.update(**fields)
    text = page(as_producer)
    assert f">{word}</span>" in text
    assert f'href="{reverse("voices:account", args=[studio.account.pk])}"' in text
    for words in (fields.get("last_error"), fields.get("pause_reason")):
        assert not words or str(words) in text


def test_an_empty_list_says_what_to_do(as_admin: Client, as_producer: Client) -> None:
    address = reverse("voices:account_add")
    assert page(as_admin).count(address) == 2
    assert "An admin can add it." in page(as_producer)
    assert address not in page(as_producer)


# --- Adding one --------------------------------------------------------------------------


def test_an_account_is_added_in_the_dashboard(as_admin: Client) -> None:
    text = add(as_admin)
    account = Account.objects.get()
    assert (account.name, account.provider, account.mode) == ("Second", "voiceai", "sandbox")
    assert account.decrypt_key() == "canary-key-7391"
    assert "Second added." in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"key": ""}, "This field is required."),
        ({"key": "two words"}, "The key may contain only letters, digits and symbols."),
        ({"key": "schlüssel"}, "The key may contain only letters, digits and symbols."),
        ({"provider": "nobody"}, "Choose a provider."),
        ({"provider": ""}, "Choose a provider."),
        ({"name": "Main"}, "An account called “Main” already exists. Choose another name."),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said_and_no_key_comes_back(
    as_admin: Client, studio: Studio, fields: dict[str, str], words: str
) -> None:
    text = add(as_admin, **fields)
    assert words in text
    assert "canary" not in text
    assert fields.get("key") is None or f'value="{fields["key"]}"' not in text or not fields["key"]
    assert Account.objects.count() == 1


def test_what_each_provider_does_with_voices_is_said_before_it_has_a_key(as_admin: Client) -> None:
    text = as_admin.get(reverse("voices:account_add")).content.decode().replace("&#x27;", "'")
    for provider in registry.list_providers():
        assert f'value="{provider.slug}"' in text
        for tier in provider.tiers.values():
            for caution in tier.cautions:
                assert caution in text


# --- Limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", registry.PROVIDERS)
def test_every_limit_has_a_name_and_says_who_says_so(as_producer: Client, slug: str) -> None:
    text = provider_page(as_producer, slug)
    for tier in registry.get_provider_class(slug).tiers.values():
        assert set(tier.limits) <= set(LIMIT_LABELS)
        for name, limit in tier.limits.items():
            assert f'<th scope="row">{LIMIT_LABELS[name]}</th>' in text
            assert limit.source in text
    assert reverse("voices:provider", args=[slug]) in page(as_producer)


def test_a_provider_that_is_not_there(as_producer: Client) -> None:
    assert as_producer.get(reverse("voices:provider", args=["nobody"])).status_code == 404


def test_a_limit_of_the_studios_own_is_marked_and_names_who_says_so(
    as_admin: Client, as_producer: Client, studio: Studio
) -> None:
    assert ">Ours<" not in provider_page(as_admin, "resemble_v2")
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="least_recordings", value=7, source="Support, by mail."
    )
    text = provider_page(as_admin, "resemble_v2")
    assert text.count(">Ours<") == 1
    assert "7 recordings" in text
    assert "Support, by mail." in text
    assert ">Ours<" not in provider_page(as_admin, "voiceai")
    change = reverse("admin:voices_limitoverride_changelist")
    assert change in text
    assert change not in provider_page(as_producer, "resemble_v2")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (59.5, "s", "59.5 seconds"),
        (1, "s", "1 second"),
        (60, "s", "1 min"),
        (600, "s", "10 min"),
        (1, "recordings", "1 recording"),
        (1500, "characters", "1,500 characters"),
        (7_500_000, "bytes", "7.5 MB"),
        (10, "calls/s", "10 calls"),
    ],
)
def test_amounts_are_told_in_the_unit_that_people_think_in(value: float, unit: str, words: str) -> None:
    assert format_limit(value, unit) == words
