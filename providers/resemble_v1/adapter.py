"""Resemble AI, version 1 of its API. Source: resemble.ai/blog, “Build Custom Neural Voices”, 2020-09-01.

Three steps: POST /voices announces a file and returns a signed address, a PUT sends the file there, POST /voices/build
starts the training. The only documented call that reads is GET /voices, which returns a bare list. A status and scores
are read from the list if it has them; without a status, the status is UNKNOWN. No call has an idempotency key, so
VoiceHub's reference is the voice's name, by which it is found. Each build makes a new voice. Callbacks are not signed,
and their form is unknown.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from providers.connections import KeyAuth
from providers.errors import OutcomeUnknown, ProviderRejected
from providers.http import HttpProvider
from providers.journal import Journal
from providers.resemble_v1.capabilities import DATA_USE, TIERS
from providers.resemble_v1.parsing import UploadTarget, find_id, parse_voice
from providers.resemble_v2.parsing import is_refusal, parse_callback, parse_error_text
from providers.responses import read_json_array
from providers.types import BuildReport, BuildSpec, Capabilities, Tier, UploadFile
from providers.types import RemoteStatus as Status

PROGRESS_BYTES = 1 << 20
LOST_ADDRESS_MESSAGE = (
    "The upload address is lost, and the provider gives it only once. Build again: this creates a new voice. The"
    " empty voice at the provider costs nothing."
)
# Statuses that a voice can have only after its build call has arrived.
STARTED_STATUSES = frozenset(
    {Status.TRAINING, Status.READY, Status.DATASET_ISSUE, Status.CONSENT_REJECTED, Status.FAILED}
)


class ResembleV1(HttpProvider):
    slug = "resemble_v1"
    label = "Resemble AI v1"
    list_position = 2
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    data_use = DATA_USE
    live_url = "https://app.resemble.ai/api/v1"
    sandbox_path = "/resemble/api/v1"

    def build_auth(self, key: str) -> KeyAuth:
        return KeyAuth("Authorization", f"Token token={key}")

    def parse_error_text(self, response: Mapping[str, Any]) -> str:
        return parse_error_text(response)

    def is_refusal(self, response: Mapping[str, Any]) -> bool:
        return is_refusal(response)

    def check_key(self) -> None:
        self.call("check key", "GET", "/voices", read=read_json_array)

    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        if spec.pack_file is None:
            self.raise_unsupported("submit without the one file")
        target = UploadTarget.load(spec.resume_state) if spec.remote_id else None
        if spec.remote_id and (target is None or target.voice != spec.remote_id):
            raise ProviderRejected("send recordings", LOST_ADDRESS_MESSAGE)
        if target is None or not target.sent:
            journal.record_progress("Packing the recordings", 0, 0)
            upload = spec.pack_file()
            target = target or self._create_voice(spec, upload, journal)
            self._upload_recordings(target, upload, journal)
        return self._start_build(target.voice, journal)

    def _create_voice(self, spec: BuildSpec, upload: UploadFile, journal: Journal) -> UploadTarget:
        body = {
            "name": spec.reference,
            "filename": upload.name,
            "byte_size": upload.size,
            "checksum": compute_checksum(upload),
            # The vendor's documentation spells this field both ways.
            "content-type": upload.content_type,
            "content_type": upload.content_type,
        }
        if spec.callback_url:
            body["callback_uri"] = spec.callback_url
        journal.record_progress("Creating the voice", 0, 0)
        journal.before_call("create")
        target = UploadTarget.parse(
            self.call("create voice", "POST", "/voices", json=body, creates=True), compute_checksum(upload)
        )
        # A response without an id counts as lost: the voice may exist.
        if not target.voice:
            raise OutcomeUnknown("create voice", "no voice in the response")
        # With the address: a voice without it is useless.
        journal.record_voice(target.voice, target.dump_json())
        return target

    def _upload_recordings(self, target: UploadTarget, upload: UploadFile, journal: Journal) -> None:
        if not target.url:
            raise ProviderRejected("send recordings", LOST_ADDRESS_MESSAGE)
        if compute_checksum(upload) != target.checksum:
            raise ProviderRejected(
                "send recordings", "The recordings differ from those that were announced. Build again."
            )
        total = -(-upload.size // PROGRESS_BYTES)
        reported = 0
        journal.record_progress("Sending the recordings (MB)", 0, total)

        def on_progress(sent: int) -> None:
            nonlocal reported
            if sent // PROGRESS_BYTES > reported:
                reported = sent // PROGRESS_BYTES
                journal.record_progress("Sending the recordings (MB)", reported, total)

        self.upload_file("send recordings", target.url, target.headers, upload, on_progress)
        journal.save_resume_state(replace(target, sent=True).dump_json())

    def _start_build(self, remote_id: str, journal: Journal) -> BuildReport:
        before = self.fetch_build(remote_id)
        if before.status in STARTED_STATUSES:
            return before  # an earlier build call arrived after all
        journal.record_progress("Starting the build", 0, 0)
        journal.before_call("build", before.version)
        # The response is not documented and may be empty.
        self.call("build voice", "POST", "/voices/build", json={"voice": remote_id}, creates=True, may_be_empty=True)
        return replace(before, status=Status.TRAINING)

    def fetch_build(self, remote_id: str) -> BuildReport:
        """The voice's entry in the list. A voice without one may be in training: no page says which are listed."""
        matching = (
            report for report in self.list_voices() if remote_id in (report.remote_id, str(report.raw.get("id")))
        )
        found = next(matching, None)
        return replace(found, remote_id=remote_id) if found else BuildReport(remote_id, Status.UNKNOWN, "")

    def find_build(self, reference: str) -> BuildReport | None:
        return next((report for report in self.list_voices() if report.name == reference), None)

    def list_voices(self) -> Iterator[BuildReport]:
        """All voices of the list. If the provider's own voices are in it, they are listed too: nothing marks them."""
        items = (
            item for item in self.call("list voices", "GET", "/voices", read=read_json_array) if isinstance(item, dict)
        )
        return (parse_voice(item) for item in items if find_id(item, "uuid", "id"))

    def parse_callback(self, body: bytes) -> BuildReport:
        return parse_callback(body)


ADAPTER = ResembleV1


def compute_checksum(upload: UploadFile) -> str:
    """The MD5 in base64, as in Rails' ActiveStorage, which the announcement resembles."""
    return b64encode(upload.md5).decode()
