"""HTTP responses of providers: their content, and the error that a response stands for, if any."""

import json
import math
import re
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
    PlanRefused,
    ProviderAuthError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ResponseUnreadable,
    TooLarge,
)
from providers.parsing import make_storable, parse_sound
from providers.types import Sound

MAX_RETRY_AFTER_SECONDS = 3600.0  # seconds
ERRORS_BY_STATUS: dict[int, type[ProviderError]] = {
    401: ProviderAuthError,
    402: PaymentRequired,
    403: ProviderAuthError,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
}

# A refusal because of the plan has the status of a bad key or of a missing payment. Only its text tells them apart:
# "only available for pro users", "This plan does not include voice cloning", "This account is not enabled".
PLAN_TEXT = re.compile(r"\bplans?\b|\bpro users\b|\bsubscription\b|\bupgrade\b|\bnot enabled\b", re.IGNORECASE)
CREDIT_TEXT = re.compile(r"\bcredits?\b|\bbalance\b|\bslots?\b", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response. `json` has the key redacted, and is None if the content is not JSON.

    `creates` and `is_keyless` say whether the call creates something and whether it was sent without the key.
    """

    operation: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    json: Any
    creates: bool = False
    is_keyless: bool = False

    def build_unreadable_error(self, reason: str) -> ProviderError:
        kind = OutcomeUnknown if self.creates else ResponseUnreadable
        return kind(self.operation, reason, status=self.status)

    def format_summary(self) -> str:
        """The JSON of the response, or only its size if it is not JSON."""
        return f"{len(self.content):,} bytes" if self.json is None else json.dumps(self.json, ensure_ascii=False)


Reader = Callable[[Response], T]


def read_json_object(response: Response) -> dict[str, Any]:
    if not isinstance(response.json, dict):
        raise response.build_unreadable_error("not a JSON object")
    return response.json


def read_json_array(response: Response) -> list[Any]:
    if not isinstance(response.json, list):
        raise response.build_unreadable_error("not a JSON array")
    return response.json


def read_json_container(response: Response) -> dict[str, Any] | list[Any]:
    """For calls whose vendor does not document whether the response is an object or an array."""
    if not isinstance(response.json, dict | list):
        raise response.build_unreadable_error("neither a JSON object nor an array")
    return response.json


def read_sound(response: Response) -> Sound:
    return parse_sound(response.operation, response.content)


def read_sound_or_json(response: Response) -> Sound | dict[str, Any]:
    """For calls whose vendor does not document whether the response is the sound or JSON."""
    return response.json if isinstance(response.json, dict) else read_sound(response)


SOUND_READERS: tuple[Reader[Any], ...] = (read_sound, read_sound_or_json)


def parse_json(content: bytes) -> Any:
    """The JSON value; None if the content is not JSON."""
    try:
        return make_storable(json.loads(content))
    except (ValueError, RecursionError):
        return None


def build_error(response: Response, error_text: str) -> ProviderError | None:
    """The error for this status, with the vendor's error text; None for 2xx."""
    operation, status = response.operation, response.status
    if status < 300:
        return None
    wait = parse_retry_after(response.headers.get("Retry-After"))
    if status == 429:
        return ProviderUnavailable(operation, error_text or "too many calls", status=status, retry_after=wait)
    # A redirect may mean that the call succeeded and its result is elsewhere. VoiceHub does not follow it to find out.
    if response.creates and (status < 400 or status == 408 or status >= 500):
        return OutcomeUnknown(operation, error_text, status=status)
    if status == 408 or status >= 500:
        return ProviderUnavailable(operation, error_text, status=status, retry_after=wait)
    if response.is_keyless and status in (401, 403, 404):
        return ProviderRejected(operation, error_text or "The address is no longer valid.", status=status)
    if is_plan_refusal(status, error_text):
        return PlanRefused(operation, error_text, status=status)
    return ERRORS_BY_STATUS.get(status, ProviderRejected)(operation, error_text, status=status)


def is_plan_refusal(status: int, error_text: str) -> bool:
    return status in (402, 403) and bool(PLAN_TEXT.search(error_text)) and not CREDIT_TEXT.search(error_text)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, a number or a date (RFC 9110, 10.2.3), capped at one hour; None if invalid."""
    try:
        seconds = float(value or "")
    except ValueError:
        seconds = _compute_seconds_until(value or "")
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if math.isfinite(seconds) and seconds >= 0 else None


def _compute_seconds_until(date: str) -> float:
    """Seconds until the date: 0 for a past date, NaN for an invalid one."""
    try:
        then = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return math.nan
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((then - datetime.now(UTC)).total_seconds(), 0)
