"""Connections that end when their time is over, and are used once."""

import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Watch:
    """The connections of one call: cut when its time is over, also one that is only then being opened.

    `connected` is False for as long as nothing of the request can have left this machine. `public_only` connections
    to addresses that are not everybody's are not made.
    """

    def __init__(self, seconds: float, *, public_only: bool = False) -> None:
        self.connected = False
        self.public_only = public_only
        self._seconds = seconds
        self._over = False
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = self._timed()

    def _timed(self) -> threading.Timer:
        timer = threading.Timer(self._seconds, self._cut)
        timer.daemon = True
        return timer

    def __enter__(self) -> Self:
        self._token = watch.set(self)
        self._timer.start()
        return self

    def moved(self) -> None:
        """The call makes progress: its time begins anew."""
        self._timer.cancel()
        self._timer = self._timed()
        self._timer.start()

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        watch.reset(self._token)
        with self._lock:
            for held in self._held:
                held.close()
            self._held.clear()

    def hold(self, opened: socket.socket) -> None:
        """Watch a socket, by a duplicate: TLS takes the socket itself over, and its handshake can be trickled too."""
        with self._lock:
            self._held.append(opened.dup())
        if self._over:
            self._cut()

    def _cut(self) -> None:
        self._over = True
        with self._lock:
            for held in self._held:
                with suppress(OSError):  # closed already, which is what is wanted
                    held.shutdown(socket.SHUT_RDWR)


watch: ContextVar[Watch] = ContextVar("watch")


class _Watched(HTTPConnection):
    """A connection that the watch of its call holds from its first packet on."""

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        if watch.get().public_only and not ip_address(opened.getpeername()[0]).is_global:
            opened.close()
            raise OSError("not a public address")
        watch.get().hold(opened)
        return opened

    def connect(self) -> None:
        super().connect()
        watch.get().connected = True


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _FreshPool(HTTPConnectionPool):
    """Closes a connection that was used once before it is used again.

    A server may ignore that we asked it to close; what it then drops under a second request would look as if nothing
    had been sent.
    """

    ConnectionCls = _Watched

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        connection.close()
        return connection


class _FreshTLSPool(_FreshPool, HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


class WatchedAdapter(HTTPAdapter):
    """Tells the watch of a call which connection it uses."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _FreshPool, "https": _FreshTLSPool}
