"""The tus protocol of uploads: versions, offsets, limits, expiry, termination, and whose uploads they are."""

import hashlib
import re
import resource
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audio.archives.kinds import READ_EXTENSIONS
from consent.models import Consent
from consent.services.review import withdraw_consent
from tests.voices.rows import Studio, make_upload
from tests.voices.uploads import (
    PART_TYPE,
    VERSION,
    create_upload,
    encode_metadata,
    read_offset,
    read_stored,
    send_part,
)
from voicehub.models import Task, User
from voicehub.upload_limits import ARCHIVE_BYTES, IMPORT_BYTES, IMPORT_FILES, RECORDING_BYTES, TRANSCRIPT_TABLE_BYTES
from voices.models import Import, ImportFile, ImportStatus, Voice
from voices.models.imports import IMPORT_LIFETIME
from voices.services.imports import uploads
from voices.services.imports.room import create_import
from voices.services.imports.rows import CHECK_TASK
from voices.services.imports.uploads import store_whole_file
from voices.views import import_create

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def import_set(voice: Voice, producer: User) -> Import:
    return create_import(voice, producer)


@pytest.fixture
def file(import_set: Import) -> ImportFile:
    return uploads.create_upload(import_set, "a.wav", 10, metadata="filename YQ==")


def get_url(file: ImportFile) -> str:
    return reverse("voices:import_upload", args=[file.pk])


# --- The server and its version ---


@pytest.mark.parametrize("name", ["import_uploads", "import_upload"])
def test_server_describes_itself(producer_client: Client, import_set: Import, file: ImportFile, name: str) -> None:
    row = import_set if name == "import_uploads" else file
    response = producer_client.options(reverse(f"voices:{name}", args=[row.pk]))
    assert response.status_code == 204 and response.content == b""
    assert response["Tus-Version"] == response["Tus-Resumable"] == "1.0.0"
    assert response["Tus-Extension"].split(",") == ["creation", "creation-with-upload", "expiration", "termination"]
    assert int(response["Tus-Max-Size"]) == ARCHIVE_BYTES


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
@pytest.mark.parametrize("method", ["head", "patch", "delete", "post"])
def test_other_versions_are_refused(
    producer_client: Client, import_set: Import, file: ImportFile, method: str, version: str | None
) -> None:
    url = reverse("voices:import_uploads", args=[import_set.pk]) if method == "post" else get_url(file)
    headers = {"Upload-Length": "3", "Upload-Offset": "0"} | ({"Tus-Resumable": version} if version else {})
    response = getattr(producer_client, method)(url, headers=headers)
    assert response.status_code == 412
    assert response["Tus-Version"] == response["Tus-Resumable"] == "1.0.0"
    assert ImportFile.objects.get().received == 0


def test_every_answer_names_the_version(producer_client: Client, import_set: Import, file: ImportFile) -> None:
    responses = [
        create_upload(producer_client, import_set, 3),
        send_part(producer_client, file, 0, b"ab"),
        send_part(producer_client, file, 7, b"ab"),
        producer_client.head(get_url(file), headers=VERSION),
        producer_client.get(get_url(file), headers=VERSION),
        producer_client.head(reverse("voices:import_upload", args=[uuid4()]), headers=VERSION),
        producer_client.delete(get_url(file), headers=VERSION),
    ]
    assert [response.status_code for response in responses] == [201, 204, 409, 200, 405, 404, 204]
    assert {response["Tus-Resumable"] for response in responses} == {"1.0.0"}


# --- Creation ---


def test_file_is_created_and_has_an_address(producer_client: Client, import_set: Import) -> None:
    response = create_upload(
        producer_client, import_set, 10, metadata={"filename": "ä.wav", "relativePath": "Tag 1/ä.wav"}
    )
    file = ImportFile.objects.get()
    assert (response.status_code, response["Location"]) == (201, get_url(file))
    assert (file.name, file.size, file.received, file.status) == ("Tag 1/ä.wav", 10, 0, "uploading")
    assert timezone.now() < import_set.expires_at
    assert "GMT" in response["Upload-Expires"]
    head = producer_client.head(get_url(file), headers=VERSION)
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("0", "10")
    assert head["Upload-Metadata"] == encode_metadata(filename="ä.wav", relativePath="Tag 1/ä.wav")
    assert head["Cache-Control"] == "no-store" and head["Upload-Expires"] == response["Upload-Expires"]


