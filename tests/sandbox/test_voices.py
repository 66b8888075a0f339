"""Voices of Resemble v2 in the sandbox: calls by the official SDK, and by plain HTTP where the SDK has no call."""

from typing import Any

import pytest
import requests

from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount, encode_base64
from tests.support.sandbox import SandboxProcess
from tests.support.wav import HOSTILE_WAVS, load_sample_wav, make_wav_bytes

VOICE_KEYS = {"uuid", "name", "status", "dataset_url", "created_at", "updated_at"}
"""The keys of a new voice in the vendor's documentation."""


def test_sdk_creates_builds_and_deletes_a_rapid_voice(account: SandboxAccount) -> None:
    voice = account.create_voice(name="Narrator")
    assert account.voices.get(voice)["item"]["status"] == "initializing"
    account.upload_samples(voice, *SLT_CLIPS[:4])
    finished_voice = account.build_voice(voice)
    assert (finished_voice["status"], finished_voice["name"], finished_voice["voice_type"]) == (
        "finished",
        "Narrator",
        "rapid",
    )
    assert set(finished_voice["scores"]) == {"voice_similarity", "fluency", "pauses", "resemble_score"}
    assert all(0 <= score <= 1 for score in finished_voice["scores"].values())
    assert account.voices.delete(voice) == {"success": True, "message": "Voice was deleted."}
    assert account.voices.get(voice) == {"success": False, "message": "Voice not found."}
    assert account.recordings.all(voice, 1)["success"] is False


def test_new_voice_has_the_documented_keys_and_no_scores(account: SandboxAccount) -> None:
    created = account.voices.create("Demo", encode_base64(load_sample_wav("consent-slt")))
    assert created["success"] is True
    assert created["item"].keys() >= VOICE_KEYS
    assert created["item"]["voice_type"] == "professional"
    assert "scores" not in created["item"]
    assert account.voices.get(created["item"]["uuid"]) == created


@pytest.mark.parametrize(
    ("voice_type", "stored_type"),
    [("rapid", "rapid"), ("rapid_voice", "rapid"), ("professional", "professional"), ("", "professional")],
)
def test_voice_type_is_accepted_in_both_spellings(account: SandboxAccount, voice_type: str, stored_type: str) -> None:
    response = account.voices.create("Demo", encode_base64(load_sample_wav("consent-slt")), voice_type=voice_type)
    assert response["item"]["voice_type"] == stored_type


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 257),
        ("name", 7),
        ("name", "\ud800"),
        ("voice_type", "instant"),
        ("dataset_url", "ftp://example.org/a.zip"),
        ("dataset_url", "http://[broken/a.zip"),
        ("dataset_url", "http://example.org/" + "a" * 30_000),
        ("callback_uri", "no address"),
        ("callback_uri", "http://example.org/" + "a" * 1000),
    ],
)
def test_create_error_names_the_invalid_field(account: SandboxAccount, field: str, value: object) -> None:
    consent = encode_base64(load_sample_wav("consent-slt"))
    response = account.call_api("POST", "voices", json={"name": "Demo", "consent": consent, field: value})
    assert (response.status_code, response.json()["success"]) == (422, False)
    assert list(response.json()["errors"]) == [field]
    assert account.voices.all(1)["total_results"] == 0


def test_longest_allowed_fields_are_accepted(account: SandboxAccount) -> None:
    url = "http://127.0.0.1/"
    response = account.voices.create(
        "n" * 256,
        encode_base64(load_sample_wav("consent-slt")),
        callback_uri=url.ljust(1000, "a"),
        dataset_url=url.ljust(30_000, "a"),
        voice_type="rapid",
    )
    assert response["success"], response


@pytest.mark.parametrize("consent", ["badb", "not base64!", encode_base64(b"RIFF and then text")])
def test_consent_that_is_no_wav_is_refused_at_once(
    account: SandboxAccount, sandbox: SandboxProcess, consent: str
) -> None:
    response = account.voices.create("No consent", consent)
    assert (response["success"], list(response["errors"])) == (False, ["consent"])
    assert not [line for line in sandbox.read_ledger(name="No consent") if line["account"] == account.key_digest]


def test_consent_as_large_as_a_long_take_is_accepted(account: SandboxAccount) -> None:
    wav = make_wav_bytes(rate=48000, data=bytes(2 * 48000 * 60))
    assert account.voices.create("Demo", encode_base64(wav))["success"] is True


def test_consent_is_required_except_from_authorized_uploaders(account: SandboxAccount) -> None:
    assert list(account.voices.create("Demo", None)["errors"]) == ["consent"]
    account.use_key(f"authorized-{account.key}")
    assert account.voices.create("Demo", None)["success"] is True


