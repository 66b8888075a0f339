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
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, overload

import requests

from providers.base import MAX_CALL_SECONDS, Provider, WaitForSlot
from providers.connections import KeyAuth, UploadStream, Watchdog, WatchedAdapter, encode_form, is_valid_request
from providers.errors import (
    OutcomeUnknown,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
)
from providers.redaction import Redactor
from providers.responses import SOUND_READERS, Reader, Response, build_error, parse_json, read_json_object, read_sound
from providers.types import ApiLogEntry, Sound, UploadFile

CONNECT_SECONDS = 10.0  # seconds
MAX_RESPONSE_BYTES = 8 << 20  # bytes
MAX_SOUND_BYTES = 32 << 20  # bytes
MAX_TOTAL_BYTES = 128 << 20  # bytes of all responses together, as a list may have any number of pages
MAX_UPLOAD_SECONDS = 2 * 3600.0  # seconds for one large file, as long as it makes progress
MAX_WAIT_SHARE = 0.5  # of a call's deadline: the longest wait for its slot, so that the call itself has time left
MAX_LOG_ENTRIES = 50
MAX_LOG_TEXT_LENGTH = 500  # characters of each entry
MAX_ERROR_TEXT_LENGTH = 2000  # characters of the vendor's error text
TOO_MANY_CALLS_MESSAGE = "Too many calls wait for the provider's rate limit. Try again later."
UNSAFE_ADDRESS_MESSAGE = "The provider gave an address that is not safe to follow."

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
    is_keyless: bool = False
    max_bytes: int = MAX_RESPONSE_BYTES
    max_seconds: float | None = None


