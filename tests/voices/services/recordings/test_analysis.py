"""Listening in the background: in turns, and one odd recording never in the way of the others."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audio.analysis.compare import SetClip, SetReport
from audio.findings.findings import make_finding
from audio.networks import speaker_match
from consent.models import Take, TakeCheck
from tests.support.work import do_tasks
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import MAX_ATTEMPTS
from voices.models import Recording, Voice
from voices.services.recordings import analysis, store
from voices.services.recordings.analysis import analyze_recordings, compare_recordings
from voices.services.recordings.archive_upload import add_archive
from voices.services.recordings.store import add_recording, delete_recording, set_transcript

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is heard is tested elsewhere."""
    monkeypatch.setattr(analysis, "_run_analysis", lambda recording, *_: {"measures": {"heard": recording.file_name}})


def a_lease() -> Lease:
    task = Task.objects.create(kind="test", object_id=str(uuid4()))
    lease = outbox.claim_task(str(task.pk))
    assert lease
    return lease


def examine(voice: Voice) -> timedelta | None:
    return analyze_recordings(str(voice.pk), a_lease())


def compares() -> int:
    return Task.objects.filter(kind="compare_recordings").count()


def test_other_work_has_its_turn_in_between(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "BATCH_SIZE", 2)
    studio.make_recordings(voice, 5)
    left = []
    for _ in range(3):
        again = examine(voice)
        left.append((voice.recordings.filter(analyzed_at=None).count(), again, compares()))
    assert left == [(3, timedelta(), 0), (1, timedelta(), 0), (0, None, 1)]
    assert Task.objects.get(kind="compare_recordings").due_at > timezone.now(), "more may come with this upload"


def test_work_that_goes_on_is_rung_for_at_once_and_never_given_up(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "BATCH_SIZE", 1)
    rung: list[Any] = []
    studio.make_recordings(voice, MAX_ATTEMPTS + 2)
    task = Task.objects.get(kind="examine_recordings")
    monkeypatch.setattr(outbox, "notify_queue", rung.append)
    assert do_tasks("examine_recordings") == MAX_ATTEMPTS + 2
    assert rung.count(task.pk) == MAX_ATTEMPTS + 1


