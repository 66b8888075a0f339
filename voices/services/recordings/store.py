from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast
from uuid import UUID

from botocore.exceptions import BotoCoreError
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from audio.ingest import IngestResult, ingest_audio
from consent.models import WORLDWIDE, Purpose, Talent
from consent.services.legal_hold import require_no_hold
from voicehub import outbox
from voicehub.edit_versions import ChangedMeanwhile, make_version
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import COMPARE_DELAY
from voicehub.threshold_overrides import load_thresholds
from voicehub.upload_limits import RECORDING_BYTES
from voices.models import InclusionSource, Recording, RecordingStatus, Voice
from voices.models.recording_files import RECORDING_SUFFIXES
from voices.models.recording_lengths import RECORDING_LIMITS
from voices.models.voice import make_recording_path
from voices.services.recordings.emotions import check_emotion
from voices.services.recordings.figures import set_figures, update_figures
from voices.services.recordings.inclusion import find_exclusion, list_warning_codes, make_fields
from voices.services.recordings.text_checks import check_transcript
from voices.services.refused_recordings import note_refusals

# Tasks for new and changed recordings (voices.services.recordings.analysis).
ANALYZE_TASK, COMPARE_TASK = "examine_recordings", "compare_recordings"
DELETE_PARTIAL_FILES_TASK = "delete_partial_files"
PIECES_IN_VOICE = (
    "The voice already has clips that were split from this recording, so its sound would be in a build twice. Split it"
    " again to get the missing clips, or delete the clips first."
)


def create_voice(
    talent: Talent,
    name: str,
    language: str,
    purpose: Purpose | str,
    by: User,
    *,
    countries: Sequence[str] = (WORLDWIDE,),
    emotion: str = "",
) -> Voice:
    """Create a voice. Raises ActionRefused if the talent already has a voice with this name."""
    voice = Voice(
        talent=talent, name=name, language=language, purpose=purpose, countries=list(countries), created_by=by
    )
    voice.emotion = check_emotion(emotion)
    _save_voice(voice, force_insert=True)
    return voice


def change_voice(voice: Voice, *, name: str, countries: Sequence[str], emotion: str = "") -> None:
    """Change the name, the countries, and the emotion of recordings that have none of their own.

    Raises ActionRefused if the talent already has a voice with this name.
    """
    voice.name, voice.countries, voice.emotion = name, list(countries), check_emotion(emotion)
    _save_voice(voice, update_fields=["name", "countries", "emotion"])


def _save_voice(voice: Voice, **options: Any) -> None:
    try:
        with transaction.atomic():
            voice.save(**options)
    except IntegrityError:
        text = f"{voice.talent.shown_name} already has a voice called “{voice.name}”. Choose another name."
        raise ActionRefused(text) from None


def add_recording(voice: Voice, file: "File[Any]", by: User, transcript: str = "") -> tuple[Recording, bool]:
    """Store a file unchanged, with its findings. For a duplicate, return the earlier recording and False.

    An unusable file is stored too, as REFUSED, so that nothing is lost. A file in another format gets a converted WAV
    beside it. Raises ActionRefused if the file is too large.
    """
    if (file.size or 0) > RECORDING_BYTES:
        raise ActionRefused(f"The file is larger than {RECORDING_BYTES >> 20} MB. Split it into clips first.")
    with ingest_audio(cast(BinaryIO, file), RECORDING_LIMITS, load_thresholds()) as sound:
        return store_recording(make_recording(voice, file, sound, by, transcript), file, sound.wav_path)


def make_recording(voice: Voice, file: "File[Any]", sound: IngestResult, by: User, transcript: str) -> Recording:
    """The unsaved row for a file."""
    fields = sound.build_row_fields()
    recording = Recording(
        voice=voice,
        file_name=PurePath(file.name or "recording.wav").name[-200:],
        transcript=" ".join(transcript.split()),
        status=RecordingStatus.ACCEPTED if sound.ok else RecordingStatus.REFUSED,
        uploaded_by=by,
        **fields,
        **(make_fields(find_exclusion(list_warning_codes(fields["findings"]))) if sound.ok else {"active": False}),
    )
    set_figures(recording)
    return recording


def store_recording(recording: Recording, file: "File[Any]", wav: Path | None = None) -> tuple[Recording, bool]:
    """Save a recording with its file and converted WAV. For a duplicate, return the earlier recording and False."""
    if earlier := _find_duplicate(recording):
        return earlier, False
    try:
        _store_files(recording, file, wav)
        with transaction.atomic():
            recording.save(force_insert=True)
            if recording.is_usable:
                outbox.enqueue_task(ANALYZE_TASK, recording.voice_id)
    except BaseException as error:
        # Keep the files if the row was committed before the error.
        if not Recording.objects.filter(pk=recording.pk).exists():
            _remove_partial_files(recording, error)
        # The same file was uploaded twice at once, and the other upload won.
        earlier = _find_duplicate(recording) if isinstance(error, IntegrityError) else None
        if earlier is None:
            raise
        return earlier, False
    return recording, True


def _find_duplicate(recording: Recording) -> Recording | None:
    return Recording.objects.filter(voice=recording.voice_id, sha256=recording.sha256).first()


