"""AudioStack in the sandbox, asked by the vendor's own client as far as it goes, and by plain HTTP beyond that."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import audiostack
import pytest
import requests
import soundfile
from audiostack.files.file import AccessControl, File
from audiostack.helpers.request_interface import RequestInterface
from audiostack.helpers.request_types import RequestTypes
from audiostack.speech.voice import Voice

from sandbox import store
from sandbox.audiostack import clones
from sandbox.context import House
from sandbox.store import Kept, Store
from tests.support.sandbox import PATIENCE, Sandbox, until
from tests.support.sounds import by_libsndfile
from tests.support.wav import SAMPLE, sample_wav, speech_like, wav_bytes

SLT = tuple(f"slt-0{number}" for number in range(1, 5))
INSTANT, STANDARD = "voice_engine_3", "voice_engine_2"


class Studio:
    """A customer with a key of its own: the vendor's client where it has something, and plain HTTP."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.use(f"key-{uuid4().hex}")

    def use(self, key: str) -> None:
        """Go on with another key. The client keeps key and address in its module."""
        self.key = key
        audiostack.api_key = key
        audiostack.api_base = f"{self.sandbox.address}/audiostack"

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"x-api-key": self.key} | more.pop("headers", {})
        return requests.request(
            method, f"{self.sandbox.address}/audiostack/{path}", headers=headers, timeout=PATIENCE, **more
        )

    def uploaded(self, content: bytes, name: str = "line.wav") -> str:
        """A file made, sent and waited for by the vendor's client; its id."""
        path = self.folder / f"{uuid4().hex}.wav"
        path.write_bytes(content)
        return str(File.create(str(path), name).fileId)

    def samples(self, *names: str) -> list[str]:
        return [self.uploaded(sample_wav(name)) for name in names]

    def asks_for(self, file_ids: list[str], engine: str = INSTANT, alias: str = "", **more: Any) -> dict[str, Any]:
        """The page's first call, through the client's own requests; it raises the sandbox's words as an Exception."""
        body = {"fileIds": file_ids, "alias": alias or f"clone-{uuid4().hex}", "engine": engine} | more
        answer: dict[str, Any] = CLONING.send_request(rtype=RequestTypes.POST, route="voice-cloning", json=body)
        return answer

    def state(self, alias: str) -> dict[str, Any]:
        """The page's second call."""
        answer = CLONING.send_request(rtype=RequestTypes.GET, route="voice-cloning", query_parameters={"alias": alias})
        state: dict[str, Any] = answer["data"]
        return state

    def ended(self, alias: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            state = self.state(alias)
            return state if state["status"] != "processing" else None

        return until(look)

    def cloned(self, file_ids: list[str], engine: str = INSTANT) -> dict[str, Any]:
        return self.ended(self.asks_for(file_ids, engine)["data"]["alias"])

    def ledger(self, alias: str) -> list[tuple[str, float]]:
        return [(line["operation"], line["charged"]) for line in self.sandbox.ledger(voice=alias)]


CLONING = RequestInterface(family="speech")


@pytest.fixture
def studio(sandbox: Sandbox, tmp_path: Path) -> Iterator[Studio]:
    sandbox.control("POST", "settings", {"training_seconds": 0.0, "professional_seconds": 5.0})
    yield Studio(sandbox, tmp_path)
    audiostack.api_key = None


# --- files, by the vendor's client ---


def test_file_is_made_sent_read_changed_and_deleted(studio: Studio, tmp_path: Path) -> None:
    wav = sample_wav("slt-01")
    source = tmp_path / "one.wav"
    source.write_bytes(wav)
    made = File.create(str(source), "one.wav")
    assert (made.fileName, made.status, made.size) == ("one.wav", "uploaded", len(wav))
    assert made.duration == pytest.approx((len(wav) - 44) / 2 / 16000, abs=0.01)
    made.download("back.wav", str(tmp_path))
    assert (tmp_path / "back.wav").read_bytes() == wav
    changed = File.patch(
        UUID(made.fileId), fileName="two.wav", categoryName="voice", accessControl=AccessControl.private
    )
    assert (changed.fileName, changed.accessControl, changed.fileCategory) == (
        "two.wav",
        "private",
        {"id": "voice", "name": "voice"},
    )
    File.delete(UUID(made.fileId))
    with pytest.raises(Exception, match="was not found"):
        File.get(UUID(made.fileId))
    assert requests.get(str(made.url), timeout=PATIENCE).status_code == 403


def announced(studio: Studio, name: str = "a.wav") -> dict[str, Any]:
    answer = studio.call("POST", "files", json={"file_name": name})
    assert answer.status_code == 200, answer.text
    file: dict[str, Any] = answer.json()
    return file


def sent(file: dict[str, Any], content: bytes, **headers: str) -> int:
    given = {"Content-Type": file["mimeType"]} | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.put(file["uploadUrl"], data=content, headers=given, timeout=PATIENCE).status_code


def test_file_waits_for_its_bytes_and_may_be_sent_again(studio: Studio) -> None:
    file = announced(studio)
    assert file["mimeType"] == "audio/wav"
    waiting = studio.call("GET", f"files/{file['fileId']}").json()
    assert (waiting["status"], waiting["size"], "url" in waiting) == ("pending", 0, False)
    for name in ("slt-01", "slt-02"):
        assert sent(file, sample_wav(name)) == 200
    there = studio.call("GET", f"files/{file['fileId']}").json()
    assert (there["status"], there["size"]) == ("uploaded", len(sample_wav("slt-02")))


def test_older_client_announces_in_camel_case(studio: Studio) -> None:
    body = {"fileName": "old.mp3", "folderId": str(uuid4())}
    answer = studio.call("POST", "v3/file/create-upload-url", json=body).json()
    assert (answer["fileName"], answer["folderId"], answer["mimeType"]) == ("old.mp3", body["folderId"], "audio/mpeg")
    assert sent(answer, b"whatever") == 200


def test_address_takes_no_key_and_nothing_but_what_was_announced(studio: Studio) -> None:
    file = announced(studio)
    assert sent(file, b"x", Content_Type="audio/mpeg") == 403
    assert sent(file | {"uploadUrl": file["uploadUrl"] + "x"}, b"x") == 403
    assert sent(file, b"x") == 200
    keys = {seen["operation"]: "X-Api-Key" in seen["headers"] for seen in studio.sandbox.requests()}
    assert (keys["create_file"], keys["upload_file"]) == (True, False)


def test_address_is_good_for_seven_days(studio: Studio) -> None:
    file = announced(studio)
    studio.sandbox.control("POST", "clock", {"forward": 7 * 24 * 3600 - 60})
    assert sent(file, b"x") == 200
    studio.sandbox.control("POST", "clock", {"forward": 120})
    assert sent(file, b"x") == 403


def test_half_a_file_is_no_file(studio: Studio) -> None:
    file = announced(studio)
    address = urlsplit(file["uploadUrl"])
    headers = f"Host: {address.netloc}\r\nContent-Type: audio/wav\r\nContent-Length: 99\r\n"
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=PATIENCE) as line:
        line.sendall(f"PUT {address.path} HTTP/1.1\r\n{headers}\r\n".encode() + bytes(50))
        line.shutdown(socket.SHUT_WR)
        assert b" 400 " in line.recv(100)
    assert studio.call("GET", f"files/{file['fileId']}").json()["status"] == "pending"