@pytest.mark.parametrize("content", [b"", b"abc", b"abcdefghij"])
def test_first_part_may_come_with_the_creation(producer_client: Client, import_set: Import, content: bytes) -> None:
    response = create_upload(producer_client, import_set, 10, content)
    file = ImportFile.objects.get()
    assert int(response["Upload-Offset"]) == len(content) == file.received == read_offset(producer_client, file)
    assert (file.status == "uploaded") == (len(content) == 10)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "x"}, 400),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Length": "٣"}, 400),
        ({"Upload-Metadata": "filename ä"}, 400),
        ({"Upload-Metadata": "filename /w=="}, 400),
        ({"Upload-Metadata": "filename " + "YQ" * 6000}, 400),
    ],
)
def test_broken_headers_create_nothing(
    producer_client: Client, import_set: Import, headers: dict[str, str], status: int
) -> None:
    assert create_upload(producer_client, import_set, 3, headers=headers).status_code == status
    assert not ImportFile.objects.exists()


def test_body_of_another_type_creates_nothing(producer_client: Client, import_set: Import) -> None:
    url = reverse("voices:import_uploads", args=[import_set.pk])
    response = producer_client.post(url, {"file": make_upload()}, headers=VERSION | {"Upload-Length": "3"})
    assert response.status_code == 415 and not ImportFile.objects.exists()


@pytest.mark.parametrize(
    ("name", "limit"),
    [("a.wav", RECORDING_BYTES), ("noname", RECORDING_BYTES), ("A.ZIP", ARCHIVE_BYTES), ("t.tar.gz", ARCHIVE_BYTES),
     ("list.csv", TRANSCRIPT_TABLE_BYTES)],
)  # fmt: skip
def test_larger_file_than_its_kind_may_be_is_refused(
    producer_client: Client, import_set: Import, name: str, limit: int
) -> None:
    assert create_upload(producer_client, import_set, limit, metadata={"filename": name}).status_code == 201
    refused = create_upload(producer_client, import_set, limit + 1, metadata={"filename": name})
    assert refused.status_code == 413 and f"larger than {limit >> 20} MB" in refused.json()["problem"]
    assert ImportFile.objects.count() == 1


def test_import_has_limits_of_files_and_bytes(producer_client: Client, import_set: Import) -> None:
    Import.objects.update(file_count=IMPORT_FILES - 1)
    assert create_upload(producer_client, import_set, 3).status_code == 201
    refused = create_upload(producer_client, import_set, 3)
    assert refused.status_code == 413 and "at most 20,000 files" in refused.json()["problem"]
    Import.objects.update(file_count=0, file_bytes=IMPORT_BYTES - 3)
    assert create_upload(producer_client, import_set, 3).status_code == 201
    refused = create_upload(producer_client, import_set, 1)
    assert refused.status_code == 413 and "at most 20 GB" in refused.json()["problem"]


def test_totals_of_an_import_follow_its_files(producer_client: Client, voice: Voice) -> None:
    url = reverse("voices:import_create", args=[voice.pk])
    producer_client.post(url, {"recordings": [make_upload("a.wav", b"12345"), make_upload("b.wav", b"")]})
    import_set = Import.objects.get()
    assert (import_set.file_count, import_set.file_bytes) == (2, 5)
    for _ in range(2):  # the second one repeats the first
        response = create_upload(producer_client, import_set, 90, metadata={"filename": "c", "lastModified": "1"})
    import_set.refresh_from_db()
    assert (import_set.file_count, import_set.file_bytes) == (3, 95)
    assert [producer_client.delete(response["Location"], headers=VERSION).status_code for _ in range(2)] == [204, 404]
    import_set.refresh_from_db()
    assert (import_set.file_count, import_set.file_bytes) == (2, 5)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("../../etc/passwd", "etc/passwd"), ("C:\\takes\\a.wav", "C:/takes/a.wav"), ("/", "file"), ("", "x"),
     ("a\0b\n.wav", "a b .wav"), ("\u202evaw.exe", "vaw.exe"), ("./x//y.wav", "x/y.wav"),
     ("f/" * 600 + "a.wav", ("f/" * 600 + "a.wav")[-1000:])],
)  # fmt: skip
def test_name_cannot_lead_out_of_its_folder(
    producer_client: Client, import_set: Import, sent: str, stored: str
) -> None:
    create_upload(producer_client, import_set, 3, b"abc", metadata={"filename": "x", "relativePath": sent})
    file = ImportFile.objects.get()
    assert file.name == stored
    assert str(file.file.name).startswith(f"imports/{import_set.pk}/{file.pk}/")


