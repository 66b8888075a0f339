"""From rows to what an adapter is given."""

import hashlib
import re
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from providers.types import BuildSpec, ClipUpload, ConsentProof, FileRef, Handover, Tier, UploadFile
from voicehub.encryption import unseal
from voicehub.tokens import token_for
from voices.models import Build, BuildRecording, Recording, RemoteRecording

CHANGED = "The file of “{name}” is not any more what it was when it was checked. Nothing of it is sent."
ONE_BY_ONE = (Handover.RECORDINGS, Handover.FILE_IDS)
SHOWN = (ConsentProof.BASE64_WAV, ConsentProof.AUDIO_FILE)


class FileChanged(Exception):
    """A stored file is not what was frozen for the build; the text says which."""


def clip_name(recording: Recording) -> str:
    """The name of a clip at a provider: letters, digits and dashes, readable, and unique within the voice."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(recording.file_name).stem).strip("-")[:40]
    return f"{words or 'clip'}-{recording.pk.hex[:8]}"


def spec_of(build: Build, pack: Callable[[Build, list[BuildRecording]], UploadFile]) -> BuildSpec:
    """Everything that the adapter needs for `build`, from what was frozen when it was started.

    The consent goes along only to a provider that asks for it. `pack` makes the one file, where one is handed over.
    """
    remote = build.remote_voice
    sent = {row.recording_id: row for row in remote.recordings.all()}
    frozen = list(build.recordings.select_related("recording").order_by("pk"))
    one_by_one = build.handover in ONE_BY_ONE
    kept = {row.recording_id for row in frozen} if one_by_one else set()
    take = build.consent.take if remote.capabilities.consent_proof in SHOWN else None
    return BuildSpec(
        reference=remote.reference,
        tier=Tier(remote.tier),
        language=build.voice.language,
        handover=Handover(build.handover),
        consent=unchanged(take.file, take.sha256, "consent.wav") if take else None,
        clips=tuple(_clip(row, sent.get(row.recording_id)) for row in frozen) if one_by_one else (),
        callback_url=callback_url(build),
        dataset_url=dataset_url(build) if build.handover == Handover.DATASET_URL else "",
        remote_id=remote.remote_id,
        stale_recordings=tuple(row.remote_id for key, row in sent.items() if key not in kept),
        pack_file=None if one_by_one or build.handover == Handover.DATASET_URL else partial(pack, build, frozen),
        resume_state=unseal(build.kept, f"build:{build.pk}") if build.kept else "",
    )


def _clip(row: BuildRecording, sent: RemoteRecording | None) -> ClipUpload:
    name = clip_name(row.recording)
    return ClipUpload(
        key=str(row.recording_id),
        name=name,
        transcript=row.transcript,
        audio=unchanged(row.recording.sound, row.sha256, f"{name}.wav"),
        remote_id=sent.remote_id if sent else "",
        sent_transcript=sent.transcript if sent else "",
    )


def unchanged(file: FieldFile, sha256: str, name: str) -> FileRef:
    return FileRef(name, file.size, partial(opened_unchanged, file, sha256, name))


def opened(file: FieldFile) -> BinaryIO:
    """A stored file, open from its start, and another one each time."""
    return cast(BinaryIO, file.storage.open(str(file.name), "rb"))


def opened_unchanged(file: FieldFile, sha256: str, name: str) -> BinaryIO:
    """The same of a file that leaves the house. Raises FileChanged when it has another hash by now."""
    found = opened(file)
    if hashlib.file_digest(cast(Any, found), "sha256").hexdigest() != sha256:
        found.close()
        raise FileChanged(CHANGED.format(name=name))
    found.seek(0)
    return found


def callback_url(build: Build) -> str:
    token = token_for("callback", build.pk)
    path = reverse("webhooks:callback", args=[build.remote_voice.account.provider, token])
    return settings.VOICEHUB_BASE_URL + path


def dataset_url(build: Build) -> str:
    """Where the provider fetches the dataset: a WAV for a rapid voice, an archive for a professional one."""
    name = "dataset.wav" if build.remote_voice.tier == Tier.RAPID else "dataset.zip"
    return settings.VOICEHUB_BASE_URL + reverse("voices:dataset", args=[token_for("dataset", build.pk), name])
