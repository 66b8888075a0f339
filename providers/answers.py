"""HTTP responses of providers: which error a response is, if any, and how its content is read."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

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
from providers.parsing import sound_of, storable
from providers.types import Sound

LONGEST_WAIT = 3600.0  # seconds
REFUSALS: dict[int, type[ProviderError]] = {
    401: ProviderAuthError,
    402: PaymentRequired,
    403: ProviderAuthError,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response. `json` has the key redacted, and is None if the content is not JSON.

    `creates` and `is_keyless` come from the call: whether it creates something, whether it was sent without key.
    """

    operation: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    json: Any
    creates: bool = False
    bare: bool = False

    def unreadable(self, reason: str) -> ProviderError:
        kind = OutcomeUnknown if self.creates else ResponseUnreadable
        return kind(self.operation, reason, status=self.status)

    def summary(self) -> str:
        """The JSON, or only the size of a sound."""
        return f"{len(self.content):,} bytes" if self.json is None else json.dumps(self.json, ensure_ascii=False)


Reader = Callable[[Answer], T]


def json_object(response: Answer) -> dict[str, Any]:
    if not isinstance(response.json, dict):
        raise response.unreadable("not a JSON object")
    return response.json


def json_array(response: Answer) -> list[Any]:
    if not isinstance(response.json, list):
        raise response.unreadable("not a JSON array")
    return response.json


def json_object_or_array(response: Answer) -> dict[str, Any] | list[Any]:
    """For calls whose vendor does not document which it is."""
    if not isinstance(response.json, dict | list):
        raise response.unreadable("neither a JSON object nor an array")
    return response.json


def sound(response: Answer) -> Sound:
    return sound_of(response.operation, response.content)


def sound_or_json_object(response: Answer) -> Sound | dict[str, Any]:
    """For calls whose vendor does not document which it is."""
    return response.json if isinstance(response.json, dict) else sound(response)


SOUND_READERS: tuple[Reader[Any], ...] = (sound, sound_or_json_object)


def parse_json(content: bytes) -> Any:
    """None if the content is not JSON."""
    try:
        return storable(json.loads(content))
    except (ValueError, RecursionError):
        return None


def error_of(response: Answer, words: str) -> ProviderError | None:
    """The error for this status, with the vendor's error text; None for 2xx."""
    operation, status = response.operation, response.status
    if status < 300:
        return None
    wait = retry_after(response.headers.get("Retry-After"))
    if status == 429:
        return ProviderUnavailable(operation, words or "too many calls", status=status, retry_after=wait)
    # A redirect may mean that the call succeeded and its result is elsewhere. We follow no redirect, so we cannot know.
    if response.creates and (status < 400 or status == 408 or status >= 500):
        return OutcomeUnknown(operation, words, status=status)
    if status == 408 or status >= 500:
        return ProviderUnavailable(operation, words, status=status, retry_after=wait)
    if response.bare and status in (401, 403, 404):
        return ProviderRejected(operation, words or "The address is no longer valid.", status=status)
    return REFUSALS.get(status, ProviderRejected)(operation, words, status=status)


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, a number or a date (RFC 9110, 10.2.3), capped at one hour; None if invalid."""
    try:
        seconds = float(value or "")
    except ValueError:
        seconds = _seconds_until(value or "")
    return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str) -> float:
    """0 for a past date, NaN for an invalid date."""
    try:
        then = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return math.nan
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((then - datetime.now(UTC)).total_seconds(), 0)
