"""What the page of a finished build shows: timeline, gauges, distributions, changes; and the trends of a voice."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.build_results import distributions
from voices.build_results.distributions import choose_bins, make_histogram
from voices.build_results.marks import list_found
from voices.build_results.timeline import make_timeline
from voices.build_results.trends import load_trends
from voices.models import Build, BuildRecording, Recording, RemoteVoice, Voice
from voices.services.builds.recording_scores import load_values

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
GOOD = {"resemble_score": 0.94, "voice_similarity": 0.8, "fluency": 0.7, "pauses": 0.2}


def age_build(build: Build, days: int) -> None:
    created_at = timezone.now() - timedelta(days=days)
    Build.objects.filter(pk=build.pk).update(created_at=created_at)
    build.refresh_from_db()


def make_two_builds(studio: Studio, count: int = 3, **fields: Any) -> tuple[Build, Build]:
    """Two builds of one voice at one provider and tier, the first of them a day old."""
    voice = studio.make_voice()
    studio.make_recordings(voice, count)
    first = studio.make_build(voice, status="ready", **fields)
    age_build(first, days=1)
    return first, studio.make_build(voice, status="ready", scores=GOOD)


# --- Timeline ----------------------------------------------------------------------------


def test_timeline_says_the_day_where_it_is_not_the_day_before_or_today(studio: Studio) -> None:
    build, now = studio.make_build(status="ready"), timezone.now()
    build.created_at = build.submitted_at = now - timedelta(days=3)
    build.training_at, build.finished_at = now - timedelta(days=2), now - timedelta(days=2)
    assert [step.has_day for step in make_timeline(build)] == [True, False, True, False]
    build.created_at = build.submitted_at = build.training_at = build.finished_at = now
    assert not any(step.has_day for step in make_timeline(build))


def test_timeline_shows_how_long_each_step_took(viewer_client: Client, studio: Studio) -> None:
    start = timezone.now() - timedelta(days=9)
    times: dict[str, Any] = {
        "submitted_at": start + timedelta(seconds=18),
        "training_at": start + timedelta(seconds=124),
        "finished_at": start + timedelta(seconds=124 + 2280),
    }
    build = studio.make_build(status="ready", **times)
    Build.objects.filter(pk=build.pk).update(created_at=start)
    build.refresh_from_db()
    steps = [(step.label, step.state, step.duration) for step in make_timeline(build)]
    assert steps == [
        ("Queued", "done", "18 s"),
        ("Sending", "done", "1 min 46 s"),
        ("Training", "done", "38 min"),
        ("Ready", "good", ""),
    ]
    text = read_html(viewer_client.get(build.get_absolute_url()))
    assert '<span class="duration"><span class="visually-hidden">took </span>1 min 46 s</span>' in text


def test_step_without_a_stored_time_is_not_shown_and_has_no_duration(studio: Studio) -> None:
    build = studio.make_build(status="failed")
    assert [step.label for step in make_timeline(build)] == ["Queued", "Failed"]
    Build.objects.filter(pk=build.pk).update(finished_at=build.created_at - timedelta(hours=1))
    build.refresh_from_db()
    assert {step.duration for step in make_timeline(build)} == {""}, "clocks may differ"


@pytest.mark.parametrize(
    ("status", "states"),
    [
        ("queued", ["now", "next", "next", "next"]),
        ("submitting", ["done", "now", "next", "next"]),
        ("unconfirmed", ["done", "now", "next", "next"]),
        ("training", ["done", "done", "now", "next"]),
    ],
)
def test_timeline_of_an_active_build_marks_the_current_step(studio: Studio, status: str, states: list[str]) -> None:
    build = studio.make_build(status=status, submitted_at=timezone.now(), training_at=timezone.now())
    assert [step.state for step in make_timeline(build)] == states


# --- Gauges ------------------------------------------------------------------------------


def test_gauges_show_direction_mark_and_change(viewer_client: Client, studio: Studio) -> None:
    earlier = {"resemble_score": 0.91, "voice_similarity": 0.9, "fluency": 0.7, "pauses": 0.25}
    first, second = make_two_builds(studio, scores=earlier)
    response = viewer_client.get(second.get_absolute_url())
    gauges = {gauge.info.key: gauge for gauge in response.context["scores"]}
    assert [gauges[key].change_text for key in GOOD] == [
        "▲ 0.03, better",
        "▼ 0.10, worse",
        "No change",
        "▼ 0.05, better",
    ]
    assert [gauges[key].limit_text for key in ("fluency", "pauses")] == ["0.80 or more", "0.20 or less"]
    assert [gauges[key].limit_note for key in ("fluency", "pauses")] == ["Good from 0.80", "Good up to 0.20"]
    assert [gauges[key].verdict for key in GOOD] == ["good", "good", "fair", "good"]
    text = read_html(response)
    assert f'compared with <a href="{first.get_absolute_url()}">build 1</a>' in text
    assert "No provider states a limit" in text
    assert "0.20 or less is good" in text
    assert 'stroke-dasharray="94.0 200"' in text
    assert "style=" not in text


def test_gauges_are_compared_only_with_the_same_provider_and_tier(studio: Studio, viewer_client: Client) -> None:
    first, second = make_two_builds(studio, scores=GOOD)
    RemoteVoice.objects.filter(pk=first.remote_voice_id).update(tier="professional")
    response = viewer_client.get(second.get_absolute_url())
    assert response.context["previous"] is None
    assert {gauge.change for gauge in response.context["scores"]} == {None}
    RemoteVoice.objects.filter(pk=first.remote_voice_id).update(tier="rapid")
    Build.objects.filter(pk=first.pk).update(status="failed")
    assert viewer_client.get(second.get_absolute_url()).context["previous"] is None


# --- Distributions -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "lowest", "step", "count"),
    [
        ([0.61, 0.97], 0.6, 0.05, 8),
        ([1.0, 4.5], 1.0, 0.5, 8),
        ([-12.0, 30.0], -15.0, 5.0, 10),
        ([0.5, 0.5], 0.5, 0.01, 1),
        ([0, 0], 0, 0.01, 1),
    ],
)
def test_bins_have_round_edges(values: list[float], lowest: float, step: float, count: int) -> None:
    assert list(choose_bins(values)) == pytest.approx([lowest, step, count])


def test_histogram_counts_every_value_once() -> None:
    values = [0.1 * place for place in range(11)]
    chart = make_histogram("A", "A", [values, []], ("Build 2", "Build 1"))
    assert [series.name for series in chart.series] == ["Build 2"]
    assert sum(chart.series[0].values.values()) == len(values)
    assert set(chart.x_values) == set(chart.series[0].values)


def test_distribution_has_our_estimate_beside_it_under_its_own_heading(viewer_client: Client, studio: Studio) -> None:
    first, second = make_two_builds(studio, count=6)
    second.recordings.update(has_report=True, stoi=0.9)
    path = reverse("voices:build_details", args=[second.pk])
    assert "None of these recordings." in read_html(viewer_client.get(path))
    Recording.objects.update(measures={"estimates": {"stoi": 0.7, "si_sdr": 3.0}})
    text = read_html(viewer_client.get(path))
    (distribution,) = viewer_client.get(path).context["distributions"]
    assert (distribution.score.key, distribution.provider_label) == ("stoi", "Resemble AI")
    assert distribution.estimate and distribution.estimate.title == "STOI"
    assert [series.name for series in distribution.chart.series] == ["Build 2"]
    assert '<h3 class="small-title" id="scores-stoi">Resemble AI</h3>' in text
    assert '<h3 class="small-title" id="estimates-stoi">Our estimate</h3>' in text
    first.recordings.update(has_report=True, stoi=0.8)
    (distribution,) = viewer_client.get(path).context["distributions"]
    assert [series.name for series in distribution.chart.series] == ["Build 2", "Build 1"]


def test_fewer_than_five_scores_are_no_distribution(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    build.recordings.update(has_report=True, stoi=0.9)
    assert viewer_client.get(reverse("voices:build_details", args=[build.pk])).context["distributions"] == []


def test_distribution_of_a_large_build_counts_an_even_share(
    viewer_client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributions, "MAX_VALUES", 6)
    _first, second = make_two_builds(studio, count=17)
    second.recordings.update(has_report=True, stoi=0.9)
    response = viewer_client.get(reverse("voices:build_details", args=[second.pk]))
    (distribution,) = response.context["distributions"]
    (counts,) = [sum(series.values.values()) for series in distribution.chart.series]
    assert 5 <= counts <= 6 and "One of each 3 recordings is counted." in read_html(response)


@pytest.mark.parametrize("measures", [["damaged"], {"estimates": ["damaged"]}, {"estimates": {"stoi": "high"}}, 7])
def test_damaged_measures_break_no_page(viewer_client: Client, studio: Studio, measures: Any) -> None:
    _first, second = make_two_builds(studio, count=6)
    second.recordings.update(has_report=True, stoi=0.9)
    Recording.objects.update(measures=measures)
    (distribution,) = viewer_client.get(reverse("voices:build_details", args=[second.pk])).context["distributions"]
    assert distribution.estimate is None


@pytest.mark.one_database  # PostgreSQL stores no text that is not JSON
def test_text_that_is_not_json_breaks_no_distribution(studio: Studio) -> None:
    _first, second = make_two_builds(studio, count=6)
    second.recordings.update(has_report=True, stoi=0.9)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute("UPDATE voices_recording SET measures = %s", ["{broken"])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert load_values(second).estimates["stoi"] == []
    assert len(load_values(second).scores["stoi"]) == 6


def test_what_reads_every_recording_is_loaded_after_the_page_and_has_a_link(
    viewer_client: Client, studio: Studio
) -> None:
    first, second = make_two_builds(studio, count=6)
    second.recordings.update(has_report=True, stoi=0.9)
    page = viewer_client.get(second.get_absolute_url())
    fragment = reverse("voices:build_details", args=[second.pk])
    link = f"{second.get_absolute_url()}?details=show"
    assert "distributions" not in page.context and "changes" not in page.context
    assert f'hx-get="{fragment}" hx-trigger="load"' in read_html(page) and f'href="{link}#build-details"' in read_html(
        page
    )
    for url in (fragment, link):
        text = read_html(viewer_client.get(url))
        assert 'id="scores-stoi"' in text and 'id="changes"' in text and 'hx-trigger="load"' not in text
    assert fragment not in read_html(viewer_client.get(first.get_absolute_url()))
    Build.objects.filter(pk=first.pk).update(status="training", finished_at=None)
    assert viewer_client.get(reverse("voices:build_details", args=[first.pk])).status_code == 404


# --- Changes -----------------------------------------------------------------------------


def test_changes_since_the_build_before(viewer_client: Client, studio: Studio) -> None:
    first, second = make_two_builds(studio, count=5)
    kept, silent, outlier, dropped, fresh = Recording.objects.filter(voice=second.voice).order_by("file_name")
    first.recordings.filter(recording=fresh).delete()
    second.recordings.filter(recording=dropped).delete()
    BuildRecording.objects.update(has_report=True)
    second.recordings.filter(recording=kept).update(transcript="Other words.")
    first.recordings.filter(recording=silent).update(is_silent=True)
    second.recordings.filter(recording=outlier).update(is_outlier=True)
    response = viewer_client.get(reverse("voices:build_details", args=[second.pk]))
    changes = response.context["changes"]
    names = {
        name: getattr(changes, name).names for name in ("added", "left_out", "transcripts", "marks_new", "marks_gone")
    }
    assert names == {
        "added": (fresh.file_name,),
        "left_out": (dropped.file_name,),
        "transcripts": (kept.file_name,),
        "marks_new": (outlier.file_name,),
        "marks_gone": (silent.file_name,),
    }
    text = read_html(response)
    assert "Changes since <a" in text and "The same consent and contract" in text
    assert f'1 recording, 4 s: <span class="quiet">{fresh.file_name}</span>' in text


# --- Our findings ------------------------------------------------------------------------


def test_rows_show_our_findings_beside_the_marks_of_the_provider(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    build.recordings.update(has_report=True, finding_codes=["silence_at_end"])
    text = read_html(viewer_client.get(build.get_absolute_url()))
    chip = '<span class="vh-chip"><span class="visually-hidden">Our finding: </span>Silence at end</span>'
    assert f'<td class="found">{chip}' in text


def test_finding_that_repeats_a_flag_of_the_provider_is_not_listed_again(studio: Studio) -> None:
    row = studio.make_build(status="ready").recordings.order_by("pk")[0]
    row.finding_codes, row.has_report = ["silent", "other_speaker", "noisy", "no_such_code"], True
    row.is_silent, row.is_outlier = True, False
    found = [(one.is_flag, one.label) for one in list_found(row)]
    assert found[0] == (True, "Silent") and "Silent" not in [label for is_flag, label in found if not is_flag]
    assert [is_flag for is_flag, _label in found] == [True, False, False, False]


# --- Trends ------------------------------------------------------------------------------


def test_trends_have_a_line_for_each_provider_and_tier(viewer_client: Client, studio: Studio) -> None:
    first, second = make_two_builds(studio, scores={"resemble_score": 0.5})
    for days in (4, 3, 2):
        age_build(studio.make_build(second.voice, status="ready", scores={"resemble_score": 0.7}), days=days)
    assert [chart.y_label for chart in load_trends(second.voice)] == ["Overall"]
    (chart,) = load_trends(second.voice)
    assert [(one.name, dict(one.values)) for one in chart.series] == [
        ("Resemble AI, rapid", {"Build 1": 0.7, "Build 2": 0.7, "Build 3": 0.7, "Build 4": 0.5, "Build 5": 0.94})
    ]
    assert chart.limit and chart.limit.value == 0.8
    assert chart.is_bare and chart.y_range == (0.5, 1.0)
    RemoteVoice.objects.filter(pk=first.remote_voice_id).update(tier="professional")
    assert {one.name for one in load_trends(second.voice)[0].series} == {
        "Resemble AI, professional",
        "Resemble AI, rapid",
    }
    assert "Overall, higher is better" in read_html(viewer_client.get(second.voice.get_builds_url()))


def test_few_builds_show_the_change_beside_each_score(viewer_client: Client, studio: Studio) -> None:
    first, second = make_two_builds(studio, scores={"resemble_score": 0.9, "pauses": 0.1})
    assert load_trends(second.voice) == []
    response = viewer_client.get(second.voice.get_builds_url())
    text = read_html(response)
    assert 'id="trends"' not in text
    newest, oldest = response.context["builds"]
    assert (newest.build, newest.number, oldest.build, oldest.number) == (second, 2, first, 1)
    changes = [(gauge.change_text, gauge.change_tone) for gauge in newest.cells if gauge]
    assert changes[0] == ("▲ 0.04, better", "good") and changes[3][1] in ("good", "bad", "")
    assert f'<a href="{second.get_absolute_url()}">Build 2</a>' in text
    assert 'class="change is-good">▲ 0.04, better' in text and "<small>lower is better</small>" in text
    RemoteVoice.objects.filter(pk=first.remote_voice_id).update(tier="professional")
    newest, _oldest = viewer_client.get(second.voice.get_builds_url()).context["builds"]
    assert {gauge.change for gauge in newest.cells if gauge} == {None}, "another tier is no build before"
    studio.make_build(second.voice, status="training")
    with_active = read_html(viewer_client.get(second.voice.get_builds_url()))
    assert with_active.count('name="build"') == text.count('name="build"') == 2, "only an ended build can be compared"
    assert with_active.count(">Not stated</span>") - text.count(">Not stated</span>") == 4, "no score of the new build"


# --- Number of queries -------------------------------------------------------------------


def count_queries(client: Client, build: Build) -> int:
    client.get(build.get_absolute_url())
    with CaptureQueriesContext(connection) as queries:
        assert client.get(build.get_absolute_url()).status_code == 200
    return len(queries)


def fill_builds(studio: Studio, voice: Voice, count: int) -> Build:
    """Two builds of `count` recordings, each with scores, a third of them marked."""
    studio.make_fileless_recordings(voice, count)
    age_build(studio.make_build(voice, status="ready", scores=GOOD), days=1)
    second = studio.make_build(voice, status="ready", scores=GOOD)
    BuildRecording.objects.update(has_report=True, stoi=0.9, sample_score=0.8, pesq=3.1)
    marked = list(second.recordings.order_by("pk").values_list("pk", flat=True)[::3])
    second.recordings.filter(pk__in=marked).update(is_silent=True)
    return second


def test_number_of_queries_does_not_grow_with_recordings(producer_client: Client, studio: Studio) -> None:
    counts = {}
    for count in (6, 60):
        build = fill_builds(studio, studio.make_voice(f"Voice {count}"), count)
        counts[count] = count_queries(producer_client, build)
    assert counts[6] == counts[60]
