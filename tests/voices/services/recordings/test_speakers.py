"""Few files are opened when recordings change, and other speakers are found as if all were listened to again."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import soundfile
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from audio.networks import speaker_match
from audio.networks.weights import MissingModel
from tests.consent.rows import allow_comparison
from tests.support.task_runner import run_due_tasks
from tests.support.wav import SAMPLE_FOLDER, load_sample_wav
from tests.voices.rows import Studio, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus, ThresholdOverride
from voicehub.outbox import Lease
from voicehub.storage import open_local_path
from voices.models import Recording, Voice
from voices.services.recordings import speakers, whole_clip
from voices.services.recordings.comparison import compare_recordings
from voices.services.recordings.store import add_recording, delete_recording, set_active, set_transcript

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("once_per_sound")]

SLT = [f"slt-0{number}" for number in range(1, 9)]
RMS = [f"rms-0{number}" for number in range(1, 9)]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    voice = studio.make_voice()
    allow_comparison(voice.talent)
    return voice


@pytest.fixture
def opened_files(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was opened since the last `clear`."""
    storage, opened = Recording(voice=voice).file.storage, Counter[str]()
    open_stored = storage.open

    def count_and_open(name: str, mode: str = "rb") -> Any:
        opened[name] += 1
        return open_stored(name, mode)

    def count_and_open_path(file: FieldFile, folder: Path) -> Any:
        opened[str(file.name)] += 1
        return open_local_path(file, folder)

    monkeypatch.setattr(storage, "open", count_and_open)
    monkeypatch.setattr(whole_clip, "open_local_path", count_and_open_path)
    return opened


def add_samples(studio: Studio, voice: Voice, *names: str) -> None:
    """Add recordings, whose own analysis counts as done."""
    for name in names:
        add_recording(voice, make_upload(f"{name}.wav", load_sample_wav(name)), studio.producer, f"Words of {name}.")
    Task.objects.filter(kind="examine_recordings").update(status=TaskStatus.DONE, finished_at=timezone.now())
    voice.recordings.filter(analyzed_at=None).update(analyzed_at=timezone.now())


def compare(voice: Voice) -> int:
    """Compare until nothing is left to judge. Returns the number of runs."""
    for runs in range(1, 20):
        if compare_recordings(str(voice.pk), claim_lease()) is None:
            voice.refresh_from_db()
            return runs
    raise AssertionError("The comparison does not end.")


def claim_lease() -> Lease:
    task = Task.objects.create(kind="test", object_id=str(uuid4()))
    lease = outbox.claim_task(str(task.pk))
    assert lease
    return lease


def list_flagged(voice: Voice) -> set[str]:
    rows = voice.recordings.all()
    return {row.title for row in rows if "other_speaker" in {finding["code"] for finding in row.set_findings}}


def add_judged_copies(voice: Voice, count: int) -> None:
    """Add rows with the file and the results of the first recording, as if many more had been compared before."""
    first = voice.recordings.all()[0]
    storage, source = first.file.storage, Path(first.file.path)
    rows = []
    for number in range(count):
        name = f"recordings/{voice.pk}/copy-{number}.wav"
        Path(storage.path(name)).hardlink_to(source)
        features = {**first.sound_features, "content_hash": f"{number:064}", "fingerprint": ""}
        rows.append(
            Recording(
                voice=voice, status=first.status, uploaded_by=first.uploaded_by, size=1, seconds=first.seconds,
                file=name, file_name=f"copy-{number:03}.wav", sha256=f"{number:064}", analyzed_at=timezone.now(),
                sound_features=features, speaker_result=first.speaker_result,
            )
        )  # fmt: skip
    Recording.objects.bulk_create(rows)
    total = voice.recordings.count()
    Voice.objects.filter(pk=voice.pk).update(comparison={**voice.comparison, "judged_together": total})


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """New recordings of a small voice are compared with a sample, as those of a voice of hundreds are."""
    monkeypatch.setattr(speakers, "SAMPLE_SIZE", 5)


# --- opened files -----------------------------------------------------------------------------


def test_changed_transcript_opens_no_file(studio: Studio, voice: Voice, opened_files: Counter[str]) -> None:
    add_samples(studio, voice, *SLT[:4])
    compare(voice)
    opened_files.clear()
    first, second, *_others = voice.recordings.all()
    set_transcript(first, "Words of slt-02.")
    assert Task.objects.filter(kind="compare_recordings", status=TaskStatus.WAITING).exists()
    run_due_tasks("examine_recordings", "compare_recordings")
    codes = {row.pk: [one["code"] for one in row.set_findings] for row in voice.recordings.all()}
    assert codes[first.pk] == codes[second.pk] == ["same_transcript"]
    set_transcript(first, "Other words.")
    run_due_tasks("examine_recordings", "compare_recordings")
    assert not any(row.set_findings for row in voice.recordings.all())
    assert not opened_files


@pytest.mark.parametrize("count", [50, 200])
def test_new_recording_opens_as_many_files_in_a_small_as_in_a_large_voice(
    studio: Studio, voice: Voice, opened_files: Counter[str], count: int
) -> None:
    add_samples(studio, voice, *SLT[:4])
    compare(voice)
    add_judged_copies(voice, count - 4)
    opened_files.clear()
    add_recording(voice, make_upload("guest.wav", load_sample_wav("rms-01")), studio.producer)
    opened_files.clear()
    run_due_tasks("examine_recordings")
    assert sum(opened_files.values()) == 1, "the analysis of the new recording"
    compare(voice)
    assert sum(opened_files.values()) == 1 + 1 + speakers.SAMPLE_SIZE, "its voice, and those of the sample"
    assert max(opened_files.values()) == 2
    assert list_flagged(voice) == {"guest"}


