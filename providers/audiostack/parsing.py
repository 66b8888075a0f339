"""AudioStack responses, converted to VoiceHub's types: states of voices and files, discarded files, refusals.

Parsing is lenient, because the vendor's page shows no response. It only names two fields, `status` and
`discardedFiles`, and one status, “succeeded”. Every other name is our guess. Unknown data stays in the raw response.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from providers.errors import OutcomeUnknown, ProviderRejected, ResponseUnreadable
from providers.parsing import flatten_text, parse_number
from providers.types import BuildReport, RecordingReport, RemoteStatus
from providers.usage import Usage

STATUSES = {
    "succeeded": RemoteStatus.READY,
    "failed": RemoteStatus.FAILED,
    "error": RemoteStatus.FAILED,
    "processing": RemoteStatus.TRAINING,
    "pending": RemoteStatus.TRAINING,
    "queued": RemoteStatus.TRAINING,
    "running": RemoteStatus.TRAINING,
    "in_progress": RemoteStatus.TRAINING,
}
# An object with at least one of these fields is the state of a voice.
STATE_FIELDS = ("status", "alias", "discardedFiles")
REASON_FIELDS = ("reason", "error", "errors", "message", "details")
FILE_ID_FIELDS = ("fileId", "file_id", "id")
NO_REASON = "AudioStack gave no reason."
SOUND_ADDRESS_FIELDS = ("url", "audioUrl", "previewUrl")


def parse_error_text(response: Mapping[str, Any]) -> str:
    """The text of a refusal: `message`, with `errors` (a list) or `details` (a list or a text)."""
    return "; ".join(words for name in ("message", "errors", "details") if (words := flatten_text(response.get(name))))


def is_refusal(response: Mapping[str, Any]) -> bool:
    """Whether a 2xx response is a refusal, by the status in its envelope."""
    return (parse_number(response.get("statusCode")) or 0) >= 400


def parse_usage(response: Mapping[str, Any]) -> Usage:
    """The credits that are left, as every response says under `metadata`; the vendor's client reads `meta`."""
    fields = [response[name] for name in ("metadata", "meta") if isinstance(response.get(name), Mapping)]
    found = (parse_number(values.get("creditsRemaining")) for values in fields)
    return Usage(unit="credits", remaining=next((number for number in found if number is not None), None))


def parse_id(value: Any) -> str:
    """The id, or an empty text if the value cannot be an id."""
    return str(value) if isinstance(value, str | int) and value else ""


def parse_file_status(response: Mapping[str, Any]) -> str:
    """The file's status in lower case. Raises ProviderRejected if the provider did not accept the file."""
    status = flatten_text(response.get("status")).lower()
    if STATUSES.get(status) is RemoteStatus.FAILED:
        raise ProviderRejected("look at file", f"AudioStack did not accept the file: {_find_issue(response) or status}")
    return status


def parse_report(response: Mapping[str, Any], alias: str) -> BuildReport | None:
    """The voice with this alias; None if the response has no such voice. Raises ResponseUnreadable for any other."""
    data = response.get("data", response)
    if "data" in response and not data:
        return None
    state = _find_state(data, alias)
    if state is None:
        raise ResponseUnreadable("fetch voice", "no voice in the response")
    if flatten_text(state.get("alias", alias)) != alias:
        return None
    raw = flatten_text(state.get("status"))
    status = STATUSES.get(raw.lower(), RemoteStatus.UNKNOWN)
    return BuildReport(
        remote_id=alias,
        name=alias,
        status=status,
        raw_status=raw[:60],
        version=f"{raw} {flatten_text(state.get('updatedAt'))}"[:120],
        issue=_find_issue(state) if status is RemoteStatus.FAILED else "",
        recordings=tuple(_parse_discarded_files(state.get("discardedFiles"))),
        raw=dict(state),
    )


def parse_create_response(response: Mapping[str, Any], alias: str) -> BuildReport:
    """Parse the response of the call that creates a voice. Raises OutcomeUnknown if it does not confirm the creation.

    The page documents the status of that response, 202, but not its body.
    """
    with suppress(ResponseUnreadable):
        if (report := parse_report(response, alias)) and report.raw_status:
            return report
    if not 200 <= (parse_number(response.get("statusCode")) or 0) < 300:
        raise OutcomeUnknown("create voice", "nothing in the response says that the voice is being created")
    return BuildReport(remote_id=alias, name=alias, status=RemoteStatus.TRAINING, raw_status="", raw=dict(response))


def find_sound_address(response: Mapping[str, Any]) -> str:
    """The address of a preview's sound. Raises ResponseUnreadable if the response has none."""
    parts = [part for part in (response, response.get("data")) if isinstance(part, Mapping)]
    for address in (part.get(name) for part in parts for name in SOUND_ADDRESS_FIELDS):
        if isinstance(address, str):
            return address
    raise ResponseUnreadable("preview", "no audio in the response")


def _find_state(data: Any, alias: str) -> Mapping[str, Any] | None:
    """The state of a voice: `data` itself, an item of a list, or the value of `state`."""
    if isinstance(data, list):
        states = [item for item in data if isinstance(item, Mapping)]
        data = next((item for item in states if item.get("alias") == alias), states[0] if states else None)
    if isinstance(data, Mapping) and isinstance(data.get("state"), Mapping):
        data = data["state"]
    return data if isinstance(data, Mapping) and any(name in data for name in STATE_FIELDS) else None


def _find_issue(state: Mapping[str, Any]) -> str:
    return next((words for name in REASON_FIELDS if (words := flatten_text(state.get(name)))), "")


def _parse_discarded_files(value: Any) -> Iterator[RecordingReport]:
    """The files that were not used: a list of ids with reasons, a list of ids, or a mapping of id to reason."""
    if isinstance(value, Mapping):
        value = [{"fileId": file_id, "reason": reason} for file_id, reason in value.items()]
    for item in value if isinstance(value, list) else ():
        known = item if isinstance(item, Mapping) else {"fileId": item}
        file_id = next((found for name in FILE_ID_FIELDS if (found := parse_id(known.get(name)))), "")
        if file_id:
            yield RecordingReport(remote_id=file_id, discard_reason=_find_issue(known) or NO_REASON)
