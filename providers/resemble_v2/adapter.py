"""Resemble AI, version 2 of its API. Source: docs.app.resemble.ai, 2.0.0, “Create a voice” and the pages beside it.

A rapid voice needs 3 recordings or a dataset of 10 s, a professional voice 20 recordings or a dataset of 10 min. A
professional voice with a dataset URL trains automatically, every other voice needs a build call. No call has an
idempotency key, so VoiceHub's reference is the voice's name, by which it is found. Callbacks are not signed. Only a
callback has the report per recording.
"""

import base64
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import quote

from providers.errors import NotFound, OutcomeUnknown, ProviderRejected
from providers.journal import Journal
from providers.parsing import parse_boolean
from providers.resemble_v2.account import ResembleAccount
from providers.resemble_v2.capabilities import DATA_USE, TIERS
from providers.resemble_v2.options import get_emotion, has_other_labels, is_for_fill, make_description
from providers.resemble_v2.parsing import (
    is_refusal,
    parse_callback,
    parse_error_text,
    parse_item,
    parse_preview,
    parse_report,
)
from providers.types import BuildReport, BuildSpec, Capabilities, ClipUpload, Handover, Sound, Tier
from providers.types import RemoteStatus as Status

# Appended to the address of a dataset that is added to an existing voice. Such a voice does not train automatically,
# and only the address distinguishes it from a voice that was created with the dataset.
LATE_DATASET_SUFFIX = "?given=later"


