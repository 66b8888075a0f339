"""Uploads to an S3 bucket, which cannot append: parts are objects, and the last web server need not be the first."""

import hashlib
import io
import random
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import Storage
from django.test import Client
from django.utils import timezone

from tests.support.task_runner import run_due_tasks
from tests.voicehub.test_storage_s3 import bucket_url, s3  # noqa: F401 - fixtures
from tests.voices.rows import Studio
from tests.voices.services.imports.test_uploads import load
from tests.voices.uploads import create_upload, read_stored, send_part
from voicehub import outbox
from voices.models import Import, ImportFile, ImportPart
from voices.models.imports import IMPORT_LIFETIME
from voices.services.imports import clips, expiry, spare_files, uploads
from voices.services.imports.clear import CLEAR_TASK, EXPIRE_TASK
from voices.services.imports.room import create_import
from voices.services.imports.uploads import JOIN_TASK

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def import_set(s3: Storage, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Import:  # noqa: F811 - a fixture
    for module in (expiry, clips, spare_files):
        monkeypatch.setattr(module, "private", lambda: s3)
    return create_import(studio.make_voice(talent=studio.make_talent()), studio.producer)


def list_objects(storage: Any, import_set: Import) -> list[str]:
    return [one.key for one in storage.bucket.objects.filter(Prefix=f"imports/{import_set.pk}/")]


def test_file_in_parts_is_joined_in_the_bucket(producer_client: Client, import_set: Import, s3: Any) -> None:  # noqa: F811
    content = random.Random(1).randbytes(12_000_000)  # noqa: S311 - reproducible; larger than a part of S3's own
    create_upload(producer_client, import_set, len(content), content[:1000])
    file = ImportFile.objects.get()
    for offset, end in ((1000, 6_000_000), (6_000_000, 12_000_000)):
        assert send_part(producer_client, file, offset, content[offset:end]).status_code == 204
    assert len(list_objects(s3, import_set)) == 2, "the short part was joined with the next one"
    run_due_tasks(JOIN_TASK)
    assert read_stored(file) == content and file.sha256 == hashlib.sha256(content).hexdigest()
    assert list_objects(s3, import_set) == [file.file.name]


def test_file_in_one_part_is_not_copied(producer_client: Client, import_set: Import, s3: Any) -> None:  # noqa: F811
    create_upload(producer_client, import_set, 5, b"abcde")
    file = ImportFile.objects.get()
    assert read_stored(file) == b"abcde" and list_objects(s3, import_set) == [file.file.name]
    create_upload(producer_client, import_set, 0)
    assert len(list_objects(s3, import_set)) == 2


def test_file_with_a_lost_object_is_uploaded_again(
    producer_client: Client,
    import_set: Import,
    s3: Any,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "IMPORT_PART_BYTES", 3)
    create_upload(producer_client, import_set, 6, b"abc")
    file = ImportFile.objects.get()
    send_part(producer_client, file, 3, b"def")
    s3.delete(str(ImportPart.objects.get(start=3).content.name))
    run_due_tasks(JOIN_TASK)
    assert (load(file).received, load(file).status) == (0, "uploading") and list_objects(s3, import_set) == []
    send_part(producer_client, file, 0, b"abcdef")
    assert read_stored(file) == b"abcdef"


def test_objects_of_an_expired_import_are_deleted(producer_client: Client, import_set: Import, s3: Any) -> None:  # noqa: F811
    create_upload(producer_client, import_set, 5, b"abcde")
    create_upload(producer_client, import_set, 6, b"abc")
    s3.save(f"imports/{import_set.pk}/stray", io.BytesIO(b"of a killed process"))
    assert len(list_objects(s3, import_set)) == 3
    Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME - timedelta(minutes=1))
    outbox.enqueue_task(EXPIRE_TASK, "all")
    run_due_tasks(EXPIRE_TASK, CLEAR_TASK)
    assert list_objects(s3, import_set) == []
