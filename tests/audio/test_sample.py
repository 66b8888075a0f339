"""The sample audio matches its manifest and is small."""

import io
from typing import Any

import pytest

from audio.levels.inspection import DurationLimits, Inspection, inspect_file
from tests.audio.networks.test_speaker_match import MANIFEST
from tests.support.wav import SAMPLE_FOLDER, load_sample_wav

RECORDINGS = [entry for entry in MANIFEST if entry["kind"] == "recording"]


def inspect_sample(entry: dict[str, Any]) -> Inspection:
    return inspect_file(io.BytesIO(load_sample_wav(entry["file"].removesuffix(".flac"))), DurationLimits(1.5, 20.0))


def test_manifest_lists_every_file_once() -> None:
    assert sorted(entry["file"] for entry in MANIFEST) == sorted(path.name for path in SAMPLE_FOLDER.glob("*.flac"))
    kinds = [(entry["set"], entry["kind"]) for entry in MANIFEST]
    assert (kinds.count(("slt", "recording")), kinds.count(("rms", "recording"))) == (8, 6)
    assert {pair for pair in kinds if pair[1] not in ("recording", "consent", "not_the_statement")} == {
        ("rms", "silent"),
        ("rms", "wrong_speaker"),
        ("slt", "second_consent"),
    }
    assert sorted(reader for reader, kind in kinds if kind == "consent") == ["awb", "rms", "slt"]
    assert sorted(reader for reader, kind in kinds if kind == "not_the_statement") == ["awb", "slt"]


def test_sample_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE_FOLDER.iterdir() if path.is_file()) < 1_900_000


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_file_matches_its_manifest_entry(entry: dict[str, Any]) -> None:
    inspection = inspect_sample(entry)
    assert inspection.ok
    assert inspection.header is not None and inspection.levels is not None
    assert inspection.header.seconds == pytest.approx(entry["seconds"], abs=0.01)
    expected = {"silent"} if entry["kind"] == "silent" else set()
    assert {finding.code for finding in inspection.findings} == expected
    if expected:
        assert inspection.levels.rms_dbfs < -60
    else:
        assert inspection.levels.rms_dbfs == pytest.approx(-20.0, abs=0.5)
        assert inspection.levels.peak_dbfs < -3.0


@pytest.mark.parametrize("entry", RECORDINGS, ids=lambda entry: entry["file"])
def test_recordings_last_four_to_nine_seconds(entry: dict[str, Any]) -> None:
    assert 4.0 <= entry["seconds"] <= 9.0


def test_consent_transcripts_are_the_statement() -> None:
    statements = {entry["transcript"] for entry in MANIFEST if entry["kind"] == "consent"}
    assert statements == {
        "I am aware that recordings of my voice will be used by Northlight Voices to train and create "
        "a synthetic version of my voice by Resemble AI."
    }
