"""`manage.py inspect_audio` reports one JSON object for each file, also for broken files and for those in archives."""

import io
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from audio import report
from audio.ingest import ingest_audio
from tests.support.wav import encode_speech, load_sample_wav, make_wav_bytes
from tests.support.zips import ZipMember, build_zip, build_zip_with_list
from voicehub.models import ThresholdOverride
from voices.management.commands import inspect_audio
from voices.management.commands.inspect_audio import get_clip_limits
from voices.models import LimitOverride

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def run_inspect_audio(*arguments: object) -> list[dict[str, Any]]:
    stdout = io.StringIO()
    call_command("inspect_audio", *map(str, arguments), "--json", stdout=stdout)
    entries: list[dict[str, Any]] = json.loads(stdout.getvalue(), parse_constant=pytest.fail)
    return entries


def list_codes(entry: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in entry["findings"]]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(load_sample_wav("slt-01"))
    return path


def test_good_clip_has_format_and_measures_and_no_findings(clip: Path) -> None:
    (entry,) = run_inspect_audio(clip)
    assert (entry["path"], entry["ok"], entry["findings"]) == (str(clip), True, [])
    assert (
        entry["format"].items()
        >= {"container": "WAV", "subtype": "PCM_16", "sample_rate": 16000, "channels": 1}.items()
    )
    assert entry["format"]["frames"] / 16000 == pytest.approx(entry["format"]["seconds"])
    assert -40 < entry["measures"]["rms_dbfs"] < entry["measures"]["peak_dbfs"] < 0


