"""A full disk, a locked database and a storage that is down are answered in words, and nothing half is kept."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.urls import reverse

from consent.models import Purpose, Talent
from tests.support.wav import load_sample_wav
from tests.voices.uploads import create_upload
from voicehub import env
from voicehub.models import Task, TaskStatus, User
from voicehub.problem_pages import DISK_FULL, answer_server_error, explain_error
from voices.models import Import, ImportFile, ImportFileStatus, ImportPart, ImportStatus, Recording, Voice
from voices.models.recording_files import RECORDING_SUFFIXES
from voices.models.voice import make_recording_path
from voices.services.imports.room import create_import
from voices.services.recordings.store import add_recording, create_voice, delete_partial_files

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
JSON, HTMX = {"Accept": "application/json"}, {"HX-Request": "true"}


@pytest.fixture
def voice(talent: Talent, producer: User) -> Voice:
    return create_voice(talent, "Narrator", "en-US", Purpose.NARRATION, producer)


def upload(client: Client, voice: Voice, by: User) -> Any:
    """Upload a file as the page's script does, in one part."""
    content = load_sample_wav("slt-01")
    return create_upload(client, create_import(voice, by), len(content), content, headers=JSON)


def raise_sqlite_error(folder: Path, script: str) -> sqlite3.Error:
    """The real error of SQLite for these statements."""
    with closing(sqlite3.connect(folder / "test.sqlite3", timeout=0, isolation_level=None)) as database:
        with pytest.raises(sqlite3.Error) as failure:
            database.executescript(script)
        return failure.value


def wrap_error(cause: Exception) -> OperationalError:
    """The error as Django raises it."""
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


# --- database ---------------------------------------------------------------------------


def test_locked_database_is_503_with_a_time_to_retry(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "test.sqlite3", isolation_level=None)) as other:
        other.executescript("CREATE TABLE a (b); BEGIN IMMEDIATE;")
        error = wrap_error(raise_sqlite_error(tmp_path, "BEGIN IMMEDIATE;"))
    problem = explain_error(error, "POST")
    assert problem and problem.status == 503
    assert problem.text == "The database is busy. What you sent was not saved. Try again in a minute."
    assert "not saved" not in (explain_error(error, "GET") or problem).text


def test_full_database_disk_is_507(tmp_path: Path) -> None:
    script = "PRAGMA max_page_count=2; CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(100000));"
    problem = explain_error(wrap_error(raise_sqlite_error(tmp_path, script)), "POST")
    assert problem and (problem.status, problem.text) == (507, DISK_FULL)


def test_error_in_middleware_gets_the_same_words(tmp_path: Path) -> None:
    script = "PRAGMA max_page_count=2; CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(100000));"
    try:
        raise wrap_error(raise_sqlite_error(tmp_path, script))
    except OperationalError:
        response = answer_server_error(RequestFactory().post("/", headers={"accept": "text/html"}))
    assert response.status_code == 507 and DISK_FULL in response.content.decode()


