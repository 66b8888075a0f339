"""Stored recordings: formats other than WAV, and long recordings that are split into clips. No audio is lost."""

import hashlib
import io
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audio.wav.riff import read_header
from providers.types import Handover
from tests.support.checked import mark_checked
from tests.support.long_recordings import make_long_wav
from tests.support.task_runner import refuse_single_file, run_due_tasks
from tests.support.wav import make_wav_bytes
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus, ThresholdOverride
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import MAX_ATTEMPTS
from voices.models import Recording, RecordingStatus, Voice
from voices.services.builds.spec import make_build_spec
from voices.services.builds.start import start_build
from voices.services.recordings import store
from voices.services.recordings.segment import enqueue_split, handle_split_failure, split_recording
from voices.services.recordings.store import DELETE_PARTIAL_FILES_TASK, add_recording, delete_recording

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def encode_flac(data: bytes) -> bytes:
    samples, rate = soundfile.read(io.BytesIO(data))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_24")
    return buffer.getvalue()


def read_file(field: FieldFile) -> bytes:
    with field.open("rb") as file:
        return bytes(file.read())


def list_codes(findings: list[dict[str, Any]]) -> list[str]:
    return [finding["code"] for finding in findings]


def test_flac_is_stored_unchanged_beside_its_wav(studio: Studio, voice: Voice) -> None:
    flac = encode_flac(make_clip())
    recording, is_new = add_recording(voice, make_upload("line.flac", flac), studio.producer)
    assert (is_new, recording.status, recording.active) == (True, RecordingStatus.ACCEPTED, True)
    assert (read_file(recording.file), recording.size) == (flac, len(flac))
    wav = read_file(recording.sound)
    header = read_header(io.BytesIO(wav))
    assert (header.sample_rate, header.frames) == (recording.sample_rate, round(recording.seconds * header.sample_rate))
    assert recording.sound_sha256 != recording.sha256
    assert recording.recipe["from_sha256"] == recording.sha256
    assert recording.recipe["original"]["container"] == "FLAC"
    assert recording.findings[0]["severity"] == "put_right"


def test_build_sends_the_converted_wav(studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("line.flac", encode_flac(make_clip())), studio.producer)
    build = studio.make_build(voice)
    audio = make_build_spec(build, refuse_single_file).clips[0].audio
    with audio.open() as file:
        assert file.read() == read_file(recording.wav)


def test_analysis_adds_findings_in_the_language_of_the_voice(studio: Studio, voice: Voice) -> None:
    """An English abbreviation can be a German word."""
    Voice.objects.filter(pk=voice.pk).update(language="de-DE")
    flac = make_upload("line.flac", encode_flac(make_clip()))
    recording, _new = add_recording(voice, flac, studio.producer, transcript="Am 3. est. mit Corp. und Mut.")
    run_due_tasks("examine_recordings")
    recording.refresh_from_db()
    assert {"converted", "transcript_digits"} <= set(list_codes(recording.findings))
    assert "transcript_abbreviation" not in list_codes(recording.findings)


def test_damaged_wav_is_refused_and_not_repaired(studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("cut.wav", make_clip()[:-1000]), studio.producer)
    assert recording.status == RecordingStatus.REFUSED
    assert list_codes(recording.findings) == ["truncated"]
    assert not recording.wav


def test_file_without_audio_is_stored_and_refused(studio: Studio, voice: Voice) -> None:
    recording, _new = add_recording(voice, make_upload("notes.wav", b"no sound at all"), studio.producer)
    assert recording.status == RecordingStatus.REFUSED
    assert list_codes(recording.findings) == ["not_sound"]
    assert read_file(recording.file) == b"no sound at all"


def test_file_uploaded_twice_is_stored_once(studio: Studio, voice: Voice) -> None:
    flac = encode_flac(make_clip())
    first, _new = add_recording(voice, make_upload("a.flac", flac), studio.producer)
    second, is_new = add_recording(voice, make_upload("b.flac", flac), studio.producer)
    assert (second.pk, is_new) == (first.pk, False)


