"""Hostile archives by name, each refused with its own code; good ones taken; and none takes much of anything."""

import hashlib
import io
import json
import os
import re
import stat
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from django.conf import settings

from audio.archives import read
from audio.archives.job import MAX_MEMORY_BYTES
from audio.archives.limits import ArchiveLimits
from audio.archives.read import Archive, is_archive, read_archive
from audio.datasets import archive_writer
from audio.findings.catalog_archive import CODES
from audio.findings.findings import Severity
from audio.levels.inspection import DurationLimits, inspect_file
from audio.untrusted.runner import ChildLimits
from tests.audio.archives.lists import GOOD_LISTS, HOSTILE_LISTS
from tests.audio.archives.tars import GOOD_TARS, HOSTILE_TARS
from tests.audio.archives.zips import GOOD_ZIPS, HOSTILE_ZIPS
from tests.support.tars import Part, packed, pax
from tests.support.wav import encoded, wav_bytes
from tests.support.zips import STORED, Member, clip, deflated, listed, named, zip_of

TIGHT = ChildLimits(cpu_seconds=2, memory_bytes=512 << 20)
HOSTILE = {
    **{f"zip: {name}": one for name, one in HOSTILE_ZIPS.items()},
    **{f"tar: {name}": one for name, one in HOSTILE_TARS.items()},
    **{f"list: {name}": one for name, one in HOSTILE_LISTS.items()},
}
GOOD = {
    **{f"zip: {name}": one for name, one in GOOD_ZIPS.items()},
    **{f"tar: {name}": one for name, one in GOOD_TARS.items()},
}


def looked_into(data: bytes, folder: Path | None = None, **more: object) -> Archive:
    return read_archive(io.BytesIO(data), folder=folder, child_limits=TIGHT, **more)  # type: ignore[arg-type]  # any option


def codes(looked: Archive) -> list[str]:
    return [one.code for one in looked.findings]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archive_is_refused_for_its_own_reason_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    recipe, code = HOSTILE[name]
    looked = looked_into(recipe(), tmp_path)
    assert codes(looked) == [code], looked.findings
    assert (looked.ok, looked.members) == (False, ())
    assert looked.findings[0].severity == Severity.ERROR
    assert looked.findings[0].text.isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", GOOD)
def test_good_archive_is_taken(name: str) -> None:
    recipe, names = GOOD[name]
    looked = looked_into(recipe())
    assert (codes(looked), looked.ok) == ([], True)
    assert tuple(member.name for member in looked.members) == names
    assert [member.number for member in looked.members] == list(range(1, len(names) + 1))
    assert any(member.size for member in looked.members)


@pytest.mark.parametrize("name", GOOD_LISTS)
def test_transcripts_come_from_the_list(name: str) -> None:
    recipe, texts = GOOD_LISTS[name]
    looked = looked_into(recipe())
    assert looked.ok
    assert {member.name: member.transcript for member in looked.members} == texts
    forgotten = name in ("some lines only", "no lines")
    assert codes(looked) == (["metadata_missing"] if forgotten else [])


def test_there_are_enough_of_them_and_every_code_is_provoked() -> None:
    assert len(HOSTILE_ZIPS) >= 70
    assert len(HOSTILE_TARS) >= 70
    assert len(GOOD) + len(GOOD_LISTS) >= 40
    needs_gigabytes = {"archive_too_big"}
    assert {code for _, code in HOSTILE.values()} | needs_gigabytes | {"metadata_missing"} == set(CODES)


TWO = zip_of(Member(), Member(b"b.wav"))
SILENT = zip_of(Member(data=bytes(100_000)))
SPACES = zip_of(Member(b"metadata.csv", b" " * 100_000), Member(method=STORED))


