"""Named tar archives: hostile ones with the code that refuses them, good ones with the names of their members."""

import gzip
import tarfile
from collections.abc import Callable

from tests.support.tars import END, GNU, Part, by_tarfile, gz, long_name, packed, pax, tar_of, zeros_packed
from tests.support.zips import clip, zip_of

Recipe = Callable[[], bytes]


def pack_tgz(*parts: Part | bytes, end: bytes = END) -> Recipe:
    return lambda: packed(*parts, end=end)


def pack_tar(*parts: Part | bytes, end: bytes = END) -> Recipe:
    return lambda: tar_of(*parts, end=end)


def flip_bit(data: bytes, position: int) -> bytes:
    """Return `data` with one bit flipped at this byte."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


HOSTILE_TARS: dict[str, tuple[Recipe, str]] = {
    "gzip of no bytes": (lambda: gz(b""), "archive_not_tar"),
    "gzip of a recording": (lambda: gz(clip()), "archive_not_tar"),
    "gzip of text": (lambda: gz(b"hello " * 200), "archive_not_tar"),
    "gzip of gzip": (lambda: gz(packed()), "archive_nested"),
    "gzip of a ZIP": (lambda: gz(zip_of()), "archive_nested"),
    "truncated gzip": (lambda: packed()[:-500], "archive_truncated"),
    "gzip without its last byte": (lambda: packed()[:-1], "archive_truncated"),
    "only the gzip magic bytes": (lambda: b"\x1f\x8b", "archive_truncated"),
    "gzip with an unknown method": (lambda: b"\x1f\x8b\x09" + packed()[3:], "archive_damaged"),
    "gzip with a wrong checksum": (lambda: flip_bit(packed(), -8), "archive_damaged"),
    "gzip with a wrong length": (lambda: flip_bit(packed(), -4), "archive_damaged"),
    "gzip of random bytes": (lambda: packed()[:20] + b"\xff" * 200, "archive_damaged"),
    "byte after gzip": (lambda: packed() + b"\0", "archive_trailing"),
    "two gzip streams": (lambda: gz(tar_of()[:1000]) + gz(tar_of()[1000:]), "archive_trailing"),
    "web page after gzip": (lambda: packed() + b"<script>" * 10_000, "archive_trailing"),
    "bomb of 100 MB": (lambda: zeros_packed(100 << 20), "archive_bomb"),
    "bomb after the end": (lambda: packed(end=bytes(64 << 20)), "archive_bomb"),
    "bomb in a file": (lambda: packed(Part(data=bytes(64 << 20))), "archive_bomb"),
    "no files": (pack_tgz(bytes(0), end=END), "archive_empty"),
    "no files, not compressed": (pack_tar(b"", end=bytes(10_240)), "archive_empty"),
    "only folders": (pack_tgz(Part(b"clips/", kind=b"5")), "archive_empty"),
    "no end blocks": (pack_tgz(Part(), end=b""), "archive_truncated"),
    "one end block": (pack_tgz(Part(), end=bytes(512)), "archive_truncated"),
    "one end block, then one more file": (
        pack_tgz(Part(), end=bytes(512) + Part(b"b.wav").bytes() + END),
        "archive_hidden",
    ),
    "bytes after the end": (pack_tgz(Part(), end=END + b"hidden".ljust(512, b"\0")), "archive_trailing"),
    "file after the end": (pack_tgz(Part(), end=END + Part(b"b.wav").bytes() + END), "archive_trailing"),
    "truncated file": (lambda: gz(tar_of()[:5000]), "archive_truncated"),
    "100 MB file without its bytes": (pack_tgz(Part(size=100 << 20)), "archive_truncated"),
    "8 GB file": (pack_tgz(Part(size=b"77777777777\0")), "member_too_big"),
    "file of 2^88 bytes": (pack_tgz(Part(size=b"\x80" + b"\xff" * 11)), "member_too_big"),
    "negative length": (pack_tgz(Part(size=b"\xff" * 12)), "archive_damaged"),
    "length that is not a number": (pack_tgz(Part(size=b"four bytes\0\0")), "archive_damaged"),
    "length with a sign": (pack_tgz(Part(size=b"-0000000001\0")), "archive_damaged"),
    "length with spaces in it": (pack_tgz(Part(size=b"1 1 1 1 1 1 ")), "archive_damaged"),
    "wrong header checksum": (pack_tgz(Part(), Part(b"b.wav", checksum=b"000000\0 ")), "archive_damaged"),
    "header checksum that is not a number": (
        pack_tgz(Part(), Part(b"b.wav", checksum=b"a sum!\0 ")),
        "archive_damaged",
    ),
    "wrong first header checksum": (pack_tgz(Part(checksum=b"000000\0 ")), "archive_not_tar"),
    "wrong first header checksum, not compressed": (pack_tar(Part(checksum=b"000000\0 ")), "not_an_archive"),
    "format from before 1988": (pack_tgz(Part(magic=bytes(8))), "archive_not_tar"),
    "random bytes between files": (pack_tgz(Part(), b"\xaa" * 512, Part(b"b.wav")), "archive_damaged"),
    "bytes in the padding": (pack_tgz(Part(data=clip() + b"x", padding=b"h")), "archive_hidden"),
    "bytes after the name": (pack_tgz(Part(b"a.wav\0hidden")), "name_control"),
    "symlink": (pack_tgz(Part(kind=b"2", link=b"/etc/passwd")), "member_symlink"),
    "symlink, not compressed": (pack_tar(Part(kind=b"2", link=b"/etc/passwd")), "member_symlink"),
    "symlink with a long target": (pack_tgz(long_name(b"/" * 200, b"K"), Part(kind=b"2")), "member_symlink"),
    "hard link": (pack_tgz(Part(), Part(b"b.wav", kind=b"1", link=b"a.wav")), "member_hardlink"),
    "character device": (pack_tgz(Part(kind=b"3")), "member_device"),
    "block device": (pack_tgz(Part(kind=b"4")), "member_device"),
    "pipe": (pack_tgz(Part(kind=b"6")), "member_fifo"),
    "sparse file": (pack_tgz(Part(kind=b"S", magic=GNU)), "member_sparse"),
    "sparse file by pax header": (pack_tgz(pax((b"GNU.sparse.major", b"1")), Part()), "member_sparse"),
    "sparse file under another name": (pack_tgz(pax((b"GNU.sparse.name", b"../x")), Part()), "member_sparse"),
    "contiguous file": (pack_tgz(Part(kind=b"7")), "member_unusual"),
    "volume label": (pack_tgz(Part(kind=b"V")), "member_unusual"),
    "continuation of another volume": (pack_tgz(Part(kind=b"M")), "member_unusual"),
    "unknown type": (pack_tgz(Part(kind=b"z")), "member_unusual"),
    "folder with bytes": (pack_tgz(Part(b"clips/", b"hello", kind=b"5")), "member_unusual"),
    "file name with a final slash": (pack_tgz(Part(b"clips/")), "member_unusual"),
    "pax header of 100 kB": (pack_tgz(pax((b"comment", b"x" * 100_000)), Part()), "member_note_long"),
    "pax header of 30 MB": (pack_tgz(Part(b"note", b"1" * (30 << 20), b"x"), Part()), "member_note_long"),
    "pax header of 8 GB": (pack_tgz(Part(b"note", b"x", b"x", size=b"77777777777\0"), Part()), "member_note_long"),
    "long name of 100 kB": (pack_tgz(long_name(b"a" * 100_000), Part()), "member_note_long"),
    "pax header of digits": (pack_tgz(Part(b"note", b"1" * 60_000, b"x"), Part()), "archive_damaged"),
    "pax header of spaces": (pack_tgz(Part(b"note", b" " * 60_000, b"x"), Part()), "archive_damaged"),
    "pax record of length zero": (pack_tgz(Part(b"note", b"0 a=b\n", b"x"), Part()), "archive_damaged"),
    "pax record with a wrong length": (pack_tgz(Part(b"note", b"9 a=b\n", b"x"), Part()), "archive_damaged"),
    "pax record without an equals sign": (pack_tgz(Part(b"note", b"9 abcdef\n"[:9], b"x"), Part()), "archive_damaged"),
    "pax header with the same key twice": (pack_tgz(pax((b"path", b"a"), (b"path", b"b")), Part()), "archive_damaged"),
    "pax size that is not a number": (pack_tgz(pax((b"size", b"many")), Part()), "archive_damaged"),
    "pax size above the file size": (pack_tgz(pax((b"size", b"99999999999")), Part()), "member_too_big"),
    "pax size below the file size": (pack_tgz(pax((b"size", b"512")), Part()), "archive_damaged"),
    "negative pax size": (pack_tgz(pax((b"size", b"-1")), Part()), "archive_damaged"),
    "two pax headers for one file": (pack_tgz(pax((b"path", b"a")), pax((b"path", b"b")), Part()), "archive_damaged"),
    "two long names for one file": (pack_tgz(long_name(b"a.wav"), long_name(b"b.wav"), Part()), "archive_damaged"),
    "pax header without a file": (pack_tgz(Part(), pax((b"path", b"b.wav"))), "archive_damaged"),
    "global pax header with a path": (pack_tgz(pax((b"path", b"b.wav"), kind=b"g"), Part()), "archive_damaged"),
    "NUL in a pax path": (pack_tgz(pax((b"path", b"a\0.wav")), Part()), "name_control"),
    "bytes after a long name": (pack_tgz(long_name(b"a.wav\0hidden"), Part()), "name_control"),
    "parent folder in a pax path": (pack_tgz(pax((b"path", b"../../a.wav")), Part()), "name_escapes"),
    "parent folder in a long name": (pack_tgz(long_name(b"../" * 50 + b"a.wav"), Part()), "name_escapes"),
    "parent folder in a prefix": (pack_tgz(Part(prefix=b"..")), "name_escapes"),
    "parent folder after the current folder": (pack_tgz(Part(b"./../a.wav")), "name_escapes"),
    "absolute path": (pack_tgz(Part(b"/etc/passwd")), "name_absolute"),
    "absolute pax path": (pack_tgz(pax((b"path", b"/etc/passwd")), Part()), "name_absolute"),
    "absolute path after the current folder": (pack_tgz(Part(b".//etc/passwd")), "name_absolute"),
    "drive letter": (pack_tgz(Part(b"C:\\a.wav")), "name_drive"),
    "backslash": (pack_tgz(Part(b"clips\\a.wav")), "name_backslash"),
    "no name": (pack_tgz(Part(b"")), "name_empty"),
    "file named dot": (pack_tgz(Part(b".")), "name_strange"),
    "not UTF-8": (pack_tgz(Part(b"caf\xe9.wav")), "name_not_text"),
    "pax path not UTF-8": (pack_tgz(pax((b"path", b"\xff\xfe")), Part()), "name_not_text"),
    "same name twice": (pack_tgz(Part(), Part()), "name_twice"),
    "same name, once with dot slash": (pack_tgz(Part(), Part(b"./a.wav")), "name_twice"),
    "same name in another case": (pack_tgz(Part(), Part(b"A.wav")), "names_collide"),
    "name of 1,000 letters": (pack_tgz(long_name(b"a" * 1000), Part()), "name_too_long"),
    "nested folders": (pack_tgz(Part(b"a/b/c/d/e.wav")), "name_too_deep"),
    "archive inside": (pack_tgz(Part(b"b.wav", packed())), "member_nested"),
    "ZIP inside": (pack_tgz(Part(), Part(b"b.zip", b"x")), "member_nested"),
    "20,000 folders": (pack_tgz(*[Part(b"%d/" % number, kind=b"5") for number in range(20_000)]), "archive_too_many"),
    "5,001 files": (pack_tgz(*[Part(b"%d" % number, b"x") for number in range(5001)]), "archive_too_many"),
}

GOOD_TARS: dict[str, tuple[Recipe, tuple[str, ...]]] = {
    "one clip": (pack_tgz(), ("a.wav",)),
    "not compressed": (pack_tar(), ("a.wav",)),
    "GNU magic": (pack_tgz(Part(magic=GNU)), ("a.wav",)),
    "oldest type flag": (pack_tgz(Part(kind=b"\0")), ("a.wav",)),
    "written by Python": (lambda: by_tarfile({"a.wav": clip(), "é.wav": clip()}), ("a.wav", "é.wav")),
    "written by Python in GNU format": (
        lambda: by_tarfile({"n" * 150 + ".wav": clip()}, form=tarfile.GNU_FORMAT),
        ("n" * 150 + ".wav",),
    ),
    "written by Python with a pax path": (lambda: by_tarfile({"n" * 150 + ".wav": clip()}), ("n" * 150 + ".wav",)),
    "written by Python, not compressed": (lambda: by_tarfile({"a.wav": clip()}, "w"), ("a.wav",)),
    "folder packed by tar": (
        pack_tgz(
            Part(b"./", kind=b"5"), Part(b"./clips/", kind=b"5"), Part(b"./clips/a.wav"), Part(b"./clips/._a.wav", b"x")
        ),
        ("a.wav",),
    ),
    "long path in the prefix": (
        pack_tgz(Part(prefix=b"p" * 150), Part(b"b.wav", prefix=b"p" * 150)),
        ("a.wav", "b.wav"),
    ),
    "name and times in a pax header": (pack_tgz(pax((b"path", b"b.wav"), (b"mtime", b"1.5")), Part()), ("b.wav",)),
    "global pax header": (pack_tgz(pax((b"comment", b"0123"), kind=b"g"), Part()), ("a.wav",)),
    "length in binary": (lambda: packed(Part(size=b"\x80" + len(clip()).to_bytes(11, "big"))), ("a.wav",)),
    "length in a pax header": (lambda: packed(pax((b"size", b"%d" % len(clip()))), Part(size=0)), ("a.wav",)),
    "folders and junk": (pack_tgz(Part(b"x/", kind=b"5"), Part(b"x/a.wav"), Part(b"x/.DS_Store", b"y")), ("a.wav",)),
    "many zeros at the end": (pack_tgz(end=bytes(1 << 20)), ("a.wav",)),
    "gzip with a time": (lambda: gzip.compress(tar_of(), 1), ("a.wav",)),
    "file of no bytes": (pack_tgz(Part(data=b""), Part(b"b.wav")), ("a.wav", "b.wav")),
}
"""Name: (recipe, names of the members)."""
