"""The archive of a dataset: what the provider reads, its size known beforehand, never in memory as a whole."""

import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicehub.audio.findings import Refused
from voicehub.audio.prepare import dataset
from voicehub.audio.prepare.dataset import ChangedWhilePacked, Entry, archive, clip_names, metadata, size_of, sums


def entry(name: str, text: str = "", data: bytes = b"RIFF", size: int | None = None) -> Entry:
    return Entry(name, text, len(data) if size is None else size, lambda: io.BytesIO(data))


def read(entries: Sequence[Entry], with_text: bool = True) -> zipfile.ZipFile:
    zipped = zipfile.ZipFile(io.BytesIO(b"".join(archive(entries, with_text))))
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


names = st.lists(st.from_regex(r"[A-Za-z0-9-]{1,40}", fullmatch=True), unique=True, max_size=8)


@given(names, st.text(max_size=80), st.binary(max_size=3000), st.booleans())
def test_the_size_and_the_hashes_are_known_beforehand(
    stems: list[str], text: str, data: bytes, with_text: bool
) -> None:
    entries = [entry(name, text, data) for name in stems]
    whole = b"".join(archive(entries, with_text))
    told = sums(entries, with_text)
    assert size_of(entries, with_text) == told.size == len(whole)
    assert told.md5 == hashlib.md5(whole, usedforsecurity=False).hexdigest()
    assert told.sha256 == hashlib.sha256(whole).hexdigest()


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_stays_on_its_line(texts: list[str]) -> None:
    lines = metadata([entry(f"clip{n}", text) for n, text in enumerate(texts)]).decode().split("\n")
    assert lines.pop() == ""
    assert [line.split("|")[0] for line in lines] == [f"clip{n}" for n in range(len(texts))]
    assert all(line.count("|") == 1 and not {"\r", "\x0b", "\x85", "\u2028"} & set(line) for line in lines)


@pytest.mark.parametrize("size", [3, 5, 0])
def test_a_clip_of_another_length_than_told_breaks_the_archive_off(size: int) -> None:
    with pytest.raises(ChangedWhilePacked):
        list(archive([entry("one", data=b"RIFF", size=size)]))


def test_what_an_archive_cannot_hold_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        next(archive([entry("one", size=1 << 31)]))
    assert refused.value.finding.code == "dataset_too_big"
    with pytest.raises(Refused):
        next(archive([entry(str(number), data=b"") for number in range(65536)]))
    with pytest.raises(ValueError, match="one name"):
        next(archive([entry("one"), entry("one")]))


class Endless(io.RawIOBase):
    """So many bytes that lie nowhere."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        given = min(size, self._left)
        self._left -= given
        return bytes(given)


def test_memory_does_not_grow_with_the_archive() -> None:
    size = 40_000_000

    def opened() -> BinaryIO:
        return Endless(size)  # type: ignore[return-value]  # reads like a file

    entries = [Entry(f"clip{number}", "", size, opened) for number in range(2)]
    tracemalloc.start()
    total = sum(map(len, archive(entries)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == size_of(entries) > 2 * size
    assert peak < 8 * dataset.BLOCK


@given(st.lists(st.text(max_size=30), max_size=20))
def test_names_are_letters_and_digits_and_never_the_same(stems: list[str]) -> None:
    given_names = clip_names(stems)
    assert len(given_names) == len(stems)
    assert all(name.isascii() and name.isalnum() for name in given_names)
    assert len({name.lower() for name in given_names}) == len(stems)


def test_a_name_is_kept_as_far_as_it_can_be() -> None:
    assert clip_names(["take-01", "Take 01", "TAKE_01", "äöü"]) == ["take01", "Take01x2", "TAKE01x3", "clip"]
