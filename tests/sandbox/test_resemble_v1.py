"""Resemble v1 in the sandbox: the documented calls (announce, upload, build), and the checks of datasets."""

import hashlib
import io
import tarfile
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import pytest
import requests
import soundfile

from audio.datasets.archive_writer import DatasetEntry, stream_tarball
from tests.sandbox.conftest import RMS_CLIPS, SLT_CLIPS
from tests.support.sandbox import TIMEOUT_SECONDS, CallbackServer, SandboxProcess, poll_until
from tests.support.wav import SAMPLE_FOLDER, load_sample_wav, make_sine_tone, make_wav_bytes, make_white_noise
from tests.support.zips import STORED, ZipMember, build_zip

SCORE_KEYS = {"voice_similarity", "fluency", "pauses", "resemble_score"}
ANNOUNCE_KEYS = {"url", "headers", "voice"}


@cache
def join_clips(*clip_names: str) -> bytes:
    """Concatenate clips of the sample studio into one WAV."""
    return make_wav_bytes(np.concatenate([soundfile.read(SAMPLE_FOLDER / f"{name}.flac")[0] for name in clip_names]))


def make_tarball(clips: dict[str, bytes], texts: dict[str, str] | None = None) -> bytes:
    """Pack clips, keyed by name, into a .tar.gz. If there are texts, add metadata.csv."""
    entries = [_make_entry(name, (texts or {}).get(name, ""), data) for name, data in clips.items()]
    return b"".join(stream_tarball(entries, with_text=texts is not None))


def _make_entry(name: str, text: str, data: bytes) -> DatasetEntry:
    return DatasetEntry(name, text, len(data), lambda: io.BytesIO(data))


def read_samples(*names: str) -> dict[str, bytes]:
    return {name.replace("-", ""): load_sample_wav(name) for name in names}


def compute_md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


class ResembleV1Account:
    """An account with its own key."""

    def __init__(self, sandbox: SandboxProcess, key: str = "") -> None:
        self.sandbox = sandbox
        self.key = key or f"key-{uuid4().hex}"

    @property
    def key_digest(self) -> str:
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]

    def call_api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Token token={self.key}"} | options.pop("headers", {})
        url = f"{self.sandbox.address}/resemble/api/v1/{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS, **options)

    def send_announcement(self, data: bytes, **fields: Any) -> requests.Response:
        """Send step 1 as documented, with `fields` changed. A field that is None is not sent."""
        is_archive = not data.startswith(b"RIFF")
        body: dict[str, Any] = {
            "name": "Demo",
            "filename": "data.tar.gz" if is_archive else "data.wav",
            "byte_size": len(data),
            "checksum": b64encode(compute_md5(data)).decode(),
            "content-type": "application/gzip" if is_archive else "audio/x-wav",
        }
        sent_fields = {name: value for name, value in (body | fields).items() if value is not None}
        return self.call_api("POST", "voices", json=sent_fields)

    def announce_data(self, data: bytes, **fields: Any) -> dict[str, Any]:
        response = self.send_announcement(data, **fields)
        assert response.status_code == 200, response.text
        announcement: dict[str, Any] = response.json()
        assert set(announcement) == ANNOUNCE_KEYS
        return announcement

    def upload_data(self, data: bytes, **fields: Any) -> str:
        """Do steps 1 and 2 (announce and upload). Return the voice's UUID."""
        announcement = self.announce_data(data, **fields)
        assert put_data(announcement, data).status_code == 200
        return str(announcement["voice"])

    def train_voice(self, data: bytes, **fields: Any) -> dict[str, Any]:
        """Do all three steps and wait for the end. Return the voice from the list."""
        uuid = self.upload_data(data, **fields)
        response = self.request_build(uuid)
        assert (response.status_code, response.json()) == (200, {"success": True})
        return self.wait_for_end(uuid)

    def request_build(self, uuid: str) -> requests.Response:
        return self.call_api("POST", "voices/build", json={"voice": uuid})

    def wait_for_end(self, uuid: str) -> dict[str, Any]:
        def fetch_ended_voice() -> dict[str, Any] | None:
            (voice,) = [voice for voice in self.list_voices() if voice["uuid"] == uuid]
            return None if voice["status"] == "running" else voice

        return poll_until(fetch_ended_voice, timeout_seconds=3 * TIMEOUT_SECONDS)  # analyzing many segments is slow

    def list_voices(self) -> list[dict[str, Any]]:
        voices: list[dict[str, Any]] = self.call_api("GET", "voices").json()
        return voices