class HttpProvider(Provider):
    """A provider with a JSON API over HTTP. The adapter defines the URLs, the authentication and what is a refusal."""

    live_url: ClassVar[str]
    sandbox_path: ClassVar[str]

    def __init__(
        self,
        key: str,
        *,
        sandbox_url: str = "",
        sandboxed: bool = False,
        longest_call: float = MAX_CALL_SECONDS,
        wait_for_slot: WaitForSlot | None = None,
    ) -> None:
        """Raises ProviderUnavailable if there is no sandbox for a sandbox account, and ProviderAuthError for a key that
        no header can hold, such as one with a line break."""
        if not (key.isascii() and key.isprintable() and key):
            raise ProviderAuthError("open", "The key is empty or contains invalid characters. Enter the key again.")
        if sandboxed and not sandbox_url:
            raise ProviderUnavailable(
                "open", "This is a sandbox account, but no sandbox is running. Start the sandbox."
            )
        self.base_url = sandbox_url + self.sandbox_path if sandboxed else self.live_url
        self.sandbox_url = sandbox_url if sandboxed else ""
        self._auth = self.build_auth(key)
        self._redactor = Redactor(key)
        self._deadline = min(longest_call, MAX_CALL_SECONDS)
        self._wait_for_slot = wait_for_slot
        self._received_bytes = 0  # bytes
        self.api_log = self._entries = deque[ApiLogEntry](maxlen=MAX_LOG_ENTRIES)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "VoiceHub", "Accept-Encoding": "identity", "Connection": "close"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(max_retries=0))

    def build_auth(self, key: str) -> KeyAuth:
        return KeyAuth("Authorization", f"Bearer {key}")

    @abc.abstractmethod
    def parse_error_text(self, response: Mapping[str, Any]) -> str:
        """The vendor's error text in an error response; empty if there is none."""

    def is_refusal(self, response: Mapping[str, Any]) -> bool:
        """Whether a response with a 2xx status refuses the call all the same."""
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
        """Make one call and send it only once. `creates` marks a call that must not be repeated blindly.

        `body` is passed to requests. Returns the result of `read`, a JSON object by default, or {} for an empty
        response if `may_be_empty`. Raises a ProviderError, which never carries the request.
        """
        planned_call = self._build_api_call(operation, method, path, creates, deadline, body)
        response = self._make_call(
            replace(planned_call, max_bytes=MAX_SOUND_BYTES) if read in SOUND_READERS else planned_call
        )
        return {} if may_be_empty and not response.content.strip() else (read or read_json_object)(response)

    def download_sound(self, url: str) -> Sound:
        return read_sound(
            self._make_call(replace(self._build_keyless_call("download", "GET", url, {}), max_bytes=MAX_SOUND_BYTES))
        )

    def upload_file(
        self,
        operation: str,
        url: str,
        headers: Mapping[str, str],
        upload: UploadFile,
        on_progress: Callable[[int], None],
    ) -> None:
        """PUT a file to an address that the provider gave us. It has no short deadline while it makes progress.

        An exception from `on_progress` or from the file ends the call at once and is raised unchanged.
        """
        stream = UploadStream(upload, on_progress)
        self._send_stream(
            self._build_keyless_call(operation, "PUT", url, {"data": stream, "headers": dict(headers)}), stream
        )

    def post_form(
        self,
        operation: str,
        path: str,
        field: str,
        upload: UploadFile,
        fields: Mapping[str, str],
        on_progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """POST a form that creates something, with one small file in `field`. It has no short deadline while it makes
        progress.

        `on_progress` receives the bytes sent and the total. Its exception ends the call before the last byte, so that
        nothing is created, and is raised unchanged.
        """
        form, content_type = encode_form(field, upload, fields)
        stream = UploadStream(form, lambda sent: on_progress(sent, form.size) if sent < form.size else None)
        body = {"data": stream, "headers": {"Content-Type": content_type}}
        return read_json_object(
            self._send_stream(self._build_api_call(operation, "POST", path, True, None, body), stream)
        )

    def _send_stream(self, planned_call: _Call, stream: UploadStream) -> Response:
        try:
            return self._make_call(replace(planned_call, max_seconds=MAX_UPLOAD_SECONDS))
        except ProviderError:
            if stream.error:
                raise stream.error from None
            raise

    def _build_api_call(
        self, operation: str, method: str, path: str, creates: bool, deadline: float | None, body: Mapping[str, Any]
    ) -> _Call:
        """Raises ProviderRejected if an id in the path is `.` or `..`, which would lead to another address."""
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise ProviderRejected(operation, "An id cannot consist of dots alone.")
        url = path if path.startswith("http") else self.base_url + path
        return _Call(operation, method, url, creates, deadline or self._deadline, body)

    def _build_keyless_call(self, operation: str, method: str, url: str, body: Mapping[str, Any]) -> _Call:
        """Raises ResponseUnreadable for an address to which VoiceHub must not send anything."""
        start = f"{self.sandbox_url}/" if self.sandbox_url else "https://"
        if not url.startswith(start) or not is_valid_request(url, body.get("headers")):
            raise ResponseUnreadable(operation, UNSAFE_ADDRESS_MESSAGE)
        return _Call(operation, method, url, False, self._deadline, body, is_keyless=True)

    def _make_call(self, planned_call: _Call) -> Response:
        """The response to a call. Raises ProviderError if it is an error."""
        response = self._attempt_in_slot(planned_call)
        if isinstance(response, ProviderError):
            self._log_call(planned_call, None, response.detail)
            # Raised outside the except block, so that its context is not the error of requests, which contains the key.
            raise response
        error = self._find_error(response)
        self._log_call(planned_call, response.status, error.detail if error else response.format_summary())
        if error:
            raise error
        return response

    def _log_call(self, planned_call: _Call, status: int | None, text: str) -> None:
        text = self._redactor.redact_text(text)[:MAX_LOG_TEXT_LENGTH]
        self._entries.append(ApiLogEntry(datetime.now(UTC), planned_call.operation, status, text))

    def _attempt_in_slot(self, planned_call: _Call) -> Response | ProviderError:
        """Wait for the call's slot, as part of its deadline. A call without the key is not one to the API."""
        if planned_call.is_keyless or self._wait_for_slot is None:
            return self._attempt_call(planned_call)
        started = time.monotonic()
        if not self._wait_for_slot(planned_call.deadline * MAX_WAIT_SHARE):
            return ProviderUnavailable(planned_call.operation, TOO_MANY_CALLS_MESSAGE)
        deadline = planned_call.deadline - (time.monotonic() - started)
        return self._attempt_call(replace(planned_call, deadline=deadline))

    def _attempt_call(self, planned_call: _Call) -> Response | ProviderError:
        public_only = planned_call.is_keyless and not self.sandbox_url
        with Watchdog(planned_call.deadline, max_seconds=planned_call.max_seconds, public_only=public_only) as watched:
            try:
                return self._send_request(planned_call)
            except (requests.RequestException, OSError, ValueError) as error:
                if watched.has_private_address:
                    return ResponseUnreadable(planned_call.operation, UNSAFE_ADDRESS_MESSAGE)
                kind = OutcomeUnknown if planned_call.creates and watched.is_connected else ProviderUnavailable
                return kind(planned_call.operation, type(error).__name__)
            except _UnsafeResponse as unsafe:
                return (OutcomeUnknown if planned_call.creates else ResponseUnreadable)(
                    planned_call.operation, str(unsafe)
                )

    def _send_request(self, planned_call: _Call) -> Response:
        with self._session.request(
            planned_call.method,
            planned_call.url,
            auth=None if planned_call.is_keyless else self._auth,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, planned_call.deadline),
            **planned_call.body,
        ) as response:
            content = self._read_content(response, planned_call.max_bytes)
        return Response(
            operation=planned_call.operation,
            status=response.status_code,
            headers=response.headers,
            content=content,
            json=self._redactor.redact_json(parse_json(content)),
            creates=planned_call.creates,
            is_keyless=planned_call.is_keyless,
        )

    def _read_content(self, response: requests.Response, max_bytes: int) -> bytes:
        """The body of the response. Raises _UnsafeResponse if it is compressed or too large."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _UnsafeResponse("a compressed response, which we did not request")
        content = bytearray()
        for block in response.iter_content(1 << 16):
            content += block
            if len(content) > max_bytes:
                raise _UnsafeResponse("the response is too large")
            self._received_bytes += len(block)
            if self._received_bytes > MAX_TOTAL_BYTES:
                raise _UnsafeResponse("the responses are too large in total")
        return bytes(content)

    def _find_error(self, response: Response) -> ProviderError | None:
        """The error of a response, if any, with the vendor's error text."""
        body = response.json if isinstance(response.json, dict) else None
        error_text = self._redactor.redact_text(self.parse_error_text(body) if body else "")[:MAX_ERROR_TEXT_LENGTH]
        if response.status < 300 and body is not None and self.is_refusal(body):
            return ProviderRejected(response.operation, error_text or "no reason given", status=response.status)
        return build_error(response, error_text)


class _UnsafeResponse(Exception):
    """A response that is too large or compressed, and is not read further."""
