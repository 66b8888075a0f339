"""Voice.ai in the sandbox: its calls as its page has them, and what becomes of a voice."""

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import requests
import soundfile

from sandbox import store
from sandbox.context import House
from sandbox.store import Store
from sandbox.voiceai import training
from tests.support.sandbox import PATIENCE, Sandbox, until
from tests.support.wav import RATE, Samples, speech_like, wav_bytes

TEXT = "Every great journey begins with a good pair of shoes, and a reason to be home by supper."
LARGEST = 7_500_000


class Customer:
    """A key of its own, and plain HTTP: the vendor's SDK is for browsers."""

    def __init__(self, address: str, key: str | None = None) -> None:
        self.address = address
        self.key = key or f"vk_{uuid4().hex}"

    @property
    def hint(self) -> str:
        return sha256(self.key.encode()).hexdigest()[:12]

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        url = f"{self.address}/voiceai/api/v1/tts/{path}"
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **more)

    def clone(self, audio: bytes | None = None, **fields: str) -> requests.Response:
        """The call of the vendor's page."""
        parts = {"file": ("voice_sample.wav", spoken() if audio is None else audio, "audio/wav")}
        return self.call("POST", "clone-voice", files=parts, data=fields)

    def voice(self, audio: bytes | None = None, **fields: str) -> str:
        """A new voice; its id."""
        answer = self.clone(audio, **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["voice_id"])

    def get(self, voice: str) -> dict[str, Any]:
        answer = self.call("GET", f"voice/{voice}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, voice: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.get(voice)
            return found if found["status"] in ("AVAILABLE", "FAILED") else None

        return until(look)


def spoken(seconds: float = 12.0) -> bytes:
    return wav_bytes(speech_like(seconds))


def as_file(kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, speech_like(12.0), RATE, format=kind)
    return file.getvalue()


@pytest.fixture
def customer(sandbox: Sandbox) -> Customer:
    return Customer(sandbox.address)


@pytest.fixture(scope="module")
def available(running_sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """(key, id) of a voice that can speak."""
    customer = Customer(running_sandbox.address)
    voice = customer.voice(voice_visibility="PRIVATE")
    assert customer.ended(voice)["status"] == "AVAILABLE"
    yield customer.key, voice


# --- the life of a voice ---


def test_clone_as_on_the_vendors_page(customer: Customer, sandbox: Sandbox) -> None:
    answer = customer.clone(name="My Cloned Voice", voice_visibility="PRIVATE")
    assert answer.status_code == 200
    assert answer.json() == {"voice_id": answer.json()["voice_id"], "status": "PENDING"}
    voice = answer.json()["voice_id"]
    assert customer.ended(voice) == {
        "voice_id": voice,
        "status": "AVAILABLE",
        "name": "My Cloned Voice",
        "voice_visibility": "PRIVATE",
    }
    (line,) = sandbox.ledger(account=customer.hint)
    assert (line["operation"], line["voice"], line["charged"]) == ("va_clone", voice, 100)


def test_public_is_the_default(customer: Customer) -> None:
    assert customer.get(customer.voice())["voice_visibility"] == "PUBLIC"


def test_pending_then_processing_then_available(customer: Customer, sandbox: Sandbox) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 4000.0})
    voice = customer.voice()
    assert customer.get(voice)["status"] == "PENDING"
    sandbox.forward(2000)
    assert customer.get(voice)["status"] == "PROCESSING"
    sandbox.forward(2000)
    assert customer.ended(voice)["status"] == "AVAILABLE"


@pytest.mark.parametrize("kind", ["MP3", "OGG"])
def test_other_formats_are_decoded(customer: Customer, kind: str) -> None:
    assert customer.ended(customer.voice(as_file(kind)))["status"] == "AVAILABLE"


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (wav_bytes(np.zeros(RATE * 12)), "no speech"),
        (spoken(9.0), "10 to 60 seconds, not 9.0"),
        (spoken(61.0), "10 to 60 seconds, not 61.0"),
        (b"RIFF" + bytes(100), "cannot be read"),
    ],
    ids=["silent", "short", "long", "broken"],
)
def test_what_no_voice_can_be_made_of_fails_with_words(customer: Customer, audio: bytes, words: str) -> None:
    ended = customer.ended(customer.voice(audio))
    assert ended["status"] == "FAILED"
    assert words in ended["error"]


def test_training_that_was_cut_off_can_be_done_again(tmp_path: Path) -> None:
    """A sandbox that was killed while it decoded finds its own half of a file when it starts again."""
    house = House(Store(tmp_path, store.SCHEMA))
    voice = store.Kept("voiceai", "one", "me", "One", "PENDING")
    house.store.audio("one", training.SENT).write_bytes(as_file("OGG"))
    house.store.audio("one", training.DECODED).write_bytes(b"RIFF")
    assert training.outcome(house, voice).status == "AVAILABLE"
    house.store.close()


# --- who may see and change it ---


