"""Accounts: the list, the form, and the limits of each provider. No page shows a key in full."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from providers import registry
from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.models import Account, LimitOverride
from voices.views.provider_page import LIMIT_LABELS, format_limit

pytestmark = pytest.mark.django_db


def read_account_list(client: Client) -> str:
    return read_html(client.get(reverse("voices:account_list")))


def read_provider_page(client: Client, slug: str) -> str:
    response = client.get(reverse("voices:provider", args=[slug]))
    assert response.status_code == 200
    return read_html(response)


def add_account(client: Client, **fields: str) -> str:
    data = {"name": "Second", "provider": "voiceai", "mode": "sandbox", "key": "canary-key-7391"} | fields
    return read_html(client.post(reverse("voices:account_add"), data, follow=True))


def test_pages_show_only_the_last_characters_of_a_key(superuser_client: Client, studio: Studio) -> None:
    for text in (
        read_account_list(superuser_client),
        superuser_client.get(reverse("voices:account", args=[studio.account.pk])).content.decode(),
    ):
        assert "dbox</span>" in text
        assert studio.account.decrypt_key() not in text
        assert studio.account.encrypted_key not in text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "Not tested"),
        ({"checked_at": timezone.now()}, "Working"),
        ({"checked_at": timezone.now(), "last_error": "No credits."}, "Not working"),
        ({"paused_at": timezone.now(), "pause_reason": "The key is refused."}, "Paused"),
    ],
)
def test_each_account_row_shows_its_status(
    producer_client: Client, studio: Studio, fields: dict[str, object], status: str
) -> None:
    Account.objects.update(**fields)
    text = read_account_list(producer_client)
    assert f">{status}</span>" in text
    assert f'href="{reverse("voices:account", args=[studio.account.pk])}"' in text
    for reason in (fields.get("last_error"), fields.get("pause_reason")):
        assert not reason or str(reason) in text


def test_empty_account_list_says_who_can_add_an_account(superuser_client: Client, producer_client: Client) -> None:
    url = reverse("voices:account_add")
    assert read_account_list(superuser_client).count(url) == 2
    assert "An admin can add it." in read_account_list(producer_client)
    assert url not in read_account_list(producer_client)


# --- form --------------------------------------------------------------------------------


def test_admin_can_add_an_account_and_its_key_is_not_shown(superuser_client: Client) -> None:
    text = add_account(superuser_client)
    account = Account.objects.get()
    assert (account.name, account.provider, account.mode) == ("Second", "voiceai", "sandbox")
    assert account.decrypt_key() == "canary-key-7391"
    assert "Second added." in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": ""}, "This field is required."),
        ({"key": "two words"}, "The key may contain only letters, digits and symbols."),
        ({"key": "schlüssel"}, "The key may contain only letters, digits and symbols."),
        ({"provider": "unknown"}, "Choose a provider."),
        ({"provider": ""}, "Choose a provider."),
        ({"name": "Main"}, "An account called “Main” already exists. Choose another name."),
    ],
)
def test_invalid_account_shows_its_error_and_not_its_key(
    superuser_client: Client, studio: Studio, fields: dict[str, str], message: str
) -> None:
    text = add_account(superuser_client, **fields)
    assert message in text
    assert "canary" not in text
    assert fields.get("key") is None or f'value="{fields["key"]}"' not in text or not fields["key"]
    assert Account.objects.count() == 1


def test_form_shows_the_cautions_of_each_provider(superuser_client: Client) -> None:
    text = superuser_client.get(reverse("voices:account_add")).content.decode().replace("&#x27;", "'")
    for provider in registry.list_providers():
        assert f'value="{provider.slug}"' in text
        for tier in provider.tiers.values():
            for caution in tier.cautions:
                assert caution in text


# --- limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", registry.PROVIDERS)
def test_each_limit_shows_its_label_and_source(producer_client: Client, slug: str) -> None:
    text = read_provider_page(producer_client, slug)
    words = strip_tags(text)
    for tier in registry.get_provider_class(slug).tiers.values():
        assert set(tier.limits) <= set(LIMIT_LABELS)
        for name, limit in tier.limits.items():
            assert f'<th scope="row">{LIMIT_LABELS[name]}<span' in text
            assert limit.source in words
    assert reverse("voices:provider", args=[slug]) in read_account_list(producer_client)


def test_page_of_an_unknown_provider_gets_404(producer_client: Client) -> None:
    assert producer_client.get(reverse("voices:provider", args=["unknown"])).status_code == 404


def test_overridden_limit_has_a_badge_and_shows_its_source(
    superuser_client: Client, producer_client: Client, studio: Studio
) -> None:
    assert ">Override<" not in read_provider_page(superuser_client, "resemble_v2")
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="least_recordings", value=7, source="Support, by mail."
    )
    text = read_provider_page(superuser_client, "resemble_v2")
    assert text.count(">Override<") == 1
    assert text.count('<th scope="row">Minimum recordings<span') == 2, "tiers with other sources have a row each"
    assert "7 recordings" in text
    assert "Support, by mail." in text
    assert ">Override<" not in read_provider_page(superuser_client, "voiceai")
    overrides_url = reverse("admin:voices_limitoverride_changelist")
    assert overrides_url in text
    assert overrides_url not in read_provider_page(producer_client, "resemble_v2")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (59.5, "s", "59.5 s"),
        (1, "s", "1 s"),
        (60, "s", "1 min"),
        (600, "s", "10 min"),
        (1, "recordings", "1 recording"),
        (1500, "characters", "1,500 characters"),
        (7_500_000, "bytes", "7.5 MB"),
        (10, "calls/s", "10 calls"),
    ],
)
def test_limit_is_formatted_in_a_readable_unit(value: float, unit: str, text: str) -> None:
    assert format_limit(value, unit) == text