# --- splitting --------------------------------------------------------------------------------------------------


@pytest.fixture
def long_recording(studio: Studio, voice: Voice) -> Recording:
    recording, _new = add_recording(voice, make_upload("interview.wav", make_long_wav()), studio.producer)
    return recording


def test_long_recording_is_split_at_its_pauses(studio: Studio, voice: Voice, long_recording: Recording) -> None:
    assert (long_recording.status, long_recording.can_be_cut) == (RecordingStatus.ACCEPTED, True)
    enqueue_split(long_recording, studio.producer)
    assert long_recording.status == RecordingStatus.SPLITTING
    run_due_tasks("cut_recording")
    long_recording.refresh_from_db()
    assert long_recording.status == RecordingStatus.SPLIT
    segments = list(long_recording.pieces.order_by("file_name"))
    assert len(segments) > 5
    assert all(segment.is_usable and 1.5 <= segment.seconds <= 20 for segment in segments)
    assert segments[0].file_name == "interview-001.wav"
    assert {segment.recipe["from_sha256"] for segment in segments} == {long_recording.sha256}
    cuts = [segment.recipe["steps"][-1] for segment in segments]
    assert all(a["end_frame"] <= b["start_frame"] for a, b in zip(cuts, cuts[1:], strict=False))
    first = cuts[0]
    data = read_file(long_recording.file)
    samples = data[read_header(io.BytesIO(data)).data_offset :]
    assert read_file(segments[0].file)[44:] == samples[2 * first["start_frame"] : 2 * first["end_frame"]]


def test_repeated_split_makes_no_segment_twice(studio: Studio, long_recording: Recording) -> None:
    enqueue_split(long_recording, studio.producer)
    run_due_tasks("cut_recording")
    count = long_recording.pieces.count()
    Recording.objects.filter(pk=long_recording.pk).update(status=RecordingStatus.SPLITTING)
    outbox.enqueue_task("cut_recording", long_recording.pk)
    run_due_tasks("cut_recording")
    long_recording.refresh_from_db()
    assert (long_recording.status, long_recording.pieces.count()) == (RecordingStatus.SPLIT, count)


def test_only_a_long_recording_can_be_split_and_only_once(
    studio: Studio, voice: Voice, long_recording: Recording
) -> None:
    good, _new = add_recording(voice, make_upload("good.wav"), studio.producer)
    broken, _new = add_recording(voice, make_upload("broken.wav", make_clip(5)[:-10]), studio.producer)
    for recording in (good, broken):
        with pytest.raises(ActionRefused):
            enqueue_split(recording, studio.producer)
    enqueue_split(long_recording, studio.producer)
    with pytest.raises(ActionRefused):
        enqueue_split(long_recording, studio.producer)


def test_long_silence_cannot_be_split_and_gets_a_finding(studio: Studio, voice: Voice) -> None:
    data = make_wav_bytes(np.zeros(61 * 16000, np.float32))
    recording, _new = add_recording(voice, make_upload("silence.wav", data), studio.producer)
    enqueue_split(recording, studio.producer)
    run_due_tasks("cut_recording")
    recording.refresh_from_db()
    assert (recording.status, recording.active, recording.can_be_cut) == (RecordingStatus.ACCEPTED, False, False)
    (finding,) = [one for one in recording.findings if one["code"] == "nothing_to_cut"]
    assert finding["severity"] == "look" and "nothing_to_cut" in str(recording.warning_codes)
    assert not recording.pieces.exists()


def test_recording_that_was_split_into_segments_cannot_be_deleted(studio: Studio, long_recording: Recording) -> None:
    enqueue_split(long_recording, studio.producer)
    run_due_tasks("cut_recording")
    with pytest.raises(ActionRefused):
        delete_recording(long_recording)


