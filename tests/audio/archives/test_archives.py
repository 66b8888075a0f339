"""Each hostile archive is refused with its own code. Good archives are accepted. Time and memory are limited."""

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
from audio.archives.kinds import is_archive
from audio.archives.limits import ArchiveLimits
from audio.archives.read import Archive, Member, read_archive
from audio.datasets import archive_writer
from audio.findings.catalog_archive import CODES, TABLE_ERRORS
from audio.findings.findings import Severity
from audio.levels.inspection import DurationLimits, inspect_file
from audio.untrusted.runner import ChildLimits
from tests.audio.archives.metadata_lists import DOUBTFUL_METADATA_LISTS, GOOD_METADATA_LISTS, HOSTILE_METADATA_LISTS
from tests.audio.archives.odd_archives import ODD_TARS, ODD_ZIPS
from tests.audio.archives.real_tools import REAL_TARS, REAL_ZIPS
from tests.audio.archives.tars import GOOD_TARS, HOSTILE_TARS
from tests.audio.archives.zips import GOOD_ZIPS, HOSTILE_ZIPS
from tests.support.tars import TarEntry, build_tar_gz, make_pax_header
from tests.support.wav import encode_speech, make_wav_bytes
from tests.support.zips import (
    STORED,
    ZipMember,
    build_zip,
    build_zip_with_names,
    deflate,
    make_clip_data,
)

CHILD_LIMITS = ChildLimits(cpu_seconds=2, memory_bytes=512 << 20)
HOSTILE = {
    **{f"zip: {name}": case for name, case in HOSTILE_ZIPS.items()},
    **{f"tar: {name}": case for name, case in HOSTILE_TARS.items()},
    **{f"list: {name}": case for name, case in HOSTILE_METADATA_LISTS.items()},
}
GOOD = {
    **{f"zip: {name}": case for name, case in GOOD_ZIPS.items()},
    **{f"tar: {name}": case for name, case in GOOD_TARS.items()},
}
ODD = {f"zip: {name}": case for name, case in ODD_ZIPS.items()} | {
    f"tar: {name}": case for name, case in ODD_TARS.items()
}
REAL = {f"zip: {name}": case for name, case in REAL_ZIPS.items()} | {
    f"tar: {name}": case for name, case in REAL_TARS.items()
}


def read_data(data: bytes, folder: Path | None = None, **options: object) -> Archive:
    return read_archive(io.BytesIO(data), folder=folder, child_limits=CHILD_LIMITS, **options)  # type: ignore[arg-type]  # any option


def list_codes(archive: Archive) -> list[str]:
    return [finding.code for finding in archive.findings]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archive_is_refused_with_its_own_code_and_leaves_no_file(name: str, tmp_path: Path) -> None:
    make_archive, code = HOSTILE[name]
    archive = read_data(make_archive(), tmp_path)
    assert list_codes(archive) == [code], archive.findings
    assert (archive.ok, archive.members) == (False, ())
    assert archive.findings[0].severity == Severity.ERROR
    assert archive.findings[0].text.isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", GOOD)
def test_good_archive_is_accepted(name: str) -> None:
    make_archive, names = GOOD[name]
    archive = read_data(make_archive())
    assert (list_codes(archive), archive.ok) == ([], True)
    assert tuple(member.name for member in archive.members) == names
    assert [member.number for member in archive.members] == list(range(1, len(names) + 1))
    assert any(member.size for member in archive.members)


@pytest.mark.parametrize("name", REAL)
def test_archive_of_a_real_tool_is_accepted(name: str) -> None:
    make_archive, codes, texts = REAL[name]
    archive = read_data(make_archive())
    assert archive.ok, archive.findings
    assert [code for code in list_codes(archive) if code != "metadata_missing"] == codes, archive.findings
    assert {member.name: member.transcript for member in archive.members} == texts
    assert all(member.ok for member in archive.members)


@pytest.mark.parametrize("name", ODD)
def test_odd_file_does_not_refuse_the_archive(name: str, tmp_path: Path) -> None:
    make_archive, codes, members = ODD[name]
    archive = read_data(make_archive(), tmp_path)
    assert archive.ok, archive.findings
    assert list_codes(archive) == codes, archive.findings
    assert {member.name: get_refusal(member) for member in archive.members} == members
    assert len(list(tmp_path.iterdir())) == list(members.values()).count("")
    assert all(finding.text.isprintable() for finding in archive.findings)