class ResembleV2(ResembleAccount):
    slug = "resemble_v2"
    label = "Resemble AI"
    statement_languages = ("en",)
    list_position = 1
    tiers: ClassVar[Mapping[Tier, Capabilities]] = TIERS
    data_use = DATA_USE
    live_url = "https://app.resemble.ai/api/v2"
    live_synthesis_url = "https://f.cluster.resemble.ai/synthesize"
    sandbox_path = "/resemble/api/v2"

    def parse_error_text(self, response: Mapping[str, Any]) -> str:
        return parse_error_text(response)

    def is_refusal(self, response: Mapping[str, Any]) -> bool:
        return is_refusal(response)

    def check_key(self) -> None:
        self.call("check key", "GET", "/voices", params={"page": 1, "page_size": 10})

    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        by_url = spec.handover is Handover.DATASET_URL
        remote_id = spec.remote_id
        dataset_url = remote_id and self._update_voice(spec)
        if not remote_id:
            remote_id, dataset_url = self._create_voice(spec, journal), spec.dataset_url
        if by_url and dataset_url == spec.dataset_url and spec.tier is Tier.PROFESSIONAL:
            return self.fetch_build(remote_id)  # trains by itself
        self._send_clips(remote_id, spec, journal)
        return self._start_build(remote_id, spec, journal)

    def _create_voice(self, spec: BuildSpec, journal: Journal) -> str:
        body = {"name": spec.reference, "voice_type": str(spec.tier), "language": spec.language}
        if spec.consent:
            with spec.consent.open() as file:
                body["consent"] = base64.b64encode(file.read()).decode()
        if spec.handover is Handover.DATASET_URL:
            body["dataset_url"] = spec.dataset_url
        if spec.callback_url:
            body["callback_uri"] = spec.callback_url
        body |= make_description(spec)
        journal.record_progress("Creating the voice", 0, 0)
        journal.before_call("create")
        response = self.call("create voice", "POST", "/voices", json=body, creates=True)
        # A response without an id counts as lost: the voice may exist.
        remote_id = str(parse_item(response, "create voice", OutcomeUnknown)["uuid"])
        journal.record_voice(remote_id)
        return remote_id

    def _update_voice(self, spec: BuildSpec) -> str:
        """Update an existing voice; return the address of its dataset."""
        known_url = self._fetch_voice(spec.remote_id).get("dataset_url")
        changes = {"callback_uri": spec.callback_url, **make_description(spec)}
        if spec.handover is Handover.DATASET_URL:
            if known_url == spec.dataset_url:
                return spec.dataset_url
            changes["dataset_url"] = spec.dataset_url + LATE_DATASET_SUFFIX
        self.call("change voice", "PUT", _build_voice_path(spec.remote_id), json=changes)
        return changes.get("dataset_url", "")

    def _send_clips(self, remote_id: str, spec: BuildSpec, journal: Journal) -> None:
        """Send the recordings that the provider lacks, by name, and delete those that are not part of this build."""
        if not spec.clips and not spec.stale_recordings:
            return
        recordings_path = f"{_build_voice_path(remote_id)}/recordings"
        listed = list(self._list_items(recordings_path))
        items_by_name = {str(item.get("name")): item for item in listed}
        ids_by_name = {name: str(item["uuid"]) for name, item in items_by_name.items()}
        inactive_ids = {str(item["uuid"]) for item in listed if parse_boolean(item.get("is_active")) is False}
        for done, clip in enumerate(spec.clips):
            journal.record_progress("Sending recordings", done, len(spec.clips))
            recording_id = ids_by_name.get(clip.name, "")
            if not recording_id:
                journal.record_recording(clip.key, self._send_clip(remote_id, clip, spec))
            elif (
                recording_id != clip.remote_id
                or clip.sent_transcript != clip.transcript
                or has_other_labels(items_by_name[clip.name], clip, spec)
            ):
                self.call(
                    "change recording",
                    "PUT",
                    f"{recordings_path}/{quote(recording_id, safe='')}",
                    json={"text": clip.transcript, "emotion": get_emotion(clip), "fill": is_for_fill(spec)},
                )
                journal.record_recording(clip.key, recording_id)
            if recording_id in inactive_ids:
                with suppress(ProviderRejected):  # an outlier cannot be activated and stays excluded from training
                    self.call(
                        "activate recording",
                        "PUT",
                        f"{recordings_path}/{quote(recording_id, safe='')}",
                        json={"is_active": True},
                    )
        clip_names = {clip.name for clip in spec.clips}
        for name, recording_id in ids_by_name.items():
            # If the build sends recordings, any other was sent by an earlier call whose response was lost.
            if recording_id in spec.stale_recordings or (clip_names and name not in clip_names):
                self._delete_if_exists("delete recording", f"{recordings_path}/{quote(recording_id, safe='')}")
        journal.record_progress("Sending recordings", len(spec.clips), len(spec.clips))

    def _send_clip(self, remote_id: str, clip: ClipUpload, spec: BuildSpec) -> str:
        """Send a clip. Names are unique within a voice, so if the response is lost, the clip is found by its name."""
        fields = {"name": clip.name, "text": clip.transcript, "emotion": get_emotion(clip), "is_active": "true"}
        fields["fill"] = "true" if is_for_fill(spec) else "false"
        with clip.audio.open() as file:
            parts = {"file": (clip.audio.name, file, "audio/wav")}
            response = self.call(
                "send recording", "POST", f"{_build_voice_path(remote_id)}/recordings", data=fields, files=parts
            )
        return str(parse_item(response, "send recording")["uuid"])

    def _start_build(self, remote_id: str, spec: BuildSpec, journal: Journal) -> BuildReport:
        before = parse_report(self._fetch_voice(remote_id))
        if before.status is Status.TRAINING:
            return before  # an earlier build call arrived after all
        journal.before_call("build", before.version)
        body = {"fill": True} if is_for_fill(spec) else {}
        self.call("build voice", "POST", f"{_build_voice_path(remote_id)}/build", json=body, creates=True)
        # Not fetched here: a failed status request must not look like a failed build.
        return dataclasses.replace(before, status=Status.TRAINING)

    def fetch_build(self, remote_id: str) -> BuildReport:
        report = parse_report(self._fetch_voice(remote_id))
        if report.status in (Status.READY, Status.DATASET_ISSUE):
            return parse_report(report.raw, self._list_items(f"{_build_voice_path(remote_id)}/recordings"))
        return report

    def find_build(self, reference: str) -> BuildReport | None:
        return next((report for report in self.list_voices() if report.name == reference), None)

    def list_voices(self) -> Iterator[BuildReport]:
        return (parse_report(item) for item in self._list_items("/voices"))

    def rename_voice(self, remote_id: str, name: str) -> None:
        self.call("rename voice", "PUT", _build_voice_path(remote_id), json={"name": name})

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        return self._delete_if_exists("delete voice", _build_voice_path(remote_id))

    def generate_preview(self, remote_id: str, text: str) -> Sound:
        url = f"{self.sandbox_url}/resemble/synthesize" if self.sandbox_url else self.live_synthesis_url
        response = self.call(
            "preview", "POST", url, json={"voice_uuid": remote_id, "data": text, "output_format": "wav"}
        )
        return parse_preview(response)

    def parse_callback(self, body: bytes) -> BuildReport:
        return parse_callback(body)

    def _fetch_voice(self, remote_id: str) -> dict[str, Any]:
        return parse_item(self.call("fetch voice", "GET", _build_voice_path(remote_id)), "fetch voice")

    def _delete_if_exists(self, operation: str, path: str) -> dict[str, Any]:
        try:
            return self.call(operation, "DELETE", path)
        except NotFound:  # already deleted
            return {}


ADAPTER = ResembleV2


def _build_voice_path(remote_id: str) -> str:
    return f"/voices/{quote(remote_id, safe='')}"
