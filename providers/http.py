"""The one HTTP client for all providers. What it guards against was measured with hostile servers:

- a server that trickles bytes keeps a per-read timeout happy for ever: a watch cuts the connection at a total deadline;
- a compressed body can be a bomb: only identity encoding is asked for and taken, and the body has a cap;
- a redirect to another host takes keys and voices with it: redirects are refused, environment proxies ignored;
- a POST that is sent twice makes two voices: nothing is ever sent again here, and a lost answer to a call that
  creates something is OutcomeUnknown, which only a look-up may settle;
- an address that a provider gives us may point into our own network: it gets no key, and for a live account only
  https and only a public address.
"""

import abc
import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, TypeVar

import requests
from requests.auth import AuthBase

from providers.base import LONGEST_CALL, Provider
from providers.connections import Stream, Watch, WatchedAdapter, form_of
from providers.errors import (
    Conflict,
    NotFound,
    OutcomeUnknown,
    PaymentRequired,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
    TooLarge,
)
from providers.parsing import in_texts, sound_of, storable, without_addresses
from providers.types import ApiLogEntry, Parcel, Sound

CONNECT = 10.0
LARGEST_ANSWER = 8 << 20  # bytes
LARGEST_SOUND = 32 << 20  # bytes
LARGEST_CONVERSATION = 128 << 20  # bytes of all answers together: a list may have any number of pages
LONGEST_WAIT = 3600.0  # the most of a Retry-After that is honoured, seconds
LONGEST_UPLOAD = 2 * 3600.0  # seconds for one big file, as long as its bytes move
HEARD = 50  # answers that are remembered
SAID = 500  # characters of each
REAL_KEY = 8  # characters
UNSAFE = "The provider gave an address that is not safe to follow."

Kind = TypeVar("Kind", dict[str, Any], list[Any])


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


