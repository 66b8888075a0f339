"""Limits of imports hold also for requests at once, and say what to do."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.voices.rows import Studio, make_upload
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.upload_limits import IMPORT_BYTES, OPEN_IMPORTS_PER_PERSON, OPEN_IMPORTS_PER_VOICE, RECORDING_BYTES
from voices.models import Import, ImportFile, ImportStatus, Voice
from voices.services.imports import room, uploads
from voices.services.imports.clear import discard_import
from voices.services.imports.room import create_import
from voices.services.imports.uploads import UploadExpired, create_upload

AT_ONCE = 6


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice(talent=studio.make_talent())


def call_at_once(call: Callable[[int], object]) -> list[Any]:
    """What each of these calls returns or raises, in threads that begin together."""
    barrier, results = threading.Barrier(AT_ONCE), list[Any]()

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            results.append(call(number))
        except ActionRefused as refusal:
            results.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == AT_ONCE
    return results


def make_imports(voice: Voice, by: User, count: int) -> list[Import]:
    made = [create_import(voice, by) for _ in range(count)]
    for one in made:
        create_upload(one, "a.wav", 3)
    return made


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each request wait after its look at the totals until others have looked too, if no lock keeps them."""
    barrier, save = threading.Barrier(2), ImportFile.save

    def wait_and_save(self: ImportFile, *arguments: Any, **options: Any) -> None:
        try:
            barrier.wait(0.5)
        except threading.BrokenBarrierError:
            barrier.reset()
        save(self, *arguments, **options)

    monkeypatch.setattr(ImportFile, "save", wait_and_save)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("meeting")
def test_uploads_at_once_do_not_exceed_the_bytes_of_an_import(studio: Studio, voice: Voice) -> None:
    import_set = create_import(voice, studio.producer)
    Import.objects.update(file_bytes=IMPORT_BYTES - RECORDING_BYTES - 1)
    found = call_at_once(lambda number: create_upload(import_set, f"{number}.wav", RECORDING_BYTES))
    assert len([one for one in found if isinstance(one, ImportFile)]) == 1 == ImportFile.objects.count()
    import_set.refresh_from_db()
    assert (import_set.file_count, import_set.file_bytes) == (1, IMPORT_BYTES - 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_upload_at_once_is_counted_once(studio: Studio, voice: Voice) -> None:
    import_set = create_import(voice, studio.producer)
    found = call_at_once(lambda _number: create_upload(import_set, "a.wav", 9, key="same").pk)
    assert len(set(found)) == 1
    import_set.refresh_from_db()
    assert (import_set.file_count, import_set.file_bytes) == (1, 9)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_of_person", [False, True])
def test_imports_at_once_do_not_exceed_the_open_ones(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, is_of_person: bool
) -> None:
    monkeypatch.setattr(room, "OPEN_IMPORTS_PER_PERSON" if is_of_person else "OPEN_IMPORTS_PER_VOICE", 2)
    voices = [studio.make_voice(f"Voice {n}", talent=voice.talent) for n in range(AT_ONCE)] if is_of_person else []
    found = call_at_once(lambda number: create_import(voices[number] if voices else voice, studio.producer))
    assert len([one for one in found if isinstance(one, Import)]) == 2 == Import.objects.count()


@pytest.mark.django_db
@pytest.mark.one_database
def test_upload_asks_for_the_same_rows_in_an_import_of_many_files(studio: Studio, voice: Voice) -> None:
    """No file but the new one is read or counted."""
    import_set = create_import(voice, studio.producer)
    with CaptureQueriesContext(connection) as queries:
        create_upload(import_set, "a.wav", 3, key="a")
    texts = [query["sql"] for query in queries if "voices_importfile" in query["sql"]]
    assert not [text for text in texts if "SUM(" in text.upper() or "COUNT(" in text.upper()]
    assert len([text for text in texts if text.startswith("SELECT")]) == 1


@pytest.mark.django_db
@pytest.mark.one_database
def test_voice_has_a_limit_of_open_imports(studio: Studio, voice: Voice, producer_client: Client) -> None:
    made = make_imports(voice, studio.producer, OPEN_IMPORTS_PER_VOICE)
    url = reverse("voices:import_create", args=[voice.pk])
    refused = producer_client.post(url, headers={"accept": "application/json"})
    assert refused.status_code == 409
    problem = refused.json()["problem"]
    assert "has 10 imports that are not added yet. Add or discard one of them on the page of the voice" in problem
    page = producer_client.post(url, {"recordings": [make_upload()]}, follow=True).content.decode()
    assert problem in page and Import.objects.count() == OPEN_IMPORTS_PER_VOICE
    assert all(reverse("voices:import_detail", args=[one.pk]) in page for one in made), "the page lists all of them"
    discard_import(made[0])
    assert producer_client.post(url, headers={"accept": "application/json"}).status_code == 200


@pytest.mark.django_db
@pytest.mark.one_database
def test_person_has_a_limit_of_open_imports(studio: Studio, voice: Voice, engineer: User) -> None:
    for number in range(OPEN_IMPORTS_PER_PERSON // 5):
        make_imports(studio.make_voice(f"Voice {number}", talent=voice.talent), studio.producer, 5)
    with pytest.raises(
        ActionRefused, match="You have 20 imports .* such as those to Voice 0, Voice 1 and Voice 2. Add"
    ):
        create_import(voice, studio.producer)
    create_import(voice, engineer)
    Import.objects.filter(by=studio.producer).update(status=ImportStatus.ADDED)
    create_import(voice, studio.producer)


@pytest.mark.django_db
@pytest.mark.one_database
def test_old_empty_imports_make_room(studio: Studio, voice: Voice) -> None:
    """They are on no page, so no person could discard them."""
    made = [create_import(voice, studio.producer) for _ in range(OPEN_IMPORTS_PER_VOICE)]
    create_upload(made[0], "a.wav", 3)
    with pytest.raises(ActionRefused):
        create_import(voice, studio.producer)
    Import.objects.filter(pk__in=[one.pk for one in made[:3]]).update(created_at=timezone.now() - timedelta(days=2))
    create_import(voice, studio.producer)
    assert {one.pk for one in made} - set(Import.objects.values_list("pk", flat=True)) == {made[1].pk, made[2].pk}
    with pytest.raises(UploadExpired):
        uploads.create_upload(made[1], "a.wav", 3)


@pytest.mark.django_db
@pytest.mark.one_database
def test_totals_of_imports_before_the_upgrade_are_counted(studio: Studio, voice: Voice) -> None:
    filled, empty = create_import(voice, studio.producer), create_import(voice, studio.producer)
    for size in (3, 9):
        create_upload(filled, "a.wav", size)
    Import.objects.update(file_count=0, file_bytes=0)
    operations: Any = MigrationLoader(connection).disk_migrations["voices", "0037_import_totals"].operations
    operations[-1].code(apps, None)
    totals = dict(Import.objects.order_by().values_list("pk", "file_bytes"))
    assert totals == {filled.pk: 12, empty.pk: 0}
    assert Import.objects.get(pk=filled.pk).file_count == 2
