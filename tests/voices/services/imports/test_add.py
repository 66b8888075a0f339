"""Adding an import to its voice: no recording twice, none lost."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from tests.support.task_runner import run_due_tasks
from tests.support.wav import make_speech_like, make_wav_bytes
from tests.voices.import_rows import add, add_files, make_added_import, make_checked_import
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.refusals import ActionRefused
from voices.models import ImportClipState, ImportStatus, InclusionSource, Recording, RecordingStatus, Voice
from voices.services.imports import add as add_service
from voices.services.imports.add import start_adding
from voices.services.imports.rows import ADD_TASK
from voices.services.recordings.store import ANALYZE_TASK, add_recording, set_transcript

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


COMPARED = (
    "file_name", "sha256", "size", "transcript", "status", "active", "active_by", "exclusion_code", "seconds",
    "sample_rate", "findings", "levels", "peaks", "fine_peaks", "wav_sha256", "recipe", "quality", "signal_to_noise",
    "loudness", "worst_severity", "selection_quality", "warning_codes",
)  # fmt: skip


DATA = {
    "good": make_clip(1),
    "other rate": make_wav_bytes(make_speech_like(3.0, 44100, 99.0), rate=44100),
    "too long": make_wav_bytes(make_speech_like(65.0, 8000, 99.0), rate=8000),
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_recording_is_as_one_of_a_single_upload(studio: Studio, voice: Voice, data: bytes) -> None:
    single, _ = add_recording(studio.make_voice("Other", voice.talent), make_upload("a.wav", data), studio.producer)
    make_added_import(voice, studio.producer, {"folder/a.wav": data})
    row = voice.recordings.get()
    for name in COMPARED:
        assert getattr(row, name) == getattr(single, name), name
    with row.file.open("rb") as stored:
        assert stored.read() == data
    assert row.file.name == f"recordings/{voice.pk}/{row.pk}{str(single.file.name)[-4:]}"


def test_texts_are_checked_and_choices_of_a_table_are_those_of_a_person(studio: Studio, voice: Voice) -> None:
    table = b"name,text,normalized_text,in_builds\na,In 1843 [noise],In eighteen,no\nb,Plain words here.,,yes\n"
    make_added_import(voice, studio.producer, {"a.wav": make_clip(1), "b.wav": make_clip(2), "metadata.csv": table})
    first, second = voice.recordings.order_by("file_name")
    assert (first.transcript, first.normalized_transcript) == ("In 1843 [noise]", "In eighteen")
    assert (first.active, first.active_by) == (False, InclusionSource.PERSON)
    assert (second.active, second.active_by) == (True, InclusionSource.PERSON)
    assert first.findings and first.worst_severity


def test_long_recording_is_added_as_usable_and_can_be_cut(studio: Studio, voice: Voice) -> None:
    make_added_import(
        voice, studio.producer, {"long.wav": make_wav_bytes(make_speech_like(65.0, 8000, 99.0), rate=8000)}
    )
    row = voice.recordings.get()
    assert row.can_be_cut and row.status == RecordingStatus.ACCEPTED and row.active
    assert "long" in str(row.warning_codes).split() and Task.objects.filter(kind="examine_recordings").exists()


def test_one_analysis_is_enqueued_for_an_import(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add_service, "BATCH_SIZE", 2)
    enqueued: list[str] = []
    enqueue = outbox.enqueue_task

    def note(kind: str, *rest: Any, **how: Any) -> None:
        enqueued.append(kind)
        enqueue(kind, *rest, **how)

    monkeypatch.setattr(outbox, "enqueue_task", note)
    make_added_import(voice, studio.producer, {f"{n}.wav": make_clip(n) for n in range(5)})
    assert enqueued.count(ANALYZE_TASK) == 1
    assert Task.objects.filter(kind=ANALYZE_TASK, object_id=str(voice.pk), status=TaskStatus.WAITING).count() == 1


class KilledAt:
    """A lease whose worker is killed before a batch."""

    def __init__(self, batch: int) -> None:
        self.left = batch

    def extend(self) -> None:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1


@pytest.mark.parametrize("batch", range(5))
def test_killed_worker_loses_and_repeats_nothing(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(add_service, "BATCH_SIZE", 2)
    import_set = make_checked_import(voice, studio.producer, {f"{n}.wav": make_clip(n) for n in range(7)})
    start_adding(import_set, studio.producer)
    lease: Any = KilledAt(batch)
    with pytest.raises(KeyboardInterrupt):
        add_service.add_import(str(import_set.pk), lease)
    assert voice.recordings.count() == max(0, 2 * (batch - 1))
    add(import_set)
    assert import_set.status == ImportStatus.ADDED
    assert sorted(voice.recordings.values_list("file_name", flat=True)) == [f"{n}.wav" for n in range(7)]
    assert set(import_set.clips.values_list("status", flat=True)) == {ImportClipState.ADDED}


def test_worker_killed_inside_a_batch_stores_nothing_of_it(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    start_adding(import_set, studio.producer)

    def kill(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(add_service, "update_rows", kill)
        with pytest.raises(KeyboardInterrupt):
            add_service.add_import(str(import_set.pk), KilledAt(99))  # type: ignore[arg-type]
    assert not voice.recordings.exists()
    add(import_set)
    assert voice.recordings.count() == 1


def test_audio_that_another_import_added_meanwhile_is_a_named_duplicate(studio: Studio, voice: Voice) -> None:
    imports = [make_checked_import(voice, studio.producer, {f"{name}.wav": make_clip(1)}) for name in ("one", "two")]
    for import_set in imports:
        start_adding(import_set, studio.producer)
    run_due_tasks(ADD_TASK)
    (recording,) = voice.recordings.all()
    states = {clip.name: (clip.status, clip.recording) for one in imports for clip in one.clips.all()}
    assert {status for status, _recording in states.values()} == {ImportClipState.ADDED, ImportClipState.DUPLICATE}
    assert {row for _status, row in states.values()} == {recording}


def test_earlier_transcripts_are_set_and_counted(studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1, transcript="Old words.")
    import_set = make_added_import(voice, studio.producer, {"fix.csv": f"{recording.file_name}|New words.\n".encode()})
    recording.refresh_from_db()
    assert (recording.transcript, import_set.text_count) == ("New words.", 1)
    assert voice.bulk_changes.get().applied_at  # it can be undone


def test_transcript_that_was_changed_since_the_preview_stays(studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1, transcript="Old words.")
    import_set = make_checked_import(
        voice, studio.producer, {"fix.csv": f"{recording.file_name}|New words.\n".encode()}
    )
    Recording.objects.filter(pk=recording.pk).update(transcript="Newest words.")
    start_adding(import_set, studio.producer)
    add(import_set)
    recording.refresh_from_db()
    assert (recording.transcript, import_set.status) == ("Newest words.", ImportStatus.ADDED)


def test_nothing_to_add_and_unchecked_files_are_refused(studio: Studio, voice: Voice) -> None:
    empty = make_checked_import(voice, studio.producer, {"broken.wav": b"RIFF"})
    with pytest.raises(ActionRefused, match="nothing to add"):
        start_adding(empty, studio.producer)
    busy = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    add_files(busy, {"b.wav": make_clip(2)})
    with pytest.raises(ActionRefused, match="still being checked"):
        start_adding(busy, studio.producer)


def test_second_click_is_refused(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    start_adding(import_set, studio.producer)
    with pytest.raises(ActionRefused, match="already"):
        start_adding(import_set, studio.producer)


def test_person_who_may_not_add_anymore_adds_nothing(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1)})
    start_adding(import_set, studio.producer)
    studio.producer.groups.set([Group.objects.get(name="viewer")])
    add(import_set)
    assert not voice.recordings.exists() and import_set.status == ImportStatus.OPEN
    assert "no longer has permission" in Task.objects.get(kind=ADD_TASK).reason


def test_normalized_transcript_counts_only_beside_its_transcript(studio: Studio, voice: Voice) -> None:
    make_added_import(
        voice, studio.producer, {"a.wav": make_clip(1), "m.csv": b"a|In 1843 it was.|In eighteen forty-three it was.\n"}
    )
    row = voice.recordings.get()
    assert row.normalized_text == "In eighteen forty-three it was."
    set_transcript(row, "Other words.")
    assert Recording.objects.get(pk=row.pk).normalized_text == ""
    set_transcript(row, "In 1843 it was.")
    assert Recording.objects.get(pk=row.pk).normalized_text == "In eighteen forty-three it was."
