"""Archives that are taken although something in them is odd: with findings, or with single refused files.

Each has the function that makes it, the codes of its findings, and its files with the code that refuses them, or "".
Most of these were refused as a whole while VoiceHub had its own parsers. The comments say why that is not needed.
"""

import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace

from tests.audio.archives.tars import pack_tgz
from tests.audio.archives.zips import (
    ZIP64,
    corrupt_name_length,
    pack_names,
    pack_type,
    pack_with_zipfile,
    pack_zip,
)
from tests.support.tars import (
    END,
    GNU,
    TarEntry,
    build_tar,
    build_tar_gz,
    gzip_bytes,
    make_long_name_entry,
    make_pax_header,
)
from tests.support.zips import (
    STORED,
    ZipMember,
    add_data_descriptor,
    build_zip,
    deflate,
    make_clip_data,
    pack_extra_field,
)

OddArchive = tuple[Callable[[], bytes], list[str], dict[str, str]]

ODD_ZIPS: dict[str, OddArchive] = {
    # Only the directory counts, as in other readers. Other bytes are never read as files; they are counted
    # and reported.
    "program before the archive": (pack_zip(prefix=b"MZ" + bytes(1000)), ["archive_hidden"], {"a.wav": ""}),
    "program before the archive, offsets not shifted": (
        pack_zip(prefix=b"MZ" + bytes(1000), shifted=False),
        ["archive_hidden"],
        {"a.wav": ""},
    ),
    "recording before the archive": (lambda: build_zip(prefix=make_clip_data()), ["archive_hidden"], {"a.wav": ""}),
    "two archives in a row": (lambda: build_zip() + build_zip(), ["archive_hidden"], {"a.wav": ""}),
    "comment that is an archive": (
        lambda: build_zip(comment=build_zip(ZipMember(data=b"x"))),
        ["archive_hidden"],
        {"a.wav": "not_wav"},
    ),
    "bytes before the directory": (pack_zip(gap=b"hidden"), ["archive_hidden"], {"a.wav": ""}),
    "bytes between files": (
        pack_zip(ZipMember(), ZipMember(b"b.wav", before=b"hidden")),
        ["archive_hidden"],
        {"a.wav": "", "b.wav": ""},
    ),
    "bytes before the first file": (
        lambda: build_zip(ZipMember(before=b"PK\x03\x04hidden")),
        ["archive_hidden"],
        {"a.wav": ""},
    ),
    "first file not in the directory": (
        pack_zip(ZipMember(hidden=True), ZipMember(b"b.wav")),
        ["archive_hidden"],
        {"b.wav": ""},
    ),
    "last file not in the directory": (
        pack_zip(ZipMember(), ZipMember(b"b.wav", hidden=True)),
        ["archive_hidden"],
        {"a.wav": ""},
    ),
    # Bytes after the end record are what a comment is: never read.
    "byte after the archive": (pack_zip(outside=b"\0"), [], {"a.wav": ""}),
    "web page after the archive": (pack_zip(outside=b"<script>alert(1)</script>"), [], {"a.wav": ""}),
    "comment": (pack_zip(comment=b"hello"), [], {"a.wav": ""}),
    "comment on a file": (pack_zip(ZipMember(comment=b"hello")), [], {"a.wav": ""}),
    "missing comment": (pack_zip(comment_size=5), [], {"a.wav": ""}),
    # Only the directory counts. Its sizes and checksum are compared with the bytes that are read, so a wrong
    # copy of them in the header before a file does no harm.
    "400 kB after the compressed data": (
        pack_zip(ZipMember(compressed_data=deflate(make_clip_data()) + bytes(400_000))),
        [],
        {"a.wav": ""},
    ),
    "bytes after the compressed data": (
        pack_zip(ZipMember(compressed_data=deflate(make_clip_data()) + b"hidden")),
        [],
        {"a.wav": ""},
    ),
    "extra field twice": (pack_zip(ZipMember(extra=pack_extra_field(0x5455) * 2)), [], {"a.wav": ""}),
    "extra field of three bytes": (pack_zip(ZipMember(extra=b"abc")), [], {"a.wav": ""}),
    "truncated compressed data": (
        lambda: build_zip(ZipMember(compressed_data=deflate(make_clip_data())[:-1])),
        [],
        {"a.wav": ""},
    ),
    "local header with another name": (pack_zip(ZipMember(local_name=b"b.wav")), [], {"a.wav": ""}),
    "local header without the mark for UTF-8": (
        pack_zip(ZipMember("é.wav".encode(), flags=1 << 11, local_flags=0)),
        [],
        {"é.wav": ""},
    ),
    "mark for UTF-8 in the local header only": (
        pack_zip(ZipMember("é.wav".encode(), local_flags=1 << 11)),
        [],
        {"é.wav": ""},
    ),
    "local header with another method": (pack_zip(ZipMember(local_method=STORED)), [], {"a.wav": ""}),
    "local header with another checksum": (pack_zip(ZipMember(local_crc=1)), [], {"a.wav": ""}),
    "local header with another size": (pack_zip(ZipMember(local_size=100)), [], {"a.wav": ""}),
    "local header with another compressed size": (pack_zip(ZipMember(local_compressed_size=100)), [], {"a.wav": ""}),
    "local header without a size": (pack_zip(ZipMember(local_size=0)), [], {"a.wav": ""}),
    "data descriptor flag in the local header only": (pack_zip(ZipMember(local_flags=8)), [], {"a.wav": ""}),
    "another name in the Unicode path field": (
        pack_zip(ZipMember(extra=pack_extra_field(0x7075, b"\x01" + bytes(4) + b"b.wav"))),
        [],
        {"a.wav": ""},
    ),
    "missing data descriptor": (
        lambda: build_zip(replace(add_data_descriptor(ZipMember()), after=b"")),
        [],
        {"a.wav": ""},
    ),
    "data descriptor with another size": (
        lambda: build_zip(add_data_descriptor(ZipMember(), size=5)),
        [],
        {"a.wav": ""},
    ),
    "data descriptor with another checksum": (
        lambda: build_zip(add_data_descriptor(ZipMember(), crc=5)),
        [],
        {"a.wav": ""},
    ),
    "data descriptor with another signature": (
        lambda: build_zip(add_data_descriptor(ZipMember(), signature=b"PK\x07\x09")),
        [],
        {"a.wav": ""},
    ),
    "wrong local size, right data descriptor": (
        lambda: build_zip(replace(add_data_descriptor(ZipMember()), local_size=5)),
        [],
        {"a.wav": ""},
    ),
    "ZIP64 field in the directory": (pack_zip(ZipMember(extra=ZIP64, local_extra=b"")), [], {"a.wav": ""}),
    "ZIP64 field in the local header": (pack_zip(ZipMember(local_extra=ZIP64)), [], {"a.wav": ""}),
    "encryption flag in the local header only": (pack_zip(ZipMember(local_flags=1)), [], {"a.wav": ""}),
    # The directory has the files; other counts of them are not used.
    "name longer than the directory": (lambda: corrupt_name_length(build_zip()), [], {"a.wav": ""}),
    "count one too high": (pack_zip(count=2), [], {"a.wav": ""}),
    "count one too low": (pack_zip(ZipMember(), ZipMember(b"b.wav"), count=1), [], {"a.wav": "", "b.wav": ""}),
    "fewer files on this disk than in total": (pack_zip(count_on_disk=0, count=1), [], {"a.wav": ""}),
    "ZIP64 count": (pack_zip(count=0xFFFF), [], {"a.wav": ""}),
    # One damaged or unusual file is refused. The others are taken.
    "compressed data of random bytes": (
        pack_zip(ZipMember(compressed_data=b"\xff" * 100)),
        [],
        {"a.wav": "member_damaged"},
    ),
    "wrong checksum": (pack_zip(ZipMember(crc=1)), [], {"a.wav": "member_checksum"}),
    "wrong checksum of stored data": (pack_zip(ZipMember(crc=1, method=STORED)), [], {"a.wav": "member_checksum"}),
    "wrong signature of the first local header": (
        pack_zip(ZipMember(signature=b"PK\x03\x05"), ZipMember(b"b.wav")),
        [],
        {"a.wav": "member_damaged", "b.wav": ""},
    ),
    "wrong signature of the second local header": (
        pack_zip(ZipMember(), ZipMember(b"b.wav", signature=b"RIFF")),
        [],
        {"a.wav": "", "b.wav": "member_damaged"},
    ),
    "stored, with hidden bytes": (
        pack_zip(ZipMember(method=STORED, compressed_size=1000, size=1000)),
        ["archive_hidden"],
        {"a.wav": "member_checksum"},
    ),
    "bzip2 compression": (pack_with_zipfile(zipfile.ZIP_BZIP2), [], {"a.wav": "member_compression"}),
    "LZMA compression": (pack_with_zipfile(zipfile.ZIP_LZMA), [], {"a.wav": "member_compression"}),
    "Deflate64 compression": (pack_zip(ZipMember(method=9, compressed_data=b"x")), [], {"a.wav": "member_compression"}),
    "compression method 65535": (
        pack_zip(ZipMember(method=0xFFFF, compressed_data=b"x")),
        [],
        {"a.wav": "member_compression"},
    ),
    "patched data": (pack_zip(ZipMember(flags=1 << 5)), [], {"a.wav": "member_unusual"}),
    "folder without a slash": (pack_type(stat.S_IFDIR), [], {"a.wav": "member_unusual"}),
    "3 GB file by its header": (pack_zip(ZipMember(size=3 << 30)), [], {"a.wav": "member_too_big"}),
    # An archive in the archive is not unpacked. The others are taken.
    "archive inside": (
        lambda: build_zip(ZipMember(), ZipMember(b"more.zip", build_zip())),
        ["nested_archives"],
        {"a.wav": ""},
    ),
    "archive named as a recording": (lambda: build_zip(ZipMember(data=build_zip())), [], {"a.wav": "member_nested"}),
    "tar archive named as a recording": (
        lambda: build_zip(ZipMember(data=build_tar())),
        [],
        {"a.wav": "member_nested"},
    ),
    "gzip named as a recording": (lambda: build_zip(ZipMember(data=build_tar_gz())), [], {"a.wav": "member_nested"}),
    "end of a ZIP named as a recording": (
        pack_zip(ZipMember(data=b"PK\x05\x06" + bytes(18))),
        [],
        {"a.wav": "member_nested"},
    ),
    "7z named as a recording": (
        pack_zip(ZipMember(data=b"7z\xbc\xaf\x27\x1c" + bytes(100))),
        [],
        {"a.wav": "member_nested"},
    ),
    "rar named as a recording": (
        pack_zip(ZipMember(data=b"Rar!\x1a\x07\x00" + bytes(100))),
        [],
        {"a.wav": "member_nested"},
    ),
    # Names are only shown. They are cleaned for that.
    "no name": (pack_names(""), ["names_cleaned"], {"unnamed": ""}),
    "backslash": (pack_names("clips\\a.wav"), [], {"a.wav": ""}),
    "new line": (pack_names("a\n.wav"), ["names_cleaned"], {"a_.wav": ""}),
    "escape": (pack_names("\x1b[2Ja.wav"), ["names_cleaned"], {"_[2Ja.wav": ""}),
    "right-to-left override": (pack_names("a\u202evaw.exe"), ["names_cleaned"], {"a_vaw.exe": ""}),
    "zero-width space": (pack_names("a\u200b.wav"), ["names_cleaned"], {"a_.wav": ""}),
    "current folder": (pack_names("./a.wav"), [], {"a.wav": ""}),
    "two slashes": (pack_names("clips//a.wav"), [], {"a.wav": ""}),
    "space at the end": (pack_names("a.wav "), [], {"a.wav ": ""}),
    "space at the beginning": (pack_names(" a.wav"), [], {" a.wav": ""}),
    "dot at the end": (pack_names("a.wav."), [], {"a.wav.": ""}),
    "300 letters": (pack_names("a" * 300 + ".wav"), ["names_cleaned"], {"a" * 127 + "…" + "a" * 123 + ".wav": ""}),
    "folder of 300 letters": (pack_names("a" * 300 + "/a.wav"), ["names_cleaned"], {"a.wav": ""}),
    "nested folders": (pack_names("a/b/c.wav", "d.wav"), [], {"a/b/c.wav": "", "d.wav": ""}),
    "junk twice": (pack_names("a.wav", ".DS_Store", ".DS_Store"), [], {"a.wav": ""}),
    # Names that are not UTF-8 are in a code page.
    "not UTF-8": (pack_names(b"caf\xe9.wav"), ["names_decoded"], {"café.wav": ""}),
    "marked as UTF-8, but is not": (
        pack_zip(ZipMember(b"caf\xe9.wav", flags=1 << 11), ZipMember("é.wav".encode(), flags=1 << 11)),
        ["names_decoded"],
        {"café.wav": "", "é.wav": ""},
    ),
    "overlong UTF-8": (pack_names(b"\xc0\xaf.wav"), ["names_decoded"], {"АЇ.wav": ""}),
}

