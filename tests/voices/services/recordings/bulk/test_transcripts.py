"""Transcripts from a table: a preview says what changes, applying it changes that, and undo puts it back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.voices.rows import Studio
from voicehub import outbox
from voicehub.models import Task, User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import UNDO_TIME
from voices.models import BulkChange, Recording, RecordingStatus, Voice
from voices.services.recordings.bulk import changes
from voices.services.recordings.bulk.table_preview import TablePreview, preview_table
from voices.services.recordings.bulk.transcripts import apply_transcripts
from voices.services.recordings.bulk.undo import undo_change
from voices.services.recordings.figures import FIGURES, set_figures
from voices.services.recordings.store import COMPARE_TASK, set_transcript

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    """A voice with the recordings line-001.wav to line-004.wav."""
    voice = studio.make_voice()
    studio.make_recordings(voice, 4)
    return voice


def preview(voice: Voice, table: str, by: User) -> TablePreview:
    return preview_table(voice, list(voice.recordings.values_list("pk", flat=True)), table.encode(), by)


def apply(voice: Voice, table: str, by: User) -> BulkChange:
    planned = preview(voice, table, by).change
    assert planned
    change = apply_transcripts(planned.pk, voice, by).change
    assert change
    return change


def read_texts(voice: Voice) -> list[str]:
    return list(voice.recordings.order_by("file_name").values_list("transcript", flat=True))


def list_numbers(preview: TablePreview, name: str) -> list[int]:
    return [line.number for line in getattr(preview, name)]


def test_preview_sorts_every_line(studio: Studio, voice: Voice) -> None:
    copy = voice.recordings.get(file_name="line-004.wav")
    copy.pk, copy.sha256, copy._state.adding = None, "1" * 64, True
    copy.save(force_insert=True)
    table = "\n".join([
        "LINE-001|A new text.", "line-002.WAV|The  north wind.", "wavs/line-003.flac|One.", "line-003|Two.",
        "line-004|Which?", "other|Unknown.", "line-001.wav|A new text.", "line-002|", f"line-001|{'x' * 2001}",
    ])  # fmt: skip
    found = preview(voice, table, studio.producer)
    assert [(one.file_name, one.before, one.after) for one in found.changes] == [
        ("line-001.wav", "The north wind.", "A new text.")
    ]
    assert found.unchanged == 1
    names = ("repeated", "ambiguous", "unknown", "empty", "too_long", "not_selected")
    assert [list_numbers(found, name) for name in names] == [[3, 4], [5], [6], [8], [9], []]
    assert read_texts(voice) == ["The north wind."] * 5


def test_only_selected_recordings_change(studio: Studio, voice: Voice) -> None:
    first = voice.recordings.get(file_name="line-001.wav")
    found = preview_table(voice, [first.pk], b"line-001|New.\nline-002|New.", studio.producer)
    assert len(found.changes) == 1 and list_numbers(found, "not_selected") == [2]


def test_apply_sets_and_checks_the_texts(studio: Studio, voice: Voice) -> None:
    unusable = voice.recordings.get(file_name="line-002.wav")
    Recording.objects.filter(pk=unusable.pk).update(status=RecordingStatus.REFUSED)
    Task.objects.all().delete()
    change = apply(voice, "line-001|Room 101 is <b>here</b>.\nline-002|Room 101.", studio.producer)
    assert read_texts(voice)[:2] == ["Room 101 is <b>here</b>.", "Room 101."]
    assert Task.objects.filter(kind=COMPARE_TASK, object_id=str(voice.pk)).count() == 1
    by_hand = voice.recordings.get(file_name="line-003.wav")
    set_transcript(by_hand, "Room 101 is <b>here</b>.")
    first = voice.recordings.get(file_name="line-001.wav")
    assert first.findings and first.checked_at
    assert [one["code"] for one in first.findings] == [one["code"] for one in by_hand.findings]
    assert voice.recordings.get(pk=unusable.pk).findings == unusable.findings
    assert len(change.changes) == 2


def test_undo_puts_back_texts_and_their_findings(studio: Studio, voice: Voice) -> None:
    change = apply(voice, "line-001|Room 101.\nline-002|Room 102.\nline-003|Room 103.", studio.producer)
    set_transcript(voice.recordings.get(file_name="line-002.wav"), "By hand.")
    result = undo_change(change.pk, voice, studio.producer)
    assert (result.restored, result.left_alone) == (2, 1)
    assert read_texts(voice) == ["The north wind.", "By hand.", "The north wind.", "The north wind."]
    assert voice.recordings.get(file_name="line-001.wav").findings == []


def test_text_that_was_changed_after_the_preview_stays(studio: Studio, voice: Voice) -> None:
    planned = preview(voice, "line-001|New.\nline-002|New.", studio.producer).change
    assert planned
    set_transcript(voice.recordings.get(file_name="line-001.wav"), "By hand.")
    result = apply_transcripts(planned.pk, voice, studio.producer)
    assert (result.changed, dict(result.skipped)) == (1, {"changed meanwhile": 1})
    assert read_texts(voice)[:2] == ["By hand.", "New."]
    assert undo_change(planned.pk, voice, studio.producer).left_alone == 0


def test_preview_is_applied_once_in_time_and_by_its_person(studio: Studio, voice: Voice, engineer: User) -> None:
    planned = preview(voice, "line-001|New.", studio.producer).change
    assert planned
    with pytest.raises(ActionRefused, match="nothing to undo"):
        undo_change(planned.pk, voice, studio.producer)
    with pytest.raises(ActionRefused, match="Only"):
        apply_transcripts(planned.pk, voice, engineer)
    BulkChange.objects.update(created_at=timezone.now() - UNDO_TIME)
    with pytest.raises(ActionRefused, match="the time limit is one hour"):
        apply_transcripts(planned.pk, voice, studio.producer)
    BulkChange.objects.update(created_at=timezone.now() - UNDO_TIME + timedelta(minutes=1))
    assert apply_transcripts(planned.pk, voice, studio.producer).changed == 1
    with pytest.raises(ActionRefused, match="set already"):
        apply_transcripts(planned.pk, voice, studio.producer)


def test_table_without_a_change_leaves_nothing_to_apply(studio: Studio, voice: Voice) -> None:
    assert preview(voice, "line-001|The north wind.", studio.producer).change is None
    assert not BulkChange.objects.exists()


def count_queries(voice: Voice, start: int, end: int, by: User) -> int:
    table = "\n".join(f"copy-{number:05}|Text {number}." for number in range(start, end))
    planned = preview(voice, table, by).change
    assert planned
    with CaptureQueriesContext(connection) as queries:
        assert apply_transcripts(planned.pk, voice, by).changed == end - start
    return len(queries)


def test_each_chunk_needs_the_same_queries(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "CHUNK_SIZE", 20)
    studio.make_fileless_recordings(voice, 120)
    outbox.enqueue_task(COMPARE_TASK, voice.pk)
    one = count_queries(voice, 0, 20, studio.producer)
    two = count_queries(voice, 20, 60, studio.producer)
    three = count_queries(voice, 60, 120, studio.producer)
    assert 0 < two - one == three - two < 15


def test_findings_and_figures_follow_the_texts(studio: Studio, voice: Voice) -> None:
    change = apply(voice, "line-001|The <b>north</b> wind.\nline-002|The sun.", studio.producer)
    first, second, *_others = voice.recordings.order_by("file_name")
    assert "transcript_markup" in (first.warning_codes or "") and "transcript_markup" not in (
        second.warning_codes or ""
    )
    for row in voice.recordings.all():
        stored = {name: getattr(row, name) for name in FIGURES}
        set_figures(row)
        assert row.pk not in (first.pk, second.pk) or stored == {name: getattr(row, name) for name in FIGURES}
    assert first.checked_at and first.checked_at == second.checked_at
    undo_change(change.pk, voice, studio.producer)
    assert "transcript_markup" not in (voice.recordings.get(pk=first.pk).warning_codes or "")