def _store_files(recording: Recording, file: "File[Any]", wav: Path | None) -> None:
    """Store the files. Do not call in a transaction: while it waits for storage, it blocks other SQLite writers."""
    if wav:
        with wav.open("rb") as converted:
            recording.wav.save(wav.name, File(converted), save=False)
    file.seek(0)
    recording.file.save(recording.file_name, file, save=False)


def _remove_partial_files(recording: Recording, error: BaseException) -> None:
    """Delete the files of a recording that could not be saved, also files that a full disk truncated.

    If the storage does not respond, a task deletes them, so that the user does not wait for it a second time.
    """
    if isinstance(error, BotoCoreError):
        _enqueue_files(recording)
    else:
        _delete_partial_files(recording)


def _enqueue_files(recording: Recording) -> None:
    """Have a task delete the files of a recording that has no row then. It is retried until the storage answers."""
    outbox.enqueue_task(DELETE_PARTIAL_FILES_TASK, f"{recording.voice_id.hex}{recording.pk.hex}")


def delete_partial_files(ids: str) -> None:
    """Delete the files of a recording without a row. `ids` are those of its voice and its own, in hex."""
    recording = Recording(voice_id=UUID(ids[:32]), pk=UUID(ids[32:]))
    if not Recording.objects.filter(pk=recording.pk).exists():
        _delete_partial_files(recording)


def _delete_partial_files(recording: Recording) -> None:
    for suffix in RECORDING_SUFFIXES:
        recording.file.storage.delete(make_recording_path(recording, suffix))


def set_transcript(recording: Recording, text: str) -> None:
    """Save the transcript and check it at once. A task compares it with those of the other recordings.

    Only text is checked, so no file is opened.
    """
    recording.transcript = " ".join(text.split())
    recording.checked_at = recording.transcript_set_at = timezone.now()
    if not recording.is_usable:
        recording.save(update_fields=["transcript", "checked_at", "transcript_set_at"])
        return
    with transaction.atomic():
        # Locked, because the analysis of the audio may store its results at this moment.
        stored = Recording.objects.select_for_update().only("findings", "measures").get(pk=recording.pk)
        language, thresholds = recording.voice.language, load_thresholds()
        results = check_transcript(recording, language, stored.findings, stored.measures, thresholds)
        recording.findings, recording.measures = results["findings"], results["measures"]
        recording.save(update_fields=["transcript", "findings", "measures", "checked_at", "transcript_set_at"])
        update_figures(Recording.objects.filter(pk=recording.pk))
        outbox.enqueue_task(COMPARE_TASK, recording.voice_id)


def save_transcript(recording: Recording, text: str, version: str) -> None:
    """Save the transcript of a page that shows `version`. Raises ChangedMeanwhile if someone else changed it."""
    with transaction.atomic():
        rows = Recording.objects.select_for_update().filter(pk=recording.pk)
        current = rows.values_list("transcript", flat=True).get()
        stored, wanted = make_version(current), make_version(text)
        if version and stored not in {version, wanted}:
            raise ChangedMeanwhile(current)
        set_transcript(recording, text)


def switch_active(recording: Recording, active: bool, was_active: bool) -> None:
    """Set what the switch of a page shows. Raises ChangedMeanwhile if it has another position already."""
    with transaction.atomic():
        rows = Recording.objects.select_for_update().filter(pk=recording.pk)
        current = rows.values_list("active", flat=True).get()
        if current != was_active:
            raise ChangedMeanwhile(current)
        set_active(recording, active)


def check_again(voice: Voice) -> None:
    """Enqueue the analysis of what is not analyzed yet, and then the comparison of all recordings of the voice."""
    outbox.enqueue_task(ANALYZE_TASK, voice.pk)


def set_active(recording: Recording, active: bool) -> None:
    """Include a recording in the next build, or exclude it, by the choice of a person. No check overrides it."""
    if active and not recording.is_usable:
        raise ActionRefused("This file cannot be used. Record it again, or fix the file and upload it again.")
    note_refusals([recording])
    if active and recording.is_refused_everywhere:
        raise ActionRefused(recording.refusal_text)
    if active and recording.pieces.exists():
        raise ActionRefused(PIECES_IN_VOICE)
    recording.active, recording.active_by, recording.exclusion_code = active, InclusionSource.PERSON, ""
    recording.active_set_at = timezone.now()
    recording.save(update_fields=["active", "active_by", "exclusion_code", "active_set_at"])


def delete_recording(recording: Recording) -> None:
    """Delete a recording and its files. A recording used by a build is kept as evidence of that build."""
    try:
        with transaction.atomic():
            require_no_hold(recording.voice.talent)
            if Recording.objects.select_for_update().filter(pk=recording.pk, status=RecordingStatus.SPLITTING).exists():
                raise ActionRefused("The recording is being split into clips. Wait until that is done.")
            _enqueue_files(recording)
            recording.delete()
            outbox.enqueue_task(COMPARE_TASK, recording.voice_id, after=COMPARE_DELAY)
    except (ProtectedError, IntegrityError):  # IntegrityError if a build was started at the same moment
        raise ActionRefused(
            "The recording cannot be deleted because a build used it or it was split. Exclude it from the next build."
        ) from None
