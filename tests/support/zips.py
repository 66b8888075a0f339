"""Builds ZIP files entry by entry. Every field can have a wrong value."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tests.support.wav import make_wav_bytes

REGULAR = 0o100644 << 16
STORED, DEFLATED = 0, 8


@cache
def make_clip_data() -> bytes:
    """Make a valid WAV of two seconds."""
    return make_wav_bytes()


def deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def pack_extra_field(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


@dataclass(frozen=True)
class ZipMember:
    """One file of a ZIP. The fields describe its directory entry. `local_…` fields replace them in its local header.

    `before` and `after` are bytes around the file. `offset_shift` is added to its offset in the directory entry.
    """

    name: bytes = b"a.wav"
    data: bytes | None = None
    method: int = DEFLATED
    flags: int = 0
    crc: int | None = None
    compressed_size: int | None = None
    size: int | None = None
    compressed_data: bytes | None = None
    extra: bytes = b""
    comment: bytes = b""
    disk: int = 0
    attributes: int = REGULAR
    offset_shift: int = 0
    before: bytes = b""
    after: bytes = b""
    signature: bytes = b"PK\x03\x04"
    local_name: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_crc: int | None = None
    local_compressed_size: int | None = None
    local_size: int | None = None
    local_extra: bytes | None = None
    hidden: bool = False

    def body(self) -> bytes:
        data = make_clip_data() if self.data is None else self.data
        if self.compressed_data is not None:
            return self.compressed_data
        return deflate(data) if self.method == DEFLATED else data

    def compute_sizes(self) -> tuple[int, int, int]:
        data = make_clip_data() if self.data is None else self.data
        return (
            zlib.crc32(data) if self.crc is None else self.crc,
            len(self.body()) if self.compressed_size is None else self.compressed_size,
            len(data) if self.size is None else self.size,
        )

    def build_local_entry(self) -> bytes:
        crc, compressed_size, size = self.compute_sizes()
        name = apply_override(self.local_name, self.name)
        extra_field = apply_override(self.local_extra, self.extra)
        header = struct.pack(
            "<4sHHHIIIIHH",
            self.signature,
            20,
            apply_override(self.local_flags, self.flags),
            apply_override(self.local_method, self.method),
            0x58210000,
            apply_override(self.local_crc, crc),
            apply_override(self.local_compressed_size, compressed_size),
            apply_override(self.local_size, size),
            len(name),
            len(extra_field),
        )
        return b"".join((self.before, header, name, extra_field, self.body(), self.after))

    def build_directory_entry(self, offset: int) -> bytes:
        crc, compressed_size, size = self.compute_sizes()
        lengths = len(self.name), len(self.extra), len(self.comment)
        header = struct.pack(
            "<4sHHHHIIIIHHHHHII",
            b"PK\x01\x02",
            0x0314,
            20,
            self.flags,
            self.method,
            0x58210000,
            crc,
            compressed_size,
            size,
            *lengths,
            self.disk,
            0,
            self.attributes,
            offset + len(self.before) + self.offset_shift,
        )
        return header + self.name + self.extra + self.comment


def apply_override(override: Any, default: Any) -> Any:
    return default if override is None else override


def add_data_descriptor(member: ZipMember, signature: bytes = b"PK\x07\x08", **overrides: int) -> ZipMember:
    """Put the sizes of the member in a data descriptor after it, as programs do that cannot seek."""
    crc, compressed_size, size = member.compute_sizes()
    sizes = {"crc": crc, "compressed_size": compressed_size, "size": size} | overrides
    record = signature + struct.pack("<III", *sizes.values())
    flags = member.flags | 1 << 3
    return replace(member, flags=flags, local_crc=0, local_compressed_size=0, local_size=0, after=record)


@dataclass(frozen=True)
class Zip:
    """The whole archive. A field that is None gets its correct value."""

    members: Sequence[ZipMember] = (ZipMember(),)
    prefix: bytes = b""
    shifted: bool = True
    gap: bytes = b""
    inside: bytes = b""
    between: bytes = b""
    count: int | None = None
    count_on_disk: int | None = None
    disk: int = 0
    length: int | None = None
    start: int | None = None
    comment: bytes = b""
    comment_size: int | None = None
    outside: bytes = b""

    def bytes(self) -> bytes:
        archive, central = bytearray(self.prefix), bytearray()
        for member in self.members:
            offset = len(archive) if self.shifted else len(archive) - len(self.prefix)
            archive += member.build_local_entry()
            central += b"" if member.hidden else member.build_directory_entry(offset)
        archive, central = archive + self.gap, central + self.inside
        count = sum(not member.hidden for member in self.members)
        end_record = struct.pack(
            "<4sHHHHIIH",
            b"PK\x05\x06",
            self.disk,
            self.disk,
            apply_override(self.count_on_disk, apply_override(self.count, count)),
            apply_override(self.count, count),
            apply_override(self.length, len(central)),
            apply_override(self.start, len(archive) if self.shifted else len(archive) - len(self.prefix)),
            apply_override(self.comment_size, len(self.comment)),
        )
        return bytes(archive + central + self.between + end_record + self.comment + self.outside)


def build_zip(*members: ZipMember, **overrides: Any) -> bytes:
    """Build an archive of these members, or of one valid clip."""
    return Zip(members or (ZipMember(),), **overrides).bytes()


def build_zip_with_names(*names: str | bytes, **overrides: Any) -> bytes:
    return build_zip(*(ZipMember(name if isinstance(name, bytes) else name.encode(), **overrides) for name in names))


def build_zip_with_list(text: str | bytes, *names: str, name: bytes = b"metadata.csv") -> bytes:
    """Build an archive of clips with this metadata list."""
    data = text if isinstance(text, bytes) else text.encode()
    clips = [ZipMember(clip_name.encode()) for clip_name in names or ("a.wav",)]
    return build_zip(ZipMember(name, data), *clips)