def ratio(data: bytes) -> int:
    """The least that takes it."""
    return -(-len(data) // len(deflated(data)))


@pytest.mark.parametrize(
    ("data", "limit", "least", "code"),
    [
        (TWO, {"files": 2}, "files", "archive_too_many"),
        (TWO, {"entries": 2}, "entries", "archive_too_many"),
        (packed(Part(), Part(b"b.wav")), {"entries": 2}, "entries", "archive_too_many"),
        (TWO, {"member_bytes": len(clip())}, "member_bytes", "member_too_big"),
        (packed(), {"member_bytes": len(clip())}, "member_bytes", "member_too_big"),
        (TWO, {"total_bytes": 2 * len(clip())}, "total_bytes", "archive_too_big"),
        (SILENT, {"ratio": ratio(bytes(100_000)), "member_allowance": 0}, "ratio", "archive_bomb"),
        (SPACES, {"list_ratio": ratio(b" " * 100_000), "member_allowance": 0}, "list_ratio", "archive_bomb"),
        (SILENT, {"total_allowance": 100_000 - 20 * len(SILENT)}, "total_allowance", "archive_bomb"),
        (named("a/b.wav", "c.wav"), {"folders": 1}, "folders", "name_too_deep"),
        (named("abcd.wav"), {"name_bytes": 8}, "name_bytes", "name_too_long"),
        (packed(pax((b"path", b"a" * 50)), Part()), {"note_bytes": 59}, "note_bytes", "member_note_long"),
        (listed("a.wav|abc"), {"text_characters": 3}, "text_characters", "metadata_text_long"),
        (listed("a.wav|abc"), {"list_bytes": 9}, "list_bytes", "metadata_long"),
    ],
)
def test_each_limit_is_reached_exactly(data: bytes, limit: dict[str, int], least: str, code: str) -> None:
    limits = ArchiveLimits(**limit)
    assert looked_into(data, limits=limits).ok
    assert codes(looked_into(data, limits=replace(limits, **{least: limit[least] - 1}))) == [code]


@pytest.mark.parametrize("pack", [zip_of, None])
def test_an_archive_that_unpacks_to_too_much_is_refused(pack: object) -> None:
    data = zip_of() if pack else GOOD_TARS["one clip"][0]()
    assert codes(looked_into(data, limits=ArchiveLimits(total_bytes=1000, total_allowance=1000))) == ["archive_too_big"]


def test_a_member_is_inspected_as_a_file_is() -> None:
    data = wav_bytes(rate=8000)
    (member,) = looked_into(zip_of(Member(data=data))).members
    alone = inspect_file(io.BytesIO(data))
    assert member.ok
    assert member.inspection == json.loads(json.dumps(alone.as_dict()))
    assert member.facts == json.loads(json.dumps(alone.build_row_fields()))
    assert (member.size, member.sha256, member.path) == (len(data), hashlib.sha256(data).hexdigest(), None)


def test_members_are_judged_by_the_limits_that_are_given() -> None:
    (member,) = looked_into(zip_of(), clip_limits=DurationLimits(5.0, 60.0)).members
    assert not member.ok
    assert member.inspection["findings"][0]["code"] == "too_short"


MIXED = (Member(b"clips/a.wav"), Member(b"clips/b.wav", b"no sound"), Member(b"clips/c.wav"))


def test_accepted_members_are_written_under_their_numbers(tmp_path: Path) -> None:
    looked = looked_into(zip_of(*MIXED), tmp_path)
    assert [member.path and member.path.name for member in looked.members] == ["00001.wav", None, "00003.wav"]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"00001.wav": clip(), "00003.wav": clip()}


def test_members_of_every_kind_are_written_when_asked_for(tmp_path: Path) -> None:
    flac = encoded("FLAC", "PCM_16")
    looked = looked_into(zip_of(*MIXED, Member(b"clips/d.flac", flac)), tmp_path, keep_refused=True)
    assert [member.ok for member in looked.members] == [True, False, True, False]
    assert [member.path.read_bytes() for member in looked.members if member.path] == [clip(), b"no sound", clip(), flac]


def test_a_long_recording_is_looked_at_on_disk_and_kept_or_not(tmp_path: Path) -> None:
    data = wav_bytes(data=speech_like_minutes(), rate=48000)
    long = zip_of(Member(data=data, method=STORED), Member(b"b.wav", data[:-1], method=STORED))
    looked = looked_into(long, tmp_path, clip_limits=DurationLimits(0.0, 1e9))
    assert [(member.ok, member.path and member.path.name) for member in looked.members] == [
        (True, "00001.wav"),
        (False, None),
    ]
    assert [one.read_bytes() == data for one in tmp_path.iterdir()] == [True]


