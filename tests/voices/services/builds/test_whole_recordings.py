"""Long recordings in builds at the sandbox: sent whole where the vendor takes that, refused in words where not."""

import io
from typing import Any

import pytest
import soundfile

from providers.types import Handover, Tier
from tests.support.long_recordings import make_long_wav
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import make_upload
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.refusals import ActionRefused
from voices.models import Build, BuildStatus, Recording, RecordingStatus, Voice
from voices.services.builds.dataset import open_dataset
from voices.services.builds.spec import make_dataset_url
from voices.services.recordings.segment import enqueue_split
from voices.services.recordings.store import add_recording

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("once_per_sound")]

FOUR_MINUTES, NINETY_SECONDS = 8, 3  # times the sentences of `make_long_wav`


@pytest.fixture(scope="module")
def long_wav() -> bytes:
    return make_long_wav(NINETY_SECONDS)


def add_long_recording(harness: BuildHarness, data: bytes) -> tuple[Voice, Recording]:
    """A voice with one long recording that was analyzed and compared by the tasks."""
    voice = harness.make_voice("slt-01")
    voice.recordings.all().delete()
    recording, _new = add_recording(voice, make_upload("interview.wav", data), harness.producer)
    run_due_tasks("examine_recordings")
    harness.run_tasks()
    run_due_tasks("compare_recordings")
    recording.refresh_from_db()
    assert recording.analyzed_at and recording.active and recording.status == RecordingStatus.ACCEPTED
    return voice, recording


def read_lengths(build: Build) -> list[float]:
    return [row.recording.seconds for row in build.recordings.all()]


def test_four_minutes_are_built_whole_by_speechgen(make_harness: Any) -> None:
    harness = make_harness("speechgen")
    voice, recording = add_long_recording(harness, make_long_wav(FOUR_MINUTES))
    assert 230 < recording.seconds < 300
    build = harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.ONE_FILE))
    assert (build.status, build.issue) == (BuildStatus.READY, "")
    assert read_lengths(build) == [recording.seconds]
    assert harness.count_billed() == {"sg_clone": 1}


def test_four_minutes_are_refused_in_words_by_a_tier_of_clips(harness: BuildHarness) -> None:
    voice, _recording = add_long_recording(harness, make_long_wav(FOUR_MINUTES))
    for handover in (Handover.RECORDINGS, Handover.DATASET_URL):
        with pytest.raises(ActionRefused, match="1 recording is longer than 1 min: interview.wav. Cut it into clips"):
            harness.start_build(voice, Tier.PROFESSIONAL, handover)
    assert not Build.objects.exists() and not harness.list_requests()


def test_clips_of_a_cut_recording_are_built_where_it_was_refused(harness: BuildHarness, long_wav: bytes) -> None:
    """The whole recording is not sent beside its clips."""
    voice, recording = add_long_recording(harness, long_wav)
    enqueue_split(recording, harness.producer)
    run_due_tasks("cut_recording")
    run_due_tasks("examine_recordings", "examine_share")
    harness.run_tasks()
    run_due_tasks("compare_recordings")
    voice.recordings.update(transcript="Words.")
    build = harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.RECORDINGS))
    pieces = voice.recordings.filter(source=recording, active=True)
    assert build.recordings.count() == pieces.count() > 5
    assert max(read_lengths(build)) <= 20 and not build.recordings.filter(recording=recording).exists()


def test_rapid_voice_gets_the_whole_recording_as_its_dataset(harness: BuildHarness, long_wav: bytes) -> None:
    voice, recording = add_long_recording(harness, long_wav)
    build = harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL)
    token = make_dataset_url(build).rstrip("/").split("/")[-2]
    dataset = open_dataset(token, None, "test")
    assert dataset is not None
    data = b"".join(dataset.chunks)
    samples, rate = soundfile.read(io.BytesIO(data))
    assert (len(data), rate) == (dataset.size, 16000) and len(samples) / rate == recording.seconds


def test_resemble_v1_gets_the_whole_recording_as_one_wav(make_harness: Any, long_wav: bytes) -> None:
    harness = make_harness("resemble_v1")
    voice, recording = add_long_recording(harness, long_wav)
    for handover in (Handover.SIGNED_PUT_TEXTS, Handover.SIGNED_PUT_CLIPS):
        with pytest.raises(ActionRefused, match="longer than 20 s: interview.wav"):
            harness.start_build(voice, Tier.PROFESSIONAL, handover)
    build = harness.finish_build(harness.start_build(voice, Tier.PROFESSIONAL, Handover.SIGNED_PUT_WAV))
    assert (build.status, read_lengths(build)) == (BuildStatus.READY, [recording.seconds])


def test_recording_that_a_build_sends_can_be_cut_meanwhile(make_harness: Any, long_wav: bytes) -> None:
    """The build keeps the file that it was started with. The next one gets the clips."""
    harness = make_harness("speechgen")
    voice, recording = add_long_recording(harness, long_wav)
    build = harness.start_build(voice, Tier.RAPID, Handover.ONE_FILE)
    enqueue_split(recording, harness.producer)
    run_due_tasks("cut_recording")
    recording.refresh_from_db()
    assert (recording.status, recording.active) == (RecordingStatus.SPLIT, False)
    build = harness.finish_build(build)
    assert (build.status, read_lengths(build)) == (BuildStatus.READY, [recording.seconds])
    run_due_tasks("examine_recordings", "examine_share")
    harness.run_tasks()
    run_due_tasks("compare_recordings")
    second = harness.start_build(voice, Tier.RAPID, Handover.ONE_FILE)
    assert recording.seconds not in read_lengths(second) and max(read_lengths(second)) <= 20
