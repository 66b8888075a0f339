"""A web server that can stop reading in the middle of an upload, and counts the received bytes."""

import socket
from contextlib import suppress
from threading import Event, Thread

from tests.support.hostile_server import make_response


class StallingServer:
    """Accepts one request on loopback. After part of the body it can stop reading until the test lets it go on."""

    def __init__(self, read_limit: int | None = None, response: bytes = make_response()) -> None:
        self.head = ""
        self.received_size = 0
        self.finished = Event()
        self.resume = Event()
        self._read_limit, self._response = read_limit, response
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.resume.set()
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._listening.accept()
            with connection:
                self._receive(connection)
        self.finished.set()

    def _receive(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            if not (chunk := connection.recv(1 << 16)):
                return
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        self.head, self.received_size = head.decode("latin-1"), len(body)
        lengths = (line for line in self.head.lower().split("\r\n") if line.startswith("content-length:"))
        content_length = int(next(lengths, ":0").partition(":")[2])
        while self.received_size < content_length:
            if self._read_limit is not None and self.received_size >= self._read_limit:
                self.resume.wait()
            if not (chunk := connection.recv(1 << 14)):
                return
            self.received_size += len(chunk)
        connection.sendall(self._response)
