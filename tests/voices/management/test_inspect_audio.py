"""The checks on the command line: one object for each file, whatever the file is."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from audio import report
from audio.ingest import ingest_audio
from tests.support.wav import encoded, sample_wav, wav_bytes
from tests.support.zips import Member, listed, zip_of
from voicehub.models import ThresholdOverride
from voices.management.commands import inspect_audio
from voices.models import LimitOverride

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


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
    assert (one["ok"], one["format"], codes(one)) == (False, None, ["not_sound"])
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
    (tmp_path / "z.wav").write_bytes(wav_bytes()[:-1])
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
    assert "no problems found" in good
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


def test_another_format_is_told_as_what_it_is_with_the_measures_of_what_was_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    path.write_bytes(encoded("FLAC", "PCM_24", channels=2))
    (one,) = told(path)
    assert one["ok"]
    assert one["format"].items() >= {"container": "FLAC", "subtype": "PCM_24", "channels": 2}.items()
    assert one["measures"]["rms_dbfs"] < 0
    assert one["findings"][0].items() >= {"severity": "put_right", "code": "converted"}.items()


def test_a_damaged_file_of_another_format_says_so(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    path.write_bytes(encoded("FLAC", "PCM_16")[:200])
    (one,) = told(path)
    assert (one["ok"], one["format"]) == (False, None)
    assert one["findings"]


def test_files_in_an_archive_are_told_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    clip, flac = Member(b"set/a.wav", sample_wav("slt-01")), Member(b"set/b.flac", encoded("FLAC", "PCM_16"))
    path.write_bytes(zip_of(clip, flac, Member(b"set/c.wav", b"RIFF")))
    told_of = {one["path"]: one for one in told(path)}
    assert list(told_of) == [f"{path}/a.wav", f"{path}/b.flac", f"{path}/c.wav"]
    first, second, third = told_of.values()
    assert (first["ok"], first["format"]["container"], first["findings"]) == (True, "WAV", [])
    assert (second["ok"], second["format"]["container"]) == (True, "FLAC")
    assert (third["ok"], codes(third)) == (False, ["cut_in_header"])
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_archive_is_one_object_that_is_not_ok(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(zip_of(Member(b"../a.wav")))
    (one,) = told(tmp_path)
    assert (one["path"], one["ok"], one["format"], codes(one)) == (str(path), False, None, ["name_escapes"])


def test_what_the_list_forgot_is_said_of_the_archive_itself(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(listed("a|Hello.", "a.wav", "b.wav"))
    archive, *files = told(path)
    assert (archive["path"], archive["ok"], codes(archive)) == (str(path), True, ["metadata_missing"])
    assert [one["ok"] for one in files] == [True, True]


def test_transcripts_of_the_list_reach_the_measures(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    text = "one two three four five six seven eight nine ten"
    path.write_bytes(zip_of(Member(b"metadata.csv", f"a|{text}".encode()), Member(data=sample_wav("slt-01"))))
    (one,) = told(path)
    assert one["measures"]["words_per_minute"] > 60


def test_a_file_that_sets_off_what_nobody_thought_of_hides_no_other(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(wav_bytes())

    def fail(file: Any, *more: Any) -> Any:
        if Path(file.name) == clip:
            raise ZeroDivisionError
        return ingest_audio(file, *more)

    monkeypatch.setattr(report, "ingest_audio", fail)
    first, second = told(clip, other)
    assert (first["ok"], codes(first), second["ok"]) == (False, ["broke_the_reader"], True)


def test_thresholds_that_an_admin_has_set_judge(clip: Path) -> None:
    ThresholdOverride.objects.create(name="too_quiet_dbfs", value=0.0)
    assert "too_quiet" in codes(told(clip)[0])


def test_without_a_database_the_usual_thresholds_judge(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", fail)
    assert told(clip)[0]["ok"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_that_moves_with_files_and_with_those_in_archives(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(zip_of(Member(b"a.wav"), Member(b"b.wav")))
    shown, out = Terminal(), io.StringIO()
    call_command("inspect_audio", str(tmp_path), "--json", stdout=out, stderr=shown)
    frames = shown.getvalue().split("\r\x1b[K")[1:]
    assert [int(frame.split("%")[0][-3:]) for frame in frames] == [0, 50, 50, 62, 75, 88, 100, 100]
    assert "clip.wav" in frames[0]
    assert "1 of 2 files  set.zip" in frames[4]
    assert frames[-1].strip().endswith("2 of 2 files")
    assert len(json.loads(out.getvalue())) == 3


def test_a_hidden_sequence_in_a_name_does_not_reach_the_terminal() -> None:
    assert inspect_audio.clean_name("a\x1b[2J.wav") == "a?[2J.wav"


def test_nothing_is_drawn_where_nobody_looks(clip: Path) -> None:
    shown = io.StringIO()
    call_command("inspect_audio", str(clip), stdout=io.StringIO(), stderr=shown)
    assert shown.getvalue() == ""