@pytest.mark.usefixtures("small_sample")
def test_deleted_and_excluded_recordings_open_no_file(studio: Studio, voice: Voice, opened_files: Counter[str]) -> None:
    add_samples(studio, voice, *SLT, "rms-01")
    compare(voice)
    opened_files.clear()
    for row in voice.recordings.filter(file_name__in=[f"{name}.wav" for name in SLT[:2]]):
        delete_recording(row)
    set_active(voice.recordings.get(file_name="slt-03.wav"), False)
    compare(voice)
    assert not opened_files and list_flagged(voice) == {"rms-01"}


# --- results ----------------------------------------------------------------------------------


def compare_all_at_once(voice: Voice) -> set[str]:
    """The recordings that a full comparison of all voiceprints flags."""
    rows = list(voice.recordings.all())
    prints = [compute_sample_print(row.title) for row in rows]
    return {row.title for row, is_outlier in zip(rows, speaker_match.find_outliers(prints), strict=True) if is_outlier}


@cache
def compute_sample_print(name: str) -> speaker_match.Voiceprint | None:
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")
    return speaker_match.compute_voiceprint(samples, rate)


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize(
    "uploads",
    [
        [[*SLT, *RMS[:3]]],
        [[*RMS[:3], *SLT]],
        [SLT[:4], SLT[4:], RMS[:1], RMS[1:3]],
        [RMS[:1], SLT[:5], RMS[1:3], SLT[5:]],
        [["rms-silent", *SLT[:6]], ["rms-01"], ["rms-02", "slt-07"]],
    ],
    ids=str,
)
def test_other_speakers_are_those_of_a_full_comparison(studio: Studio, voice: Voice, uploads: list[list[str]]) -> None:
    for names in uploads:
        add_samples(studio, voice, *names)
        compare(voice)
    assert list_flagged(voice) == compare_all_at_once(voice) == {name for name in RMS for one in uploads if name in one}


@pytest.mark.usefixtures("small_sample")
def test_large_upload_is_judged_in_batches(
    studio: Studio, voice: Voice, opened_files: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speakers, "BATCH_SIZE", 8)
    add_samples(studio, voice, *RMS[:3], *SLT)
    opened_files.clear()
    assert compare(voice) == 2
    assert 2 * 11 < sum(opened_files.values()) <= 2 * 11 + speakers.SAMPLE_SIZE, (
        "features and voice of each, the sample"
    )
    assert list_flagged(voice) == set(RMS[:3])
    assert compare(voice) == 1


@pytest.mark.usefixtures("small_sample")
def test_all_are_judged_again_if_the_first_recordings_were_another_persons(studio: Studio, voice: Voice) -> None:
    add_samples(studio, voice, *RMS[:6])
    compare(voice)
    assert list_flagged(voice) == set()
    add_samples(studio, voice, *SLT[:4])
    compare(voice)
    assert list_flagged(voice) == set(SLT[:4]), "until now most are the other person's"
    add_samples(studio, voice, *SLT[4:])
    compare(voice)
    assert list_flagged(voice) == set(RMS[:6]) == compare_all_at_once(voice)


@pytest.mark.usefixtures("small_sample")
def test_deletion_that_leaves_mostly_other_speakers_judges_the_rest_again_once(
    studio: Studio, voice: Voice, opened_files: Counter[str]
) -> None:
    add_samples(studio, voice, *RMS[:6], *SLT[:3])
    compare(voice)
    assert list_flagged(voice) == set(SLT[:3])
    for row in voice.recordings.filter(file_name__in=[f"{name}.wav" for name in RMS[1:6]]):
        delete_recording(row)
    opened_files.clear()
    compare(voice)
    assert list_flagged(voice) == {"rms-01"}
    assert sum(opened_files.values()) == 4
    compare(voice)
    assert sum(opened_files.values()) == 4


@pytest.mark.usefixtures("small_sample")
def test_voice_of_two_equal_speakers_is_not_judged_again_and_again(
    studio: Studio, voice: Voice, opened_files: Counter[str]
) -> None:
    add_samples(studio, voice, *SLT[:4], *RMS[:4])
    compare(voice)
    assert len(list_flagged(voice)) >= 3
    opened_files.clear()
    compare(voice)
    assert not opened_files
    add_samples(studio, voice, "slt-05")
    opened_files.clear()
    compare(voice)
    assert sum(opened_files.values()) <= 2 + speakers.SAMPLE_SIZE


def test_changed_limit_judges_stored_results_without_listening(
    studio: Studio, voice: Voice, opened_files: Counter[str]
) -> None:
    add_samples(studio, voice, *SLT[:4], "rms-01")
    compare(voice)
    assert list_flagged(voice) == {"rms-01"}
    similarity = voice.recordings.get(file_name="rms-01.wav").speaker_result["similarity"]
    limits = {"value": similarity - 0.01, "reason": "Two readers sound alike."}
    ThresholdOverride.objects.create(provider="", tier="", name="speaker_outlier", **limits)
    opened_files.clear()
    compare(voice)
    assert list_flagged(voice) == set() and not opened_files


def test_speakers_are_judged_once_the_model_is_installed(
    studio: Studio, voice: Voice, opened_files: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_samples(studio, voice, *SLT[:4], "rms-01")
    with monkeypatch.context() as patch:
        patch.setattr(speaker_match, "load_encoder", lambda: MissingModel("Resemblyzer is not installed."))
        compare(voice)
    assert voice.comparison["missing"] == "Resemblyzer is not installed."
    assert list_flagged(voice) == set() and sum(opened_files.values()) == 5, "only the features"
    compare(voice)
    assert list_flagged(voice) == {"rms-01"}