def test_files_are_the_organisations_own(studio: Studio) -> None:
    file_id, first = studio.uploaded(sample_wav("slt-01")), studio.key
    studio.use("key-of-another-organisation")
    for method in ("GET", "DELETE"):
        assert studio.call(method, f"files/{file_id}").status_code == 404
    assert studio.call("PATCH", f"files/{file_id}", json={"file_name": "mine"}).status_code == 404
    with pytest.raises(Exception, match=f"File {file_id} was not found"):
        studio.asks_for([file_id])
    studio.use(first)
    assert File.get(UUID(file_id)).fileName == "line.wav"


# --- cloning, by the client's own requests ---


def test_instant_voice_is_made_and_charged_when_it_has_succeeded(studio: Studio) -> None:
    studio.sandbox.control("POST", "settings", {"training_seconds": 600.0})
    files = studio.samples(*SLT)
    answer = studio.asks_for(files, metadata={"gender": "female"})
    alias = answer["data"]["alias"]
    assert answer["statusCode"] == 202
    assert answer["data"]["status"] == "processing"
    assert studio.ledger(alias) == [("clone_voice", 0.0)]
    studio.sandbox.control("POST", "clock", {"forward": 600})
    assert studio.ended(alias) == {"alias": alias, "status": "succeeded", "engine": INSTANT, "discardedFiles": []}
    assert studio.ledger(alias) == [("clone_voice", 0.0), ("clone_succeeded", 300.0)]


def test_standard_voice_takes_a_consent_and_more_credits(studio: Studio) -> None:
    state = studio.cloned([*studio.samples(*SLT), *studio.samples("consent-slt")], STANDARD)
    assert (state["status"], state["discardedFiles"]) == ("succeeded", [])
    assert studio.ledger(state["alias"])[-1] == ("clone_succeeded", 1200.0)