def put_data(announcement: dict[str, Any], data: bytes, **headers: str | None) -> requests.Response:
    """Send step 2, the upload, without a key and with the headers from the response to step 1."""
    request_headers = announcement["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.put(announcement["url"], data=data, headers=request_headers, timeout=TIMEOUT_SECONDS)


@pytest.fixture
def account(sandbox: SandboxProcess) -> ResembleV1Account:
    sandbox.call_control("POST", "settings", {"professional_seconds": 5.0})
    return ResembleV1Account(sandbox)


# --- the three steps ---


def test_three_documented_steps_create_a_voice_from_one_wav(account: ResembleV1Account) -> None:
    data = join_clips(*SLT_CLIPS)
    announcement = account.announce_data(data)
    assert announcement["headers"] == {
        "Content-Type": "audio/x-wav",
        "Content-MD5": b64encode(compute_md5(data)).decode(),
    }
    (voice,) = account.list_voices()
    assert voice == {
        "name": "Demo",
        "language": "en-US",
        "id": voice["id"],
        "uuid": announcement["voice"],
        "status": "initializing",
    }
    assert put_data(announcement, data).status_code == 200
    assert account.request_build(announcement["voice"]).json() == {"success": True}
    ended_voice = account.wait_for_end(announcement["voice"])
    assert (ended_voice["status"], ended_voice["id"]) == ("finished", voice["id"])
    assert set(ended_voice["scores"]) == SCORE_KEYS
    assert all(0 <= score <= 1 for score in ended_voice["scores"].values())


@pytest.mark.parametrize("texts", [None, {name.replace("-", ""): f"Text of {name}." for name in SLT_CLIPS}])
def test_clips_can_be_trained_with_and_without_texts(account: ResembleV1Account, texts: dict[str, str] | None) -> None:
    voice = account.train_voice(make_tarball(read_samples(*SLT_CLIPS), texts))
    assert voice["status"] == "finished", voice
    assert set(voice["scores"]) == SCORE_KEYS


def test_zip_and_plain_tar_datasets_are_read(account: ResembleV1Account) -> None:
    clips = read_samples(*SLT_CLIPS)
    zip_archive = build_zip(*(ZipMember(f"{name}.wav".encode(), data, method=STORED) for name, data in clips.items()))
    fields = {"content-type": "application/zip", "filename": "data.zip"}
    assert account.train_voice(zip_archive, **fields)["status"] == "finished"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in clips.items():
            member = tarfile.TarInfo(f"folder/{name}.wav")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    fields = {"content-type": "application/x-tar", "filename": "data.tar"}
    assert account.train_voice(buffer.getvalue(), **fields)["status"] == "finished"


def test_noise_lowers_the_scores(account: ResembleV1Account) -> None:
    clean_samples = np.concatenate([soundfile.read(SAMPLE_FOLDER / f"{name}.flac")[0] for name in SLT_CLIPS])
    noisy = make_wav_bytes(clean_samples + make_white_noise(len(clean_samples) / 16000, -35))
    scores = account.train_voice(noisy)["scores"]
    assert scores["voice_similarity"] < account.train_voice(join_clips(*SLT_CLIPS))["scores"]["voice_similarity"]


# --- step 1: the announcement ---


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": None}, "name"),
        ({"name": ["x"]}, "name"),
        ({"filename": None}, "filename"),
        ({"filename": "my voice.wav"}, "alphanumeric"),
        ({"filename": "voice-1.wav"}, "alphanumeric"),
        ({"filename": "voice.mp3"}, "alphanumeric"),
        ({"filename": "../voice.wav"}, "alphanumeric"),
        ({"content-type": "application/gzip"}, "filename"),
        ({"content-type": "audio/mpeg"}, "content-type"),
        ({"content_type": "application/gzip"}, "content-type"),
        ({"byte_size": None}, "byte_size"),
        ({"byte_size": "10"}, "byte_size"),
        ({"byte_size": 0}, "byte_size"),
        ({"byte_size": True}, "byte_size"),
        ({"byte_size": 1 << 40}, "byte_size"),
        ({"checksum": None}, "checksum"),
        ({"checksum": "ce1231231231231231"}, "checksum"),
        ({"checksum": "not base64 at all!"}, "checksum"),
        ({"callback_uri": "ftp://x"}, "callback_uri"),
    ],
)
def test_invalid_announcement_is_refused_in_the_vendors_form(
    account: ResembleV1Account, fields: dict[str, Any], message: str
) -> None:
    response = account.send_announcement(b"RIFF....", **fields)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert message in error
    assert account.list_voices() == []