def test_repeated_creation_of_the_same_file_makes_no_second_row(producer_client: Client, import_set: Import) -> None:
    same = {"filename": "a.wav", "lastModified": "17"}
    first = create_upload(producer_client, import_set, 6, b"abc", metadata=same)
    again = create_upload(producer_client, import_set, 6, b"abc", metadata=same)
    assert first["Location"] == again["Location"]
    assert again["Upload-Offset"] == "3", "the first part is there already"
    others = [
        create_upload(producer_client, import_set, 7, metadata=same),
        create_upload(producer_client, import_set, 6, metadata={"filename": "a.wav", "lastModified": "18"}),
        create_upload(producer_client, import_set, 6, metadata={"filename": "a.wav"}),
        create_upload(producer_client, import_set, 6, metadata={"filename": "a.wav"}),
    ]
    assert len({first["Location"], *(other["Location"] for other in others)}) == 5


def test_number_of_chosen_files_is_noted_and_only_grows(producer_client: Client, import_set: Import) -> None:
    for text in ("500", "12", "x", "9" * 40, ""):
        create_upload(producer_client, import_set, 3, headers={"Import-Files": text})
        import_set.refresh_from_db()
        assert import_set.planned_files == 500


# --- Parts ---


def test_parts_are_appended_until_the_file_is_complete(producer_client: Client, file: ImportFile) -> None:
    for offset, part, end in ((0, b"abc", 3), (3, b"", 3), (3, b"defgh", 8), (8, b"ij", 10)):
        response = send_part(producer_client, file, offset, part)
        assert (response.status_code, response["Upload-Offset"]) == (204, str(end))
        assert "Upload-Expires" in response
    assert read_offset(producer_client, file) == 10


def test_file_in_one_part_is_complete_at_once(producer_client: Client, file: ImportFile) -> None:
    send_part(producer_client, file, 0, b"abcdefghij")
    assert read_stored(file) == b"abcdefghij"
    assert (file.status, file.sha256) == ("uploaded", hashlib.sha256(b"abcdefghij").hexdigest())
    assert not file.parts.exists()
    assert Task.objects.filter(kind=CHECK_TASK, object_id=str(file.import_set_id)).count() == 1


def test_empty_file_is_complete_at_its_creation(producer_client: Client, import_set: Import) -> None:
    for _ in range(2):
        assert (
            create_upload(producer_client, import_set, 0, metadata={"filename": "a", "lastModified": "1"}).status_code
            == 201
        )
    file = ImportFile.objects.get()
    assert file.status == "uploaded" and read_stored(file) == b""
    assert Task.objects.filter(kind=CHECK_TASK).exists()


@pytest.mark.parametrize("offset", [0, 2, 4, 10, 11])
def test_part_at_another_offset_is_a_conflict(producer_client: Client, file: ImportFile, offset: int) -> None:
    send_part(producer_client, file, 0, b"abc")
    assert send_part(producer_client, file, offset, b"d").status_code == 409
    assert read_offset(producer_client, file) == 3


def test_complete_file_takes_no_part(producer_client: Client, file: ImportFile) -> None:
    send_part(producer_client, file, 0, b"abcdefghij")
    assert send_part(producer_client, file, 0, b"abcdefghij").status_code == 409
    assert send_part(producer_client, file, 10, b"k").status_code == 413
    assert read_stored(file) == b"abcdefghij"


def test_longer_part_than_the_rest_is_refused(producer_client: Client, file: ImportFile, import_set: Import) -> None:
    assert send_part(producer_client, file, 0, b"abcdefghijk").status_code == 413
    assert create_upload(producer_client, import_set, 2, b"abc").status_code == 413
    assert read_offset(producer_client, file) == 0 and ImportFile.objects.count() == 1


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "multipart/form-data"])
def test_part_of_another_content_type_is_refused(producer_client: Client, file: ImportFile, content_type: str) -> None:
    headers = VERSION | {"Upload-Offset": "0"}
    response = producer_client.patch(get_url(file), b"abc", content_type=content_type, headers=headers)
    assert response.status_code == 415 and read_offset(producer_client, file) == 0


