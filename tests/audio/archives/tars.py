"""Named tar archives: hostile archives with their finding code, good archives with the names of their members."""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable

from tests.support.tars import (
    END,
    GNU,
    TarEntry,
    build_tar,
    build_tar_gz,
    build_with_tarfile,
    gzip_bytes,
    gzip_zeros,
    make_long_name_entry,
    make_pax_header,
)
from tests.support.zips import build_zip, make_clip_data

MakeArchive = Callable[[], bytes]


def pack_tgz(*parts: TarEntry | bytes, end: bytes = END) -> MakeArchive:
    return lambda: build_tar_gz(*parts, end=end)


def pack_tar(*parts: TarEntry | bytes, end: bytes = END) -> MakeArchive:
    return lambda: build_tar(*parts, end=end)


def flip_bit(data: bytes, position: int) -> bytes:
    """Return `data` with one bit flipped in the byte at `position`."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def raise_dictionary_size(data: bytes) -> bytes:
    """Return xz data whose header asks for a dictionary of 4 GB."""
    size = (data[12] + 1) * 4
    header = bytearray(data[12 : 12 + size - 4])
    header[header.index(b"\x21\x01") + 2] = 40
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "little") + data[12 + size :]


HOSTILE_TARS: dict[str, tuple[MakeArchive, str]] = {
    "gzip of no bytes": (lambda: gzip_bytes(b""), "archive_not_tar"),
    "gzip of a recording": (lambda: gzip_bytes(make_clip_data()), "archive_not_tar"),
    "gzip of text": (lambda: gzip_bytes(b"hello " * 200), "archive_not_tar"),
    "gzip of gzip": (lambda: gzip_bytes(build_tar_gz()), "archive_nested"),
    "gzip of a ZIP": (lambda: gzip_bytes(build_zip()), "archive_nested"),
    "truncated gzip": (lambda: build_tar_gz()[:-500], "archive_truncated"),
    "gzip without its last byte": (lambda: build_tar_gz()[:-1], "archive_truncated"),
    "only the gzip magic bytes": (lambda: b"\x1f\x8b", "archive_truncated"),
    "gzip with an unknown method": (lambda: b"\x1f\x8b\x09" + build_tar_gz()[3:], "archive_damaged"),
    "gzip with a wrong checksum": (lambda: flip_bit(build_tar_gz(), -8), "archive_damaged"),
    "gzip with a wrong length": (lambda: flip_bit(build_tar_gz(), -4), "archive_damaged"),
    "gzip of random bytes": (lambda: build_tar_gz()[:20] + b"\xff" * 200, "archive_damaged"),
    "bomb of 100 MB": (lambda: gzip_zeros(100 << 20), "archive_bomb"),
    "bomb of 100 MB in bzip2": (lambda: bz2.compress(bytes(100 << 20)), "archive_bomb"),
    "bomb of 100 MB in xz": (lambda: lzma.compress(bytes(100 << 20), preset=0), "archive_bomb"),
    "bomb in a bzip2 file": (lambda: bz2.compress(build_tar(TarEntry(data=bytes(64 << 20)))), "archive_bomb"),
    "xz that needs 4 GB of memory": (lambda: raise_dictionary_size(lzma.compress(build_tar())), "archive_memory"),
    "truncated bzip2": (lambda: bz2.compress(build_tar())[:-5], "archive_truncated"),
    "truncated xz": (lambda: lzma.compress(build_tar())[:-5], "archive_truncated"),
    "damaged bzip2": (lambda: flip_bit(bz2.compress(build_tar()), 60), "archive_damaged"),
    "damaged xz": (lambda: flip_bit(lzma.compress(build_tar()), 60), "archive_damaged"),
    "bzip2 of a recording": (lambda: bz2.compress(make_clip_data()), "archive_not_tar"),
    "xz of a ZIP": (lambda: lzma.compress(build_zip()), "archive_nested"),
    "bomb after the end": (lambda: build_tar_gz(end=bytes(64 << 20)), "archive_bomb"),
    "bomb in a file": (lambda: build_tar_gz(TarEntry(data=bytes(64 << 20))), "archive_bomb"),
    "no files": (pack_tgz(bytes(0), end=END), "archive_empty"),
    "no files, not compressed": (pack_tar(b"", end=bytes(10_240)), "archive_empty"),
    "only folders": (pack_tgz(TarEntry(b"clips/", kind=b"5")), "archive_empty"),
    "no end blocks": (pack_tgz(TarEntry(), end=b""), "archive_truncated"),
    "truncated file": (lambda: gzip_bytes(build_tar()[:5000]), "archive_truncated"),
    "100 MB file without its bytes": (pack_tgz(TarEntry(size=100 << 20)), "archive_truncated"),
    "8 GB file": (pack_tgz(TarEntry(size=b"77777777777\0")), "archive_truncated"),
    "file of 2^88 bytes": (pack_tgz(TarEntry(size=b"\x80" + b"\xff" * 11)), "archive_damaged"),
    "negative length": (pack_tgz(TarEntry(size=b"\xff" * 12)), "archive_damaged"),
    "length that is not a number": (pack_tgz(TarEntry(size=b"four bytes\0\0")), "archive_not_tar"),
    "length with a sign": (pack_tgz(TarEntry(size=b"-0000000001\0")), "archive_damaged"),
    "length with spaces in it": (pack_tgz(TarEntry(size=b"1 1 1 1 1 1 ")), "archive_not_tar"),
    "wrong header checksum": (pack_tgz(TarEntry(), TarEntry(b"b.wav", checksum=b"000000\0 ")), "archive_damaged"),
    "header checksum that is not a number": (
        pack_tgz(TarEntry(), TarEntry(b"b.wav", checksum=b"a sum!\0 ")),
        "archive_damaged",
    ),
    "wrong first header checksum": (pack_tgz(TarEntry(checksum=b"000000\0 ")), "archive_not_tar"),
    "wrong first header checksum, not compressed": (pack_tar(TarEntry(checksum=b"000000\0 ")), "not_an_archive"),
    "random bytes between files": (pack_tgz(TarEntry(), b"\xaa" * 512, TarEntry(b"b.wav")), "archive_damaged"),
    "symlink": (pack_tgz(TarEntry(kind=b"2", link=b"/etc/passwd")), "member_symlink"),
    "symlink, not compressed": (pack_tar(TarEntry(kind=b"2", link=b"/etc/passwd")), "member_symlink"),
    "symlink with a long target": (
        pack_tgz(make_long_name_entry(b"/" * 200, b"K"), TarEntry(kind=b"2")),
        "member_symlink",
    ),
    "hard link": (pack_tgz(TarEntry(), TarEntry(b"b.wav", kind=b"1", link=b"a.wav")), "member_hardlink"),
    "character device": (pack_tgz(TarEntry(kind=b"3")), "member_device"),
    "block device": (pack_tgz(TarEntry(kind=b"4")), "member_device"),
    "pipe": (pack_tgz(TarEntry(kind=b"6")), "member_fifo"),
    "sparse file under another name": (
        pack_tgz(make_pax_header((b"GNU.sparse.name", b"../x")), TarEntry()),
        "name_escapes",
    ),
    "volume label": (pack_tgz(TarEntry(kind=b"V")), "archive_empty"),
    "continuation of another volume": (pack_tgz(TarEntry(kind=b"M")), "archive_split"),
    "folder with bytes": (pack_tgz(TarEntry(b"clips/", b"hello", kind=b"5")), "archive_damaged"),
    "pax header of 100 kB": (pack_tgz(make_pax_header((b"comment", b"x" * 100_000)), TarEntry()), "member_note_long"),
    "pax header of 30 MB": (pack_tgz(TarEntry(b"note", b"1" * (30 << 20), b"x"), TarEntry()), "member_note_long"),
    "pax header of 8 GB": (
        pack_tgz(TarEntry(b"note", b"x", b"x", size=b"77777777777\0"), TarEntry()),
        "member_note_long",
    ),
    "long name of 100 kB": (pack_tgz(make_long_name_entry(b"a" * 100_000), TarEntry()), "member_note_long"),
    "pax header of digits": (pack_tgz(TarEntry(b"note", b"1" * 60_000, b"x"), TarEntry()), "member_note_long"),
    "pax header of spaces": (pack_tgz(TarEntry(b"note", b" " * 60_000, b"x"), TarEntry()), "member_note_long"),
    "pax record of length zero": (pack_tgz(TarEntry(b"note", b"0 a=b\n", b"x"), TarEntry()), "archive_damaged"),
    "pax size that is not a number": (pack_tgz(make_pax_header((b"size", b"many")), TarEntry()), "archive_damaged"),
    "pax size above the file size": (
        pack_tgz(make_pax_header((b"size", b"99999999999")), TarEntry()),
        "archive_truncated",
    ),
    "pax size below the file size": (pack_tgz(make_pax_header((b"size", b"512")), TarEntry()), "archive_damaged"),
    "negative pax size": (pack_tgz(make_pax_header((b"size", b"-1")), TarEntry()), "archive_damaged"),
    "pax header without a file": (pack_tgz(TarEntry(), make_pax_header((b"path", b"b.wav"))), "archive_damaged"),
    "parent folder in a pax path": (pack_tgz(make_pax_header((b"path", b"../../a.wav")), TarEntry()), "name_escapes"),
    "parent folder in a long name": (
        pack_tgz(make_long_name_entry(b"../" * 50 + b"a.wav"), TarEntry()),
        "name_escapes",
    ),
    "parent folder in a prefix": (pack_tgz(TarEntry(prefix=b"..")), "name_escapes"),
    "parent folder after the current folder": (pack_tgz(TarEntry(b"./../a.wav")), "name_escapes"),
    "absolute path": (pack_tgz(TarEntry(b"/etc/passwd")), "name_absolute"),
    "absolute pax path": (pack_tgz(make_pax_header((b"path", b"/etc/passwd")), TarEntry()), "name_absolute"),
    "drive letter": (pack_tgz(TarEntry(b"C:\\a.wav")), "name_drive"),
    "same name twice": (pack_tgz(TarEntry(), TarEntry()), "name_twice"),
    "same name, once with dot slash": (pack_tgz(TarEntry(), TarEntry(b"./a.wav")), "name_twice"),
    "same name in another case": (pack_tgz(TarEntry(), TarEntry(b"A.wav")), "names_collide"),
    "20,000 folders": (
        pack_tgz(*[TarEntry(b"%d/" % number, kind=b"5") for number in range(20_000)]),
        "archive_too_many",
    ),
    "5,001 files": (pack_tgz(*[TarEntry(b"%d" % number, b"x") for number in range(5001)]), "archive_too_many"),
}

GOOD_TARS: dict[str, tuple[MakeArchive, tuple[str, ...]]] = {
    "one clip": (pack_tgz(), ("a.wav",)),
    "not compressed": (pack_tar(), ("a.wav",)),
    "GNU magic": (pack_tgz(TarEntry(magic=GNU)), ("a.wav",)),
    "oldest type flag": (pack_tgz(TarEntry(kind=b"\0")), ("a.wav",)),
    "written by Python": (
        lambda: build_with_tarfile({"a.wav": make_clip_data(), "é.wav": make_clip_data()}),
        ("a.wav", "é.wav"),
    ),
    "written by Python in GNU format": (
        lambda: build_with_tarfile({"n" * 150 + ".wav": make_clip_data()}, tar_format=tarfile.GNU_FORMAT),
        ("n" * 150 + ".wav",),
    ),
    "written by Python with a pax path": (
        lambda: build_with_tarfile({"n" * 150 + ".wav": make_clip_data()}),
        ("n" * 150 + ".wav",),
    ),
    "written by Python, not compressed": (lambda: build_with_tarfile({"a.wav": make_clip_data()}, "w"), ("a.wav",)),
    "folder packed by tar": (
        pack_tgz(
            TarEntry(b"./", kind=b"5"),
            TarEntry(b"./clips/", kind=b"5"),
            TarEntry(b"./clips/a.wav"),
            TarEntry(b"./clips/._a.wav", b"x"),
        ),
        ("a.wav",),
    ),
    "long path in the prefix": (
        pack_tgz(TarEntry(prefix=b"p" * 150), TarEntry(b"b.wav", prefix=b"p" * 150)),
        ("a.wav", "b.wav"),
    ),
    "name and times in a pax header": (
        pack_tgz(make_pax_header((b"path", b"b.wav"), (b"mtime", b"1.5")), TarEntry()),
        ("b.wav",),
    ),
    "global pax header": (pack_tgz(make_pax_header((b"comment", b"0123"), kind=b"g"), TarEntry()), ("a.wav",)),
    "length in binary": (
        lambda: build_tar_gz(TarEntry(size=b"\x80" + len(make_clip_data()).to_bytes(11, "big"))),
        ("a.wav",),
    ),
    "length in a pax header": (
        lambda: build_tar_gz(make_pax_header((b"size", b"%d" % len(make_clip_data()))), TarEntry(size=0)),
        ("a.wav",),
    ),
    "folders and junk": (
        pack_tgz(TarEntry(b"x/", kind=b"5"), TarEntry(b"x/a.wav"), TarEntry(b"x/.DS_Store", b"y")),
        ("a.wav",),
    ),
    "many zeros at the end": (pack_tgz(end=bytes(1 << 20)), ("a.wav",)),
    "gzip with a time": (lambda: gzip.compress(build_tar(), 1), ("a.wav",)),
    "file of no bytes": (pack_tgz(TarEntry(data=b""), TarEntry(b"b.wav")), ("a.wav", "b.wav")),
}
"""Name: (function that makes the archive, names of its members)."""
