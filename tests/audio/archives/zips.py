"""Named ZIP archives: hostile archives with their finding code, good archives with the names of their members."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.tars import TarEntry, build_tar, build_tar_gz
from tests.support.wav import encode_speech
from tests.support.zips import (
    STORED,
    ZipMember,
    add_data_descriptor,
    build_zip,
    build_zip_with_names,
    make_clip_data,
    pack_extra_field,
)

MakeArchive = Callable[[], bytes]

ZIP64 = pack_extra_field(1, struct.pack("<QQ", 1 << 40, 1 << 40))
END_64 = b"PK\x06\x06" + struct.pack("<Q", 44) + bytes(44) + b"PK\x06\x07" + bytes(16)


def pack_zip(*members: ZipMember, **overrides: Any) -> MakeArchive:
    return lambda: build_zip(*members, **overrides)


def pack_names(*file_names: str | bytes, **overrides: Any) -> MakeArchive:
    return lambda: build_zip_with_names(*file_names, **overrides)


def pack_type(kind: int, name: bytes = b"a.wav", data: bytes = b"/etc/passwd") -> MakeArchive:
    return pack_zip(ZipMember(name, data, attributes=(kind | 0o777) << 16))


def pack_with_zipfile(method: int, *file_names: str, **options: Any) -> MakeArchive:
    def write_archive() -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method, **options) as archive:
            for name in file_names or ("a.wav",):
                archive.writestr(name, make_clip_data())
        return out.getvalue()

    return write_archive


def build_overlap_bomb(count: int) -> bytes:
    """Return a ZIP with `count` directory entries that share the same bytes."""
    first = ZipMember(b"0.wav")
    length = len(first.build_local_entry())
    others = [
        ZipMember(b"%d.wav" % number, local_name=b"0.wav", compressed_data=b"", offset_shift=-length)
        for number in range(1, count)
    ]
    crc, packed_size, size = *first.compute_sizes()[:2], len(make_clip_data())
    shared = [replace(member, signature=b"", crc=crc, compressed_size=packed_size, size=size) for member in others]
    out, central = first.build_local_entry(), first.build_directory_entry(0)
    for member in shared:
        central += replace(member, offset_shift=0).build_directory_entry(0)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(central), len(out), 0)
    return out + central + end


def build_quoting_bomb() -> bytes:
    """Return a ZIP whose first file contains the header and the bytes of the second."""
    inner = ZipMember(b"b.wav", bytes(400_000))
    outer = ZipMember(b"a.wav", inner.build_local_entry(), STORED)
    position = len(outer.build_local_entry()) - len(inner.build_local_entry())
    out, central = outer.build_local_entry(), outer.build_directory_entry(0) + inner.build_directory_entry(position)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(central), len(out), 0)
    return out + central + end


def corrupt_name_length(data: bytes) -> bytes:
    """Return `data` with the maximum name length in its first directory entry."""
    position = data.index(b"PK\x01\x02") + 28
    return data[:position] + b"\xff\xff" + data[position + 2 :]


def build_zip_in_tar() -> bytes:
    """Return a ZIP that is also a tar archive: the name of its first tar entry is the first bytes of a ZIP."""
    return TarEntry(b"PK\x03\x04", b"").bytes() + build_zip()


DAMAGED: dict[str, tuple[MakeArchive, str]] = {
    "empty file": (lambda: b"", "not_an_archive"),
    "text": (lambda: b"Dear studio, please find attached my voice.", "not_an_archive"),
    "a recording": (make_clip_data, "not_an_archive"),
    "bzip2": (lambda: b"BZh91AY&SY" + bytes(100), "archive_damaged"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), "archive_other_format"),
    "RAR": (lambda: b"Rar!\x1a\x07\x00" + bytes(100), "archive_other_format"),
    "Zstandard": (lambda: b"\x28\xb5\x2f\xfd" + bytes(100), "archive_other_format"),
    "no files": (lambda: b"PK\x05\x06" + bytes(18), "archive_empty"),
    "only folders": (pack_zip(ZipMember(b"clips/", b"", STORED, attributes=0o040755 << 16)), "archive_empty"),
    "only junk": (pack_names(".DS_Store", "__MACOSX/._a.wav"), "archive_empty"),
    "only the magic bytes": (lambda: b"PK\x03\x04", "archive_truncated"),
    "first half": (lambda: build_zip()[: len(build_zip()) // 2], "archive_truncated"),
    "last byte missing": (lambda: build_zip()[:-1], "archive_truncated"),
    "missing directory": (pack_zip(start=1 << 30), "archive_truncated"),
    "70 kB after the archive": (pack_zip(outside=bytes(70_000)), "archive_truncated"),
    "bytes after the directory": (pack_zip(between=b"hidden"), "archive_damaged"),
    "bytes in the directory": (pack_zip(inside=b"hidden"), "archive_damaged"),
    "files, but an empty directory": (pack_zip(ZipMember(hidden=True)), "archive_empty"),
    "directory of 17 MB": (pack_zip(inside=bytes(17 << 20)), "archive_damaged"),
    "second disk": (pack_zip(disk=1), "archive_split"),
    "file on a second disk": (pack_zip(ZipMember(disk=1)), "archive_split"),
    "directory with a wrong length": (pack_zip(length=100), "archive_damaged"),
    "extra field longer than the rest": (pack_zip(ZipMember(extra=b"\x55\x54\xff\xff")), "archive_damaged"),
    "tar and ZIP": (build_zip_in_tar, "archive_polyglot"),
    "tar with a ZIP at the end": (lambda: build_tar() + build_zip(), "archive_polyglot"),
    "gzip with a ZIP at the end": (lambda: build_tar_gz() + build_zip(), "archive_polyglot"),
}

INCONSISTENT: dict[str, tuple[MakeArchive, str]] = {
    "size in both headers too small": (pack_zip(ZipMember(size=1000)), "archive_disagrees"),
    "size in both headers too large": (pack_zip(ZipMember(size=100_000)), "archive_disagrees"),
    "stored, with a wrong size": (pack_zip(ZipMember(method=STORED, size=1000)), "archive_disagrees"),
    "ZIP64 offset": (pack_zip(start=0xFFFFFFFF), "archive_truncated"),
    "ZIP64 records": (pack_zip(between=END_64), "archive_empty"),
    "200 files with the same bytes": (lambda: build_overlap_bomb(200), "archive_overlap"),
    "file within a file": (build_quoting_bomb, "archive_overlap"),
    "file overlaps the next": (
        pack_zip(ZipMember(method=STORED, compressed_size=100_000, size=100_000), ZipMember(b"b.wav")),
        "archive_overlap",
    ),
    "file overlaps the directory": (
        pack_zip(ZipMember(method=STORED, compressed_size=1 << 20, size=1 << 20)),
        "archive_overlap",
    ),
    "offset inside another file": (pack_zip(ZipMember(), ZipMember(b"b.wav", offset_shift=-50)), "archive_overlap"),
    "offset after the directory": (pack_zip(ZipMember(offset_shift=100_000)), "archive_overlap"),
    "second offset after the directory": (
        pack_zip(ZipMember(b"a.wav"), ZipMember(b"b.wav", offset_shift=1 << 20)),
        "archive_overlap",
    ),
    "encrypted": (pack_zip(ZipMember(flags=1)), "member_encrypted"),
    "strongly encrypted": (pack_zip(ZipMember(flags=1 << 6)), "member_encrypted"),
    "encrypted directory": (pack_zip(ZipMember(flags=1 << 13)), "member_encrypted"),
    "AES encrypted": (pack_zip(ZipMember(method=99, extra=pack_extra_field(0x9901, bytes(7)))), "member_encrypted"),
    "AES encryption in the extra field only": (
        pack_zip(ZipMember(extra=pack_extra_field(0x9901, bytes(7)))),
        "member_encrypted",
    ),
    "strong encryption in the extra field only": (
        pack_zip(ZipMember(extra=pack_extra_field(0x0017, bytes(8)))),
        "member_encrypted",
    ),
    "symlink": (pack_type(stat.S_IFLNK), "member_symlink"),
    "symlink to a folder": (pack_type(stat.S_IFLNK, b"clips/", b""), "member_symlink"),
    "block device": (pack_type(stat.S_IFBLK), "member_device"),
    "character device": (pack_type(stat.S_IFCHR), "member_device"),
    "pipe": (pack_type(stat.S_IFIFO), "member_fifo"),
    "socket": (pack_type(stat.S_IFSOCK), "member_fifo"),
    "folder with bytes": (pack_zip(ZipMember(b"clips/", b"hello", attributes=0o040755 << 16)), "archive_without_audio"),
    "file name with a final slash": (pack_zip(ZipMember(b"a.wav/", b"", STORED)), "archive_empty"),
}

LARGE: dict[str, tuple[MakeArchive, str]] = {
    "bomb of 50 MB in 50 kB": (lambda: build_zip(ZipMember(data=bytes(50 << 20))), "archive_bomb"),
    "bomb of many small files": (
        lambda: build_zip(*(ZipMember(b"%d.wav" % number, bytes(1 << 20)) for number in range(20))),
        "archive_bomb",
    ),
    "bomb in the metadata list": (
        lambda: build_zip(ZipMember(b"metadata.csv", b" " * (6 << 20)), ZipMember()),
        "archive_bomb",
    ),
    "bomb with a small size in its headers": (
        lambda: build_zip(ZipMember(data=bytes(50 << 20), size=1000)),
        "archive_bomb",
    ),
    "20 files of 150 MB by their headers": (
        lambda: build_zip(
            *(ZipMember(b"%d.wav" % number, size=150 << 20, compressed_size=150 << 20) for number in range(20))
        ),
        "archive_overlap",
    ),
    "5,001 files": (
        lambda: build_zip(*(ZipMember(b"%d.wav" % number, b"x", STORED) for number in range(5001))),
        "archive_too_many",
    ),
    "60,000 folders": (
        lambda: build_zip(*(ZipMember(b"%d/" % number, b"", STORED, attributes=0) for number in range(60_000))),
        "archive_too_many",
    ),
}

NESTED: dict[str, tuple[MakeArchive, str]] = {
    "archive by its name only": (pack_names("more.tar.GZ"), "archive_of_archives"),
    "archive in an archive in an archive": (
        lambda: build_zip(ZipMember(b"a.zip", build_zip(ZipMember(b"a.zip", build_zip())))),
        "archive_of_archives",
    ),
}

BAD_NAMES: dict[str, tuple[MakeArchive, str]] = {
    "only a slash": (pack_zip(ZipMember(b"/", b"", STORED, attributes=0)), "name_absolute"),
    "absolute path": (pack_names("/etc/passwd"), "name_absolute"),
    "network share": (pack_names("//server/share/a.wav"), "name_absolute"),
    "drive letter": (pack_names("C:a.wav"), "name_drive"),
    "drive letter and folder": (pack_names("C:/a.wav"), "name_drive"),
    "alternate data stream": (pack_names("a:b.wav"), "name_drive"),
    "parent folder": (pack_names("../a.wav"), "name_escapes"),
    "parent folder in a code page": (pack_names("../Größe.wav".encode("cp850")), "name_escapes"),
    "absolute path with backslashes": (pack_names("\\\\server\\a.wav"), "name_absolute"),
    "drive letter with backslashes": (pack_names("C:\\a.wav"), "name_drive"),
    "same name, a dot at the end": (pack_names("a.wav", "a.wav."), "names_collide"),
    "same name, an invisible mark replaced": (pack_names("a_.wav", "a\u200b.wav"), "name_twice"),
    "same name, with slash and backslash": (pack_names("x/a.wav", "x\\a.wav"), "name_twice"),
    "parent folder from a subfolder": (pack_names("clips/../../a.wav"), "name_escapes"),
    "parent folder at the end": (pack_names("clips/.."), "name_escapes"),
    "parent folder with a backslash": (pack_names("..\\a.wav"), "name_escapes"),
    "NUL": (pack_names("a.wav\0.txt"), "archive_without_audio"),
    "30,000 folders": (pack_names("a/" * 30_000 + "a.wav"), "name_too_deep"),
    "same name twice": (pack_names("a.wav", "a.wav"), "name_twice"),
    "same name of one letter twice": (pack_names("a", "a"), "name_twice"),
    "same name in another case": (pack_names("a.wav", "A.WAV"), "names_collide"),
    "same name, accents as combining characters": (pack_names("é.wav", "e\u0301.wav"), "names_collide"),
    "same name, full-width letters": (pack_names("a.wav", "\uff41.wav"), "names_collide"),
    "same name, ß and ss": (pack_names("ß.wav", "ss.wav"), "names_collide"),
    "file and folder of the same name": (pack_names("a", "A/b.wav"), "names_collide"),
    "junk outside the folder": (pack_names("a.wav", "__MACOSX/../../x"), "name_escapes"),
}


HOSTILE_ZIPS = {**DAMAGED, **INCONSISTENT, **LARGE, **NESTED, **BAD_NAMES}

FOLDER = ZipMember(b"clips/", b"", STORED, attributes=0o040755 << 16)
GOOD_ZIPS: dict[str, tuple[MakeArchive, tuple[str, ...]]] = {
    "one clip": (pack_zip(), ("a.wav",)),
    "stored": (pack_zip(ZipMember(method=STORED)), ("a.wav",)),
    "compressed by Python": (pack_with_zipfile(zipfile.ZIP_DEFLATED, "a.wav", "b.wav"), ("a.wav", "b.wav")),
    "stored by Python": (pack_with_zipfile(zipfile.ZIP_STORED, "a.wav"), ("a.wav",)),
    "data descriptor": (lambda: build_zip(add_data_descriptor(ZipMember()), ZipMember(b"b.wav")), ("a.wav", "b.wav")),
    "data descriptor without a signature": (
        lambda: build_zip(add_data_descriptor(ZipMember(), signature=b"")),
        ("a.wav",),
    ),
    "stored, with a data descriptor": (lambda: build_zip(add_data_descriptor(ZipMember(method=STORED))), ("a.wav",)),
    "in one folder": (pack_zip(FOLDER, ZipMember(b"clips/a.wav")), ("a.wav",)),
    "in a folder in one folder": (pack_names("set/clips/a.wav", "set/b.wav"), ("clips/a.wav", "b.wav")),
    "in two folders": (pack_names("one/a.wav", "two/a.wav"), ("one/a.wav", "two/a.wav")),
    "packed by Finder": (
        lambda: build_zip(
            FOLDER,
            add_data_descriptor(ZipMember(b"clips/a.wav", extra=pack_extra_field(0x5855, bytes(8)))),
            add_data_descriptor(ZipMember(b"clips/.DS_Store", bytes(6148))),
            add_data_descriptor(ZipMember(b"__MACOSX/clips/._a.wav", b"\0\5\x16\7" + bytes(200))),
        ),
        ("a.wav",),
    ),
    "packed by Explorer": (
        pack_zip(ZipMember(attributes=0x20), ZipMember(b"Thumbs.db", b"x", attributes=0)),
        ("a.wav",),
    ),
    "names in many scripts": (
        pack_names("Größe 01 (2).wav", "声.wav", "naïve—x.wav"),
        ("Größe 01 (2).wav", "声.wav", "naïve—x.wav"),
    ),
    "name of 255 bytes": (pack_names("a" * 251 + ".wav"), ("a" * 251 + ".wav",)),
    "times and owners": (
        pack_zip(ZipMember(extra=pack_extra_field(0x5455, bytes(5)) + pack_extra_field(0x7875, bytes(11)))),
        ("a.wav",),
    ),
    "same name in the Unicode path field": (
        pack_zip(ZipMember(extra=pack_extra_field(0x7075, b"\x01" + bytes(4) + b"a.wav"))),
        ("a.wav",),
    ),
    "files in another order than in the directory": (
        lambda: build_reordered_zip(ZipMember(b"a.wav"), ZipMember(b"b.wav")),
        ("a.wav", "b.wav"),
    ),
    "silence with a ratio of a thousand": (lambda: build_zip(ZipMember(data=bytes(1 << 20))), ("a.wav",)),
    "file of no bytes": (pack_zip(ZipMember(data=b"", method=STORED), ZipMember(b"b.wav")), ("a.wav", "b.wav")),
    "FLAC beside WAV": (
        lambda: build_zip(ZipMember(), ZipMember(b"b.flac", encode_speech("FLAC", "PCM_16"))),
        ("a.wav", "b.flac"),
    ),
}
"""Name: (function that makes the archive, names of its members)."""


def build_reordered_zip(first: ZipMember, second: ZipMember) -> bytes:
    out = first.build_local_entry() + second.build_local_entry()
    central = second.build_directory_entry(len(first.build_local_entry())) + first.build_directory_entry(0)
    return out + central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(central), len(out), 0)
