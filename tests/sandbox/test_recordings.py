"""Recordings: the form, its limits, their metrics, and the rule about outliers."""

import io
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import RMS_CLIPS, SandboxAccount
from tests.support.wav import HOSTILE, noise, sample_wav, speech_like, wav_bytes


def _post(account: SandboxAccount, voice: str, wav: bytes | None, **fields: str) -> requests.Response:
    form = {"name": "one", "text": "Some words."} | fields
    files = {} if wav is None else {"file": ("file", io.BytesIO(wav))}
    return account.call_api("POST", f"voices/{voice}/recordings", data=form, files=files)


def test_a_recording_comes_back_as_it_was_sent(account: SandboxAccount) -> None:
    voice, wav = account.create_voice(), sample_wav("slt-01")
    made = account.recordings.create(voice, io.BytesIO(wav), "one", "Good morning.", False, "happy")["item"]
    sent = {"name": "one", "text": "Good morning.", "emotion": "happy", "is_active": False, "fill": False}
    assert {key: made[key] for key in sent} == sent
    assert "metrics" not in made
    assert requests.get(made["audio_src"], timeout=60).content == wav
    got = account.recordings.get(voice, made["uuid"])["item"]
    assert got.keys() - made.keys() == {"metrics"}
    assert account.recordings.all(voice, 1)["items"] == [got]


def test_the_audio_cannot_be_had_by_a_guessed_name(account: SandboxAccount) -> None:
    voice = account.create_voice()
    uuid = account.upload_recording(voice, sample_wav("slt-01"), "one")
    source = account.recordings.get(voice, uuid)["item"]["audio_src"]
    folder = source.rsplit("/", 1)[0]
    assert requests.get(f"{folder}/consent.wav", timeout=60).status_code == 404


def test_metrics_follow_the_noise(account: SandboxAccount) -> None:
    voice = account.create_voice()
    for name, room in (("clean", -70.0), ("noisy", -32.0)):
        account.upload_recording(voice, wav_bytes(speech_like(4.0, room_dbfs=room)), name)
    clean, noisy = (item["metrics"] for item in account.recordings.all(voice, 1)["items"])
    assert clean["signal_to_noise_ratio"] > noisy["signal_to_noise_ratio"] + 15
    assert clean["resemble_sample_score"] > noisy["resemble_sample_score"] + 0.3
    assert clean["loudness_grade"] == "A"


def test_a_silent_recording_is_accepted_with_the_worst_metrics(account: SandboxAccount) -> None:
    voice = account.create_voice()
    uuid = account.upload_recording(voice, sample_wav("rms-silent"), "silent")
    metrics = account.recordings.get(voice, uuid)["item"]["metrics"]
    assert metrics == {"signal_to_noise_ratio": 0.0, "loudness_grade": "D", "resemble_sample_score": 0.0}


@pytest.mark.parametrize(("seconds", "accepted"), [(0.9, False), (1.0, True), (60.0, True), (60.1, False)])
def test_one_to_sixty_seconds_are_accepted(account: SandboxAccount, seconds: float, accepted: bool) -> None:
    answer = _post(account, account.create_voice(), wav_bytes(noise(seconds, -30.0, rate=8000), rate=8000))
    assert answer.json()["success"] is accepted
    assert answer.status_code == (200 if accepted else 422)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 257),
        ("text", ""),
        ("text", "t" * 1025),
        ("emotion", "e" * 65),
        ("is_active", "perhaps"),
    ],
)
def test_a_wrong_field_is_refused_by_name(account: SandboxAccount, field: str, value: str) -> None:
    voice = account.create_voice()
    answer = _post(account, voice, sample_wav("slt-01"), **{field: value})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert account.recordings.all(voice, 1)["total_results"] == 0