def test_file_that_is_not_audio_has_a_finding_code(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("no sound")
    (entry,) = run_inspect_audio(path)
    assert (entry["ok"], entry["format"], list_codes(entry)) == (False, None, ["not_sound"])
    assert entry["findings"][0].keys() == {"severity", "code", "text", "advice", "at"}


@pytest.mark.parametrize("name", ["missing.wav", "broken-link.wav", "pipe.wav"])
def test_file_that_cannot_be_opened_is_unreadable(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "link" in name:
        path.symlink_to(tmp_path / "missing-target")
    if "pipe" in name:
        os.mkfifo(path)
    (entry,) = run_inspect_audio(path)
    assert (entry["ok"], list_codes(entry)) == (False, ["unreadable"])


def test_files_of_a_folder_are_read_in_order_of_name_despite_a_bad_file(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.wav").write_bytes(b"")
    (tmp_path / "deeper" / "loop").symlink_to(tmp_path)
    (tmp_path / "z.wav").write_bytes(make_wav_bytes()[:-32000])
    entries = run_inspect_audio(tmp_path)
    assert [(Path(entry["path"]).name, entry["ok"]) for entry in entries] == [
        ("clip.wav", True),
        ("b.wav", False),
        ("z.wav", False),
    ]


def test_file_name_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    path.write_bytes(b"RIFF")
    assert [entry["ok"] for entry in run_inspect_audio(tmp_path)] == [False]
    call_command("inspect_audio", str(tmp_path), stdout=io.StringIO())


def test_measures_of_pure_silence_are_valid_json_numbers(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(make_wav_bytes(data=bytes(2 * 16000 * 3), rate=16000))
    (entry,) = run_inspect_audio(path)
    assert (entry["ok"], list_codes(entry)) == (True, ["silent"])


def test_text_output_gives_the_code_and_advice_of_each_finding(clip: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    stdout = io.StringIO()
    call_command("inspect_audio", str(clip), str(empty), stdout=stdout)
    good, bad = stdout.getvalue().strip().split("\n\n")
    assert "no problems found" in good
    assert "empty_file" in bad
    assert "Send it again" in bad


def test_limit_override_applies_to_the_limits_of_a_tier(clip: Path) -> None:
    tier = ("--provider", "resemble_v2", "--tier", "professional")
    assert list_codes(run_inspect_audio(clip, *tier)[0]) == []
    for name in ("professional", "rapid"):
        LimitOverride.objects.create(
            provider="resemble_v2", tier=name, limit="longest_clip", value=2, source="E-mail of the provider."
        )
    (entry,) = run_inspect_audio(clip, *tier)
    assert (entry["ok"], list_codes(entry)) == (False, ["too_long"])
    # A rapid voice takes one WAV of all recordings, of any length.
    (entry,) = run_inspect_audio(clip, "--provider", "resemble_v2", "--tier", "rapid")
    assert (entry["ok"], list_codes(entry)) == (True, ["long"])


@pytest.mark.parametrize(
    ("provider", "tier", "expected"),
    [
        ("", "", (1.0, 7200.0, 60.0)),
        ("resemble_v2", "rapid", (1.0, 7200.0, 60.0)),
        ("resemble_v2", "professional", (1.0, 60.0, 60.0)),
        ("resemble_v1", "professional", (1.5, 7200.0, 20.0)),
        ("audiostack", "professional", (1.5, 7200.0, math.inf)),
        ("speechgen", "rapid", (0, 300.0, 300.0)),
        ("voiceai", "rapid", (0, 60.0, 60.0)),
    ],
)
def test_length_is_judged_as_a_build_judges_it(provider: str, tier: str, expected: tuple[float, float, float]) -> None:
    limits = get_clip_limits(provider, tier)
    assert (limits.min_seconds, limits.max_seconds, limits.long_seconds) == expected


def test_option_provider_without_the_option_tier_is_refused(clip: Path) -> None:
    with pytest.raises(CommandError, match="together"):
        run_inspect_audio(clip, "--provider", "resemble_v2")


def test_report_of_a_flac_names_its_format_and_measures_the_converted_wav(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    path.write_bytes(encode_speech("FLAC", "PCM_24", channels=2))
    (entry,) = run_inspect_audio(path)
    assert entry["ok"]
    assert entry["format"].items() >= {"container": "FLAC", "subtype": "PCM_24", "channels": 2}.items()
    assert entry["measures"]["rms_dbfs"] < 0
    assert entry["findings"][0].items() >= {"severity": "put_right", "code": "converted"}.items()


def test_damaged_flac_has_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    path.write_bytes(encode_speech("FLAC", "PCM_16")[:200])
    (entry,) = run_inspect_audio(path)
    assert (entry["ok"], entry["format"]) == (False, None)
    assert entry["findings"]


def test_files_in_an_archive_are_reported_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    clip, flac = (
        ZipMember(b"set/a.wav", load_sample_wav("slt-01")),
        ZipMember(b"set/b.flac", encode_speech("FLAC", "PCM_16")),
    )
    path.write_bytes(build_zip(clip, flac, ZipMember(b"set/c.wav", b"RIFF")))
    entries_by_path = {entry["path"]: entry for entry in run_inspect_audio(path)}
    assert list(entries_by_path) == [f"{path}/a.wav", f"{path}/b.flac", f"{path}/c.wav"]
    first, second, third = entries_by_path.values()
    assert (first["ok"], first["format"]["container"], first["findings"]) == (True, "WAV", [])
    assert (second["ok"], second["format"]["container"]) == (True, "FLAC")
    assert (third["ok"], list_codes(third)) == (False, ["cut_in_header"])
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_file_in_an_archive_is_reported_beside_the_others(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(build_zip(ZipMember(b"a.wav", crc=1), ZipMember(b"b.wav", load_sample_wav("slt-01"))))
    damaged, good = run_inspect_audio(path)
    assert (damaged["path"], damaged["ok"], list_codes(damaged)) == (f"{path}/a.wav", False, ["member_checksum"])
    assert (good["path"], good["ok"]) == (f"{path}/b.wav", True)


def test_other_archive_in_a_folder_is_refused_by_its_format(tmp_path: Path) -> None:
    (tmp_path / "set.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    (entry,) = run_inspect_audio(tmp_path)
    assert (entry["ok"], entry["findings"][0]["text"]) == (False, "The file is a 7z archive, which cannot be read.")


def test_refused_archive_is_one_entry_that_is_not_ok(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(build_zip(ZipMember(b"../a.wav")))
    (entry,) = run_inspect_audio(tmp_path)
    assert (entry["path"], entry["ok"], entry["format"], list_codes(entry)) == (
        str(path),
        False,
        None,
        ["name_escapes"],
    )


def test_file_missing_in_metadata_is_a_finding_of_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(build_zip_with_list("a|Hello.", "a.wav", "b.wav"))
    archive, *files = run_inspect_audio(path)
    assert (archive["path"], archive["ok"], list_codes(archive)) == (str(path), True, ["metadata_missing"])
    assert [entry["ok"] for entry in files] == [True, True]


def test_transcripts_in_metadata_are_used_in_the_measures(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    text = "one two three four five six seven eight nine ten"
    path.write_bytes(
        build_zip(ZipMember(b"metadata.csv", f"a|{text}".encode()), ZipMember(data=load_sample_wav("slt-01")))
    )
    (entry,) = run_inspect_audio(path)
    assert entry["measures"]["words_per_minute"] > 60
    assert entry["transcript"] == text


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_each_clip_has_its_transcript_and_each_loose_line_a_row(kind: str, tmp_path: Path) -> None:
    table = b"a|m1|One two three.\nb|m1|Four five six.\n9|m1|Seven eight.\n"
    files = {"metadata.csv": table, "wavs/a.wav": make_wav_bytes(), "wavs/b.wav": make_wav_bytes(), "a.pkf": b"x"}
    path = tmp_path / ("set.zip" if kind == "archive" else "set")
    if kind == "archive":
        path.write_bytes(build_zip(*(ZipMember(name.encode(), data) for name, data in files.items())))
    else:
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    whole, loose, *clips = run_inspect_audio(path)
    assert (whole["path"], list_codes(whole)) == (str(path), ["table_lines_unknown", "side_files"])
    assert (loose["path"], loose["ok"]) == (f"{path}/metadata.csv:3", False)
    assert "3 “9”" in loose["findings"][0]["text"]
    texts = {Path(clip["path"]).name: clip["transcript"] for clip in clips}
    assert texts == {"a.wav": "One two three.", "b.wav": "Four five six."}


def test_unexpected_error_in_one_file_does_not_hide_the_others(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(make_wav_bytes())

    def fail_for_first_file(file: Any, *args: Any) -> Any:
        if Path(file.name) == clip:
            raise ZeroDivisionError
        return ingest_audio(file, *args)

    monkeypatch.setattr(report, "ingest_audio", fail_for_first_file)
    first, second = run_inspect_audio(clip, other)
    assert (first["ok"], list_codes(first), second["ok"]) == (False, ["broke_the_reader"], True)


def test_threshold_override_changes_the_findings(clip: Path) -> None:
    ThresholdOverride.objects.create(name="too_quiet_dbfs", value=0.0)
    assert "too_quiet" in list_codes(run_inspect_audio(clip)[0])


def test_default_thresholds_apply_without_a_database(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_error(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", raise_error)
    assert run_inspect_audio(clip)[0]["ok"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_bar_counts_files_and_archive_members(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(build_zip(ZipMember(b"a.wav"), ZipMember(b"b.wav")))
    terminal, stdout = Terminal(), io.StringIO()
    call_command("inspect_audio", str(tmp_path), "--json", stdout=stdout, stderr=terminal)
    frames = terminal.getvalue().split("\r\x1b[K")[1:]
    assert [int(frame.split("%")[0][-3:]) for frame in frames] == [0, 50, 50, 62, 75, 88, 100, 100]
    assert "clip.wav" in frames[0]
    assert "1 of 2 files  set.zip" in frames[4]
    assert frames[-1].strip().endswith("1 of 1 files")
    assert len(json.loads(stdout.getvalue())) == 3


def test_escape_sequence_in_a_name_does_not_reach_the_terminal() -> None:
    assert inspect_audio.clean_name("a\x1b[2J.wav") == "a?[2J.wav"


def test_no_progress_bar_without_a_terminal(clip: Path) -> None:
    terminal = io.StringIO()
    call_command("inspect_audio", str(clip), stdout=io.StringIO(), stderr=terminal)
    assert terminal.getvalue() == ""
