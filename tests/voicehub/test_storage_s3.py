"""Private files in an S3 bucket: all services work, and files are sent by signed URL.

The S3 server of the tests checks neither signature nor expiry, so the tests read both from the URL.
"""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import requests
import soundfile
from botocore.config import Config
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from moto.server import ThreadedMotoServer

from audio.datasets.layouts import Layout
from consent.models import Capture, Consent, ConsentStatus, Contract, Purpose, Take, Talent
from consent.services.contracts import file_contract
from consent.services.evidence_checks import CHANGED, check_contract_file
from consent.services.invitations import request_consent
from consent.services.takes import submit_take
from tests.support.approval import approve_after_listening
from tests.support.checked import mark_checked
from tests.support.contracts import make_confirmed_terms
from tests.support.pdfs import make_pdf
from tests.support.processes import ROOT
from tests.support.task_runner import refuse_single_file, run_due_tasks
from tests.support.wav import load_sample_wav, make_speech_like
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, make_checked_import
from tests.voices.rows import make_clip
from voicehub import media
from voicehub.refusals import ActionRefused
from voicehub.storage import StorageUnavailable, hash_file
from voicehub.tokens import derive_token
from voices.models import (
    Account,
    Build,
    ImportClip,
    ImportFile,
    ImportPart,
    ImportText,
    LimitOverride,
    Recording,
    Voice,
)
from voices.services.builds.spec import make_build_spec, make_clip_name
from voices.services.builds.start import start_build
from voices.services.imports.add import start_adding
from voices.services.imports.clear import CLEAR_TASK
from voices.services.recordings.dataset_download import prepare_download
from voices.services.recordings.segment import enqueue_split
from voices.services.recordings.store import add_recording, create_voice, delete_recording

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("once_per_sound")]

PROVIDER = "resemble_v2"
BUCKET = "studio-files"
CREDENTIALS = {"access_key": "AKIDEXAMPLE", "secret_key": "made-up-for-the-test", "region_name": "eu-central-1"}


