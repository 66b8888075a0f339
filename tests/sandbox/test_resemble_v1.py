"""Resemble v1 in the sandbox, asked as the vendor's page asks: announce, put, build; and what it makes of datasets."""

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

from audio.datasets.archive_writer import Entry, stream_tarball
from tests.sandbox.conftest import RMS_CLIPS, SLT_CLIPS
from tests.support.sandbox import PATIENCE, Listener, Sandbox, until
from tests.support.wav import SAMPLE, noise, sample_wav, tone, wav_bytes
from tests.support.zips import STORED, Member, zip_of

SCORES = {"voice_similarity", "fluency", "pauses", "resemble_score"}
SAID = {"url", "headers", "voice"}


@cache
def spoken(*names: str) -> bytes:
    """Clips of the sample studio, one after the other, as one WAV."""
    return wav_bytes(np.concatenate([soundfile.read(SAMPLE / f"{name}.flac")[0] for name in names]))


def packed(clips: dict[str, bytes], texts: dict[str, str] | None = None) -> bytes:
    """A .tar.gz of clips by name, with the texts where there are any."""
    entries = [_entry(name, (texts or {}).get(name, ""), data) for name, data in clips.items()]
    return b"".join(stream_tarball(entries, with_text=texts is not None))


def _entry(name: str, text: str, data: bytes) -> Entry:
    return Entry(name, text, len(data), lambda: io.BytesIO(data))


def samples(*names: str) -> dict[str, bytes]:
    return {name.replace("-", ""): sample_wav(name) for name in names}


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


class Studio:
    """A customer with a key of its own."""

    def __init__(self, sandbox: Sandbox, key: str = "") -> None:
        self.sandbox = sandbox
        self.key = key or f"key-{uuid4().hex}"

    @property
    def hint(self) -> str:
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Token token={self.key}"} | more.pop("headers", {})
        url = f"{self.sandbox.address}/resemble/api/v1/{path}"
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **more)

    def announces(self, data: bytes, **fields: Any) -> requests.Response:
        """Step 1, as on the page unless told otherwise; a field that is None is not sent."""
        archive = not data.startswith(b"RIFF")
        body: dict[str, Any] = {
            "name": "Demo",
            "filename": "data.tar.gz" if archive else "data.wav",
            "byte_size": len(data),
            "checksum": b64encode(md5(data)).decode(),
            "content-type": "application/gzip" if archive else "audio/x-wav",
        }
        sent = {name: value for name, value in (body | fields).items() if value is not None}
        return self.call("POST", "voices", json=sent)

    def announced(self, data: bytes, **fields: Any) -> dict[str, Any]:
        answer = self.announces(data, **fields)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        assert set(said) == SAID
        return said

    def sent(self, data: bytes, **fields: Any) -> str:
        """Steps 1 and 2; the voice."""
        said = self.announced(data, **fields)
        assert put(said, data).status_code == 200
        return str(said["voice"])

    def trained(self, data: bytes, **fields: Any) -> dict[str, Any]:
        """All three steps, and the voice as the list has it when that is over."""
        uuid = self.sent(data, **fields)
        answer = self.builds(uuid)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        return self.ended(uuid)

    def builds(self, uuid: str) -> requests.Response:
        return self.call("POST", "voices/build", json={"voice": uuid})

    def ended(self, uuid: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            (voice,) = [voice for voice in self.voices() if voice["uuid"] == uuid]
            return None if voice["status"] == "running" else voice

        return until(look, patience=3 * PATIENCE)  # listening to many pieces takes its time

    def voices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "voices").json()
        return found