def speech_like_minutes() -> bytes:
    """Sound of more bytes than are kept in memory."""
    return clip()[44:] * (MAX_MEMORY_BYTES // len(clip()) + 2)


def test_progress_is_told_member_by_member() -> None:
    heard: list[tuple[int, int]] = []
    looked_into(named("a.wav", "b.wav"), progress=lambda done, files: heard.append((done, files)))
    assert heard == [(0, 2), (1, 2), (2, 2)]


def test_a_refusal_in_the_middle_takes_back_what_was_written(tmp_path: Path) -> None:
    heard: list[int] = []
    data = zip_of(Member(), Member(b"b.wav", crc=1))
    looked = looked_into(data, tmp_path, progress=lambda done, files: heard.append(len(list(tmp_path.iterdir()))))
    assert codes(looked) == ["member_checksum"]
    assert max(heard) > 0, "the first was there"
    assert list(tmp_path.iterdir()) == []


def state(folder: Path) -> dict[str, object]:
    return {
        str(one.relative_to(folder)): one.read_bytes() if stat.S_ISREG(one.lstat().st_mode) else one.lstat().st_mode
        for one in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("name", ["up", "password file", "link", "up for Windows", "archive in it"])
def test_nothing_is_written_outside_of_the_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept").write_text("as it was")
    for inner in ("folder", "scratch"):
        (tmp_path / inner).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    before = state(tmp_path)
    looked_into(HOSTILE_ZIPS[name][0](), tmp_path / "folder")
    looked_into(HOSTILE_TARS["up in a note"][0](), tmp_path / "folder")
    assert state(tmp_path) == before


def test_a_reader_without_time_or_memory_is_a_finding_and_its_parent_goes_on(tmp_path: Path) -> None:
    data = zip_of(*(Member(b"%d.wav" % one) for one in range(40)))
    stopped = read_archive(io.BytesIO(data), folder=tmp_path, child_limits=ChildLimits(wall_seconds=0.01))
    assert codes(stopped) == ["took_too_long"]
    starved = read_archive(io.BytesIO(data), folder=tmp_path, child_limits=ChildLimits(memory_bytes=64 << 20))
    assert not starved.ok
    assert list(tmp_path.iterdir()) == []
    assert looked_into(data).ok


def test_a_full_disk_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_scale_limits", lambda given, source, limits: ChildLimits(file_bytes=1000))
    assert codes(looked_into(zip_of(), tmp_path)) == ["no_room_to_write"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_the_callers_business(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "none.zip")


@pytest.mark.parametrize(
    ("name", "head", "is_one"),
    [
        ("a.zip", b"", True),
        ("A.TGZ", b"hello", True),
        ("a.tar.gz", b"", True),
        ("clips", named("a")[:512], True),
        ("clips", GOOD_TARS["not packed"][0]()[:512], True),
        ("clips", GOOD_TARS["one clip"][0]()[:512], True),
        ("a.wav", named("a")[:512], False),
        ("a.wav", clip()[:512], False),
        ("a.csv", b"a|b", False),
    ],
)
def test_what_is_looked_into(name: str, head: bytes, is_one: bool) -> None:
    assert is_archive(name, head) is is_one


def test_more_bytes_give_more_time() -> None:
    class Long(io.BytesIO):
        def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
            return 1 << 30 if whence == os.SEEK_END else super().seek(offset, whence)

    assert read._scale_limits(TIGHT, Long(), ArchiveLimits()).cpu_seconds == TIGHT.cpu_seconds + 512


def test_the_page_tells_the_limits_in_force() -> None:
    page = Path(settings.BASE_DIR, "docs", "archives.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", page, re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in told.items()} == asdict(ArchiveLimits())


def test_a_dataset_that_we_packed_ourselves_is_taken() -> None:
    clips = [
        archive_writer.Entry(name, f"Text of {name}.", len(clip()), lambda: io.BytesIO(clip())) for name in ("a", "b")
    ]
    looked = looked_into(b"".join(archive_writer.stream_zip(clips)))
    assert (looked.ok, codes(looked)) == (True, [])
    assert {member.name: member.transcript for member in looked.members} == {
        "a.wav": "Text of a.",
        "b.wav": "Text of b.",
    }
