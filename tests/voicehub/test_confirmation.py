"""Before keys, users and deletions, people confirm that it is them. What they typed stays, but no secret is stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from tests.voicehub.sign_in.codes import add_app, has_factor, sign_in_earlier
from voicehub.models import BrowserSession, User
from voicehub.sign_in.sessions import SessionStore
from voices.models import Account
from voices.services.accounts import add_account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

KEY = "canary-key-7391"
CONFIRM = "/profile/confirm/"


@pytest.fixture
def root(make_person: Callable[..., User]) -> User:
    return make_person("root", is_superuser=True, is_staff=True)


@pytest.fixture
def late_client(client: Client, root: User) -> Client:
    """Signed in 16 minutes ago."""
    client.force_login(root)
    sign_in_earlier(client, timedelta(minutes=16))
    return client


def leads_to_confirmation(response: Any) -> bool:
    return bool(response.status_code == 302 and urlsplit(response.url).path == CONFIRM)


def confirm(client: Client, response: Any, *, word: str = "secret") -> Any:
    """Enter the password on the page to which the response leads. Returns the answer to it."""
    assert leads_to_confirmation(response)
    target = parse_qs(urlsplit(response.url).query)["next"][0]
    return client.post(response.url, {"password": word, "next": target})


def read_sessions() -> str:
    return " ".join(str(SessionStore().decode(row.session_data)) for row in BrowserSession.objects.all())


def make_account() -> Account:
    return add_account("Main", "resemble_v2", "sandbox", "old-key-of-the-studio")


def test_sign_in_of_the_last_minutes_counts(client: Client, root: User) -> None:
    client.force_login(root)
    sign_in_earlier(client, timedelta(minutes=14))
    assert client.get(reverse("voices:account_add")).status_code == 200


def test_page_with_a_key_opens_only_after_the_confirmation(late_client: Client) -> None:
    url = reverse("voices:account_add") + "?provider=resemble_v2"
    answer = confirm(late_client, late_client.get(url))
    assert (answer.status_code, answer.url) == (302, url)
    assert late_client.get(url).status_code == 200


def test_wrong_password_confirms_nothing(late_client: Client) -> None:
    url = reverse("voices:account_add")
    assert confirm(late_client, late_client.get(url), word="wrong").status_code == 200
    assert late_client.get(url).status_code == 302


def test_confirmation_ends_after_15_minutes(late_client: Client) -> None:
    url = reverse("voices:account_add")
    confirm(late_client, late_client.get(url))
    session = late_client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 16 * 60
    session.save()
    assert late_client.get(url).status_code == 302


def test_key_is_never_stored_in_the_session_and_the_rest_of_the_form_stays(late_client: Client) -> None:
    fields = {"name": "Second account", "provider": "resemble_v2", "mode": "sandbox", "key": KEY}
    answer = confirm(late_client, late_client.post(reverse("voices:account_add"), fields))
    assert "Second+account" in read_sessions()
    assert KEY not in read_sessions()
    page = late_client.get(answer.url)
    html = page.content.decode()
    assert 'value="Second account"' in html
    assert KEY not in html
    assert "Enter the secret again" in html
    assert not Account.objects.exists()
    assert late_client.post(reverse("voices:account_add"), fields).status_code == 302
    assert Account.objects.get().name == "Second account"


def test_session_key_is_not_stored_with_a_suspended_form(late_client: Client, viewer: User) -> None:
    late_client.post(reverse("admin:voicehub_user_delete", args=[viewer.pk]), {"post": "yes"})
    assert "post=yes" in read_sessions()
    assert late_client.cookies["voicehub-session"].value not in read_sessions()


def test_key_on_the_page_of_an_account_is_asked_for_after_the_confirmation(late_client: Client) -> None:
    account = make_account()
    page = late_client.get(reverse("voices:account", args=[account.pk])).content.decode()
    assert 'name="key"' not in page
    url = reverse("voices:account_key", args=[account.pk])
    assert url in page
    answer = confirm(late_client, late_client.get(url))
    page = late_client.get(answer.url, follow=True).content.decode()
    assert 'name="key"' in page
    late_client.post(url, {"key": KEY})
    account.refresh_from_db()
    assert account.decrypt_key() == KEY


def test_key_sent_too_late_is_not_saved_and_must_be_entered_again(late_client: Client) -> None:
    account = make_account()
    response = late_client.post(reverse("voices:account_key", args=[account.pk]), {"key": KEY})
    answer = confirm(late_client, response)
    page = late_client.get(answer.url, follow=True)
    assert "Enter the secret again" in page.content.decode()
    account.refresh_from_db()
    assert account.decrypt_key() == "old-key-of-the-studio"


def test_admin_page_of_an_account_does_not_save_without_the_key_that_was_typed(late_client: Client) -> None:
    account = make_account()
    url = reverse("admin:voices_account_change", args=[account.pk])
    assert leads_to_confirmation(late_client.get(url))
    response = late_client.post(url, {"name": "Renamed", "key": KEY})
    answer = confirm(late_client, response)
    page = late_client.get(answer.url)
    assert page.status_code == 200
    assert 'value="Renamed"' in page.content.decode()
    account.refresh_from_db()
    assert account.name == "Main"
    assert KEY not in read_sessions()


def test_suspended_form_of_a_user_is_sent_again_after_the_confirmation(late_client: Client, viewer: User) -> None:
    url = reverse("admin:voicehub_user_change", args=[viewer.pk])
    fields = {"username": viewer.username, "first_name": "Verena", "is_active": "on"}
    answer = confirm(late_client, late_client.post(url, fields))
    viewer.refresh_from_db()
    assert viewer.first_name == "Vera"
    assert late_client.get(answer.url).status_code == 302
    viewer.refresh_from_db()
    assert viewer.first_name == "Verena"
    User.objects.filter(pk=viewer.pk).update(first_name="Vera")
    assert late_client.get(answer.url).status_code == 200
    viewer.refresh_from_db()
    assert viewer.first_name == "Vera"


def test_suspended_form_is_sent_once_and_only_by_the_address_of_the_confirmation(
    late_client: Client, viewer: User
) -> None:
    url = reverse("admin:voicehub_user_delete", args=[viewer.pk])
    assert late_client.get(f"{url}?repeat-form=").status_code == 200
    answer = confirm(late_client, late_client.post(url, {"post": "yes"}))
    assert late_client.get(url).status_code == 200
    assert late_client.get(f"{url}?repeat-form=guessed").status_code == 200
    assert User.objects.filter(pk=viewer.pk).exists()
    other = Client()
    other.force_login(User.objects.get(username="root"))
    assert other.get(answer.url).status_code == 200
    assert User.objects.filter(pk=viewer.pk).exists()
    assert late_client.get(answer.url).status_code == 302
    assert not User.objects.filter(pk=viewer.pk).exists()


@pytest.mark.parametrize("path", ["change", "delete"])
def test_admin_asks_before_it_changes_or_deletes_users(late_client: Client, viewer: User, path: str) -> None:
    url = reverse(f"admin:voicehub_user_{path}", args=[viewer.pk])
    assert late_client.get(url).status_code == 200
    assert leads_to_confirmation(late_client.post(url, {}))


def test_admin_asks_before_actions_and_invitations(late_client: Client, viewer: User) -> None:
    selection = {"action": "delete_selected", "_selected_action": [viewer.pk], "post": "yes"}
    invitation = {"email": "nora@studio.test", "username": "nora"}
    for url, fields in (
        (reverse("admin:voicehub_user_changelist"), selection),
        (reverse("admin:voicehub_user_add"), invitation),
        (reverse("admin:voicehub_user_link", args=[viewer.pk]), {}),
    ):
        assert leads_to_confirmation(late_client.post(url, fields))
    assert set(User.objects.values_list("username", flat=True)) == {"root", viewer.username}


def test_deletions_of_remote_voices_are_asked_for(late_client: Client) -> None:
    some_id = "00000000-0000-0000-0000-000000000000"
    for name in ("remote_delete", "deletion_confirm", "unknown_voice_delete"):
        response = late_client.post(reverse(f"voices:{name}", args=[some_id]), {"reason": "The contract has ended."})
        assert leads_to_confirmation(response)
        assert "reason=The+contract" in read_sessions()
        assert late_client.get(confirm(late_client, response).url).status_code == 404
        session = late_client.session
        session["account_authentication_methods"] = []
        session.save()


def test_dataset_is_chosen_only_after_the_confirmation(late_client: Client) -> None:
    url = reverse("voices:voice_dataset", args=["00000000-0000-0000-0000-000000000000"])
    assert leads_to_confirmation(late_client.get(url))
    answer = confirm(late_client, late_client.post(url, {"layout": "voicehub"}))
    assert answer.url == url


def test_script_gets_words_and_nothing_is_stored(late_client: Client) -> None:
    fields = {"name": "Second", "provider": "resemble_v2", "mode": "sandbox", "key": KEY}
    response = late_client.post(reverse("voices:account_add"), fields, headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["kind"]) == (403, "confirmation")
    assert "Confirm that it is you" in response.json()["problem"]
    assert KEY not in read_sessions()


def test_person_without_password_and_factor_is_asked_to_sign_in_again(late_client: Client, root: User) -> None:
    root.set_unusable_password()
    root.save()
    late_client.force_login(root)
    assert late_client.get(reverse("voices:account_add")).status_code == 200
    sign_in_earlier(late_client, timedelta(minutes=16))
    response = late_client.get(reverse("voices:account_add"))
    assert response.status_code == 403
    assert "sign in again" in response.content.decode()
    assert not list(get_messages(response.wsgi_request))


def test_htmx_leads_the_whole_page_to_the_confirmation_and_back(late_client: Client) -> None:
    page = reverse("voices:voice_list") + "?show=all"
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    some_id = "00000000-0000-0000-0000-000000000000"
    response = late_client.post(reverse("voices:remote_delete", args=[some_id]), {"reason": "Over."}, headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    answer: Any = late_client.post(response.headers["HX-Redirect"], {"password": "secret", "next": page})
    assert f"next={page.replace('/', '%2F').replace('?', '%3F').replace('=', '%3D')}" in response.headers["HX-Redirect"]
    assert answer.url == page
    assert "Now choose again what you want to do." in late_client.get(page).content.decode()
    assert "Now choose again" not in late_client.get(page).content.decode()


def test_htmx_of_a_page_elsewhere_leads_to_the_profile(late_client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.test/voices/"}
    response = late_client.post(reverse("voices:account_add"), {}, headers=headers)
    assert response.headers["HX-Redirect"] == f"{CONFIRM}?next=%2Fprofile%2F"


def test_factors_of_others_are_removed_only_after_the_confirmation(late_client: Client, viewer: User) -> None:
    add_app(viewer)
    selected = {
        "action": "remove",
        "_selected_action": [str(Authenticator.objects.filter(user=viewer).values_list("pk", flat=True)[0])],
    }
    assert leads_to_confirmation(late_client.post(reverse("admin:mfa_authenticator_changelist"), selected))
    assert has_factor(viewer)
