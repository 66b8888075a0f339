"""The checks on the command line: one object for each file, whatever the file is."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.support.wav import sample_wav, wav_bytes
from voices.models import LimitOverride

pytestmark = pytest.mark.django_db


def told(*arguments: object) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("inspect_audio", *map(str, arguments), "--json", stdout=out)
    objects: list[dict[str, Any]] = json.loads(out.getvalue(), parse_constant=pytest.fail)
    return objects


def codes(one: dict[str, Any]) -> list[str]:
    return [said["code"] for said in one["findings"]]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(sample_wav("slt-01"))
    return path


def test_a_good_clip_has_format_and_measures_and_nothing_against_it(clip: Path) -> None:
    (one,) = told(clip)
    assert (one["path"], one["ok"], one["findings"]) == (str(clip), True, [])
    assert (
        one["format"].items() >= {"container": "WAV", "subtype": "PCM_16", "sample_rate": 16000, "channels": 1}.items()
    )
    assert one["format"]["frames"] / 16000 == pytest.approx(one["format"]["seconds"])
    assert -40 < one["measures"]["rms_dbfs"] < one["measures"]["peak_dbfs"] < 0


def test_a_file_that_is_no_wav_is_not_ok_and_says_its_code(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("no sound")
    (one,) = told(path)
    assert (one["ok"], one["format"], codes(one)) == (False, None, ["not_wav"])
    assert one["findings"][0].keys() == {"severity", "code", "text", "advice", "at"}


@pytest.mark.parametrize("name", ["missing.wav", "broken-link.wav", "pipe.wav"])
def test_a_file_that_cannot_be_opened_is_said_to_be_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "link" in name:
        path.symlink_to(tmp_path / "nowhere")
    if "pipe" in name:
        os.mkfifo(path)
    (one,) = told(path)
    assert (one["ok"], codes(one)) == (False, ["unreadable"])


def test_a_folder_is_gone_through_by_name_and_a_bad_file_stops_nothing(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.wav").write_bytes(b"")
    (tmp_path / "deeper" / "loop").symlink_to(tmp_path)
    (tmp_path / "z.wav").write_bytes(wav_bytes(rate=12345))
    found = told(tmp_path)
    assert [(Path(one["path"]).name, one["ok"]) for one in found] == [
        ("clip.wav", True),
        ("b.wav", False),
        ("z.wav", False),
    ]


def test_a_name_that_is_no_text_is_told_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    path.write_bytes(b"RIFF")
    assert [one["ok"] for one in told(tmp_path)] == [False]
    call_command("inspect_audio", str(tmp_path), stdout=io.StringIO())


def test_pure_silence_is_told_in_numbers_that_json_has(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(wav_bytes(data=bytes(2 * 16000 * 3), rate=16000))
    (one,) = told(path)
    assert (one["ok"], codes(one)) == (True, ["silent"])


def test_words_name_the_code_the_place_and_the_advice(clip: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    out = io.StringIO()
    call_command("inspect_audio", str(clip), str(empty), stdout=out)
    good, bad = out.getvalue().strip().split("\n\n")
    assert "nothing to complain about" in good
    assert "empty_file" in bad
    assert "Send it again" in bad


def test_a_providers_limits_judge_with_what_an_admin_put_right(clip: Path) -> None:
    tier = ("--provider", "resemble_v2", "--tier", "rapid")
    assert codes(told(clip, *tier)[0]) == []
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="longest_clip", value=2, source="Told by mail."
    )
    (one,) = told(clip, *tier)
    assert (one["ok"], codes(one)) == (False, ["too_long"])


def test_a_provider_without_a_tier_is_refused(clip: Path) -> None:
    with pytest.raises(CommandError, match="together"):
        told(clip, "--provider", "resemble_v2")