def test_both_content_type_spellings_and_md5_encodings_are_accepted(account: ResembleV1Account) -> None:
    data = make_tarball(read_samples("slt-01"))
    for spelling in ("content-type", "content_type"):
        fields = {"content-type": None} | {spelling: "application/gzip"}
        assert account.announce_data(data, **fields)["headers"]["Content-Type"] == "application/gzip"
    hex_announcement = account.announce_data(data, checksum=compute_md5(data).hex())
    assert hex_announcement["headers"]["Content-MD5"] == compute_md5(data).hex()
    assert put_data(hex_announcement, data).status_code == 200
    untyped_announcement = account.announce_data(b"RIFF", **{"content-type": None})
    assert untyped_announcement["headers"]["Content-Type"] == "audio/x-wav"


@pytest.mark.parametrize("header", ["Token token={}", 'Token token="{}"'])
def test_key_is_accepted_with_and_without_quotes(account: ResembleV1Account, header: str) -> None:
    account.announce_data(b"RIFF")
    response = account.call_api("GET", "voices", headers={"Authorization": header.format(account.key)})
    assert len(response.json()) == 1


@pytest.mark.parametrize("header", ["Bearer {}", "{}", "", "Token {}", "Token token=bad{}"])
def test_key_in_another_header_form_is_refused(account: ResembleV1Account, header: str) -> None:
    response = account.call_api("GET", "voices", headers={"Authorization": header.format(account.key)})
    assert response.status_code == 401
    assert list(response.json()) == ["errors"]


def test_account_without_the_plan_can_only_list_voices(sandbox: SandboxProcess) -> None:
    account = ResembleV1Account(sandbox, f"plan-{uuid4().hex}")
    assert account.send_announcement(b"RIFF").status_code == 403
    assert account.request_build("x").status_code == 403
    assert account.list_voices() == []


def test_voice_of_another_account_is_not_found(account: ResembleV1Account) -> None:
    uuid = account.upload_data(join_clips("slt-01"))
    other_account = ResembleV1Account(account.sandbox)
    assert other_account.list_voices() == []
    response = other_account.request_build(uuid)
    assert (response.status_code, response.json()) == (404, {"errors": ["Voice not found."]})


# --- step 2: the signed URL ---


def test_upload_needs_the_exact_signed_url_and_no_key(account: ResembleV1Account) -> None:
    data = join_clips("slt-01")
    announcement = account.announce_data(data)
    guessed_path = announcement | {"url": announcement["url"][:-1] + ("A" if announcement["url"][-1] != "A" else "B")}
    second_announcement = account.announce_data(data)
    url = urlsplit(announcement["url"])
    swapped_query = announcement | {
        "url": f"{url.scheme}://{url.netloc}{url.path}?{urlsplit(second_announcement['url']).query}"
    }
    for altered in (guessed_path, swapped_query, announcement | {"url": announcement["url"].partition("?")[0]}):
        response = put_data(altered, data)
        assert (response.status_code, response.headers["Content-Type"]) == (403, "application/xml")
        assert "<Code>AccessDenied</Code>" in response.text
    assert put_data(announcement, data, Authorization=f"Token token={account.key}").status_code == 400
    assert account.request_build(announcement["voice"]).status_code == 400
    assert put_data(announcement, data).status_code == 200
    assert put_data(announcement, data).status_code == 200


