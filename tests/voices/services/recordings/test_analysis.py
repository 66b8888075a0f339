"""Background analysis of recordings: it runs in batches, and a bad recording does not stop the analysis of others."""

import io
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.task_runner import run_due_tasks
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import make_added_import
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import MAX_ATTEMPTS
from voices.models import ImportClipState, Recording, Voice
from voices.services.recordings import analysis, store
from voices.services.recordings.analysis import analyze_recordings
from voices.services.recordings.store import add_recording, set_transcript

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    """A voice whose new recordings wait for their analysis."""
    studio.are_recordings_checked = False
    return studio.make_voice()


@pytest.fixture(autouse=True)
def fake_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the analysis of the audio, which is tested in tests/audio."""
    monkeypatch.setattr(analysis, "_run_analysis", lambda recording, *_: {"measures": {"speech": recording.file_name}})


def claim_lease() -> Lease:
    task = Task.objects.create(kind="test", object_id=str(uuid4()))
    lease = outbox.claim_task(str(task.pk))
    assert lease
    return lease


def analyze(voice: Voice) -> timedelta | None:
    return analyze_recordings(str(voice.pk), claim_lease())


def count_compare_tasks() -> int:
    return Task.objects.filter(kind="compare_recordings").count()


def test_analysis_pauses_between_batches_for_other_tasks(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "BATCH_SIZE", 2)
    studio.make_recordings(voice, 5)
    states = []
    for _ in range(3):
        delay = analyze(voice)
        states.append((voice.recordings.filter(analyzed_at=None).count(), delay, count_compare_tasks()))
    assert states == [(3, timedelta(), 0), (1, timedelta(), 0), (0, None, 1)]
    assert Task.objects.get(kind="compare_recordings").due_at > timezone.now(), "the upload may add more recordings"


def test_shares_help_with_many_recordings(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "BATCH_SIZE", 4)
    studio.make_recordings(voice, 4)
    assert analyze(voice) is None
    assert not Task.objects.filter(kind="examine_share").exists(), "one batch needs no help"
    rows = studio.make_recordings(voice, 16)
    analyzed: list[Recording] = []

    def run_analysis(recording: Recording, *_: Any) -> dict[str, Any]:
        analyzed.append(recording)
        return {"measures": {}}

    monkeypatch.setattr(analysis, "_run_analysis", run_analysis)
    assert analyze(voice) == timedelta()
    in_order = sorted(rows, key=lambda row: row.pk.hex)
    assert analyzed == in_order[:-5:-1], "from the last id"
    run_due_tasks("examine_share")
    assert sorted(row.pk.hex for row in analyzed) == [row.pk.hex for row in in_order], "each once, none left out"
    assert analyze(voice) is None
    assert count_compare_tasks() == 1


def test_share_that_stopped_is_done_by_the_task_of_the_voice(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "BATCH_SIZE", 2)
    studio.make_recordings(voice, 6)
    while analyze(voice) is not None:
        Task.objects.filter(kind="examine_share").update(status=TaskStatus.FAILED)
    assert not voice.recordings.filter(analyzed_at=None).exists()


def test_next_batch_notifies_the_queue_and_counts_as_no_failed_attempt(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "BATCH_SIZE", 1)
    notifications: list[Any] = []
    studio.make_recordings(voice, MAX_ATTEMPTS + 2)
    task = Task.objects.get(kind="examine_recordings")
    monkeypatch.setattr(outbox, "notify_queue", notifications.append)
    assert run_due_tasks("examine_recordings") == MAX_ATTEMPTS + 2
    assert notifications.count(task.pk) == MAX_ATTEMPTS + 1


def test_failed_analysis_does_not_stop_other_recordings(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = studio.make_recordings(voice, 3)

    def run_analysis(recording: Recording, *_: Any) -> dict[str, Any]:
        if recording == first:
            raise ZeroDivisionError("/srv/voicehub/secret")
        return {"measures": {"speech_seconds": 2.5}}

    monkeypatch.setattr(analysis, "_run_analysis", run_analysis)
    second.file.storage.delete(str(second.file.name))
    assert analyze(voice) is None
    for row in (first, second, third):
        row.refresh_from_db()
        assert row.analyzed_at
    assert first.measures == {"missing": ["The recording could not be analyzed. Listen to it yourself."]}
    assert second.measures == {"missing": ["The file is missing from storage. Upload the recording again."]}
    assert third.measures == {"speech_seconds": 2.5}


def test_analysis_is_retried_after_a_storage_error(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = studio.make_recordings(voice, 1)

    def raise_error(*_: Any) -> Any:
        raise OSError("The storage does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(analysis, "open_sound", raise_error)
        with pytest.raises(OSError, match="does not answer"):
            analyze(voice)
    assert Recording.objects.get(pk=row.pk).analyzed_at is None
    analyze(voice)
    assert Recording.objects.get(pk=row.pk).analyzed_at


def test_transcript_changed_during_the_analysis_is_checked_without_another_analysis(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = studio.make_recordings(voice, 1)
    transcripts: list[str] = []

    def run_analysis(recording: Recording, *_: Any) -> dict[str, Any]:
        transcripts.append(recording.transcript)
        set_transcript(Recording.objects.get(pk=row.pk), "It costs 5 % more.")
        return {"measures": {"seconds": 4.0, "leading_silence_seconds": 1.0, "trailing_silence_seconds": 1.0}}

    monkeypatch.setattr(analysis, "_run_analysis", run_analysis)
    run_due_tasks("examine_recordings")
    row.refresh_from_db()
    assert transcripts == ["The north wind."]
    assert "transcript_digits" in {finding["code"] for finding in row.findings} and row.analyzed_at
    assert row.measures["words_per_minute"] == 120 and row.measures["syllables_per_second"] == 2
    assert not Task.objects.filter(kind="examine_recordings", status=TaskStatus.WAITING).exists()


def test_recording_deleted_during_analysis_is_ignored(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = studio.make_recordings(voice, 2)

    def run_analysis(recording: Recording, *_: Any) -> dict[str, Any]:
        Recording.objects.filter(pk=rows[1].pk).delete()
        return {"measures": {}}

    monkeypatch.setattr(analysis, "_run_analysis", run_analysis)
    assert analyze(voice) is None
    assert list(voice.recordings.all()) == [rows[0]]


def test_analysis_needs_few_queries_for_each_recording(studio: Studio, voice: Voice) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            analyze(voice)
        return len(queries)

    studio.make_recordings(voice, 1)
    analyze(voice)
    studio.make_recordings(voice, 1)
    baseline = count_queries()
    studio.make_recordings(voice, 4)
    assert count_queries() - baseline == 3 * 2, "one query for the lease and one for the row of each recording"


@pytest.mark.django_db(transaction=True)
def test_page_can_write_to_the_database_during_an_analysis(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite refuses a write in a transaction that began with a read if another connection has written since."""
    studio.are_recordings_checked = False
    voice = studio.make_voice(talent=studio.make_talent())
    studio.make_fileless_recordings(voice, 60)
    monkeypatch.setattr(analysis, "BATCH_SIZE", 60)
    monkeypatch.setattr(analysis, "open_sound", lambda *_: io.BytesIO())
    file_names: list[str] = []

    def write_as_page() -> None:
        Recording.objects.filter(file_name="copy-00059.wav").update(active=False)
        connection.close()

    def run_analysis(recording: Recording, *_: Any) -> dict[str, Any]:
        if not file_names:
            thread = Thread(target=write_as_page)
            thread.start()
            thread.join()
        file_names.append(recording.file_name)
        return {"measures": {}}

    monkeypatch.setattr(analysis, "_run_analysis", run_analysis)
    assert analyze(voice) is None
    assert len(file_names) == 60