@pytest.mark.parametrize("offset", ["", "-1", "x", "1.0"])
def test_broken_offset_is_refused(producer_client: Client, file: ImportFile, offset: str) -> None:
    assert send_part(producer_client, file, 0, b"abc", Upload_Offset=offset).status_code == 400


def test_part_without_length_is_refused(producer_client: Client, file: ImportFile) -> None:
    response = send_part(producer_client, file, 0, b"", Transfer_Encoding="chunked")
    assert response.status_code == 411


def test_post_may_stand_for_a_method_that_a_proxy_forbids(producer_client: Client, file: ImportFile) -> None:
    headers = VERSION | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert producer_client.post(get_url(file), b"ab", content_type=PART_TYPE, headers=headers).status_code == 204
    assert read_offset(producer_client, file) == 2
    assert producer_client.get(get_url(file), headers=headers).status_code == 405
    unguarded = producer_client.head(get_url(file), headers=VERSION | {"X-HTTP-Method-Override": "DELETE"})
    assert unguarded.status_code == 200, "no token guards a HEAD"
    plain = producer_client.post(get_url(file), b"ab", content_type=PART_TYPE, headers=VERSION)
    assert plain.status_code == 405 and read_offset(producer_client, file) == 2


# --- Termination and expiry ---


def test_removed_upload_is_gone_with_its_parts(producer_client: Client, file: ImportFile) -> None:
    send_part(producer_client, file, 0, b"abc")
    part = file.parts.get()
    assert part.content.storage.exists(str(part.content.name))
    assert producer_client.delete(get_url(file), headers=VERSION).status_code == 204
    assert not part.content.storage.exists(str(part.content.name))
    assert producer_client.head(get_url(file), headers=VERSION).status_code == 404
    assert not Task.objects.filter(kind=CHECK_TASK).exists()


def test_file_that_has_arrived_is_not_removed_alone(producer_client: Client, file: ImportFile) -> None:
    send_part(producer_client, file, 0, b"abcdefghij")
    response = producer_client.delete(get_url(file), headers=VERSION)
    assert response.status_code == 410 and "discarded as a whole" in response.json()["problem"]
    assert read_stored(file) == b"abcdefghij"


def list_statuses(client: Client, file: ImportFile) -> list[int]:
    head, delete = (getattr(client, name)(get_url(file), headers=VERSION) for name in ("head", "delete"))
    part, other = send_part(client, file, 0, b"abc"), send_part(client, file, 5, b"abc")
    return [one.status_code for one in (head, delete, part, other, create_upload(client, file.import_set, 3))]


def test_expired_upload_is_gone(producer_client: Client, file: ImportFile) -> None:
    Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME - timedelta(seconds=1))
    assert list_statuses(producer_client, file) == [410] * 5
    assert "expired" in create_upload(producer_client, file.import_set, 3).json()["problem"]


@pytest.mark.parametrize("status", [ImportStatus.ADDING, ImportStatus.ADDED, ImportStatus.DISCARDED])
def test_import_that_is_over_takes_no_upload(producer_client: Client, file: ImportFile, status: str) -> None:
    Import.objects.update(status=status)
    assert list_statuses(producer_client, file) == [410] * 5
    assert ImportFile.objects.get().received == 0


# --- Whose upload it is ---


def test_uploads_of_other_people_do_not_exist(engineer_client: Client, file: ImportFile) -> None:
    assert list_statuses(engineer_client, file) == [404] * 5


def test_uploads_need_the_permission_at_every_request(make_client: Any, viewer: User, file: ImportFile) -> None:
    Import.objects.update(by=viewer)
    client = make_client(viewer)
    assert list_statuses(client, file) == [403] * 5
    assert client.options(get_url(file)).status_code == 403


def test_uploads_are_closed_after_a_withdrawal(voice: Voice, producer: User, engineer: User, make_client: Any) -> None:
    import_set, client = create_import(voice, engineer), make_client(engineer)
    file = ImportFile.objects.create(import_set=import_set, name="a.wav", size=10)
    assert list_statuses(client, file)[:2] == [200, 204]
    file = ImportFile.objects.create(import_set=import_set, name="a.wav", size=10)
    for consent in Consent.objects.filter(talent=voice.talent):
        withdraw_consent(consent, producer, "The talent changed their mind.")
    assert list_statuses(client, file) == [403] * 5
    assert client.get(reverse("voices:import_uploads", args=[import_set.pk])).status_code == 403
    assert client.post(reverse("voices:import_create", args=[voice.pk])).status_code == 403
    assert ImportFile.objects.count() == 2 and Import.objects.count() == 1


