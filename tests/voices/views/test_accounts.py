"""The page of one account: test and change the key, pause and resume, list calls and voices."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Account, AccountCall, RemoteVoice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]
ADMIN_ACTIONS = ("account_test", "account_key", "account_pause", "account_resume")


def read_page(client: Client, account: Account) -> str:
    return read_html(client.get(reverse("voices:account", args=[account.pk])))


def post_form(client: Client, url_name: str, account: Account, **fields: str) -> str:
    response = client.post(reverse(f"voices:{url_name}", args=[account.pk]), fields, follow=True)
    assert response.redirect_chain == [(reverse("voices:account", args=[account.pk]), 302)]
    account.refresh_from_db()
    return read_html(response)


def test_key_check_shows_its_result_and_pauses_the_account_on_401(
    superuser_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    account = studio.account
    assert "API log" not in read_page(superuser_client, account)
    text = post_form(superuser_client, "account_test", account)
    assert "The key of Main works." in text
    assert ">Working</span>" in text
    assert "</span>200</span>" in text
    account.set_key("bad-key-of-no-account")
    account.save()
    text = post_form(superuser_client, "account_test", account)
    assert "does not accept this account" in text
    assert ">Paused</span>" in text
    assert "</span>401</span>" in text
    assert "bad-key-of-no-account" not in text


def test_changed_key_is_never_shown_in_full(superuser_client: Client, studio: Studio) -> None:
    account = studio.account
    Account.objects.update(checked_at=timezone.now(), last_error="Old error.")
    assert "Enter the new key." in post_form(superuser_client, "account_key", account, key="")
    assert "only letters, digits and symbols" in post_form(superuser_client, "account_key", account, key="a b")
    assert account.decrypt_key() == "a-key-of-the-sandbox"
    text = post_form(superuser_client, "account_key", account, key="canary-key-7391")
    assert account.decrypt_key() == "canary-key-7391"
    assert "canary" not in text
    assert '<span class="hash">7391</span>' in text
    assert "Old error." not in text
    assert "the next build makes new ones" in text


def test_account_is_paused_with_a_reason_and_resumed(superuser_client: Client, studio: Studio) -> None:
    account = studio.account
    assert "Enter a reason" in post_form(superuser_client, "account_pause", account, reason=" ")
    assert account.paused_at is None
    text = post_form(superuser_client, "account_pause", account, reason="The invoice is disputed.")
    assert "Paused by Ada: The invoice is disputed." in text
    assert account.paused_at
    assert "Main is already paused." in post_form(superuser_client, "account_pause", account, reason="Twice.")
    assert "is resumed. Waiting work continues." in post_form(superuser_client, "account_resume", account)
    assert account.paused_at is None
    assert "Main is not paused." in post_form(superuser_client, "account_resume", account)


def test_producer_cannot_change_an_account(producer_client: Client, studio: Studio) -> None:
    text = read_page(producer_client, studio.account)
    assert "Main" in text
    for url_name in ADMIN_ACTIONS:
        path = reverse(f"voices:{url_name}", args=[studio.account.pk])
        assert path not in text
        assert producer_client.post(path).status_code == 403


def test_calls_are_listed_newest_first_with_status_and_response(producer_client: Client, studio: Studio) -> None:
    for number, status in enumerate((200, 503, None)):
        AccountCall.objects.create(
            account=studio.account,
            at=timezone.now(),
            operation=f"call {number}",
            status=status,
            response_text=f"<response {number}>",
        )
    text = read_page(producer_client, studio.account)
    assert text.index("Call 2") < text.index("Call 1") < text.index("Call 0")
    assert "No response</span>" in text
    assert "</span>503</span>" in text
    assert "&lt;response 1&gt;" in text
    assert "state-bad" not in text[text.index("Call 0") :]


def test_page_lists_remote_voices_and_links_to_unknown_voices(producer_client: Client, studio: Studio) -> None:
    assert "No voices yet" in read_page(producer_client, studio.account)
    build = studio.make_build(status="ready")
    RemoteVoice.objects.update(alert="Public.")
    assert "Find unknown voices" not in read_page(producer_client, studio.account), "before the first call"
    Account.objects.update(checked_at=timezone.now())
    text = read_page(producer_client, studio.account)
    assert f'href="{build.remote_voice.get_absolute_url()}"' in text
    assert "Warm narrator" in text
    assert ">Alert</span>" in text
    unknown = reverse("voices:unknown_voices", args=[studio.account.pk])
    assert unknown in text
    Account.objects.update(provider="audiostack")  # AudioStack has no list of an account's own voices
    assert unknown not in read_page(producer_client, studio.account)


def test_account_of_an_unsupported_provider_is_still_shown(superuser_client: Client, studio: Studio) -> None:
    Account.objects.update(provider="gone_vendor")
    text = read_page(superuser_client, studio.account)
    assert "VoiceHub no longer supports this provider" in text
    assert "Test the key" not in text
    assert "no longer supports this provider" in post_form(superuser_client, "account_test", studio.account)
    assert superuser_client.get(reverse("voices:unknown_voices", args=[studio.account.pk])).status_code == 404


def test_query_count_does_not_grow_with_builds_and_calls(superuser_client: Client, studio: Studio) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            read_page(superuser_client, studio.account)
        return len(queries)

    build = studio.make_build(status="ready")
    AccountCall.objects.create(account=studio.account, at=timezone.now(), operation="call", status=200)
    count_queries()
    expected = count_queries()
    for _ in range(4):
        studio.make_build(build.voice, status="failed")
        AccountCall.objects.create(account=studio.account, at=timezone.now(), operation="call", status=500)
    assert count_queries() == expected


def test_untested_key_has_a_note_until_it_is_tested(
    superuser_client: Client, producer_client: Client, studio: Studio
) -> None:
    Account.objects.update(checked_at=None)
    text = read_page(superuser_client, studio.account)
    assert "This key has not been tested" in text and text.count(">Test the key<") == 1
    assert ">Test the key<" not in read_page(producer_client, studio.account)
    Account.objects.update(checked_at=timezone.now())
    text = read_page(superuser_client, studio.account)
    assert "This key has not been tested" not in text and text.count(">Test the key<") == 1


def test_list_offers_the_test_of_a_key_only_to_those_who_may_make_it(
    studio: Studio, superuser_client: Client, producer_client: Client
) -> None:
    url = reverse("voices:account_list")
    assert read_html(superuser_client.get(url)).count(">Test the key<") == 1
    assert "Test the key" not in read_html(producer_client.get(url))


def test_list_has_the_next_step_only_if_one_is_due(
    studio: Studio, admin: User, superuser_client: Client, producer_client: Client
) -> None:
    url = reverse("voices:account_list")
    Account.objects.update(checked_at=timezone.now())
    assert "Next step" not in read_html(superuser_client.get(url))
    Account.objects.update(paused_at=timezone.now(), paused_by=admin, pause_reason="A new plan.")
    page = read_html(superuser_client.get(url))
    assert "Next step" in page and page.count(">Resume account<") == 1
    assert page.count("A new plan.") == 1, "below the state"
    assert "Resume" not in read_html(producer_client.get(url))
    Account.objects.update(paused_by=None)
    assert ">Enter a new key<" in read_html(superuser_client.get(url))