def test_envelope_is_the_vendors(studio: Studio) -> None:
    good = studio.call("GET", "speech/voice").json()
    assert set(good) == {"statusCode", "message", "warnings", "data", "metadata"}
    assert set(good["metadata"]) == {"requestId", "version", "creditsUsed", "creditsRemaining"}
    bad = studio.call("POST", "speech/voice-cloning", json={"alias": "a", "engine": "b"})
    assert (bad.status_code, bad.json()["statusCode"]) == (400, 400)
    assert bad.json()["errors"] == [f"must be one of {STANDARD}, {INSTANT}"]


@pytest.mark.parametrize(
    ("consent", "words"),
    [(sample_wav("rms-silent"), "agrees to have their voice cloned"), (b"no sound", "not readable as audio")],
    ids=["silent", "no sound"],
)
def test_standard_voice_without_a_spoken_consent_fails_and_costs_nothing(
    studio: Studio, consent: bytes, words: str
) -> None:
    state = studio.cloned([*studio.samples(*SLT), studio.uploaded(consent)], STANDARD)
    assert state["status"] == "failed"
    assert words in state["message"]
    assert studio.ledger(state["alias"]) == [("clone_voice", 0.0)]


def test_consent_may_sound_unlike_the_recordings(studio: Studio) -> None:
    samples, rate = soundfile.read(SAMPLE / "consent-slt.flac")
    quiet = studio.uploaded(wav_bytes(samples / 30, rate=rate))
    state = studio.cloned([*studio.samples(*SLT), quiet], STANDARD)
    assert (state["status"], state["discardedFiles"]) == ("succeeded", [])
    as_recording = studio.cloned([*studio.samples(*SLT), quiet])
    assert [item["fileId"] for item in as_recording["discardedFiles"]] == [quiet]


def test_consent_is_not_trained_on(studio: Studio) -> None:
    """It alone would be long enough."""
    studio.sandbox.control("POST", "settings", {"professional_seconds": 3.0})
    short, consent = studio.uploaded(wav_bytes(speech_like(2.0))), studio.samples("consent-slt")
    with pytest.raises(Exception, match="2.0 seconds of audio"):
        studio.asks_for([short, *consent], STANDARD)


def test_discarded_files_have_their_reasons(studio: Studio) -> None:
    good = studio.samples(*SLT)
    bad = {
        studio.uploaded(sample_wav("rms-silent")): "There is no speech",
        studio.uploaded(wav_bytes(speech_like(1.4))): "shorter than 1.5 seconds",
        studio.uploaded(b"no sound at all"): "not readable as audio",
        studio.uploaded(wav_bytes(speech_like(3.0, rms_dbfs=-45.0, room_dbfs=-80.0))): "unlike the others",
    }
    state = studio.cloned([*good, *bad])
    assert state["status"] == "succeeded"
    assert {item["fileId"] for item in state["discardedFiles"]} == set(bad)
    for item in state["discardedFiles"]:
        assert bad[item["fileId"]] in item["reason"]


def test_other_formats_are_listened_to(studio: Studio) -> None:
    samples, rate = soundfile.read(SAMPLE / "slt-01.flac")
    file = announced(studio, "line.mp3")
    assert sent(file, by_libsndfile(samples, rate, "MP3", "MPEG_LAYER_III")) == 200
    assert studio.call("GET", f"files/{file['fileId']}").json()["duration"] == pytest.approx(
        len(samples) / rate, abs=0.1
    )
    assert studio.cloned([file["fileId"]])["status"] == "succeeded"


def test_nothing_usable_is_a_failure_with_its_words(studio: Studio) -> None:
    files = studio.samples("rms-silent")
    state = studio.cloned(files)
    assert (state["status"], [item["fileId"] for item in state["discardedFiles"]]) == ("failed", files)
    assert "0.0 seconds of usable audio" in state["message"]
    assert studio.ledger(state["alias"]) == [("clone_voice", 0.0)]


def test_alias_is_unique_among_all_customers(studio: Studio) -> None:
    alias = studio.asks_for(studio.samples("slt-01"))["data"]["alias"]
    studio.use(f"key-{uuid4().hex}")
    again = studio.samples("slt-01")
    with pytest.raises(Exception, match="not globally unique"):
        studio.asks_for(again, alias=alias)
    answer = studio.call("POST", "speech/voice-cloning", json={"fileIds": again, "alias": alias, "engine": INSTANT})
    assert answer.status_code == 409
    with pytest.raises(Exception, match="no voice with the alias"):
        studio.state(alias)
    assert [operation for operation, _charged in studio.ledger(alias)].count("clone_voice") == 1


