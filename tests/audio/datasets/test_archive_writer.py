"""The archive of a dataset: what the provider reads, its size known beforehand, never in memory as a whole."""

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
    Entry,
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
from audio.findings.findings import Refused


def entry(name: str, text: str = "", data: bytes = b"RIFF", size: int | None = None) -> Entry:
    return Entry(name, text, len(data) if size is None else size, lambda: io.BytesIO(data))


def read(entries: Sequence[Entry], with_text: bool = True) -> zipfile.ZipFile:
    zipped = zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(entries, with_text))))
    assert zipped.testzip() is None
    return zipped


def test_the_layout_is_the_vendors() -> None:
    zipped = read([entry("one", "Good morning."), entry("two", "Grüße | von\nhier", b"1234567")])
    assert zipped.namelist() == ["metadata.csv", "one.wav", "two.wav"]
    assert zipped.read("metadata.csv").decode() == "one|Good morning.\ntwo|Grüße von hier\n"
    assert zipped.read("two.wav") == b"1234567"
    assert {one.compress_type for one in zipped.infolist()} == {zipfile.ZIP_STORED}
    assert all(one.external_attr >> 16 & 0o400 for one in zipped.infolist())


def test_without_texts_there_are_only_clips() -> None:
    assert read([entry("one", "not sent")], with_text=False).namelist() == ["one.wav"]
    assert untarred([entry("one", "not sent")], with_text=False).getnames() == ["one.wav"]


def untarred(entries: Sequence[Entry], with_text: bool = True) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(stream_tarball(entries, with_text))), mode="r:gz")


def content(packed: tarfile.TarFile, name: str) -> bytes:
    file = packed.extractfile(name)
    assert file is not None
    return file.read()


def test_the_tarball_has_the_same_layout_and_nothing_of_where_and_when_it_was_made() -> None:
    packed = untarred([entry("one", "Good morning."), entry("two", "Grüße | von\nhier", b"1234567" * 100)])
    assert packed.getnames() == ["metadata.csv", "one.wav", "two.wav"]
    assert content(packed, "metadata.csv").decode() == "one|Good morning.\ntwo|Grüße von hier\n"
    assert content(packed, "two.wav") == b"1234567" * 100
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode) for one in packed} == {(0, 0, 0, "", "", 420)}
    assert b"".join(stream_tarball([entry("one")]))[4:8] == bytes(4)


@given(st.lists(st.binary(max_size=3 * MAX_BLOCK_BYTES // 2), max_size=4))
@example([bytes(MAX_BLOCK_BYTES)])
@example([bytes(2 * MAX_BLOCK_BYTES)])
@example([b"x" * MAX_BLOCK_BYTES, b"", b"y"])
def test_what_is_gzipped_is_read_by_others_and_does_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    packed = b"".join(stream_gzip(pieces))
    assert gzip.decompress(packed) == whole
    assert packed == b"".join(stream_gzip([whole]))
    assert len(packed) == compute_gzip_size(len(whole))


names = st.lists(st.from_regex(r"[A-Za-z0-9-]{1,40}", fullmatch=True), unique=True, max_size=8)


@given(names, st.text(max_size=80), st.binary(max_size=3000), st.booleans())
def test_the_size_and_the_hashes_are_known_beforehand(
    stems: list[str], text: str, data: bytes, with_text: bool
) -> None:
    entries = [entry(name, text, data) for name in stems]
    whole = b"".join(stream_zip(entries, with_text))
    told = compute_zip_checksums(entries, with_text)
    assert compute_zip_size(entries, with_text) == told.size == len(whole)
    assert told.md5 == hashlib.md5(whole, usedforsecurity=False).hexdigest()
    assert told.sha256 == hashlib.sha256(whole).hexdigest()
    packed = b"".join(stream_tarball(entries, with_text))
    assert (
        compute_tarball_size(entries, with_text)
        == len(packed)
        == compute_checksums(stream_tarball(entries, with_text)).size
    )


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_stays_on_its_line(texts: list[str]) -> None:
    lines = format_metadata([entry(f"clip{n}", text) for n, text in enumerate(texts)]).decode().split("\n")
    assert lines.pop() == ""
    assert [line.split("|")[0] for line in lines] == [f"clip{n}" for n in range(len(texts))]
    assert all(line.count("|") == 1 and not {"\r", "\x0b", "\x85", "\u2028"} & set(line) for line in lines)


Packing = Callable[[Sequence[Entry]], Iterator[bytes]]
both = pytest.mark.parametrize("pack", [stream_zip, stream_tarball])


@both
@pytest.mark.parametrize("size", [3, 5, 0])
def test_a_clip_of_another_length_than_told_breaks_the_archive_off(pack: Packing, size: int) -> None:
    with pytest.raises(ClipChanged):
        list(pack([entry("one", data=b"RIFF", size=size)]))


@both
def test_what_an_archive_cannot_hold_is_refused(pack: Packing) -> None:
    with pytest.raises(Refused) as refused:
        next(pack([entry("one", size=1 << 31)]))
    assert refused.value.finding.code == "dataset_too_big"
    with pytest.raises(Refused):
        next(pack([entry(str(number), data=b"") for number in range(65536)]))
    with pytest.raises(ValueError, match="the same name"):
        next(pack([entry("one"), entry("one")]))


class Endless(io.RawIOBase):
    """So many bytes that lie nowhere."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        given = min(size, self._left)
        self._left -= given
        return bytes(given)


@both
def test_memory_does_not_grow_with_the_archive(pack: Packing) -> None:
    size = 40_000_000

    def opened() -> BinaryIO:
        return Endless(size)  # type: ignore[return-value]  # reads like a file

    entries = [Entry(f"clip{number}", "", size, opened) for number in range(2)]
    tracemalloc.start()
    total = sum(map(len, pack(entries)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == (compute_zip_size if pack is stream_zip else compute_tarball_size)(entries) > 2 * size
    assert peak < 8 * archive_writer.BLOCK


@given(st.lists(st.text(max_size=30), max_size=20))
def test_names_are_letters_and_digits_and_never_the_same(stems: list[str]) -> None:
    given_names = make_clip_names(stems)
    assert len(given_names) == len(stems)
    assert all(name.isascii() and name.isalnum() for name in given_names)
    assert len({name.lower() for name in given_names}) == len(stems)


def test_a_name_is_kept_as_far_as_it_can_be() -> None:
    assert make_clip_names(["take-01", "Take 01", "TAKE_01", "äöü"]) == ["take01", "Take01x2", "TAKE01x3", "clip"]
