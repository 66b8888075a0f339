"""The preflight names the recordings that would probably fail at each tier, and what past builds say about them."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audio.findings.findings import make_finding
from tests.support.checked import mark_checked
from tests.voices.rows import Studio
from voicehub.models import Task, TaskStatus, ThresholdOverride
from voices.build_option import BuildOption
from voices.build_options import list_build_options
from voices.models import BuildRecording, BuildStatus, Recording, Voice
from voices.services.builds.predictions import load_predictions
from voices.services.builds.start import BuildRefused, start_build
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.store import set_active

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OTHER_SPEAKER = make_finding("other_speaker", score=0.1, limit=0.4).as_dict()
UNLIKE_LEVEL = make_finding("unlike_level", by=12.0, direction="louder").as_dict()


@pytest.fixture
def voice(studio: Studio) -> Voice:
    voice = studio.make_voice()
    studio.make_recordings(voice, 4)
    return voice


def get_rows(voice: Voice) -> list[Recording]:
    return list(voice.recordings.order_by("file_name"))


def add_finding(recording: Recording, finding: dict[str, Any]) -> None:
    rows = Recording.objects.filter(pk=recording.pk)
    rows.update(set_findings=[finding])
    update_figures(rows)
    recording.refresh_from_db()


def find_option(voice: Voice, tier: str = "rapid") -> BuildOption:
    return next(option for option in list_build_options(voice) if option.readiness.capabilities.tier == tier)


def list_failures(voice: Voice, tier: str = "rapid") -> dict[str, list[str]]:
    return {
        failure.name: [reason.text for reason in failure.reasons]
        for failure in find_option(voice, tier).likely_failures
    }


def load_page(client: Client, voice: Voice) -> str:
    return " ".join(client.get(reverse("voices:build_options", args=[voice.pk])).content.decode().split())


def test_left_out_recording_is_named_and_does_not_count(producer_client: Client, voice: Voice) -> None:
    foreign = get_rows(voice)[0]
    add_finding(foreign, OTHER_SPEAKER)
    update_inclusion(voice.recordings.all())
    option = find_option(voice)
    assert option.readiness.recording_count == 3 and option.is_ready
    assert option.likely_failure_summary == "1 recording would probably fail and is excluded."
    page = load_page(producer_client, voice)
    assert f"<strong>{foreign.file_name}</strong>: another speaker." in page
    producer_client.post(reverse("voices:recording_active", args=[foreign.pk]), {"active": "on"})
    assert find_option(voice).likely_failure_summary == ("1 recording would probably fail: exclude it, or listen.")


def test_leaving_out_takes_exactly_the_listed_recordings(
    producer_client: Client, viewer_client: Client, voice: Voice
) -> None:
    foreign, *others = get_rows(voice)
    add_finding(foreign, OTHER_SPEAKER)
    set_active(foreign, True)
    option = find_option(voice)
    assert option.badge == ("wait", "Ready, with doubts") and option.is_ready, "a person's choice stays advice"
    path, data = reverse("voices:recordings_leave_out", args=[voice.pk]), {"recordings": option.likely_failure_ids}
    assert viewer_client.post(path, data).status_code == 403
    assert list_failures(voice) == {foreign.file_name: ["another speaker"]}
    producer_client.post(path, data)
    assert {row.file_name for row in voice.recordings.filter(active=False)} == {foreign.file_name}
    assert list_failures(voice) == {} and len(others) == 3


def test_leaving_out_touches_no_recording_of_another_voice(
    producer_client: Client, studio: Studio, voice: Voice
) -> None:
    other = studio.make_voice("Other", studio.make_talent("Olga"))
    (recording,) = studio.make_recordings(other, 1)
    path = reverse("voices:recordings_leave_out", args=[voice.pk])
    for value in (str(recording.pk), "nonsense", ""):
        assert producer_client.post(path, {"recordings": value}).status_code == 302
    recording.refresh_from_db()
    assert recording.active


def test_mark_of_the_provider_is_a_reason(studio: Studio, voice: Voice) -> None:
    marked, discarded, *_rest = get_rows(voice)
    build = studio.make_build(voice, BuildStatus.DATASET_ISSUE)
    build.recordings.filter(recording=marked).update(has_report=True, is_silent=True)
    build.recordings.filter(recording=discarded).update(has_report=True, discard_reason="It is too short.")
    assert list_failures(voice) == {
        marked.file_name: ["Resemble AI found it silent"],
        discarded.file_name: ["Resemble AI did not use it in the last build"],
    }


def test_thresholds_of_the_tier_judge(voice: Voice) -> None:
    """A recording that the studio accepts may fail at one tier, and only there."""
    strict = get_rows(voice)[0]
    Recording.objects.filter(pk=strict.pk).update(levels={**strict.levels, "clipped_share": 0.0005}, measures={})
    ThresholdOverride.objects.create(
        provider="resemble_v2", tier="professional", name="clipping_share", value=0.0002, reason="Strict."
    )
    assert list_failures(voice, "professional") == {strict.file_name: ["clipped"]}
    assert list_failures(voice, "rapid") == {}


def test_tolerant_tier_does_not_count_a_finding_of_the_studio(voice: Voice) -> None:
    clipped = get_rows(voice)[0]
    finding = make_finding("clipping", share=0.0015).as_dict()
    levels = {**clipped.levels, "clipped_share": 0.0015}
    Recording.objects.filter(pk=clipped.pk).update(levels=levels, measures={}, findings=[finding])
    update_figures(voice.recordings.all())
    ThresholdOverride.objects.create(provider="resemble_v2", tier="rapid", name="clipping_share", value=0.01, reason="")
    assert list_failures(voice, "professional") == {clipped.file_name: ["clipped"]}
    assert list_failures(voice, "rapid") == {}


def test_length_counts_only_where_each_recording_is_sent(voice: Voice) -> None:
    long = get_rows(voice)[0]
    Recording.objects.filter(pk=long.pk).update(seconds=75.0)
    assert list_failures(voice, "professional") == {long.file_name: ["longer than 60 s"]}
    # A rapid voice takes one WAV of all recordings.
    assert list_failures(voice, "rapid") == {}


# --- what is not checked --------------------------------------------------------------------


def get_refusals(studio: Studio, voice: Voice) -> list[str]:
    with pytest.raises(BuildRefused) as refused:
        start_build(voice, studio.account, "rapid", "recordings", studio.producer)
    return list(refused.value.reasons)


def test_unchecked_recordings_refuse_a_build_until_they_are_checked(
    producer_client: Client, studio: Studio, voice: Voice
) -> None:
    first = get_rows(voice)[0]
    Recording.objects.filter(pk=first.pk).update(analyzed_at=None)
    text = "1 recording is not checked yet. VoiceHub is checking: this goes on by itself."
    assert get_refusals(studio, voice) == [text]
    assert text in load_page(producer_client, voice)
    mark_checked(voice)
    assert start_build(voice, studio.account, "rapid", "recordings", studio.producer)


def test_comparison_must_be_newer_than_the_newest_analysis(studio: Studio, voice: Voice) -> None:
    comparison = {"compared_at": "2026-01-01T00:00:00+00:00"}
    for stale in (comparison, {}, {"compared_at": "nonsense"}):
        Voice.objects.filter(pk=voice.pk).update(comparison=stale)
        assert get_refusals(studio, voice) == [
            "The recordings are not compared with each other yet. VoiceHub is comparing: this goes on by itself."
        ]


def test_recording_that_is_left_out_needs_no_check(studio: Studio, voice: Voice) -> None:
    first = get_rows(voice)[0]
    set_active(first, False)
    Recording.objects.filter(pk=first.pk).update(analyzed_at=None)
    assert start_build(voice, studio.account, "rapid", "recordings", studio.producer)


def test_stopped_check_offers_to_check_again(producer_client: Client, studio: Studio, voice: Voice) -> None:
    Recording.objects.filter(voice=voice).update(analyzed_at=None)
    Task.objects.filter(object_id=str(voice.pk)).update(status=TaskStatus.FAILED)
    assert get_refusals(studio, voice) == ["The check of 4 recordings stopped. Check again."]
    path = reverse("voices:recordings_check", args=[voice.pk])
    assert path in load_page(producer_client, voice)
    producer_client.post(path)
    assert Task.objects.filter(object_id=str(voice.pk), status=TaskStatus.WAITING).count() == 1
    assert path not in load_page(producer_client, voice)


# --- what past builds say -------------------------------------------------------------------


def report_build(studio: Studio, voice: Voice, marks: dict[Recording, bool]) -> None:
    build = studio.make_build(voice, BuildStatus.READY)
    for row in build.recordings.all():
        codes = [str(finding["code"]) for finding in row.recording.set_findings]
        BuildRecording.objects.filter(pk=row.pk).update(
            has_report=row.recording in marks, is_silent=marks.get(row.recording), finding_codes=codes
        )


def test_build_freezes_the_findings_of_its_start(studio: Studio, voice: Voice) -> None:
    first = get_rows(voice)[0]
    add_finding(first, UNLIKE_LEVEL)
    build = start_build(voice, studio.account, "rapid", "recordings", studio.producer)
    Recording.objects.filter(pk=first.pk).update(set_findings=[])
    update_figures(voice.recordings.all())
    assert list(build.recordings.get(recording=first).finding_codes) == ["unlike_level"]
    assert [list(row.finding_codes) for row in build.recordings.exclude(recording=first)] == [[], [], []]


def test_finding_that_most_builds_marked_predicts_a_failure(studio: Studio, voice: Voice) -> None:
    rows = get_rows(voice)
    for row in rows[:3]:
        add_finding(row, UNLIKE_LEVEL)
    report_build(studio, voice, {rows[0]: True, rows[1]: True, rows[2]: False, rows[3]: False})
    assert load_predictions()["resemble_v2", "unlike_level"].text == (
        "2 of 3 with this finding were flagged by Resemble AI"
    )
    failures = find_option(voice).likely_failures
    assert {failure.name for failure in failures} == {row.file_name for row in rows[:3]}
    assert [reason.prediction.text for reason in failures[2].reasons if reason.prediction] == [
        "2 of 3 with this finding were flagged by Resemble AI"
    ]


def test_nothing_is_shown_without_a_case(producer_client: Client, studio: Studio, voice: Voice) -> None:
    rows = get_rows(voice)
    add_finding(rows[0], OTHER_SPEAKER)
    report_build(studio, voice, {})
    assert load_predictions() == {}
    assert "with this finding" not in load_page(producer_client, voice)


def test_query_count_does_not_grow_with_recordings_and_builds(studio: Studio, voice: Voice) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            for option in list_build_options(voice):
                assert option.listed_failures is not None
        return len(queries)

    report_build(studio, voice, dict.fromkeys(get_rows(voice), True))
    before = count()
    studio.make_recordings(voice, 3)
    report_build(studio, voice, dict.fromkeys(get_rows(voice), True))
    assert count() == before


# --- what is said of a consent --------------------------------------------------------------


def test_consent_in_another_language_is_not_called_missing(voice: Voice) -> None:
    Voice.objects.filter(pk=voice.pk).update(language="de-DE")
    voice.refresh_from_db()
    summary = find_option(voice).summary
    assert "was read in English, but the voice is in German" in summary
    assert "consent missing" not in summary