def test_private_voice_is_nobody_elses(customer: Customer, sandbox: Sandbox) -> None:
    voice = customer.voice(voice_visibility="PRIVATE")
    stranger = Customer(sandbox.address)
    for method in ("GET", "PATCH", "DELETE"):
        answer = stranger.call(method, f"voice/{voice}", json={"name": "Mine"})
        assert (answer.status_code, answer.json()) == (404, {"error": "Voice not found.", "code": "not_found"})
    assert stranger.call("GET", "voices").json() == []


def test_public_voice_is_seen_by_all_and_changed_by_its_owner(customer: Customer, sandbox: Sandbox) -> None:
    voice = customer.voice()
    stranger = Customer(sandbox.address)
    assert stranger.get(voice)["voice_visibility"] == "PUBLIC"
    for method in ("PATCH", "DELETE"):
        assert stranger.call(method, f"voice/{voice}", json={"name": "Mine"}).status_code == 403
    assert stranger.call("GET", "voices").json() == []
    customer.call("PATCH", f"voice/{voice}", json={"voice_visibility": "PRIVATE"})
    assert stranger.call("GET", f"voice/{voice}").status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_update_changes_only_what_was_sent(customer: Customer, method: str) -> None:
    voice = customer.voice(name="First", voice_visibility="PRIVATE")
    renamed = customer.call(method, f"voice/{voice}", json={"name": "Second"}).json()
    assert (renamed["name"], renamed["voice_visibility"]) == ("Second", "PRIVATE")
    opened = customer.call(method, f"voice/{voice}", json={"voice_visibility": "PUBLIC"}).json()
    assert (opened["name"], opened["voice_visibility"]) == ("Second", "PUBLIC")
    assert customer.get(voice)["name"] == "Second"


def test_list_is_a_bare_array_oldest_first(customer: Customer) -> None:
    made = [customer.voice(name=name) for name in ("a", "b", "c")]
    assert [voice["voice_id"] for voice in customer.call("GET", "voices").json()] == made


def test_deletion_is_soft(customer: Customer, sandbox: Sandbox) -> None:
    voice = customer.voice(voice_visibility="PUBLIC")
    customer.ended(voice)
    answer = customer.call("DELETE", f"voice/{voice}")
    assert (answer.status_code, answer.json()) == (200, {"status": "deleted", "voice_id": voice})
    assert customer.call("GET", "voices").json() == []
    for method, path in (("GET", f"voice/{voice}"), ("PATCH", f"voice/{voice}"), ("DELETE", f"voice/{voice}")):
        assert customer.call(method, path, json={}).status_code == 404
    assert customer.call("POST", "speech", json={"text": TEXT, "voice_id": voice}).status_code == 404
    assert (sandbox.folder / "audio" / voice / "sent").exists()


def test_voice_that_is_deleted_in_training_stays_deleted(customer: Customer, sandbox: Sandbox) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 4000.0})
    doomed, kept = customer.voice(), customer.voice()
    customer.call("DELETE", f"voice/{doomed}")
    sandbox.forward(4000)
    assert customer.ended(kept)["status"] == "AVAILABLE"
    assert [voice["voice_id"] for voice in customer.call("GET", "voices").json()] == [kept]


def test_rename_in_training_is_kept(customer: Customer, sandbox: Sandbox) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 4000.0})
    voice = customer.voice(name="First")
    customer.call("PATCH", f"voice/{voice}", json={"name": "Second", "voice_visibility": "PRIVATE"})
    sandbox.forward(4000)
    ended = customer.ended(voice)
    assert (ended["name"], ended["voice_visibility"]) == ("Second", "PRIVATE")


# --- faults ---


@pytest.mark.parametrize("wanted", ["PRIVATE", "PUBLIC"])
def test_vendor_that_does_not_listen_makes_it_public(customer: Customer, sandbox: Sandbox, wanted: str) -> None:
    sandbox.faults({"operation": "va_clone", "do": "public"})
    voice = customer.voice(voice_visibility=wanted)
    assert customer.get(voice)["voice_visibility"] == "PUBLIC"
    answer = customer.call("PATCH", f"voice/{voice}", json={"voice_visibility": "PRIVATE"})
    assert answer.json()["voice_visibility"] == "PRIVATE", "told of va_clone only"
    sandbox.faults({"operation": "va_update_voice", "do": "public"})
    answer = customer.call("PATCH", f"voice/{voice}", json={"voice_visibility": "PRIVATE"})
    assert answer.json()["voice_visibility"] == customer.get(voice)["voice_visibility"] == "PUBLIC"


def test_deletion_that_is_only_said(customer: Customer, sandbox: Sandbox) -> None:
    voice = customer.voice()
    sandbox.faults({"operation": "va_delete_voice", "do": "ignore"})
    assert customer.call("DELETE", f"voice/{voice}").json()["status"] == "deleted"
    assert customer.get(voice)["voice_id"] == voice


