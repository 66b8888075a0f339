"""`manage.py prepare_audio` writes audio files with their recipes, and never overwrites a file."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.management import CommandError, call_command

from audio.datasets.clips import load_clip
from tests.support.sounds import encode_with_libsndfile, load_sample_voice
from tests.support.wav import load_sample_wav, make_wav_bytes, make_white_noise
from voices.models import LimitOverride

NAMES = ("slt-01", "slt-02", "slt-03", "slt-04")


def run_prepare_audio(*arguments: object) -> str:
    out = io.StringIO()
    call_command("prepare_audio", *map(str, arguments), stdout=out)
    return out.getvalue()


def read_recipe(path: Path) -> dict[str, Any]:
    recipe: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert recipe["file"] == path.name
    assert {"made_by", "from_sha256", "steps"} <= recipe.keys()
    return recipe


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.wav").write_bytes(load_sample_wav(name))
    return folder


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """A long recording in FLAC, 24 bit, stereo, 48,000 Hz."""
    segments = [samples for name in NAMES for samples in (load_sample_voice(name)[0], make_white_noise(0.8, -65.0))]
    path = tmp_path / "take.flac"
    samples = np.repeat(np.concatenate(segments), 3)
    path.write_bytes(encode_with_libsndfile(np.stack([samples, samples], axis=1), 48000, "FLAC", "PCM_24"))
    return path


def test_convert_writes_recipes_and_names_failed_files(tmp_path: Path, take: Path) -> None:
    (tmp_path / "notes.txt").write_text("not audio, so skipped in a folder")
    (tmp_path / "broken.mp3").write_bytes(b"ID3 and nothing else")
    original = take.read_bytes()
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2 files"):
        call_command("prepare_audio", "convert", str(tmp_path), "--into", str(tmp_path / "out"), stdout=out)
    assert "broken.mp3: The file starts like a sound file" in out.getvalue()
    assert "The file was FLAC, 24 bit, 48,000 Hz, stereo" in out.getvalue()
    converted = tmp_path / "out" / "take.wav"
    assert load_clip(converted).rate == 48000
    recipe = read_recipe(converted)
    assert recipe["from_sha256"] == hashlib.sha256(original).hexdigest()
    assert [step["step"] for step in recipe["steps"]] == ["decode", "mix", "round"]
    assert recipe["original_format"]["subtype"] == "PCM_24"
    assert take.read_bytes() == original


def test_convert_resamples_to_the_requested_rate(tmp_path: Path, clips: Path) -> None:
    run_prepare_audio("convert", clips / "slt-01.wav", "--into", tmp_path / "out", "--rate", 8000)
    assert load_clip(tmp_path / "out" / "slt-01.wav").rate == 8000


def test_recipe_of_each_split_clip_names_its_source_and_steps(tmp_path: Path, take: Path) -> None:
    assert "clips in" in run_prepare_audio("split", take, "--into", tmp_path / "cut", "--max-seconds", 12)
    paths = sorted((tmp_path / "cut").glob("*.wav"))
    assert len(paths) >= 2
    for path in paths:
        assert path.name.startswith("take-0")
        assert 1.5 <= load_clip(path).seconds <= 12
        recipe = read_recipe(path)
        assert recipe["from_sha256"] == hashlib.sha256(take.read_bytes()).hexdigest()
        assert [step["step"] for step in recipe["steps"]] == ["decode", "mix", "round", "cut"]


@pytest.mark.django_db
def test_split_respects_provider_limits_with_overrides(tmp_path: Path, take: Path) -> None:
    tier = ("--provider", "resemble_v2", "--tier", "rapid")
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="trained_clip", value=4, source="E-mail of the provider."
    )
    run_prepare_audio("split", take, "--into", tmp_path / "cut", *tier)
    assert max(load_clip(path).seconds for path in (tmp_path / "cut").glob("*.wav")) <= 4
    with pytest.raises(CommandError, match="together"):
        run_prepare_audio("split", take, "--into", tmp_path / "other", *tier[:2])


def test_join_respects_the_maximum_duration(tmp_path: Path, clips: Path) -> None:
    out = tmp_path / "one.wav"
    with pytest.raises(CommandError, match="at most 12 are allowed"):
        run_prepare_audio("join", clips, "--out", out, "--max-seconds", 12)
    assert not out.exists()
    output = run_prepare_audio("join", clips, "--out", out, "--max-seconds", 12, "--select")
    assert "of 4 clips selected" in output
    assert 8 < load_clip(out).seconds <= 12
    assert len(read_recipe(out)["clips"]) == len(read_recipe(out)["from_sha256"]) < 4


def test_join_respects_the_maximum_size_at_a_requested_rate(tmp_path: Path, clips: Path) -> None:
    out = tmp_path / "one.wav"
    run_prepare_audio("join", clips, "--out", out, "--max-bytes", 500_000, "--select", "--rate", 22050)
    assert 200_000 < out.stat().st_size <= 500_000
    assert load_clip(out).rate == 22050
    with pytest.raises(CommandError, match="needs --max-seconds"):
        run_prepare_audio("join", clips, "--out", tmp_path / "two.wav", "--select")


def test_join_does_not_select_a_silent_clip(tmp_path: Path, clips: Path) -> None:
    (clips / "silent.wav").write_bytes(make_wav_bytes(make_white_noise(5.0, -80.0)))
    assert "Not selected: silent." in run_prepare_audio(
        "join", clips, "--out", tmp_path / "one.wav", "--max-seconds", 999, "--select"
    )


def test_pack_writes_clips_with_their_transcripts(tmp_path: Path, clips: Path) -> None:
    out = tmp_path / "dataset.zip"
    with pytest.raises(CommandError, match=r"metadata\.csv"):
        run_prepare_audio("pack", clips, "--out", out)
    (clips / "metadata.csv").write_text("slt-01|One.\nslt-02.wav|Two.\nslt-03|Three.\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"slt-04\.wav"):
        run_prepare_audio("pack", clips, "--out", out)
    (clips / "slt-04.wav").unlink()
    with (clips / "metadata.csv").open("a", encoding="utf-8") as table:
        table.write("slt-4|Lost.\n")
    with pytest.raises(CommandError, match=r"these lines fit no clip, or several: 4 \('slt-4'\)"):
        run_prepare_audio("pack", clips, "--out", out)
    (clips / "metadata.csv").write_text("name;take;text\nslt-01;1;One.\nslt-02.wav;1;Two.\nslt-03;1;Three.\n", "utf-16")
    output = run_prepare_audio("pack", clips, "--out", out)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == ["metadata.csv", "slt01.wav", "slt02.wav", "slt03.wav"]
        assert archive.read("metadata.csv").decode() == "slt01|One.\nslt02|Two.\nslt03|Three.\n"
        assert archive.read("slt02.wav") == load_sample_wav("slt-02")
    recipe = read_recipe(out)
    assert (recipe["bytes"], recipe["md5"]) == (out.stat().st_size, hashlib.md5(out.read_bytes()).hexdigest())  # noqa: S324
    assert recipe["md5"] in output


def test_pack_refuses_a_clip_in_another_format(tmp_path: Path, clips: Path) -> None:
    (clips / "stereo.wav").write_bytes(make_wav_bytes(channels=2))
    with pytest.raises(CommandError, match="has 2 channels"):
        run_prepare_audio("pack", clips, "--out", tmp_path / "dataset.zip", "--without-text")
    assert not (tmp_path / "dataset.zip").exists()


@pytest.mark.parametrize("existing", ["out.wav", "out.json"])
def test_existing_file_is_never_overwritten(tmp_path: Path, clips: Path, existing: str) -> None:
    (tmp_path / existing).write_text("unchanged")
    for arguments in (
        ("join", clips / "slt-01.wav", "--out", tmp_path / "out.wav"),
        ("pack", clips, "--out", tmp_path / "out.wav", "--without-text"),
    ):
        with pytest.raises(CommandError, match="exists already"):
            run_prepare_audio(*arguments)
    assert [path.read_text() for path in tmp_path.glob("out.*")] == ["unchanged"]


def test_split_writes_nothing_when_one_clip_already_exists(tmp_path: Path, take: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    (folder / "take-002.wav").write_text("unchanged")
    with pytest.raises(CommandError, match="exists already"):
        run_prepare_audio("split", take, "--into", folder)
    assert [path.name for path in folder.iterdir()] == ["take-002.wav"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("split", "missing.wav", "--into", "out"), "No such file"),
        (("join", "missing.wav", "--out", "out.wav"), "No such file"),
        (("pack", "missing", "--out", "out.zip"), "No such file"),
        (("split", "silence.wav", "--into", "out"), "contains no speech"),
        (
            ("split", "silence.wav", "--into", "out", "--min-seconds", 9, "--max-seconds", 3),
            "0 s < --min-seconds < --max-seconds must hold",
        ),
        (("convert", "empty", "--into", "out"), "No audio files"),
    ],
)
def test_wrong_arguments_give_an_error_that_names_the_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    soundfile.write(tmp_path / "silence.wav", np.zeros(80000), 16000, subtype="PCM_16")
    with pytest.raises(CommandError, match=message):
        run_prepare_audio(*arguments)
