"""A line between a client and a server, on which single calls can be answered otherwise, done or not."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.support.hostile import Asked, Hostile


class Relay(Hostile):
    """Passes every request on as it came, and the answer back, but for the calls that a test picks by their number."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._instead: dict[int, tuple[tuple[bytes, ...], bool]] = {}
        self.script = self._between

    def answers(self, number: int, *pieces: bytes, late: bool = False) -> None:
        """Answer the call of this number, from 1, with these pieces (none: hang up); `late` once it has been done."""
        self._instead[number] = (pieces, late)

    def answers_next(self, *pieces: bytes, late: bool = False) -> None:
        self.answers(len(self.asked) + 1, *pieces, late=late)

    def _between(self, asked: Asked) -> Iterable[bytes]:
        meant = self._instead.get(len(self.asked))
        if meant is None:
            return [self._passed_on(asked)]
        pieces, late = meant
        if late:
            self._passed_on(asked)
        return pieces

    def _passed_on(self, asked: Asked) -> bytes:
        with socket.create_connection(self._upstream) as line:
            line.sendall(asked.head.encode("latin-1") + asked.body)
            return b"".join(iter(lambda: line.recv(1 << 16), b""))
