"""Who may open which address: every address of the house is in one of the tables below, or this fails."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from voicehub.models import User

pytestmark = pytest.mark.one_database

EVERYBODY = frozenset({"viewer", "engineer", "producer", "admin"})
SOUND = frozenset({"engineer", "producer", "admin"})
PRODUCE = frozenset({"producer", "admin"})
ADMIN = frozenset({"admin"})

# The only addresses that open without a sign-in. All but the first two go by an unguessable token.
OPEN = {
    "login",
    "healthz",
    "invitation:open",
    "invitation:home",
    "invitation:begin",
    "invitation:record",
    "invitation:submit",
    "invitation:decline",
    "invitation:receipt",
    "voices:dataset",
    "webhooks:callback",
}

# For anybody who is signed in, with a role or without.
SIGNED_IN = {"logout"}

# Name of the address: how it is asked for, and the roles that it is for.
ACCESS = {
    "today": ("get", EVERYBODY),
    "consent:talent_list": ("get", EVERYBODY),
    "consent:talent": ("get", EVERYBODY),
    "consent:contract": ("get", EVERYBODY),
    "consent:contract_file": ("get", EVERYBODY),
    "consent:consent": ("get", EVERYBODY),
    "consent:take_audio": ("get", EVERYBODY),
    "consent:take_peaks": ("get", EVERYBODY),
    "consent:take_check": ("get", EVERYBODY),
    "consent:record_in_studio": ("get", SOUND),
    "consent:take_upload": ("post", SOUND),
    "consent:talent_add": ("get", PRODUCE),
    "consent:talent_edit": ("get", PRODUCE),
    "consent:contract_add": ("get", PRODUCE),
    "consent:consent_ask": ("get", PRODUCE),
    "consent:statement": ("get", PRODUCE),
    "consent:invite": ("post", PRODUCE),
    "consent:copy_link": ("post", PRODUCE),
    "consent:end_link": ("post", PRODUCE),
    "consent:approve": ("post", PRODUCE),
    "consent:ask_again": ("post", PRODUCE),
    "consent:suspend": ("post", PRODUCE),
    "consent:resume": ("post", PRODUCE),
    "consent:withdraw": ("post", PRODUCE),
    "consent:void": ("post", PRODUCE),
    "voices:active_builds": ("get", EVERYBODY),
    "voices:voice": ("get", EVERYBODY),
    "voices:readiness": ("get", EVERYBODY),
    "voices:recording_table": ("get", EVERYBODY),
    "voices:recordings_poll": ("get", EVERYBODY),
    "voices:recording_audio": ("get", EVERYBODY),
    "voices:recording_peaks": ("get", EVERYBODY),
    "voices:build": ("get", EVERYBODY),
    "voices:build_progress": ("get", EVERYBODY),
    "voices:build_export": ("get", EVERYBODY),
    "voices:compare": ("get", EVERYBODY),
    "voices:compare_previews": ("get", EVERYBODY),
    "voices:voice_add": ("get", SOUND),
    "voices:recording_upload": ("post", SOUND),
    "voices:recording_edit": ("post", SOUND),
    "voices:recording_active": ("post", SOUND),
    "voices:recording_split": ("post", SOUND),
    "voices:recording_delete": ("post", SOUND),
    "voices:build_start": ("post", PRODUCE),
    "voices:build_cancel": ("post", PRODUCE),
    "voices:build_resolve_submit": ("post", PRODUCE),
    "voices:build_resolve_training": ("post", PRODUCE),
    "voices:compare_request_previews": ("post", PRODUCE),
    "voices:account_list": ("get", PRODUCE),
    "voices:provider": ("get", PRODUCE),
    "voices:account": ("get", PRODUCE),
    "voices:account_add": ("get", ADMIN),
    "voices:account_test": ("post", ADMIN),
    "voices:account_key": ("post", ADMIN),
    "voices:account_pause": ("post", ADMIN),
    "voices:account_resume": ("post", ADMIN),
    "voices:unknown_voices": ("get", PRODUCE),
    "voices:unknown_voice_adopt": ("get", PRODUCE),
    "voices:unknown_voice_delete": ("post", PRODUCE),
    "voices:remote_voice": ("get", EVERYBODY),
    "voices:remote_progress": ("get", EVERYBODY),
    "voices:remote_refresh": ("post", PRODUCE),
    "voices:remote_rename": ("post", PRODUCE),
    "voices:remote_visibility": ("post", PRODUCE),
    "voices:remote_delete": ("post", PRODUCE),
    "voices:remote_confirm_deletion": ("post", PRODUCE),
    "voices:previews": ("get", EVERYBODY),
    "voices:preview_request": ("post", PRODUCE),
    "voices:preview_audio": ("get", EVERYBODY),
}


def addresses() -> Iterator[tuple[str, URLPattern]]:
    """Every address of the house with its name; those of the administration are looked at on their own."""
    yield from _walk(get_resolver(), "")


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", entry
        elif entry.namespace != "admin":
            yield from _walk(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)


def opens_without_login(pattern: URLPattern) -> bool:
    return not getattr(pattern.callback, "login_required", True)


def address(name: str) -> str:
    """An address of that name, of something that is not there: permission is asked for before the thing is."""
    pattern = dict(addresses())[name]
    return reverse(name, kwargs={key: uuid.uuid4() for key in pattern.pattern.converters})


def test_every_address_is_in_one_table() -> None:
    names = {name for name, _pattern in addresses()}
    assert names == OPEN | SIGNED_IN | set(ACCESS), "put a new address into ACCESS (or, with good reason, into OPEN)"
    assert not OPEN & set(ACCESS)


def test_the_addresses_that_open_without_a_login_are_these_and_no_others() -> None:
    assert {name for name, pattern in addresses() if opens_without_login(pattern)} == OPEN


def test_the_administration_opens_nothing_without_a_login() -> None:
    resolvers = [entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver)]
    (admin,) = [entry for entry in resolvers if entry.namespace == "admin"]
    opened = [str(entry.pattern) for _name, entry in _walk(admin, "") if opens_without_login(entry)]
    # The admin's own sign-in view leads to the house's sign-in.
    assert set(opened) <= {"login/"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ACCESS))
def test_a_stranger_is_asked_to_sign_in(name: str, client: Client) -> None:
    method, _roles = ACCESS[name]
    response = getattr(client, method)(address(name))
    assert response.status_code == 302
    assert response.headers["Location"].startswith(str(settings.LOGIN_URL))


@pytest.fixture
def person_of(make_person: Callable[..., User]) -> Callable[[str], User]:
    """Somebody of a role who is not a superuser, so that the role alone decides."""
    return lambda role: make_person(f"some-{role}", "" if role == "outsider" else role)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["outsider", *sorted(EVERYBODY)])
def test_each_role_gets_to_its_addresses_and_to_no_others(
    role: str, client: Client, person_of: Callable[[str], User]
) -> None:
    client.force_login(person_of(role))
    let_in = {name for name in ACCESS if _status(client, name) != 403}
    assert let_in == {name for name, (_method, roles) in ACCESS.items() if role in roles}


def _status(client: Client, name: str) -> int:
    method, _roles = ACCESS[name]
    status: int = getattr(client, method)(address(name)).status_code
    assert status in {200, 403, 404}, name
    return status


@pytest.mark.django_db
def test_what_acts_does_not_act_on_get(client: Client, admin: User) -> None:
    client.force_login(admin)
    posts = [name for name, (method, _roles) in ACCESS.items() if method == "post"]
    answers = {name: client.get(address(name)).status_code for name in posts}
    only_show = {"voices:recording_edit", "voices:recording_delete", "consent:copy_link"}
    assert {name for name, status in answers.items() if status != 405} == only_show


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["outsider", "viewer", "engineer", "producer"])
def test_only_admins_get_into_the_administration(role: str, client: Client, person_of: Callable[[str], User]) -> None:
    client.force_login(person_of(role))
    assert client.get(reverse("admin:index")).status_code in {302, 403}


@pytest.mark.django_db
def test_the_roles_of_the_table_are_those_that_the_house_makes() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == EVERYBODY


@pytest.mark.django_db
def test_signing_out_is_for_everybody_who_is_in(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert client.post(reverse("logout")).headers["Location"] == str(settings.LOGIN_URL)
    assert "_auth_user_id" not in client.session