def limits(studio: Studio) -> dict[str, tuple[str, Callable[[], list[str]]]]:
    def waiting() -> list[str]:
        return [announced(studio)["fileId"]]

    def many(count: int) -> list[str]:
        return [studio.uploaded(wav_bytes(speech_like(0.1))) for _ in range(count)]

    def large() -> list[str]:
        return [studio.uploaded(bytes(5_000_001)), studio.uploaded(bytes(5_000_000))]

    return {
        "not uploaded": ("not uploaded yet", waiting),
        "too many": ("more than the 25 files", lambda: many(26)),
        "too large": ("more than the 10MB", large),
        "too short": ("needs at least 1.5", lambda: many(14)),
        "unknown": ("was not found", lambda: [str(uuid4())]),
        "twice": ("an id twice", lambda: many(1) * 2),
    }


@pytest.mark.parametrize("which", ["not uploaded", "too many", "too large", "too short", "unknown", "twice"])
def test_what_the_table_rules_out_is_refused_at_once(studio: Studio, which: str) -> None:
    words, files = limits(studio)[which]
    alias = f"clone-{uuid4().hex}"
    with pytest.raises(Exception, match=words):
        studio.asks_for(files(), alias=alias)
    assert studio.ledger(alias) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alias": "", "engine": INSTANT, "fileIds": ["a"]},
        {"alias": "a" * 129, "engine": INSTANT, "fileIds": ["a"]},
        {"alias": "a", "engine": ["x"], "fileIds": ["a"]},
        {"alias": "a", "engine": INSTANT, "fileIds": "a"},
        {"alias": "a", "engine": INSTANT, "fileIds": []},
        {"alias": "a", "engine": INSTANT, "fileIds": [5]},
        {"alias": "a", "engine": INSTANT, "fileIds": ["a"], "metadata": "female"},
    ],
)
def test_body_of_another_form_is_refused(studio: Studio, body: dict[str, Any]) -> None:
    answer = studio.call("POST", "speech/voice-cloning", json=body)
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)


def test_keys_are_told_apart(studio: Studio) -> None:
    for key, status in (("", 401), ("bad-key", 401), ("plan-key", 403)):
        studio.key = key
        assert studio.call("POST", "files", json={"file_name": "a.wav"}).status_code == status
        assert studio.call("POST", "speech/voice-cloning", json={}).status_code == status
    assert studio.call("GET", "speech/voice").status_code == 200
    assert studio.call("GET", "speech/voice", headers={"Authorization": "Bearer x", "x-api-key": ""}).status_code == 401


# --- voices and their preview ---


def test_catalogue_has_a_voice_once_it_has_succeeded(studio: Studio) -> None:
    studio.sandbox.control("POST", "settings", {"training_seconds": 600.0})
    alias = studio.asks_for(studio.samples(*SLT))["data"]["alias"]
    assert alias not in [voice.alias for voice in Voice.list()]
    studio.sandbox.control("POST", "clock", {"forward": 600})
    studio.ended(alias)
    assert alias in [voice.alias for voice in Voice.list()]
    assert [voice.alias for voice in Voice.query(page=2, pageLimit=1)] == [alias]
    studio.use(f"key-{uuid4().hex}")
    assert alias not in [voice.alias for voice in Voice.list()]


def test_preview_speaks_with_the_files_also_when_they_are_deleted(studio: Studio) -> None:
    files = studio.samples(*SLT)
    alias = studio.cloned(files)["alias"]
    for file_id in files:
        File.delete(UUID(file_id))
    answer = studio.call("POST", "speech/tts/preview", json={"text": "Good morning. " * 3, "voice": alias})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/wav")
    assert answer.content.startswith(b"RIFF")
    assert studio.ledger(alias)[-1] == ("tts_preview", 1.0)
    studio.use(f"key-{uuid4().hex}")
    assert studio.call("POST", "speech/tts/preview", json={"text": "Hello.", "voice": alias}).status_code == 404


def test_training_goes_on_where_the_sandbox_was_stopped(
    start_sandbox: Callable[..., Sandbox], folder: Path, tmp_path: Path
) -> None:
    first = start_sandbox(folder, training_seconds=600.0)
    studio = Studio(first, tmp_path)
    alias = studio.asks_for(studio.samples(*SLT))["data"]["alias"]
    first.kill()
    again = start_sandbox(folder)
    studio.sandbox = again
    studio.use(studio.key)
    again.control("POST", "clock", {"forward": 600})
    assert studio.ended(alias)["status"] == "succeeded"
    assert studio.ledger(alias) == [("clone_voice", 0.0), ("clone_succeeded", 300.0)]
    assert again.stop() == 0


def test_credits_are_charged_once_also_by_who_was_stopped_before_saying_so(folder: Path) -> None:
    house = House(Store(folder, store.SCHEMA))
    voice = Kept("audiostack", "one", "account", "one", "processing", details={"engine": STANDARD})
    for _ in range(2):
        clones.charge(house, voice)
    assert [line["charged"] for line in house.store.ledger()] == [1200.0]
    house.store.close()
