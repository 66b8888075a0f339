"""AudioStack. Source: audiostack.com, “How to Clone any Voice using AudioStack API”, and its own Python client 4.0.0.

Each recording becomes a file, which is announced, sent to the returned address, and polled until it is uploaded. One
call then creates a voice from the file ids and trains it. VoiceHub chooses the voice's alias, which is unique among all
customers. So a voice whose response was lost is found by its alias, and creating it twice is refused. Files cost
nothing; credits are charged when a voice has succeeded. The standard engine also requires a consent file. The page
names no other field for this file than the list of files, so VoiceHub sends it as the last file: a guess of ours.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from providers.audiostack.capabilities import DATA_USE, GENDER, TIERS
from providers.audiostack.files import AudioStackFiles
from providers.audiostack.parsing import (
    find_sound_address,
    is_refusal,
    parse_create_response,
    parse_error_text,
    parse_report,
    parse_usage,
)
from providers.connections import KeyAuth
from providers.errors import Conflict, NotFound, ProviderRejected
from providers.journal import Journal
from providers.responses import read_sound_or_json
from providers.types import (
    CONSENT_KEY,
    BuildReport,
    BuildSpec,
    Capabilities,
    ConsentProof,
    Sound,
    Tier,
)
from providers.usage import Usage

ENGINES = {Tier.RAPID: "voice_engine_3", Tier.PROFESSIONAL: "voice_engine_2"}


class AudioStack(AudioStackFiles):
    slug = "audiostack"
    label = "AudioStack"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    data_use = DATA_USE
    live_url = "https://v2.api.audio"
    sandbox_path = "/audiostack"

    def build_auth(self, key: str) -> KeyAuth:
        return KeyAuth("x-api-key", key)

    def parse_error_text(self, response: Mapping[str, Any]) -> str:
        return parse_error_text(response)

    def is_refusal(self, response: Mapping[str, Any]) -> bool:
        return is_refusal(response)

    def check_key(self) -> None:
        self._query_one_voice("check key")

    def fetch_usage(self) -> Usage:
        return parse_usage(self._query_one_voice("fetch usage"))

    def _query_one_voice(self, operation: str) -> dict[str, Any]:
        """The cheapest call whose response is in the vendor's envelope."""
        body = {"filters": [], "minimumNumberOfResults": 1, "forceApplyFilters": True, "page": 1, "pageLimit": 1}
        return self.call(operation, "POST", "/speech/voice/query", json=body)

    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.remote_id:
            return self.fetch_build(spec.remote_id)
        if self.tiers[spec.tier].consent_proof is not ConsentProof.AUDIO_FILE:
            return self._create_voice(spec, self._send_clips(spec, journal), journal)
        if not spec.consent:
            raise ProviderRejected(
                "submit",
                "This engine requires a recording in which the speaker agrees, and there is none. Record it first.",
            )
        file_ids = self._send_clips(spec, journal)
        report_progress = partial(journal.record_progress, "Sending the consent", 0, 1)
        return self._create_voice(
            spec, [*file_ids, self.ensure_uploaded(spec, CONSENT_KEY, spec.consent, journal, report_progress)], journal
        )

    def _send_clips(self, spec: BuildSpec, journal: Journal) -> list[str]:
        """Send all clips that the provider lacks, and return the file ids of all clips in order."""
        file_ids = []
        for done, clip in enumerate(spec.clips):
            if not (file_id := clip.remote_id):
                report_progress = partial(journal.record_progress, "Sending recordings", done, len(spec.clips))
                file_id = self.ensure_uploaded(spec, clip.key, clip.audio, journal, report_progress)
                journal.record_recording(clip.key, file_id)
            file_ids.append(file_id)
        return file_ids

    def _create_voice(self, spec: BuildSpec, file_ids: list[str], journal: Journal) -> BuildReport:
        body: dict[str, Any] = {"fileIds": file_ids, "alias": spec.reference, "engine": ENGINES[spec.tier]}
        if gender := spec.options.get(GENDER.name):
            body["metadata"] = {"gender": gender}
        journal.record_progress("Creating the voice", 0, 0)
        journal.before_call("create")
        try:
            response = self.call("create voice", "POST", "/speech/voice-cloning", json=body, creates=True)
            report = parse_create_response(response, spec.reference)
        except Conflict:
            # No one else uses this alias, so an earlier call of VoiceHub arrived after all.
            found = self.find_build(spec.reference)
            if found is None:
                raise
            report = found
        journal.record_voice(spec.reference)
        return report

    def fetch_build(self, remote_id: str) -> BuildReport:
        report = self.find_build(remote_id)
        if report is None:
            raise NotFound("fetch voice", "There is no voice with this alias.")
        return report

    def find_build(self, reference: str) -> BuildReport | None:
        try:
            response = self.call("fetch voice", "GET", "/speech/voice-cloning", params={"alias": reference})
        except NotFound:
            return None
        return parse_report(response, reference)

    def generate_preview(self, remote_id: str, text: str) -> Sound:
        """Speech of `text`. The vendor does not document whether the response is the audio or its address."""
        body = {"text": text, "voice": remote_id}
        value = self.call("preview", "POST", "/speech/tts/preview", json=body, read=read_sound_or_json)
        return value if isinstance(value, Sound) else self.download_sound(find_sound_address(value))


ADAPTER = AudioStack
