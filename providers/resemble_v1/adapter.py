"""Resemble AI, version 1 of its API. Source: resemble.ai/blog, “Build Custom Neural Voices”, 2020-09-01.

Three steps: POST /voices announces a file and gives a signed address, the file is PUT there, POST /voices/build starts
the training. The one look that is attested is GET /voices, a bare list; whatever it says of status and scores is read
wherever it stands, and where it says nothing the status is unknown. No call has an idempotency key, so a voice is named
by our reference and found by it; each build makes a voice of its own. Callbacks are not signed, their form is unknown.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from providers.answers import json_array
from providers.connections import KeyAuth
from providers.errors import OutcomeUnknown, ProviderRejected
from providers.http import HttpProvider
from providers.resemble_v1.capabilities import TIERS
from providers.resemble_v1.parsing import UploadTarget, id_of, voice_of
from providers.resemble_v2.parsing import callback_of, refuses, words_of
from providers.types import BuildReport, BuildSpec, Capabilities, Journal, Parcel, Tier
from providers.types import RemoteStatus as Status

PROGRESS_BYTES = 1 << 20
LOST = (
    "The address that the recordings were to be sent to is lost, and the provider gives it once only. Build again: a"
    " new voice is made; the empty one there costs nothing."
)
# What a voice can only be after its build call has arrived.
BEGUN = frozenset({Status.TRAINING, Status.READY, Status.DATASET_ISSUE, Status.CONSENT_REJECTED, Status.FAILED})


class ResembleV1(HttpProvider):
    slug = "resemble_v1"
    label = "Resemble AI v1"
    list_position = 2
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    live_url = "https://app.resemble.ai/api/v1"
    sandbox_path = "/resemble/api/v1"

    def auth(self, key: str) -> KeyAuth:
        return KeyAuth("Authorization", f"Token token={key}")

    def words_of(self, answer: Mapping[str, Any]) -> str:
        return words_of(answer)

    def refuses(self, answer: Mapping[str, Any]) -> bool:
        return refuses(answer)

    def check_key(self) -> None:
        self.call("check key", "GET", "/voices", read=json_array)

    def _submit(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.parcel is None:
            self.unsupported("submit without the one file")
        target = UploadTarget.kept(spec.kept) if spec.remote_id else None
        if spec.remote_id and (target is None or target.voice != spec.remote_id):
            raise ProviderRejected("send recordings", LOST)
        if target is None or not target.sent:
            journal.progress("Packing the recordings", 0, 0)
            parcel = spec.parcel()
            target = target or self._create(spec, parcel, journal)
            self._send(target, parcel, journal)
        return self._build(target.voice, journal)

    def _create(self, spec: BuildSpec, parcel: Parcel, journal: Journal) -> UploadTarget:
        body = {
            "name": spec.reference,
            "filename": parcel.name,
            "byte_size": parcel.size,
            "checksum": checksum(parcel),
            # The vendor's pages spell it both ways.
            "content-type": parcel.content_type,
            "content_type": parcel.content_type,
        }
        if spec.callback_url:
            body["callback_uri"] = spec.callback_url
        journal.progress("Creating the voice", 0, 0)
        journal.about_to("create")
        target = UploadTarget.of(
            self.call("create voice", "POST", "/voices", json=body, creates=True), checksum(parcel)
        )
        # An answer without an id is as good as lost: the voice may be there.
        if not target.voice:
            raise OutcomeUnknown("create voice", "no voice in the answer")
        # The address first: a voice without it is worth nothing.
        journal.keep(target.text())
        journal.voice(target.voice)
        return target

    def _send(self, target: UploadTarget, parcel: Parcel, journal: Journal) -> None:
        if not target.url:
            raise ProviderRejected("send recordings", LOST)
        if checksum(parcel) != target.checksum:
            raise ProviderRejected("send recordings", "The recordings are not those that were announced. Build again.")
        total = -(-parcel.size // PROGRESS_BYTES)
        told = 0
        journal.progress("Sending the recordings (MB)", 0, total)

        def moved(sent: int) -> None:
            nonlocal told
            if sent // PROGRESS_BYTES > told:
                told = sent // PROGRESS_BYTES
                journal.progress("Sending the recordings (MB)", told, total)

        self.put("send recordings", target.url, target.headers, parcel, moved)
        journal.keep(replace(target, sent=True).text())

    def _build(self, remote_id: str, journal: Journal) -> BuildReport:
        before = self.fetch_build(remote_id)
        if before.status in BEGUN:
            return before  # an earlier call arrived after all
        journal.progress("Starting the build", 0, 0)
        journal.about_to("build", before.mark)
        # What it answers is unknown, and may be nothing.
        self.call("build voice", "POST", "/voices/build", json={"voice": remote_id}, creates=True, may_be_empty=True)
        return replace(before, status=Status.TRAINING)

    def fetch_build(self, remote_id: str) -> BuildReport:
        """What the list says. A voice that is not in it may be in training, as no page says which ones it shows."""
        there = (report for report in self.list_voices() if remote_id in (report.remote_id, str(report.raw.get("id"))))
        found = next(there, None)
        return replace(found, remote_id=remote_id) if found else BuildReport(remote_id, Status.UNKNOWN, "")

    def find_build(self, reference: str) -> BuildReport | None:
        return next((report for report in self.list_voices() if report.name == reference), None)

    def list_voices(self) -> Iterator[BuildReport]:
        """All voices of the list; the provider's own, should it show them, cannot be told from others."""
        items = (item for item in self.call("list voices", "GET", "/voices", read=json_array) if isinstance(item, dict))
        return (voice_of(item) for item in items if id_of(item, "uuid", "id"))

    def parse_callback(self, body: bytes) -> BuildReport:
        return callback_of(body)


ADAPTER = ResembleV1


def checksum(parcel: Parcel) -> str:
    """The MD5 in base64: the announcement is shaped like that of Rails' ActiveStorage, which has it so."""
    return b64encode(parcel.md5).decode()
