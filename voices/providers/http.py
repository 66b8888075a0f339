"""The one HTTP client for all providers. What it guards against was measured with hostile servers:

- a server that trickles bytes keeps a per-read timeout happy for ever: a watchdog cuts the socket at a total deadline;
- a compressed body can be a bomb: only identity encoding is asked for and taken, and the body has a cap;
- a redirect to another host takes keys and voices with it: redirects are refused, environment proxies ignored;
- a POST that is sent twice makes two voices: nothing is ever sent again here, and a lost answer to a call that
  creates something is OutcomeUnknown, which only a look-up may settle.
"""

import json
import math
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from voices.providers.base import Provider
from voices.providers.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
)

DEADLINE = 45.0  # seconds for one call, whatever the server does; a worker's lease is longer
CONNECT = 10.0
LARGEST_ANSWER = 8 << 20  # bytes
LONGEST_WAIT = 3600.0  # the most of a Retry-After that is honoured, seconds

_sockets: ContextVar[list[socket.socket]] = ContextVar("sockets")


class _WatchedHTTP(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _sockets.get().append(self.sock)


class _WatchedHTTPS(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _sockets.get().append(self.sock)


class _PoolHTTP(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _PoolHTTPS(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _WatchedAdapter(HTTPAdapter):
    """Tells the watchdog which socket a call is using. Its connections are never kept, so each call opens one."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PoolHTTP, "https": _PoolHTTPS}


@contextmanager
def _watchdog(seconds: float) -> Iterator[list[socket.socket]]:
    """Cut every socket opened within after `seconds`. An empty list afterwards means that nothing was ever sent."""
    opened: list[socket.socket] = []
    token = _sockets.set(opened)
    timer = threading.Timer(seconds, _cut, [opened])
    timer.daemon = True
    timer.start()
    try:
        yield opened
    finally:
        timer.cancel()
        _sockets.reset(token)


def _cut(opened: list[socket.socket]) -> None:
    for sock in opened:
        with suppress(OSError):  # closed already, which is what is wanted
            sock.shutdown(socket.SHUT_RDWR)


class KeyAuth(AuthBase):
    """Sets the key's header at the moment of sending, so that no request object carries it before."""

    def __init__(self, header: str, value: str) -> None:
        self._header, self._value = header, value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._header] = self._value
        return request


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, capped at an hour; None where it says nothing that can be used."""
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None


class HttpProvider(Provider):
    """A provider that speaks JSON over HTTP. The adapter says where it is, how a key is shown, and how it says no."""

    live_url: ClassVar[str]
    sandbox_path: ClassVar[str]

    def __init__(self, key: str, *, sandbox_url: str = "", sandboxed: bool = False) -> None:
        """`sandboxed` accounts talk to `sandbox_url` only. Raises ProviderUnavailable when there is no sandbox."""
        if sandboxed and not sandbox_url:
            raise ProviderUnavailable("open", "This is a sandbox account, and no sandbox is running.")
        self.base_url = sandbox_url + self.sandbox_path if sandboxed else self.live_url
        self.sandbox_url = sandbox_url if sandboxed else ""
        self._auth = self.auth(key)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "VoiceHub", "Accept-Encoding": "identity", "Connection": "close"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _WatchedAdapter(max_retries=0))

    def auth(self, key: str) -> AuthBase:
        return KeyAuth("Authorization", f"Bearer {key}")

    def words_of(self, answer: Mapping[str, Any]) -> str:
        """The vendor's own words in an error answer; empty when there are none."""
        raise NotImplementedError

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        creates: bool = False,
        deadline: float = DEADLINE,
        **body: Any,
    ) -> dict[str, Any]:
        """One call, sent once. `creates` marks what may not be repeated blindly; `body` goes to requests as it is.

        Returns the JSON object. Raises one of the ProviderErrors; none of them carries what was sent.
        """
        url = path if path.startswith("http") else self.base_url + path
        with _watchdog(deadline) as opened:
            try:
                status, headers, content = self._exchange(method, url, deadline, body)
            except (requests.RequestException, OSError) as error:
                lost = creates and opened
                kind = OutcomeUnknown if lost else ProviderUnavailable
                raise kind(operation, type(error).__name__) from None
            except _TooMuch:
                raise (OutcomeUnknown if creates else ResponseUnreadable)(operation, "too large an answer") from None
        answer = _json_object(content)
        if refusal := self._error(operation, status, headers, answer, creates):
            raise refusal
        if answer is None:
            raise (OutcomeUnknown if creates else ResponseUnreadable)(operation, "not a JSON object", status=status)
        return answer

    def _exchange(
        self, method: str, url: str, deadline: float, body: dict[str, Any]
    ) -> tuple[int, Mapping[str, str], bytes]:
        with self._session.request(
            method,
            url,
            auth=self._auth,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT, deadline),
            **body,
        ) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise _TooMuch
            content = bytearray()
            for block in response.iter_content(1 << 16):
                content += block
                if len(content) > LARGEST_ANSWER:
                    raise _TooMuch
            return response.status_code, response.headers, bytes(content)

    def _error(
        self,
        operation: str,
        status: int,
        headers: Mapping[str, str],
        answer: dict[str, Any] | None,
        creates: bool,
    ) -> ProviderError | None:
        words = (self.words_of(answer) if answer else "")[:2000]
        if status < 300:
            return ProviderRejected(operation, words, status=status) if words else None
        if status == 429:
            wait = retry_after(headers.get("Retry-After"))
            return ProviderUnavailable(operation, words or "too many calls", status=status, retry_after=wait)
        if status >= 500:
            return (OutcomeUnknown if creates else ProviderUnavailable)(operation, words, status=status)
        kinds = {401: ProviderAuthError, 403: ProviderAuthError, 404: NotFound}
        return kinds.get(status, ProviderRejected)(operation, words, status=status)


class _TooMuch(Exception):
    pass


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
