"""Every URL of the Django admin, with every method, by every identity, with the ids of existing rows."""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.access_matrix import METHODS, Requests
from tests.test_admin_urls import build_path, list_admin_urls
from tests.voices.admin_rows import make_rows
from tests.voices.rows import PROVIDER, Studio
from voicehub.models import User
from voices.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ENTRANCE = {"login", "logout"}
# What a member of staff without a role may open: the first page, and what it needs.
STAFF_PAGES = {"index", "password_change", "password_change_done", "jsi18n"}
# Of these, an admin who is no superuser reads every row.
ROW_PAGES = ("_changelist", "_change", "_history")


@pytest.fixture(autouse=True)
def studio(producer: User) -> Studio:
    account = Account(name="Main", provider=PROVIDER, mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    studio = Studio(producer, account)
    make_rows(studio, range(1))
    return studio


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


def list_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], dict[str, int]]:
    requests = Requests(client, monkeypatch)
    return {key: {method: requests.send(method, url) for method in METHODS} for key, url in list_urls().items()}


@pytest.mark.parametrize("who", ["anonymous", "", "viewer", "engineer", "producer"])
def test_only_staff_enters_the_admin(
    who: str, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an anonymous visitor, as a talent is, nor a role without the mark of staff."""
    if who != "anonymous":
        client.force_login(make_person("someone", who))
    for (name, pattern), statuses in list_answers(client, monkeypatch).items():
        if name not in ENTRANCE:
            assert set(statuses.values()) <= {302, 403, 404, 405}, (name, pattern, statuses)


@pytest.mark.parametrize("role", ["", "viewer"])
def test_staff_without_permissions_opens_no_rows(
    role: str, make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even with a role that may look at talents and voices: the admin shows rows with real names and fees."""
    client.force_login(make_person("someone", role, is_staff=True))
    for (name, pattern), statuses in list_answers(client, monkeypatch).items():
        if name == "autocomplete":
            assert statuses.pop("OPTIONS") == 200  # says which methods there are
        if name not in ENTRANCE | STAFF_PAGES:
            assert set(statuses.values()) <= {302, 403, 404, 405}, (name, pattern, statuses)


def test_admins_read_every_row_and_no_page_fails(
    make_person: Callable[..., User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_person("someone", "admin", is_staff=True))
    for (name, pattern), statuses in list_answers(client, monkeypatch).items():
        assert max(statuses.values()) < 500, (name, pattern, statuses)
        has_row = pattern.startswith(("consent/", "voices/")) or name.endswith("_changelist")
        if has_row and name.endswith(ROW_PAGES):
            assert statuses["GET"] == 200, (name, pattern, statuses)


def test_admins_without_superuser_change_no_superuser(
    make_person: Callable[..., User], client: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_person("someone", "admin", is_staff=True))
    requests = Requests(client, monkeypatch)
    pages = {
        name: reverse(f"admin:{name}", args=[admin.pk]) for name in ("voicehub_user_change", "voicehub_user_delete")
    }
    pages["auth_user_password_change"] = reverse("admin:auth_user_password_change", args=[admin.pk])
    statuses = {name: {method: requests.send(method, url) for method in METHODS} for name, url in pages.items()}
    assert statuses["voicehub_user_change"].pop("POST") == 403
    assert set(statuses.pop("voicehub_user_change").values()) == {200}  # to read
    for name, one in statuses.items():
        assert set(one.values()) == {403}, (name, one)