@pytest.mark.parametrize("header", ["Bearer {}", "Token token={}", 'Token token="{}"'])
def test_key_gives_the_same_account_in_every_header_form(account: SandboxAccount, header: str) -> None:
    voice = account.create_voice()
    response = account.call_api("GET", f"voices/{voice}", headers={"Authorization": header.format(account.key)})
    assert response.status_code == 200


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "Bearer bad-key"}])
def test_missing_key_and_invalid_key_return_401(account: SandboxAccount, headers: dict[str, str]) -> None:
    for method, path in (("GET", "voices"), ("POST", "voices"), ("DELETE", "voices/x")):
        response = account.call_api(method, path, headers=headers)
        assert (response.status_code, response.json()["success"]) == (401, False)


def test_key_without_the_plan_can_read_but_not_create(account: SandboxAccount) -> None:
    account.use_key("plan-free")
    assert account.call_api("GET", "voices").status_code == 200
    assert account.call_api("POST", "voices", json={"name": "Demo"}).status_code == 403
    assert account.voices.all(1)["total_results"] == 0


def test_account_cannot_see_voices_of_another_account(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    voice = account.create_voice()
    recording = account.upload_recording(voice, load_sample_wav("slt-01"), "one")
    other_account = SandboxAccount(sandbox.address)
    assert other_account.voices.all(1)["items"] == []
    for method, path in (
        ("GET", f"voices/{voice}"),
        ("PATCH", f"voices/{voice}"),
        ("DELETE", f"voices/{voice}"),
        ("POST", f"voices/{voice}/build"),
        ("GET", f"voices/{voice}/recordings"),
        ("GET", f"voices/{voice}/recordings/{recording}"),
        ("DELETE", f"voices/{voice}/recordings/{recording}"),
    ):
        assert other_account.call_api(method, path, json={"name": "Mine"}).status_code == 404


def test_update_changes_only_the_sent_fields(account: SandboxAccount) -> None:
    voice = account.create_voice(callback_uri="http://127.0.0.1:9/first")
    assert account.voices.update(voice, "Second name")["item"]["name"] == "Second name"
    response = account.call_api("PATCH", f"voices/{voice}", json={"callback_uri": "http://127.0.0.1:9/second"})
    item = response.json()["item"]
    assert (item["name"], item["callback_uri"]) == ("Second name", "http://127.0.0.1:9/second")
    assert account.voices.get(voice)["item"] == item


def test_list_pages_have_the_keys_of_both_documented_forms(account: SandboxAccount) -> None:
    voices = [account.create_voice(name=f"Voice {number}") for number in range(3)]
    first, second = account.voices.all(1, 2), account.voices.all(2, 2)
    counts = {"page": 1, "num_pages": 2, "page_count": 2, "page_size": 2, "total_results": 3}
    assert {key: first[key] for key in counts} == counts
    assert [item["uuid"] for item in first["items"] + second["items"]] == voices[::-1]
    assert account.voices.all(3, 2)["items"] == []
    assert account.call_api("GET", "voices?page=0").status_code == 400


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "\xff"])
def test_body_that_is_no_json_object_returns_400(account: SandboxAccount, body: str) -> None:
    response = account.call_api("POST", "voices", data=body.encode("latin-1"))
    assert (response.status_code, response.json()["success"]) == (400, False)


def test_unknown_path_and_method_get_a_json_error(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    not_found = requests.get(f"{sandbox.address}/nowhere", timeout=60)
    assert (not_found.status_code, not_found.json()["success"]) == (404, False)
    response = account.call_api("DELETE", "voices")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(("voice_type", "uploaded", "required"), [("rapid", 2, 3), ("professional", 19, 20)])
def test_build_with_too_few_active_recordings_is_refused_with_the_number(
    account: SandboxAccount, sandbox: SandboxProcess, voice_type: str, uploaded: int, required: int
) -> None:
    voice, wav = account.create_voice(voice_type), load_sample_wav("slt-01")
    for number in range(uploaded):
        account.upload_recording(voice, wav, f"clip {number}")
    account.upload_recording(voice, wav, "inactive", is_active=False)
    response = account.voices.build(voice)
    assert response["success"] is False
    assert f"At least {required} active recordings" in response["message"]
    assert f"has {uploaded}" in response["message"]
    assert account.voices.get(voice)["item"]["status"] == "initializing"
    assert not sandbox.read_ledger(operation="build_voice", voice=voice)
    account.upload_recording(voice, wav, "the last one")
    assert account.build_voice(voice)["status"] == "finished"


def test_running_build_cannot_be_started_again(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 600})
    voice = account.create_voice()
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.voices.build(voice)["success"] is True
    assert account.voices.get(voice)["item"]["status"] == "running"
    assert "already" in account.voices.build(voice)["message"]
    assert len(sandbox.read_ledger(operation="build_voice", voice=voice)) == 1


@pytest.mark.parametrize("name", ["floats", "stereo", "MP3", "last second missing"])
def test_hostile_consent_file_is_refused_with_a_message(account: SandboxAccount, name: str) -> None:
    make_file, _ = HOSTILE_WAVS[name]
    response: dict[str, Any] = account.voices.create("Demo", encode_base64(make_file()))
    assert response["errors"]["consent"][0].startswith("is not a valid WAV file: ")
