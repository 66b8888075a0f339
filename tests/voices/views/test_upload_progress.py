"""The progress of an archive upload: counted while the request runs, for the person who uploads only."""

import io
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.voices.rows import Studio, make_clip
from voicehub.models import User
from voices.models import UploadProgress, WorkKind, WorkSample
from voices.services.recordings import archive_upload, upload_progress
from voices.services.work_samples import record_work

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def make_archive(count: int) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(f"line-{number:02}.wav", make_clip(number))
    return SimpleUploadedFile("lines.zip", buffer.getvalue())


def read_progress(client: Client, pk: object) -> dict[str, Any]:
    data: dict[str, Any] = client.get(reverse("voices:upload_progress", args=[pk])).json()
    return data


def test_page_reads_the_counts_while_the_archive_is_added(
    producer_client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_progress, "WRITE_INTERVAL", 0.0)
    pk, answers = uuid4(), []
    add_member = archive_upload._add_member

    def add_and_poll(*arguments: Any) -> None:
        answers.append(read_progress(producer_client, pk))
        add_member(*arguments)

    monkeypatch.setattr(archive_upload, "_add_member", add_and_poll)
    path = reverse("voices:recording_upload", args=[studio.make_voice().pk])
    response = producer_client.post(
        path, {"recordings": make_archive(3), "progress": pk}, headers={"Accept": "application/json"}
    )
    assert response.json()["files"][0]["counts"]["accepted"] == 3
    assert [answer["text"] for answer in answers] == ["0 of 3 checked", "1 of 3 checked", "2 of 3 checked"]
    shares = [answer["percent"] for answer in answers]
    assert shares == sorted(shares) and shares[-1] < 100
    assert read_progress(producer_client, pk) == {}, "the row ends with the request"


def test_archive_teaches_the_time_of_its_files(producer_client: Client, studio: Studio) -> None:
    path = reverse("voices:recording_upload", args=[studio.make_voice().pk])
    producer_client.post(path, {"recordings": make_archive(2)})
    assert dict(WorkSample.objects.values_list("kind", "units")) == {WorkKind.READING: 2, WorkKind.ADDING: 2}
    assert not UploadProgress.objects.exists(), "a page without scripts has no progress"


def test_failed_upload_leaves_no_progress(studio: Studio) -> None:
    pk = uuid4()
    with pytest.raises(RuntimeError), upload_progress.track_upload(pk, studio.producer):
        assert UploadProgress.objects.filter(pk=pk).exists()
        raise RuntimeError
    assert not UploadProgress.objects.exists()


def test_progress_is_for_the_person_who_uploads(
    producer_client: Client, studio: Studio, make_person: Callable[..., User]
) -> None:
    other = make_person("other", "producer")
    row = UploadProgress.objects.create(user=other, done=4, total=8, started_at=timezone.now())
    assert read_progress(producer_client, row.pk) == {}
    UploadProgress.objects.filter(pk=row.pk).update(user=studio.producer)
    assert read_progress(producer_client, row.pk)["text"] == "4 of 8 files read"
    with upload_progress.track_upload(row.pk, other) as writer:
        writer.write_read(8, 8)
    row.refresh_from_db()
    assert row.done == 4, "an id that is taken gives no access to its row"


def test_expected_end_is_of_the_whole_archive(producer_client: Client, studio: Studio) -> None:
    row = UploadProgress.objects.create(user=studio.producer, done=0, total=100, started_at=timezone.now())
    assert read_progress(producer_client, row.pk)["end"] == ""
    record_work(WorkKind.READING, "", 10, units=100)
    record_work(WorkKind.ADDING, "", 50, units=100)
    assert read_progress(producer_client, row.pk)["end"] == "about 1 min left"
    UploadProgress.objects.filter(pk=row.pk).update(activity="adding", done=60)
    assert read_progress(producer_client, row.pk)["end"] == "about 20 s left"
