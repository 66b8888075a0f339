"""Resemble AI responses, converted to VoiceHub's types: statuses, scores, reports per recording, callbacks.

Parsing is lenient: the vendor's own sample callback is broken JSON and spells SI-SDR `si_dr_score`, and no page lists
all statuses. Unknown data stays in the raw response.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from providers.errors import ProviderError, ResponseUnreadable
from providers.parsing import (
    find_first_number,
    flatten_text,
    make_storable,
    parse_boolean,
    parse_count,
    parse_number,
    parse_sound,
    parse_time,
)
from providers.types import BuildReport, RecordingReport, RemoteStatus, Sound
from providers.usage import Usage

# All statuses in the vendor's pages and in its official clients.
STATUSES = {
    "initializing": RemoteStatus.AWAITING_DATA,
    "pending": RemoteStatus.AWAITING_DATA,
    "running": RemoteStatus.TRAINING,
    "finished": RemoteStatus.READY,
    "ready": RemoteStatus.READY,
    "dataset_issue": RemoteStatus.DATASET_ISSUE,
    "consent_validation_failed": RemoteStatus.CONSENT_REJECTED,
    "failed": RemoteStatus.FAILED,
}
LOCKED_STATUS = "locked"
"""Named by one page only, as a status of a voice that can be upgraded. Its meaning is not documented."""
CUSTOM_SOURCE = "Custom Voice"
"""The source of the account's own voices; the vendor's and the marketplace's have others."""
# From the page of version 1. Version 2 does not document where the scores are, so they are read from either place.
SCORE_FIELDS = ("voice_similarity", "fluency", "pauses", "resemble_score")
# The only grade in the vendor's pages is “A”. A longer text is cut off.
GRADE_LENGTH = 20
# The end of a line with a complete value, and an ellipsis after such a value.
VALUE_END = re.compile(r'(?:["\d\]}]|true|false|null)$')
TRAILING_ELLIPSIS = re.compile(r"([\]}]),? ?\.\.\.,?")
# Fields with the text of a refusal. A success may have a message too.
ERROR_FIELDS = ("message", "errors", "error", "validation_errors")


def parse_report(voice: Mapping[str, Any], recordings: Iterable[Any] = ()) -> BuildReport:
    """A voice as the API describes it, with the reports on its recordings."""
    raw = str(voice.get("status") or "")
    failed = voice.get("dataset_analysis_failure") is True
    components = voice.get("component_status")
    scores = voice["scores"] if isinstance(voice.get("scores"), dict) else voice
    return BuildReport(
        remote_id=str(voice.get("uuid", "")),
        name=str(voice.get("name", "")),
        status=RemoteStatus.DATASET_ISSUE if failed else STATUSES.get(raw.lower(), RemoteStatus.UNKNOWN),
        raw_status=raw[:60],
        version=f"{raw} {voice.get('updated_at', '')}"[:120],
        issue=flatten_text(voice.get("issue")),
        scores={name: value for name in SCORE_FIELDS if (value := parse_number(scores.get(name))) is not None},
        recordings=tuple(parse_recording(item) for item in recordings if isinstance(item, dict)),
        created_at=parse_time(voice.get("created_at")),
        is_locked=raw.lower() == LOCKED_STATUS,
        components=parse_components(components) if isinstance(components, Mapping) else {},
        raw=dict(voice),
    )


def parse_components(components: Mapping[str, Any]) -> dict[str, str]:
    """The status of each ability of a voice. One page has `{"status": "ready"}` for each, another the status alone."""
    statuses = {name: part.get("status") if isinstance(part, Mapping) else part for name, part in components.items()}
    return {name[:60]: flatten_text(status)[:60] for name, status in statuses.items() if status}