def test_an_odd_recording_keeps_no_other_waiting(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = studio.make_recordings(voice, 3)

    def heard(recording: Recording, *_: Any) -> dict[str, Any]:
        if recording == first:
            raise ZeroDivisionError("/srv/voicehub/secret")
        return {"measures": {"heard": True}}

    monkeypatch.setattr(analysis, "_run_analysis", heard)
    second.file.storage.delete(str(second.file.name))
    assert examine(voice) is None
    for row in (first, second, third):
        row.refresh_from_db()
        assert row.analyzed_at
    assert first.measures == {"missing": ["The recording could not be analyzed. Listen to it yourself."]}
    assert second.measures == {"missing": ["The file is missing from storage. Upload the recording again."]}
    assert third.measures == {"heard": True}


def test_a_storage_that_does_not_answer_is_asked_again(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = studio.make_recordings(voice, 1)

    def gone(*_: Any) -> Any:
        raise OSError("The storage does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(analysis, "open_file", gone)
        with pytest.raises(OSError, match="does not answer"):
            examine(voice)
    assert Recording.objects.get(pk=row.pk).analyzed_at is None
    examine(voice)
    assert Recording.objects.get(pk=row.pk).analyzed_at


def test_a_transcript_that_changes_meanwhile_is_looked_at_again(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = studio.make_recordings(voice, 1)
    seen: list[str] = []

    def heard(recording: Recording, *_: Any) -> dict[str, Any]:
        seen.append(recording.transcript)
        if len(seen) == 1:
            set_transcript(Recording.objects.get(pk=row.pk), "Other words.")
        return {"measures": {"words": recording.transcript}}

    monkeypatch.setattr(analysis, "_run_analysis", heard)
    do_tasks("examine_recordings")
    row.refresh_from_db()
    assert (seen, row.measures) == (["The north wind.", "Other words."], {"words": "Other words."})
    assert not Task.objects.filter(kind="examine_recordings", status=TaskStatus.WAITING).exists()


def test_a_recording_that_is_deleted_meanwhile_is_no_trouble(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = studio.make_recordings(voice, 2)

    def heard(recording: Recording, *_: Any) -> dict[str, Any]:
        Recording.objects.filter(pk=rows[1].pk).delete()
        return {"measures": {}}

    monkeypatch.setattr(analysis, "_run_analysis", heard)
    assert examine(voice) is None
    assert list(voice.recordings.all()) == [rows[0]]


def test_queries_for_each_recording_stay_few(studio: Studio, voice: Voice) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            examine(voice)
        return len(asked)

    studio.make_recordings(voice, 1)
    examine(voice)
    studio.make_recordings(voice, 1)
    one = queries()
    studio.make_recordings(voice, 4)
    assert queries() - one == 3 * 2, "for each the lease and its row"


@pytest.mark.django_db(transaction=True)
def test_pages_may_write_while_recordings_are_examined(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite refuses to write for who still reads what others have changed since."""
    voice = studio.make_voice(talent=studio.make_talent())
    studio.make_fileless_recordings(voice, 60)
    monkeypatch.setattr(analysis, "BATCH_SIZE", 60)
    monkeypatch.setattr(analysis, "open_file", lambda _: io.BytesIO())
    seen: list[str] = []

    def page() -> None:
        Recording.objects.filter(file_name="copy-00059.wav").update(active=False)
        connection.close()

    def heard(recording: Recording, *_: Any) -> dict[str, Any]:
        if not seen:
            writes = Thread(target=page)
            writes.start()
            writes.join()
        seen.append(recording.file_name)
        return {"measures": {}}

    monkeypatch.setattr(analysis, "_run_analysis", heard)
    assert examine(voice) is None
    assert len(seen) == 60


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_keeps_its_file(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails after that, such as the ringing."""

    def broken(_: Any) -> None:
        raise RuntimeError("The database is locked.")

    voice = studio.make_voice(talent=studio.make_talent())
    monkeypatch.setattr(outbox, "notify_queue", broken)
    with pytest.raises(RuntimeError):
        add_recording(voice, make_upload(), studio.producer)
    assert files(voice) == [f"{voice.recordings.get().pk}.wav"]


# --- comparing ------------------------------------------------------------------------------


def compare(voice: Voice) -> dict[str, Any]:
    compare_recordings(str(voice.pk), a_lease())
    voice.refresh_from_db()
    return dict(voice.comparison)


def test_what_could_not_be_read_is_told(studio: Studio, voice: Voice) -> None:
    rows = studio.make_recordings(voice, 2)
    rows[0].file.storage.delete(str(rows[0].file.name))
    told = compare(voice)
    assert told["recordings"] == 2
    assert "1 of them could not be read." in told["text"]


def test_no_voice_can_be_known_again_by_what_is_kept(studio: Studio, voice: Voice, caplog: Any) -> None:
    """Rows and logs hold no print of a voice: no list of as many numbers as one has."""
    studio.make_recordings(voice, 4)
    compare(voice)
    row = Recording.objects.filter(voice=voice).values("findings", "set_findings", "measures", "levels", "recipe")[0]
    assert not [one for one in lists([row, voice.comparison]) if len(one) > 50]
    assert "array" not in caplog.text


def lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, dict):
        value = list(value.values())
    elif isinstance(value, list) and value and isinstance(value[0], float):
        yield value
    for one in value if isinstance(value, list) else ():
        yield from lists(one)


def test_comparing_asks_no_more_for_more_recordings(studio: Studio, voice: Voice) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            compare(voice)
        return len(asked)

    studio.make_recordings(voice, 2)
    compare(voice)
    two = queries()
    studio.make_recordings(voice, 2)
    compare(voice)
    assert queries() - two == 2, "the lease for each"


@pytest.fixture
def matched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What was compared: the name of the take's file, and those of the recordings; the first of all is a stranger."""
    seen: list[tuple[str, list[str]]] = []

    def match(take: str, recordings: list[str], _: Any) -> speaker_match.Match:
        seen.append((take, recordings))
        return speaker_match.Match("same", "It is.", len(recordings), 0.9, 0.75, 0.01)

    def report(clips: Iterator[SetClip], _: Any) -> SetReport:
        first, *rest = [clip.id for clip in clips]
        found = {first: (make_finding("other_speaker", score=0.1, limit=0.7),), **dict.fromkeys(rest, ())}
        return SetReport(found, {}, {"clips": len(found), "unread": [], "voices_missing": ""})

    monkeypatch.setattr(analysis, "_compute_voiceprint", lambda file: file.name)
    monkeypatch.setattr(speaker_match, "match_speaker", match)
    monkeypatch.setattr("audio.analysis.compare.compare_recordings", report)
    return seen


def checked(take: Take, at: Any) -> TakeCheck:
    return TakeCheck.objects.create(take=take, checked_at=at)


def test_a_take_is_matched_with_the_longest_of_its_talents_own(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, matched: list[tuple[str, list[str]]]
) -> None:
    monkeypatch.setattr(analysis, "MAX_MATCH_RECORDINGS", 2)
    rows = studio.make_recordings(voice, 5)
    for row, seconds in zip(rows, (50, 2, 9, 7, 3), strict=True):
        Recording.objects.filter(pk=row.pk).update(seconds=seconds)
    take = Take.objects.get()
    check = checked(take, timezone.now())
    compare(voice)
    assert matched == [(take.file.name, [rows[2].file.name, rows[3].file.name])], "the longest is a stranger's"
    check.refresh_from_db()
    assert check.speaker["verdict"] == "same"


@pytest.mark.usefixtures("matched")
def test_what_stood_out_before_and_does_not_any_more_is_forgotten(studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    Recording.objects.update(set_findings=[{"code": "unlike_level"}])
    compare(voice)
    found = {row: [one["code"] for one in row.set_findings] for row in voice.recordings.all()}
    assert found == {first: ["other_speaker"], second: []}


def test_who_remain_are_compared_anew(studio: Studio, voice: Voice) -> None:
    row, _other = studio.make_recordings(voice, 2)
    delete_recording(row)
    (task,) = Task.objects.filter(kind="compare_recordings")
    assert task.object_id == str(voice.pk) and task.due_at > timezone.now(), "not for each of many"


def test_what_cannot_be_used_is_not_listened_to(studio: Studio, voice: Voice) -> None:
    row, _new = add_recording(voice, make_upload("notes.wav", b"no sound"), studio.producer)
    set_transcript(row, "Words.")
    assert (row.active, Task.objects.exists()) == (False, False)


def test_of_each_consent_the_newest_take_that_was_checked_is_matched(
    studio: Studio, voice: Voice, matched: list[tuple[str, list[str]]]
) -> None:
    studio.make_recordings(voice, 2)
    first = Take.objects.get()
    fields = {"consent": first.consent, "size": 1, "capture": first.capture, "acceptable": True}
    second, third = (Take.objects.create(sha256=name * 64, file=name, **fields) for name in "bc")
    checked(first, timezone.now())
    checked(second, timezone.now())
    checked(third, None)
    compare(voice)
    assert [name for name, _recordings in matched] == ["b"]


# --- keeping --------------------------------------------------------------------------------


def files(voice: Voice) -> list[str]:
    folder = Path(Recording(voice=voice).file.storage.path(f"recordings/{voice.pk}"))
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_failure_leaves_no_file_behind(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("voices.services.recordings.store.outbox.enqueue_task", broken)
    with pytest.raises(OSError, match="No space"):
        add_recording(voice, make_upload(), studio.producer)
    assert (voice.recordings.count(), files(voice)) == (0, [])


def test_a_disk_that_fills_up_leaves_no_part_of_a_file(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Recording(voice=voice).file.storage

    def full(name: str, _content: Any, **__: Any) -> str:
        path = Path(storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
        raise OSError("No space left on device")

    monkeypatch.setattr(storage, "save", full)
    with pytest.raises(OSError, match="No space"):
        add_recording(voice, make_upload(), studio.producer)
    assert files(voice) == []


def test_what_is_too_large_is_not_even_looked_at(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voices.services.recordings.store.ingest_audio", lambda *_: pytest.fail("it was"))
    file = make_upload()
    file.size = (200 << 20) + 1
    with pytest.raises(ActionRefused, match="200 MB"):
        add_recording(voice, file, studio.producer)


def test_of_two_that_send_the_same_at_once_one_is_kept(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has its row between our look for it and our own."""
    keep = store._store_files
    rows: list[Recording] = []

    def slow(*sent: Any) -> None:
        if not rows:
            rows.append(Recording())
            rows[0] = add_recording(voice, make_upload("theirs.wav"), studio.producer)[0]
        keep(*sent)

    monkeypatch.setattr("voices.services.recordings.store._store_files", slow)
    mine, new = add_recording(voice, make_upload("mine.wav"), studio.producer)
    assert (mine.pk, new) == (rows[0].pk, False)
    assert files(voice) == [f"{mine.pk}.wav"]


def test_files_are_stored_outside_of_any_transaction(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow storage inside of one keeps everybody from writing, on SQLite."""
    storage = Recording(voice=voice).file.storage
    depth = len(connection.savepoint_ids)
    seen: list[int] = []
    save = storage.save

    def watched(*sent: Any, **more: Any) -> str:
        seen.append(len(connection.savepoint_ids))
        return str(save(*sent, **more))

    monkeypatch.setattr(storage, "save", watched)
    add_recording(voice, make_upload(), studio.producer)
    assert seen == [depth]


def test_many_transcripts_ring_once(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[Any] = []
    monkeypatch.setattr(outbox, "notify_queue", rung.append)
    studio.make_fileless_recordings(voice, 5)
    with django_capture_on_commit_callbacks(execute=True):
        for row in voice.recordings.all():
            set_transcript(row, f"Line {row.file_name}")
    (task,) = Task.objects.filter(kind="examine_recordings")
    assert rung == [task.pk]
    outbox.claim_task(str(task.pk))
    before = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        set_transcript(row, "While it runs.")
    task.refresh_from_db()
    assert rung == [task.pk] and task.due_at >= before, "who does it sees that it was asked for again"


def test_a_transcript_that_comes_later_in_an_archive_is_not_lost(studio: Studio, voice: Voice) -> None:
    from tests.voices.services.recordings.test_incoming import archive

    bare, _new = add_recording(voice, make_upload("one.wav", make_clip(1)), studio.producer)
    told, _new = add_recording(voice, make_upload("two.wav", make_clip(2)), studio.producer, transcript="By hand.")
    lines = {"metadata.csv": b"one|The first.\ntwo|The second.\n", "one.wav": make_clip(1), "two.wav": make_clip(2)}
    assert len(add_archive(voice, archive(lines), studio.producer).duplicates) == 2
    bare.refresh_from_db()
    told.refresh_from_db()
    assert (bare.transcript, told.transcript) == ("The first.", "By hand.")
