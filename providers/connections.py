"""Connections with a total deadline, each used for one request."""

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

from requests import PreparedRequest, Request, RequestException
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.filepost import encode_multipart_formdata

from providers.types import UploadFile

NAT64 = IPv6Network("64:ff9b::/96")
# Python calls these networks public, but they are private, deprecated, or a way into a private network (IANA
# special-purpose address registries; RFC 3879, RFC 4291 2.5.5.1, RFC 2765, RFC 8215).
NON_PUBLIC_NETWORKS = [
    ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.88.99.0/24", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48"),
        *("3fff::/20", "5f00::/16", "fec0::/10"),
    )
]


class Watchdog:
    """Shuts down the connections of one call at its deadline, also a connection that is still being opened.

    `is_connected` is False as long as no part of the request can have left this machine. With `public_only`,
    connections to non-public addresses are refused, and `has_private_address` records such a refusal.
    """

    def __init__(self, seconds: float, *, max_seconds: float | None = None, public_only: bool = False) -> None:
        """`seconds` is the timeout, restarted by each `restart_timer`; `max_seconds` is the total deadline."""
        self.is_connected = False
        self.has_private_address = False
        self.public_only = public_only
        self._seconds = seconds
        self._max_seconds = seconds if max_seconds is None else max_seconds
        self._is_over = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._done = threading.Event()

    def __enter__(self) -> Self:
        self._token = current_watchdog.set(self)
        self._end = time.monotonic() + self._max_seconds
        self.restart_timer()
        threading.Thread(target=self._enforce_timeout, daemon=True).start()
        return self

    def restart_timer(self) -> None:
        """Restart the timeout, because the call makes progress."""
        self._until = min(time.monotonic() + self._seconds, self._end)

    def _enforce_timeout(self) -> None:
        while not self._done.wait(max(self._until - time.monotonic(), 0)):
            if time.monotonic() >= self._until:
                self._shut_down_sockets()
                return

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        current_watchdog.reset(self._token)
        with self._lock:
            for held in self._sockets:
                held.close()
            self._sockets.clear()

    def watch_socket(self, opened: socket.socket) -> None:
        """Keep a duplicate of the socket, to shut it down at the deadline.

        The TLS layer takes over the original, and a slow server may send the TLS handshake byte by byte.
        """
        with self._lock:
            self._sockets.append(opened.dup())
        if self._is_over:
            self._shut_down_sockets()

    def _shut_down_sockets(self) -> None:
        self._is_over = True
        with self._lock:
            for held in self._sockets:
                with suppress(OSError):  # already closed
                    held.shutdown(socket.SHUT_RDWR)


current_watchdog: ContextVar[Watchdog] = ContextVar("watch")


def is_public(address: str) -> bool:
    """Whether an IP address is public. If it embeds an IPv4 address (RFC 4291, RFC 6052), that address decides."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.sixtofour or found.teredo:  # deprecated, and a bypass of this check
            return False
        found = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else found)
    return found.is_global and not found.is_multicast and not any(found in network for network in NON_PUBLIC_NETWORKS)


def is_valid_request(url: str, headers: Mapping[str, str] | None) -> bool:
    """Whether a request can be made with the address and headers that a provider gave us."""
    try:
        Request("GET", url, headers=headers).prepare()
    except (RequestException, ValueError):
        return False
    return True


class _WatchedConnection(HTTPConnection):
    """A connection that the watchdog of its call watches from the first packet."""

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        if current_watchdog.get().public_only and not is_public(opened.getpeername()[0]):
            opened.close()
            current_watchdog.get().has_private_address = True
            raise OSError("not a public address")
        current_watchdog.get().watch_socket(opened)
        return opened

    def connect(self) -> None:
        super().connect()
        current_watchdog.get().is_connected = True


class _WatchedTLSConnection(_WatchedConnection, HTTPSConnection):
    pass


class _FreshPool(HTTPConnectionPool):
    """Closes a connection before it is reused.

    A server may ignore the request to close the connection. If it then dropped a second request, it would look as if
    nothing had been sent.
    """

    ConnectionCls = _WatchedConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        connection.close()
        return connection


class _FreshTLSPool(_FreshPool, HTTPSConnectionPool):
    ConnectionCls = _WatchedTLSConnection


class WatchedAdapter(HTTPAdapter):
    """Uses connections that the watchdog of the call watches."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _FreshPool, "https": _FreshTLSPool}


class KeyAuth(AuthBase):
    """Sets the header with the key when the request is sent, so that no request object has the key earlier."""

    def __init__(self, header: str, value: str) -> None:
        self._header, self._value = header, value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers[self._header] = self._value
        return request


BLOCK_BYTES = 1 << 16


class UploadStream:
    """An upload body: requests asks for its length, then for its chunks. `on_progress` receives the bytes sent.

    `error` is the exception of the file or of `on_progress` that ended the upload. The library requests might wrap it.
    """

    def __init__(self, upload: UploadFile, on_progress: Callable[[int], None]) -> None:
        self._upload, self._on_progress = upload, on_progress
        self.error: Exception | None = None

    def __len__(self) -> int:
        return self._upload.size

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        try:
            for chunk in self._upload.chunks():
                yield chunk
                sent += len(chunk)
                current_watchdog.get().restart_timer()
                self._on_progress(sent)
        except Exception as error:
            self.error = error
            raise


def load_into_memory(upload: UploadFile) -> UploadFile:
    """A small file read into memory, so that an error in reading it occurs before anything is sent."""
    content = b"".join(upload.chunks())
    return replace(upload, chunks=lambda: _split_blocks(content))


def encode_form(field: str, upload: UploadFile, fields: Mapping[str, str]) -> tuple[UploadFile, str]:
    """A multipart/form-data body with these fields and the file, held in memory, and its content type."""
    file = (upload.name, b"".join(upload.chunks()), upload.content_type)
    body, content_type = encode_multipart_formdata({**fields, field: file})
    md5 = hashlib.md5(body, usedforsecurity=False).digest()
    return UploadFile("form", content_type, len(body), md5, partial(_split_blocks, body)), content_type


def _split_blocks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + BLOCK_BYTES] for start in range(0, len(body), BLOCK_BYTES))
