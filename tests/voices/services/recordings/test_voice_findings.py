"""Findings counted for a voice, copies of one sound, transcripts to repair, and averages by day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.voices.rows import Studio
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voices.models import Build, InclusionSource, Recording, RecordingStatus, Voice
from voices.services.recordings.bulk.undo import undo_change
from voices.services.recordings.comparison import compare_recordings
from voices.services.recordings.copies import find_copies, keep_copy
from voices.services.recordings.days import DayAverage, count_by_quality, load_day_averages
from voices.services.recordings.figures import update_figures
from voices.services.recordings.found_problems import is_problem_key, list_problems, make_problem_condition
from voices.services.recordings.repairs import find_repairs, repair_transcripts

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    voice = studio.make_voice()
    studio.make_recordings(voice, 4)
    Recording.objects.update(findings=[], set_findings=[], analyzed_at=timezone.now())
    update_figures(voice.recordings.all())
    return voice


def list_rows(voice: Voice) -> list[Recording]:
    return list(voice.recordings.order_by("file_name"))


def set_codes(row: Recording, *codes: str, field: str = "findings") -> None:
    findings = [{"severity": "look", "code": code, "text": "Text.", "advice": "Advice.", "at": None} for code in codes]
    Recording.objects.filter(pk=row.pk).update(**{field: findings})
    update_figures(Recording.objects.filter(pk=row.pk))


def make_copies(rows: Sequence[Recording]) -> None:
    for row in rows:
        sound = {"levels": rows[0].levels, "seconds": rows[0].seconds, "sample_rate": rows[0].sample_rate}
        Recording.objects.filter(pk=row.pk).update(**sound)
        set_codes(row, "same_sound", field="set_findings")


# --- findings ---------------------------------------------------------------------------------------


def test_each_finding_is_counted_and_selects_its_recordings(voice: Voice) -> None:
    one, two, three, four = list_rows(voice)
    set_codes(one, "noisy", "clipping")
    set_codes(two, "noisy")
    set_codes(three, "noisy_room", "clipping")  # a code that only begins like another one
    Recording.objects.filter(pk=four.pk).update(transcript="")
    found = {problem.key: problem.count for problem in list_problems(voice)}
    assert found == {"check-clipping": 2, "check-noisy": 2, "check-noisy_room": 1, "check-no_transcript": 1}
    assert [problem.code for problem in list_problems(voice)][0] == "clipping", (
        "what makes recordings unfit comes first"
    )
    selected = voice.recordings.filter(make_problem_condition(voice, "check-noisy"))
    assert {row.pk for row in selected} == {one.pk, two.pk}


def test_reports_of_each_provider_are_counted_by_its_newest_report(studio: Studio, voice: Voice) -> None:
    one, two = list_rows(voice)[:2]
    build = studio.make_build(voice, status="dataset_issue")
    build.recordings.filter(recording=one).update(has_report=True, is_silent=True)
    build.recordings.filter(recording=two).update(has_report=True, is_outlier=True)
    provider = build.remote_voice.account.provider
    assert {p.key: p.count for p in list_problems(voice)} == {f"{provider}-silent": 1, f"{provider}-outlier": 1}
    selected = voice.recordings.filter(make_problem_condition(voice, f"{provider}-silent"))
    assert [row.pk for row in selected] == [one.pk]

    newer = Build.objects.get(pk=build.pk)
    newer.pk, newer._state.adding = None, True
    newer.id = Build._meta.get_field("id").get_default()
    newer.save(force_insert=True)
    Build.objects.filter(pk=newer.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    newer.recordings.create(recording=one, sha256=one.sha256, has_report=True)
    assert [p.key for p in list_problems(voice)] == [f"{provider}-outlier"], "the newest report is good"


@pytest.mark.parametrize("key", ["", "check", "check-", "check-nonsense", "-silent", "resemble-nonsense", "look"])
def test_unknown_finding_is_no_filter(key: str) -> None:
    assert not is_problem_key(key)


# --- copies -----------------------------------------------------------------------------------------


def test_copies_are_grouped_and_the_kept_one_stays_alone_in_builds(studio: Studio, voice: Voice) -> None:
    rows = list_rows(voice)
    make_copies(rows[:3])
    Recording.objects.filter(pk=rows[2].pk).update(
        active=False, active_by=InclusionSource.CHECK, exclusion_code="same_sound"
    )
    (group,) = find_copies(voice)
    assert {row.pk for row in group.rows} == {row.pk for row in rows[:3]} and not group.is_settled
    results = keep_copy(voice, rows[2].pk, studio.producer)
    active = {row.pk for row in list_rows(voice) if row.active}
    assert active == {rows[2].pk, rows[3].pk}
    assert find_copies(voice)[0].is_settled
    for result in reversed(results):
        assert result.change
        undo_change(result.change.pk, voice, studio.producer)
    assert {row.pk for row in list_rows(voice) if row.active} == {rows[0].pk, rows[1].pk, rows[3].pk}


def test_recording_without_copies_is_not_kept(studio: Studio, voice: Voice) -> None:
    rows = list_rows(voice)
    set_codes(rows[0], "same_sound", field="set_findings")
    assert find_copies(voice) == []
    with pytest.raises(ActionRefused, match="no copies anymore"):
        keep_copy(voice, rows[0].pk, studio.producer)
    assert all(row.active for row in list_rows(voice))


@pytest.mark.parametrize("change", ["deleted", "refused"])
def test_copies_stay_when_the_chosen_one_cannot(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    rows = list_rows(voice)
    make_copies(rows[:3])
    groups, chosen = find_copies(voice), Recording.objects.filter(pk=rows[1].pk)
    monkeypatch.setattr("voices.services.recordings.copies.find_copies", lambda _voice: groups)
    if change == "deleted":
        chosen.delete()
    else:
        chosen.update(status=RecordingStatus.REFUSED, active=False)
    with pytest.raises(ActionRefused, match="deleted or cannot be used"):
        keep_copy(voice, rows[1].pk, studio.producer)
    assert Recording.objects.get(pk=rows[0].pk).active and Recording.objects.get(pk=rows[2].pk).active


def test_all_copies_are_locked_in_one_order_first(studio: Studio, voice: Voice) -> None:
    """Otherwise two people who keep different copies at once wait for each other."""
    rows = list_rows(voice)
    make_copies(rows[:3])
    with CaptureQueriesContext(connection) as queries:
        keep_copy(voice, max(row.pk for row in rows[:3]), studio.producer)
    statements = [query["sql"].replace("-", "") for query in queries]
    changed_at = next(place for place, sql in enumerate(statements) if sql.startswith("UPDATE"))
    locked = [sql for sql in statements[:changed_at] if all(row.pk.hex in sql for row in rows[:3])]
    assert locked and 'ORDER BY "voices_recording"."id"' in locked[0]


# --- repairs ----------------------------------------------------------------------------------------


def test_transcripts_are_repaired_one_or_all_and_undone(studio: Studio, voice: Voice) -> None:
    one, two, three, _four = list_rows(voice)
    for row, text in ((one, "The <b>north</b> wind."), (two, "A | line."), (three, "Room 12.")):
        Recording.objects.filter(pk=row.pk).update(transcript=text)
        set_codes(row, "transcript_markup" if row == one else "transcript_pipe")
    assert [(repair.id, repair.after) for repair in find_repairs(voice)] == [
        (one.pk, "The north wind."),
        (two.pk, "A line."),
    ]
    single = repair_transcripts(voice, studio.producer, two.pk)
    assert (single.changed, [repair.id for repair in find_repairs(voice)]) == (1, [one.pk])
    all_left = repair_transcripts(voice, studio.producer)
    assert [row.transcript for row in list_rows(voice)[:3]] == ["The north wind.", "A line.", "Room 12."]
    assert "transcript_markup" not in (list_rows(voice)[0].warning_codes or "")
    assert all_left.change
    undo_change(all_left.change.pk, voice, studio.producer)
    assert [row.transcript for row in list_rows(voice)[:2]] == ["The <b>north</b> wind.", "A line."]
    assert repair_transcripts(voice, studio.producer, three.pk).changed == 0


# --- days and quality -------------------------------------------------------------------------------


def test_days_have_the_averages_of_their_recordings(voice: Voice) -> None:
    rows, today = list_rows(voice), timezone.now()
    for row, days, loudness, noise in zip(
        rows, (3, 3, 1, 0), (-20.0, -22.0, -30.0, None), (40, 30, 20, None), strict=True
    ):
        Recording.objects.filter(pk=row.pk).update(
            created_at=today - timedelta(days=days), loudness=loudness, signal_to_noise=noise
        )
    averages = load_day_averages(voice)
    assert [(one.count, one.loudness, one.signal_to_noise) for one in averages] == [
        (2, -21.0, 35.0),
        (1, -30.0, 20.0),
        (1, None, None),
    ]
    assert averages[0].day == timezone.localdate(today - timedelta(days=3))


def test_day_of_a_recording_is_that_of_the_time_zone(voice: Voice) -> None:
    """Kathmandu is 5 hours and 45 minutes ahead of UTC."""
    for row, minute in zip(list_rows(voice), (14, 14, 15, 16), strict=True):
        Recording.objects.filter(pk=row.pk).update(created_at=datetime(2026, 3, 31, 18, minute, tzinfo=UTC))
    with timezone.override("Asia/Kathmandu"):
        averages = load_day_averages(voice)
    assert [(one.day, one.count) for one in averages] == [(date(2026, 3, 31), 2), (date(2026, 4, 1), 2)]


def test_quality_is_counted_in_half_steps(voice: Voice) -> None:
    for row, quality in zip(list_rows(voice), (2.5, 2.9, 3.0, None), strict=True):
        Recording.objects.filter(pk=row.pk).update(quality=quality)
    assert count_by_quality(voice) == {2.5: 2, 3.0: 1}


def test_page_of_a_compared_voice_reads_no_recording_for_its_charts(voice: Voice) -> None:
    Recording.objects.update(measures={"lufs": -20.0, "estimates": {"dnsmos_overall": 2.6}})
    Recording.objects.update(levels={"snr_db": 40.0})
    compare_recordings(str(voice.pk), HeldLease())
    expected = load_day_averages(voice), count_by_quality(voice)
    voice.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        assert (load_day_averages(voice), count_by_quality(voice)) == expected
    assert not queries and expected[1] == {2.5: 4} and expected[0][0].loudness == -20.0


def test_damaged_summary_of_the_sound_shows_what_is_readable(voice: Voice) -> None:
    good = ["2026-03-31", 2, -20.0, None]
    days = [good, ["yesterday", *good[1:]], good[:3], [5, *good[1:]], ["2026-03-31", None, None, None], "text", None, 7]
    Voice.objects.update(comparison={"sound": {"days": days, "quality": [[2.5, 2], [3.0], "xy", ["a", "b"], 7]}})
    voice.refresh_from_db()
    assert load_day_averages(voice) == [DayAverage(date(2026, 3, 31), 2, -20.0, None)]
    assert count_by_quality(voice) == {2.5: 2}
    Voice.objects.update(comparison={"sound": "text"})
    voice.refresh_from_db()
    assert [one.count for one in load_day_averages(voice)] == [4]


class HeldLease(Lease):
    """A lease that never ends."""

    def __init__(self) -> None:
        super().__init__(uuid4(), uuid4(), timezone.now())

    def extend(self) -> None:
        pass
