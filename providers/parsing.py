"""Reading what providers really send: numbers as text, flags as words, reasons as lists. None where nothing is said."""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from providers.errors import ResponseUnreadable
from providers.types import Sound

LONGEST_WORDS = 4000  # characters of what a provider says at once
LONGEST_KEPT = 20_000  # characters of an answer
DEEPEST = 30  # levels of a JSON answer; what lies deeper is dropped
ADDRESS = re.compile(r"(https?://)(?>[^/?#\s\"\\<>]*@)?([^/?#\s\"\\<>]+)[/?#][^\s\"\\<>]*", re.IGNORECASE)
FLAGS = {"true": True, "false": False, "1": True, "0": False}
# How files of sound begin (RFC 2361, RFC 3533, ID3v2.4 3.1, RFC 9639), as what a server calls them is not relied on.
BEGINNINGS = {b"RIFF": "audio/wav", b"OggS": "audio/ogg", b"ID3": "audio/mpeg", b"fLaC": "audio/flac"}
MP3_FRAMES = (b"\xe2", b"\xe3", b"\xf2", b"\xf3", b"\xfa", b"\xfb")  # its second byte: MPEG 2.5, 2 and 1


def number(value: Any) -> float | None:
    """A finite number, also when it came as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def first_number(item: Mapping[str, Any], *names: str) -> float | None:
    """The first of these fields that holds a number."""
    return next((found for name in names if (found := number(item.get(name))) is not None), None)


def flag(value: Any) -> bool | None:
    """True or False, also when it came as a word."""
    return value if isinstance(value, bool) else FLAGS.get(str(value).lower())


def plain(told: Any) -> str:
    """Words out of a text, a list of texts, or a mapping of field to texts; cut to size, and without addresses."""
    if isinstance(told, Mapping):
        return "; ".join(f"{name}: {plain(words)}" for name, words in told.items())[:LONGEST_WORDS]
    if isinstance(told, list):
        return "; ".join(plain(words) for words in told)[:LONGEST_WORDS]
    return "" if told is None else str(without_addresses(str(told)))[:LONGEST_WORDS]


def storable(value: Any, deepest: int = DEEPEST) -> Any:
    """JSON as every database takes it: without NUL characters, halves of surrogate pairs, NaN and infinities."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, dict | list):
        return value
    if not deepest:
        return None
    if isinstance(value, list):
        return [storable(item, deepest - 1) for item in value]
    return {storable(name): storable(item, deepest - 1) for name, item in value.items()}


def without_addresses(value: Any) -> Any:
    """A text, or JSON, with no more of an address than its host: whoever has all of it may be let in by it."""
    return in_texts(value, lambda text: ADDRESS.sub(r"\1\2/…", text))


def to_keep(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as a row keeps it: without addresses, and of an endless one its beginning."""
    said: dict[str, Any] = without_addresses(answer)
    text = json.dumps(said, ensure_ascii=False)
    return said if len(text) <= LONGEST_KEPT else {"the beginning of it": text[:LONGEST_KEPT]}


def in_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A text, or JSON, with every text in it changed, names too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [in_texts(item, change) for item in value]
    if isinstance(value, Mapping):
        return {change(name): in_texts(item, change) for name, item in value.items()}
    return value


def sound_of(operation: str, content: bytes) -> Sound:
    """Audio by what it is, whatever it was called. Raises ResponseUnreadable for anything else."""
    for beginning, content_type in BEGINNINGS.items():
        if content.startswith(beginning):
            return Sound(content, content_type)
    # The frame of an MP3 (ISO 11172-3, 2.4.1.3): eleven ones, then what is neither reserved nor another layer. Two
    # letters of it are how a text in UTF-16 begins.
    if content[:1] == b"\xff" and content[1:2] in MP3_FRAMES:
        return Sound(content, "audio/mpeg")
    raise ResponseUnreadable(operation, "no audio in the answer")