ODD_TARS: dict[str, OddArchive] = {
    # What follows the end is not read, as in other readers, but reported unless it is zeros.
    "byte after gzip": (lambda: build_tar_gz() + b"\0", [], {"a.wav": ""}),
    "two gzip streams": (lambda: gzip_bytes(build_tar()[:1000]) + gzip_bytes(build_tar()[1000:]), [], {"a.wav": ""}),
    "web page after gzip": (lambda: build_tar_gz() + b"<script>" * 10_000, ["archive_trailing"], {"a.wav": ""}),
    "one end block": (pack_tgz(TarEntry(), end=bytes(512)), [], {"a.wav": ""}),
    "one end block, then one more file": (
        pack_tgz(TarEntry(), end=bytes(512) + TarEntry(b"b.wav").bytes() + END),
        ["archive_trailing"],
        {"a.wav": ""},
    ),
    "bytes after the end": (
        pack_tgz(TarEntry(), end=END + b"hidden".ljust(512, b"\0")),
        ["archive_trailing"],
        {"a.wav": ""},
    ),
    "file after the end": (
        pack_tgz(TarEntry(), end=END + TarEntry(b"b.wav").bytes() + END),
        ["archive_trailing"],
        {"a.wav": ""},
    ),
    # tarfile reads these as GNU tar does. The names are checked as always.
    "format from before 1988": (pack_tgz(TarEntry(magic=bytes(8))), [], {"a.wav": ""}),
    "bytes in the padding": (
        pack_tgz(TarEntry(b"b.csv", b"a|Hi.", padding=b"h"), TarEntry()),
        [],
        {"a.wav": ""},
    ),
    "bytes after the name": (pack_tgz(TarEntry(b"a.wav\0hidden")), [], {"a.wav": ""}),
    "sparse file by pax header": (
        pack_tgz(make_pax_header((b"GNU.sparse.major", b"1")), TarEntry()),
        [],
        {"a.wav": ""},
    ),
    "file name with a final slash": (pack_tgz(TarEntry(b"clips/")), [], {"clips": ""}),
    "pax record with a wrong length": (pack_tgz(TarEntry(b"note", b"9 a=b\n", b"x"), TarEntry()), [], {"a.wav": ""}),
    "pax record without an equals sign": (
        pack_tgz(TarEntry(b"note", b"9 abcdef\n"[:9], b"x"), TarEntry()),
        [],
        {"a.wav": ""},
    ),
    "pax header with the same key twice": (
        pack_tgz(make_pax_header((b"path", b"a"), (b"path", b"b")), TarEntry()),
        [],
        {"b": ""},
    ),
    "two pax headers for one file": (
        pack_tgz(make_pax_header((b"path", b"a")), make_pax_header((b"path", b"b")), TarEntry()),
        [],
        {"a": ""},
    ),
    "two long names for one file": (
        pack_tgz(make_long_name_entry(b"a.wav"), make_long_name_entry(b"b.wav"), TarEntry()),
        [],
        {"a.wav": ""},
    ),
    "global pax header with a path": (
        pack_tgz(make_pax_header((b"path", b"b.wav"), kind=b"g"), TarEntry()),
        [],
        {"b.wav": ""},
    ),
    "bytes after a long name": (pack_tgz(make_long_name_entry(b"a.wav\0hidden"), TarEntry()), [], {"a.wav": ""}),
    "absolute path after the current folder": (pack_tgz(TarEntry(b".//etc/passwd")), [], {"passwd": ""}),
    # One damaged or unusual file is refused. The others are taken.
    "sparse file": (pack_tgz(TarEntry(kind=b"S", magic=GNU)), [], {"a.wav": "member_sparse"}),
    "contiguous file": (pack_tgz(TarEntry(kind=b"7")), [], {"a.wav": "empty_file"}),
    "unknown type": (pack_tgz(TarEntry(kind=b"z")), [], {"a.wav": "member_unusual"}),
    # Names are only shown. They are cleaned for that.
    "NUL in a pax path": (
        pack_tgz(make_pax_header((b"path", b"a\0.wav")), TarEntry()),
        ["names_cleaned"],
        {"a_.wav": ""},
    ),
    "backslash": (pack_tgz(TarEntry(b"clips\\a.wav")), [], {"a.wav": ""}),
    "no name": (pack_tgz(TarEntry(b"")), ["names_cleaned"], {"unnamed": ""}),
    "file named dot": (pack_tgz(TarEntry(b".")), ["names_cleaned"], {"unnamed": ""}),
    "name of 1,000 letters": (
        pack_tgz(make_long_name_entry(b"a" * 1000), TarEntry()),
        ["names_cleaned"],
        {"a" * 127 + "…" + "a" * 127: ""},
    ),
    "nested folders": (pack_tgz(TarEntry(b"a/b/c/d/e.wav")), [], {"b/c/d/e.wav": ""}),
    # Names that are not UTF-8 are in a code page.
    "not UTF-8": (pack_tgz(TarEntry(b"caf\xe9.wav")), ["names_decoded"], {"café.wav": ""}),
    "pax path not UTF-8": (
        pack_tgz(make_pax_header((b"path", b"\xff\xfe")), TarEntry()),
        ["names_decoded"],
        {"яю": ""},
    ),
    # An archive in the archive is not unpacked. The others are taken.
    "archive inside": (pack_tgz(TarEntry(b"b.wav", build_tar_gz())), [], {"b.wav": "member_nested"}),
    "ZIP inside": (pack_tgz(TarEntry(), TarEntry(b"b.zip", b"x")), ["nested_archives"], {"a.wav": ""}),
}
