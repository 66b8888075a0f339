"""The order of the page of a build: the verdict first, then what can be played, and one next step if it failed."""

import re

import pytest
from django.test import Client

from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.models import Build, BuildRecording, Preview, PreviewStatus, Recording, RemoteVoice
from voices.services.recordings.figures import update_figures

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TRY_AGAIN = ">Try again<span"  # the scripts have a button with the same words
ISSUE = "The provider answered 500. Nothing was changed. Start the build again."


def read_page(client: Client, build: Build) -> str:
    return read_html(client.get(build.get_absolute_url()))


def make_previews(remote: RemoteVoice, count: int, status: str) -> None:
    for number in range(count):
        Preview.objects.create(remote_voice=remote, text=f"{status} {number}.", status=status, issue="No answer.")


def test_scores_come_before_previews(studio: Studio, producer_client: Client) -> None:
    page = read_page(producer_client, studio.make_build(status="ready"))
    assert page.index('id="progress-title"') < page.index('id="scores-title"') < page.index('id="previews-title"')


def test_newest_previews_are_shown_and_failed_ones_folded_last(studio: Studio, producer_client: Client) -> None:
    build = studio.make_build(status="ready")
    make_previews(build.remote_voice, 5, PreviewStatus.READY)
    make_previews(build.remote_voice, 2, PreviewStatus.FAILED)
    page = read_page(producer_client, build)
    older, failed = page.index("2 older previews"), page.index("2 failed previews")
    places = [page.index(f"“ready {number}.”") for number in (4, 3, 2, 1, 0)]
    assert places == sorted(places) and places[2] < older < places[3] < failed < page.index("“failed 1.”")
    assert page.count(TRY_AGAIN) == 2


def test_failed_preview_is_requested_again_from_its_row(studio: Studio, producer_client: Client) -> None:
    remote = studio.make_build(status="ready").remote_voice
    make_previews(remote, 1, PreviewStatus.FAILED)
    form = re.search(
        r'<form[^>]* action="([^"]+)"[^>]*>(?:(?!</form>).)*Try again',
        read_html(producer_client.get(remote.get_absolute_url())),
        re.DOTALL,
    )
    assert form
    producer_client.post(form[1], {"text": "failed 0."})
    assert remote.previews.filter(text="failed 0.", status=PreviewStatus.QUEUED).count() == 1


def test_viewers_and_samples_of_the_provider_have_no_try_again(
    studio: Studio, viewer_client: Client, producer_client: Client
) -> None:
    remote = studio.make_build(status="ready").remote_voice
    make_previews(remote, 1, PreviewStatus.FAILED)
    assert TRY_AGAIN not in read_html(viewer_client.get(remote.get_absolute_url()))
    Preview.objects.update(url="https://x.test/1")
    assert TRY_AGAIN not in read_html(producer_client.get(remote.get_absolute_url()))


def test_note_of_a_failed_build_has_one_cause_and_one_next_step(studio: Studio, producer_client: Client) -> None:
    page = read_page(producer_client, studio.make_build(status="failed", issue=ISSUE))
    note = re.search(r'<section class="next next-bad">.*?</section>', page, re.DOTALL)
    assert note and "The provider answered 500." in note[0] and "Start the build again" not in note[0]
    assert f"“{ISSUE}”" in page, "the rest is among the technical details"
    assert page.count("btn-primary") == 1 and "Mark as seen" in note[0]
    assert "Compare" not in page.partition('id="build-actions"')[2].partition("</div>")[0]


def test_flagged_recordings_stand_under_their_own_heading(studio: Studio, producer_client: Client) -> None:
    build = studio.make_build(status="ready")
    build.recordings.update(has_report=True, sample_score=0.5)
    flagged = build.recordings.order_by("pk")[:1].get()
    build.recordings.filter(pk=flagged.pk).update(is_silent=True)
    page = read_page(producer_client, build)
    first, second = page.index("Flagged by the provider (1)"), page.index("Other recordings, lowest score first")
    assert first < page.index(f'title="{flagged.recording.file_name}"') < second
    assert '<span class="vh-chip is-bad">' in page and "▲" not in page
    build.recordings.update(is_silent=False)
    page = read_page(producer_client, build)
    assert "Flagged by the provider (" not in page and "Other recordings" not in page and "▲" in page


def test_failed_build_names_what_is_missing_and_lists_recordings_without_transcript_first(
    studio: Studio, producer_client: Client, viewer_client: Client
) -> None:
    build = studio.make_build(status="failed", issue=ISSUE)
    missing = studio.make_recordings(build.voice, 3)[1]
    for row in build.voice.recordings.all():
        BuildRecording.objects.update_or_create(build=build, recording=row, defaults={"transcript": row.transcript})
    Recording.objects.filter(pk=missing.pk).update(transcript="")
    BuildRecording.objects.filter(recording=missing).update(transcript="")
    update_figures(build.voice.recordings.all())
    page = read_page(producer_client, build)
    assert ">Add 1 transcript</a>" in page and "?show=no_transcript#recordings" in page
    assert page.index(missing.file_name) == min(page.index(row.file_name) for row in build.voice.recordings.all())
    assert "Add 1 transcript" not in read_page(viewer_client, build), "a viewer cannot"
