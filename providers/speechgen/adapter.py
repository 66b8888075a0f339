"""Speechgen. Source: speechgen.app/api-docs, “Voice Cloning”, and for speech “Text to Speech” beside it.

One multipart call sends the file and makes the model; it trains at once, and the page advises to poll every 5 seconds.
A model has two ids: `model_id` from the start, by which it is asked for and deleted, and once it is ready `voice_id`,
by which it speaks. No call has an idempotency key, and GET /models is named without its shape, so a lost answer is
settled by a person. Samples of the new voice come with the answer to the first call only.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from providers.connections import held
from providers.errors import NotFound, OutcomeUnknown, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.parsing import LONGEST_WORDS, plain
from providers.speechgen.capabilities import TIERS
from providers.types import BuildReport, BuildSpec, Capabilities, Journal, Sample, Sound, Tier
from providers.types import RemoteStatus as Status

STATUSES = {"processing": Status.TRAINING, "ready": Status.READY, "failed": Status.FAILED}
DESCRIPTION = "Made by VoiceHub"
# Where a list of models may lie; the vendor does not say.
LISTS = ("models", "data", "items", "results")
MOST_SAMPLES = 20
# Where a failed model may say why; the vendor does not say.
REASONS = ("failure_reason", "error", "reason", "message")


class Speechgen(HttpProvider):
    slug = "speechgen"
    label = "Speechgen"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    live_url = "https://api.speechgen.com/v1"
    sandbox_path = "/speechgen/v1"

    def words_of(self, answer: Mapping[str, Any]) -> str:
        return words_of(answer.get("error"))

    def refuses(self, answer: Mapping[str, Any]) -> bool:
        # A model that failed may carry an error of its own, and is an answer all the same.
        return bool(answer.get("error")) and not id_of(answer)

    def check_key(self) -> None:
        self.call_json("check key", "/models")

    def _submit(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        return self.fetch_build(spec.remote_id) if spec.remote_id else self._create(spec, journal)

    def _create(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.parcel is None:
            self.unsupported("submit without the one file")
        journal.progress("Preparing the file", 0, 0)
        parcel = held(spec.parcel())
        journal.progress("Sending the file", 0, parcel.size)
        journal.about_to("create")
        fields = {"name": spec.reference, "description": DESCRIPTION, "enhance_quality": "true"}
        moved = partial(journal.progress, "Sending the file")
        answer = self.post_form("create voice", "/voice-clone", "audio", parcel, fields, moved)
        # An answer without an id is as good as lost: the model may be there.
        if not (remote_id := id_of(answer)):
            raise OutcomeUnknown("create voice", "no model_id in the answer")
        journal.voice(remote_id)
        return report_of(answer)

    def fetch_build(self, remote_id: str) -> BuildReport:
        return report_of(self._model(remote_id))

    def list_voices(self) -> Iterator[BuildReport]:
        """The models on the first page of the list, if it has pages: the vendor names none."""
        return (report_of(model) for model in models_in(self.call_json("list voices", "/models")))

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        try:
            return self.call("delete voice", "DELETE", _at(remote_id), may_be_empty=True)
        except NotFound:  # gone already, which is what is wanted
            return {}

    def preview(self, remote_id: str, text: str) -> Sound:
        voice = self._model(remote_id).get("voice_id")
        if not isinstance(voice, str) or not voice:
            raise ProviderRejected("preview", "The model has no voice to speak with yet.")
        body = {"text": text, "voice": voice, "format": "wav"}
        return self.call_sound("preview", "POST", "/text-to-speech", json=body)

    def _model(self, remote_id: str) -> dict[str, Any]:
        answer = self.call("fetch voice", "GET", _at(remote_id))
        if not id_of(answer):
            raise ResponseUnreadable("fetch voice", "no model_id in the answer")
        return answer


ADAPTER = Speechgen


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


def _at(remote_id: str) -> str:
    return f"/models/{quote(remote_id, safe='')}"
