"""The one HTTP client for all providers. What it guards against was measured with hostile servers:

- a server that trickles bytes never exceeds a per-read timeout: a watchdog ends the connection at a total deadline;
- a compressed body can be a bomb: only identity encoding is requested and accepted, and the body has a maximum size;
- a redirect to another host would receive keys and voices: redirects are refused, environment proxies ignored;
- a POST that is sent twice makes two voices: this client never retries, and a lost response to a call that creates
  something is OutcomeUnknown, which only a lookup may reconcile;
- an address that a provider gives us may point into our own network: it receives no key, and for a live account it
  must be https and public.
"""

import abc
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, overload

import requests

from providers.answers import SOUND_READERS, Answer, Reader, error_of, json_object, parse_json, sound
from providers.base import LONGEST_CALL, Provider
from providers.connections import KeyAuth, Stream, Watch, WatchedAdapter, form_of
from providers.errors import (
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
)
from providers.redaction import Redactor
from providers.types import ApiLogEntry, Parcel, Sound

CONNECT = 10.0  # seconds
LARGEST_ANSWER = 8 << 20  # bytes
LARGEST_SOUND = 32 << 20  # bytes
LARGEST_CONVERSATION = 128 << 20  # bytes of all responses together: a list may have any number of pages
LONGEST_UPLOAD = 2 * 3600.0  # seconds for one large file, as long as it makes progress
LOG_LENGTH = 50
LOG_TEXT = 500  # characters of each entry
PUBLIC_WORDS = 2000  # characters of the vendor's error text
UNSAFE = "The provider gave an address that is not safe to follow."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call before it is made. With `is_keyless` it is sent without the key, to an address that a provider gave us."""

    operation: str
    method: str
    url: str
    creates: bool
    deadline: float
    body: Mapping[str, Any]
    bare: bool = False
    largest: int = LARGEST_ANSWER
    at_most: float | None = None


class HttpProvider(Provider):
    """A provider that speaks JSON over HTTP. The adapter defines its URLs, its authentication and its refusals."""

    live_url: ClassVar[str]
    sandbox_path: ClassVar[str]

    def __init__(
        self, key: str, *, sandbox_url: str = "", sandboxed: bool = False, longest_call: float = LONGEST_CALL
    ) -> None:
        """`sandboxed` accounts talk to `sandbox_url` only. Raises ProviderUnavailable if there is no sandbox.

        No call takes longer than `longest_call` seconds. Raises ProviderAuthError for a key that no header can hold,
        such as one with a line break.
        """
        if not (key.isascii() and key.isprintable() and key):
            raise ProviderAuthError("open", "The key is empty or contains invalid characters. Enter the key again.")
        if sandboxed and not sandbox_url:
            raise ProviderUnavailable(
                "open", "This is a sandbox account, but no sandbox is running. Start the sandbox."
            )
        self.base_url = sandbox_url + self.sandbox_path if sandboxed else self.live_url
        self.sandbox_url = sandbox_url if sandboxed else ""
        self._auth = self.auth(key)
        self._redactor = Redactor(key)
        self._deadline = min(longest_call, LONGEST_CALL)
        self._got = 0  # bytes
        self.api_log = self._entries = deque[ApiLogEntry](maxlen=LOG_LENGTH)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "VoiceHub", "Accept-Encoding": "identity", "Connection": "close"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(max_retries=0))

    def auth(self, key: str) -> KeyAuth:
        return KeyAuth("Authorization", f"Bearer {key}")

    @abc.abstractmethod
    def words_of(self, response: Mapping[str, Any]) -> str:
        """The vendor's error text in an error response; empty if there is none."""

    def refuses(self, response: Mapping[str, Any]) -> bool:
        """Whether a 2xx response is a refusal all the same."""
        return False

    def close(self) -> None:
        self._session.close()

    @overload
    def call(self, operation: str, method: str, path: str, *, read: Reader[T], **options: Any) -> T: ...
    @overload
    def call(self, operation: str, method: str, path: str, *, read: None = None, **options: Any) -> dict[str, Any]: ...
    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        read: Reader[Any] | None = None,
        creates: bool = False,
        deadline: float | None = None,
        may_be_empty: bool = False,
        **body: Any,
    ) -> Any:
        """One call, sent once. `creates` marks a call that must not be repeated blindly; `body` is passed to requests.

        Returns the result of `read`, a JSON object by default. An empty response returns {} if `may_be_empty`.
        Raises a ProviderError, which never carries the request.
        """
        wanted = self._to_api(operation, method, path, creates, deadline, body)
        response = self._make(replace(wanted, largest=LARGEST_SOUND) if read in SOUND_READERS else wanted)
        return {} if may_be_empty and not response.content.strip() else (read or json_object)(response)

    def download(self, url: str) -> Sound:
        return sound(self._make(replace(self._without_key("download", "GET", url, {}), largest=LARGEST_SOUND)))

    def put(
        self, operation: str, url: str, headers: Mapping[str, str], upload: Parcel, on_progress: Callable[[int], None]
    ) -> None:
        """PUT a file to an address that the provider gave us. It has no short deadline while it makes progress.

        An exception from `on_progress` or from the file ends the call at once and is raised unchanged.
        """
        stream = Stream(upload, on_progress)
        self._send_stream(self._without_key(operation, "PUT", url, {"data": stream, "headers": dict(headers)}), stream)

    def post_form(
        self,
        operation: str,
        path: str,
        field: str,
        upload: Parcel,
        fields: Mapping[str, str],
        on_progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """POST a form that creates something, with one small file in `field`. It has no short deadline while it makes
        progress.

        `on_progress` receives the bytes sent and the total. Its exception ends the call before the last byte, so that
        nothing is created, and is raised unchanged.
        """
        form, content_type = form_of(field, upload, fields)
        stream = Stream(form, lambda sent: on_progress(sent, form.size) if sent < form.size else None)
        body = {"data": stream, "headers": {"Content-Type": content_type}}
        return json_object(self._send_stream(self._to_api(operation, "POST", path, True, None, body), stream))

    def _send_stream(self, wanted: _Call, stream: Stream) -> Answer:
        try:
            return self._make(replace(wanted, at_most=LONGEST_UPLOAD))
        except ProviderError:
            if stream.broken:
                raise stream.broken from None
            raise

    def _to_api(
        self, operation: str, method: str, path: str, creates: bool, deadline: float | None, body: Mapping[str, Any]
    ) -> _Call:
        """Raises ProviderRejected for a path with an id of dots, which would resolve to another address."""
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise ProviderRejected(operation, "An id cannot consist of dots alone.")
        url = path if path.startswith("http") else self.base_url + path
        return _Call(operation, method, url, creates, deadline or self._deadline, body)

    def _without_key(self, operation: str, method: str, url: str, body: Mapping[str, Any]) -> _Call:
        """Raises ResponseUnreadable for an address that we must not send anything to."""
        start = f"{self.sandbox_url}/" if self.sandbox_url else "https://"
        if not url.startswith(start) or not _is_valid_request(url, body.get("headers")):
            raise ResponseUnreadable(operation, UNSAFE)
        return _Call(operation, method, url, False, self._deadline, body, bare=True)

    def _make(self, wanted: _Call) -> Answer:
        """The response to a call. Raises ProviderError if it is an error."""
        response = self._attempt(wanted)
        if isinstance(response, ProviderError):
            self._log(wanted, None, response.detail)
            # Raised outside the except block, so that its context is not the error of requests, which contains the key.
            raise response
        error = self._error(response)
        self._log(wanted, response.status, error.detail if error else response.summary())
        if error:
            raise error
        return response

    def _log(self, wanted: _Call, status: int | None, text: str) -> None:
        text = self._redactor.redact_text(text)[:LOG_TEXT]
        self._entries.append(ApiLogEntry(datetime.now(UTC), wanted.operation, status, text))

    def _attempt(self, wanted: _Call) -> Answer | ProviderError:
        public_only = wanted.bare and not self.sandbox_url
        with Watch(wanted.deadline, at_most=wanted.at_most, public_only=public_only) as watched:
            try:
                return self._exchange(wanted)
            except (requests.RequestException, OSError, ValueError) as error:
                if watched.private:
                    return ResponseUnreadable(wanted.operation, UNSAFE)
                kind = OutcomeUnknown if wanted.creates and watched.connected else ProviderUnavailable
                return kind(wanted.operation, type(error).__name__)
            except _UnsafeAnswer as unsafe:
                return (OutcomeUnknown if wanted.creates else ResponseUnreadable)(wanted.operation, str(unsafe))

    def _exchange(self, wanted: _Call) -> Answer:
        with self._session.request(
            wanted.method,
            wanted.url,
            auth=None if wanted.bare else self._auth,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT, wanted.deadline),
            **wanted.body,
        ) as response:
            content = self._read_content(response, wanted.largest)
        return Answer(
            operation=wanted.operation,
            status=response.status_code,
            headers=response.headers,
            content=content,
            json=self._redactor.redact_json(parse_json(content)),
            creates=wanted.creates,
            bare=wanted.bare,
        )

    def _read_content(self, response: requests.Response, largest: int) -> bytes:
        """Raises _UnsafeResponse if it is compressed or too large."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _UnsafeAnswer("a compressed response, which we did not request")
        content = bytearray()
        for block in response.iter_content(1 << 16):
            content += block
            if len(content) > largest:
                raise _UnsafeAnswer("the response is too large")
            self._got += len(block)
            if self._got > LARGEST_CONVERSATION:
                raise _UnsafeAnswer("the responses are too large in total")
        return bytes(content)

    def _error(self, response: Answer) -> ProviderError | None:
        """The error of a response, if any, with the vendor's error text."""
        body = response.json if isinstance(response.json, dict) else None
        words = self._redactor.redact_text(self.words_of(body) if body else "")[:PUBLIC_WORDS]
        if response.status < 300 and body is not None and self.refuses(body):
            return ProviderRejected(response.operation, words or "no reason given", status=response.status)
        return error_of(response, words)


class _UnsafeAnswer(Exception):
    """Response rejected (too large or compressed)."""


def _is_valid_request(url: str, headers: Mapping[str, str] | None) -> bool:
    """Whether a request can be made with the address and headers that a provider gave us."""
    try:
        requests.Request("GET", url, headers=headers).prepare()
    except (requests.RequestException, ValueError):
        return False
    return True