def test_recording_cannot_be_deleted_while_it_is_split(studio: Studio, long_recording: Recording) -> None:
    enqueue_split(long_recording, studio.producer)
    with pytest.raises(ActionRefused, match="being split"):
        delete_recording(Recording.objects.get(pk=long_recording.pk))
    run_due_tasks("cut_recording")
    assert long_recording.pieces.exists()


def test_failed_split_can_be_requested_again(
    studio: Studio, long_recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue_split(long_recording, studio.producer)

    def raise_error(*_: Any) -> None:
        raise OSError("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr("voices.services.recordings.segment.split_clip", raise_error)
        for _ in range(MAX_ATTEMPTS):
            Task.objects.filter(kind="cut_recording").update(due_at=long_recording.created_at)
            run_due_tasks("cut_recording")
    long_recording.refresh_from_db()
    assert (long_recording.status, long_recording.can_be_cut) == (RecordingStatus.ACCEPTED, True)
    enqueue_split(long_recording, studio.producer)
    run_due_tasks("cut_recording")
    long_recording.refresh_from_db()
    assert long_recording.status == RecordingStatus.SPLIT


def test_split_task_of_a_deleted_recording_ends_without_error(long_recording: Recording) -> None:
    """The task finds no recording. It must end and not repeat forever."""
    outbox.enqueue_task("cut_recording", long_recording.pk)
    Recording.objects.filter(pk=long_recording.pk).delete()
    run_due_tasks("cut_recording")
    assert Task.objects.get(kind="cut_recording").status == TaskStatus.DONE
    handle_split_failure(str(long_recording.pk))


def test_split_resumes_after_a_killed_worker_without_gaps(
    studio: Studio, long_recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next worker continues after the stored segments and makes only the missing ones."""
    enqueue_split(long_recording, studio.producer)
    segments: list[Recording] = []

    def store_three_then_exit(*args: Any) -> Any:
        if len(segments) == 3:
            raise SystemExit
        result = store.store_recording(*args)
        segments.append(result[0])
        return result

    (task,) = Task.objects.filter(kind="cut_recording")
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("voices.services.recordings.segment.store_recording", store_three_then_exit)
        outbox.run_task(str(task.pk))
    Task.objects.filter(pk=task.pk).update(lease=None, lease_until=None)
    assert long_recording.pieces.count() == 3
    run_due_tasks("cut_recording")
    long_recording.refresh_from_db()
    names = sorted(long_recording.pieces.values_list("file_name", flat=True))
    assert long_recording.status == RecordingStatus.SPLIT
    assert names == [f"interview-{number:03}.wav" for number in range(1, len(names) + 1)]
    assert {row.pk for row in segments} <= {row.pk for row in long_recording.pieces.all()}


def test_split_stops_without_a_valid_lease(studio: Studio, long_recording: Recording) -> None:
    enqueue_split(long_recording, studio.producer)
    (task,) = Task.objects.filter(kind="cut_recording")
    lease = outbox.claim_task(str(task.pk))
    assert lease
    Task.objects.filter(pk=task.pk).update(lease=uuid4())
    with pytest.raises(outbox.LeaseLost):
        split_recording(str(long_recording.pk), lease)
    long_recording.refresh_from_db()
    assert (long_recording.status, long_recording.pieces.exists()) == (RecordingStatus.SPLITTING, False)


def test_lease_is_extended_while_a_long_recording_is_read(
    studio: Studio, long_recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is extended at each megabyte, because a worker may read hours of audio before the first segment."""
    enqueue_split(long_recording, studio.producer)
    extensions: list[int] = []
    counts: list[int] = []

    def count_and_store(*args: Any) -> None:
        counts.append(len(extensions))
        store.store_recording(*args)

    monkeypatch.setattr(outbox.Lease, "extend", lambda _: extensions.append(1))
    monkeypatch.setattr("voices.services.recordings.segment.store_recording", count_and_store)
    run_due_tasks("cut_recording")
    assert counts[0] > long_recording.size >> 20
    assert counts == sorted(set(counts)), "the lease is extended at each stored segment too"


def test_worker_that_loses_its_lease_stores_no_further_segment(
    studio: Studio, long_recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue_split(long_recording, studio.producer)
    (task,) = Task.objects.filter(kind="cut_recording")
    segments: list[Recording] = []

    def store_and_lose_lease(*args: Any) -> None:
        segments.append(store.store_recording(*args)[0])
        Task.objects.filter(pk=task.pk).update(lease=uuid4())

    monkeypatch.setattr("voices.services.recordings.segment.store_recording", store_and_lose_lease)
    outbox.run_task(str(task.pk))
    assert [row.pk for row in long_recording.pieces.all()] == [row.pk for row in segments] and len(segments) == 1


def test_segments_of_a_long_flac_name_the_flac_and_its_conversion(studio: Studio, voice: Voice) -> None:
    flac = encode_flac(make_long_wav())
    recording, _new = add_recording(voice, make_upload("interview.flac", flac), studio.producer)
    assert recording.can_be_cut
    enqueue_split(recording, studio.producer)
    run_due_tasks("cut_recording")
    segment = recording.pieces.order_by("file_name").first()
    assert segment and segment.recipe["from_sha256"] == hashlib.sha256(flac).hexdigest()
    assert [step["step"] for step in segment.recipe["steps"]] == ["decode", "round", "cut"]


def test_deletion_removes_all_files_of_a_recording_when_the_storage_answers(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, _new = add_recording(voice, make_upload("line.flac", encode_flac(make_clip())), studio.producer)
    names = [str(recording.file.name), str(recording.wav.name)]
    storage = recording.file.storage

    def raise_error(*_arguments: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", raise_error)
        delete_recording(recording)
        run_due_tasks(DELETE_PARTIAL_FILES_TASK)
    assert all(map(storage.exists, names)) and not Recording.objects.exists()
    Task.objects.filter(kind=DELETE_PARTIAL_FILES_TASK, status=TaskStatus.WAITING).update(due_at=timezone.now())
    run_due_tasks(DELETE_PARTIAL_FILES_TASK)
    assert not any(map(storage.exists, names))


def test_build_sends_the_files_whose_hashes_were_fixed_at_its_start(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 20)
    add_recording(voice, make_upload("line.flac", encode_flac(make_clip(77))), studio.producer, "A transcript.")
    mark_checked(voice)
    build = start_build(voice, studio.account, "rapid", Handover.RECORDINGS, studio.producer)
    hashes = {str(row.recording_id): row.sha256 for row in build.recordings.all()}
    for sent_clip in make_build_spec(build, refuse_single_file).clips:
        with sent_clip.audio.open() as file:
            assert hashlib.sha256(file.read()).hexdigest() == hashes.pop(sent_clip.key)
    assert not hashes


def test_threshold_override_changes_the_silent_channel_check(studio: Studio, voice: Voice) -> None:
    """A channel 40 dB below the other is reported as silent, unless the studio overrides the threshold."""
    samples, rate = soundfile.read(io.BytesIO(make_clip()))
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack((samples, samples / 100), axis=1), rate, format="FLAC", subtype="PCM_24")
    first, _new = add_recording(voice, make_upload("a.flac", buffer.getvalue()), studio.producer)
    assert "channel_silent" in list_codes(first.findings)
    delete_recording(first)
    ThresholdOverride.objects.create(name="channel_silent_db", value=-60, reason="Our second microphone is far away.")
    second, _new = add_recording(voice, make_upload("a.flac", buffer.getvalue()), studio.producer)
    assert "channel_silent" not in list_codes(second.findings)


def test_admin_shows_the_wav_hash_but_no_file_url(superuser_client: Client, studio: Studio, voice: Voice) -> None:
    """On S3 a file URL would give anyone access to the file."""
    recording, _new = add_recording(voice, make_upload("line.flac", encode_flac(make_clip())), studio.producer)
    response = superuser_client.get(reverse("admin:voices_recording_change", args=[recording.pk]))
    assert recording.wav_sha256 in response.content.decode()
    assert str(recording.wav.name) not in response.content.decode()
