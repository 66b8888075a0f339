"""What Resemble AI says, put into our words: statuses, scores, reports per recording, callbacks.

Tolerant on purpose: the vendor's own sample callback is broken JSON, spells SI-SDR `si_dr_score`, and no page lists all
statuses. What is not understood stays in the raw answer.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from providers.errors import ProviderError, ResponseUnreadable
from providers.parsing import first_number, flag, number, plain, sound_of, storable
from providers.types import BuildReport, RecordingReport, RemoteStatus, Sound

# The union of what the pages and the official clients attest.
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
# They stand on the page of version 1; version 2 does not say where. Read wherever they are found.
SCORES = ("voice_similarity", "fluency", "pauses", "resemble_score")
# How a line ends that holds a whole value, and what stands for "and so on" after one.
VALUE = re.compile(r'(?:["\d\]}]|true|false|null)$')
AND_SO_ON = re.compile(r"([\]}]),? ?\.\.\.,?")
# Where a refusal has its words; a success may have a message too.
WORDS = ("message", "errors", "error", "validation_errors")


def report_of(voice: Mapping[str, Any], recordings: Iterable[Any] = ()) -> BuildReport:
    """A voice as the API describes it, with what is said of its recordings."""
    raw = str(voice.get("status") or "")
    failed = voice.get("dataset_analysis_failure") is True
    scores = voice["scores"] if isinstance(voice.get("scores"), dict) else voice
    return BuildReport(
        remote_id=str(voice.get("uuid", "")),
        name=str(voice.get("name", "")),
        status=RemoteStatus.DATASET_ISSUE if failed else STATUSES.get(raw.lower(), RemoteStatus.UNKNOWN),
        raw_status=raw[:60],
        mark=f"{raw} {voice.get('updated_at', '')}"[:120],
        issue=plain(voice.get("issue")),
        scores={name: value for name in SCORES if (value := number(scores.get(name))) is not None},
        recordings=tuple(recording_of(item) for item in recordings if isinstance(item, dict)),
        raw=dict(voice),
    )


def recording_of(item: Mapping[str, Any]) -> RecordingReport:
    """One recording, from a callback or from the list, which keeps its numbers under `metrics`."""
    metrics = item.get("metrics")
    measured = {**item, **(metrics if isinstance(metrics, dict) else {})}
    return RecordingReport(
        remote_id=str(item.get("uuid", "")),
        name=str(item.get("name", "")),
        transcript=str(item.get("transcript") or item.get("text") or ""),
        stoi=first_number(measured, "stoi_score"),
        pesq=first_number(measured, "pesq_score"),
        si_sdr=first_number(measured, "si_dr_score", "si_sdr_score"),
        sample_score=first_number(measured, "resemble_sample_score"),
        is_active=flag(item.get("is_active")),
        is_outlier=flag(item.get("is_outlier")),
        is_silent=flag(item.get("is_silent")),
    )


def item_of(
    answer: Mapping[str, Any], operation: str, otherwise: type[ProviderError] = ResponseUnreadable
) -> dict[str, Any]:
    """The voice or recording of an answer; raises `otherwise` where there is none with an id."""
    item = answer.get("item")
    if not isinstance(item, dict) or not item.get("uuid"):
        raise otherwise(operation, "no item in the answer")
    return item


def spoken_in(answer: Mapping[str, Any]) -> Sound:
    """The sound of a preview. Raises ResponseUnreadable where there is none."""
    try:
        return sound_of("preview", base64.b64decode(answer["audio_content"], validate=True))
    except (KeyError, ValueError, TypeError):
        raise ResponseUnreadable("preview", "no audio in the answer") from None


def callback_of(body: bytes) -> BuildReport:
    """What a callback says. Raises ResponseUnreadable when not even mending makes JSON of it."""
    text = body.decode("utf-8", "replace")
    for candidate in (text, _mended(text)):
        try:
            said = storable(json.loads(candidate))
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            recordings = said.get("recordings")
            return report_of({**said, "uuid": said.get("id", "")}, recordings if isinstance(recordings, list) else ())
    raise ResponseUnreadable("callback", "not a JSON object")


def _mended(text: str) -> str:
    """The vendor's own sample put right: commas missing at the end of lines, and `...` for what is left out."""
    stripped = (line.strip() for line in AND_SO_ON.sub(r"\1", text).splitlines())
    lines = [line for line in stripped if line.strip(",") not in ("", "...")]
    return "\n".join(_joined(line, following) for line, following in pairwise([*lines, ""]))


def _joined(line: str, following: str) -> str:
    """A line with the comma that it needs before the one that follows, or without the one that it must not have."""
    if following.startswith(("}", "]")):
        return line.rstrip(",")
    missing = VALUE.search(line) and following.startswith(('"', "{"))
    return f"{line}," if missing else line


def refuses(answer: Mapping[str, Any]) -> bool:
    """Whether an answer of 2xx says no all the same: by `success`, or by what only a refusal carries."""
    success = flag(answer.get("success"))
    return success is False or (success is None and any(answer.get(name) for name in WORDS[1:]))


def words_of(answer: Mapping[str, Any]) -> str:
    """The words of a refusal. The field differs from page to page."""
    return plain(next((answer[name] for name in WORDS if answer.get(name)), ""))
