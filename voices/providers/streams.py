"""Files on their way: sent piece by piece, and heard of as they go."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from urllib3.filepost import encode_multipart_formdata

from voices.providers.connections import watch
from voices.providers.types import Parcel

BLOCK = 1 << 16


class Stream:
    """A parcel on its way: requests asks for its length, then for its pieces. `moved` hears how many bytes are gone.

    `broken` is what ended it from our side, which requests might give another name.
    """

    def __init__(self, parcel: Parcel, moved: Callable[[int], None]) -> None:
        self._parcel, self._moved = parcel, moved
        self.broken: Exception | None = None

    def __len__(self) -> int:
        return self._parcel.size

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        try:
            for chunk in self._parcel.chunks():
                yield chunk
                sent += len(chunk)
                watch.get().moved()
                self._moved(sent)
        except Exception as error:
            self.broken = error
            raise


def held(parcel: Parcel) -> Parcel:
    """A small parcel, read into memory: what goes wrong with our own files goes wrong before anything is sent."""
    content = b"".join(parcel.chunks())
    return replace(parcel, chunks=lambda: _blocks(content))


def form_of(field: str, parcel: Parcel, fields: Mapping[str, str]) -> tuple[Parcel, str]:
    """A form with these fields and the parcel, which it holds in memory, as multipart/form-data; with its type."""
    file = (parcel.name, b"".join(parcel.chunks()), parcel.content_type)
    body, content_type = encode_multipart_formdata({**fields, field: file})
    md5 = hashlib.md5(body, usedforsecurity=False).digest()
    return Parcel("form", content_type, len(body), md5, partial(_blocks, body)), content_type


def _blocks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + BLOCK] for start in range(0, len(body), BLOCK))
