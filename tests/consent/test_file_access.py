"""Who opens a file of a talent is recorded before the file is sent: a row for each person, file and hour."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, FileAccess
from consent.services import file_access
from consent.services.contract_drafts import store_draft
from consent.services.file_access import TALENT, AccessNotRecorded, OpenedFile, Reader, record_access
from consent.services.invitations import create_private_link
from tests.damaged_studio import make_damageable_studio
from tests.support.html import read_html
from tests.support.pdfs import make_pdf
from tests.voices.rows import PROVIDER, Studio
from voicehub.models import User
from voicehub.tokens import hash_token
from voices.models import Account, Build, ImportClip, OfflineProof, Preview, Recording, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TOKEN = "a-token-that-is-long-enough"
Make = Callable[["User"], Client]


@pytest.fixture
def studio(producer: User) -> Studio:
    account = Account(name="Main", provider=PROVIDER, mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    studio = Studio(producer, account)
    make_damageable_studio(studio)
    return studio


def list_files(studio: Studio) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Every address that sends a file of a talent to staff: the kind that is recorded, the address, and a form."""
    consent = Consent.objects.get(status=ConsentStatus.APPROVED)
    take, contract = consent.takes.get(), consent.talent.contracts.get()
    draft = store_draft(consent.talent, ContentFile(make_pdf(), "draft.pdf"), studio.producer)
    voice, recording = Voice.objects.get(), Recording.objects.filter(status="accepted").earliest("pk")
    build, preview = Build.objects.get(status="ready"), Preview.objects.get()
    urls = {
        "consent:take_audio": ("take", take.pk),
        "consent:take_original": ("take", take.pk),
        "consent:contract_file": ("contract", contract.pk),
        "consent:contract_draft": ("contract", draft.pk if draft else None),
        "consent:notice_file": ("notice", consent.pk),
        "voices:recording_audio": ("recording", recording.pk),
        "voices:import_clip_audio": ("clip", ImportClip.objects.get().pk),
        "voices:preview_audio": ("preview", preview.pk),
        "voices:recordings_export": ("table", voice.pk),
        "voices:build_export": ("table", build.pk),
        "voices:build_report": ("report", build.pk),
        "voices:offline_proof_file": ("proof", OfflineProof.objects.earliest("pk").pk),
        "voices:voice_dataset": ("dataset", voice.pk),
    }
    forms = {"voices:voice_dataset": {"layout": "voicehub", "only_in_builds": "no"}}
    return {name: (kind, reverse(name, args=[pk]), forms.get(name, {})) for name, (kind, pk) in urls.items()}


def fetch(client: Client, url: str, form: dict[str, str] | None = None, **headers: str) -> Any:
    response: Any = client.post(url, form) if form else client.get(url, headers=headers)
    if response.streaming:
        b"".join(response.streaming_content)
    return response


def test_each_file_is_recorded_with_person_file_and_hour(studio: Studio, make_client: Make) -> None:
    client = make_client(studio.producer)
    for name, (kind, url, form) in list_files(studio).items():
        FileAccess.objects.all().delete()
        assert fetch(client, url, form).status_code == 200, name
        assert FileAccess.objects.count() == 1, name
        row = FileAccess.objects.get()
        assert (row.kind, row.user, row.reader_name, row.count) == (kind, studio.producer, "Paula", 1), name
        assert str(row.object_id) in url and row.talent == Voice.objects.get().talent, name
        assert row.hour == row.last_at.replace(minute=0, second=0, microsecond=0), name
        assert row.label and "Tilda" not in row.label, name


