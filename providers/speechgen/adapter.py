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

    def words_of(self, answer: Mapping[str, Any]) -> str:
        return words_of(answer.get("error"))

    def refuses(self, answer: Mapping[str, Any]) -> bool:
        # A model that failed may carry an error of its own, and is an answer all the same.
        return bool(answer.get("error")) and not id_of(answer)

    def check_key(self) -> None:
        self.call("check key", "GET", "/models", read=json_object_or_array)

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
        answer = self.call("list voices", "GET", "/models", read=json_object_or_array)
        return (report_of(model) for model in models_in(answer))

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
        return self.call("preview", "POST", "/text-to-speech", json=body, read=sound)

    def _model(self, remote_id: str) -> dict[str, Any]:
        answer = self.call("fetch voice", "GET", _at(remote_id))
        if not id_of(answer):
            raise ResponseUnreadable("fetch voice", "no model_id in the answer")
        return answer


ADAPTER = Speechgen


def _at(remote_id: str) -> str:
    return f"/models/{quote(remote_id, safe='')}"