@dataclass(frozen=True, slots=True)
class _Wish:
    """A call before it is made. `bare` goes without the key, to an address that a provider gave us."""

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
    """A provider that speaks JSON over HTTP. The adapter says where it is, how a key is shown, and how it says no."""

    live_url: ClassVar[str]
    sandbox_path: ClassVar[str]

    def __init__(
        self, key: str, *, sandbox_url: str = "", sandboxed: bool = False, longest_call: float = LONGEST_CALL
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
        self._deadline = min(longest_call, LONGEST_CALL)
        self._got = 0  # bytes
        self.api_log = self._entries = deque[ApiLogEntry](maxlen=HEARD)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "VoiceHub", "Accept-Encoding": "identity", "Connection": "close"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(max_retries=0))

    def auth(self, key: str) -> KeyAuth:
        return KeyAuth("Authorization", f"Bearer {key}")

    @abc.abstractmethod
    def words_of(self, answer: Mapping[str, Any]) -> str:
        """The vendor's own words in an error answer; empty when there are none."""

    def refuses(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer of 2xx says no all the same."""
        return False

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
        may_be_empty: bool = False,
        **body: Any,
    ) -> dict[str, Any]:
        """One call, sent once. `creates` marks what may not be repeated blindly; `body` goes to requests as it is.

        Returns the JSON object, an empty one for an empty answer that `may_be_empty`. Raises one of the
        ProviderErrors; none of them carries what was sent.
        """
        wish = self._wish(operation, method, path, creates, deadline, body)
        got = self._made(wish)
        if may_be_empty and not got.content.strip():
            return {}
        return self._read(wish, got, dict)

    def call_list(self, operation: str, path: str, **body: Any) -> list[Any]:
        """GET what is a bare JSON array."""
        wish = self._wish(operation, "GET", path, False, None, body)
        return self._read(wish, self._made(wish), list)

    def call_json(self, operation: str, path: str, **body: Any) -> dict[str, Any] | list[Any]:
        """GET where nobody says whether the answer is a JSON object or an array."""
        wish = self._wish(operation, "GET", path, False, None, body)
        answer = self._json(self._made(wish).content)
        if not isinstance(answer, dict | list):
            raise ResponseUnreadable(operation, "neither a JSON object nor an array")
        return answer

    def call_sound(self, operation: str, method: str, path: str, **body: Any) -> Sound:
        """One call that answers with audio. Raises ResponseUnreadable for anything else."""
        wish = replace(self._wish(operation, method, path, False, None, body), largest=LARGEST_SOUND)
        return sound_of(operation, self._made(wish).content)

    def call_sound_or_json(self, operation: str, method: str, path: str, **body: Any) -> Sound | dict[str, Any]:
        """One call where nobody says whether it answers with audio or with a JSON object."""
        wish = replace(self._wish(operation, method, path, False, None, body), largest=LARGEST_SOUND)
        content = self._made(wish).content
        answer = self._json(content)
        return answer if isinstance(answer, dict) else sound_of(operation, content)

    def download(self, url: str) -> Sound:
        wish = self._bare("download", "GET", url, {})
        return sound_of("download", self._made(replace(wish, largest=LARGEST_SOUND)).content)

    def put(
        self, operation: str, url: str, headers: Mapping[str, str], parcel: Parcel, moved: Callable[[int], None]
    ) -> None:
        """PUT a parcel to an address that the provider gave us. It has time for as long as its bytes move.

        What `moved` or the parcel raises ends it at once, and comes out as it is.
        """

        stream = Stream(parcel, moved)
        wish = self._bare(operation, "PUT", url, {"data": stream, "headers": dict(headers)})
        self._streamed(wish, stream)

    def post_form(
        self,
        operation: str,
        path: str,
        field: str,
        parcel: Parcel,
        fields: Mapping[str, str],
        moved: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """Create something by a form with one small file in `field`; it has time for as long as its bytes move.

        `moved` hears how many bytes of how many are gone. What it raises ends the call before its last byte, so that
        nothing is created, and comes out as it is.
        """
        form, content_type = form_of(field, parcel, fields)
        stream = Stream(form, lambda sent: moved(sent, form.size) if sent < form.size else None)
        body = {"data": stream, "headers": {"Content-Type": content_type}}
        wish = self._wish(operation, "POST", path, True, None, body)
        return self._read(wish, self._streamed(wish, stream), dict)

    def _streamed(self, wish: _Wish, stream: Stream) -> _Answer:
        try:
            return self._made(replace(wish, at_most=LONGEST_UPLOAD))
        except ProviderError:
            if stream.broken:
                raise stream.broken from None
            raise

    def _wish(
        self, operation: str, method: str, path: str, creates: bool, deadline: float | None, body: Mapping[str, Any]
    ) -> _Wish:
        """Raises ProviderRejected for a path with an id of dots, which would lead to another address."""
        if not {".", ".."}.isdisjoint(path.split("/")):
            raise ProviderRejected(operation, "Nothing has an id of dots alone.")
        url = path if path.startswith("http") else self.base_url + path
        return _Wish(operation, method, url, creates, deadline or self._deadline, body)

    def _bare(self, operation: str, method: str, url: str, body: Mapping[str, Any]) -> _Wish:
        """A call without the key. Raises ResponseUnreadable for an address that leads where nothing of ours may go."""
        start = f"{self.sandbox_url}/" if self.sandbox_url else "https://"
        if not url.startswith(start) or not _can_be_asked(url, body.get("headers")):
            raise ResponseUnreadable(operation, UNSAFE)
        return _Wish(operation, method, url, False, self._deadline, body, bare=True)

    def _made(self, wish: _Wish) -> _Answer:
        """The answer to a call, if it is not an error."""
        got = self._attempt(wish)
        if isinstance(got, ProviderError):
            self._hear(wish, None, got.detail)
            # Raised out here, so that it does not carry the error of requests, in which the key stands.
            raise got
        answer = self._json(got.content)
        refusal = self._error(wish, got, answer if isinstance(answer, dict) else None)
        self._hear(wish, got.status, refusal.detail if refusal else _readable(got, answer))
        if refusal:
            raise refusal
        return got

    def _read(self, wish: _Wish, got: _Answer, kind: type[Kind]) -> Kind:
        answer = self._json(got.content)
        if not isinstance(answer, kind):
            what = "not a JSON object" if kind is dict else "not a JSON array"
            raise (OutcomeUnknown if wish.creates else ResponseUnreadable)(wish.operation, what, status=got.status)
        return answer

    def _hear(self, wish: _Wish, status: int | None, said: str) -> None:
        text = str(storable(without_addresses(self._without_key(said))))[:SAID]
        self._entries.append(ApiLogEntry(datetime.now(UTC), wish.operation, status, text))

    def _attempt(self, wish: _Wish) -> _Answer | ProviderError:
        public_only = wish.bare and not self.sandbox_url
        with Watch(wish.deadline, at_most=wish.at_most, public_only=public_only) as watched:
            try:
                return self._exchange(wish)
            except (requests.RequestException, OSError, ValueError) as error:
                if watched.private:
                    return ResponseUnreadable(wish.operation, UNSAFE)
                kind = OutcomeUnknown if wish.creates and watched.connected else ProviderUnavailable
                return kind(wish.operation, type(error).__name__)
            except _Refused as refused:
                return (OutcomeUnknown if wish.creates else ResponseUnreadable)(wish.operation, str(refused))

    def _exchange(self, wish: _Wish) -> _Answer:
        with self._session.request(
            wish.method,
            wish.url,
            auth=None if wish.bare else self._auth,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT, wish.deadline),
            **wish.body,
        ) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise _Refused("a compressed answer, which we did not ask for")
            content = bytearray()
            for block in response.iter_content(1 << 16):
                content += block
                if len(content) > wish.largest:
                    raise _Refused("too large an answer")
                self._got += len(block)
                if self._got > LARGEST_CONVERSATION:
                    raise _Refused("too many and too large answers")
            return _Answer(response.status_code, response.headers, bytes(content))

    def _error(self, wish: _Wish, got: _Answer, answer: dict[str, Any] | None) -> ProviderError | None:
        status, words = got.status, self._public_words(answer)
        if status < 300:
            refused = answer is not None and self.refuses(answer)
            return ProviderRejected(wish.operation, words or "without a reason", status=status) if refused else None
        wait = retry_after(got.headers.get("Retry-After"))
        if status == 429:
            return ProviderUnavailable(wish.operation, words or "too many calls", status=status, retry_after=wait)
        # A redirect may mean that it is done, and what it made is elsewhere; we follow none, so we do not know.
        if wish.creates and (status < 400 or status == 408 or status >= 500):
            return OutcomeUnknown(wish.operation, words, status=status)
        if status == 408 or status >= 500:
            return ProviderUnavailable(wish.operation, words, status=status, retry_after=wait)
        if wish.bare and status in (401, 403, 404):
            return ProviderRejected(wish.operation, words or "The address is not valid any more.", status=status)
        return REFUSALS.get(status, ProviderRejected)(wish.operation, words, status=status)

    def _public_words(self, answer: dict[str, Any] | None) -> str:
        """The vendor's words, without the key in case they repeat it."""
        return str(without_addresses(self._without_key(self.words_of(answer) if answer else "")))[:2000]

    def _json(self, content: bytes) -> Any:
        """What an answer says, without the key, as it may be kept and shown. None for what is no JSON.

        A key of a few letters is part of many a word, and no real one.
        """
        answer = _json(content)
        return in_texts(answer, lambda text: text.replace(self._key, "[key]")) if len(self._key) >= REAL_KEY else answer

    def _without_key(self, text: str) -> str:
        """Without the key, also as it stands in JSON."""
        return text.replace(self._key, "[key]").replace(json.dumps(self._key)[1:-1], "[key]")


REFUSALS: dict[int, type[ProviderError]] = {
    401: ProviderAuthError,
    402: PaymentRequired,
    403: ProviderAuthError,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
}


class _Refused(Exception):
    """What came is not read on."""


def _json(content: bytes) -> Any:
    """What it says; None for what is no JSON."""
    try:
        return storable(json.loads(content))
    except (ValueError, RecursionError):
        return None


def _readable(got: _Answer, answer: Any) -> str:
    """What an answer in JSON says; of a sound only its size, as nobody reads that."""
    return f"{len(got.content):,} bytes" if answer is None else json.dumps(answer, ensure_ascii=False)


def _can_be_asked(url: str, headers: Mapping[str, str] | None) -> bool:
    """Whether a request can be made of what a provider gave us for one."""
    try:
        requests.Request("GET", url, headers=headers).prepare()
    except (requests.RequestException, ValueError):
        return False
    return True
