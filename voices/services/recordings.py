from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from consent.models import Purpose, Talent
from consent.services import NotPossible
from voicehub.audio.inspect import Limits, inspect
from voicehub.models import User
from voices.models import Recording, RecordingStatus, Voice

# What no provider takes, whatever its tier; the tighter limits of each tier are asked for by `readiness`.
CLIP_LIMITS = Limits(min_seconds=1.0, max_seconds=60.0)
LARGEST_RECORDING = 200 << 20


def create_voice(talent: Talent, name: str, language: str, purpose: Purpose | str, by: User) -> Voice:
    """Begin a voice project. Raises NotPossible when the talent has a voice of that name."""
    try:
        with transaction.atomic():
            return Voice.objects.create(talent=talent, name=name, language=language, purpose=purpose, created_by=by)
    except IntegrityError:
        raise NotPossible(f"{talent.name} has a voice called “{name}” already.") from None


def add_recording(voice: Voice, file: "UploadedFile[Any]", by: User, transcript: str = "") -> tuple[Recording, bool]:
    """Keep a file exactly as it came and say what is wrong with it; False when the same bytes were there already.

    A file that cannot be used is kept as well, as refused and with its findings, so that nothing is lost.
    """
    if (file.size or 0) > LARGEST_RECORDING:
        raise NotPossible(f"The file is larger than {LARGEST_RECORDING >> 20} MB. Cut it into clips first.")
    file.seek(0)
    found = inspect(file, CLIP_LIMITS)  # type: ignore[arg-type]  # an uploaded file reads like any binary file
    file.seek(0)
    recording = Recording(
        voice=voice,
        file_name=(file.name or "recording.wav")[-200:],
        transcript=" ".join(transcript.split()),
        status=RecordingStatus.ACCEPTED if found.ok else RecordingStatus.REFUSED,
        active=found.ok,
        uploaded_by=by,
        **found.facts(),
    )
    earlier = Recording.objects.filter(voice=voice, sha256=found.sha256).first()
    return (earlier, False) if earlier else _keep(recording, file)


def _keep(recording: Recording, file: "UploadedFile[Any]") -> tuple[Recording, bool]:
    recording.file = file
    try:
        with transaction.atomic():
            recording.save(force_insert=True)
    except IntegrityError:  # the same file was sent twice at once, and the other one was faster
        recording.file.storage.delete(str(recording.file.name))
        return Recording.objects.get(voice=recording.voice, sha256=recording.sha256), False
    return recording, True


def set_transcript(recording: Recording, text: str) -> None:
    """Write what is said in the recording."""
    recording.transcript = " ".join(text.split())
    recording.save(update_fields=["transcript"])


def set_active(recording: Recording, active: bool) -> None:
    """Take a recording into the next build, or leave it out."""
    if active and not recording.usable:
        raise NotPossible("This file cannot be used. Record it again, or mend it and upload it once more.")
    recording.active = active
    recording.save(update_fields=["active"])


def delete_recording(recording: Recording) -> None:
    """Delete a recording and its file; one that a build has used stays as evidence of that build."""
    name, storage = str(recording.file.name), recording.file.storage
    try:
        with transaction.atomic():
            recording.delete()
            transaction.on_commit(lambda: storage.delete(name))
    except ProtectedError:
        raise NotPossible("A build has used this recording, so it is kept. Leave it out of the next one.") from None
