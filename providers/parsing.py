"""Lenient parsing of provider data, where numbers and booleans may be texts, and reasons may be lists."""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from providers.errors import ResponseUnreadable
from providers.types import Sound

MAX_TEXT_LENGTH = 4000  # characters of one text
MAX_RESPONSE_LENGTH = 20_000  # characters of a stored response
MAX_COUNT = 2_000_000_000
MAX_JSON_DEPTH = 30  # levels of JSON; deeper values are dropped
URL_PATTERN = re.compile(r"(https?://)(?>[^/?#\s\"\\<>]*@)?([^/?#\s\"\\<>]+)[/?#][^\s\"\\<>]*", re.IGNORECASE)
FLAGS = {"true": True, "false": False, "1": True, "0": False}
# The first bytes of audio files (RFC 2361, RFC 3533, ID3v2.4 3.1, RFC 9639): a server's content type is not trusted.
AUDIO_SIGNATURES = {b"RIFF": "audio/wav", b"OggS": "audio/ogg", b"ID3": "audio/mpeg", b"fLaC": "audio/flac"}
MP3_FRAMES = (b"\xe2", b"\xe3", b"\xf2", b"\xf3", b"\xfa", b"\xfb")  # the second byte: MPEG 2.5, 2 and 1


def parse_number(value: Any) -> float | None:
    """A finite number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def find_first_number(item: Mapping[str, Any], *names: str) -> float | None:
    return next((found for name in names if (found := parse_number(item.get(name))) is not None), None)


def parse_count(value: Any) -> int | None:
    """A whole number from 0 that a database can hold, also from text; None for anything else."""
    number = parse_number(value)
    return int(number) if number is not None and 0 <= number <= MAX_COUNT else None


def parse_time(value: Any) -> datetime | None:
    """A time with its zone, from ISO 8601; without a zone it is UTC. None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_boolean(value: Any) -> bool | None:
    """True or False, also from text; None for anything else."""
    return value if isinstance(value, bool) else FLAGS.get(str(value).lower())


def flatten_text(value: Any) -> str:
    """Plain text from a text, a list of texts, or a mapping of field to texts; truncated, and without URL paths."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {flatten_text(words)}" for name, words in value.items())[:MAX_TEXT_LENGTH]
    if isinstance(value, list):
        return "; ".join(flatten_text(words) for words in value)[:MAX_TEXT_LENGTH]
    return "" if value is None else str(shorten_urls(str(value)))[:MAX_TEXT_LENGTH]


def make_storable(value: Any, max_depth: int = MAX_JSON_DEPTH) -> Any:
    """JSON that every database accepts: without NUL characters, lone surrogates, NaN and infinities."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, dict | list):
        return value
    if not max_depth:
        return None
    if isinstance(value, list):
        return [make_storable(item, max_depth - 1) for item in value]
    return {make_storable(name): make_storable(item, max_depth - 1) for name, item in value.items()}


def shorten_urls(value: Any) -> Any:
    """A text, or JSON, with every URL shortened to its host, since a complete URL may grant access."""
    return map_texts(value, lambda text: URL_PATTERN.sub(r"\1\2/…", text))


def trim_response(response: Mapping[str, Any]) -> dict[str, Any]:
    """A response as it is stored: without URL paths, and truncated if it is too long."""
    data: dict[str, Any] = shorten_urls(response)
    text = json.dumps(data, ensure_ascii=False)
    return data if len(text) <= MAX_RESPONSE_LENGTH else {"the beginning of it": text[:MAX_RESPONSE_LENGTH]}


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A text, or JSON, with `change` applied to every text in it, including object keys."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    if isinstance(value, Mapping):
        return {change(name): map_texts(item, change) for name, item in value.items()}
    return value


def parse_sound(operation: str, content: bytes) -> Sound:
    """Audio recognized by its first bytes. Raises ResponseUnreadable for anything else."""
    for beginning, content_type in AUDIO_SIGNATURES.items():
        if content.startswith(beginning):
            return Sound(content, content_type)
    # An MP3 frame (ISO 11172-3, 2.4.1.3) begins with eleven one bits, a version that is not reserved, and layer III.
    # The list excludes the byte order mark of UTF-16.
    if content[:1] == b"\xff" and content[1:2] in MP3_FRAMES:
        return Sound(content, "audio/mpeg")
    raise ResponseUnreadable(operation, "no audio in the response")
