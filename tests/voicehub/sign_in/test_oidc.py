"""Sign-in at the studio's identity provider, against a real one on a socket. Only people of the studio get in."""

import copy
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse

from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from voicehub.checks import check_identity_provider
from voicehub.models import SecurityEvent, SecurityEventKind, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

START = "/sign-in/provider/studio/"


@pytest.fixture
def provider(settings: Any) -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    provider.claims = {"email": "Nora@studio.test", "email_verified": True}
    settings.VOICEHUB_OIDC_ISSUER = provider.issuer
    settings.VOICEHUB_OIDC_NAME = "Northlight ID"
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    app = providers["openid_connect"]["APPS"][0]
    app |= {"client_id": CLIENT_ID, "secret": CLIENT_SECRET}
    app["settings"]["server_url"] = provider.issuer
    settings.SOCIALACCOUNT_PROVIDERS = providers
    yield provider
    provider.stop()


@pytest.fixture
def nora(make_person: Callable[..., User]) -> User:
    return make_person("nora", "viewer")


def sign_in(client: Client, start: str = START) -> Any:
    """Follow the way through the provider, as a browser does. Returns the answer to its redirect."""
    response = client.post(start)
    assert response.status_code == 302
    answer = requests.get(response.headers["Location"], allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_person_of_the_studio_signs_in_and_nothing_is_stored(
    client: Client, provider: IdentityProvider, nora: User
) -> None:
    assert "Sign in with Northlight ID" in client.get("/sign-in/").content.decode()
    assert sign_in(client, f"{START}?next=/talents/").headers["Location"] == "/talents/"
    assert client.session["_auth_user_id"] == str(nora.pk)
    assert not SocialAccount.objects.exists()
    nora.refresh_from_db()
    assert nora.check_password("secret")
    assert SecurityEvent.objects.filter(kind=SecurityEventKind.SIGNED_IN, actor=nora).exists()


def test_unknown_person_gets_words_and_no_account(client: Client, provider: IdentityProvider) -> None:
    response = sign_in(client)
    assert response.status_code == 403
    assert "Ask an admin of the studio to add you." in response.content.decode()
    assert not User.objects.exists()
    assert SecurityEvent.objects.get().kind == SecurityEventKind.SIGN_IN_FAILED


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email_verified": None}, {"email": "other@studio.test"}, {"email": ""}]
)
def test_address_must_be_verified_and_known(
    client: Client, provider: IdentityProvider, nora: User, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert sign_in(client).status_code == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "overrides", [{"iss": "https://other.test"}, {"aud": "another-client"}, {"exp": 1_600_000_000}]
)
def test_token_for_someone_else_or_of_another_time_is_refused(
    client: Client, provider: IdentityProvider, nora: User, overrides: dict[str, Any]
) -> None:
    provider.overrides = overrides
    response = sign_in(client)
    assert (response.status_code, is_signed_in(client)) == (403, False)
    assert "did not work" in response.content.decode()


def test_token_that_another_key_signed_is_refused(client: Client, provider: IdentityProvider, nora: User) -> None:
    provider.signing_key = rsa.generate_private_key(65537, 2048)
    assert sign_in(client).status_code == 403
    assert not is_signed_in(client)


def test_answer_for_another_browser_is_refused(client: Client, provider: IdentityProvider, nora: User) -> None:
    location = client.post(START).headers["Location"]
    back = urlsplit(requests.get(location, allow_redirects=False, timeout=10).headers["Location"])
    other = Client()
    assert other.get(f"{back.path}?{back.query}").status_code == 403
    assert not is_signed_in(other)


def test_deactivated_person_does_not_get_in(client: Client, provider: IdentityProvider, nora: User) -> None:
    User.objects.filter(pk=nora.pk).update(is_active=False)
    sign_in(client)
    assert not is_signed_in(client)


def test_second_factor_stays_demanded_unless_the_provider_asks_for_it(
    client: Client, provider: IdentityProvider, nora: User, settings: Any
) -> None:
    Authenticator.objects.create(user=nora, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert sign_in(client).headers["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(client)
    settings.VOICEHUB_OIDC_HAS_SECOND_FACTOR = True
    other = Client()
    sign_in(other)
    assert is_signed_in(other)


def test_role_that_needs_a_factor_sees_pages_only_if_the_provider_asks_for_it(
    client: Client, provider: IdentityProvider, nora: User, settings: Any
) -> None:
    settings.VOICEHUB_SECOND_FACTOR_ROLES = {"viewer"}
    sign_in(client)
    assert client.get("/talents/").headers["Location"] == "/profile/"
    settings.VOICEHUB_OIDC_HAS_SECOND_FACTOR = True
    assert client.get("/talents/").status_code == 200
    with_password = Client()
    with_password.force_login(nora)
    assert with_password.get("/talents/").headers["Location"] == "/profile/"


def test_person_without_a_password_adds_a_factor_after_a_recent_sign_in(
    client: Client, provider: IdentityProvider, nora: User
) -> None:
    nora.set_unusable_password()
    nora.save()
    sign_in(client)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_provider_that_does_not_answer_is_said_in_words(client: Client, provider: IdentityProvider) -> None:
    provider.stop()
    response = client.post(START)
    assert response.status_code in (403, 502)
    assert "did not work" in response.content.decode()


def test_signed_in_person_cannot_connect_another_account(
    client: Client, provider: IdentityProvider, nora: User, viewer: User
) -> None:
    client.force_login(viewer)
    assert sign_in(client, f"{START}?process=connect").status_code == 403
    assert not SocialAccount.objects.exists()


def test_without_an_issuer_no_page_names_it(client: Client, settings: Any) -> None:
    settings.VOICEHUB_OIDC_ISSUER = ""
    page = client.get("/sign-in/").content.decode()
    assert "sign-in/provider" not in page
    assert client.post(START).status_code == 404
    assert client.get(f"{START}callback/").status_code == 404


def test_settings_are_checked(settings: Any) -> None:
    assert check_identity_provider() == []
    settings.VOICEHUB_OIDC_ISSUER, settings.HTTPS = "http://id.test", True
    assert [error.id for error in check_identity_provider()] == ["voicehub.E005", "voicehub.E005", "voicehub.E006"]