@pytest.mark.django_db(transaction=True)
def test_committed_recording_keeps_its_file_after_a_later_error(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the notification of the queue fails."""

    def raise_error(_: Any) -> None:
        raise RuntimeError("The database is locked.")

    voice = studio.make_voice(talent=studio.make_talent())
    monkeypatch.setattr(outbox, "notify_queue", raise_error)
    with pytest.raises(RuntimeError):
        add_recording(voice, make_upload(), studio.producer)
    assert list_file_names(voice) == [f"{voice.recordings.get().pk}.wav"]


def test_refused_recording_is_not_analyzed(studio: Studio, voice: Voice) -> None:
    row, _new = add_recording(voice, make_upload("notes.wav", b"no sound"), studio.producer)
    set_transcript(row, "Words.")
    assert (row.active, Task.objects.exists()) == (False, False)


# --- storage --------------------------------------------------------------------------------


def list_file_names(voice: Voice) -> list[str]:
    folder = Path(Recording(voice=voice).file.storage.path(f"recordings/{voice.pk}"))
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_failed_save_leaves_no_file(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_error(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("voices.services.recordings.store.outbox.enqueue_task", raise_error)
    with pytest.raises(OSError, match="No space"):
        add_recording(voice, make_upload(), studio.producer)
    assert (voice.recordings.count(), list_file_names(voice)) == (0, [])


def test_full_disk_leaves_no_partial_file(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Recording(voice=voice).file.storage

    def write_partial_file(name: str, _content: Any, **__: Any) -> str:
        path = Path(storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
        raise OSError("No space left on device")

    monkeypatch.setattr(storage, "save", write_partial_file)
    with pytest.raises(OSError, match="No space"):
        add_recording(voice, make_upload(), studio.producer)
    assert list_file_names(voice) == []


def test_too_large_file_is_refused_before_it_is_read(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voices.services.recordings.store.ingest_audio", lambda *_: pytest.fail("the file was read"))
    file = make_upload()
    file.size = (1000 << 20) + 1
    with pytest.raises(ActionRefused, match="1000 MB"):
        add_recording(voice, file, studio.producer)


def test_same_file_uploaded_twice_at_once_is_stored_once(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other upload saves its row between the duplicate check and the save of this upload."""
    original = store._store_files
    rows: list[Recording] = []

    def store_after_other_upload(*args: Any) -> None:
        if not rows:
            rows.append(Recording())
            rows[0] = add_recording(voice, make_upload("theirs.wav"), studio.producer)[0]
        original(*args)

    monkeypatch.setattr("voices.services.recordings.store._store_files", store_after_other_upload)
    recording, is_new = add_recording(voice, make_upload("mine.wav"), studio.producer)
    assert (recording.pk, is_new) == (rows[0].pk, False)
    assert list_file_names(voice) == [f"{recording.pk}.wav"]


def test_files_are_stored_outside_a_transaction(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite, slow storage inside a transaction would block all other writes."""
    storage = Recording(voice=voice).file.storage
    depth = len(connection.savepoint_ids)
    depths: list[int] = []
    original = storage.save

    def record_depth(*args: Any, **kwargs: Any) -> str:
        depths.append(len(connection.savepoint_ids))
        return str(original(*args, **kwargs))

    monkeypatch.setattr(storage, "save", record_depth)
    add_recording(voice, make_upload(), studio.producer)
    assert depths == [depth]


def test_changing_many_transcripts_notifies_the_queue_once(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    notifications: list[Any] = []
    monkeypatch.setattr(outbox, "notify_queue", notifications.append)
    studio.make_fileless_recordings(voice, 5)
    with django_capture_on_commit_callbacks(execute=True):
        for row in voice.recordings.all():
            set_transcript(row, f"Line {row.file_name}")
    (task,) = Task.objects.filter(kind="compare_recordings")
    assert notifications == [task.pk]
    outbox.claim_task(str(task.pk))
    start = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        set_transcript(row, "While it runs.")
    task.refresh_from_db()
    assert notifications == [task.pk] and task.due_at >= start, "the running worker sees the new request"


def test_later_archive_adds_missing_transcripts(studio: Studio, voice: Voice) -> None:
    without_transcript, _new = add_recording(voice, make_upload("one.wav", make_clip(1)), studio.producer)
    with_transcript, _new = add_recording(
        voice, make_upload("two.wav", make_clip(2)), studio.producer, transcript="By hand."
    )
    entries = {"metadata.csv": b"one|The first.\ntwo|The second.\n", "one.wav": make_clip(1), "two.wav": make_clip(2)}
    packed = build_zip(*(ZipMember(name.encode(), data) for name, data in entries.items()))
    import_set = make_added_import(voice, studio.producer, {"session.zip": packed})
    assert set(import_set.clips.values_list("status", flat=True)) == {ImportClipState.DUPLICATE}
    without_transcript.refresh_from_db()
    with_transcript.refresh_from_db()
    assert (without_transcript.transcript, with_transcript.transcript) == ("The first.", "By hand.")
