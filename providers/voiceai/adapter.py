"""Voice.ai. Source: voice.ai/docs, “Clone a voice”, and its API reference, read 2026-11-21.

One call takes one file and creates the voice. Training starts automatically and is polled. A voice is PUBLIC unless the
call says PRIVATE, so every call says PRIVATE, and the resulting visibility is read back. The list of voices
has no pages.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from providers.connections import load_into_memory
from providers.errors import NotFound, OutcomeUnknown, ProviderError, ProviderRejected, ResponseUnreadable
from providers.http import HttpProvider
from providers.journal import Journal
from providers.parsing import flatten_text, parse_boolean
from providers.responses import read_json_array, read_sound
from providers.types import BuildReport, BuildSpec, Capabilities, Sound, Tier, UploadFile, Visibility
from providers.voiceai.capabilities import DATA_USE, LANGUAGES, TIERS
from providers.voiceai.parsing import (
    DELETED_STATUS,
    is_refusal,
    parse_error_text,
    parse_id,
    parse_report,
    parse_visibility,
)


class VoiceAI(HttpProvider):
    slug = "voiceai"
    label = "Voice.ai"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    data_use = DATA_USE
    live_url = "https://dev.voice.ai/api/v1"
    sandbox_path = "/voiceai/api/v1"

    def parse_error_text(self, response: Mapping[str, Any]) -> str:
        return parse_error_text(response)

    def is_refusal(self, response: Mapping[str, Any]) -> bool:
        return is_refusal(response)

    def check_key(self) -> None:
        self.call("check key", "GET", "/tts/voices", read=read_json_array)

    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.remote_id:
            return self.fetch_build(spec.remote_id)  # trains automatically
        if spec.pack_file is None:
            self.raise_unsupported("submit without a file")
        language = _map_language(spec.language)
        journal.record_progress("Making the file", 0, 0)
        created = self._create_voice(spec.reference, language, load_into_memory(spec.pack_file()), journal)
        try:
            return self.fetch_build(created.remote_id)
        except ProviderError:  # A failed status request must not look like a failed build; the next poll retries.
            return created

    def _create_voice(self, reference: str, language: str, upload: UploadFile, journal: Journal) -> BuildReport:
        fields = {"name": reference, "voice_visibility": "PRIVATE", "language": language}
        on_progress = partial(journal.record_progress, "Sending the file")
        on_progress(0, upload.size)
        journal.before_call("create")
        response = self.post_form("create voice", "/tts/clone-voice", "file", upload, fields, on_progress)
        # A response without an id counts as lost: the voice may exist.
        created = parse_report(response, "create voice", OutcomeUnknown)
        journal.record_voice(created.remote_id)
        return created

    def fetch_build(self, remote_id: str) -> BuildReport:
        report = parse_report(self.call("fetch voice", "GET", _build_voice_path(remote_id)), "fetch voice")
        if report.raw_status.lower() == DELETED_STATUS:
            raise NotFound("fetch voice", "The voice is deleted.")
        return report

    def find_build(self, reference: str) -> BuildReport | None:
        """Raises ResponseUnreadable if no voice has the name but one has no name at all, as that may be the voice."""
        voices = list(self.list_voices())
        found = next((report for report in voices if report.name == reference), None)
        if found is None and any("name" not in report.raw for report in voices):
            raise ResponseUnreadable("find voice", "a voice without a name in the list")
        return found

    def list_voices(self) -> Iterator[BuildReport]:
        """All voices that may be the account's: only a voice that the list says is another owner's is left out."""
        for item in self.call("list voices", "GET", "/tts/voices", read=read_json_array):
            if isinstance(item, dict) and parse_id(item) and parse_boolean(item.get("is_owner")) is not False:
                report = parse_report(item, "list voices")
                if report.raw_status.lower() != DELETED_STATUS:
                    yield report

    def rename_voice(self, remote_id: str, name: str) -> None:
        self.call("rename voice", "PATCH", _build_voice_path(remote_id), json={"name": name})

    def set_visibility(self, remote_id: str, visibility: Visibility) -> None:
        """Raises ProviderRejected if the response still shows the other visibility."""
        wanted = {"voice_visibility": visibility.value.upper()}
        response = self.call("change visibility", "PATCH", _build_voice_path(remote_id), json=wanted)
        if parse_visibility(response) not in (None, visibility):
            raise ProviderRejected(
                "change visibility", f"The voice is still {flatten_text(response['voice_visibility'])}."
            )

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        try:
            return self.call("delete voice", "DELETE", _build_voice_path(remote_id), may_be_empty=True)
        except NotFound:  # already deleted
            return {}

    def generate_preview(self, remote_id: str, text: str) -> Sound:
        wanted = {"text": text, "voice_id": remote_id, "audio_format": "wav"}
        return self.call("preview", "POST", "/tts/speech", json=wanted, read=read_sound)


ADAPTER = VoiceAI


def _build_voice_path(remote_id: str) -> str:
    return f"/tts/voice/{quote(remote_id, safe='')}"


def _map_language(language: str) -> str:
    """The vendor's language code. The vendor's default is English, so unknown languages are refused before any call."""
    primary = language.replace("_", "-").partition("-")[0].lower()
    if primary not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise ProviderRejected("create voice", f"Voice.ai does not support “{language}”. It supports {known}.")
    return primary