def test_list_that_lags(customer: Customer, sandbox: Sandbox) -> None:
    customer.voice()
    sandbox.faults({"operation": "va_list_voices", "do": "hide:3000"})
    assert customer.call("GET", "voices").json() == []
    sandbox.forward(3001)
    assert len(customer.call("GET", "voices").json()) == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"voice_visibility": "private"}, "voice_visibility"),
        ({"language": "ja"}, "language"),
        ({"name": "x" * 257}, "name"),
    ],
)
def test_fields_that_are_refused_in_the_form_of_fastapi(
    customer: Customer, sandbox: Sandbox, fields: dict[str, str], field: str
) -> None:
    answer = customer.clone(None, **fields)
    assert answer.status_code == 422
    (slip,) = answer.json()["detail"]
    assert (slip["loc"], slip["type"]) == (["body", field], "value_error")
    assert slip["msg"]
    assert sandbox.ledger(account=customer.hint) == []


def test_file_is_required(customer: Customer) -> None:
    answer = customer.call("POST", "clone-voice", data={"name": "No file"})
    slip = {"loc": ["body", "file"], "msg": "can't be blank", "type": "missing"}
    assert (answer.status_code, answer.json()) == (422, {"detail": [slip]})


@pytest.mark.parametrize("audio", [b"", b"fLaC" + bytes(100), b"just some text", bytes(1000)])
def test_file_of_another_kind(customer: Customer, audio: bytes) -> None:
    answer = customer.clone(audio)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "file"]


def test_bytes_are_counted(customer: Customer) -> None:
    wav = spoken(11.0)
    largest = wav + bytes(LARGEST - len(wav))
    assert customer.clone(largest).status_code == 200
    answer = customer.clone(largest + b"x")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("bad-key", 401, "unauthorized"), ("plan-key", 403, "forbidden"), ("broke-key", 402, "payment_required")],
)
def test_keys_that_may_not(sandbox: Sandbox, key: str, status: int, code: str) -> None:
    customer = Customer(sandbox.address, f"{key}-{uuid4().hex}")
    answer = customer.clone()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["error"]
    assert sandbox.ledger(account=customer.hint) == []


@pytest.mark.parametrize("header", ["", "vk_key", "Token token=vk_key", "Basic vk_key"])
def test_key_comes_as_a_bearer(customer: Customer, header: str) -> None:
    assert customer.call("GET", "voices", headers={"Authorization": header}).status_code == 401


# --- speech ---


def said(sandbox: Sandbox, available: tuple[str, str], path: str = "speech", **more: Any) -> requests.Response:
    body = {"text": TEXT, "voice_id": available[1]} | more
    return Customer(sandbox.address, available[0]).call("POST", path, json=body)


@pytest.mark.parametrize("path", ["speech", "speech/stream"])
def test_it_speaks_in_every_format(sandbox: Sandbox, available: tuple[str, str], path: str) -> None:
    for given, content_type in (("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("pcm", "audio/pcm")):
        answer = said(sandbox, available, path, audio_format=given, temperature=2, top_p=1.0, language="de")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
        samples = _heard(answer.content, given)
        assert len(samples) / RATE == pytest.approx(len(TEXT) / 15, abs=0.1)
        assert abs(samples).max() > 0.05


def _heard(content: bytes, given: str) -> Samples:
    more: dict[str, Any] = {"format": "RAW", "subtype": "PCM_16", "samplerate": RATE, "channels": 1}
    samples, _rate = soundfile.read(io.BytesIO(content), **more if given == "pcm" else {})
    return np.asarray(samples, np.float64)


def test_mp3_is_the_default(sandbox: Sandbox, available: tuple[str, str]) -> None:
    assert said(sandbox, available).headers["Content-Type"] == "audio/mpeg"


def test_it_is_billed_by_character(sandbox: Sandbox, available: tuple[str, str]) -> None:
    before = len(sandbox.ledger(operation="va_speech", voice=available[1]))
    said(sandbox, available)
    *_, last = lines = sandbox.ledger(operation="va_speech", voice=available[1])
    assert (len(lines), last["charged"]) == (before + 1, len(TEXT))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"text": ""}, "text"),
        ({"text": "x" * 5001}, "text"),
        ({"voice_id": None}, "voice_id"),
        ({"audio_format": "flac"}, "audio_format"),
        ({"language": "ja"}, "language"),
    ],
)
def test_what_cannot_be_said(sandbox: Sandbox, available: tuple[str, str], change: dict[str, Any], field: str) -> None:
    answer = said(sandbox, available, **change)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_who_may_speak_with_it(sandbox: Sandbox, available: tuple[str, str]) -> None:
    owner, voice = available
    for key, status in ((f"vk_{uuid4().hex}", 404), ("bad", 401), ("broke", 402)):
        assert said(sandbox, (key, voice)).status_code == status
    assert said(sandbox, (owner, "nobody")).status_code == 404


def test_voice_in_training_cannot_speak(customer: Customer, sandbox: Sandbox) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 4000.0})
    answer = said(sandbox, (customer.key, customer.voice()))
    assert (answer.status_code, answer.json()["code"]) == (409, "voice_not_available")
