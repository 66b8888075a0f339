"""Speechgen. Source: speechgen.app/api-docs, “Voice Cloning”, and for speech “Text to Speech” beside it.

One multipart call sends the file and creates the model. It trains at once, and the page advises a poll every 5
seconds. A model has two ids: `model_id` from the start, to fetch and delete it, and `voice_id` once it is ready, to
generate speech. No call has an idempotency key, and the response of GET /models is not documented, so a person resolves
a lost response. Only the response to the first call has samples of the new voice.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from providers.answers import json_object_or_array, sound
from providers.connections import held
from providers.errors import NotFound, OutcomeUnknown, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.speechgen.capabilities import TIERS
from providers.speechgen.parsing import id_of, models_in, report_of, words_of
from providers.types import BuildReport, BuildSpec, Capabilities, Journal, Sound, Tier

DESCRIPTION = "Made by VoiceHub"


class Speechgen(HttpProvider):
    slug = "speechgen"
    label = "Speechgen"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    live_url = "https://api.speechgen.com/v1"
    sandbox_path = "/speechgen/v1"

    def words_of(self, response: Mapping[str, Any]) -> str:
        return words_of(response.get("error"))

    def refuses(self, response: Mapping[str, Any]) -> bool:
        # A failed model may have an error of its own; the response is valid all the same.
        return bool(response.get("error")) and not id_of(response)

    def check_key(self) -> None:
        self.call("check key", "GET", "/models", read=json_object_or_array)

    def _submit(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        return self.fetch_build(spec.remote_id) if spec.remote_id else self._create(spec, journal)

    def _create(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.parcel is None:
            self.unsupported("submit without the one file")
        journal.progress("Preparing the file", 0, 0)
        upload = held(spec.parcel())
        journal.progress("Sending the file", 0, upload.size)
        journal.about_to("create")
        fields = {"name": spec.reference, "description": DESCRIPTION, "enhance_quality": "true"}
        on_progress = partial(journal.progress, "Sending the file")
        response = self.post_form("create voice", "/voice-clone", "audio", upload, fields, on_progress)
        # A response without an id counts as lost: the model may exist.
        if not (remote_id := id_of(response)):
            raise OutcomeUnknown("create voice", "no model_id in the response")
        journal.voice(remote_id)
        return report_of(response)

    def fetch_build(self, remote_id: str) -> BuildReport:
        return report_of(self._model(remote_id))

    def list_voices(self) -> Iterator[BuildReport]:
        """The models on the first page of the list. The vendor documents no pages."""
        response = self.call("list voices", "GET", "/models", read=json_object_or_array)
        return (report_of(model) for model in models_in(response))

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        try:
            return self.call("delete voice", "DELETE", _at(remote_id), may_be_empty=True)
        except NotFound:  # already deleted
            return {}

    def preview(self, remote_id: str, text: str) -> Sound:
        voice = self._model(remote_id).get("voice_id")
        if not isinstance(voice, str) or not voice:
            raise ProviderRejected("preview", "The model has no voice yet. Try again when the build is ready.")
        body = {"text": text, "voice": voice, "format": "wav"}
        return self.call("preview", "POST", "/text-to-speech", json=body, read=sound)

    def _model(self, remote_id: str) -> dict[str, Any]:
        response = self.call("fetch voice", "GET", _at(remote_id))
        if not id_of(response):
            raise ResponseUnreadable("fetch voice", "no model_id in the response")
        return response


ADAPTER = Speechgen


def _at(remote_id: str) -> str:
    return f"/models/{quote(remote_id, safe='')}"
