"""A web server for uploads that can stop listening in the middle of one, and says how much of it came."""

import socket
from contextlib import suppress
from threading import Event, Thread

from tests.support.hostile import answer


class Sink:
    """Listens on loopback for one request. `takes` is how many bytes of the body it reads before it `stalls`."""

    def __init__(self, takes: int | None = None, says: bytes = answer()) -> None:
        self.head = ""
        self.got = 0
        self.over = Event()
        self.go_on = Event()
        self._takes, self._says = takes, says
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.go_on.set()
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._listening.accept()
            with connection:
                self._hear(connection)
        self.over.set()

    def _hear(self, connection: socket.socket) -> None:
        start = b""
        while b"\r\n\r\n" not in start:
            if not (piece := connection.recv(1 << 16)):
                return
            start += piece
        head, _, body = start.partition(b"\r\n\r\n")
        self.head, self.got = head.decode("latin-1"), len(body)
        lengths = (line for line in self.head.lower().split("\r\n") if line.startswith("content-length:"))
        wanted = int(next(lengths, ":0").partition(":")[2])
        while self.got < wanted:
            if self._takes is not None and self.got >= self._takes:
                self.go_on.wait()
            if not (piece := connection.recv(1 << 14)):
                return
            self.got += len(piece)
        connection.sendall(self._says)
