"""AudioStack. Source: audiostack.com, “How to Clone any Voice using AudioStack API”, and its own Python client 4.0.0.

Each recording becomes a file: announced, sent to the address that comes back, and asked for until it is uploaded. One
call then makes a voice of the files' ids and trains it. Its alias is ours and unique among all customers, so a voice
whose answer was lost is found by it, and making it twice is refused. Files cost nothing; credits are charged when a
voice has succeeded. The standard engine wants a consent file too, and the page has no place for it but the list of
files: it goes there as the last one, which is our reading.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import quote

from providers.answers import sound_or_json_object
from providers.audiostack.capabilities import TIERS
from providers.audiostack.parsing import accepted, file_status_of, id_of, refuses, report_of, sound_address, words_of
from providers.connections import KeyAuth
from providers.errors import Conflict, NotFound, ProviderRejected, ProviderUnavailable, ResponseUnreadable
from providers.http import HttpProvider
from providers.types import Blob, BuildReport, BuildSpec, Capabilities, ConsentProof, Journal, Parcel, Sound, Tier

ENGINES = {Tier.RAPID: "voice_engine_3", Tier.PROFESSIONAL: "voice_engine_2"}
CONSENT = "consent"
UPLOADED = "uploaded"
BLOCK = 1 << 20  # bytes
LOOKS = 30  # how often a file is asked for before it is left for later


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """A file that was announced: whose it is, and where its bytes go. The address is good for seven days."""

    reference: str
    key: str
    file_id: str
    url: str
    content_type: str


class AudioStack(HttpProvider):
    slug = "audiostack"
    label = "AudioStack"
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    live_url = "https://v2.api.audio"
    sandbox_path = "/audiostack"
    pause: ClassVar[float] = 0.5
    """Seconds between two looks at a file that was sent."""

    def auth(self, key: str) -> KeyAuth:
        return KeyAuth("x-api-key", key)

    def words_of(self, answer: Mapping[str, Any]) -> str:
        return words_of(answer)

    def refuses(self, answer: Mapping[str, Any]) -> bool:
        return refuses(answer)

    def check_key(self) -> None:
        body = {"filters": [], "minimumNumberOfResults": 1, "forceApplyFilters": True, "page": 1, "pageLimit": 1}
        self.call("check key", "POST", "/speech/voice/query", json=body)

    def _submit(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.remote_id:
            return self.fetch_build(spec.remote_id)
        if self.tiers[spec.tier].consent_proof is not ConsentProof.AUDIO_FILE:
            return self._clone(spec, self._send_clips(spec, journal), journal)
        if not spec.consent:
            raise ProviderRejected("submit", "This engine wants a file in which the speaker agrees, and there is none.")
        file_ids = self._send_clips(spec, journal)
        sending = partial(journal.progress, "Sending the consent", 0, 1)
        return self._clone(spec, [*file_ids, self._sent(spec, CONSENT, spec.consent, journal, sending)], journal)

    def _send_clips(self, spec: BuildSpec, journal: Journal) -> list[str]:
        """The ids of all clips' files, in their order; what is there already is not sent again."""
        file_ids = []
        for done, clip in enumerate(spec.clips):
            if not (file_id := clip.remote_id):
                sending = partial(journal.progress, "Sending recordings", done, len(spec.clips))
                file_id = self._sent(spec, clip.key, clip.audio, journal, sending)
                journal.recording(clip.key, file_id)
            file_ids.append(file_id)
        return file_ids

    def _sent(self, spec: BuildSpec, key: str, audio: Blob, journal: Journal, sending: Callable[[], None]) -> str:
        """The id of the file, uploaded. One that was announced before a crash is used, where it still can be."""
        sending()
        pending = _parse_pending(spec.kept)
        if pending and (pending.reference, pending.key) == (spec.reference, key):
            # Else it is gone, or its address has expired: another one costs nothing.
            with suppress(ProviderRejected):
                if self._file_status(pending) != UPLOADED:
                    self._upload(pending, audio, sending)
                return pending.file_id
        pending = self._announce(spec, key, audio)
        journal.keep(json.dumps(asdict(pending)))
        self._upload(pending, audio, sending)
        return pending.file_id

    def _announce(self, spec: BuildSpec, key: str, audio: Blob) -> PendingUpload:
        """Files are seen by the whole organisation, so their names tell nothing of a person."""
        name = f"{spec.reference}-{key}{PurePath(audio.name).suffix or '.wav'}"
        answer = self.call("announce file", "POST", "/files", json={"file_name": name})
        file_id, url, content_type = id_of(answer.get("fileId")), answer.get("uploadUrl"), answer.get("mimeType")
        if not (file_id and isinstance(url, str) and isinstance(content_type, str)):
            raise ResponseUnreadable("announce file", "no file in the answer")
        return PendingUpload(spec.reference, key, file_id, url, content_type)

    def _upload(self, pending: PendingUpload, audio: Blob, sending: Callable[[], None]) -> None:
        def moved(sent: int) -> None:
            if sent < audio.size:
                sending()

        parcel = Parcel(audio.name, pending.content_type, audio.size, b"", lambda: _chunks(audio))
        self.put("send file", pending.url, {"Content-Type": pending.content_type}, parcel, moved)
        for _look in range(LOOKS):
            if self._file_status(pending) == UPLOADED:
                return
            sending()
            time.sleep(self.pause)
        raise ProviderUnavailable("send file", "The file is sent, and not taken yet.")

    def _file_status(self, pending: PendingUpload) -> str:
        return file_status_of(self.call("look at file", "GET", f"/files/{quote(pending.file_id, safe='')}"))

    def _clone(self, spec: BuildSpec, file_ids: list[str], journal: Journal) -> BuildReport:
        # `metadata.gender` of the page's sample is left out: we do not know it, and it is not ours to guess.
        body = {"fileIds": file_ids, "alias": spec.reference, "engine": ENGINES[spec.tier]}
        journal.progress("Creating the voice", 0, 0)
        journal.about_to("create")
        try:
            answer = self.call("create voice", "POST", "/speech/voice-cloning", json=body, creates=True)
            report = accepted(answer, spec.reference)
        except Conflict:
            # Nobody else can have hit on our alias: an earlier call arrived after all.
            found = self.find_build(spec.reference)
            if found is None:
                raise
            report = found
        journal.voice(spec.reference)
        return report

    def fetch_build(self, remote_id: str) -> BuildReport:
        report = self.find_build(remote_id)
        if report is None:
            raise NotFound("fetch voice", "There is no voice of this alias.")
        return report

    def find_build(self, reference: str) -> BuildReport | None:
        try:
            answer = self.call("fetch voice", "GET", "/speech/voice-cloning", params={"alias": reference})
        except NotFound:
            return None
        return report_of(answer, reference)

    def preview(self, remote_id: str, text: str) -> Sound:
        """In which form the sound comes is not said: as it is, or as an address."""
        body = {"text": text, "voice": remote_id}
        told = self.call("preview", "POST", "/speech/tts/preview", json=body, read=sound_or_json_object)
        return told if isinstance(told, Sound) else self.download(sound_address(told))


ADAPTER = AudioStack


def _parse_pending(kept: str) -> PendingUpload | None:
    try:
        return PendingUpload(**json.loads(kept))
    except (ValueError, TypeError):
        return None


def _chunks(audio: Blob) -> Iterator[bytes]:
    with audio.open() as file:
        while block := file.read(BLOCK):
            yield block