def put(said: dict[str, Any], data: bytes, **headers: str | None) -> requests.Response:
    """Step 2: no key, and the headers of step 1."""
    given = said["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.put(said["url"], data=data, headers=given, timeout=PATIENCE)


@pytest.fixture
def studio(sandbox: Sandbox) -> Studio:
    sandbox.control("POST", "settings", {"professional_seconds": 5.0})
    return Studio(sandbox)


# --- the three steps ---


def test_the_three_steps_of_the_page_make_a_voice_of_one_wav(studio: Studio) -> None:
    data = spoken(*SLT_CLIPS)
    said = studio.announced(data)
    assert said["headers"] == {"Content-Type": "audio/x-wav", "Content-MD5": b64encode(md5(data)).decode()}
    (voice,) = studio.voices()
    assert voice == {
        "name": "Demo",
        "language": "en-US",
        "id": voice["id"],
        "uuid": said["voice"],
        "status": "initializing",
    }
    assert put(said, data).status_code == 200
    assert studio.builds(said["voice"]).json() == {"success": True}
    ended = studio.ended(said["voice"])
    assert (ended["status"], ended["id"]) == ("finished", voice["id"])
    assert set(ended["scores"]) == SCORES
    assert all(0 <= score <= 1 for score in ended["scores"].values())


@pytest.mark.parametrize("texts", [None, {name.replace("-", ""): f"Said in {name}." for name in SLT_CLIPS}])
def test_clips_with_and_without_texts(studio: Studio, texts: dict[str, str] | None) -> None:
    voice = studio.trained(packed(samples(*SLT_CLIPS), texts))
    assert voice["status"] == "finished", voice
    assert set(voice["scores"]) == SCORES


def test_a_zip_and_a_plain_tar_are_read_too(studio: Studio) -> None:
    clips = samples(*SLT_CLIPS)
    zipped = zip_of(*(Member(f"{name}.wav".encode(), data, method=STORED) for name, data in clips.items()))
    kind = {"content-type": "application/zip", "filename": "data.zip"}
    assert studio.trained(zipped, **kind)["status"] == "finished"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in clips.items():
            part = tarfile.TarInfo(f"folder/{name}.wav")
            part.size = len(data)
            tar.addfile(part, io.BytesIO(data))
    kind = {"content-type": "application/x-tar", "filename": "data.tar"}
    assert studio.trained(out.getvalue(), **kind)["status"] == "finished"


def test_noise_lowers_the_scores(studio: Studio) -> None:
    clean = np.concatenate([soundfile.read(SAMPLE / f"{name}.flac")[0] for name in SLT_CLIPS])
    hissing = wav_bytes(clean + noise(len(clean) / 16000, -35))
    scores = studio.trained(hissing)["scores"]
    assert scores["voice_similarity"] < studio.trained(spoken(*SLT_CLIPS))["scores"]["voice_similarity"]


# --- what is announced ---


@pytest.mark.parametrize(
    ("fields", "words"),
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
def test_what_is_wrong_in_an_announcement_is_said_in_the_vendors_form(
    studio: Studio, fields: dict[str, Any], words: str
) -> None:
    answer = studio.announces(b"RIFF....", **fields)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert words in error
    assert studio.voices() == []


def test_both_spellings_and_both_encodings(studio: Studio) -> None:
    data = packed(samples("slt-01"))
    for spelling in ("content-type", "content_type"):
        kind = {"content-type": None} | {spelling: "application/gzip"}
        assert studio.announced(data, **kind)["headers"]["Content-Type"] == "application/gzip"
    hexed = studio.announced(data, checksum=md5(data).hex())
    assert hexed["headers"]["Content-MD5"] == md5(data).hex()
    assert put(hexed, data).status_code == 200
    bare = studio.announced(b"RIFF", **{"content-type": None})
    assert bare["headers"]["Content-Type"] == "audio/x-wav"


@pytest.mark.parametrize("header", ["Token token={}", 'Token token="{}"'])
def test_key_is_taken_with_quotes_and_without(studio: Studio, header: str) -> None:
    studio.announced(b"RIFF")
    answer = studio.call("GET", "voices", headers={"Authorization": header.format(studio.key)})
    assert len(answer.json()) == 1


@pytest.mark.parametrize("header", ["Bearer {}", "{}", "", "Token {}", "Token token=bad{}"])
def test_other_ways_to_show_a_key_are_not_this_apis(studio: Studio, header: str) -> None:
    answer = studio.call("GET", "voices", headers={"Authorization": header.format(studio.key)})
    assert answer.status_code == 401
    assert list(answer.json()) == ["errors"]


def test_an_account_that_is_not_enabled_may_only_look(sandbox: Sandbox) -> None:
    studio = Studio(sandbox, f"plan-{uuid4().hex}")
    assert studio.announces(b"RIFF").status_code == 403
    assert studio.builds("x").status_code == 403
    assert studio.voices() == []


def test_voices_of_others_are_not_there(studio: Studio) -> None:
    uuid = studio.sent(spoken("slt-01"))
    other = Studio(studio.sandbox)
    assert other.voices() == []
    answer = other.builds(uuid)
    assert (answer.status_code, answer.json()) == (404, {"errors": ["Voice not found."]})


# --- the signed address ---


def test_the_address_is_not_guessed_and_wants_no_key(studio: Studio) -> None:
    data = spoken("slt-01")
    said = studio.announced(data)
    guessed = said | {"url": said["url"][:-1] + ("A" if said["url"][-1] != "A" else "B")}
    other = studio.announced(data)
    parts = urlsplit(said["url"])
    swapped = said | {"url": f"{parts.scheme}://{parts.netloc}{parts.path}?{urlsplit(other['url']).query}"}
    for wrong in (guessed, swapped, said | {"url": said["url"].partition("?")[0]}):
        answer = put(wrong, data)
        assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/xml")
        assert "<Code>AccessDenied</Code>" in answer.text
    assert put(said, data, Authorization=f"Token token={studio.key}").status_code == 400
    assert studio.builds(said["voice"]).status_code == 400
    assert put(said, data).status_code == 200
    assert put(said, data).status_code == 200


def test_the_address_expires(studio: Studio) -> None:
    data = spoken("slt-01")
    said = studio.announced(data)
    studio.sandbox.control("POST", "clock", {"forward": 14 * 60})
    assert put(said, data).status_code == 200
    studio.sandbox.control("POST", "clock", {"forward": 2 * 60})
    answer = put(said, data)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_other_bytes_than_were_announced_are_refused(studio: Studio) -> None:
    data = spoken("slt-01")
    said = studio.announced(data)
    for answer, status, code in (
        (put(said, data, Content_MD5=b64encode(md5(b"x")).decode()), 403, "SignatureDoesNotMatch"),
        (put(said, data, Content_Type="audio/wav"), 403, "SignatureDoesNotMatch"),
        (put(said, data, Content_MD5=None), 403, "SignatureDoesNotMatch"),
        (put(said, data[:-2]), 403, "SignatureDoesNotMatch"),
        (put(said, data[:-2] + b"xx"), 400, "BadDigest"),
    ):
        assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (status, True), answer.text
    answer = studio.builds(said["voice"])
    assert (answer.status_code, answer.json()) == (400, {"errors": ["There is no data for this voice yet."]})


def test_the_signature_is_in_no_log(studio: Studio) -> None:
    data = spoken("slt-01")
    said = studio.announced(data)
    put(said, data)
    upload = next(r for r in reversed(studio.sandbox.requests()) if r["operation"] == "v1_upload")
    assert (upload["account"], upload["status"]) == (studio.hint, 200)
    assert said["url"].rpartition("=")[2] not in str(studio.sandbox.requests())


# --- datasets ---


@pytest.mark.parametrize(
    ("clips", "words"),
    [
        ({}, "no WAV file"),
        ({"short": wav_bytes(tone(1.4))}, "short.wav lasts 1.4 seconds; 1.5 to 20 are allowed"),
        ({"long": wav_bytes(tone(20.1))}, "long.wav lasts 20.1 seconds"),
        ({"stereo": wav_bytes(tone(2), channels=2)}, "stereo.wav cannot be used"),
        ({"slow": wav_bytes(tone(2, 11025), rate=11025)}, "slow.wav cannot be used"),
        ({"noRIFF": b"nothing of the kind"}, "noRIFF.wav cannot be used"),
        ({"take-01": wav_bytes(tone(2))}, "take-01.wav has a name that is not alphanumeric"),
        ({"silence": wav_bytes(np.zeros(32000))}, "There is no speech in: silence"),
    ],
)
def test_what_breaks_a_rule_of_the_page_is_named(studio: Studio, clips: dict[str, bytes], words: str) -> None:
    voice = studio.trained(packed(samples(*SLT_CLIPS) | clips if clips else {}))
    assert voice["status"] == "dataset_issue"
    assert words in voice["issue"]
    assert "scores" not in voice


def test_texts_and_clips_must_match(studio: Studio) -> None:
    voice = studio.trained(packed(samples(*SLT_CLIPS), {"slt01": "Only this one."}))
    assert "metadata.csv has no text for slt02, slt03" in voice["issue"]
    clips = {f"{name}.wav": data for name, data in samples(*SLT_CLIPS).items()}
    lines = "".join(f"{name}|Words.\n" for name in ("slt01", "nowhere")).encode()
    members = [Member(name.encode(), data, method=STORED) for name, data in (clips | {"metadata.csv": lines}).items()]
    voice = studio.trained(zip_of(*members), **{"content-type": "application/zip", "filename": "data.zip"})
    assert "metadata.csv names files that are not there: nowhere" in voice["issue"]


def test_another_speaker_is_noticed_in_clips(studio: Studio) -> None:
    voice = studio.trained(packed(samples(*SLT_CLIPS, "rms-01")))
    assert voice["status"] == "dataset_issue"
    assert "another speaker or level): rms01" in voice["issue"]


def test_another_speaker_is_noticed_in_one_wav(studio: Studio) -> None:
    voice = studio.trained(spoken(*SLT_CLIPS, *SLT_CLIPS, *RMS_CLIPS[:4]))
    assert voice["status"] == "dataset_issue"
    assert "another speaker" in voice["issue"]


@pytest.mark.parametrize("data", [b"junk", b"\x1f\x8bjunk", b"PK\x03\x04junk", packed(samples("slt-01"))[:5000]])
def test_what_cannot_be_read_at_all(studio: Studio, data: bytes) -> None:
    assert "neither a readable .zip nor a readable .tar.gz" in studio.trained(data)["issue"]


def test_a_raw_file_that_is_no_wav(studio: Studio) -> None:
    assert "The audio file cannot be used" in studio.trained(b"RIFFjunk")["issue"]


def test_too_little_sound(studio: Studio) -> None:
    studio.sandbox.control("POST", "settings", {"professional_seconds": 30.0})
    assert "30 are needed at least" in studio.trained(spoken("slt-01"))["issue"]


# --- building ---


def test_a_voice_in_training_is_not_built_twice(studio: Studio) -> None:
    studio.sandbox.control("POST", "settings", {"training_seconds": 600.0})
    uuid = studio.sent(spoken("slt-01"))
    assert studio.builds(uuid).status_code == 200
    answer = studio.builds(uuid)
    assert (answer.status_code, answer.json()) == (400, {"errors": ["This voice is already being built."]})
    lines = studio.sandbox.ledger(account=studio.hint)
    assert [(line["operation"], line["name"], line["voice"], line["charged"]) for line in lines] == [
        ("v1_create_voice", "Demo", uuid, 0.0),
        ("v1_build", "Demo", uuid, 500.0),
    ]


def test_more_data_and_another_build(studio: Studio) -> None:
    """While it trains anew it has no scores of before."""
    data = spoken(*SLT_CLIPS)
    said = studio.announced(data)
    put(said, data)
    studio.builds(said["voice"])
    assert studio.ended(said["voice"])["status"] == "finished"
    studio.sandbox.control("POST", "settings", {"training_seconds": 600.0})
    assert studio.builds(said["voice"]).status_code == 200
    (voice,) = studio.voices()
    assert (voice["status"], "scores" in voice) == ("running", False)


@pytest.mark.parametrize("good", [True, False])
def test_the_callback_tells_the_end(studio: Studio, listener: Listener, good: bool) -> None:
    data = spoken(*SLT_CLIPS) if good else spoken("rms-silent")
    voice = studio.trained(data, callback_uri=f"{listener.address}/hook")
    told = listener.heard()
    assert (told["id"], told["ok"], told["status"]) == (voice["uuid"], good, voice["status"])
    assert told["issue"] == voice.get("issue")
    assert told.get("scores") == voice.get("scores")


def test_a_restart_goes_on_with_what_was_uploaded(start_sandbox: Callable[..., Sandbox], folder: Path) -> None:
    first = start_sandbox(folder, training_seconds=600.0)
    studio = Studio(first)
    uuid = studio.sent(spoken(*SLT_CLIPS, *SLT_CLIPS))
    studio.builds(uuid)
    first.kill()
    second = start_sandbox(folder)
    second.control("POST", "clock", {"forward": 700})
    assert Studio(second, studio.key).ended(uuid)["status"] == "finished"


def test_faults_keep_the_vendors_form(studio: Studio) -> None:
    studio.sandbox.faults({"operation": "v1_list_voices", "do": "status:503"})
    answer = studio.call("GET", "voices")
    assert (answer.status_code, list(answer.json())) == (503, ["errors"])
    studio.sandbox.faults({"operation": "v1_list_voices", "do": "hide:60"})
    studio.announced(b"RIFF")
    assert studio.voices() == []
    studio.sandbox.faults({"operation": "v1_upload", "do": "status:503"})
    assert "<Error>" in put(studio.announced(b"RIFF"), b"RIFF").text
