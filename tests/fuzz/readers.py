"""Fuzzes one strict reader with mutated files, here 20,000 of them: `python -m tests.fuzz.readers zip 20000`.

It uses atheris (guided by coverage) where that is installed, else hypothesis. If the reader raises anything but a
refusal or returns an impossible result, it prints the input and exits with a code other than 0.
"""

import bz2
import contextlib
import importlib.util
import io
import json
import lzma
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.tars import GNU, TarEntry, build_tar, gzip_bytes, make_long_name_entry, make_pax_header
from tests.support.wav import make_wav_bytes
from tests.support.zips import STORED, ZipMember, add_data_descriptor, build_zip, pack_extra_field

HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
if HAS_ATHERIS:
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # no types, not on every system

with atheris.instrument_imports(include=["audio"]) if HAS_ATHERIS else nullcontext():
    from audio.archives.contents import read_contents
    from audio.archives.kinds import RECORD, is_tar_header
    from audio.archives.limits import ArchiveLimits, MemberRefused
    from audio.findings.findings import FileRefused
    from audio.levels.inspection import DurationLimits, inspect_file
    from audio.transcripts.names import NameIndex
    from audio.transcripts.table import match_lines, read_table

MAX_BYTES = 6000
SMALL_LIMITS = ArchiveLimits(
    files=40,
    entries=60,
    total_bytes=1 << 20,
    member_bytes=1 << 19,
    member_allowance=1 << 14,
    total_allowance=1 << 18,
    note_bytes=2048,
    list_bytes=4096,
)
SOUND = make_wav_bytes(data=bytes(range(200)))


def check_wav(data: bytes) -> None:
    """Check the file as it is, and again with its RIFF length corrected: most mutated files fail at a wrong length."""
    _check_wav_file(data)
    _check_wav_file(data[:4] + max(0, len(data) - 8).to_bytes(4, "little") + data[8:])


def _check_wav_file(data: bytes) -> None:
    """Check that the file is refused, or that its inspection can be stored as JSON."""
    inspection = inspect_file(io.BytesIO(data), DurationLimits(0.0, 1e9))
    json.dumps(inspection.build_row_fields(), allow_nan=False)
    assert inspection.size == len(data)
    assert inspection.ok is (inspection.header is not None)
    assert inspection.ok or inspection.findings[0].severity == "refused"


def check_archive(data: bytes) -> None:
    """Check that the archive is refused, or that it has safe names and files of the declared sizes."""
    with contextlib.suppress(FileRefused):
        contents = read_contents(io.BytesIO(data), SMALL_LIMITS)
        for path, entry in contents.recordings.items():
            assert all(one.isprintable() or one.isspace() for one in path) and "\n" not in path
            assert ".." not in path.split("/") and path[0] != "/" and "\\" not in path
            with contextlib.suppress(MemberRefused):
                assert sum(map(len, entry.read())) == entry.size
        assert contents.transcripts.keys() <= contents.recordings.keys()


def check_tar(data: bytes) -> None:
    """Check the archive with all header checksums corrected: nearly every mutated file fails at a wrong checksum."""
    check_archive(
        b"".join(_fix_checksum(data[position : position + RECORD]) for position in range(0, len(data), RECORD))
    )


