"""ZIP files made to order, part by part, in which every field can lie."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tests.support.wav import wav_bytes

REGULAR = 0o100644 << 16
STORED, DEFLATED = 0, 8


@cache
def clip() -> bytes:
    """Two seconds that nothing speaks against."""
    return wav_bytes()


def deflated(data: bytes) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return pack.compress(data) + pack.flush()


def extra(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


@dataclass(frozen=True)
class Member:
    """One file: what the directory says of it, and with `local_…` what its own header says instead.

    `before` lies in front of it, `after` behind its bytes; `at` moves what the directory says of its place.
    """

    name: bytes = b"a.wav"
    data: bytes | None = None
    method: int = DEFLATED
    flags: int = 0
    crc: int | None = None
    packed: int | None = None
    size: int | None = None
    raw: bytes | None = None
    extra: bytes = b""
    comment: bytes = b""
    disk: int = 0
    attributes: int = REGULAR
    at: int = 0
    before: bytes = b""
    after: bytes = b""
    signature: bytes = b"PK\x03\x04"
    local_name: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_crc: int | None = None
    local_packed: int | None = None
    local_size: int | None = None
    local_extra: bytes | None = None
    hidden: bool = False

    def body(self) -> bytes:
        data = clip() if self.data is None else self.data
        if self.raw is not None:
            return self.raw
        return deflated(data) if self.method == DEFLATED else data

    def numbers(self) -> tuple[int, int, int]:
        data = clip() if self.data is None else self.data
        return (
            zlib.crc32(data) if self.crc is None else self.crc,
            len(self.body()) if self.packed is None else self.packed,
            len(data) if self.size is None else self.size,
        )

    def local(self) -> bytes:
        crc, packed, size = self.numbers()
        name = either(self.local_name, self.name)
        more = either(self.local_extra, self.extra)
        head = struct.pack(
            "<4sHHHIIIIHH",
            self.signature,
            20,
            either(self.local_flags, self.flags),
            either(self.local_method, self.method),
            0x58210000,
            either(self.local_crc, crc),
            either(self.local_packed, packed),
            either(self.local_size, size),
            len(name),
            len(more),
        )
        return b"".join((self.before, head, name, more, self.body(), self.after))

    def central(self, offset: int) -> bytes:
        crc, packed, size = self.numbers()
        lengths = len(self.name), len(self.extra), len(self.comment)
        head = struct.pack(
            "<4sHHHHIIIIHHHHHII",
            b"PK\x01\x02",
            0x0314,
            20,
            self.flags,
            self.method,
            0x58210000,
            crc,
            packed,
            size,
            *lengths,
            self.disk,
            0,
            self.attributes,
            offset + len(self.before) + self.at,
        )
        return head + self.name + self.extra + self.comment


def either(lie: Any, truth: Any) -> Any:
    return truth if lie is None else lie


def described(member: Member, signature: bytes = b"PK\x07\x08", **lies: int) -> Member:
    """The same with its sizes behind it, as programs write it that cannot go back."""
    crc, packed, size = member.numbers()
    told = {"crc": crc, "packed": packed, "size": size} | lies
    record = signature + struct.pack("<III", *told.values())
    flags = member.flags | 1 << 3
    return replace(member, flags=flags, local_crc=0, local_packed=0, local_size=0, after=record)


@dataclass(frozen=True)
class Zip:
    """The whole file; what a field says instead of the truth is None for the truth."""

    members: Sequence[Member] = (Member(),)
    prefix: bytes = b""
    shifted: bool = True
    gap: bytes = b""
    inside: bytes = b""
    between: bytes = b""
    count: int | None = None
    here: int | None = None
    disk: int = 0
    length: int | None = None
    start: int | None = None
    comment: bytes = b""
    comment_size: int | None = None
    outside: bytes = b""

    def bytes(self) -> bytes:
        out, central = bytearray(self.prefix), bytearray()
        for member in self.members:
            place = len(out) if self.shifted else len(out) - len(self.prefix)
            out += member.local()
            central += b"" if member.hidden else member.central(place)
        out, central = out + self.gap, central + self.inside
        count = sum(not member.hidden for member in self.members)
        end = struct.pack(
            "<4sHHHHIIH",
            b"PK\x05\x06",
            self.disk,
            self.disk,
            either(self.here, either(self.count, count)),
            either(self.count, count),
            either(self.length, len(central)),
            either(self.start, len(out) if self.shifted else len(out) - len(self.prefix)),
            either(self.comment_size, len(self.comment)),
        )
        return bytes(out + central + self.between + end + self.comment + self.outside)


def zip_of(*members: Member, **lies: Any) -> bytes:
    """An archive of these, or of one good clip."""
    return Zip(members or (Member(),), **lies).bytes()


def named(*names: str | bytes, **lies: Any) -> bytes:
    """An archive of clips with these names."""
    return zip_of(*(Member(name if isinstance(name, bytes) else name.encode(), **lies) for name in names))


def listed(text: str | bytes, *names: str, name: bytes = b"metadata.csv") -> bytes:
    """An archive of clips with this list."""
    data = text if isinstance(text, bytes) else text.encode()
    clips = [Member(one.encode()) for one in names or ("a.wav",)]
    return zip_of(Member(name, data), *clips)
