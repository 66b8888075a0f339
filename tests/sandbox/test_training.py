"""Trainings of Resemble v2 in the sandbox: audio analysis, statuses, scores, callbacks, datasets."""

import io
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest

from tests.sandbox.conftest import RMS_CLIPS, SLT_CLIPS, SandboxAccount, encode_base64
from tests.support.sandbox import CallbackServer, SandboxProcess
from tests.support.wav import Samples, load_sample_wav, make_speech_like, make_wav_bytes

RECORDING_KEYS = {
    "uuid",
    "name",
    "transcript",
    "stoi_score",
    "pesq_score",
    "si_dr_score",
    "resemble_sample_score",
    "is_active",
    "is_outlier",
    "is_silent",
}
"""The keys of a recording in the vendor's dataset_issue callback."""


def _create_voice_with_consent(account: SandboxAccount, wav: bytes, listener: CallbackServer) -> str:
    response = account.voices.create(
        "Demo", encode_base64(wav), callback_uri=f"{listener.address}/hook", voice_type="rapid"
    )
    voice = str(response["item"]["uuid"])
    account.upload_samples(voice, *SLT_CLIPS[:3])
    return voice


def test_finished_voice_is_committed_before_its_callback(account: SandboxAccount, listener: CallbackServer) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.voices.build(voice)["success"] is True
    assert listener.wait_for_callback() == {
        "ok": True,
        "id": voice,
        "status": "finished",
        "recordings": [],
        "issue": None,
    }
    assert account.voices.get(voice)["item"]["status"] == "finished", (
        "the status is committed before the callback is sent"
    )


def test_silence_and_another_speaker_are_flagged(account: SandboxAccount, listener: CallbackServer) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *RMS_CLIPS, "rms-silent", "rms-wrong-speaker")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    callback = listener.wait_for_callback()
    assert (callback["ok"], callback["id"], callback["status"]) == (False, voice, "dataset_issue")
    assert "rms-silent" in callback["issue"] and "rms-wrong-speaker" in callback["issue"]
    flags = {
        entry["name"]: (entry["is_silent"], entry["is_outlier"], entry["is_active"]) for entry in callback["recordings"]
    }
    assert flags == {"rms-silent": (True, False, True), "rms-wrong-speaker": (False, True, False)}
    assert all(entry.keys() == RECORDING_KEYS for entry in callback["recordings"])
    assert callback["recordings"][0]["transcript"] == "Some words."
    assert "scores" not in account.voices.get(voice)["item"]


def test_callback_lists_all_recordings_if_the_setting_says_all(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.call_control("POST", "settings", {"callback_recordings": "all"})
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *RMS_CLIPS, "rms-silent")
    account.voices.build(voice)
    entries = listener.wait_for_callback()["recordings"]
    assert [entry["name"] for entry in entries] == [*RMS_CLIPS, "rms-silent"]
    best, silent = entries[0], entries[-1]
    for score in ("stoi_score", "pesq_score", "si_dr_score", "resemble_sample_score"):
        assert best[score] > silent[score]


def test_recording_of_another_loudness_class_is_an_outlier(account: SandboxAccount, listener: CallbackServer) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:5])
    account.upload_recording(voice, _lower_volume(load_sample_wav("slt-06"), 14.0), "far away")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    assert [entry["name"] for entry in listener.wait_for_callback()["recordings"] if entry["is_outlier"]] == [
        "far away"
    ]


def _lower_volume(wav: bytes, decibels: float) -> bytes:
    samples: Samples = np.frombuffer(wav[44:], "<i2") / 32768 * 10 ** (-decibels / 20)
    return make_wav_bytes(samples)


def test_too_little_usable_audio_is_a_dataset_issue(account: SandboxAccount, listener: CallbackServer) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    for number in range(3):
        account.upload_recording(voice, make_wav_bytes(make_speech_like(2.0)), f"clip {number}")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    callback = listener.wait_for_callback()
    assert "only 6.0 seconds" in callback["issue"] and "at least 10" in callback["issue"]


def test_recording_over_twelve_seconds_is_ignored_in_training(account: SandboxAccount) -> None:
    voice = account.create_voice()
    for name in ("a", "b", "c"):
        account.upload_recording(voice, make_wav_bytes(make_speech_like(13.0)), name)
    assert account.build_voice(voice)["status"] == "dataset_issue"
    for name in ("d", "e"):
        account.upload_recording(voice, make_wav_bytes(make_speech_like(6.0)), name)
    assert account.build_voice(voice)["status"] == "finished"


@pytest.mark.parametrize(
    ("wav", "message"),
    [
        (make_wav_bytes(data=b""), "zero seconds"),
        (load_sample_wav("rms-silent"), "no speech"),
        (make_wav_bytes(make_speech_like(1.2)), "too little"),
        (load_sample_wav("slt-01"), "not the consent statement"),
    ],
    ids=["empty", "silent", "short", "another text"],
)
def test_audio_without_the_consent_statement_fails_validation(
    account: SandboxAccount, listener: CallbackServer, wav: bytes, message: str
) -> None:
    voice = _create_voice_with_consent(account, wav, listener)
    assert account.build_voice(voice)["status"] == "consent_validation_failed"
    callback = listener.wait_for_callback()
    assert callback.keys() == {"ok", "id", "status", "issue", "recordings"}
    assert (callback["ok"], callback["status"]) == (False, "consent_validation_failed")
    assert callback["recordings"] == []
    assert message in callback["issue"]