def test_signed_url_expires(account: ResembleV1Account) -> None:
    data = join_clips("slt-01")
    announcement = account.announce_data(data)
    account.sandbox.call_control("POST", "clock", {"forward": 14 * 60})
    assert put_data(announcement, data).status_code == 200
    account.sandbox.call_control("POST", "clock", {"forward": 2 * 60})
    response = put_data(announcement, data)
    assert (response.status_code, "Request has expired" in response.text) == (403, True)


def test_upload_that_differs_from_the_announcement_is_refused(account: ResembleV1Account) -> None:
    data = join_clips("slt-01")
    announcement = account.announce_data(data)
    for response, status, code in (
        (put_data(announcement, data, Content_MD5=b64encode(compute_md5(b"x")).decode()), 403, "SignatureDoesNotMatch"),
        (put_data(announcement, data, Content_Type="audio/wav"), 403, "SignatureDoesNotMatch"),
        (put_data(announcement, data, Content_MD5=None), 403, "SignatureDoesNotMatch"),
        (put_data(announcement, data[:-2]), 403, "SignatureDoesNotMatch"),
        (put_data(announcement, data[:-2] + b"xx"), 400, "BadDigest"),
    ):
        assert (response.status_code, f"<Code>{code}</Code>" in response.text) == (status, True), response.text
    response = account.request_build(announcement["voice"])
    assert (response.status_code, response.json()) == (400, {"errors": ["There is no data for this voice yet."]})


def test_signature_is_not_in_the_request_log(account: ResembleV1Account) -> None:
    data = join_clips("slt-01")
    announcement = account.announce_data(data)
    put_data(announcement, data)
    upload = next(r for r in reversed(account.sandbox.list_requests()) if r["operation"] == "v1_upload")
    assert (upload["account"], upload["status"]) == (account.key_digest, 200)
    assert announcement["url"].rpartition("=")[2] not in str(account.sandbox.list_requests())


# --- datasets ---


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ({}, "no WAV file"),
        ({"short": make_wav_bytes(make_sine_tone(1.4))}, "short.wav lasts 1.4 seconds; 1.5 to 20 are allowed"),
        ({"long": make_wav_bytes(make_sine_tone(20.1))}, "long.wav lasts 20.1 seconds"),
        ({"stereo": make_wav_bytes(make_sine_tone(2), channels=2)}, "stereo.wav cannot be used"),
        ({"slow": make_wav_bytes(make_sine_tone(2, 11025), rate=11025)}, "slow.wav cannot be used"),
        ({"noRIFF": b"nothing of the kind"}, "noRIFF.wav cannot be used"),
        ({"take-01": make_wav_bytes(make_sine_tone(2))}, "take-01.wav has a name that is not alphanumeric"),
        ({"silence": make_wav_bytes(np.zeros(32000))}, "There is no speech in: silence"),
    ],
)
def test_dataset_that_breaks_a_documented_rule_is_an_issue(
    account: ResembleV1Account, clips: dict[str, bytes], message: str
) -> None:
    voice = account.train_voice(make_tarball(read_samples(*SLT_CLIPS) | clips if clips else {}))
    assert voice["status"] == "dataset_issue"
    assert message in voice["issue"]
    assert "scores" not in voice


def test_texts_and_clips_that_do_not_match_are_an_issue(account: ResembleV1Account) -> None:
    voice = account.train_voice(make_tarball(read_samples(*SLT_CLIPS), {"slt01": "Only this one."}))
    assert "metadata.csv has no text for slt02, slt03" in voice["issue"]
    clips = {f"{name}.wav": data for name, data in read_samples(*SLT_CLIPS).items()}
    metadata = "".join(f"{name}|Text.\n" for name in ("slt01", "nowhere")).encode()
    members = [
        ZipMember(name.encode(), data, method=STORED) for name, data in (clips | {"metadata.csv": metadata}).items()
    ]
    voice = account.train_voice(build_zip(*members), **{"content-type": "application/zip", "filename": "data.zip"})
    assert "metadata.csv names files that are not there: nowhere" in voice["issue"]


def test_another_speaker_is_detected_in_clips(account: ResembleV1Account) -> None:
    voice = account.train_voice(make_tarball(read_samples(*SLT_CLIPS, "rms-01")))
    assert voice["status"] == "dataset_issue"
    assert "another speaker or level): rms01" in voice["issue"]


