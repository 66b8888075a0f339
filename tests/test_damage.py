"""No page answers 500 for a row or file that was changed or lost: it shows what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test import Client
from django.urls import reverse

from consent.models import ConsentStatus, Contract, ContractDraft, Event, Invitation, Take, TakeCheck
from consent.services.audit_log import find_first_broken_event
from consent.services.invitations import create_private_link
from tests.consent.rows import get_guest_url
from tests.damaged_studio import (
    NOTE,
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
from tests.support.html import read_html
from tests.voices.rows import Studio, make_main_account
from voicehub.models import User
from voices.models import Build, ImportClip, OfflineProof, Preview, Recording, RemoteVoice, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def staff(admin: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    return client


@pytest.fixture(autouse=True)
def studio(producer: User, admin: User) -> Studio:
    studio = Studio(producer, make_main_account())
    make_damageable_studio(studio, admin)
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
    return [get_guest_url(name, get_consent()) for name in ("home", "record", "receipt")]


def test_damaged_values_break_no_page(staff: Client, studio: Studio) -> None:
    """All values are damaged at once, and each page is seen with one damage, in turn.

    tests/long damages the values of one model after the other, and opens all pages.
    """
    damaged = [model for model in ROW_MODELS if list_json_fields(model)]
    assert find_broken_pages(damaged, staff, open_link(studio), step=len(list_damages())) == {}


def find_broken_pages(
    damaged: Sequence[type[models.Model]], staff: Client, talent: Client, step: int = 1
) -> dict[str, list[str]]:
    """The pages that fail if the values of these models are damaged, by damage. `step` 6 opens a sixth of the pages."""
    pages, talent_pages, errors = find_pages(staff), list_talent_pages(), {}
    urls = sorted({url for model in damaged for url in list_pages_of(model, pages)})
    for number, (name, damage) in enumerate(list_damages().items()):
        with transaction.atomic():
            for model in damaged:
                damage_rows(model, damage)
            if failed := find_errors(staff, urls[number % step :: step]) + find_errors(talent, talent_pages):
                errors[name] = failed
            transaction.set_rollback(True)
    return errors


def test_lost_rows_break_no_page(staff: Client, studio: Studio) -> None:
    """The rows of one model after the other are lost, each time on a sixth of the pages that read them, in turn.

    tests/long opens all pages.
    """
    assert find_pages_without_rows(staff, open_link(studio), step=6) == {}


def find_pages_without_rows(staff: Client, talent: Client, step: int = 1) -> dict[str, list[str]]:
    """The pages that fail if all rows of a model are lost, by model. `step` 6 opens a sixth of the pages."""
    pages, errors = find_pages(staff), {}
    home = get_guest_url("home", get_consent())
    assert fetch(talent, home).status_code == 200
    for number, model in enumerate(ROW_MODELS):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - a fixed name
            urls = sorted(list_pages_of(model, pages))
            if failed := find_errors(staff, urls[number % step :: step]) + find_errors(talent, [home]):
                errors[model.__name__] = failed
            transaction.set_rollback(True)
    return errors


def list_pages_of(model: type[models.Model], pages: dict[str, set[str]]) -> list[str]:
    """The pages that read rows of this model."""
    return [url for url, tables in pages.items() if model._meta.db_table in tables]


def test_damaged_files_break_no_page(staff: Client) -> None:
    """Each damage is seen at all URLs that send a file, and on a sixth of the pages, in turn.

    tests/long opens all pages.
    """
    assert find_pages_without_files(staff, step=6) == {}


def find_pages_without_files(staff: Client, step: int = 1) -> dict[str, list[str]]:
    """The pages that fail if all files are damaged, by kind of damage. `step` 6 opens a sixth of the pages."""
    pages, files = sorted(find_pages(staff)), list_stored_files()
    assert len(files) >= 5 and all(files.values())
    contents = {path: path.read_bytes() for paths in files.values() for path in paths}
    sent = [url for of_kind in list_file_urls().values() for url in of_kind]
    errors = {}
    for number, kind in enumerate(("lost", "empty", "half")):
        for path, data in contents.items():
            damage_file(path, kind, data)
        if failed := find_errors(staff, [*sent, *pages[number % step :: step]]):
            errors[kind] = failed
    return errors


def damage_file(path: Path, kind: str, data: bytes) -> None:
    """`data` is what the file had before."""
    path.unlink(missing_ok=True)
    if kind != "lost":
        path.write_bytes(data[: len(data) // 2] if kind == "half" else b"")


# Files that pages do not send: what the tasks of an import read, and those that stand beside a file that is sent.
NOT_SENT = {
    "voices.Recording.wav",
    "voices.ImportClip.file",
    "voices.ImportFile.file",
    "voices.ImportPart.content",
    "voices.ImportText.content",
}


def list_file_urls() -> dict[str, list[str]]:
    """The URLs that send each kind of stored file."""
    names = {
        "consent.ContractDraft.file": (ContractDraft, "consent:contract_draft"),
        "consent.Contract.file": (Contract, "consent:contract_file"),
        "consent.Take.file": (Take, "consent:take_original"),
        "consent.Take.wav": (Take, "consent:take_audio"),
        "voices.Recording.file": (Recording, "voices:recording_audio"),
        "voices.OfflineProof.file": (OfflineProof, "voices:offline_proof_file"),
        "voices.Preview.file": (Preview, "voices:preview_audio"),
        "voices.ImportClip.wav": (ImportClip, "voices:import_clip_audio"),
    }
    return {
        kind: [reverse(name, args=[row.pk]) for row in model._default_manager.all()]
        for kind, (model, name) in names.items()
    }


def test_lost_file_is_explained_as_page_and_as_json(staff: Client) -> None:
    urls = list_file_urls()
    assert set(urls) | NOT_SENT == set(list_stored_files()), "add the URL of a new kind of file"
    for path in (path for paths in list_stored_files().values() for path in paths):
        path.unlink()
    text = "The file is missing. Ask an admin to restore it from the backup."
    for url in (url for of_kind in urls.values() for url in of_kind):
        page, answer = fetch(staff, url), fetch(staff, url, accept="application/json")
        assert (page.status_code, answer.status_code) == (404, 404), url
        assert text in read_html(page) and answer.json() == {"problem": text}


def test_pages_name_what_was_damaged(staff: Client) -> None:
    for model in (Contract, Take, TakeCheck, Recording, Build, RemoteVoice, Voice):
        damage_rows(model, lambda _value: 7)
    rows: list[Any] = [get_consent(), *Contract.objects.all(), *RemoteVoice.objects.all(), *Voice.objects.all()]
    for row in (*rows, *Build.objects.all()):
        assert NOTE in read_html(fetch(staff, row.get_absolute_url())), row
    assert NOTE in read_html(fetch(staff, reverse("voices:recording_edit", args=[Recording.objects.all()[0].pk])))


def test_damaged_entry_is_shown_as_damaged_audit_log(staff: Client) -> None:
    damage_rows(Event, lambda _value: "x")
    consent = get_consent()
    assert find_first_broken_event(consent) == 1
    assert "Audit log check failed." in read_html(fetch(staff, consent.get_absolute_url()))
