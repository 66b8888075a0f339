"""Builds tar archives entry by entry. Every field can have a wrong value."""

import gzip
import io
import tarfile
import zlib
from dataclasses import dataclass
from typing import Any

from tests.support.zips import apply_override, make_clip_data

POSIX, GNU = b"ustar\x0000", b"ustar  \x00"
END = bytes(1024)


@dataclass(frozen=True)
class TarEntry:
    """One header and its data."""

    name: bytes = b"a.wav"
    data: bytes | None = None
    kind: bytes = b"0"
    size: int | bytes | None = None
    link: bytes = b""
    magic: bytes = POSIX
    prefix: bytes = b""
    checksum: bytes | None = None
    padding: bytes = b"\0"

    def bytes(self) -> bytes:
        data = (make_clip_data() if self.kind in (b"0", b"\0") else b"") if self.data is None else self.data
        size = apply_override(self.size, len(data))
        size_field = size if isinstance(size, bytes) else b"%011o\0" % size
        header = self.name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size_field + b"00000000000\0"
        header_rest = self.kind + self.link.ljust(100, b"\0") + self.magic + bytes(64) + bytes(16)
        header_rest += self.prefix.ljust(155, b"\0") + bytes(12)
        unsigned_header = header + b" " * 8 + header_rest
        header += apply_override(self.checksum, b"%06o\0 " % sum(unsigned_header)) + header_rest
        return b"".join((header, data, self.padding * (-len(data) % 512)))


def make_pax_header(*records: tuple[bytes, bytes], kind: bytes = b"x") -> TarEntry:
    """Make a pax extended header for the entry that follows."""
    return TarEntry(b"note", b"".join(format_pax_record(name, value) for name, value in records), kind)


def format_pax_record(name: bytes, value: bytes) -> bytes:
    body = b" " + name + b"=" + value + b"\n"
    size = len(body) + 1
    while len(b"%d" % size + body) != size:
        size += 1
    return b"%d" % size + body


def make_long_name_entry(name: bytes, kind: bytes = b"L") -> TarEntry:
    """Make the GNU entry with a long name for the entry that follows."""
    return TarEntry(b"././@LongLink", name + b"\0", kind, magic=GNU)


def build_tar(*parts: TarEntry | bytes, end: bytes = END) -> bytes:
    return b"".join(part if isinstance(part, bytes) else part.bytes() for part in parts or (TarEntry(),)) + end


def gzip_bytes(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def build_tar_gz(*parts: TarEntry | bytes, end: bytes = END) -> bytes:
    return gzip_bytes(build_tar(*parts, end=end))


def gzip_zeros(size: int) -> bytes:
    """Make a gzip stream that unpacks to `size` zero bytes, without holding these bytes in memory."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join(compressor.compress(bytes(1 << 20)) for _ in range(size >> 20)) + compressor.flush()


def build_with_tarfile(names: dict[str, bytes], mode: Any = "w:gz", tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    """Write an archive of these files with Python's tarfile."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tar_format) as archive:
        for name, data in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
