"""Every URL of the Django admin, read and as a form, by every identity, with the ids of existing rows.

`tests/long/test_all_methods.py` tries the other methods.
"""

from collections.abc import Callable, Iterable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.access_matrix import METHODS, ROLES, USUAL_METHODS, Requests
from tests.test_admin_urls import build_path, list_admin_urls
from tests.voices.admin_rows import make_rows
from tests.voices.rows import Studio, make_main_account
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ENTRANCE = {"login", "logout"}
# What a member of staff without a role may open: the first page, and what it needs.
SITE_PAGES = ENTRANCE | {"index", "password_change", "password_change_done", "jsi18n"}
# Of these, an admin who is no superuser reads every row.
ROW_PAGES = ("_changelist", "_change", "_history")


def make_admin_studio(producer: User) -> None:
    make_rows(Studio(producer, make_main_account()), range(1))


@pytest.fixture(autouse=True)
def studio(producer: User) -> None:
    make_admin_studio(producer)


def list_urls() -> dict[tuple[str, str], str]:
    """By name and pattern, the address with the id of an existing row."""
    keys = {}
    for model in admin.site._registry:
        row = model._default_manager.order_by("pk").first() if model._meta.managed else None
        keys[f"{model._meta.app_label}_{model._meta.model_name}"] = row.pk if row else "1"
    urls = {}
    for name, pattern in list_admin_urls():
        label = name.rpartition("_")[0]
        key = keys.get(label)
        urls[name, pattern] = build_path(pattern.replace("<path:object_id>", str(key)) if key else pattern)
    return urls


def list_admin_answers(
    client: Client, monkeypatch: pytest.MonkeyPatch, methods: Iterable[str] = USUAL_METHODS
) -> dict[tuple[str, str], dict[str, int]]:
    requests = Requests(client, monkeypatch)
    return {key: {method: requests.send(method, url) for method in methods} for key, url in list_urls().items()}


def is_row_page(name: str, pattern: str) -> bool:
    """Whether an admin reads rows there. Of the apps of Django and others, only the lists have some."""
    has_row = pattern.startswith(("consent/", "voices/")) or name.endswith("_changelist")
    return has_row and name.endswith(ROW_PAGES)


def test_only_staff_enters_the_admin(make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an anonymous visitor, as a talent is, nor a role without the mark of staff."""
    for who in ("anonymous", *ROLES):
        client = Client()
        if who != "anonymous":
            client.force_login(make_person(f"someone-{who}", who))
        for (name, pattern), statuses in list_admin_answers(client, monkeypatch).items():
            if name not in ENTRANCE:
                expected = {302} if who == "anonymous" else {302, 403, 404, 405}
                assert set(statuses.values()) <= expected, (who, name, pattern, statuses)


@pytest.mark.parametrize("role", ["", "viewer"])
def test_staff_without_permissions_opens_no_rows(
    role: str, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even with a role that may look at talents and voices: the admin shows rows with real names and fees."""
    client.force_login(make_person("someone", role, is_staff=True))
    for (name, pattern), statuses in list_admin_answers(client, monkeypatch).items():
        if name not in SITE_PAGES:
            assert set(statuses.values()) <= {302, 403, 404, 405}, (name, pattern, statuses)


def test_admins_read_every_row_and_no_page_fails(
    make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_person("someone", "admin", is_staff=True))
    for (name, pattern), statuses in list_admin_answers(client, monkeypatch).items():
        assert max(statuses.values()) < 500, (name, pattern, statuses)
        if is_row_page(name, pattern):
            assert statuses["GET"] == 200, (name, pattern, statuses)


def test_admins_without_superuser_change_no_superuser(
    make_person: Callable[..., User], client: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_person("someone", "admin", is_staff=True))
    requests = Requests(client, monkeypatch)
    pages = {
        name: reverse(f"admin:{name}", args=[admin.pk]) for name in ("voicehub_user_change", "voicehub_user_delete")
    }
    pages["voicehub_user_link"] = reverse("admin:voicehub_user_link", args=[admin.pk])
    statuses = {name: {method: requests.send(method, url) for method in METHODS} for name, url in pages.items()}
    assert statuses["voicehub_user_change"].pop("POST") == 403
    assert set(statuses.pop("voicehub_user_change").values()) == {200}  # to read
    assert statuses["voicehub_user_link"].pop("POST") == 403
    assert set(statuses.pop("voicehub_user_link").values()) == {405}
    for name, one in statuses.items():
        assert set(one.values()) == {403}, (name, one)