def test_web_server_gives_up_early_and_workers_wait() -> None:
    web, background = (env.read_database("sqlite:////tmp/x.sqlite3", seconds) for seconds in (2, 20))
    assert (web["OPTIONS"]["timeout"], background["OPTIONS"]["timeout"]) == (2, 20)
    assert web["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    postgres = env.read_database("postgres://user@host/name?sslmode=require", 2)["OPTIONS"]
    assert postgres["connect_timeout"] == 2 and postgres["options"] == "-c lock_timeout=2000"
    assert postgres["sslmode"] == "require"


@pytest.mark.django_db(transaction=True)
def test_page_that_waits_for_a_lock_is_503(producer_client: Client, talent: Talent) -> None:
    url = reverse("consent:talent_edit", args=[talent.pk])
    is_sqlite = connection.vendor == "sqlite"
    with closing(connection.copy()) as other, connection.cursor() as cursor:
        other.cursor().execute("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
        if not is_sqlite:
            other.cursor().execute("LOCK TABLE consent_talent IN ACCESS EXCLUSIVE MODE")
        cursor.execute("PRAGMA busy_timeout = 1" if is_sqlite else "SET lock_timeout = 1")
        response = producer_client.post(url, {"name": "Other"}, headers=JSON)
        other.cursor().execute("ROLLBACK")
        cursor.execute("PRAGMA busy_timeout = 20000" if is_sqlite else "RESET lock_timeout")
    assert response.status_code == 503
    assert response.json()["problem"] == "The database is busy. What you sent was not saved. Try again in a minute."
    talent.refresh_from_db()
    assert talent.name != "Other"


@contextmanager
def fill_database() -> Iterator[None]:
    """Forbid the test database to grow. SQLite then reports a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # earlier tests leave free pages, which would take the new rows
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count={pages}")
        yield
        cursor.execute("PRAGMA max_page_count=1073741823")


@pytest.mark.django_db(transaction=True)
def test_upload_into_a_full_database_leaves_no_file_without_a_row(
    producer_client: Client, voice: Voice, producer: User
) -> None:
    import_set = create_import(voice, producer)
    folder = Path(storages["private"].location) / "imports" / str(import_set.pk)  # type: ignore[attr-defined]  # local files
    with fill_database():
        # Later rows need a new page, whatever room the last ones have left.
        responses = [upload_numbered(producer_client, import_set, number) for number in range(40)]
    failed = [response for response in responses if response.status_code != 201]
    assert failed and {response.status_code for response in failed} == {507}
    assert failed[0].json()["problem"] == DISK_FULL
    rows = {str(file.file) for file in ImportFile.objects.all()} | {
        str(part.content) for part in ImportPart.objects.all()
    }
    stored = {f"imports/{import_set.pk}/{path.relative_to(folder)}" for path in folder.rglob("*") if path.is_file()}
    assert stored and stored <= rows


def upload_numbered(client: Client, import_set: Import, number: int) -> Any:
    content = load_sample_wav("slt-01") + bytes([number])
    metadata = {"filename": f"{number}.wav", "note": f"{number} " * 900}
    return create_upload(client, import_set, len(content), content, metadata=metadata, headers=JSON)


# --- storage ----------------------------------------------------------------------------


@pytest.fixture
def silent_storage(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket at an address where nothing answers."""
    use_bucket(settings, monkeypatch, "http://127.0.0.1:1")


def use_bucket(settings: Any, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Keep recordings in a bucket at this address, with the waiting times of the web server."""
    options = settings.PRIVATE_S3["OPTIONS"] | {"bucket_name": "b", "access_key": "a", "secret_key": "s"}
    options |= {"endpoint_url": url, "region_name": "eu-central-1"}
    options["client_config"] = env.make_s3_config(is_web=True)
    storage = storages.create_storage({"BACKEND": settings.PRIVATE_S3["BACKEND"], "OPTIONS": options})
    for field in (Recording.file, Recording.wav, ImportFile.file, ImportPart.content):
        monkeypatch.setattr(field.field, "storage", storage)


def test_upload_without_storage_is_503_and_can_go_on(
    producer_client: Client, voice: Voice, producer: User, silent_storage: None
) -> None:
    response = upload(producer_client, voice, producer)
    assert response.status_code == 503 and int(response.headers["Retry-After"])
    assert response.json()["problem"].startswith("The file storage does not respond. What you sent was not saved.")
    file = ImportFile.objects.get()
    assert (file.received, file.status) == (0, ImportFileStatus.UPLOADING)


def test_form_without_storage_is_503_and_its_import_is_discarded(
    producer_client: Client, voice: Voice, silent_storage: None
) -> None:
    url = reverse("voices:import_create", args=[voice.pk])
    file = SimpleUploadedFile("slt-01.wav", load_sample_wav("slt-01"))
    response = producer_client.post(url, {"recordings": file})
    assert response.status_code == 503 and "What you sent was not saved." in response.content.decode()
    assert Import.objects.get().status == ImportStatus.DISCARDED
    assert Task.objects.filter(kind="clear_import", status=TaskStatus.WAITING).count() == 1, "it deletes the files"


class Exchange(BaseHTTPRequestHandler):
    """Keeps a request waiting until the test ends."""

    requests: ClassVar[list[str]] = []
    may_end: ClassVar[Event] = Event()

    def do_PUT(self) -> None:
        self.requests.append(f"{self.command} {self.path}")
        self.may_end.wait()

    do_DELETE = do_HEAD = do_GET = do_PUT


@pytest.fixture
def hanging_storage(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A bucket that accepts requests and never answers. Yields the requests."""
    Exchange.requests.clear()
    Exchange.may_end.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Exchange) as server:
        Thread(target=server.serve_forever).start()
        use_bucket(settings, monkeypatch, f"http://127.0.0.1:{server.server_port}")
        yield Exchange.requests
        Exchange.may_end.set()
        server.shutdown()


def test_storage_that_hangs_is_asked_once_and_the_sweep_finds_the_part(
    producer_client: Client, voice: Voice, producer: User, hanging_storage: list[str]
) -> None:
    assert upload(producer_client, voice, producer).status_code == 503
    assert len(hanging_storage) == 1
    assert ImportPart.objects.get().size is None, "the row by which the sweep finds what may have been stored"


def test_recording_on_a_storage_that_hangs_is_not_kept_and_a_task_removes_the_rest(
    voice: Voice, producer: User, hanging_storage: list[str]
) -> None:
    with pytest.raises(ReadTimeoutError):
        add_recording(voice, ContentFile(load_sample_wav("slt-01"), "slt-01.wav"), producer)
    assert len(hanging_storage) == 1
    assert not Recording.objects.exists()
    assert Task.objects.filter(kind="delete_partial_files", status=TaskStatus.WAITING).count() == 1


def test_task_deletes_the_files_of_a_recording_that_was_not_saved(voice: Voice, producer: User) -> None:
    storage, lost = Recording.file.field.storage, Recording(voice=voice)
    for suffix in RECORDING_SUFFIXES:
        storage.save(make_recording_path(lost, suffix), ContentFile(b"x"))
    saved, _ = add_recording(voice, ContentFile(load_sample_wav("slt-01"), "slt-01.wav"), producer)
    for recording in (lost, saved):
        delete_partial_files(f"{voice.pk.hex}{recording.pk.hex}")
    assert not any(storage.exists(make_recording_path(lost, suffix)) for suffix in RECORDING_SUFFIXES)
    assert storage.exists(str(saved.file.name))


def test_web_server_asks_the_storage_once_and_shortly() -> None:
    config = env.make_s3_config(is_web=True)
    assert config.connect_timeout + config.read_timeout < 3
    assert config.retries == {"total_max_attempts": 1}
    assert env.make_s3_config(is_web=False).retries is None


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        ClientError({"Error": {"Code": "XMinioStorageFull"}, "ResponseMetadata": {"HTTPStatusCode": 507}}, "PutObject"),
    ],
    ids=["folder", "bucket"],
)
def test_full_storage_is_507(error: Exception) -> None:
    problem = explain_error(error, "POST")
    assert problem and (problem.status, problem.text) == (507, DISK_FULL)


