"""Parsing of Voice.ai responses: voices, their visibility, and errors in its own form or in FastAPI's."""

from collections.abc import Mapping
from typing import Any

from providers.errors import ProviderError, ResponseUnreadable
from providers.parsing import flatten_text
from providers.types import BuildReport, Visibility
from providers.types import RemoteStatus as Status

STATUSES = {
    "pending": Status.TRAINING,
    "processing": Status.TRAINING,
    "available": Status.READY,
    "failed": Status.FAILED,
}
DELETED_STATUS = "deleted"
"""The status that a soft-deleted voice would have. No page shows such a voice; the official client expects a 404."""

VISIBILITIES = {"private": Visibility.PRIVATE, "public": Visibility.PUBLIC}


def parse_error_text(response: Mapping[str, Any]) -> str:
    """`error` and `detail`, where `detail` may be FastAPI's list of field errors."""
    texts = [flatten_text(response.get("error")), parse_detail(response.get("detail"))]
    return ": ".join(dict.fromkeys(text for text in texts if text))


def is_refusal(response: Mapping[str, Any]) -> bool:
    """Whether the response has an error and no voice. With a voice, `error` may be the reason why the voice failed."""
    return bool(response.get("error")) and not response.get("voice_id")


def parse_report(
    voice: Mapping[str, Any], operation: str, error_class: type[ProviderError] = ResponseUnreadable
) -> BuildReport:
    """A voice as the API describes it; raises `error_class` if it has no id."""
    remote_id, raw = parse_id(voice), flatten_text(voice.get("status"))
    if not remote_id:
        raise error_class(operation, "no voice_id in the response")
    status = STATUSES.get(raw.lower(), Status.UNKNOWN)
    return BuildReport(
        remote_id=remote_id,
        name=flatten_text(voice.get("name")),
        status=status,
        raw_status=raw[:60],
        version=raw[:120],
        issue=_find_failure_reason(voice) if status is Status.FAILED else "",
        visibility=parse_visibility(voice),
        raw=dict(voice),
    )


def parse_id(voice: Mapping[str, Any]) -> str:
    given = voice.get("voice_id")
    return str(given) if given and isinstance(given, str | int) and given is not True else ""


def parse_visibility(voice: Mapping[str, Any]) -> Visibility | None:
    return VISIBILITIES.get(flatten_text(voice.get("voice_visibility")).lower())


def _find_failure_reason(voice: Mapping[str, Any]) -> str:
    """The reason of a failed voice. No page documents its field, so all fields of this vendor's errors are read."""
    return ": ".join(words for name in ("error", "detail", "message") if (words := parse_detail(voice.get(name))))


def parse_detail(value: Any) -> str:
    """Plain text, or FastAPI's `[{"loc": ["body", "name"], "msg": …, "type": …}]` as “name: …”."""
    if not isinstance(value, list):
        return flatten_text(value)
    return flatten_text(
        [_format_field_error(field_error) if isinstance(field_error, dict) else field_error for field_error in value]
    )


def _format_field_error(field_error: Mapping[str, Any]) -> str:
    location = field_error.get("loc")
    field = flatten_text(location[-1]) if isinstance(location, list) and location else flatten_text(location)
    return ": ".join(words for words in (field, flatten_text(field_error.get("msg"))) if words)
