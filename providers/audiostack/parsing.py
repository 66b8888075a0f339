"""What AudioStack says, put into our words: states of voices and files, discarded files, refusals.

Tolerant on purpose: the page shows no answer at all; it names two fields, `status` and `discardedFiles`, and one
status, “succeeded”. Every other word is our guess, and what is not understood stays in the raw answer.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from providers.errors import OutcomeUnknown, ProviderRejected, ResponseUnreadable
from providers.parsing import number, plain
from providers.types import BuildReport, RecordingReport, RemoteStatus

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
# A state has at least one of these; with none of them it is something else.
OF_A_STATE = ("status", "alias", "discardedFiles")
REASONS = ("reason", "error", "errors", "message", "details")
FILE_IDS = ("fileId", "file_id", "id")
NO_REASON = "AudioStack gives no reason."
WHERE_SOUND_IS = ("url", "audioUrl", "previewUrl")


def words_of(answer: Mapping[str, Any]) -> str:
    """The words of a refusal: `message`, with `errors` (texts) or `details` (texts or one)."""
    return "; ".join(words for name in ("message", "errors", "details") if (words := plain(answer.get(name))))


def refuses(answer: Mapping[str, Any]) -> bool:
    """Whether an answer of 2xx says no all the same, by the status in its envelope."""
    return (number(answer.get("statusCode")) or 0) >= 400


def id_of(told: Any) -> str:
    """An id as it came; empty where there is none that could be one."""
    return str(told) if isinstance(told, str | int) and told else ""


def file_status_of(answer: Mapping[str, Any]) -> str:
    """Where a file is, in lower case. Raises ProviderRejected for one that came to nothing."""
    status = plain(answer.get("status")).lower()
    if STATUSES.get(status) is RemoteStatus.FAILED:
        raise ProviderRejected("look at file", f"AudioStack did not take the file: {_issue(answer) or status}")
    return status


def report_of(answer: Mapping[str, Any], alias: str) -> BuildReport | None:
    """The voice of this alias; None where the answer has none. Raises ResponseUnreadable for something else."""
    data = answer.get("data", answer)
    if "data" in answer and not data:
        return None
    state = _state(data, alias)
    if state is None:
        raise ResponseUnreadable("fetch voice", "no voice in the answer")
    if plain(state.get("alias", alias)) != alias:
        return None
    raw = plain(state.get("status"))
    status = STATUSES.get(raw.lower(), RemoteStatus.UNKNOWN)
    return BuildReport(
        remote_id=alias,
        name=alias,
        status=status,
        raw_status=raw[:60],
        mark=f"{raw} {plain(state.get('updatedAt'))}"[:120],
        issue=_issue(state) if status is RemoteStatus.FAILED else "",
        recordings=tuple(_discarded(state.get("discardedFiles"))),
        raw=dict(state),
    )


def accepted(answer: Mapping[str, Any], alias: str) -> BuildReport:
    """What the answer to the call that makes a voice says. Raises OutcomeUnknown where it does not say that it does.

    The page has the status of that answer, 202, and not its body.
    """
    with suppress(ResponseUnreadable):
        if (report := report_of(answer, alias)) and report.raw_status:
            return report
    if not 200 <= (number(answer.get("statusCode")) or 0) < 300:
        raise OutcomeUnknown("create voice", "nothing in the answer says that the voice is being created")
    return BuildReport(remote_id=alias, name=alias, status=RemoteStatus.TRAINING, raw_status="", raw=dict(answer))


def sound_address(answer: Mapping[str, Any]) -> str:
    """Where a preview's sound lies. Raises ResponseUnreadable where the answer does not tell."""
    parts = [part for part in (answer, answer.get("data")) if isinstance(part, Mapping)]
    for address in (part.get(name) for part in parts for name in WHERE_SOUND_IS):
        if isinstance(address, str):
            return address
    raise ResponseUnreadable("preview", "no audio in the answer")


def _state(data: Any, alias: str) -> Mapping[str, Any] | None:
    """A state, also in a list or under `state`."""
    if isinstance(data, list):
        states = [item for item in data if isinstance(item, Mapping)]
        data = next((item for item in states if item.get("alias") == alias), states[0] if states else None)
    if isinstance(data, Mapping) and isinstance(data.get("state"), Mapping):
        data = data["state"]
    return data if isinstance(data, Mapping) and any(name in data for name in OF_A_STATE) else None


def _issue(state: Mapping[str, Any]) -> str:
    return next((words for name in REASONS if (words := plain(state.get(name)))), "")


def _discarded(told: Any) -> Iterator[RecordingReport]:
    """The files that were not used: a list of ids with reasons, of bare ids, or a mapping of the one to the other."""
    if isinstance(told, Mapping):
        told = [{"fileId": file_id, "reason": reason} for file_id, reason in told.items()]
    for item in told if isinstance(told, list) else ():
        known = item if isinstance(item, Mapping) else {"fileId": item}
        file_id = next((found for name in FILE_IDS if (found := id_of(known.get(name)))), "")
        if file_id:
            yield RecordingReport(remote_id=file_id, discarded=_issue(known) or NO_REASON)
