"""Make the specification that an adapter needs to send a build."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from consent.models import Take
from providers.types import BuildSpec, ClipUpload, FileRef, Handover, Tier, UploadFile
from voicehub.encryption import decrypt
from voicehub.storage import StoredFileLost, explain_storage_errors, open_file
from voicehub.tokens import derive_token
from voices.models import Build, BuildRecording, Recording, RemoteRecording
from voices.services.uploaders import sends_consent

FILE_LOST = "The file of “{name}” is missing or cannot be read, so it was not sent. Upload the recording again."
FILE_CHANGED = "The file of “{name}” has changed since it was checked, so it was not sent. Upload the recording again."
CONSENT_NAME = "consent.wav"
SEPARATE_FILES = (Handover.RECORDINGS, Handover.FILE_IDS)


class FileChanged(StoredFileLost):
    """A stored file is lost, or differs from the file that was frozen for the build. The text names the file."""


def make_clip_name(recording: Recording) -> str:
    """The name of a clip at a provider: letters, digits and dashes, readable, and unique within the voice."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(recording.file_name).stem).strip("-")[:40]
    return f"{words or 'clip'}-{recording.pk.hex[:8]}"


def shorten_clip_names(text: str) -> str:
    """A sentence of a provider with the names of clips as people know them: without what makes them unique."""
    return re.sub(r"(?<=\w)-[0-9a-f]{8}\b", "", text)


def make_build_spec(build: Build, pack: Callable[[Build, list[BuildRecording]], UploadFile]) -> BuildSpec:
    """Everything that the adapter needs for `build`, as frozen when the build started.

    The consent recording goes only to accounts that must send it. `pack` makes the single file, if one is uploaded.
    """
    remote = build.remote_voice
    sent = {row.recording_id: row for row in remote.recordings.all()}
    frozen = list(build.recordings.select_related("recording").order_by("pk"))
    one_by_one = build.handover in SEPARATE_FILES
    current_ids = {row.recording_id for row in frozen} if one_by_one else set()
    take = build.consent.take if sends_consent(remote.account, remote.capabilities) else None
    return BuildSpec(
        reference=remote.reference,
        tier=Tier(remote.tier),
        language=build.voice.language,
        handover=Handover(build.handover),
        consent=_make_consent_ref(take) if take else None,
        clips=tuple(_make_clip_upload(row, sent.get(row.recording_id)) for row in frozen) if one_by_one else (),
        callback_url=make_callback_url(build),
        dataset_url=make_dataset_url(build) if build.handover == Handover.DATASET_URL else "",
        remote_id=remote.remote_id,
        stale_recordings=tuple(row.remote_id for key, row in sent.items() if key not in current_ids),
        pack_file=None if one_by_one or build.handover == Handover.DATASET_URL else partial(pack, build, frozen),
        options=build.options,
        resume_state=decrypt(build.resume_state, f"build:{build.pk}") if build.resume_state else "",
    )


def _make_clip_upload(row: BuildRecording, sent: RemoteRecording | None) -> ClipUpload:
    name = make_clip_name(row.recording)
    return ClipUpload(
        key=str(row.recording_id),
        name=name,
        transcript=row.transcript,
        audio=make_file_ref(row.recording.sound, row.sha256, f"{name}.wav"),
        remote_id=sent.remote_id if sent else "",
        sent_transcript=sent.transcript if sent else "",
        emotion=row.emotion,
    )


def make_file_ref(file: FieldFile, sha256: str, name: str) -> FileRef:
    with _name_lost_file(file, name):
        return FileRef(name, file.size, partial(open_verified_file, file, sha256, name))


def _make_consent_ref(take: Take) -> FileRef:
    return replace(make_file_ref(take.sound, take.sound_sha256, CONSENT_NAME), open=partial(_open_consent, take))


def _open_consent(take: Take) -> BinaryIO:
    """Open the WAV to send. The original that it was made from is the evidence, so it must be unchanged too."""
    if take.wav:
        open_verified_file(take.file, take.sha256, CONSENT_NAME).close()
    return open_verified_file(take.sound, take.sound_sha256, CONSENT_NAME)


@contextmanager
def _name_lost_file(file: FieldFile, name: str) -> Iterator[None]:
    try:
        with explain_storage_errors(file):
            yield
    except StoredFileLost as lost:
        raise FileChanged(FILE_LOST.format(name=name)) from lost


def open_verified_file(file: FieldFile, sha256: str, name: str) -> BinaryIO:
    """Open a file to send it to a provider. Raises FileChanged if its hash differs from `sha256`."""
    with _name_lost_file(file, name):
        opened = open_file(file)
    if hashlib.file_digest(cast(Any, opened), "sha256").hexdigest() != sha256:
        opened.close()
        raise FileChanged(FILE_CHANGED.format(name=name))
    opened.seek(0)
    return opened


def make_callback_url(build: Build) -> str:
    token = derive_token("callback", build.pk)
    path = reverse("webhooks:callback", args=[build.remote_voice.account.provider, token])
    return settings.VOICEHUB_BASE_URL + path


def make_dataset_url(build: Build) -> str:
    """URL of the dataset: a WAV for a rapid voice, an archive for a professional voice."""
    name = "dataset.wav" if build.remote_voice.tier == Tier.RAPID else "dataset.zip"
    return settings.VOICEHUB_BASE_URL + reverse("voices:dataset", args=[derive_token("dataset", build.pk), name])
