"""Who may open which address of the administration: every one, of every installed app, is in a table here."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from voicehub.models import User

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

# The site's own, for everybody who may get into the administration; `login` leads to the dashboard's sign-in.
SITE = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "app_list",
    "auth_user_password_change",
}  # fmt: skip
OF_A_MODEL = {"changelist", "add", "history", "delete", "change"}
# Addresses without a name: an object's old address, and whatever else there is under the administration.
UNNAMED = {"<path:object_id>/", "(?P<url>.*)$"}
# What an address may ask for, of something that is not there.
GIVEN = {"queue_index": "0", "content_type_id": "1"}
HOW = ("get", "post")


def patterns(resolver: Any = None, before: str = "") -> Iterator[tuple[str, str]]:
    """Each address of the administration: its name and its pattern, joined from the root on."""
    if resolver is None:
        entries = [entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver)]
        (resolver,) = [entry for entry in entries if entry.namespace == "admin"]
    for entry in resolver.url_patterns:
        pattern = str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield entry.name or pattern, before + pattern
        else:
            yield from patterns(entry, before + pattern)


def path_of(pattern: str) -> str:
    """A path that the pattern matches."""
    filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: GIVEN.get(found[1], "1"), pattern.replace("(?P", "("))
    filled = re.sub(r"\([^()]*\)\??", "x", filled)
    return reverse("admin:index") + filled.replace("/?", "/").strip("^$").replace("^", "").replace("//", "/")


def of_queues(name: str, pattern: str) -> bool:
    return pattern.startswith("django_rq/")


def of_models() -> set[str]:
    """The names that each registered model brings."""
    labels = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    return {f"{label}_{act}" for label in labels for act in OF_A_MODEL}


def test_every_address_is_in_a_table() -> None:
    unknown = {
        name
        for name, pattern in patterns()
        if not of_queues(name, pattern) and name not in SITE | UNNAMED | of_models()
    }
    assert unknown == set(), "put a new address into a table above, with the people that it is for"


def test_there_is_no_shortcut_to_any_row(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert "view_on_site" not in {name for name, _pattern in patterns()}
    assert client.get(f"{reverse('admin:index')}r/1/1/").status_code == 404


def test_a_row_still_leads_to_its_page(client: Client, admin: User) -> None:
    from consent.models import Talent

    client.force_login(admin)
    talent = Talent.objects.create(name="Tilda Strand", email="tilda@people.test", created_by=admin)
    page = client.get(reverse("admin:consent_talent_change", args=[talent.pk])).content.decode()
    assert f'href="{talent.get_absolute_url()}"' in page


def answers(client: Client, only: Callable[[str, str], bool]) -> dict[tuple[str, str], int]:
    """What each address says, asked in every way, by its name."""
    found: dict[tuple[str, str], int] = {}
    for name, pattern in patterns():
        if only(name, pattern):
            found |= {(name, how): getattr(client, how)(path_of(pattern)).status_code for how in HOW}
    return found


@pytest.mark.parametrize("how", HOW)
def test_a_stranger_is_asked_to_sign_in(client: Client, how: str) -> None:
    for name, pattern in patterns():
        response = getattr(client, how)(path_of(pattern))
        if name not in {"login", "logout"}:
            assert response.status_code == 302, (name, pattern)
            assert str(settings.LOGIN_URL) in response.headers["Location"] or "login" in response.headers["Location"]


@pytest.mark.parametrize("role", ["", "viewer", "engineer", "producer"])
def test_people_who_are_not_staff_get_nowhere(client: Client, make_person: Callable[..., User], role: str) -> None:
    client.force_login(make_person("some-person", role))
    inside = answers(client, lambda name, _pattern: name not in {"login", "logout"})
    assert set(inside.values()) <= {302, 403, 404}


@pytest.mark.parametrize("role", ["", "viewer", "producer"])
def test_queues_need_a_permission_of_their_own(client: Client, make_person: Callable[..., User], role: str) -> None:
    client.force_login(make_person("some-staff", role, is_staff=True))
    assert set(answers(client, of_queues).values()) == {403}
    assert "django_rq" not in client.get(reverse("admin:index")).content.decode()


def test_the_admin_role_and_superusers_manage_queues(client: Client, make_person: Callable[..., User]) -> None:
    role = make_person("adam", "admin", is_staff=True)
    for person in (role, make_person("root", is_superuser=True, is_staff=True)):
        client.force_login(person)
        found = answers(client, of_queues)
        assert {name for (name, _how), status in found.items() if status == 403} == set()
        assert found["django_rq_home", "get"] == found["django_rq_clear", "get"] == 200
        assert {name for (name, _how), status in found.items() if status >= 500} == set()


def test_staff_without_rights_see_and_change_no_rows(client: Client, make_person: Callable[..., User]) -> None:
    client.force_login(make_person("some-staff", is_staff=True))
    found = answers(client, lambda name, _pattern: name in of_models())
    assert set(found.values()) <= {302, 403}
    assert {status for (name, _how), status in found.items() if name.endswith(("_changelist", "_add"))} == {403}
