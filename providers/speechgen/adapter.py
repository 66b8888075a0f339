"""Speechgen. Source: speechgen.app/api-docs, “Voice Cloning”, and for speech “Text to Speech” beside it.

One multipart call sends the file and creates the model. It trains at once, and the page advises polling it every
5 seconds. A model has two ids: `model_id` from the start, to fetch and delete it, and `voice_id` once it is ready, to
generate speech. No call has an idempotency key, and the response of GET /models is not documented, so a person resolves
a lost response. Only the response that creates a model has samples of the new voice.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from providers.connections import load_into_memory
from providers.errors import NotFound, OutcomeUnknown, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.journal import Journal
from providers.responses import read_json_container, read_sound
from providers.speechgen.capabilities import DATA_USE, DESCRIPTION, ENHANCE_QUALITY, TIERS
from providers.speechgen.parsing import parse_error_text, parse_id, parse_models, parse_report
from providers.types import BuildReport, BuildSpec, Capabilities, Sound, Tier


class Speechgen(HttpProvider):
    slug = "speechgen"
    label = "Speechgen"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    data_use = DATA_USE
    live_url = "https://api.speechgen.com/v1"
    sandbox_path = "/speechgen/v1"

    def parse_error_text(self, response: Mapping[str, Any]) -> str:
        return parse_error_text(response.get("error"))

    def is_refusal(self, response: Mapping[str, Any]) -> bool:
        # A failed model may have an error of its own; the response is valid all the same.
        return bool(response.get("error")) and not parse_id(response)

    def check_key(self) -> None:
        self.call("check key", "GET", "/models", read=read_json_container)

    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        return self.fetch_build(spec.remote_id) if spec.remote_id else self._create_voice(spec, journal)

    def _create_voice(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.pack_file is None:
            self.raise_unsupported("submit without the one file")
        journal.record_progress("Preparing the file", 0, 0)
        upload = load_into_memory(spec.pack_file())
        journal.record_progress("Sending the file", 0, upload.size)
        journal.before_call("create")
        is_enhanced = spec.options.get(ENHANCE_QUALITY.name, ENHANCE_QUALITY.default)
        fields = {
            "name": spec.reference,
            "description": str(spec.options.get(DESCRIPTION.name, DESCRIPTION.default)),
            "enhance_quality": "true" if is_enhanced else "false",
        }
        on_progress = partial(journal.record_progress, "Sending the file")
        response = self.post_form("create voice", "/voice-clone", "audio", upload, fields, on_progress)
        # A response without an id counts as lost: the model may exist.
        if not (remote_id := parse_id(response)):
            raise OutcomeUnknown("create voice", "no model_id in the response")
        journal.record_voice(remote_id)
        return parse_report(response)

    def fetch_build(self, remote_id: str) -> BuildReport:
        return parse_report(self._fetch_model(remote_id))

    def list_voices(self) -> Iterator[BuildReport]:
        """The models on the first page of the list. The vendor documents no pages."""
        response = self.call("list voices", "GET", "/models", read=read_json_container)
        return (parse_report(model) for model in parse_models(response))

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        try:
            return self.call("delete voice", "DELETE", _build_model_path(remote_id), may_be_empty=True)
        except NotFound:  # already deleted
            return {}

    def generate_preview(self, remote_id: str, text: str) -> Sound:
        voice = self._fetch_model(remote_id).get("voice_id")
        if not isinstance(voice, str) or not voice:
            raise ProviderRejected("preview", "The model has no voice yet. Try again when the build is ready.")
        body = {"text": text, "voice": voice, "format": "wav"}
        return self.call("preview", "POST", "/text-to-speech", json=body, read=read_sound)

    def _fetch_model(self, remote_id: str) -> dict[str, Any]:
        response = self.call("fetch voice", "GET", _build_model_path(remote_id))
        if not parse_id(response):
            raise ResponseUnreadable("fetch voice", "no model_id in the response")
        return response


ADAPTER = Speechgen


def _build_model_path(remote_id: str) -> str:
    return f"/models/{quote(remote_id, safe='')}"
