"""A connection between a browser and a server that a test cuts and restores. It forwards all bytes unread."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

BLOCK = 1 << 16


class CutLine:
    """Listens on a port of its own. While it is cut, every connection is reset, as by a network that is lost."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = set[socket.socket]()
        self._lock = threading.Lock()
        self._left: int | None = None
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, size: int) -> None:
        """Cut the line once the browser has sent so many more bytes."""
        with self._lock:
            self._left = size

    def restore(self) -> None:
        with self._lock:
            self.is_cut, self._left = False, None

    def close(self) -> None:
        self._listener.close()
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.is_cut = True
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                browser, _address = self._listener.accept()
                threading.Thread(target=self._connect, args=[browser], daemon=True).start()

    def _connect(self, browser: socket.socket) -> None:
        with browser, socket.create_connection(self._upstream) as server:
            with self._lock:
                if self.is_cut:
                    return
                self._open |= {browser, server}
            back = threading.Thread(target=self._forward, args=[server, browser], daemon=True)
            back.start()
            self._forward(browser, server, is_counted=True)
            back.join()
            with self._lock:
                self._open -= {browser, server}

    def _forward(self, source: socket.socket, target: socket.socket, *, is_counted: bool = False) -> None:
        with suppress(OSError):
            while block := source.recv(BLOCK):
                target.sendall(block)
                if is_counted and self._is_used_up(len(block)):
                    self._cut()
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _is_used_up(self, size: int) -> bool:
        with self._lock:
            if self._left is None or self.is_cut:
                return False
            self._left -= size
            return self._left <= 0
