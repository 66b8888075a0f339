"""Named tar archives: hostile ones with the code that must refuse them, and good ones with the names that they hold."""

import gzip
import tarfile
from collections.abc import Callable

from tests.support.tars import END, GNU, Part, by_tarfile, gz, long_name, packed, pax, tar_of, zeros_packed
from tests.support.zips import clip, zip_of

Recipe = Callable[[], bytes]


def of(*parts: Part | bytes, end: bytes = END) -> Recipe:
    return lambda: packed(*parts, end=end)


def plain(*parts: Part | bytes, end: bytes = END) -> Recipe:
    return lambda: tar_of(*parts, end=end)


def changed(data: bytes, place: int) -> bytes:
    """The same with one bit the other way."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


HOSTILE_TARS: dict[str, tuple[Recipe, str]] = {
    "gzip of nothing": (lambda: gz(b""), "archive_not_tar"),
    "gzip of a recording": (lambda: gz(clip()), "archive_not_tar"),
    "gzip of text": (lambda: gz(b"hello " * 200), "archive_not_tar"),
    "gzip of gzip": (lambda: gz(packed()), "archive_nested"),
    "gzip of a ZIP": (lambda: gz(zip_of()), "archive_nested"),
    "gzip cut": (lambda: packed()[:-500], "archive_truncated"),
    "gzip without its last byte": (lambda: packed()[:-1], "archive_truncated"),
    "only the mark of gzip": (lambda: b"\x1f\x8b", "archive_truncated"),
    "gzip of an unknown kind": (lambda: b"\x1f\x8b\x09" + packed()[3:], "archive_damaged"),
    "gzip with a wrong checksum": (lambda: changed(packed(), -8), "archive_damaged"),
    "gzip with a wrong length": (lambda: changed(packed(), -4), "archive_damaged"),
    "gzip of chance": (lambda: packed()[:20] + b"\xff" * 200, "archive_damaged"),
    "byte behind gzip": (lambda: packed() + b"\0", "archive_trailing"),
    "two gzip streams": (lambda: gz(tar_of()[:1000]) + gz(tar_of()[1000:]), "archive_trailing"),
    "web page behind gzip": (lambda: packed() + b"<script>" * 10_000, "archive_trailing"),
    "bomb of 100 MB": (lambda: zeros_packed(100 << 20), "archive_bomb"),
    "bomb behind the end": (lambda: packed(end=bytes(64 << 20)), "archive_bomb"),
    "bomb in a file": (lambda: packed(Part(data=bytes(64 << 20))), "archive_bomb"),
    "no files": (of(bytes(0), end=END), "archive_empty"),
    "no files, not packed": (plain(b"", end=bytes(10_240)), "archive_empty"),
    "only folders": (of(Part(b"clips/", kind=b"5")), "archive_empty"),
    "no end": (of(Part(), end=b""), "archive_truncated"),
    "half an end": (of(Part(), end=bytes(512)), "archive_truncated"),
    "end, then one more file": (of(Part(), end=bytes(512) + Part(b"b.wav").bytes() + END), "archive_hidden"),
    "bytes behind the end": (of(Part(), end=END + b"hidden".ljust(512, b"\0")), "archive_trailing"),
    "file behind the end": (of(Part(), end=END + Part(b"b.wav").bytes() + END), "archive_trailing"),
    "file cut": (lambda: gz(tar_of()[:5000]), "archive_truncated"),
    "file of 100 MB that is not there": (of(Part(size=100 << 20)), "archive_truncated"),
    "file of 8 GB": (of(Part(size=b"77777777777\0")), "member_too_big"),
    "file of more bytes than atoms": (of(Part(size=b"\x80" + b"\xff" * 11)), "member_too_big"),
    "length below nothing": (of(Part(size=b"\xff" * 12)), "archive_damaged"),
    "length in words": (of(Part(size=b"four bytes\0\0")), "archive_damaged"),
    "length with a sign": (of(Part(size=b"-0000000001\0")), "archive_damaged"),
    "length with spaces in it": (of(Part(size=b"1 1 1 1 1 1 ")), "archive_damaged"),
    "header sum wrong": (of(Part(), Part(b"b.wav", checksum=b"000000\0 ")), "archive_damaged"),
    "header sum in words": (of(Part(), Part(b"b.wav", checksum=b"a sum!\0 ")), "archive_damaged"),
    "first header sum wrong": (of(Part(checksum=b"000000\0 ")), "archive_not_tar"),
    "first header sum wrong, not packed": (plain(Part(checksum=b"000000\0 ")), "not_an_archive"),
    "of before 1988": (of(Part(magic=bytes(8))), "archive_not_tar"),
    "chance between files": (of(Part(), b"\xaa" * 512, Part(b"b.wav")), "archive_damaged"),
    "bytes in the filling": (of(Part(data=clip() + b"x", padding=b"h")), "archive_hidden"),
    "bytes behind the name": (of(Part(b"a.wav\0hidden")), "name_control"),
    "link": (of(Part(kind=b"2", link=b"/etc/passwd")), "member_symlink"),
    "link, not packed": (plain(Part(kind=b"2", link=b"/etc/passwd")), "member_symlink"),
    "link with a long target": (of(long_name(b"/" * 200, b"K"), Part(kind=b"2")), "member_symlink"),
    "hard link": (of(Part(), Part(b"b.wav", kind=b"1", link=b"a.wav")), "member_hardlink"),
    "terminal": (of(Part(kind=b"3")), "member_device"),
    "disk": (of(Part(kind=b"4")), "member_device"),
    "pipe": (of(Part(kind=b"6")), "member_fifo"),
    "sparse": (of(Part(kind=b"S", magic=GNU)), "member_sparse"),
    "sparse in the way of pax": (of(pax((b"GNU.sparse.major", b"1")), Part()), "member_sparse"),
    "sparse under another name": (of(pax((b"GNU.sparse.name", b"../x")), Part()), "member_sparse"),
    "kept for contiguous files": (of(Part(kind=b"7")), "member_unusual"),
    "volume": (of(Part(kind=b"V")), "member_unusual"),
    "rest of another volume": (of(Part(kind=b"M")), "member_unusual"),
    "kind of nobody": (of(Part(kind=b"z")), "member_unusual"),
    "folder with bytes": (of(Part(b"clips/", b"hello", kind=b"5")), "member_unusual"),
    "file with a slash": (of(Part(b"clips/")), "member_unusual"),
    "note of 100 kB": (of(pax((b"comment", b"x" * 100_000)), Part()), "member_note_long"),
    "note of 30 MB": (of(Part(b"note", b"1" * (30 << 20), b"x"), Part()), "member_note_long"),
    "note of 8 GB": (of(Part(b"note", b"x", b"x", size=b"77777777777\0"), Part()), "member_note_long"),
    "name of 100 kB": (of(long_name(b"a" * 100_000), Part()), "member_note_long"),
    "note of digits": (of(Part(b"note", b"1" * 60_000, b"x"), Part()), "archive_damaged"),
    "note of spaces": (of(Part(b"note", b" " * 60_000, b"x"), Part()), "archive_damaged"),
    "note of no length": (of(Part(b"note", b"0 a=b\n", b"x"), Part()), "archive_damaged"),
    "note of a wrong length": (of(Part(b"note", b"9 a=b\n", b"x"), Part()), "archive_damaged"),
    "note without a sign": (of(Part(b"note", b"9 abcdef\n"[:9], b"x"), Part()), "archive_damaged"),
    "note that says it twice": (of(pax((b"path", b"a"), (b"path", b"b")), Part()), "archive_damaged"),
    "note of a length in words": (of(pax((b"size", b"many")), Part()), "archive_damaged"),
    "note of a longer file": (of(pax((b"size", b"99999999999")), Part()), "member_too_big"),
    "note of a shorter file": (of(pax((b"size", b"512")), Part()), "archive_damaged"),
    "note of a length below nothing": (of(pax((b"size", b"-1")), Part()), "archive_damaged"),
    "two notes on one file": (of(pax((b"path", b"a")), pax((b"path", b"b")), Part()), "archive_damaged"),
    "two names for one file": (of(long_name(b"a.wav"), long_name(b"b.wav"), Part()), "archive_damaged"),
    "note on nothing": (of(Part(), pax((b"path", b"b.wav"))), "archive_damaged"),
    "one name for all": (of(pax((b"path", b"b.wav"), kind=b"g"), Part()), "archive_damaged"),
    "NUL in the name of a note": (of(pax((b"path", b"a\0.wav")), Part()), "name_control"),
    "bytes behind a long name": (of(long_name(b"a.wav\0hidden"), Part()), "name_control"),
    "up in a note": (of(pax((b"path", b"../../a.wav")), Part()), "name_escapes"),
    "up in a long name": (of(long_name(b"../" * 50 + b"a.wav"), Part()), "name_escapes"),
    "up in a prefix": (of(Part(prefix=b"..")), "name_escapes"),
    "up behind here": (of(Part(b"./../a.wav")), "name_escapes"),
    "absolute": (of(Part(b"/etc/passwd")), "name_absolute"),
    "absolute in a note": (of(pax((b"path", b"/etc/passwd")), Part()), "name_absolute"),
    "absolute behind here": (of(Part(b".//etc/passwd")), "name_absolute"),
    "drive": (of(Part(b"C:\\a.wav")), "name_drive"),
    "backslash": (of(Part(b"clips\\a.wav")), "name_backslash"),
    "no name": (of(Part(b"")), "name_empty"),
    "file called here": (of(Part(b".")), "name_strange"),
    "not UTF-8": (of(Part(b"caf\xe9.wav")), "name_not_text"),
    "not UTF-8 in a note": (of(pax((b"path", b"\xff\xfe")), Part()), "name_not_text"),
    "same name twice": (of(Part(), Part()), "name_twice"),
    "same name, once behind here": (of(Part(), Part(b"./a.wav")), "name_twice"),
    "same name but for case": (of(Part(), Part(b"A.wav")), "names_collide"),
    "name of 1,000 letters": (of(long_name(b"a" * 1000), Part()), "name_too_long"),
    "folders in folders": (of(Part(b"a/b/c/d/e.wav")), "name_too_deep"),
    "archive in it": (of(Part(b"b.wav", packed())), "member_nested"),
    "ZIP in it": (of(Part(), Part(b"b.zip", b"x")), "member_nested"),
    "20,000 folders": (of(*[Part(b"%d/" % one, kind=b"5") for one in range(20_000)]), "archive_too_many"),
    "5,001 files": (of(*[Part(b"%d" % one, b"x") for one in range(5001)]), "archive_too_many"),
}

GOOD_TARS: dict[str, tuple[Recipe, tuple[str, ...]]] = {
    "one clip": (of(), ("a.wav",)),
    "not packed": (plain(), ("a.wav",)),
    "as GNU marks it": (of(Part(magic=GNU)), ("a.wav",)),
    "of the oldest kind": (of(Part(kind=b"\0")), ("a.wav",)),
    "as Python makes it": (lambda: by_tarfile({"a.wav": clip(), "é.wav": clip()}), ("a.wav", "é.wav")),
    "as Python makes it for GNU": (
        lambda: by_tarfile({"n" * 150 + ".wav": clip()}, form=tarfile.GNU_FORMAT),
        ("n" * 150 + ".wav",),
    ),
    "as Python makes it with notes": (lambda: by_tarfile({"n" * 150 + ".wav": clip()}), ("n" * 150 + ".wav",)),
    "as Python makes it, not packed": (lambda: by_tarfile({"a.wav": clip()}, "w"), ("a.wav",)),
    "as tar packs a folder": (
        of(
            Part(b"./", kind=b"5"), Part(b"./clips/", kind=b"5"), Part(b"./clips/a.wav"), Part(b"./clips/._a.wav", b"x")
        ),
        ("a.wav",),
    ),
    "long way": (of(Part(prefix=b"p" * 150), Part(b"b.wav", prefix=b"p" * 150)), ("a.wav", "b.wav")),
    "name and times in a note": (of(pax((b"path", b"b.wav"), (b"mtime", b"1.5")), Part()), ("b.wav",)),
    "note on all": (of(pax((b"comment", b"0123"), kind=b"g"), Part()), ("a.wav",)),
    "length in binary": (lambda: packed(Part(size=b"\x80" + len(clip()).to_bytes(11, "big"))), ("a.wav",)),
    "length in a note": (lambda: packed(pax((b"size", b"%d" % len(clip()))), Part(size=0)), ("a.wav",)),
    "folders and junk": (of(Part(b"x/", kind=b"5"), Part(b"x/a.wav"), Part(b"x/.DS_Store", b"y")), ("a.wav",)),
    "many zeros at its end": (of(end=bytes(1 << 20)), ("a.wav",)),
    "packed with its name and time": (lambda: gzip.compress(tar_of(), 1), ("a.wav",)),
    "file of no bytes": (of(Part(data=b""), Part(b"b.wav")), ("a.wav", "b.wav")),
}
"""Name: (how to make it, the names that are shown of what is in it)."""
