"""No page answers 500 for a row or file that was changed or lost: it shows what is missing."""

from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from consent.models import ConsentStatus, Invitation
from consent.services.invitations import create_private_link
from tests.damaged_studio import (
    ROW_MODELS,
    damage_rows,
    fetch,
    find_errors,
    find_pages,
    get_consent,
    list_damages,
    list_json_fields,
    list_stored_files,
    make_damageable_studio,
)
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NOTE = "Some data was changed or lost and is not shown"


@pytest.fixture
def staff(admin: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    return client


@pytest.fixture(autouse=True)
def studio(producer: User) -> Studio:
    account = Account(name="Main", provider="resemble_v2", mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    studio = Studio(producer, account)
    make_damageable_studio(studio)
    return studio


def open_link(studio: Studio) -> Client:
    """A talent's browser that opened a private link with an approved and a requested consent."""
    approved = get_consent()
    token = create_private_link([studio.make_consent(approved.talent, ConsentStatus.REQUESTED)], studio.producer)
    Invitation.objects.get().consents.add(approved)
    client = Client(raise_request_exception=False)
    assert client.get(token[token.index("/i/") :]).status_code == 302
    return client


def list_talent_pages() -> list[str]:
    pk = get_consent().pk
    return [reverse("invitation:home"), *(reverse(f"invitation:{name}", args=[pk]) for name in ("record", "receipt"))]


def test_every_page_opens_before_the_damage(staff: Client, studio: Studio) -> None:
    pages = find_pages(staff)
    assert len(pages) > 60
    assert all(
        NOTE not in fetch(staff, url).content.decode()
        for url in pages
        if "/admin/" not in url and not fetch(staff, url).streaming
    )
    assert fetch(open_link(studio), reverse("invitation:home")).status_code == 200


@pytest.mark.parametrize("model", [model for model in ROW_MODELS if list_json_fields(model)], ids=lambda m: m.__name__)
def test_damaged_values_break_no_page(staff: Client, studio: Studio, model: type) -> None:
    pages, talent = find_pages(staff), open_link(studio)
    urls = [url for url, tables in pages.items() if model._meta.db_table in tables]
    errors = {}
    for name, damage in list_damages().items():
        with transaction.atomic():
            damage_rows(model, damage)
            if failed := find_errors(staff, urls) + find_errors(talent, list_talent_pages()):
                errors[name] = failed
            transaction.set_rollback(True)
    assert errors == {}


@pytest.mark.parametrize("model", ROW_MODELS, ids=lambda model: model.__name__)
def test_lost_rows_break_no_page(staff: Client, studio: Studio, model: type) -> None:
    pages, talent = find_pages(staff), open_link(studio)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - a fixed name
        errors = find_errors(staff, list(pages)) + find_errors(talent, ["/invitation/"])
        transaction.set_rollback(True)
    assert errors == []


@pytest.mark.parametrize("kind", ["lost", "empty", "half"])
def test_damaged_files_break_no_page(staff: Client, kind: str) -> None:
    pages = find_pages(staff)
    files = list_stored_files()
    assert len(files) >= 5 and all(files.values())
    for path in (path for paths in files.values() for path in paths):
        damage_file(path, kind)
    assert find_errors(staff, list(pages)) == []


def damage_file(path: Path, kind: str) -> None:
    data = path.read_bytes()
    path.unlink()
    if kind != "lost":
        path.write_bytes(data[: len(data) // 2] if kind == "half" else b"")