@pytest.mark.parametrize("make", [make for make, _ in HOSTILE.values()], ids=list(HOSTILE))
def test_no_hostile_file_gets_in_or_breaks_anything(account: SandboxAccount, voice: str, make: Any) -> None:
    answer = _post(account, voice, make())
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["file"])


@pytest.fixture(scope="module")
def kept_voice() -> dict[str, str]:
    """The voice of the tests that only have files refused."""
    return {}


@pytest.fixture
def voice(account: SandboxAccount, kept_voice: dict[str, str]) -> str:
    account.use_key("authorized-hostile")
    if not kept_voice:
        kept_voice["uuid"] = account.voices.create("Hostile", None)["item"]["uuid"]
    return kept_voice["uuid"]


def test_a_form_without_a_file_and_a_body_without_a_form_are_refused(account: SandboxAccount) -> None:
    path = f"voices/{account.create_voice()}/recordings"
    assert account.call_api("POST", path, data={"name": "one", "text": "a"}).status_code == 422
    broken = {"Content-Type": "multipart/form-data"}
    assert account.call_api("POST", path, data=b"no form", headers=broken).status_code == 400


def test_two_content_types_as_the_node_sdk_sends_them(account: SandboxAccount) -> None:
    request = requests.Request(
        "POST",
        "http://sandbox/",
        data={"name": "one", "text": "a"},
        files={"file": io.BytesIO(sample_wav("slt-01"))},
    ).prepare()
    host = account.address.removeprefix("http://")
    connection = HTTPConnection(host, timeout=60)
    connection.putrequest("POST", f"/resemble/api/v2/voices/{account.create_voice()}/recordings")
    assert isinstance(request.body, bytes)
    for name, value in (
        ("Authorization", f"Token token={account.key}"),
        ("Content-Type", "multipart/form-data"),
        ("Content-Type", request.headers["Content-Type"]),
        ("Content-Length", str(len(request.body))),
    ):
        connection.putheader(name, value)
    connection.endheaders(request.body)
    assert connection.getresponse().status == 200
    connection.close()


def test_names_are_unique_in_a_voice_only(account: SandboxAccount) -> None:
    first, second = account.create_voice(), account.create_voice()
    account.upload_recording(first, sample_wav("slt-01"), "one")
    other = account.upload_recording(first, sample_wav("slt-02"), "two")
    answer = _post(account, first, sample_wav("slt-02"))
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["name"])
    assert account.recordings.update(first, other, "one", "a", True, "x")["success"] is False
    account.upload_recording(second, sample_wav("slt-01"), "one")
    assert [item["name"] for item in account.recordings.all(first, 1)["items"]] == ["one", "two"]


def test_update_and_delete(account: SandboxAccount) -> None:
    voice = account.create_voice()
    uuid = account.upload_recording(voice, sample_wav("slt-01"), "one")
    changed = account.recordings.update(voice, uuid, "two", "Other words.", False, "sad")["item"]
    assert (changed["name"], changed["text"], changed["is_active"]) == ("two", "Other words.", False)
    patched = account.call_api("PATCH", f"voices/{voice}/recordings/{uuid}", json={"is_active": True})
    assert (patched.json()["item"]["name"], patched.json()["item"]["is_active"]) == ("two", True)
    assert account.recordings.delete(voice, uuid) == {"success": True}
    assert account.recordings.get(voice, uuid)["success"] is False
    assert requests.get(changed["audio_src"], timeout=60).status_code == 404


def test_an_outlier_cannot_be_made_active_again(account: SandboxAccount) -> None:
    voice = account.create_voice()
    account.upload_samples(voice, *RMS_CLIPS)
    outlier = account.upload_recording(voice, sample_wav("rms-wrong-speaker"), "foreign")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    assert account.recordings.get(voice, outlier)["item"]["is_active"] is False
    answer = account.call_api("PATCH", f"voices/{voice}/recordings/{outlier}", json={"is_active": True})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["is_active"])
    assert account.build_voice(voice)["status"] == "finished", "without the outlier the rest is good"
