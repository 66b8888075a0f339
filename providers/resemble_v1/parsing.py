"""Parsing of responses of Resemble AI, version 1: upload addresses and voices.

Voices, refusals and callbacks are parsed as in version 2: it is the same vendor, and the page of version 1 does not
show them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from providers.resemble_v2.parsing import parse_report
from providers.types import BuildReport

# The library requests sets these headers from the file and the address. The signed headers may include them too.
RESERVED_HEADERS = frozenset({"content-length", "host", "connection", "transfer-encoding", "authorization"})


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """The upload address of a voice's file and its announced checksum; stored until the file is `sent`."""

    voice: str
    url: str
    headers: Mapping[str, str]
    checksum: str
    sent: bool = False

    @classmethod
    def parse(cls, response: Mapping[str, Any], checksum: str) -> Self:
        """The target in the response of step 1; its voice or address is empty if the response has none."""
        value = response.get("headers")
        headers = value.items() if isinstance(value, Mapping) else ()
        signed = {
            name: str(value)
            for name, value in headers
            if name.lower() not in RESERVED_HEADERS and is_valid_header(name, value)
        }
        url = response.get("url")
        return cls(find_id(response, "voice", "uuid", "id"), url if isinstance(url, str) else "", signed, checksum)

    @classmethod
    def load(cls, text: str) -> Self | None:
        """The target that an earlier worker saved; None if the text is not usable."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def dump_json(self) -> str:
        return json.dumps(asdict(self))


def parse_voice(item: Mapping[str, Any]) -> BuildReport:
    """A voice of the list. Without status and time, its version is empty, so polls cannot detect a new build."""
    report = parse_report(item)
    return replace(report, remote_id=find_id(item, "uuid", "id"), version=report.version.strip())


def find_id(item: Mapping[str, Any], *names: str) -> str:
    """The value of the first of these fields that can be an id."""
    return next((str(item[name]) for name in names if is_text_or_integer(item.get(name)) and item[name]), "")


def is_valid_header(name: str, value: Any) -> bool:
    line = f"{name}{value}"
    return is_text_or_integer(value) and bool(name) and line.isascii() and line.isprintable()


def is_text_or_integer(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