def _fix_checksum(record: bytes) -> bytes:
    if len(record) < RECORD or not record[257:265].startswith(b"ustar"):
        return record
    blank = record[:148] + b" " * 8 + record[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def check_gzipped_tar(data: bytes) -> None:
    check_archive(gzip_bytes(data) if is_tar_header(data[:RECORD]) else data)


def check_transcript_list(data: bytes) -> None:
    """Check the file as a table of transcripts of three recordings: each line stands in one list, as plain text."""
    index = NameIndex(["a.wav", "x/b.wav", "y/b.wav"])
    with contextlib.suppress(FileRefused):
        lines = read_table(data, lambda name: bool(index.find(name))).lines
        found = match_lines(lines, index)
        assert found.lines.keys() <= {"a.wav", "x/b.wav", "y/b.wav"}
        assert all(line.text and "\n" not in line.text and "\0" not in line.text for line in found.lines.values())
        others = [*found.unknown, *found.ambiguous, *found.repeated, *found.empty]
        assert {line.number for line in others} | {line.number for line in found.lines.values()} <= {
            line.number for line in lines
        }


def raise_planted_fault(data: bytes) -> None:
    """A reader with a planted fault behind two branches. A test checks that the fuzzer finds it."""
    if data[:1] != b"R":
        return
    if data[1:2] == b"?":
        raise IndexError


def _make_zip_seeds() -> Iterator[bytes]:
    member = ZipMember(data=SOUND)
    stored, transcripts = replace(member, method=STORED), ZipMember(b"metadata.csv", b"a|Hello.", STORED)
    yield from (
        build_zip(member),
        build_zip(stored),
        build_zip(add_data_descriptor(member)),
        build_zip(add_data_descriptor(stored, signature=b"")),
    )
    yield build_zip(stored, transcripts, ZipMember(b"x/b.wav", b"", STORED, extra=pack_extra_field(0x5455, bytes(5))))
    yield build_zip(ZipMember("x\\Grüße.wav".encode("cp850"), SOUND), replace(transcripts, data="Grüße|Hi".encode()))
    yield build_zip(ZipMember(b"x/", b"", STORED, attributes=0o040755 << 16), ZipMember(b"x/\xc3\xa9", b"z"))


def _make_tar_seeds() -> Iterator[bytes]:
    member = TarEntry(data=SOUND)
    yield from (
        build_tar(member),
        build_tar(TarEntry(b"x/", kind=b"5"), member),
        build_tar(make_long_name_entry(b"x/" + b"y" * 120), member),
    )
    yield build_tar(make_pax_header((b"path", b"b.wav"), (b"size", b"%d" % len(SOUND))), member)
    yield build_tar(
        make_pax_header((b"comment", b"all"), kind=b"g"),
        replace(member, magic=GNU),
        TarEntry(b"metadata.csv", b"a|Hello."),
    )


def _make_wav_seeds() -> Iterator[bytes]:
    yield from (SOUND, make_wav_bytes(data=b"", rate=48000), make_wav_bytes(data=bytes(64), fmt_tail=b"\0\0"))
    yield make_wav_bytes(data=bytes(64), before=[(b"JUNK", b"1")], after=[(b"LIST", b"INFO")])


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Sequence[bytes]]]] = {
    "wav": (check_wav, lambda: list(_make_wav_seeds())),
    "zip": (check_archive, lambda: list(_make_zip_seeds())),
    "tar": (check_tar, lambda: list(_make_tar_seeds())),
    "gzip": (
        check_gzipped_tar,
        lambda: [pack(seed) for seed in _make_tar_seeds() for pack in (gzip_bytes, bz2.compress, lzma.compress, bytes)],
    ),
    "list": (
        check_transcript_list,
        lambda: [b"a.wav|Hello.\n", b"name|text\r\nx/b.wav|One.\n\na|Two.", b"\xef\xbb\xbfa| x \t y \n"],
    ),
    "planted": (raise_planted_fault, lambda: [b"RIFF"]),
}
"""Name: (the function to fuzz, a function that returns its seed files)."""


def run_guided(target: Callable[[bytes], None], seeds: Sequence[bytes], runs: int) -> None:
    """Run atheris. It does not return: libFuzzer ends the process with code 0, or with the fault that it found."""
    with tempfile.TemporaryDirectory(prefix="voicehub-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds):
            (corpus / str(number)).write_bytes(seed)
        options = ["-seed=1", f"-runs={runs}", f"-max_len={MAX_BYTES}", "-timeout=30", "-rss_limit_mb=1024"]
        instrumented = atheris.instrument_func(target)
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", str(corpus)], instrumented)
        atheris.Fuzz()


def run_unguided(target: Callable[[bytes], None], seeds: Sequence[bytes], runs: int) -> None:
    from hypothesis import given, seed, settings
    from hypothesis import strategies as st

    edit = st.tuples(st.integers(0, MAX_BYTES), st.integers(0, 8), st.binary(max_size=8))

    @seed(1)
    @settings(max_examples=runs, deadline=None, database=None)
    @given(st.sampled_from(list(seeds)), st.lists(edit, max_size=6))
    def fuzz_target(data: bytes, edits: list[tuple[int, int, bytes]]) -> None:
        for position, deleted, inserted in edits:
            start = position % (len(data) + 1)
            data = data[:start] + inserted + data[start + deleted :]
        target(data)

    fuzz_target()


def main(name: str, runs: str, *options: Any) -> None:
    target, seeds = TARGETS[name]
    (run_guided if HAS_ATHERIS and "--unguided" not in options else run_unguided)(target, seeds(), int(runs))


if __name__ == "__main__":
    main(*sys.argv[1:])