@pytest.fixture(scope="module")
def bucket_url() -> Iterator[str]:
    """The URL of an S3 server with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    server_url = f"http://{host}:{port}"
    assert requests.put(f"{server_url}/{BUCKET}", timeout=60).status_code == 200
    yield server_url
    server.stop()


@pytest.fixture
def s3(bucket_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """The private S3 storage, as configured in the settings. Every model with files uses it during the test."""
    options = settings.PRIVATE_S3["OPTIONS"] | CREDENTIALS | {"bucket_name": BUCKET, "endpoint_url": bucket_url}
    storage = storages.create_storage({"BACKEND": settings.PRIVATE_S3["BACKEND"], "OPTIONS": options})
    of_imports = (ImportFile.file, ImportClip.file, ImportClip.wav, ImportText.content, ImportPart.content)
    for field in (Recording.file, Recording.wav, Take.file, Contract.file, *of_imports):
        monkeypatch.setattr(field.field, "storage", storage)
    monkeypatch.setitem(storages._storages, "private", storage)  # type: ignore[attr-defined]  # no public way
    return storage


@pytest.fixture
def voice(s3: Storage, producer: Any, talent: Talent) -> Voice:
    """A voice that may be built. Its files were stored by the services."""
    terms = {"signed_on": date(2026, 1, 1), "starts_on": date(2026, 1, 1), "intended_uses": "Audiobooks."}
    terms |= {"purposes": [Purpose.NARRATION], "providers": [PROVIDER], **make_confirmed_terms()}
    file_contract(talent, SimpleUploadedFile("paper.pdf", make_pdf()), terms, producer, are_uses_read=True)
    consent = request_consent(talent, PROVIDER, "en-US", Purpose.NARRATION, producer)
    take = submit_take(consent, make_upload("consent-slt"), Capture.LINK)
    consent.refresh_from_db()
    approve_after_listening(consent, take, producer)
    voice = create_voice(talent, "Narrator", "en-US", Purpose.NARRATION, producer)
    for name in ("slt-01", "slt-02", "slt-03"):
        add_recording(voice, make_upload(name), producer, f"Transcript of {name}.")
    mark_checked(voice)
    return voice


def make_upload(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(f"{name}.wav", load_sample_wav(name), content_type="audio/wav")


def start_sandbox_build(voice: Voice, user: Any, tier: str = "rapid", handover: str = "recordings") -> Build:
    account = Account(name="Main", provider=PROVIDER, mode="sandbox")
    account.set_key("a-key")
    account.save(force_insert=True)
    for limit in ("least_recordings", "least_seconds"):
        LimitOverride.objects.create(provider=PROVIDER, tier="professional", limit=limit, value=3, source="Test")
    return start_build(voice, account, tier, handover, user)


def send_file(recording: Recording, *, attachment: bool = False, **headers: str) -> HttpResponse:
    request = RequestFactory().get("/", headers=headers)
    response = media.send_file(request, recording.file, "audio/wav", 'Ünter "den" Linden.wav', attachment=attachment)
    assert isinstance(response, HttpResponse)
    return response


# --- files ------------------------------------------------------------------------------


def test_stored_recording_equals_the_upload(voice: Voice, s3: Storage) -> None:
    recording = voice.recordings.get(file_name="slt-01.wav")
    assert recording.file.storage is s3
    assert recording.is_usable
    with recording.file.open("rb") as file:
        assert file.read() == load_sample_wav("slt-01")
    with recording.file.open("rb") as file:
        assert hash_file(file) == recording.sha256
    assert recording.file.size == recording.size


def test_import_is_checked_added_and_cleared_in_the_bucket(voice: Voice, s3: Storage, producer: Any) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, make_speech_like(2.0, 44100, 120.0), 44100, format="FLAC")
    rows = b"".join(b"none-%d|Some words that nothing has.\n" % number for number in range(400))
    packed = build_zip(ZipMember(b"b.wav", make_clip(2)), ZipMember(b"metadata.csv", b"b|Packed.\n" + rows))
    files = {"a.wav": make_clip(1), "a.flac": buffer.getvalue(), "x.zip": packed, "list.csv": b"a.wav|Words.\n" + rows}
    import_set = make_checked_import(voice, producer, files)
    start_adding(import_set, import_set.by)
    add(import_set)
    run_due_tasks(CLEAR_TASK)
    added = {row.file_name: row for row in voice.recordings.exclude(file_name__startswith="slt")}
    assert {name: row.transcript for name, row in added.items()} == {
        "a.wav": "Words.",
        "b.wav": "Packed.",
        "a.flac": "",
    }
    for name, data in (("a.wav", make_clip(1)), ("b.wav", make_clip(2)), ("a.flac", buffer.getvalue())):
        with added[name].file.open("rb") as file:
            assert file.read() == data
    assert added["a.flac"].wav.size and not s3.listdir(f"imports/{import_set.pk}")[1]
    folders = s3.listdir(f"imports/{import_set.pk}")[0]
    assert not any(s3.listdir(f"imports/{import_set.pk}/{folder}")[1] for folder in folders)
    for row in added.values():
        delete_recording(row)


def test_recording_uploaded_twice_is_stored_once(voice: Voice, s3: Storage, producer: Any) -> None:
    recording, is_new = add_recording(voice, make_upload("slt-01"), producer)
    assert not is_new
    assert len(s3.listdir(f"recordings/{voice.pk}")[1]) == 3
    assert voice.recordings.count() == 3
    delete_recording(recording)


def test_deletion_removes_recording_from_bucket(voice: Voice, s3: Storage) -> None:
    recording = voice.recordings.get(file_name="slt-01.wav")
    name = str(recording.file.name)
    delete_recording(recording)
    run_due_tasks("delete_partial_files")
    assert not s3.exists(name)


@pytest.mark.one_database
def test_converted_and_split_files_are_analyzed_in_the_bucket(voice: Voice, s3: Storage, producer: Any) -> None:
    """A long FLAC file is stored with a converted WAV and split by a task; a task then analyzes the pieces."""
    samples = np.concatenate([soundfile.read(io.BytesIO(load_sample_wav(f"slt-0{n}")))[0] for n in (1, 2, 3, 4, 5)] * 3)
    flac = io.BytesIO()
    soundfile.write(flac, samples, 16000, format="FLAC")
    long_recording, _ = add_recording(voice, SimpleUploadedFile("long.flac", flac.getvalue()), producer)
    assert {f"{long_recording.pk}.bin", f"{long_recording.pk}.made.wav"} <= set(s3.listdir(f"recordings/{voice.pk}")[1])
    enqueue_split(long_recording, producer)
    run_due_tasks("cut_recording")
    missing_piece = long_recording.pieces.order_by("file_name")[0]
    s3.delete(str(missing_piece.file.name))
    run_due_tasks("examine_recordings")
    assert long_recording.pieces.count() > 3 and not long_recording.pieces.filter(analyzed_at=None).exists()
    missing = [row.measures.get("missing") for row in long_recording.pieces.order_by("file_name")]
    assert missing[0] == ["The file is missing from storage. Upload the recording again."] and [] in missing
    for row in [*long_recording.pieces.all(), long_recording]:
        delete_recording(row)
    run_due_tasks("delete_partial_files")
    assert len(s3.listdir(f"recordings/{voice.pk}")[1]) == 3


def test_voice_in_the_bucket_is_downloaded_as_a_dataset(voice: Voice, s3: Storage, producer: Any) -> None:
    prepared = prepare_download(voice, producer, Layout.LJSPEECH, only_in_builds=False)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(prepared.chunks)))
    assert archive.read("wavs/slt-02.wav") == load_sample_wav("slt-02")
    s3.delete(str(voice.recordings.get(file_name="slt-01.wav").file.name))
    with pytest.raises(ActionRefused, match="“slt-01.wav” is missing"):
        prepare_download(voice, producer, Layout.LJSPEECH, only_in_builds=False)


def test_take_and_contract_are_stored_in_bucket(voice: Voice, s3: Storage) -> None:
    take = Take.objects.get(consent__talent=voice.talent)
    with take.file.open("rb") as file:
        assert hash_file(file) == take.sha256
    contract = Contract.objects.get(talent=voice.talent)
    with contract.file.open("rb") as file:
        assert file.read() == make_pdf()
    assert Consent.objects.get(talent=voice.talent).status == ConsentStatus.APPROVED


def test_lost_contract_is_told_from_a_bucket_that_does_not_respond(voice: Voice, s3: Storage, settings: Any) -> None:
    contract = Contract.objects.get(talent=voice.talent)
    assert contract.file_checked_at and check_contract_file(contract) == ""
    options = settings.PRIVATE_S3["OPTIONS"] | CREDENTIALS | {"bucket_name": BUCKET}
    options |= {"endpoint_url": "http://127.0.0.1:1", "client_config": Config(retries={"total_max_attempts": 1})}
    silent = storages.create_storage({"BACKEND": settings.PRIVATE_S3["BACKEND"], "OPTIONS": options})
    contract.file.storage = silent
    with pytest.raises(StorageUnavailable):
        check_contract_file(contract)
    contract = Contract.objects.get(talent=voice.talent)
    assert contract.file_problem == ""
    s3.delete(str(contract.file.name))
    assert check_contract_file(contract) == "The file is missing."
    s3.save(str(contract.file.name), ContentFile(make_pdf() + b" "))
    assert check_contract_file(contract) == CHANGED


# --- signed URLs ------------------------------------------------------------------------


def test_file_is_sent_by_signed_url_valid_for_a_minute(voice: Voice, bucket_url: str) -> None:
    recording = voice.recordings.get(file_name="slt-01.wav")
    response = send_file(recording)
    assert response.status_code == 302
    assert response.content == b""
    url = urlsplit(response["Location"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}" == bucket_url
    assert url.path == f"/{BUCKET}/{recording.file.name}"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Signature"]
    assert query["X-Amz-Credential"].startswith(f"{CREDENTIALS['access_key']}/")
    assert CREDENTIALS["secret_key"] not in response["Location"]
    assert query["response-content-type"] == "audio/wav"
    assert requests.get(response["Location"], timeout=60).content == load_sample_wav("slt-01")


@pytest.mark.parametrize("attachment", [True, False])
def test_signed_url_sets_content_type_and_file_name(voice: Voice, attachment: bool) -> None:
    response = send_file(voice.recordings.get(file_name="slt-01.wav"), attachment=attachment)
    (disposition,) = parse_qs(urlsplit(response["Location"]).query)["response-content-disposition"]
    assert disposition.startswith("attachment" if attachment else "inline")
    assert "%C3%9Cnter" in disposition
    download = requests.get(response["Location"], timeout=60)
    assert download.headers["Content-Type"] == "audio/wav"
    assert download.headers["Content-Disposition"] == disposition


def test_lost_object_is_explained_and_gets_no_signed_url(voice: Voice, s3: Storage, client: Any, producer: Any) -> None:
    recording = voice.recordings.get(file_name="slt-01.wav")
    s3.delete(str(recording.file.name))
    client.force_login(producer)
    response = client.get(reverse("voices:recording_audio", args=[recording.pk]))
    assert response.status_code == 404 and "Location" not in response.headers
    assert "The file is missing. Ask an admin to restore it from the backup." in response.content.decode()


def test_signed_url_supports_range_requests(voice: Voice) -> None:
    response = send_file(voice.recordings.get(file_name="slt-01.wav"), range="bytes=0-3")
    assert response.status_code == 302
    download = requests.get(response["Location"], headers={"Range": "bytes=0-3"}, timeout=60)
    assert (download.status_code, download.content) == (206, b"RIFF")


def test_signed_url_is_made_only_for_permitted_users(voice: Voice, client: Any, producer: Any, outsider: Any) -> None:
    path = reverse("voices:recording_audio", args=[voice.recordings.get(file_name="slt-01.wav").pk])
    assert "X-Amz" not in client.get(path).headers.get("Location", "")
    client.force_login(outsider)
    assert client.get(path).status_code in (403, 404)
    client.force_login(producer)
    response = client.get(path)
    assert response.status_code == 302
    assert "X-Amz-Signature" in response["Location"]
    cache = response.headers.get("Cache-Control", "")
    assert "no-store" in cache or "private" in cache or "max-age=0" in cache, "a proxy may cache the signed URL"


# --- builds -----------------------------------------------------------------------------


def test_build_reads_recordings_and_consent_from_bucket(voice: Voice, producer: Any) -> None:
    spec = make_build_spec(start_sandbox_build(voice, producer), refuse_single_file)
    assert spec.consent
    with spec.consent.open() as file:
        assert file.read() == load_sample_wav("consent-slt")
    assert spec.consent.size == len(load_sample_wav("consent-slt"))
    for clip in spec.clips:
        with clip.audio.open() as file:
            assert len(file.read()) == clip.audio.size > 0


@pytest.mark.parametrize("tier", ["rapid", "professional"])
def test_dataset_is_streamed_by_voicehub_and_not_by_the_bucket(
    voice: Voice, producer: Any, client: Any, tier: str
) -> None:
    """The provider gets a URL of VoiceHub, never a URL of the bucket."""
    build = start_sandbox_build(voice, producer, tier, "dataset_url")
    name = "dataset.wav" if tier == "rapid" else "dataset.zip"
    response = client.get(reverse("voices:dataset", args=[derive_token("dataset", build.pk), name]))
    assert response.status_code == 200
    content = b"".join(response.streaming_content)
    if tier == "rapid":
        assert len(content) == int(response["Content-Length"])
        assert load_sample_wav("slt-01")[4044:5044] in content  # not the edges of the clip, as they are faded
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            expected = {f"{make_clip_name(row)}.wav" for row in voice.recordings.all()} | {"metadata.csv"}
            assert set(archive.namelist()) == expected
            assert archive.testzip() is None


# --- settings ---------------------------------------------------------------------------

PRINT_STORAGES_SCRIPT = """
import django
django.setup()
from django.core.files.storage import storages
from consent.models import Take
from voices.models import Recording
for storage in (storages["private"], storages["default"], Recording._meta.get_field("file").storage,
                Take._meta.get_field("file").storage):
    print(type(storage).__name__, storage.bucket_name, storage.endpoint_url, storage.region_name,
          storage.querystring_auth, storage.querystring_expire, storage.default_acl, storage.file_overwrite)
"""


def test_bucket_from_environment_is_private() -> None:
    variables = {
        "VOICEHUB_S3_BUCKET": BUCKET,
        "VOICEHUB_S3_ENDPOINT": "http://s3.test:9000",
        "VOICEHUB_S3_REGION": "eu-central-1",
        "VOICEHUB_S3_ACCESS_KEY": CREDENTIALS["access_key"],
        "VOICEHUB_S3_SECRET_KEY": CREDENTIALS["secret_key"],
    }
    process = subprocess.run(
        [sys.executable, "-c", PRINT_STORAGES_SCRIPT],
        env=os.environ | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    line = f"S3Storage {BUCKET} http://s3.test:9000 eu-central-1 True 60 None False"
    assert process.stdout.splitlines() == [line] * 4
