"""Named ZIP archives: hostile ones with the code that must refuse them, and good ones with the names that they hold."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.tars import Part, packed, tar_of
from tests.support.wav import ZIP, encoded
from tests.support.zips import STORED, Member, clip, deflated, described, extra, named, zip_of

Recipe = Callable[[], bytes]

ZIP64 = extra(1, struct.pack("<QQ", 1 << 40, 1 << 40))
END_64 = b"PK\x06\x06" + struct.pack("<Q", 44) + bytes(44) + b"PK\x06\x07" + bytes(16)


def of(*members: Member, **lies: Any) -> Recipe:
    return lambda: zip_of(*members, **lies)


def names(*given: str | bytes, **lies: Any) -> Recipe:
    return lambda: named(*given, **lies)


def mode(kind: int, name: bytes = b"a.wav", data: bytes = b"/etc/passwd") -> Recipe:
    return of(Member(name, data, attributes=(kind | 0o777) << 16))


def by_zipfile(method: int, *given: str, **more: Any) -> Recipe:
    def made() -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method, **more) as archive:
            for name in given or ("a.wav",):
                archive.writestr(name, clip())
        return out.getvalue()

    return made


def overlap_bomb(count: int) -> bytes:
    """Every file of the directory is the same bytes."""
    first = Member(b"0.wav")
    length = len(first.local())
    others = [Member(b"%d.wav" % number, local_name=b"0.wav", raw=b"", at=-length) for number in range(1, count)]
    crc, size, whole = *first.numbers()[:2], len(clip())
    shared = [replace(one, signature=b"", crc=crc, packed=size, size=whole) for one in others]
    out, central = first.local(), first.central(0)
    for one in shared:
        central += replace(one, at=0).central(0)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(central), len(out), 0)
    return out + central + end


def quoting_bomb() -> bytes:
    """The bytes of the first file are the header and the bytes of the second."""
    inner = Member(b"b.wav", bytes(400_000))
    outer = Member(b"a.wav", inner.local(), STORED)
    place = len(outer.local()) - len(inner.local())
    out, central = outer.local(), outer.central(0) + inner.central(place)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(central), len(out), 0)
    return out + central + end


def with_long_name(data: bytes) -> bytes:
    """The same, but the directory says that its first name is endless."""
    place = data.index(b"PK\x01\x02") + 28
    return data[:place] + b"\xff\xff" + data[place + 2 :]


def zip_and_tar() -> bytes:
    """A tar archive whose first file is called as a ZIP begins, and which is that ZIP."""
    return Part(b"PK\x03\x04", b"").bytes() + zip_of()


BROKEN: dict[str, tuple[Recipe, str]] = {
    "nothing": (lambda: b"", "not_an_archive"),
    "text": (lambda: b"Dear studio, please find attached my voice.", "not_an_archive"),
    "a recording": (clip, "not_an_archive"),
    "bzip2": (lambda: b"BZh91AY&SY" + bytes(100), "not_an_archive"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), "not_an_archive"),
    "no files": (lambda: b"PK\x05\x06" + bytes(18), "archive_empty"),
    "only folders": (of(Member(b"clips/", b"", STORED, attributes=0o040755 << 16)), "archive_empty"),
    "only junk": (names(".DS_Store", "__MACOSX/._a.wav"), "archive_empty"),
    "only its first bytes": (lambda: b"PK\x03\x04", "archive_truncated"),
    "half of it": (lambda: zip_of()[: len(zip_of()) // 2], "archive_truncated"),
    "last byte missing": (lambda: zip_of()[:-1], "archive_truncated"),
    "directory that is not there": (of(start=1 << 30), "archive_truncated"),
    "program before it": (of(prefix=b"MZ" + bytes(1000)), "archive_prefix"),
    "program before it, places not shifted": (of(prefix=b"MZ" + bytes(1000), shifted=False), "archive_prefix"),
    "recording before it": (lambda: zip_of(prefix=clip()), "archive_prefix"),
    "two archives in a row": (lambda: zip_of() + zip_of(), "archive_prefix"),
    "byte behind it": (of(outside=b"\0"), "archive_trailing"),
    "web page behind it": (of(outside=b"<script>alert(1)</script>"), "archive_trailing"),
    "70 kB behind it": (of(outside=bytes(70_000)), "archive_truncated"),
    "comment": (of(comment=b"hello"), "archive_comment"),
    "comment that is an archive": (lambda: zip_of(comment=zip_of(Member(data=b"x"))), "archive_prefix"),
    "comment on a file": (of(Member(comment=b"hello")), "archive_comment"),
    "comment that is not there": (of(comment_size=5), "archive_trailing"),
    "bytes before its directory": (of(gap=b"hidden"), "archive_hidden"),
    "bytes after its directory": (of(between=b"hidden"), "archive_prefix"),
    "bytes in its directory": (of(inside=b"hidden"), "archive_hidden"),
    "bytes between files": (of(Member(), Member(b"b.wav", before=b"hidden")), "archive_hidden"),
    "bytes before the first file": (lambda: zip_of(Member(before=b"PK\x03\x04hidden")), "archive_hidden"),
    "file that the directory leaves out": (of(Member(hidden=True), Member(b"b.wav")), "archive_hidden"),
    "last file left out": (of(Member(), Member(b"b.wav", hidden=True)), "archive_hidden"),
    "files, and none in the directory": (of(Member(hidden=True)), "archive_hidden"),
    "400 kB behind the packed ones": (of(Member(raw=deflated(clip()) + bytes(400_000))), "archive_hidden"),
    "name that is longer than the directory": (lambda: with_long_name(zip_of()), "archive_damaged"),
    "bytes behind the packed ones": (of(Member(raw=deflated(clip()) + b"hidden")), "archive_hidden"),
    "one file more in the count": (of(count=2), "archive_damaged"),
    "one file fewer in the count": (of(Member(), Member(b"b.wav"), count=1), "archive_hidden"),
    "directory of 17 MB": (of(inside=bytes(17 << 20)), "archive_damaged"),
    "second disk": (of(disk=1), "archive_split"),
    "file on a second disk": (of(Member(disk=1)), "archive_split"),
    "fewer files here than in all": (of(here=0, count=1), "archive_split"),
    "directory of random bytes": (of(length=100), "archive_truncated"),
    "extra field longer than the rest": (of(Member(extra=b"\x55\x54\xff\xff")), "archive_damaged"),
    "extra field twice": (of(Member(extra=extra(0x5455) * 2)), "archive_damaged"),
    "three bytes of extra field": (of(Member(extra=b"abc")), "archive_damaged"),
    "packed bytes of chance": (of(Member(raw=b"\xff" * 100)), "archive_damaged"),
    "packed bytes cut": (lambda: zip_of(Member(raw=deflated(clip())[:-1])), "archive_damaged"),
    "wrong checksum": (of(Member(crc=1)), "member_checksum"),
    "wrong checksum of stored bytes": (of(Member(crc=1, method=STORED)), "member_checksum"),
    "tar and ZIP": (zip_and_tar, "archive_polyglot"),
    "tar with a ZIP at its end": (lambda: tar_of() + zip_of(), "archive_polyglot"),
    "gzip with a ZIP at its end": (lambda: packed() + zip_of(), "archive_polyglot"),
}

LYING: dict[str, tuple[Recipe, str]] = {
    "own header names it otherwise": (of(Member(local_name=b"b.wav")), "archive_disagrees"),
    "own header packs it otherwise": (of(Member(local_method=STORED)), "archive_disagrees"),
    "own header has another checksum": (of(Member(local_crc=1)), "archive_disagrees"),
    "own header has another length": (of(Member(local_size=100)), "archive_disagrees"),
    "own header has another packed length": (of(Member(local_packed=100)), "archive_disagrees"),
    "own header leaves its length out": (of(Member(local_size=0)), "archive_disagrees"),
    "own header promises sizes behind": (of(Member(local_flags=8)), "archive_disagrees"),
    "own header is none": (of(Member(signature=b"PK\x03\x05"), Member(b"b.wav")), "archive_prefix"),
    "second header is none": (of(Member(), Member(b"b.wav", signature=b"RIFF")), "archive_disagrees"),
    "longer than both headers say": (of(Member(size=1000)), "archive_disagrees"),
    "shorter than both headers say": (of(Member(size=100_000)), "archive_disagrees"),
    "stored, and shorter than that": (of(Member(method=STORED, size=1000)), "archive_disagrees"),
    "stored in fewer bytes than it has": (of(Member(method=STORED, packed=1000, size=1000)), "archive_hidden"),
    "name in another field is another": (
        of(Member(extra=extra(0x7075, b"\x01" + bytes(4) + b"b.wav"))),
        "archive_disagrees",
    ),
    "sizes behind it are missing": (lambda: zip_of(replace(described(Member()), after=b"")), "archive_hidden"),
    "sizes behind it are others": (lambda: zip_of(described(Member(), size=5)), "archive_disagrees"),
    "checksum behind it is another": (lambda: zip_of(described(Member(), crc=5)), "archive_disagrees"),
    "sizes behind it under another mark": (
        lambda: zip_of(described(Member(), signature=b"PK\x07\x09")),
        "archive_disagrees",
    ),
    "length before it lies, and sizes behind it do not": (
        lambda: zip_of(replace(described(Member()), local_size=5)),
        "archive_disagrees",
    ),
    "ZIP64 in its end": (of(start=0xFFFFFFFF), "archive_zip64"),
    "ZIP64 in its count": (of(count=0xFFFF), "archive_zip64"),
    "ZIP64 records": (of(between=END_64), "archive_zip64"),
    "ZIP64 field in the directory": (of(Member(extra=ZIP64, local_extra=b"")), "archive_zip64"),
    "ZIP64 field in its own header": (of(Member(local_extra=ZIP64)), "archive_zip64"),
    "200 files of the same bytes": (lambda: overlap_bomb(200), "archive_overlap"),
    "file within a file": (quoting_bomb, "archive_overlap"),
    "file over the next": (
        of(Member(method=STORED, packed=100_000, size=100_000), Member(b"b.wav")),
        "archive_overlap",
    ),
    "file over the directory": (of(Member(method=STORED, packed=1 << 20, size=1 << 20)), "archive_overlap"),
    "place in the middle": (of(Member(), Member(b"b.wav", at=-50)), "archive_overlap"),
    "place behind the directory": (of(Member(at=100_000)), "archive_hidden"),
    "header where the directory begins": (of(Member(b"a.wav"), Member(b"b.wav", at=1 << 20)), "archive_hidden"),
    "encrypted": (of(Member(flags=1)), "member_encrypted"),
    "encrypted, as only its own header says": (of(Member(local_flags=1)), "member_encrypted"),
    "encrypted strongly": (of(Member(flags=1 << 6)), "member_encrypted"),
    "directory encrypted": (of(Member(flags=1 << 13)), "member_encrypted"),
    "encrypted by AES": (of(Member(method=99, extra=extra(0x9901, bytes(7)))), "member_encrypted"),
    "encrypted by AES, as only a field says": (of(Member(extra=extra(0x9901, bytes(7)))), "member_encrypted"),
    "encrypted strongly, as only a field says": (of(Member(extra=extra(0x0017, bytes(8)))), "member_encrypted"),
    "packed by bzip2": (by_zipfile(zipfile.ZIP_BZIP2), "member_compression"),
    "packed by LZMA": (by_zipfile(zipfile.ZIP_LZMA), "member_compression"),
    "packed by Deflate64": (of(Member(method=9, raw=b"x")), "member_compression"),
    "packed by 65535": (of(Member(method=0xFFFF, raw=b"x")), "member_compression"),
    "patch": (of(Member(flags=1 << 5)), "member_unusual"),
    "link": (mode(stat.S_IFLNK), "member_symlink"),
    "link to a folder": (mode(stat.S_IFLNK, b"clips/", b""), "member_symlink"),
    "disk": (mode(stat.S_IFBLK), "member_device"),
    "terminal": (mode(stat.S_IFCHR), "member_device"),
    "pipe": (mode(stat.S_IFIFO), "member_fifo"),
    "socket": (mode(stat.S_IFSOCK), "member_fifo"),
    "folder with bytes": (of(Member(b"clips/", b"hello", attributes=0o040755 << 16)), "member_unusual"),
    "folder without a slash": (mode(stat.S_IFDIR), "member_unusual"),
    "file with a slash": (of(Member(b"a.wav/", b"", STORED)), "member_unusual"),
}

LARGE: dict[str, tuple[Recipe, str]] = {
    "bomb of 50 MB in 50 kB": (lambda: zip_of(Member(data=bytes(50 << 20))), "archive_bomb"),
    "bomb of many small files": (
        lambda: zip_of(*(Member(b"%d.wav" % number, bytes(1 << 20)) for number in range(20))),
        "archive_bomb",
    ),
    "bomb in the list": (lambda: zip_of(Member(b"metadata.csv", b" " * (6 << 20)), Member()), "archive_bomb"),
    "bomb that says it is small": (lambda: zip_of(Member(data=bytes(50 << 20), size=1000)), "archive_disagrees"),
    "file of 3 GB, as it says": (of(Member(size=3 << 30)), "member_too_big"),
    "20 files of 150 MB, as they say": (
        lambda: zip_of(*(Member(b"%d.wav" % one, size=150 << 20, packed=150 << 20) for one in range(20))),
        "archive_overlap",
    ),
    "5,001 files": (
        lambda: zip_of(*(Member(b"%d.wav" % number, b"x", STORED) for number in range(5001))),
        "archive_too_many",
    ),
    "60,000 folders": (
        lambda: zip_of(*(Member(b"%d/" % one, b"", STORED, attributes=0) for one in range(60_000))),
        "archive_too_many",
    ),
}

NESTED: dict[str, tuple[Recipe, str]] = {
    "archive in it": (lambda: zip_of(Member(), Member(b"more.zip", zip_of())), "member_nested"),
    "archive by its name only": (names("more.tar.GZ"), "member_nested"),
    "archive called a recording": (lambda: zip_of(Member(data=zip_of())), "member_nested"),
    "tar archive called a recording": (lambda: zip_of(Member(data=tar_of())), "member_nested"),
    "gzip called a recording": (lambda: zip_of(Member(data=packed())), "member_nested"),
    "end of a ZIP called a recording": (of(Member(data=b"PK\x05\x06" + bytes(18))), "member_nested"),
    "archive called a note": (lambda: zip_of(Member(), Member(b"read me.txt", ZIP, STORED)), "member_nested"),
    "7z called a recording": (of(Member(data=b"7z\xbc\xaf\x27\x1c" + bytes(100))), "member_nested"),
    "rar called a recording": (of(Member(data=b"Rar!\x1a\x07\x00" + bytes(100))), "member_nested"),
    "itself, over and over": (lambda: zip_of(Member(b"a.zip", zip_of(Member(b"a.zip", zip_of())))), "member_nested"),
}

NAMED: dict[str, tuple[Recipe, str]] = {
    "no name": (names(""), "name_empty"),
    "only a slash": (of(Member(b"/", b"", STORED, attributes=0)), "name_empty"),
    "password file": (names("/etc/passwd"), "name_absolute"),
    "share": (names("//server/share/a.wav"), "name_absolute"),
    "drive": (names("C:a.wav"), "name_drive"),
    "drive and folder": (names("C:/a.wav"), "name_drive"),
    "other stream": (names("a:b.wav"), "name_drive"),
    "up": (names("../a.wav"), "name_escapes"),
    "up from within": (names("clips/../../a.wav"), "name_escapes"),
    "up at the end": (names("clips/.."), "name_escapes"),
    "up for Windows": (names("..\\a.wav"), "name_backslash"),
    "backslash": (names("clips\\a.wav"), "name_backslash"),
    "NUL": (names("a.wav\0.txt"), "name_control"),
    "new line": (names("a\n.wav"), "name_control"),
    "escape": (names("\x1b[2Ja.wav"), "name_control"),
    "written backwards": (names("a\u202evaw.exe"), "name_control"),
    "space of no width": (names("a\u200b.wav"), "name_control"),
    "here": (names("./a.wav"), "name_strange"),
    "two slashes": (names("clips//a.wav"), "name_strange"),
    "space at its end": (names("a.wav "), "name_strange"),
    "space at its beginning": (names(" a.wav"), "name_strange"),
    "dot at its end": (names("a.wav."), "name_strange"),
    "not UTF-8": (names(b"caf\xe9.wav"), "name_not_text"),
    "overlong UTF-8": (names(b"\xc0\xaf.wav"), "name_not_text"),
    "300 letters": (names("a" * 300 + ".wav"), "name_too_long"),
    "folder of 300 letters": (names("a" * 300 + "/a.wav"), "name_too_long"),
    "folders in folders": (names("a/b/c.wav", "d.wav"), "name_too_deep"),
    "30,000 folders": (names("a/" * 30_000 + "a.wav"), "name_too_deep"),
    "same name twice": (names("a.wav", "a.wav"), "name_twice"),
    "same name of one letter twice": (names("a", "a"), "name_twice"),
    "same name but for case": (names("a.wav", "A.WAV"), "names_collide"),
    "same name, accents written otherwise": (names("é.wav", "e\u0301.wav"), "names_collide"),
    "same name, letters of full width": (names("a.wav", "\uff41.wav"), "names_collide"),
    "same name, ß and ss": (names("ß.wav", "ss.wav"), "names_collide"),
    "file and folder of one name": (names("a", "A/b.wav"), "names_collide"),
    "junk twice": (names("a.wav", ".DS_Store", ".DS_Store"), "name_twice"),
    "junk that leads out": (names("a.wav", "__MACOSX/../../x"), "name_escapes"),
}


HOSTILE_ZIPS = {**BROKEN, **LYING, **LARGE, **NESTED, **NAMED}

FOLDER = Member(b"clips/", b"", STORED, attributes=0o040755 << 16)
GOOD_ZIPS: dict[str, tuple[Recipe, tuple[str, ...]]] = {
    "one clip": (of(), ("a.wav",)),
    "stored": (of(Member(method=STORED)), ("a.wav",)),
    "as Python packs it": (by_zipfile(zipfile.ZIP_DEFLATED, "a.wav", "b.wav"), ("a.wav", "b.wav")),
    "as Python stores it": (by_zipfile(zipfile.ZIP_STORED, "a.wav"), ("a.wav",)),
    "sizes behind the bytes": (lambda: zip_of(described(Member()), Member(b"b.wav")), ("a.wav", "b.wav")),
    "sizes behind the bytes, without a mark": (lambda: zip_of(described(Member(), signature=b"")), ("a.wav",)),
    "stored, sizes behind the bytes": (lambda: zip_of(described(Member(method=STORED))), ("a.wav",)),
    "in one folder": (of(FOLDER, Member(b"clips/a.wav")), ("a.wav",)),
    "in a folder in one folder": (names("set/clips/a.wav", "set/b.wav"), ("clips/a.wav", "b.wav")),
    "in two folders": (names("one/a.wav", "two/a.wav"), ("one/a.wav", "two/a.wav")),
    "as Finder packs it": (
        lambda: zip_of(
            FOLDER,
            described(Member(b"clips/a.wav", extra=extra(0x5855, bytes(8)))),
            described(Member(b"clips/.DS_Store", bytes(6148))),
            described(Member(b"__MACOSX/clips/._a.wav", b"\0\5\x16\7" + bytes(200))),
        ),
        ("a.wav",),
    ),
    "as Explorer packs it": (of(Member(attributes=0x20), Member(b"Thumbs.db", b"x", attributes=0)), ("a.wav",)),
    "names of all the world": (
        names("Größe 01 (2).wav", "声.wav", "naïve—x.wav"),
        ("Größe 01 (2).wav", "声.wav", "naïve—x.wav"),
    ),
    "name of 255 bytes": (names("a" * 251 + ".wav"), ("a" * 251 + ".wav",)),
    "times and owners": (of(Member(extra=extra(0x5455, bytes(5)) + extra(0x7875, bytes(11)))), ("a.wav",)),
    "name in another field as well": (of(Member(extra=extra(0x7075, b"\x01" + bytes(4) + b"a.wav"))), ("a.wav",)),
    "files in another order than the directory": (
        lambda: shuffled(Member(b"a.wav"), Member(b"b.wav")),
        ("a.wav", "b.wav"),
    ),
    "silence, which packs a thousand to one": (lambda: zip_of(Member(data=bytes(1 << 20))), ("a.wav",)),
    "file of no bytes": (of(Member(data=b"", method=STORED), Member(b"b.wav")), ("a.wav", "b.wav")),
    "other things than recordings": (
        lambda: zip_of(Member(), Member(b"read me.txt", b"hello"), Member(b"b.flac", encoded("FLAC", "PCM_16"))),
        ("a.wav", "read me.txt", "b.flac"),
    ),
}
"""Name: (how to make it, the names that are shown of what is in it)."""


def shuffled(first: Member, second: Member) -> bytes:
    out = first.local() + second.local()
    central = second.central(len(first.local())) + first.central(0)
    return out + central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(central), len(out), 0)
