"""The files of voices whose opening is recorded (see `consent.services.file_access`)."""

from uuid import UUID

from consent.services.file_access import OpenedFile, Reader, record_access, register_file_kind
from providers import registry
from voices.models import Build, ImportClip, OfflineProof, Preview, Recording, Voice

RECORDING = register_file_kind("recording", "Recording")
CLIP = register_file_kind("clip", "Clip of an import")
PREVIEW = register_file_kind("preview", "Preview")
DATASET = register_file_kind("dataset", "Dataset")
TABLE = register_file_kind("table", "Table of recordings")
REPORT = register_file_kind("report", "Report of a build")
PROOF = register_file_kind("proof", "Proof of consent")


def describe_recording(recording: Recording) -> OpenedFile:
    voice = recording.voice
    return OpenedFile(voice.talent_id, RECORDING, recording.pk, f"{recording.file_name}, {voice.name}")


def describe_clip(clip: ImportClip) -> OpenedFile:
    voice = clip.import_set.voice
    return OpenedFile(voice.talent_id, CLIP, clip.pk, f"{clip.file_name}, {voice.name}")


def describe_preview(preview: Preview) -> OpenedFile:
    remote = preview.remote_voice
    label = f"{_get_label(remote.account.provider)}, {remote.voice or remote.name or remote.reference}"
    return OpenedFile(remote.voice.talent_id if remote.voice else None, PREVIEW, preview.pk, label)


def describe_dataset(voice: Voice) -> OpenedFile:
    return OpenedFile(voice.talent_id, DATASET, voice.pk, voice.name)


def describe_table(voice: Voice, object_id: UUID, what: str) -> OpenedFile:
    return OpenedFile(voice.talent_id, TABLE, object_id, f"{what}, {voice.name}")


def describe_report(build: Build) -> OpenedFile:
    label = f"{_get_label(build.remote_voice.account.provider)}, {build.voice.name}"
    return OpenedFile(build.voice.talent_id, REPORT, build.pk, label)


def describe_proof(proof: OfflineProof) -> OpenedFile:
    return OpenedFile(proof.consent.talent_id, PROOF, proof.pk, _get_label(proof.consent.provider))


def record_dataset_fetch(build: Build) -> None:
    """Record that the provider fetches the recordings of a build. Raises AccessNotRecorded."""
    provider, voice = build.remote_voice.account.provider, build.voice
    reader = Reader(f"provider:{provider}", _get_label(provider))
    record_access(OpenedFile(voice.talent_id, DATASET, build.pk, f"for a build, {voice.name}"), reader)


def _get_label(provider: str) -> str:
    return registry.get_provider_label(provider)
