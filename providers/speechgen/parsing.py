"""Parsing of Speechgen responses: models, lists of models, samples, errors.

The vendor's page shows the response of the call that creates a model, and one model. It does not show a list of models.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.errors import ResponseUnreadable
from providers.parsing import MAX_TEXT_LENGTH, flatten_text, parse_count, parse_number, parse_time
from providers.types import BuildReport, Sample
from providers.types import RemoteStatus as Status

STATUSES = {"processing": Status.TRAINING, "ready": Status.READY, "failed": Status.FAILED}
# Fields that may hold a list of models; the vendor does not document the field.
LIST_FIELDS = ("models", "data", "items", "results")
MAX_SAMPLES = 20
MAX_TRAINING_SECONDS = 30 * 24 * 3600.0  # an expected duration above this is an error of the vendor
# Fields that may hold a failed model's reason; the vendor does not document the field.
REASON_FIELDS = ("failure_reason", "error", "reason", "message")


def parse_error_text(error: Any) -> str:
    """The text of an error `{"code", "message", "param"?}`. An error in any other form becomes text as it is."""
    if not isinstance(error, Mapping):
        return flatten_text(error)
    words = flatten_text(error.get("message") or error.get("code") or dict(error))
    return f"{words} ({flatten_text(error['param'])})" if error.get("param") else words


def parse_id(model: Mapping[str, Any]) -> str:
    """The model_id, or an empty text if the value cannot be an id."""
    value = model.get("model_id")
    return str(value) if isinstance(value, str | int) and value else ""


def parse_models(response: Any) -> list[Mapping[str, Any]]:
    """The models of a list, at the top level or in a field. Raises ResponseUnreadable if there is no list."""
    while isinstance(response, Mapping):
        response = next(
            (response[name] for name in LIST_FIELDS if isinstance(response.get(name), list | Mapping)), None
        )
    if not isinstance(response, list):
        raise ResponseUnreadable("list voices", "no models in the response")
    return [model for model in response if isinstance(model, Mapping) and parse_id(model)]


def parse_report(model: Mapping[str, Any]) -> BuildReport:
    """A model as the API describes it, also in the response that created it."""
    raw = flatten_text(model.get("status"))
    status = STATUSES.get(raw.lower(), Status.UNKNOWN)
    failed = status is Status.FAILED
    return BuildReport(
        remote_id=parse_id(model),
        name=flatten_text(model.get("name")),
        status=status,
        raw_status=raw[:60],
        version=raw[:120],
        issue=next((words for name in REASON_FIELDS if (words := parse_error_text(model.get(name)))), "")
        if failed
        else "",
        samples=parse_samples(model.get("samples")),
        created_at=parse_time(model.get("created_at")),
        expected_at=parse_expected_end(model) if status is Status.TRAINING else None,
        usage_count=parse_count(model.get("usage_count")),
        raw=dict(model),
    )


def parse_expected_end(model: Mapping[str, Any]) -> datetime | None:
    """When the training should end. One page of the vendor has the time, another the seconds until then."""
    seconds = parse_number(model.get("estimated_time"))
    if seconds is None or not 0 <= seconds <= MAX_TRAINING_SECONDS:
        return parse_time(model.get("estimated_completion"))
    return parse_time(model.get("estimated_completion")) or datetime.now(UTC) + timedelta(seconds=seconds)


def parse_samples(value: Any) -> tuple[Sample, ...]:
    """The first samples that have an address. Each is later fetched and stored."""
    items = [item for item in value[:MAX_SAMPLES] if isinstance(item, Mapping)] if isinstance(value, list) else []
    found = ((item, item.get("audio_url")) for item in items)
    return tuple(
        Sample(flatten_text(item.get("title")), flatten_text(item.get("text")), url)
        for item, url in found
        if isinstance(url, str) and 0 < len(url) <= MAX_TEXT_LENGTH
    )
