"""Recordings of Resemble v2 in the sandbox: the upload form, its limits, the metrics, and the rule about outliers."""

import io
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import RMS_CLIPS, SandboxAccount
from tests.support.wav import HOSTILE_WAVS, load_sample_wav, make_speech_like, make_wav_bytes, make_white_noise


def _post_recording(account: SandboxAccount, voice: str, wav: bytes | None, **fields: str) -> requests.Response:
    data = {"name": "one", "text": "Some words."} | fields
    files = {} if wav is None else {"file": ("file", io.BytesIO(wav))}
    return account.call_api("POST", f"voices/{voice}/recordings", data=data, files=files)


def test_recording_is_returned_unchanged(account: SandboxAccount) -> None:
    voice, wav = account.create_voice(), load_sample_wav("slt-01")
    created = account.recordings.create(voice, io.BytesIO(wav), "one", "Good morning.", False, "happy")["item"]
    fields = {"name": "one", "text": "Good morning.", "emotion": "happy", "is_active": False, "fill": False}
    assert {key: created[key] for key in fields} == fields
    assert "metrics" not in created
    assert requests.get(created["audio_src"], timeout=60).content == wav
    fetched = account.recordings.get(voice, created["uuid"])["item"]
    assert fetched.keys() - created.keys() == {"metrics"}
    assert account.recordings.all(voice, 1)["items"] == [fetched]


def test_consent_file_cannot_be_fetched_by_a_guessed_url(account: SandboxAccount) -> None:
    voice = account.create_voice()
    uuid = account.upload_recording(voice, load_sample_wav("slt-01"), "one")
    source = account.recordings.get(voice, uuid)["item"]["audio_src"]
    folder = source.rsplit("/", 1)[0]
    assert requests.get(f"{folder}/consent.wav", timeout=60).status_code == 404


def test_metrics_decrease_with_noise(account: SandboxAccount) -> None:
    voice = account.create_voice()
    for name, room_dbfs in (("clean", -70.0), ("noisy", -32.0)):
        account.upload_recording(voice, make_wav_bytes(make_speech_like(4.0, room_dbfs=room_dbfs)), name)
    clean, noisy = (item["metrics"] for item in account.recordings.all(voice, 1)["items"])
    assert clean["signal_to_noise_ratio"] > noisy["signal_to_noise_ratio"] + 15
    assert clean["resemble_sample_score"] > noisy["resemble_sample_score"] + 0.3
    assert clean["loudness_grade"] == "A"


def test_silent_recording_is_accepted_with_the_worst_metrics(account: SandboxAccount) -> None:
    voice = account.create_voice()
    uuid = account.upload_recording(voice, load_sample_wav("rms-silent"), "silent")
    metrics = account.recordings.get(voice, uuid)["item"]["metrics"]
    assert metrics == {"signal_to_noise_ratio": 0.0, "loudness_grade": "D", "resemble_sample_score": 0.0}


@pytest.mark.parametrize(("seconds", "accepted"), [(0.9, False), (1.0, True), (60.0, True), (60.1, False)])
def test_recording_of_one_to_sixty_seconds_is_accepted(account: SandboxAccount, seconds: float, accepted: bool) -> None:
    response = _post_recording(
        account, account.create_voice(), make_wav_bytes(make_white_noise(seconds, -30.0, rate=8000), rate=8000)
    )
    assert response.json()["success"] is accepted
    assert response.status_code == (200 if accepted else 422)


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
def test_error_names_the_invalid_field(account: SandboxAccount, field: str, value: str) -> None:
    voice = account.create_voice()
    response = _post_recording(account, voice, load_sample_wav("slt-01"), **{field: value})
    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert account.recordings.all(voice, 1)["total_results"] == 0


@pytest.mark.parametrize("make_file", [make_file for make_file, _ in HOSTILE_WAVS.values()], ids=list(HOSTILE_WAVS))
def test_hostile_file_is_refused(account: SandboxAccount, voice: str, make_file: Any) -> None:
    response = _post_recording(account, voice, make_file())
    assert (response.status_code, list(response.json()["errors"])) == (422, ["file"])


@pytest.fixture(scope="module")
def shared_voice() -> dict[str, str]:
    """The UUID of the one voice to which tests send only files that are refused; empty until it is created."""
    return {}


@pytest.fixture
def voice(account: SandboxAccount, shared_voice: dict[str, str]) -> str:
    account.use_key("authorized-hostile")
    if not shared_voice:
        shared_voice["uuid"] = account.voices.create("Hostile", None)["item"]["uuid"]
    return shared_voice["uuid"]


def test_form_without_a_file_and_body_without_a_form_are_refused(account: SandboxAccount) -> None:
    path = f"voices/{account.create_voice()}/recordings"
    assert account.call_api("POST", path, data={"name": "one", "text": "a"}).status_code == 422
    broken = {"Content-Type": "multipart/form-data"}
    assert account.call_api("POST", path, data=b"no form", headers=broken).status_code == 400


def test_two_content_types_of_the_node_sdk_are_accepted(account: SandboxAccount) -> None:
    request = requests.Request(
        "POST",
        "http://sandbox/",
        data={"name": "one", "text": "a"},
        files={"file": io.BytesIO(load_sample_wav("slt-01"))},
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


def test_recording_name_is_unique_only_within_its_voice(account: SandboxAccount) -> None:
    first, second = account.create_voice(), account.create_voice()
    account.upload_recording(first, load_sample_wav("slt-01"), "one")
    second_id = account.upload_recording(first, load_sample_wav("slt-02"), "two")
    response = _post_recording(account, first, load_sample_wav("slt-02"))
    assert (response.status_code, list(response.json()["errors"])) == (422, ["name"])
    assert account.recordings.update(first, second_id, "one", "a", True, "x")["success"] is False
    account.upload_recording(second, load_sample_wav("slt-01"), "one")
    assert [item["name"] for item in account.recordings.all(first, 1)["items"]] == ["one", "two"]


def test_recording_can_be_updated_and_deleted(account: SandboxAccount) -> None:
    voice = account.create_voice()
    uuid = account.upload_recording(voice, load_sample_wav("slt-01"), "one")
    updated = account.recordings.update(voice, uuid, "two", "Other words.", False, "sad")["item"]
    assert (updated["name"], updated["text"], updated["is_active"]) == ("two", "Other words.", False)
    response = account.call_api("PATCH", f"voices/{voice}/recordings/{uuid}", json={"is_active": True})
    assert (response.json()["item"]["name"], response.json()["item"]["is_active"]) == ("two", True)
    assert account.recordings.delete(voice, uuid) == {"success": True}
    assert account.recordings.get(voice, uuid)["success"] is False
    assert requests.get(updated["audio_src"], timeout=60).status_code == 404


def test_outlier_cannot_be_activated_again(account: SandboxAccount) -> None:
    voice = account.create_voice()
    account.upload_samples(voice, *RMS_CLIPS)
    outlier = account.upload_recording(voice, load_sample_wav("rms-wrong-speaker"), "foreign")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    assert account.recordings.get(voice, outlier)["item"]["is_active"] is False
    response = account.call_api("PATCH", f"voices/{voice}/recordings/{outlier}", json={"is_active": True})
    assert (response.status_code, list(response.json()["errors"])) == (422, ["is_active"])
    assert account.build_voice(voice)["status"] == "finished", "the build succeeds without the outlier"
