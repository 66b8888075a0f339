"""Reading what Speechgen answers: models, lists of them, samples, errors.

The page shows the answer to the call that makes a model, and one model; the shape of a list is not stated.
"""

from collections.abc import Mapping
from typing import Any

from providers.errors import ResponseUnreadable
from providers.parsing import LONGEST_WORDS, plain
from providers.types import BuildReport, Sample
from providers.types import RemoteStatus as Status

STATUSES = {"processing": Status.TRAINING, "ready": Status.READY, "failed": Status.FAILED}
# Where a list of models may lie; the vendor does not say.
LISTS = ("models", "data", "items", "results")
MOST_SAMPLES = 20
# Where a failed model may say why; the vendor does not say.
REASONS = ("failure_reason", "error", "reason", "message")


def words_of(error: Any) -> str:
    """The words of `{"code", "message", "param"?}`; an error in any other form as it is."""
    if not isinstance(error, Mapping):
        return plain(error)
    words = plain(error.get("message") or error.get("code") or dict(error))
    return f"{words} ({plain(error['param'])})" if error.get("param") else words


def id_of(model: Mapping[str, Any]) -> str:
    """Its model_id; empty where there is none that could be one."""
    told = model.get("model_id")
    return str(told) if isinstance(told, str | int) and told else ""


def models_in(answer: Any) -> list[Mapping[str, Any]]:
    """The models of a list, bare or under a name. Raises ResponseUnreadable where there is no list."""
    while isinstance(answer, Mapping):
        answer = next((answer[name] for name in LISTS if isinstance(answer.get(name), list | Mapping)), None)
    if not isinstance(answer, list):
        raise ResponseUnreadable("list voices", "no models in the answer")
    return [model for model in answer if isinstance(model, Mapping) and id_of(model)]


def report_of(model: Mapping[str, Any]) -> BuildReport:
    """A model as the API describes it, also as the answer that made it."""
    raw = plain(model.get("status"))
    status = STATUSES.get(raw.lower(), Status.UNKNOWN)
    failed = status is Status.FAILED
    return BuildReport(
        remote_id=id_of(model),
        name=plain(model.get("name")),
        status=status,
        raw_status=raw[:60],
        mark=raw[:120],
        issue=next((words for name in REASONS if (words := words_of(model.get(name)))), "") if failed else "",
        samples=samples_of(model.get("samples")),
        raw=dict(model),
    )


def samples_of(told: Any) -> tuple[Sample, ...]:
    """The first samples that have an address: each is fetched and kept."""
    items = [item for item in told[:MOST_SAMPLES] if isinstance(item, Mapping)] if isinstance(told, list) else []
    found = ((item, item.get("audio_url")) for item in items)
    return tuple(
        Sample(plain(item.get("title")), plain(item.get("text")), url)
        for item, url in found
        if isinstance(url, str) and 0 < len(url) <= LONGEST_WORDS
    )
