"""Comparison of the recordings of a voice, from what each recording keeps, and of their speaker with that of takes."""

from collections.abc import Iterable, Iterator
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
from tests.consent.rows import allow_comparison
from tests.voices.rows import Studio
from voicehub import outbox
from voicehub.models import Task
from voicehub.outbox import Lease
from voices.models import Recording, Voice
from voices.services.recordings import comparison, take_matches, voiceprints
from voices.services.recordings.comparison import compare_recordings
from voices.services.recordings.store import delete_recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    voice = studio.make_voice()
    allow_comparison(voice.talent)
    return voice


def claim_lease() -> Lease:
    task = Task.objects.create(kind="test", object_id=str(uuid4()))
    lease = outbox.claim_task(str(task.pk))
    assert lease
    return lease


def compare(voice: Voice) -> dict[str, Any]:
    """Compare the recordings. Their own analysis, which is tested elsewhere, counts as done."""
    voice.recordings.update(analyzed_at=timezone.now())
    assert compare_recordings(str(voice.pk), claim_lease()) is None
    voice.refresh_from_db()
    return dict(voice.comparison)


def test_comparison_reports_unreadable_recordings(studio: Studio, voice: Voice) -> None:
    rows = studio.make_recordings(voice, 2)
    rows[0].file.storage.delete(str(rows[0].file.name))
    comparison = compare(voice)
    assert comparison["recordings"] == 2
    assert "1 of them could not be read." in comparison["text"]


def test_no_voiceprint_is_stored_or_logged(studio: Studio, voice: Voice, caplog: Any) -> None:
    """A voiceprint is a long list of numbers. No row holds more than 50 numbers in a list, and the log no array."""
    studio.make_recordings(voice, 4)
    compare(voice)
    row = Recording.objects.filter(voice=voice).values("set_findings", "sound_features", "speaker_result")[0]
    assert row["sound_features"] and row["speaker_result"]
    assert not [numbers for numbers in find_number_lists([row, voice.comparison]) if len(numbers) > 50]
    assert "array" not in caplog.text


def find_number_lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, dict):
        value = list(value.values())
    elif isinstance(value, list) and value and isinstance(value[0], float):
        yield value
    for item in value if isinstance(value, list) else ():
        yield from find_number_lists(item)


def test_comparison_needs_few_queries_for_each_recording(studio: Studio, voice: Voice) -> None:
    def count_queries() -> int:
        changed_at = timezone.now()
        with CaptureQueriesContext(connection) as queries:
            compare(voice)
        return len(queries) - voice.recordings.filter(checked_at__gte=changed_at).count()

    studio.make_recordings(voice, 2)
    compare(voice)
    baseline = count_queries()
    studio.make_recordings(voice, 2)
    first = count_queries()
    studio.make_recordings(voice, 4)
    assert count_queries() - first == (4 - 2) + 2 * (8 - 4), (
        "a query for the lease of each recording whose features are made, and of each that is judged, and for the "
        "permission before each voiceprint"
    )
    assert count_queries() == baseline, "nothing is new"


@pytest.fixture
def speaker_matches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The file names of each match: of the take and of the recordings compared with it.

    The comparison reports the first recording as having another speaker.
    """
    calls: list[tuple[str, list[str]]] = []

    def match_speaker(take: str, recordings: list[str], _: Any, *, earlier_takes: list[str]) -> speaker_match.Match:
        recordings = [*recordings, *earlier_takes]
        calls.append((take, recordings))
        return speaker_match.Match("same", "It is.", len(recordings), 0.9, 0.75, 0.01)

    def compare_clips(clips: Iterable[SetClip], _: Any) -> SetReport:
        first, *rest = [clip.id for clip in clips]
        findings = {first: (make_finding("other_speaker", score=0.1, limit=0.7),), **dict.fromkeys(rest, ())}
        return SetReport(findings, {}, {"clips": len(findings), "unread": [], "voices_missing": ""})

    monkeypatch.setattr(voiceprints, "_compute_voiceprint", lambda file: file.name)
    monkeypatch.setattr(comparison, "judge_speakers", lambda *_: True)
    monkeypatch.setattr(speaker_match, "match_speaker", match_speaker)
    monkeypatch.setattr("audio.analysis.compare.compare_recordings", compare_clips)
    return calls


def make_take_check(take: Take, checked_at: Any) -> TakeCheck:
    return TakeCheck.objects.create(take=take, checked_at=checked_at)


def test_take_is_matched_with_the_longest_recordings_of_its_talent(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, speaker_matches: list[tuple[str, list[str]]]
) -> None:
    monkeypatch.setattr(take_matches, "MAX_RECORDINGS", 2)
    rows = studio.make_recordings(voice, 5)
    for row, seconds in zip(rows, (50, 2, 9, 7, 3), strict=True):
        Recording.objects.filter(pk=row.pk).update(seconds=seconds)
    take = Take.objects.get()
    check = make_take_check(take, timezone.now())
    compare(voice)
    assert speaker_matches == [(take.file.name, [rows[2].file.name, rows[3].file.name])], (
        "the longest recording has another speaker, so it is left out"
    )
    check.refresh_from_db()
    assert check.speaker["verdict"] == "same"


@pytest.mark.usefixtures("speaker_matches")
def test_new_comparison_replaces_the_findings_of_the_previous_one(studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    Recording.objects.update(set_findings=[{"code": "unlike_level"}])
    compare(voice)
    codes = {row: [finding["code"] for finding in row.set_findings] for row in voice.recordings.all()}
    assert codes == {first: ["other_speaker"], second: []}


def test_deletion_enqueues_a_comparison_of_the_remaining_recordings(studio: Studio, voice: Voice) -> None:
    row, _other = studio.make_recordings(voice, 2)
    delete_recording(row)
    (task,) = Task.objects.filter(kind="compare_recordings")
    assert task.object_id == str(voice.pk) and task.due_at > timezone.now(), (
        "it runs later, so that many deletions need one comparison"
    )


def test_newest_checked_take_of_a_consent_is_matched_with_recordings_and_earlier_takes(
    studio: Studio, voice: Voice, speaker_matches: list[tuple[str, list[str]]]
) -> None:
    _other_speaker, own = studio.make_recordings(voice, 2)
    first = Take.objects.get()
    fields = {"consent": first.consent, "size": 1, "capture": first.capture, "acceptable": True}
    second, rejected, same, third = (
        Take.objects.create(sha256=name[0] * 64, file=name, **fields) for name in ("b", "d", "b2", "c")
    )
    make_take_check(first, timezone.now())
    make_take_check(second, timezone.now())
    TakeCheck.objects.create(take=rejected, checked_at=timezone.now(), speaker={"verdict": "different"})
    make_take_check(same, timezone.now())
    make_take_check(third, None)
    compare(voice)
    assert speaker_matches == [("b2", [own.file.name, first.file.name])], "nothing else, and no copy of itself"
    compare(voice)
    assert len(speaker_matches) == 1, "nothing has changed since"
