"""Reading what version 1 of Resemble AI answers: the address of an upload, and voices.

The fields of a voice are read as those of version 2 are, as are refusals and callbacks: it is the same vendor, and the
page of version 1 does not show them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from providers.resemble_v2.parsing import report_of
from providers.types import BuildReport

# What requests sets by itself, from the parcel and the address; the signed headers may name them too.
OURS = frozenset({"content-length", "host", "connection", "transfer-encoding", "authorization"})


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where the file of a voice is to be put, with what was announced of it; kept until it is `sent`."""

    voice: str
    url: str
    headers: Mapping[str, str]
    checksum: str
    sent: bool = False

    @classmethod
    def of(cls, answer: Mapping[str, Any], checksum: str) -> Self:
        """The target in the answer to step 1; without a voice or an address where it gives none."""
        told = answer.get("headers")
        headers = told.items() if isinstance(told, Mapping) else ()
        signed = {name: str(value) for name, value in headers if name.lower() not in OURS and is_header(name, value)}
        url = answer.get("url")
        return cls(id_of(answer, "voice", "uuid", "id"), url if isinstance(url, str) else "", signed, checksum)

    @classmethod
    def kept(cls, text: str) -> Self | None:
        """What an earlier worker kept; None if that was nothing of use."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def text(self) -> str:
        return json.dumps(asdict(self))


def voice_of(item: Mapping[str, Any]) -> BuildReport:
    """A voice of the list. Without a status and a time its mark is empty: no two looks tell a build apart then."""
    report = report_of(item)
    return replace(report, remote_id=id_of(item, "uuid", "id"), mark=report.mark.strip())


def id_of(item: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that can be an id."""
    return next((str(item[name]) for name in names if is_text(item.get(name)) and item[name]), "")


def is_header(name: str, value: Any) -> bool:
    """Whether it can be sent as one."""
    line = f"{name}{value}"
    return is_text(value) and bool(name) and line.isascii() and line.isprintable()


def is_text(value: Any) -> bool:
    """Whether it is a text or a whole number, which may stand for one."""
    return isinstance(value, str | int) and not isinstance(value, bool)
