"""The page of a voice offers to continue an upload that was interrupted."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.rows import Studio
from tests.voices.uploads import create_upload, encode_metadata
from voicehub.models import User
from voices.models import Import, ImportFile, ImportStatus, Voice
from voices.models.imports import IMPORT_LIFETIME
from voices.services.imports.room import create_import
from voices.unfinished_imports import find_unfinished_import

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def make_import(voice: Voice, user: User, statuses: str, planned: int = 0) -> Import:
    import_set = create_import(voice, user)
    Import.objects.filter(pk=import_set.pk).update(planned_files=planned)
    names = {"u": "uploading", "d": "uploaded", "c": "checked"}
    for number, status in enumerate(statuses):
        ImportFile.objects.create(import_set=import_set, name=f"{number}.wav", size=9, status=names[status])
    return import_set


@pytest.mark.parametrize(
    ("statuses", "planned", "text"),
    [
        ("dcu", 0, "2 of 3 files uploaded."),
        ("dcdc", 500, "4 of 500 files uploaded."),
        ("u", 1, "0 of 1 file uploaded."),
        ("", 1200, "0 of 1200 files uploaded."),
        ("dc", 2, ""),
        ("dc", 0, ""),
        ("", 0, ""),
    ],
)
def test_import_is_unfinished_while_files_are_missing(
    voice: Voice, producer: User, statuses: str, planned: int, text: str
) -> None:
    make_import(voice, producer, statuses, planned)
    found = find_unfinished_import(voice, producer)
    assert (found.text if found else "") == text


def test_only_an_own_open_import_of_the_voice_is_offered(
    studio: Studio, voice: Voice, producer: User, engineer: User
) -> None:
    make_import(voice, engineer, "du")
    make_import(studio.make_voice(), producer, "du")
    over = make_import(voice, producer, "du")
    Import.objects.filter(pk=over.pk).update(status=ImportStatus.ADDED)
    old = make_import(voice, producer, "du")
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - IMPORT_LIFETIME - timedelta(minutes=1))
    assert find_unfinished_import(voice, producer) is None
    make_import(voice, producer, "du")
    newest = make_import(voice, producer, "du")
    found = find_unfinished_import(voice, producer)
    assert found and found.import_set == newest


def test_page_names_the_import_and_its_script_knows_where_to_continue(
    producer_client: Client, viewer_client: Client, voice: Voice, producer: User
) -> None:
    import_set = make_import(voice, producer, "du", 500)
    page = read_html(producer_client.get(voice.get_absolute_url()))
    assert "1 of 500 files uploaded." in page
    assert f'data-uploads="{reverse("voices:import_uploads", args=[import_set.pk])}"' in page
    assert f'data-url="{reverse("voices:import_detail", args=[import_set.pk])}"' in page
    assert "files uploaded" not in read_html(viewer_client.get(voice.get_absolute_url()))


def test_list_of_files_says_what_has_arrived(producer_client: Client, voice: Voice, producer: User) -> None:
    import_set = create_import(voice, producer)
    metadata = [{"filename": f"{name}.wav", "lastModified": "5"} for name in "ab"]
    create_upload(producer_client, import_set, 3, b"abc", metadata=metadata[0], headers={"Import-Files": "7"})
    create_upload(producer_client, import_set, 9, b"abcd", metadata=metadata[1])
    url = reverse("voices:import_uploads", args=[import_set.pk])
    answer = producer_client.get(url).json()
    assert answer["planned"] == 7
    assert sorted(answer["files"], key=lambda file: int(file["size"])) == [
        {"size": 3, "metadata": encode_metadata(**metadata[0]), "received": 3},
        {"size": 9, "metadata": encode_metadata(**metadata[1]), "received": 4},
    ]
    Import.objects.update(status=ImportStatus.DISCARDED)
    assert producer_client.get(url).status_code == 410


def test_creation_asks_the_database_as_often_with_many_files(
    producer_client: Client, voice: Voice, producer: User
) -> None:
    def count_queries(import_set: Import) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert create_upload(producer_client, import_set, 3, b"abc").status_code == 201
        return len(queries)

    few, many = create_import(voice, producer), make_import(voice, producer, "d" * 60)
    for import_set in (few, many):
        create_upload(producer_client, import_set, 3, b"abc")
    assert count_queries(few) == count_queries(many)
