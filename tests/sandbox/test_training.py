"""What the sandbox hears, and how it tells: statuses, scores, callbacks, datasets."""

import io
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest

from tests.sandbox.conftest import RMS_CLIPS, SLT_CLIPS, SandboxAccount, encode_base64
from tests.support.sandbox import Listener, Sandbox
from tests.support.wav import Samples, sample_wav, speech_like, wav_bytes

RECORDING = {
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


def _with_consent(account: SandboxAccount, wav: bytes, listener: Listener) -> str:
    answer = account.voices.create(
        "Demo", encode_base64(wav), callback_uri=f"{listener.address}/hook", voice_type="rapid"
    )
    voice = str(answer["item"]["uuid"])
    account.upload_samples(voice, *SLT_CLIPS[:3])
    return voice


def test_the_callback_of_a_finished_voice(account: SandboxAccount, listener: Listener) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.voices.build(voice)["success"] is True
    assert listener.heard() == {
        "ok": True,
        "id": voice,
        "status": "finished",
        "recordings": [],
        "issue": None,
    }
    assert account.voices.get(voice)["item"]["status"] == "finished", "committed before the callback"


def test_silence_and_another_speaker_come_back_flagged(account: SandboxAccount, listener: Listener) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *RMS_CLIPS, "rms-silent", "rms-wrong-speaker")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    heard = listener.heard()
    assert (heard["ok"], heard["id"], heard["status"]) == (False, voice, "dataset_issue")
    assert "rms-silent" in heard["issue"] and "rms-wrong-speaker" in heard["issue"]
    flags = {told["name"]: (told["is_silent"], told["is_outlier"], told["is_active"]) for told in heard["recordings"]}
    assert flags == {"rms-silent": (True, False, True), "rms-wrong-speaker": (False, True, False)}
    assert all(told.keys() == RECORDING for told in heard["recordings"])
    assert heard["recordings"][0]["transcript"] == "Some words."
    assert "scores" not in account.voices.get(voice)["item"]


def test_all_recordings_are_told_of_where_that_is_set(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.control("POST", "settings", {"callback_recordings": "all"})
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *RMS_CLIPS, "rms-silent")
    account.voices.build(voice)
    told = listener.heard()["recordings"]
    assert [one["name"] for one in told] == [*RMS_CLIPS, "rms-silent"]
    best, silent = told[0], told[-1]
    for score in ("stoi_score", "pesq_score", "si_dr_score", "resemble_sample_score"):
        assert best[score] > silent[score]


def test_another_loudness_class_is_an_outlier(account: SandboxAccount, listener: Listener) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:5])
    account.upload_recording(voice, _quieter(sample_wav("slt-06"), 14.0), "far away")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    assert [one["name"] for one in listener.heard()["recordings"] if one["is_outlier"]] == ["far away"]


def _quieter(wav: bytes, decibels: float) -> bytes:
    samples: Samples = np.frombuffer(wav[44:], "<i2") / 32768 * 10 ** (-decibels / 20)
    return wav_bytes(samples)


def test_too_little_usable_audio_is_a_dataset_issue(account: SandboxAccount, listener: Listener) -> None:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    for number in range(3):
        account.upload_recording(voice, wav_bytes(speech_like(2.0)), f"clip {number}")
    assert account.build_voice(voice)["status"] == "dataset_issue"
    heard = listener.heard()
    assert "only 6.0 seconds" in heard["issue"] and "at least 10" in heard["issue"]


def test_recordings_over_twelve_seconds_are_ignored_in_training(account: SandboxAccount) -> None:
    voice = account.create_voice()
    for name in ("a", "b", "c"):
        account.upload_recording(voice, wav_bytes(speech_like(13.0)), name)
    assert account.build_voice(voice)["status"] == "dataset_issue"
    for name in ("d", "e"):
        account.upload_recording(voice, wav_bytes(speech_like(6.0)), name)
    assert account.build_voice(voice)["status"] == "finished"


@pytest.mark.parametrize(
    ("wav", "words"),
    [
        (wav_bytes(data=b""), "zero seconds"),
        (sample_wav("rms-silent"), "no speech"),
        (wav_bytes(speech_like(1.2)), "too little"),
        (sample_wav("slt-01"), "not the consent statement"),
    ],
    ids=["empty", "silent", "short", "another text"],
)
def test_a_consent_that_is_none_fails_validation(
    account: SandboxAccount, listener: Listener, wav: bytes, words: str
) -> None:
    voice = _with_consent(account, wav, listener)
    assert account.build_voice(voice)["status"] == "consent_validation_failed"
    heard = listener.heard()
    assert heard.keys() == {"ok", "id", "status", "issue", "recordings"}
    assert (heard["ok"], heard["status"]) == (False, "consent_validation_failed")
    assert heard["recordings"] == []
    assert words in heard["issue"]