def test_file_stays_closed_if_the_access_cannot_be_recorded(
    studio: Studio, make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, files = make_client(studio.producer), list_files(studio)
    monkeypatch.setattr(file_access, "UPSERT", "INSERT INTO no_such_table VALUES (" + "%s, " * 9 + "%s)")
    for name, (_kind, url, form) in files.items():
        response = client.post(url, form) if form else client.get(url)
        assert response.status_code == 503 and not response.streaming, name
        assert file_access.NOT_RECORDED in read_html(response), name
        assert response.headers["Retry-After"], name
    assert not FileAccess.objects.exists()


def test_ranges_of_one_player_are_one_row(studio: Studio, make_client: Make) -> None:
    _kind, url, _form = list_files(studio)["voices:recording_audio"]
    client = make_client(studio.producer)
    for start in range(0, 5000, 100):
        assert fetch(client, url, Range=f"bytes={start}-{start + 99}").status_code == 206
    assert FileAccess.objects.get().count == 50


def test_what_delivers_nothing_is_not_recorded(studio: Studio, make_client: Make, viewer: User) -> None:
    _kind, url, _form = list_files(studio)["consent:take_audio"]
    response: Any = make_client(studio.producer).head(url)
    assert response.status_code == 200 and b"".join(response.streaming_content) == b""
    assert make_client(studio.producer).get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert make_client(viewer).get(url).status_code == 403
    assert not FileAccess.objects.exists()


def test_each_person_and_each_hour_has_a_row(talent: Any, producer: User, viewer: User) -> None:
    take = OpenedFile(talent.pk, "take", talent.pk, "a take")
    readers = [Reader(f"user:{user.pk}", str(user), user) for user in (producer, viewer)]
    for reader in (*readers, TALENT, readers[0]):
        record_access(take, reader)
    assert sorted(FileAccess.objects.values_list("reader_name", "count")) == [
        ("Paula", 2), ("The talent", 1), ("Vera", 1),
    ]  # fmt: skip
    FileAccess.objects.update(hour=timezone.now() - timedelta(hours=2))
    record_access(take, readers[0])
    assert FileAccess.objects.filter(reader_name="Paula").count() == 2


def test_an_access_is_one_statement(talent: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # with the savepoint around it
        record_access(OpenedFile(talent.pk, "take", talent.pk, "a take"), TALENT)


def test_failure_to_record_breaks_no_transaction(talent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_access, "UPSERT", "INSERT INTO no_such_table VALUES (" + "%s, " * 9 + "%s)")
    with pytest.raises(AccessNotRecorded) as failure:
        record_access(OpenedFile(talent.pk, "take", talent.pk, "a take"), TALENT)
    assert isinstance(failure.value.__cause__, DatabaseError)
    assert not connection.needs_rollback


def test_talent_on_the_private_page_is_recorded_as_the_talent(studio: Studio) -> None:
    consent = Consent.objects.get(status=ConsentStatus.APPROVED)
    requested = studio.make_consent(consent.talent, ConsentStatus.REQUESTED)
    url = create_private_link([requested], studio.producer)
    requested.invitations.get().consents.add(consent)
    guest, link = Client(), requested.invitations.get().pk
    guest.get(url[url.index("/i/") :])
    contract = consent.talent.contracts.get()
    pages = {"recording": [], "receipt_pdf": [], "contract": [contract.pk]}
    for name, more in pages.items():
        assert fetch(guest, reverse(f"invitation:{name}", args=[link, consent.pk, *more])).status_code == 200, name
    assert sorted(FileAccess.objects.values_list("kind", flat=True)) == ["contract", "receipt", "take"]
    readers: Any = set(FileAccess.objects.values_list("reader_name", "user"))
    assert readers == {("The talent", None)}


def test_provider_that_fetches_a_dataset_is_recorded(studio: Studio) -> None:
    build = studio.make_build(dataset_digest=hash_token(TOKEN), handover="dataset_url")
    url = reverse("voices:dataset", args=[TOKEN, "dataset.wav"])
    assert fetch(Client(), url).status_code == 200
    row = FileAccess.objects.get()
    assert (row.kind, row.reader_name, row.user) == ("dataset", "Resemble AI", None)
    assert row.talent == build.voice.talent


# --- The page ---------------------------------------------------------------------------


def make_rows(talent: Any, reader: str, count: int) -> None:
    hour = datetime(2026, 11, 2, 9, tzinfo=UTC)
    FileAccess.objects.bulk_create(
        FileAccess(
            talent=talent, reader=reader, reader_name=reader, kind="take", object_id=talent.pk, label="=a take",
            hour=hour + timedelta(hours=number), last_at=hour, count=number + 1,
        )
        for number in range(count)
    )  # fmt: skip


def test_page_of_a_talent_shows_who_opened_what(talent: Any, make_person: Any, make_client: Make) -> None:
    make_rows(talent, "Vera", 1)
    client = make_client(make_person("adam", "admin"))
    assert reverse("consent:file_accesses", args=[talent.pk]) in read_html(client.get(talent.get_absolute_url()))
    page = read_html(client.get(reverse("consent:file_accesses", args=[talent.pk])))
    assert "Vera" in page and "Recording of a consent" in page and "Tara Okafor" in page
    lines = b"".join(client.get(reverse("consent:file_accesses_export", args=[talent.pk])).streaming_content).decode()  # type: ignore[attr-defined]
    assert '"Vera","Recording of a consent","\'=a take","1"' in lines


@pytest.mark.parametrize("role", ["viewer", "engineer", "producer"])
def test_other_roles_do_not_see_who_opened_files(talent: Any, role: str, make_person: Any, make_client: Make) -> None:
    client = make_client(make_person("someone", role))
    response = client.get(reverse("consent:file_accesses", args=[talent.pk]))
    assert response.status_code == 403 and "who opened files" in read_html(response)
    assert "file-access" not in read_html(client.get(talent.get_absolute_url()))


def test_list_of_accesses_has_pages_and_constant_queries(
    talent: Any, make_person: Any, make_client: Make, django_assert_max_num_queries: Any
) -> None:
    from django.test.utils import CaptureQueriesContext

    client, url = make_client(make_person("adam", "admin")), reverse("consent:file_accesses", args=[talent.pk])
    make_rows(talent, "Vera", 3)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    make_rows(talent, "Ed", 60)
    with CaptureQueriesContext(connection) as many:
        page = read_html(client.get(url))
    assert len(many) <= len(few)
    assert "page=2" in page and page.count("Ed") >= 20


def test_no_view_sends_a_file_past_the_record() -> None:
    sources = [path.read_text() for app in ("consent", "voices") for path in Path(app).rglob("*.py")]
    senders = [text for text in sources if re.search(r"\bsend_(unnamed_)?file\(", text)]
    assert len(senders) >= 7
    assert not [text for text in senders if "send_recorded(" not in text]
    assert not [text for text in senders if re.search(r"return (media\.)?send_(unnamed_)?file\(", text)]
