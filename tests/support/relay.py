"""A proxy between a client and a server. The response to single calls can be replaced, before or after forwarding."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.support.hostile import Asked, Hostile


class Relay(Hostile):
    """Forwards each request and response unchanged, except for the calls that a test selects by number."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._replacements: dict[int, tuple[tuple[bytes, ...], bool]] = {}
        self.script = self._choose_response

    def answers(self, number: int, *chunks: bytes, late: bool = False) -> None:
        """Answer call `number` (from 1) with these chunks (none: hang up), optionally after forwarding it."""
        self._replacements[number] = (chunks, late)

    def answers_next(self, *chunks: bytes, late: bool = False) -> None:
        self.answers(len(self.asked) + 1, *chunks, late=late)

    def _choose_response(self, request: Asked) -> Iterable[bytes]:
        replacement = self._replacements.get(len(self.asked))
        if replacement is None:
            return [self._forward(request)]
        chunks, late = replacement
        if late:
            self._forward(request)
        return chunks

    def _forward(self, request: Asked) -> bytes:
        with socket.create_connection(self._upstream) as connection:
            connection.sendall(request.head.encode("latin-1") + request.body)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))
