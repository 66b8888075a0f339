"""Who opens a file of a talent is recorded before the file is sent: a row for each person, file and hour."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.http import HttpResponseRedirect
from django.test import Client, RequestFactory
from django.urls import reverse

from consent.models import Consent, ConsentStatus, FileAccess
from consent.services import file_access
from consent.services.contract_drafts import store_draft
from consent.services.file_access import describe_take, send_recorded
from consent.services.invitations import create_private_link
from tests.damaged_studio import make_damageable_studio
from tests.support.html import read_html
from tests.support.pdfs import make_pdf
from tests.voices.rows import Studio, make_main_account
from voicehub.models import User
from voicehub.tokens import hash_token
from voices.models import Build, ImportClip, OfflineProof, Preview, Recording, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TOKEN = "a-token-that-is-long-enough"
Make = Callable[["User"], Client]


@pytest.fixture
def studio(producer: User) -> Studio:
    studio = Studio(producer, make_main_account())
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
    response: Any = client.get(reverse("consent:file_accesses_export", args=[talent.pk]))
    lines = b"".join(response.streaming_content).decode()
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


SENDERS = {"send_file", "send_unnamed_file", "FileResponse", "StreamingHttpResponse"}
# The list of accesses itself, the stream that its view records, and the dataset that a provider fetches.
RECORDED_ELSEWHERE = {"file_accesses_export", "_send", "serve_dataset"}


def list_calls(function: ast.AST) -> set[str]:
    names = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "") for name in names}


def is_sender(function: ast.AST) -> bool:
    has_pdf = any(isinstance(node, ast.Constant) and node.value == "application/pdf" for node in ast.walk(function))
    calls = list_calls(function)
    return bool(calls & SENDERS) or (has_pdf and "HttpResponse" in calls)


def test_no_view_sends_a_file_past_the_record() -> None:
    trees = [ast.parse(path.read_text()) for app in ("consent", "voices") for path in Path(app).rglob("*.py")]
    functions = [one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    senders = {one.name: list_calls(one) for one in functions if is_sender(one)}
    assert len(senders) >= 17
    assert {name for name, calls in senders.items() if "send_recorded" not in calls} == RECORDED_ELSEWHERE


def test_signed_address_of_a_store_is_recorded_for_head_too(studio: Studio, producer: User) -> None:
    request = RequestFactory().head("/")
    request.user = producer
    file = describe_take(Consent.objects.get(status=ConsentStatus.APPROVED).takes.get())
    response = send_recorded(request, file, HttpResponseRedirect("https://store.test/signed"))
    assert response.status_code == 302
    assert FileAccess.objects.get().user == producer
