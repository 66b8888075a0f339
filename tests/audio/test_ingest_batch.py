"""Many files are checked in one child, each as a single upload is, and none stops the others."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from audio.findings.thresholds import THRESHOLDS
from audio.ingest import ingest_audio
from audio.ingest_batch import ingest_files
from audio.levels.inspection import DurationLimits
from audio.untrusted.runner import run_job
from audio.wav.convert import ConversionLimits
from tests.support.wav import make_speech_like, make_wav_bytes

LIMITS = DurationLimits(1.0, 60.0)


def make_sound(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, make_speech_like(2.0, 44100, 120.0), 44100, format=kind, **options)
    return buffer.getvalue()


FILES = {
    "good.wav": make_wav_bytes(make_speech_like(2.0, 16000, 100.0)),
    "24 bit.wav": make_sound("WAV", subtype="PCM_24"),
    "a.flac": make_sound("FLAC"),
    "short.wav": make_wav_bytes(make_speech_like(0.3, 16000, 100.0)),
    "cut.flac": make_sound("FLAC")[:5000],
    "text.wav": b"no sound at all",
    "empty.wav": b"",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "wavs").mkdir()
    return tmp_path


def test_each_file_is_judged_as_a_single_upload(folder: Path) -> None:
    results = list(ingest_files([folder / name for name in FILES], folder / "wavs", LIMITS, THRESHOLDS))
    assert len(results) == len(FILES)
    for name, result in zip(FILES, results, strict=True):
        with (folder / name).open("rb") as file, ingest_audio(file, LIMITS, THRESHOLDS) as single:
            assert result.fields == json.loads(json.dumps(single.build_row_fields())), name
            assert (result.ok, result.has_sound) == (single.ok, single.inspection.header is not None), name
            assert (result.wav and result.wav.read_bytes()) == (single.wav_path and single.wav_path.read_bytes()), name
    assert [result.ok for result in results] == [True, True, True, False, False, False, False]


def test_file_that_uses_up_the_time_of_the_child_is_refused_alone(folder: Path) -> None:
    """Both sounds are converted in the same child. Neither may use more than its limit."""
    limits = ConversionLimits(cpu_seconds=1, wall_seconds=0.05)
    paths = [folder / name for name in ("a.flac", "good.wav")]
    results = list(ingest_files(paths, folder / "wavs", LIMITS, THRESHOLDS, limits))
    assert [[finding["code"] for finding in result.fields["findings"]] for result in results] == [["took_too_long"]] * 2


def test_child_is_started_once_unless_a_file_breaks_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []

    def count(*arguments: object) -> Iterator[object]:
        starts.append(1)
        return run_job(*arguments)  # type: ignore[arg-type]  # the same as of ingest_files

    monkeypatch.setattr("audio.ingest_batch.run_job", count)
    paths = [folder / "good.wav"] * 2000  # their names are longer than a command line may be
    results = list(ingest_files([*paths, *(folder / name for name in FILES)], folder / "wavs", LIMITS, THRESHOLDS))
    assert len(results) == 2000 + len(FILES) and starts == [1]


def test_lost_file_raises(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(ingest_files([folder / "none.wav"], folder / "wavs", LIMITS, THRESHOLDS))