def test_uploads_keep_the_csrf_check(producer: User, file: ImportFile) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    assert list_statuses(client, file) == [200, 403, 403, 403, 403]
    headers = VERSION | {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    assert client.post(get_url(file), b"ab", content_type=PART_TYPE, headers=headers).status_code == 403
    client.get(file.import_set.voice.get_absolute_url())
    token = client.cookies["voicehub-csrf"].value
    response = send_part(client, file, 0, b"abc", X_CSRFToken=token)
    assert (response.status_code, response["Upload-Offset"]) == (204, "3")


def test_signed_out_page_gets_401(client: Client, file: ImportFile) -> None:
    assert send_part(client, file, 0, b"abc", Accept="application/json").status_code == 401


# --- Beginning an import ---


def test_script_gets_the_addresses_of_a_new_import(producer_client: Client, voice: Voice, producer: User) -> None:
    response = producer_client.post(
        reverse("voices:import_create", args=[voice.pk]), headers={"accept": "application/json"}
    )
    import_set = Import.objects.get()
    assert (import_set.voice, import_set.by, import_set.status) == (voice, producer, "open")
    assert response.json() == {
        "id": str(import_set.pk), "url": reverse("voices:import_detail", args=[import_set.pk]),
        "uploads": reverse("voices:import_uploads", args=[import_set.pk]),
    }  # fmt: skip


def test_form_without_scripts_stores_its_files_and_inspects_nothing(producer_client: Client, voice: Voice) -> None:
    files = [make_upload("a.wav", b"no recording"), make_upload("b.wav", b"")]
    response = producer_client.post(reverse("voices:import_create", args=[voice.pk]), {"recordings": files})
    import_set = Import.objects.get()
    assert response["Location"] == reverse("voices:import_detail", args=[import_set.pk])
    stored = {file.name: (read_stored(file), file.status, file.received) for file in import_set.files.all()}
    assert stored == {"a.wav": (b"no recording", "uploaded", 12), "b.wav": (b"", "uploaded", 0)}
    assert import_set.files.get(name="a.wav").sha256 == hashlib.sha256(b"no recording").hexdigest()
    assert Task.objects.filter(kind=CHECK_TASK).count() == 1 and not voice.recordings.exists()
    assert "<li>2 files</li>" in producer_client.get(response["Location"]).content.decode()


def test_form_says_which_file_is_too_large(
    producer_client: Client, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voices.services.imports.room.RECORDING_BYTES", 5 << 20)
    url, content = reverse("voices:import_create", args=[voice.pk]), bytes((5 << 20) + 1)
    page = producer_client.post(url, {"recordings": [make_upload("a.wav", content)]}, follow=True)
    assert "a.wav: The file is larger than 5 MB." in page.content.decode() and not Import.objects.exists()
    page = producer_client.post(url, {}, follow=True)
    assert "Choose one or more files." in page.content.decode()
    producer_client.post(url, {"recordings": [make_upload("a.wav", content), make_upload("b.wav")]})
    assert [file.name for file in ImportFile.objects.all()] == ["b.wav"]


def test_form_offers_all_archives_that_are_read(producer_client: Client, voice: Voice) -> None:
    page = producer_client.get(voice.get_absolute_url()).content.decode()
    accepted = re.search(r'accept="(audio[^"]*)"', page)
    assert accepted
    suffixes = {Path(f"set{extension}").suffix for extension in READ_EXTENSIONS}
    assert suffixes <= set(accepted[1].split(","))


def test_large_file_of_the_form_is_not_read_into_memory(
    producer_client: Client, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def store_and_measure(import_set: Import, file: Any) -> ImportFile:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        row = store_whole_file(import_set, file)
        seen.append((type(file).__name__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
        return row

    monkeypatch.setattr(import_create, "store_whole_file", store_and_measure)
    url = reverse("voices:import_create", args=[voice.pk])
    producer_client.post(url, {"recordings": [make_upload("large.wav", bytes(50 << 20))]})
    ((kind, growth),) = seen
    assert kind == "TemporaryUploadedFile" and growth < 25 << 10, "memory growth in kilobytes during a 50 MB upload"
    assert ImportFile.objects.get().size == 50 << 20
    assert [type(handler) for handler in HttpRequest().upload_handlers] == [TemporaryFileUploadHandler]