def test_pauses_raise_the_score_where_less_is_better(account: SandboxAccount) -> None:
    silence = np.zeros(16000 * 4)
    scores = []
    for gap in (silence[:1], silence):
        voice = account.create_voice()
        for number in range(3):
            parts = (speech_like(2.5), gap, speech_like(2.5))
            account.upload_recording(voice, wav_bytes(np.concatenate(parts)), f"clip {number}")
        scores.append(account.build_voice(voice)["scores"])
    assert scores[1]["pauses"] > scores[0]["pauses"] + 0.2
    assert scores[1]["resemble_score"] < scores[0]["resemble_score"]


def test_noise_lowers_the_scores_of_the_voice(account: SandboxAccount) -> None:
    scores = []
    for room in (-70.0, -34.0):
        voice = account.create_voice()
        for number in range(3):
            account.upload_recording(voice, wav_bytes(speech_like(5.0, room_dbfs=room)), f"clip {number}")
        scores.append(account.build_voice(voice)["scores"])
    for name in ("voice_similarity", "fluency", "resemble_score"):
        assert scores[1][name] < scores[0][name]


def test_a_voice_deleted_in_training_stays_deleted_and_calls_nobody(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 600.0})
    doomed = account.create_voice(callback_uri=f"{listener.address}/doomed")
    kept = account.create_voice(callback_uri=f"{listener.address}/kept")
    for voice in (doomed, kept):
        account.upload_samples(voice, *SLT_CLIPS[:3])
        assert account.voices.build(voice)["success"]
    account.voices.delete(doomed)
    sandbox.forward(600)
    assert listener.heard()["id"] == kept
    assert account.voices.get(doomed)["success"] is False


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _dataset() -> dict[str, bytes]:
    lines = "".join(f"{name}|Words of {name}.\n" for name in SLT_CLIPS)
    return {"set/metadata.csv": lines.encode()} | {f"set/wavs/{name}.wav": sample_wav(name) for name in SLT_CLIPS}


@pytest.mark.parametrize("pack", [_zip, _tar])
def test_a_professional_dataset_is_fetched_and_trained_without_a_build(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener, pack: Any
) -> None:
    address = listener.serve("dataset", pack(_dataset()))
    voice = account.create_voice("professional", dataset_url=address, callback_uri=f"{listener.address}/hook")
    assert listener.heard()["status"] == "finished"
    texts = {item["name"]: item["text"] for item in account.recordings.all(voice, 1)["items"]}
    assert texts == {name: f"Words of {name}." for name in SLT_CLIPS}
    assert not sandbox.ledger(operation="build_voice", voice=voice)


def test_a_rapid_dataset_is_one_wav_and_waits_for_its_build(account: SandboxAccount, listener: Listener) -> None:
    long = np.concatenate([np.frombuffer(sample_wav(name)[44:], "<i2") / 32768 for name in SLT_CLIPS[:3]])
    voice = account.create_voice(dataset_url=listener.serve("long.wav", wav_bytes(long)))
    assert account.voices.get(voice)["item"]["status"] == "initializing"
    assert account.build_voice(voice)["status"] == "finished"


@pytest.mark.parametrize(
    ("voice_type", "content", "words"),
    [
        ("professional", b"not an archive", "neither a readable .zip nor"),
        ("professional", _zip({"readme.txt": b"hello"}), "no WAV file"),
        ("professional", _zip({"a.wav": b"hello"}), "a.wav cannot be used"),
        (
            "professional",
            _zip({"x/a.wav": sample_wav("slt-01"), "y/a.wav": sample_wav("slt-02")}),
            "the same name",
        ),
        ("professional", None, "answered 404"),
        ("rapid", _zip({"a.wav": sample_wav("slt-01")}), "must be a WAV file"),
        ("rapid", wav_bytes(speech_like(9.0)), "only 9.0 seconds"),
    ],
)
def test_a_bad_dataset_is_an_issue_in_words(
    account: SandboxAccount, listener: Listener, voice_type: str, content: bytes | None, words: str
) -> None:
    address = f"{listener.address}/gone" if content is None else listener.serve("dataset", content)
    voice = account.create_voice(voice_type, dataset_url=address, callback_uri=f"{listener.address}/hook")
    if voice_type == "rapid":
        account.voices.build(voice)
    heard = listener.heard()
    assert heard["status"] == "dataset_issue"
    assert words in heard["issue"]


def test_a_failed_analysis_shows_in_the_list(account: SandboxAccount, listener: Listener) -> None:
    account.create_voice("professional", dataset_url=f"{listener.address}/gone", callback_uri=f"{listener.address}/h")
    assert listener.heard()["status"] == "dataset_issue"
    assert account.voices.all(1)["items"][0]["dataset_analysis_failure"] is True


def test_a_dataset_with_a_foreign_clip_is_an_issue(account: SandboxAccount, listener: Listener) -> None:
    files = {f"{name}.wav": sample_wav(name) for name in (*RMS_CLIPS, "rms-wrong-speaker")}
    address = listener.serve("dataset", _zip(files))
    account.create_voice("professional", dataset_url=address, callback_uri=f"{listener.address}/hook")
    told = listener.heard()["recordings"]
    assert [(one["name"], one["transcript"], one["is_outlier"]) for one in told] == [("rms-wrong-speaker", "", True)]
