"""The one HTTP client for all providers. What it guards against was measured with hostile servers:

- a server that trickles bytes keeps a per-read timeout happy for ever: a watch cuts the connection at a total deadline;
- a compressed body can be a bomb: only identity encoding is asked for and taken, and the body has a cap;
- a redirect to another host takes keys and voices with it: redirects are refused, environment proxies ignored;
- a POST that is sent twice makes two voices: nothing is ever sent again here, and a lost answer to a call that
  creates something is OutcomeUnknown, which only a look-up may settle.
"""

import abc
import json
import math
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Self

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
from voices.providers.tolerant import storable

DEADLINE = 45.0  # seconds for one call, whatever the server does
CONNECT = 10.0
LARGEST_ANSWER = 8 << 20  # bytes
LONGEST_WAIT = 3600.0  # the most of a Retry-After that is honoured, seconds


class _Watch:
    """The connections of one call: cut when its time is over, also one that is only then being opened.

    `connected` is False for as long as nothing of the request can have left this machine.
    """

    def __init__(self, seconds: float) -> None:
        self.connected = False
        self._over = False
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._token = _watch.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        _watch.reset(self._token)
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


_watch: ContextVar[_Watch] = ContextVar("watch")


class _Watched(HTTPConnection):
    """A connection that the watch of its call holds from its first packet on."""

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        _watch.get().hold(opened)
        return opened

    def connect(self) -> None:
        super().connect()
        _watch.get().connected = True


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


class _WatchedAdapter(HTTPAdapter):
    """Tells the watch of a call which connection it uses."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _FreshPool, "https": _FreshTLSPool}


class KeyAuth(AuthBase):
    """Sets the key's header at the moment of sending, so that no request object carries it before."""

    def __init__(self, header: str, value: str) -> None:
        self._header, self._value = header, value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._header] = self._value
        return request


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, a number or a date (RFC 9110, 10.2.3), an hour at most; None for nonsense."""
    try:
        seconds = float(value or "")
    except ValueError:
        seconds = _seconds_until(value or "")
    return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str) -> float:
    """0 for a date that is past, NaN for what is no date."""
    try:
        then = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return math.nan
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((then - datetime.now(UTC)).total_seconds(), 0)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


class HttpProvider(Provider):
    """A provider that speaks JSON over HTTP. The adapter says where it is, how a key is shown, and how it says no."""

    live_url: ClassVar[str]
    sandbox_path: ClassVar[str]

    def __init__(
        self, key: str, *, sandbox_url: str = "", sandboxed: bool = False, longest_call: float = DEADLINE
    ) -> None:
        """`sandboxed` accounts talk to `sandbox_url` only. Raises ProviderUnavailable when there is no sandbox.

        No call takes longer than `longest_call` seconds. Raises ProviderAuthError for a key that no header can hold,
        such as one with a line break in it.
        """
        if not (key.isascii() and key.isprintable() and key):
            raise ProviderAuthError("open", "The key is empty, or holds characters that no key has.")
        if sandboxed and not sandbox_url:
            raise ProviderUnavailable("open", "This is a sandbox account, and no sandbox is running.")
        self.base_url = sandbox_url + self.sandbox_path if sandboxed else self.live_url
        self.sandbox_url = sandbox_url if sandboxed else ""
        self._auth = self.auth(key)
        self._key = key
        self._deadline = min(longest_call, DEADLINE)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "VoiceHub", "Accept-Encoding": "identity", "Connection": "close"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _WatchedAdapter(max_retries=0))

    def auth(self, key: str) -> AuthBase:
        return KeyAuth("Authorization", f"Bearer {key}")

    @abc.abstractmethod
    def words_of(self, answer: Mapping[str, Any]) -> str:
        """The vendor's own words in an error answer; empty when there are none."""

    @abc.abstractmethod
    def refuses(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer of 2xx says no all the same."""

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        creates: bool = False,
        deadline: float | None = None,
        **body: Any,
    ) -> dict[str, Any]:
        """One call, sent once. `creates` marks what may not be repeated blindly; `body` goes to requests as it is.

        Returns the JSON object. Raises one of the ProviderErrors; none of them carries what was sent.
        """
        url = path if path.startswith("http") else self.base_url + path
        got = self._attempt(operation, method, url, creates, deadline or self._deadline, body)
        if isinstance(got, ProviderError):
            # Raised out here, so that it does not carry the error of requests, in which the key stands.
            raise got
        answer = _json_object(got.content)
        if refusal := self._error(operation, got, answer, creates):
            raise refusal
        if answer is None:
            raise (OutcomeUnknown if creates else ResponseUnreadable)(operation, "not a JSON object", status=got.status)
        return answer

    def _attempt(
        self, operation: str, method: str, url: str, creates: bool, deadline: float, body: dict[str, Any]
    ) -> _Answer | ProviderError:
        with _Watch(deadline) as watch:
            try:
                return self._exchange(method, url, deadline, body)
            except (requests.RequestException, OSError, ValueError) as error:
                kind = OutcomeUnknown if creates and watch.connected else ProviderUnavailable
                return kind(operation, type(error).__name__)
            except _Refused as refused:
                return (OutcomeUnknown if creates else ResponseUnreadable)(operation, str(refused))

    def _exchange(self, method: str, url: str, deadline: float, body: dict[str, Any]) -> _Answer:
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
                raise _Refused("a compressed answer, which we did not ask for")
            content = bytearray()
            for block in response.iter_content(1 << 16):
                content += block
                if len(content) > LARGEST_ANSWER:
                    raise _Refused("too large an answer")
            return _Answer(response.status_code, response.headers, bytes(content))

    def _error(
        self, operation: str, got: _Answer, answer: dict[str, Any] | None, creates: bool
    ) -> ProviderError | None:
        status, words = got.status, self._public_words(answer)
        if status < 300:
            refused = answer is not None and self.refuses(answer)
            return ProviderRejected(operation, words or "without a reason", status=status) if refused else None
        wait = retry_after(got.headers.get("Retry-After"))
        if status == 429:
            return ProviderUnavailable(operation, words or "too many calls", status=status, retry_after=wait)
        # A redirect may mean that it is done, and what it made is elsewhere; we follow none, so we do not know.
        if creates and (status < 400 or status == 408 or status >= 500):
            return OutcomeUnknown(operation, words, status=status)
        if status == 408 or status >= 500:
            return ProviderUnavailable(operation, words, status=status, retry_after=wait)
        kinds = {401: ProviderAuthError, 403: ProviderAuthError, 404: NotFound}
        return kinds.get(status, ProviderRejected)(operation, words, status=status)

    def _public_words(self, answer: dict[str, Any] | None) -> str:
        """The vendor's words, without the key in case they repeat it."""
        return (self.words_of(answer) if answer else "").replace(self._key, "[key]")[:2000]


class _Refused(Exception):
    """What came is not read on."""


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        answer = storable(json.loads(content))
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
