"""A web server that sends exactly the bytes that a test gives it, valid or not. It detects when the client hangs up."""

import gzip
import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request: `head` is the unparsed request line with the headers."""

    head: str
    body: bytes

    @property
    def request_line(self) -> str:
        return self.head.partition("\r\n")[0]


Script = Callable[[ReceivedRequest], Iterable[bytes]]


def make_response(status: int | str = 200, body: Any = b"{}", **headers: str) -> bytes:
    """Build a complete HTTP response. A body that is not bytes is sent as JSON. In header names, write `_` for `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    all_headers |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items() if value)
    return f"HTTP/1.1 {status} Reason\r\n{lines}\r\n".encode() + content


def gzip_zero_bytes(size: int) -> bytes:
    return gzip.compress(bytes(size))


class HostileServer:
    """Listens on loopback. `script` is called for each request and returns the chunks to send."""

    def __init__(self) -> None:
        self.received: list[ReceivedRequest] = []
        self.connection_count = 0
        self.client_hung_up = Event()
        self.script: Script = lambda _request: [make_response()]
        self.keep_alive = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        Thread(target=self._accept, daemon=True).start()

    def respond_with(self, *chunks: bytes) -> None:
        """Answer every request with these chunks."""
        self.script = lambda _request: chunks

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connection_count += 1
                Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while request := _read_request(stream):
                    self.received.append(request)
                    for chunk in self.script(request):
                        connection.sendall(chunk)
                    if not self.keep_alive:
                        return
            except OSError:
                self.client_hung_up.set()


def _read_request(stream: Any) -> ReceivedRequest | None:
    """Read the next request, or return None at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    text = head.decode("latin-1")
    length = next((line for line in text.lower().split("\r\n") if line.startswith("content-length:")), ":0")
    return ReceivedRequest(text, stream.read(int(length.partition(":")[2])))
