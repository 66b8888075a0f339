"""Access to every URL of the Django admin. Every URL of every installed app must be listed here."""

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

# URLs of the admin site itself, for all users who may enter it. `login` redirects to the dashboard sign-in.
SITE_URLS = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "app_list",
    "voicehub_user_link",
}  # fmt: skip
# Pages of one model beside those of its rows. They need the permission to add a row.
MODEL_PAGES = {"consent_statement_import", "consent_languagerelease_texts"}
MODEL_ACTIONS = {"changelist", "add", "history", "delete", "change"}
# URLs without a name: the old address of an object, and the catch-all pattern of the admin.
UNNAMED_PATTERNS = {"<path:object_id>/", "(?P<url>.*)$"}
# Values for URL arguments. No object has these ids.
ARGUMENT_VALUES = {"queue_index": "0", "content_type_id": "1"}
METHODS = ("get", "post")


def list_admin_urls(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The name and the full pattern of each admin URL."""
    if resolver is None:
        entries = [entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver)]
        (resolver,) = [entry for entry in entries if entry.namespace == "admin"]
    for entry in resolver.url_patterns:
        pattern = str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield entry.name or pattern, prefix + pattern
        else:
            yield from list_admin_urls(entry, prefix + pattern)


def build_path(pattern: str) -> str:
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: ARGUMENT_VALUES.get(match[1], "1"), pattern.replace("(?P", "("))
    path = re.sub(r"\([^()]*\)\??", "x", path)
    return reverse("admin:index") + path.replace("/?", "/").strip("^$").replace("^", "").replace("//", "/")


def is_queue_url(name: str, pattern: str) -> bool:
    return pattern.startswith("django_rq/")


def list_model_urls() -> set[str]:
    labels = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    return {f"{label}_{action}" for label in labels for action in MODEL_ACTIONS}


def test_every_admin_url_is_listed() -> None:
    unknown = {
        name
        for name, pattern in list_admin_urls()
        if not is_queue_url(name, pattern)
        and name not in SITE_URLS | UNNAMED_PATTERNS | MODEL_PAGES | list_model_urls()
    }
    assert unknown == set(), "add a new URL to a table above, with the users who may open it"


def test_view_on_site_shortcut_does_not_exist(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert "view_on_site" not in {name for name, _pattern in list_admin_urls()}
    assert client.get(f"{reverse('admin:index')}r/1/1/").status_code == 404


def test_change_page_links_to_the_object_page(client: Client, admin: User) -> None:
    from consent.models import Talent

    client.force_login(admin)
    talent = Talent.objects.create(name="Tilda Strand", email="tilda@people.test", created_by=admin)
    page = client.get(reverse("admin:consent_talent_change", args=[talent.pk])).content.decode()
    assert f'href="{talent.get_absolute_url()}"' in page


def request_all_urls(client: Client, is_selected: Callable[[str, str], bool]) -> dict[tuple[str, str], int]:
    """Request each selected URL with each method. Return the statuses by URL name and method."""
    statuses: dict[tuple[str, str], int] = {}
    for name, pattern in list_admin_urls():
        if is_selected(name, pattern):
            statuses |= {(name, method): getattr(client, method)(build_path(pattern)).status_code for method in METHODS}
    return statuses


@pytest.mark.parametrize("method", METHODS)
def test_anonymous_user_is_redirected_to_sign_in(client: Client, method: str) -> None:
    for name, pattern in list_admin_urls():
        response = getattr(client, method)(build_path(pattern))
        if name not in {"login", "logout"}:
            assert response.status_code == 302, (name, pattern)
            assert str(settings.LOGIN_URL) in response.headers["Location"] or "login" in response.headers["Location"]


@pytest.mark.parametrize("role", ["", "viewer", "producer"])
def test_staff_without_the_queue_permission_see_no_queues(
    client: Client, make_person: Callable[..., User], role: str
) -> None:
    client.force_login(make_person("some-staff", role, is_staff=True))
    assert set(request_all_urls(client, is_queue_url).values()) == {403}
    assert "django_rq" not in client.get(reverse("admin:index")).content.decode()


def test_staff_with_admin_role_and_superusers_manage_queues(client: Client, make_person: Callable[..., User]) -> None:
    staff_admin = make_person("adam", "admin", is_staff=True)
    for person in (staff_admin, make_person("root", is_superuser=True, is_staff=True)):
        client.force_login(person)
        statuses = request_all_urls(client, is_queue_url)
        assert {name for (name, _method), status in statuses.items() if status == 403} == set()
        assert statuses["django_rq_home", "get"] == statuses["django_rq_clear", "get"] == 200
        assert {name for (name, _method), status in statuses.items() if status >= 500} == set()


def test_staff_without_permissions_see_and_change_no_rows(client: Client, make_person: Callable[..., User]) -> None:
    client.force_login(make_person("some-staff", is_staff=True))
    statuses = request_all_urls(client, lambda name, _pattern: name in list_model_urls() | MODEL_PAGES)
    assert set(statuses.values()) <= {302, 403}
    assert {
        status for (name, _method), status in statuses.items() if name.endswith(("_changelist", "_add", "_import"))
    } == {403}