def test_pauses_raise_the_pauses_score_and_lower_the_resemble_score(account: SandboxAccount) -> None:
    silence = np.zeros(16000 * 4)
    scores = []
    for pause in (silence[:1], silence):
        voice = account.create_voice()
        for number in range(3):
            segments = (make_speech_like(2.5), pause, make_speech_like(2.5))
            account.upload_recording(voice, make_wav_bytes(np.concatenate(segments)), f"clip {number}")
        scores.append(account.build_voice(voice)["scores"])
    assert scores[1]["pauses"] > scores[0]["pauses"] + 0.2
    assert scores[1]["resemble_score"] < scores[0]["resemble_score"]


def test_noise_lowers_the_voice_scores(account: SandboxAccount) -> None:
    scores = []
    for room_dbfs in (-70.0, -34.0):
        voice = account.create_voice()
        for number in range(3):
            account.upload_recording(
                voice, make_wav_bytes(make_speech_like(5.0, room_dbfs=room_dbfs)), f"clip {number}"
            )
        scores.append(account.build_voice(voice)["scores"])
    for name in ("voice_similarity", "fluency", "resemble_score"):
        assert scores[1][name] < scores[0][name]


def test_voice_deleted_in_training_stays_deleted_without_callback(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    deleted_voice = account.create_voice(callback_uri=f"{listener.address}/deleted")
    other_voice = account.create_voice(callback_uri=f"{listener.address}/other")
    for voice in (deleted_voice, other_voice):
        account.upload_samples(voice, *SLT_CLIPS[:3])
        assert account.voices.build(voice)["success"]
    account.voices.delete(deleted_voice)
    sandbox.forward_clock(600)
    assert listener.wait_for_callback()["id"] == other_voice
    assert account.voices.get(deleted_voice)["success"] is False


def _make_zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _make_tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _make_dataset() -> dict[str, bytes]:
    metadata = "".join(f"{name}|Text of {name}.\n" for name in SLT_CLIPS)
    return {"set/metadata.csv": metadata.encode()} | {
        f"set/wavs/{name}.wav": load_sample_wav(name) for name in SLT_CLIPS
    }


@pytest.mark.parametrize("pack_files", [_make_zip, _make_tar])
def test_professional_dataset_is_trained_without_a_build_call(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer, pack_files: Any
) -> None:
    url = listener.serve_file("dataset", pack_files(_make_dataset()))
    voice = account.create_voice("professional", dataset_url=url, callback_uri=f"{listener.address}/hook")
    assert listener.wait_for_callback()["status"] == "finished"
    texts = {item["name"]: item["text"] for item in account.recordings.all(voice, 1)["items"]}
    assert texts == {name: f"Text of {name}." for name in SLT_CLIPS}
    assert not sandbox.read_ledger(operation="build_voice", voice=voice)


def test_rapid_voice_trains_on_one_wav_dataset_after_a_build_call(
    account: SandboxAccount, listener: CallbackServer
) -> None:
    samples = np.concatenate([np.frombuffer(load_sample_wav(name)[44:], "<i2") / 32768 for name in SLT_CLIPS[:3]])
    voice = account.create_voice(dataset_url=listener.serve_file("long.wav", make_wav_bytes(samples)))
    assert account.voices.get(voice)["item"]["status"] == "initializing"
    assert account.build_voice(voice)["status"] == "finished"


@pytest.mark.parametrize(
    ("voice_type", "content", "message"),
    [
        ("professional", b"not an archive", "neither a readable .zip nor"),
        ("professional", _make_zip({"readme.txt": b"hello"}), "no WAV file"),
        ("professional", _make_zip({"a.wav": b"hello"}), "a.wav cannot be used"),
        (
            "professional",
            _make_zip({"x/a.wav": load_sample_wav("slt-01"), "y/a.wav": load_sample_wav("slt-02")}),
            "the same name",
        ),
        ("professional", None, "answered 404"),
        ("rapid", _make_zip({"a.wav": load_sample_wav("slt-01")}), "must be a WAV file"),
        ("rapid", make_wav_bytes(make_speech_like(9.0)), "only 9.0 seconds"),
    ],
)
def test_unusable_dataset_is_reported_as_an_issue(
    account: SandboxAccount, listener: CallbackServer, voice_type: str, content: bytes | None, message: str
) -> None:
    url = f"{listener.address}/gone" if content is None else listener.serve_file("dataset", content)
    voice = account.create_voice(voice_type, dataset_url=url, callback_uri=f"{listener.address}/hook")
    if voice_type == "rapid":
        account.voices.build(voice)
    callback = listener.wait_for_callback()
    assert callback["status"] == "dataset_issue"
    assert message in callback["issue"]


def test_failed_dataset_analysis_is_shown_in_the_voice_list(account: SandboxAccount, listener: CallbackServer) -> None:
    account.create_voice("professional", dataset_url=f"{listener.address}/gone", callback_uri=f"{listener.address}/h")
    assert listener.wait_for_callback()["status"] == "dataset_issue"
    assert account.voices.all(1)["items"][0]["dataset_analysis_failure"] is True


def test_dataset_with_a_clip_of_another_speaker_is_an_issue(account: SandboxAccount, listener: CallbackServer) -> None:
    files = {f"{name}.wav": load_sample_wav(name) for name in (*RMS_CLIPS, "rms-wrong-speaker")}
    url = listener.serve_file("dataset", _make_zip(files))
    account.create_voice("professional", dataset_url=url, callback_uri=f"{listener.address}/hook")
    entries = listener.wait_for_callback()["recordings"]
    assert [(entry["name"], entry["transcript"], entry["is_outlier"]) for entry in entries] == [
        ("rms-wrong-speaker", "", True)
    ]
