"""A proxy between a client and a server. A test can replace the response to a call, before or after forwarding it."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.support.hostile_server import HostileServer, ReceivedRequest


class Relay(HostileServer):
    """Forwards each request and response unchanged, except for the calls that a test selects by number."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._replacements: dict[int, tuple[tuple[bytes, ...], bool]] = {}
        self.script = self._choose_response

    def replace_response(self, number: int, *chunks: bytes, after_forwarding: bool = False) -> None:
        """Answer call `number` (from 1) with these chunks, or hang up if none. The call can be forwarded first."""
        self._replacements[number] = (chunks, after_forwarding)

    def replace_next_response(self, *chunks: bytes, after_forwarding: bool = False) -> None:
        self.replace_response(len(self.received) + 1, *chunks, after_forwarding=after_forwarding)

    def _choose_response(self, request: ReceivedRequest) -> Iterable[bytes]:
        replacement = self._replacements.get(len(self.received))
        if replacement is None:
            return [self._forward(request)]
        chunks, after_forwarding = replacement
        if after_forwarding:
            self._forward(request)
        return chunks

    def _forward(self, request: ReceivedRequest) -> bytes:
        with socket.create_connection(self._upstream) as connection:
            connection.sendall(request.head.encode("latin-1") + request.body)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))