def parse_usage(teams: Any, billed: Any, since: date, voices: int) -> Usage:
    """The plan and the limit of voices of the account's one team, and the seconds of speech since that day.

    No page says to which of several teams a key belongs. Then their plans and limits say nothing about the account.
    """
    known = [team for team in teams if isinstance(team, Mapping)] if isinstance(teams, list) else []
    team = known[0] if len(known) == 1 else {}
    used = parse_number(billed.get("synth")) if isinstance(billed, Mapping) else None
    return Usage(
        plan=flatten_text(team.get("plan"))[:60],
        unit="s",
        used=used,
        since=since if used is not None else None,
        voices=voices,
        voice_limit=parse_count(team.get("voice_limit")),
    )


def parse_recording(item: Mapping[str, Any]) -> RecordingReport:
    """One recording, from a callback, or from the list, where the numbers are under `metrics`."""
    metrics = item.get("metrics")
    measured = {**item, **(metrics if isinstance(metrics, dict) else {})}
    return RecordingReport(
        remote_id=str(item.get("uuid", "")),
        name=str(item.get("name", "")),
        transcript=str(item.get("transcript") or item.get("text") or ""),
        stoi=find_first_number(measured, "stoi_score"),
        pesq=find_first_number(measured, "pesq_score"),
        si_sdr=find_first_number(measured, "si_dr_score", "si_sdr_score"),
        sample_score=find_first_number(measured, "resemble_sample_score"),
        signal_to_noise_ratio=find_first_number(measured, "signal_to_noise_ratio"),
        loudness_grade=flatten_text(measured.get("loudness_grade"))[:GRADE_LENGTH],
        is_active=parse_boolean(item.get("is_active")),
        is_outlier=parse_boolean(item.get("is_outlier")),
        is_silent=parse_boolean(item.get("is_silent")),
    )


def parse_item(
    response: Mapping[str, Any], operation: str, error_class: type[ProviderError] = ResponseUnreadable
) -> dict[str, Any]:
    """The voice or recording of a response; raises `error_class` if the response has none with an id."""
    item = response.get("item")
    if not isinstance(item, dict) or not item.get("uuid"):
        raise error_class(operation, "no item in the response")
    return item


def parse_preview(response: Mapping[str, Any]) -> Sound:
    """The sound of a preview. Raises ResponseUnreadable if there is none."""
    try:
        return parse_sound("preview", base64.b64decode(response["audio_content"], validate=True))
    except (KeyError, ValueError, TypeError):
        raise ResponseUnreadable("preview", "no audio in the response") from None


def parse_callback(body: bytes) -> BuildReport:
    """The report in a callback. Raises ResponseUnreadable if it is not JSON even after `_fix_json`."""
    text = body.decode("utf-8", "replace")
    for candidate in (text, _fix_json(text)):
        try:
            data = make_storable(json.loads(candidate))
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            recordings = data.get("recordings")
            return parse_report(
                {**data, "uuid": data.get("id", "")}, recordings if isinstance(recordings, list) else ()
            )
    raise ResponseUnreadable("callback", "not a JSON object")


def _fix_json(text: str) -> str:
    """Fix the faults of the vendor's own sample: missing commas at the end of lines, and `...` for omitted parts."""
    stripped = (line.strip() for line in TRAILING_ELLIPSIS.sub(r"\1", text).splitlines())
    lines = [line for line in stripped if line.strip(",") not in ("", "...")]
    return "\n".join(_fix_comma(line, following) for line, following in pairwise([*lines, ""]))


def _fix_comma(line: str, following: str) -> str:
    """The line, with a missing comma added or a trailing one removed, depending on the following line."""
    if following.startswith(("}", "]")):
        return line.rstrip(",")
    missing = VALUE_END.search(line) and following.startswith(('"', "{"))
    return f"{line}," if missing else line


def is_refusal(response: Mapping[str, Any]) -> bool:
    """Whether a 2xx response is a refusal: by `success`, or by fields that only a refusal has."""
    success = parse_boolean(response.get("success"))
    return success is False or (success is None and any(response.get(name) for name in ERROR_FIELDS[1:]))


def parse_error_text(response: Mapping[str, Any]) -> str:
    """The text of a refusal. The vendor's pages disagree on its field."""
    return flatten_text(next((response[name] for name in ERROR_FIELDS if response.get(name)), ""))