def get_refusal(member: Member) -> str:
    return "" if member.ok else str(member.inspection["findings"][0]["code"])


@pytest.mark.parametrize("name", GOOD_METADATA_LISTS)
def test_transcripts_are_read_from_the_metadata_list(name: str) -> None:
    make_archive, texts = GOOD_METADATA_LISTS[name]
    archive = read_data(make_archive())
    assert archive.ok
    assert {member.name: member.transcript for member in archive.members} == texts
    assert list_codes(archive) == (["metadata_missing"] if name == "missing lines" else [])


@pytest.mark.parametrize("name", DOUBTFUL_METADATA_LISTS)
def test_doubtful_text_refuses_no_archive_and_is_said(name: str) -> None:
    make_archive, texts, codes = DOUBTFUL_METADATA_LISTS[name]
    archive = read_data(make_archive())
    assert archive.ok, archive.findings
    assert {member.name: member.transcript for member in archive.members} == texts
    assert list_codes(archive) == codes
    assert all(finding.text.isprintable() for finding in archive.findings)


def test_named_archives_are_many_and_cover_every_code() -> None:
    assert len(HOSTILE_ZIPS) + len(ODD_ZIPS) >= 140
    assert len(HOSTILE_TARS) + len(ODD_TARS) >= 90
    assert len(GOOD) + len(REAL) + len(GOOD_METADATA_LISTS) >= 60
    needs_gigabytes = {"archive_too_big"}
    doubtful = {code for _, _, codes in DOUBTFUL_METADATA_LISTS.values() for code in codes}
    doubtful |= {code for _, codes, _ in (*ODD.values(), *REAL.values()) for code in codes}
    rows = {code for _, _, members in ODD.values() for code in members.values()}
    covered = {code for _, code in HOSTILE.values()} | needs_gigabytes | doubtful | rows & set(CODES)
    assert covered == set(CODES) - set(TABLE_ERRORS)


TWO_CLIPS = build_zip(ZipMember(), ZipMember(b"b.wav"))
SILENCE = build_zip(ZipMember(data=bytes(100_000)))
SPACES = build_zip(ZipMember(b"metadata.csv", b" " * 100_000), ZipMember(method=STORED))


