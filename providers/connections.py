"""Connections that end when their time is over, and are used once."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Self

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.filepost import encode_multipart_formdata

from providers.types import Parcel

NAT64 = IPv6Network("64:ff9b::/96")
# What Python takes for everybody's, and is a network's own, out of use, or a way into one (IANA's registries of special
# addresses; RFC 3879, RFC 4291 2.5.5.1, RFC 2765, RFC 8215).
NOT_PUBLIC = [
    ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.88.99.0/24", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48"),
        *("3fff::/20", "5f00::/16", "fec0::/10"),
    )
]


class Watch:
    """The connections of one call: cut when its time is over, also one that is only then being opened.

    `connected` is False for as long as nothing of the request can have left this machine. `public_only` connections
    to addresses that are not everybody's are not made, and `private` says that there was one.
    """

    def __init__(self, seconds: float, *, at_most: float | None = None, public_only: bool = False) -> None:
        """`seconds` is the time until the call is over, or from one `moved` to the next, and `at_most` all of it."""
        self.connected = False
        self.private = False
        self.public_only = public_only
        self._seconds = seconds
        self._at_most = seconds if at_most is None else at_most
        self._over = False
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self._done = threading.Event()

    def __enter__(self) -> Self:
        self._token = watch.set(self)
        self._end = time.monotonic() + self._at_most
        self.moved()
        threading.Thread(target=self._keep, daemon=True).start()
        return self

    def moved(self) -> None:
        """The call makes progress: its time begins anew."""
        self._until = min(time.monotonic() + self._seconds, self._end)

    def _keep(self) -> None:
        while not self._done.wait(max(self._until - time.monotonic(), 0)):
            if time.monotonic() >= self._until:
                self._cut()
                return

    def __exit__(self, *_error: object) -> None:
        self._done.set()
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


def is_public(address: str) -> bool:
    """Whether it is everybody's; of one that carries an older one within (RFC 4291, RFC 6052), whether that is."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.sixtofour or found.teredo:  # out of use, and a way around
            return False
        found = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else found)
    return found.is_global and not found.is_multicast and not any(found in network for network in NOT_PUBLIC)


class _Watched(HTTPConnection):
    """A connection that the watch of its call holds from its first packet on."""

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        if watch.get().public_only and not is_public(opened.getpeername()[0]):
            opened.close()
            watch.get().private = True
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


class KeyAuth(AuthBase):
    """Sets the key's header at the moment of sending, so that no request object carries it before."""

    def __init__(self, header: str, value: str) -> None:
        self._header, self._value = header, value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers[self._header] = self._value
        return request


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
