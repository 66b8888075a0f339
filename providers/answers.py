"""What a provider's answer means: which error it is, if any, and how its content is read."""

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

LONGEST_WAIT = 3600.0  # the most of a Retry-After that is honoured, seconds
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
    """An answer that was read whole. `json` is without the key, and None where the content is not JSON.

    `creates` and `bare` are those of the call: whether it creates something, and whether it went without the key.
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
        """The JSON; of a sound only its size."""
        return f"{len(self.content):,} bytes" if self.json is None else json.dumps(self.json, ensure_ascii=False)


Reader = Callable[[Answer], T]


def json_object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.json, dict):
        raise answer.unreadable("not a JSON object")
    return answer.json


def json_array(answer: Answer) -> list[Any]:
    if not isinstance(answer.json, list):
        raise answer.unreadable("not a JSON array")
    return answer.json


def json_object_or_array(answer: Answer) -> dict[str, Any] | list[Any]:
    """Where the vendor does not say which."""
    if not isinstance(answer.json, dict | list):
        raise answer.unreadable("neither a JSON object nor an array")
    return answer.json


def sound(answer: Answer) -> Sound:
    return sound_of(answer.operation, answer.content)


def sound_or_json_object(answer: Answer) -> Sound | dict[str, Any]:
    """Where the vendor does not say which."""
    return answer.json if isinstance(answer.json, dict) else sound(answer)


SOUND_READERS: tuple[Reader[Any], ...] = (sound, sound_or_json_object)


def parse_json(content: bytes) -> Any:
    """None for what is not JSON."""
    try:
        return storable(json.loads(content))
    except (ValueError, RecursionError):
        return None


def error_of(answer: Answer, words: str) -> ProviderError | None:
    """The error of this status, with the vendor's words; None for 2xx."""
    operation, status = answer.operation, answer.status
    if status < 300:
        return None
    wait = retry_after(answer.headers.get("Retry-After"))
    if status == 429:
        return ProviderUnavailable(operation, words or "too many calls", status=status, retry_after=wait)
    # A redirect may mean that it is done, and what it made is elsewhere; we follow none, so we do not know.
    if answer.creates and (status < 400 or status == 408 or status >= 500):
        return OutcomeUnknown(operation, words, status=status)
    if status == 408 or status >= 500:
        return ProviderUnavailable(operation, words, status=status, retry_after=wait)
    if answer.bare and status in (401, 403, 404):
        return ProviderRejected(operation, words or "The address is not valid any more.", status=status)
    return REFUSALS.get(status, ProviderRejected)(operation, words, status=status)


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