def compute_ratio(data: bytes) -> int:
    """Return the lowest limit of the compression ratio that accepts `data`."""
    return -(-len(data) // len(deflate(data)))


@pytest.mark.parametrize(
    ("data", "limit", "name", "code"),
    [
        (TWO_CLIPS, {"files": 2}, "files", "archive_too_many"),
        (TWO_CLIPS, {"entries": 2}, "entries", "archive_too_many"),
        (build_tar_gz(TarEntry(), TarEntry(b"b.wav")), {"entries": 2}, "entries", "archive_too_many"),
        (TWO_CLIPS, {"total_bytes": 2 * len(make_clip_data())}, "total_bytes", "archive_too_big"),
        (SILENCE, {"ratio": compute_ratio(bytes(100_000)), "member_allowance": 0}, "ratio", "archive_bomb"),
        (SPACES, {"list_ratio": compute_ratio(b" " * 100_000), "member_allowance": 0}, "list_ratio", "archive_bomb"),
        (SILENCE, {"total_allowance": 100_000 - 20 * len(SILENCE)}, "total_allowance", "archive_bomb"),
        (build_zip_with_names("a/b.wav", "c.wav"), {"folders": 1}, "folders", "name_too_deep"),
        (build_zip_with_names("abcd.wav"), {"name_characters": 8}, "name_characters", "names_cleaned"),
        (
            build_tar_gz(make_pax_header((b"path", b"a" * 50)), TarEntry()),
            {"note_bytes": 59},
            "note_bytes",
            "member_note_long",
        ),
    ],
)
def test_archive_at_the_limit_passes_and_one_above_it_is_refused(
    data: bytes, limit: dict[str, int], name: str, code: str
) -> None:
    limits = ArchiveLimits(**limit)
    assert read_data(data, limits=limits).ok
    assert list_codes(read_data(data, limits=replace(limits, **{name: limit[name] - 1}))) == [code]


@pytest.mark.parametrize("data", [build_zip(ZipMember(), ZipMember(b"b.wav", make_wav_bytes()[:1000])),
                                  build_tar_gz(TarEntry(), TarEntry(b"b.wav", make_wav_bytes()[:1000]))])  # fmt: skip
def test_file_above_the_limit_is_refused_and_the_others_are_read(data: bytes) -> None:
    size = len(make_clip_data())
    for limit, code in ((size, ""), (size - 1, "member_too_big")):
        first, second = read_data(data, limits=ArchiveLimits(member_bytes=limit)).members
        assert get_refusal(first) == code
        assert get_refusal(second) == "truncated"


def test_damaged_file_is_refused_and_the_others_are_written(tmp_path: Path) -> None:
    data = bytearray(build_zip(*(ZipMember(b"%d.wav" % number) for number in range(3))))
    middle = data.index(b"1.wav")
    data[middle + 1000 : middle + 1100] = b"\xff" * 100
    archive = read_data(bytes(data), tmp_path, keep_refused=True)
    assert [member.ok for member in archive.members] == [True, False, True]
    damaged = archive.members[1]
    assert (damaged.path, damaged.sha256) == (None, "")
    assert damaged.inspection["findings"][0]["text"].startswith("The file “1.wav” is damaged")
    assert {path.name for path in tmp_path.iterdir()} == {"00001.wav", "00003.wav"}


@pytest.mark.parametrize("is_zip", [True, False])
def test_archive_that_unpacks_to_too_much_is_refused(is_zip: bool) -> None:
    data = build_zip() if is_zip else GOOD_TARS["one clip"][0]()
    assert list_codes(read_data(data, limits=ArchiveLimits(total_bytes=1000, total_allowance=1000))) == [
        "archive_too_big"
    ]


def test_member_is_inspected_like_a_single_file() -> None:
    data = make_wav_bytes(rate=8000)
    (member,) = read_data(build_zip(ZipMember(data=data))).members
    inspection = inspect_file(io.BytesIO(data))
    assert member.ok
    assert member.inspection == json.loads(json.dumps(inspection.as_dict()))
    fields = inspection.build_row_fields() | {"fine_peaks": list(inspection.fine_peaks)}
    assert member.facts == json.loads(json.dumps(fields))
    assert (member.size, member.sha256, member.path) == (len(data), hashlib.sha256(data).hexdigest(), None)


def test_members_are_checked_against_the_given_duration_limits() -> None:
    (member,) = read_data(build_zip(), clip_limits=DurationLimits(5.0, 60.0)).members
    assert not member.ok
    assert member.inspection["findings"][0]["code"] == "too_short"


MIXED_MEMBERS = (ZipMember(b"clips/a.wav"), ZipMember(b"clips/b.wav", b"no sound"), ZipMember(b"clips/c.wav"))


def test_accepted_members_are_written_under_their_numbers(tmp_path: Path) -> None:
    archive = read_data(build_zip(*MIXED_MEMBERS), tmp_path)
    assert [member.path and member.path.name for member in archive.members] == ["00001.wav", None, "00003.wav"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "00001.wav": make_clip_data(),
        "00003.wav": make_clip_data(),
    }


def test_refused_members_are_written_too_with_keep_refused(tmp_path: Path) -> None:
    flac = encode_speech("FLAC", "PCM_16")
    archive = read_data(build_zip(*MIXED_MEMBERS, ZipMember(b"clips/d.flac", flac)), tmp_path, keep_refused=True)
    assert [member.ok for member in archive.members] == [True, False, True, False]
    assert [member.path.read_bytes() for member in archive.members if member.path] == [
        make_clip_data(),
        b"no sound",
        make_clip_data(),
        flac,
    ]


def test_long_recording_is_inspected_on_disk_and_deleted_if_refused(tmp_path: Path) -> None:
    data = make_wav_bytes(data=build_long_audio(), rate=48000)
    two_long_clips = build_zip(ZipMember(data=data, method=STORED), ZipMember(b"b.wav", data[:-1], method=STORED))
    archive = read_data(two_long_clips, tmp_path, clip_limits=DurationLimits(0.0, 1e9))
    assert [(member.ok, member.path and member.path.name) for member in archive.members] == [
        (True, "00001.wav"),
        (False, None),
    ]
    assert [path.read_bytes() == data for path in tmp_path.iterdir()] == [True]


def build_long_audio() -> bytes:
    """Return more bytes of audio than the reader holds in memory."""
    return make_clip_data()[44:] * (MAX_MEMORY_BYTES // len(make_clip_data()) + 2)


def test_progress_is_reported_per_member() -> None:
    reports: list[tuple[int, int]] = []
    read_data(build_zip_with_names("a.wav", "b.wav"), progress=lambda done, files: reports.append((done, files)))
    assert reports == [(0, 2), (1, 2), (2, 2)]


def test_refusal_after_some_members_deletes_the_written_files(tmp_path: Path) -> None:
    file_counts: list[int] = []
    data = build_zip(ZipMember(), ZipMember(b"b.wav", size=1000))
    archive = read_data(data, tmp_path, progress=lambda done, files: file_counts.append(len(list(tmp_path.iterdir()))))
    assert list_codes(archive) == ["archive_disagrees"]
    assert max(file_counts) > 0, "the first member was written"
    assert list(tmp_path.iterdir()) == []


def read_tree(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else path.lstat().st_mode
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    "name", ["parent folder", "absolute path", "symlink", "parent folder with a backslash", "archive by its name only"]
)
def test_no_file_is_written_outside_the_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "existing").write_text("unchanged")
    for subfolder in ("folder", "scratch"):
        (tmp_path / subfolder).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    before = read_tree(tmp_path)
    read_data(HOSTILE_ZIPS[name][0](), tmp_path / "folder")
    read_data(HOSTILE_TARS["parent folder in a pax path"][0](), tmp_path / "folder")
    assert read_tree(tmp_path) == before


def test_reader_that_runs_out_of_time_or_memory_gives_a_finding(tmp_path: Path) -> None:
    data = build_zip(*(ZipMember(b"%d.wav" % number) for number in range(40)))
    stopped = read_archive(io.BytesIO(data), folder=tmp_path, child_limits=ChildLimits(wall_seconds=0.01))
    assert list_codes(stopped) == ["took_too_long"]
    out_of_memory = read_archive(io.BytesIO(data), folder=tmp_path, child_limits=ChildLimits(memory_bytes=64 << 20))
    assert not out_of_memory.ok
    assert list(tmp_path.iterdir()) == []
    assert read_data(data).ok


def test_full_disk_gives_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_scale_limits", lambda given, source, limits: ChildLimits(file_bytes=1000))
    assert list_codes(read_data(build_zip(), tmp_path)) == ["no_room_to_write"]
    assert list(tmp_path.iterdir()) == []


def test_missing_file_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "none.zip")


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.zip", b"", True),
        ("A.TGZ", b"hello", True),
        ("a.tar.gz", b"", True),
        ("clips", build_zip_with_names("a")[:512], True),
        ("clips", GOOD_TARS["not compressed"][0]()[:512], True),
        ("clips", GOOD_TARS["one clip"][0]()[:512], True),
        ("a.wav", build_zip_with_names("a")[:512], False),
        ("a.wav", make_clip_data()[:512], False),
        ("a.tar.xz", b"", True),
        ("a.TBZ2", b"", True),
        ("a.rar", b"", True),
        ("clips", b"7z\xbc\xaf\x27\x1c".ljust(512), True),
        ("a.csv", b"a|b", False),
    ],
)
def test_archives_are_detected_by_name_and_first_bytes(name: str, head: bytes, expected: bool) -> None:
    assert is_archive(name, head) is expected


def test_cpu_time_limit_grows_with_the_file_size() -> None:
    class LargeFile(io.BytesIO):
        def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
            return 1 << 30 if whence == os.SEEK_END else super().seek(offset, whence)

    assert read._scale_limits(CHILD_LIMITS, LargeFile(), ArchiveLimits()).cpu_seconds == CHILD_LIMITS.cpu_seconds + 512


def test_docs_list_the_current_archive_limits() -> None:
    page = Path(settings.BASE_DIR, "docs", "archives.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", page, re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in documented.items()} == asdict(ArchiveLimits())


def test_dataset_from_the_archive_writer_is_accepted() -> None:
    clips = [
        archive_writer.DatasetEntry(
            name, f"Text of {name}.", len(make_clip_data()), lambda: io.BytesIO(make_clip_data())
        )
        for name in ("a", "b")
    ]
    archive = read_data(b"".join(archive_writer.stream_zip(clips)))
    assert (archive.ok, list_codes(archive)) == (True, [])
    assert {member.name: member.transcript for member in archive.members} == {
        "a.wav": "Text of a.",
        "b.wav": "Text of b.",
    }
