"""Voice.ai. Source: voice.ai/docs, “Clone a voice”, and its API reference, read 2026-11-21.

One call takes one file and creates the voice. Training starts automatically and is polled. A voice is PUBLIC unless the
call says PRIVATE, so every call does, and the resulting visibility is read back. The list of voices has no pages.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from providers.answers import json_array, sound
from providers.connections import held
from providers.errors import NotFound, OutcomeUnknown, ProviderError, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.parsing import flag, plain
from providers.types import BuildReport, BuildSpec, Capabilities, Journal, Parcel, Sound, Tier, Visibility
from providers.voiceai.capabilities import LANGUAGES, TIERS
from providers.voiceai.parsing import GONE, id_of, refuses, report_of, visibility_of, words_of


class VoiceAI(HttpProvider):
    slug = "voiceai"
    label = "Voice.ai"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    live_url = "https://dev.voice.ai/api/v1"
    sandbox_path = "/voiceai/api/v1"

    def words_of(self, response: Mapping[str, Any]) -> str:
        return words_of(response)

    def refuses(self, response: Mapping[str, Any]) -> bool:
        return refuses(response)

    def check_key(self) -> None:
        self.call("check key", "GET", "/tts/voices", read=json_array)

    def _submit(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.remote_id:
            return self.fetch_build(spec.remote_id)  # trains automatically
        if spec.parcel is None:
            self.unsupported("submit without a file")
        language = _language(spec.language)
        journal.progress("Making the file", 0, 0)
        made = self._create(spec.reference, language, held(spec.parcel()), journal)
        try:
            return self.fetch_build(made.remote_id)
        except ProviderError:  # A failed status request must not look like a failed build; the next poll retries.
            return made

    def _create(self, reference: str, language: str, upload: Parcel, journal: Journal) -> BuildReport:
        fields = {"name": reference, "voice_visibility": "PRIVATE", "language": language}
        on_progress = partial(journal.progress, "Sending the file")
        on_progress(0, upload.size)
        journal.about_to("create")
        response = self.post_form("create voice", "/tts/clone-voice", "file", upload, fields, on_progress)
        # A response without an id counts as lost: the voice may exist.
        made = report_of(response, "create voice", OutcomeUnknown)
        journal.voice(made.remote_id)
        return made

    def fetch_build(self, remote_id: str) -> BuildReport:
        report = report_of(self.call("fetch voice", "GET", _at(remote_id)), "fetch voice")
        if report.raw_status.lower() == GONE:
            raise NotFound("fetch voice", "The voice is deleted.")
        return report

    def find_build(self, reference: str) -> BuildReport | None:
        """Raises ResponseUnreadable if the absence of the name proves nothing, because a voice has no name."""
        voices = list(self.list_voices())
        found = next((report for report in voices if report.name == reference), None)
        if found is None and any("name" not in report.raw for report in voices):
            raise ResponseUnreadable("find voice", "a voice without a name in the list")
        return found

    def list_voices(self) -> Iterator[BuildReport]:
        """All voices that may be ours: only a voice explicitly marked as another owner's is excluded."""
        for item in self.call("list voices", "GET", "/tts/voices", read=json_array):
            if isinstance(item, dict) and id_of(item) and flag(item.get("is_owner")) is not False:
                report = report_of(item, "list voices")
                if report.raw_status.lower() != GONE:
                    yield report

    def rename_voice(self, remote_id: str, name: str) -> None:
        self.call("rename voice", "PATCH", _at(remote_id), json={"name": name})

    def set_visibility(self, remote_id: str, visibility: Visibility) -> None:
        """Raises ProviderRejected if the response still shows the other visibility."""
        wanted = {"voice_visibility": visibility.value.upper()}
        response = self.call("change visibility", "PATCH", _at(remote_id), json=wanted)
        if visibility_of(response) not in (None, visibility):
            raise ProviderRejected("change visibility", f"The voice is still {plain(response['voice_visibility'])}.")

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        try:
            return self.call("delete voice", "DELETE", _at(remote_id), may_be_empty=True)
        except NotFound:  # already deleted
            return {}

    def preview(self, remote_id: str, text: str) -> Sound:
        wanted = {"text": text, "voice_id": remote_id, "audio_format": "wav"}
        return self.call("preview", "POST", "/tts/speech", json=wanted, read=sound)


ADAPTER = VoiceAI


def _at(remote_id: str) -> str:
    return f"/tts/voice/{quote(remote_id, safe='')}"


def _language(language: str) -> str:
    """The vendor's language code. The default would be English, so unknown languages are refused before any call."""
    primary = language.replace("_", "-").partition("-")[0].lower()
    if primary not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise ProviderRejected("create voice", f"Voice.ai does not support “{language}”. It supports {known}.")
    return primary