def test_fault_of_the_code_is_no_problem_of_the_server() -> None:
    assert explain_error(ValueError("a mistake"), "POST") is None
    assert explain_error(OSError(errno.EACCES, "Permission denied"), "POST") is None


# --- signed out, error pages ------------------------------------------------------------


def test_script_of_a_signed_out_user_gets_401(voice: Voice) -> None:
    url = reverse("voices:build_options", args=[voice.pk])
    for headers in (HTMX, JSON):
        response = Client().get(url, headers=headers)
        assert response.status_code == 401 and response.json()["kind"] == "signed_out"
    assert Client().get(url).status_code == 302


def test_form_of_a_signed_out_user_without_a_token_leads_to_sign_in(talent: Talent) -> None:
    url = reverse("consent:talent_edit", args=[talent.pk])
    response = Client(enforce_csrf_checks=True).post(url, {"name": "X"})
    assert (response.status_code, response.headers["Location"]) == (302, f"{reverse('account_login')}?next={url}")


def test_script_with_an_old_token_is_told_so_and_can_get_a_new_one(producer: User, talent: Talent) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    url = reverse("consent:talent_edit", args=[talent.pk])
    response = client.post(url, {"name": "X"}, headers=HTMX)
    assert (response.status_code, response.json()["kind"]) == (403, "csrf")
    session = client.get(reverse("session_state")).json()
    assert session["user"] == str(producer.pk)
    data = {"name": "X", "language": "en", "csrfmiddlewaretoken": session["token"]}
    assert client.post(url, data, headers=HTMX).status_code == 302


def test_error_page_needs_no_database_and_no_static_manifest(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    def fail(_path: str) -> str:
        raise ValueError("Missing staticfiles manifest entry")

    monkeypatch.setattr("voicehub.problem_pages.static", fail)
    with django_assert_num_queries(0):
        response = answer_server_error(RequestFactory().get("/", headers={"accept": "text/html"}))
    assert response.status_code == 500 and "/static/css/talent.css" in response.content.decode()