def test_another_speaker_is_detected_in_one_wav(account: ResembleV1Account) -> None:
    voice = account.train_voice(join_clips(*SLT_CLIPS, *SLT_CLIPS, *RMS_CLIPS[:4]))
    assert voice["status"] == "dataset_issue"
    assert "another speaker" in voice["issue"]


@pytest.mark.parametrize(
    "data", [b"junk", b"\x1f\x8bjunk", b"PK\x03\x04junk", make_tarball(read_samples("slt-01"))[:5000]]
)
def test_unreadable_archive_is_an_issue(account: ResembleV1Account, data: bytes) -> None:
    assert "neither a readable .zip nor a readable .tar.gz" in account.train_voice(data)["issue"]


def test_invalid_wav_is_an_issue(account: ResembleV1Account) -> None:
    assert "The audio file cannot be used" in account.train_voice(b"RIFFjunk")["issue"]


def test_too_little_audio_is_an_issue(account: ResembleV1Account) -> None:
    account.sandbox.call_control("POST", "settings", {"professional_seconds": 30.0})
    assert "at least 30 are needed" in account.train_voice(join_clips("slt-01"))["issue"]


# --- step 3: the build ---


def test_voice_in_training_is_not_built_twice(account: ResembleV1Account) -> None:
    account.sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    uuid = account.upload_data(join_clips("slt-01"))
    assert account.request_build(uuid).status_code == 200
    response = account.request_build(uuid)
    assert (response.status_code, response.json()) == (400, {"errors": ["This voice is already being built."]})
    lines = account.sandbox.read_ledger(account=account.key_digest)
    assert [(line["operation"], line["name"], line["voice"], line["charged"]) for line in lines] == [
        ("v1_create_voice", "Demo", uuid, 0.0),
        ("v1_build", "Demo", uuid, 500.0),
    ]


def test_second_build_has_no_scores_while_it_runs(account: ResembleV1Account) -> None:
    data = join_clips(*SLT_CLIPS)
    announcement = account.announce_data(data)
    put_data(announcement, data)
    account.request_build(announcement["voice"])
    assert account.wait_for_end(announcement["voice"])["status"] == "finished"
    account.sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    assert account.request_build(announcement["voice"]).status_code == 200
    (voice,) = account.list_voices()
    assert (voice["status"], "scores" in voice) == ("running", False)


@pytest.mark.parametrize("is_usable", [True, False])
def test_callback_reports_status_issue_and_scores(
    account: ResembleV1Account, listener: CallbackServer, is_usable: bool
) -> None:
    data = join_clips(*SLT_CLIPS) if is_usable else join_clips("rms-silent")
    voice = account.train_voice(data, callback_uri=f"{listener.address}/hook")
    callback = listener.wait_for_callback()
    assert (callback["id"], callback["ok"], callback["status"]) == (voice["uuid"], is_usable, voice["status"])
    assert callback["issue"] == voice.get("issue")
    assert callback.get("scores") == voice.get("scores")


def test_training_continues_after_a_restart(start_sandbox: Callable[..., SandboxProcess], folder: Path) -> None:
    first = start_sandbox(folder, training_seconds=600.0)
    account = ResembleV1Account(first)
    uuid = account.upload_data(join_clips(*SLT_CLIPS, *SLT_CLIPS))
    account.request_build(uuid)
    first.kill()
    second = start_sandbox(folder)
    second.call_control("POST", "settings", {"resemble_v1_calls_per_second": 0})
    second.call_control("POST", "clock", {"forward": 700})
    assert ResembleV1Account(second, account.key).wait_for_end(uuid)["status"] == "finished"


def test_fault_responses_have_the_vendors_form(account: ResembleV1Account) -> None:
    account.sandbox.set_faults({"operation": "v1_list_voices", "do": "status:503"})
    response = account.call_api("GET", "voices")
    assert (response.status_code, list(response.json())) == (503, ["errors"])
    account.sandbox.set_faults({"operation": "v1_list_voices", "do": "hide:60"})
    account.announce_data(b"RIFF")
    assert account.list_voices() == []
    account.sandbox.set_faults({"operation": "v1_upload", "do": "status:503"})
    assert "<Error>" in put_data(account.announce_data(b"RIFF"), b"RIFF").text
