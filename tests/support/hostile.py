"""A web server that sends exactly the bytes of a test, valid or not, and detects when its client hangs up."""

import gzip
import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `head` is the unparsed request line with the headers."""

    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]


Script = Callable[[Asked], Iterable[bytes]]


def answer(status: int | str = 200, body: Any = b"{}", **headers: str) -> bytes:
    """A complete HTTP response. A body that is not bytes is sent as JSON. Header names use underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    all_headers |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items() if value)
    return f"HTTP/1.1 {status} Reason\r\n{lines}\r\n".encode() + content


def zipped(size: int) -> bytes:
    return gzip.compress(bytes(size))


class Hostile:
    """Listens on loopback. `script` is called for each request and returns the chunks to send."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.hung_up = Event()
        self.script: Script = lambda _request: [answer()]
        self.keeps_open = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        Thread(target=self._accept, daemon=True).start()

    def says(self, *chunks: bytes) -> None:
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
                self.connections += 1
                Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while request := _read_request(stream):
                    self.asked.append(request)
                    for chunk in self.script(request):
                        connection.sendall(chunk)
                    if not self.keeps_open:
                        return
            except OSError:
                self.hung_up.set()


def _read_request(stream: Any) -> Asked | None:
    """The next request; None at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    text = head.decode("latin-1")
    length = next((line for line in text.lower().split("\r\n") if line.startswith("content-length:")), ":0")
    return Asked(text, stream.read(int(length.partition(":")[2])))
