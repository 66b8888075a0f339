"""Archives as real tools write them: Explorer, PowerShell, Finder, stream writers, and tar in all its dialects.

Each has the function that makes it, the codes of its findings, and the transcripts of its recordings by name.
"""

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any

from tests.support.tars import TarEntry, build_tar, build_with_tarfile, make_long_name_entry
from tests.support.zips import ZipMember, add_data_descriptor, build_zip, make_clip_data, pack_extra_field

RealArchive = tuple[Callable[[], bytes], list[str], dict[str, str]]
UTF_8 = 1 << 11
RESOURCE_FORK = b"\0\5\x16\7" + bytes(200)


class UnseekableFile(io.BytesIO):
    """A pipe or a socket: the writer cannot go back to fill in sizes."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise OSError


def pack_with_explorer(page: str, *names: str, table: str = "") -> Callable[[], bytes]:
    """Explorer writes names in the code page of the system, without a mark. The table is the user's, in UTF-8."""
    files = [ZipMember(name.encode(page), attributes=0x20) for name in names]
    if table:
        files.append(ZipMember(b"metadata.csv", table.encode(), attributes=0x20))
    return lambda: build_zip(*files)


def pack_with_powershell() -> bytes:
    """Compress-Archive of Windows PowerShell 5."""
    folder = ZipMember(b"session\\", b"", 0, attributes=0)
    names = ("session\\wavs\\a.wav", "session\\wavs\\Größe.wav")
    table = ZipMember(b"session\\metadata.csv", "a|One.\nGröße|Two.".encode(), attributes=0)
    return build_zip(folder, table, *(ZipMember(name.encode(), flags=UTF_8, attributes=0) for name in names))


def pack_with_finder() -> bytes:
    names = ("set/a.wav", "set/.DS_Store", "set/Icon\r", "__MACOSX/set/._a.wav", "__MACOSX/._set")
    data = {"set/a.wav": None, "set/.DS_Store": bytes(6148), "set/Icon\r": b""}
    return build_zip(
        ZipMember(b"set/", b"", 0, attributes=0o040755 << 16),
        *(add_data_descriptor(ZipMember(name.encode(), data.get(name, RESOURCE_FORK))) for name in names),
    )


def write_zip(file: IO[bytes], **options: Any) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.wav", "é.wav"):
            with archive.open(name, "w", **options) as member:
                member.write(make_clip_data())


def pack_stream(**options: Any) -> Callable[[], bytes]:
    def write() -> bytes:
        file = UnseekableFile()
        write_zip(file, **options)
        return file.getvalue()

    return write


def pack_zip64_with_python() -> bytes:
    file = io.BytesIO()
    write_zip(file, force_zip64=True)
    return file.getvalue()


def pack_with_unicode_path() -> bytes:
    """Info-ZIP and WinRAR: a name in the code page, and the same in UTF-8 beside it."""
    raw = "Größe.wav".encode("cp850")
    field = pack_extra_field(0x7075, b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + "Größe.wav".encode())
    return build_zip(ZipMember(raw, extra=field))


def pack_tar(*names: str, tar_format: int = tarfile.GNU_FORMAT) -> Callable[[], bytes]:
    return lambda: build_with_tarfile(dict.fromkeys(names, make_clip_data()), "w", tar_format)


LONG_NAME = "Aufnahme " * 16 + "ü.wav"
ONE_CLIP = {"a.wav": ""}
TWO_CLIPS = {"a.wav": "", "é.wav": ""}
JAPANESE = {"録音1.wav": "", "表示.wav": ""}

REAL_ZIPS: dict[str, RealArchive] = {
    "Explorer, code page 850": (
        pack_with_explorer("cp850", "ds/Größe.wav", "ds/Übung 1.wav"),
        ["names_decoded"],
        {"Größe.wav": "", "Übung 1.wav": ""},
    ),
    "Explorer, code page 437, with a table": (
        pack_with_explorer("cp437", "Größe.wav", "á.wav", table="Größe|One.\ná.wav|Two."),
        ["names_decoded"],
        {"Größe.wav": "One.", "á.wav": "Two."},
    ),
    "Windows-1252, without a table": (
        pack_with_explorer("cp1252", "Größe.wav", "café.wav"), ["names_decoded"], {"Größe.wav": "", "café.wav": ""}
    ),
    # Only the table tells this from code page 850, in which it is “Äofka”.
    "Windows-1252, with a table": (
        pack_with_explorer("cp1252", "Žofka.wav", table="Žofka|One."), ["names_decoded"], {"Žofka.wav": "One."}
    ),
    "Explorer in Japan": (pack_with_explorer("cp932", *JAPANESE), ["names_decoded"], JAPANESE),
    "Explorer in Japan, with a table": (
        pack_with_explorer("cp932", "第1話.wav", table="第1話|One."), ["names_decoded"], {"第1話.wav": "One."}
    ),
    "Explorer in Russia": (pack_with_explorer("cp866", "Запись.wav"), ["names_decoded"], {"Запись.wav": ""}),
    "PowerShell 5": (pack_with_powershell, [], {"wavs/a.wav": "One.", "wavs/Größe.wav": "Two."}),
    "Finder": (pack_with_finder, [], ONE_CLIP),
    "a stream": (pack_stream(), [], TWO_CLIPS),
    "a stream in ZIP64": (pack_stream(force_zip64=True), [], TWO_CLIPS),
    "Python in ZIP64": (pack_zip64_with_python, [], TWO_CLIPS),
    "Info-ZIP with a Unicode path": (pack_with_unicode_path, [], {"Größe.wav": ""}),
}  # fmt: skip

REAL_TARS: dict[str, RealArchive] = {
    "v7": (lambda: build_tar(TarEntry(magic=bytes(8), kind=b"\0")), [], ONE_CLIP),
    "ustar": (pack_tar("a.wav", "é.wav", tar_format=tarfile.USTAR_FORMAT), [], TWO_CLIPS),
    "pax": (pack_tar("a.wav", LONG_NAME, tar_format=tarfile.PAX_FORMAT), [], {"a.wav": "", LONG_NAME: ""}),
    "GNU": (pack_tar("a.wav", LONG_NAME), [], {"a.wav": "", LONG_NAME: ""}),
    "GNU, long name in a code page": (
        lambda: build_tar(make_long_name_entry(("x" * 120 + "ö.wav").encode("cp1252")), TarEntry()),
        ["names_decoded"],
        {"x" * 120 + "ö.wav": ""},
    ),
    "GNU, with a volume name": (lambda: build_tar(TarEntry(b"My backup", kind=b"V"), TarEntry()), [], ONE_CLIP),
    "bzip2": (lambda: build_with_tarfile({"a.wav": make_clip_data()}, "w:bz2"), [], ONE_CLIP),
    "bzip2 in several streams, as of pbzip2": (
        lambda: bz2.compress(build_tar()[:9000]) + bz2.compress(build_tar()[9000:]), [], ONE_CLIP
    ),
    "xz": (lambda: build_with_tarfile({"a.wav": make_clip_data()}, "w:xz"), [], ONE_CLIP),
    "xz in several streams, padded": (
        lambda: lzma.compress(build_tar()[:9000]) + bytes(8) + lzma.compress(build_tar()[9000:]), [], ONE_CLIP
    ),
    "xz with most memory": (lambda: lzma.compress(build_tar(), preset=9), [], ONE_CLIP),
}  # fmt: skip
