"""Dataset archives have the layout that providers read, a size known in advance, and need limited memory."""

import gzip
import hashlib
import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audio.datasets import archive_writer
from audio.datasets.archive_writer import (
    ClipChanged,
    DatasetEntry,
    compute_checksums,
    compute_tarball_size,
    compute_zip_checksums,
    compute_zip_size,
    format_metadata,
    make_clip_names,
    stream_tarball,
    stream_zip,
)
from audio.datasets.stored_gzip import MAX_BLOCK_BYTES, compute_gzip_size, stream_gzip
from audio.findings.findings import FileRefused


def make_entry(name: str, text: str = "", data: bytes = b"RIFF", size: int | None = None) -> DatasetEntry:
    return DatasetEntry(name, text, len(data) if size is None else size, lambda: io.BytesIO(data))


def read_zip(entries: Sequence[DatasetEntry], with_text: bool = True) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(entries, with_text))))
    assert archive.testzip() is None
    return archive


def test_zip_has_the_layout_that_vendors_read() -> None:
    archive = read_zip([make_entry("one", "Good morning."), make_entry("two", "Grüße | von\nhier", b"1234567")])
    assert archive.namelist() == ["metadata.csv", "one.wav", "two.wav"]
    assert archive.read("metadata.csv").decode() == "one|Good morning.\ntwo|Grüße von hier\n"
    assert archive.read("two.wav") == b"1234567"
    assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    assert all(member.external_attr >> 16 & 0o400 for member in archive.infolist())


def test_archive_without_texts_contains_only_clips() -> None:
    assert read_zip([make_entry("one", "not sent")], with_text=False).namelist() == ["one.wav"]
    assert read_tarball([make_entry("one", "not sent")], with_text=False).getnames() == ["one.wav"]


def read_tarball(entries: Sequence[DatasetEntry], with_text: bool = True) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(stream_tarball(entries, with_text))), mode="r:gz")


def read_member(tarball: tarfile.TarFile, name: str) -> bytes:
    file = tarball.extractfile(name)
    assert file is not None
    return file.read()


def test_tarball_has_the_same_layout_and_no_times_or_owners() -> None:
    tarball = read_tarball(
        [make_entry("one", "Good morning."), make_entry("two", "Grüße | von\nhier", b"1234567" * 100)]
    )
    assert tarball.getnames() == ["metadata.csv", "one.wav", "two.wav"]
    assert read_member(tarball, "metadata.csv").decode() == "one|Good morning.\ntwo|Grüße von hier\n"
    assert read_member(tarball, "two.wav") == b"1234567" * 100
    headers = {(info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode) for info in tarball}
    assert headers == {(0, 0, 0, "", "", 420)}
    assert b"".join(stream_tarball([make_entry("one")]))[4:8] == bytes(4)


@given(st.lists(st.binary(max_size=3 * MAX_BLOCK_BYTES // 2), max_size=4))
@example([bytes(MAX_BLOCK_BYTES)])
@example([bytes(2 * MAX_BLOCK_BYTES)])
@example([b"x" * MAX_BLOCK_BYTES, b"", b"y"])
def test_gzip_stream_is_standard_and_independent_of_the_chunks(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    packed = b"".join(stream_gzip(chunks))
    assert gzip.decompress(packed) == whole
    assert packed == b"".join(stream_gzip([whole]))
    assert len(packed) == compute_gzip_size(len(whole))


name_lists = st.lists(st.from_regex(r"[A-Za-z0-9-]{1,40}", fullmatch=True), unique=True, max_size=8)


@given(name_lists, st.text(max_size=80), st.binary(max_size=3000), st.booleans())
def test_size_and_checksums_are_computed_in_advance(stems: list[str], text: str, data: bytes, with_text: bool) -> None:
    entries = [make_entry(name, text, data) for name in stems]
    whole = b"".join(stream_zip(entries, with_text))
    checksums = compute_zip_checksums(entries, with_text)
    assert compute_zip_size(entries, with_text) == checksums.size == len(whole)
    assert checksums.md5 == hashlib.md5(whole, usedforsecurity=False).hexdigest()
    assert checksums.sha256 == hashlib.sha256(whole).hexdigest()
    packed = b"".join(stream_tarball(entries, with_text))
    assert (
        compute_tarball_size(entries, with_text)
        == len(packed)
        == compute_checksums(stream_tarball(entries, with_text)).size
    )


@given(st.lists(st.text(max_size=60), max_size=5))
def test_each_transcript_takes_one_line_of_the_metadata_list(texts: list[str]) -> None:
    lines = format_metadata([make_entry(f"clip{n}", text) for n, text in enumerate(texts)]).decode().split("\n")
    assert lines.pop() == ""
    assert [line.split("|")[0] for line in lines] == [f"clip{n}" for n in range(len(texts))]
    assert all(line.count("|") == 1 and not {"\r", "\x0b", "\x85", "\u2028"} & set(line) for line in lines)


StreamArchive = Callable[[Sequence[DatasetEntry]], Iterator[bytes]]
for_both_formats = pytest.mark.parametrize("stream_archive", [stream_zip, stream_tarball])


@for_both_formats
@pytest.mark.parametrize("size", [3, 5, 0])
def test_clip_of_unexpected_length_aborts_the_archive(stream_archive: StreamArchive, size: int) -> None:
    with pytest.raises(ClipChanged):
        list(stream_archive([make_entry("one", data=b"RIFF", size=size)]))


@for_both_formats
def test_content_beyond_the_archive_limits_is_refused(stream_archive: StreamArchive) -> None:
    with pytest.raises(FileRefused) as refused:
        next(stream_archive([make_entry("one", size=1 << 31)]))
    assert refused.value.finding.code == "dataset_too_big"
    with pytest.raises(FileRefused):
        next(stream_archive([make_entry(str(number), data=b"") for number in range(65536)]))
    with pytest.raises(ValueError, match="the same name"):
        next(stream_archive([make_entry("one"), make_entry("one")]))


class ZerosFile(io.RawIOBase):
    """A file of `size` zeros that takes no memory."""

    def __init__(self, size: int) -> None:
        self._remaining = size

    def read(self, size: int = -1) -> bytes:
        count = min(size, self._remaining)
        self._remaining -= count
        return bytes(count)


@for_both_formats
def test_memory_does_not_grow_with_the_archive(stream_archive: StreamArchive) -> None:
    size = 40_000_000

    def open_zeros() -> BinaryIO:
        return ZerosFile(size)  # type: ignore[return-value]  # reads like a file

    entries = [DatasetEntry(f"clip{number}", "", size, open_zeros) for number in range(2)]
    tracemalloc.start()
    total = sum(map(len, stream_archive(entries)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == (compute_zip_size if stream_archive is stream_zip else compute_tarball_size)(entries) > 2 * size
    assert peak < 8 * archive_writer.BLOCK


@given(st.lists(st.text(max_size=30), max_size=20))
def test_clip_names_are_unique_letters_and_digits(stems: list[str]) -> None:
    clip_names = make_clip_names(stems)
    assert len(clip_names) == len(stems)
    assert all(name.isascii() and name.isalnum() for name in clip_names)
    assert len({name.lower() for name in clip_names}) == len(stems)


def test_clip_name_keeps_ascii_letters_and_digits() -> None:
    assert make_clip_names(["take-01", "Take 01", "TAKE_01", "äöü"]) == ["take01", "Take01x2", "TAKE01x3", "clip"]
