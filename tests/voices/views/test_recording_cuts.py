"""The page of the cuts of a recording that is too long, with and without scripts."""

import base64
import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.services.review import withdraw_consent
from tests.support.html import read_html
from tests.support.wav import RATE
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub.models import Task
from voices.models import CutProposal, Recording, RecordingStatus, Voice
from voices.services.recordings.store import add_recording

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def recording(studio: Studio, voice: Voice) -> Recording:
    recording, _new = add_recording(voice, make_upload("long.wav", make_clip(7, 100.0)), studio.producer)
    return recording


def make_url(recording: Recording, name: str = "recording_cuts") -> str:
    return reverse(f"voices:{name}", args=[recording.pk])


def make_proposal(recording: Recording, count: int = 3) -> CutProposal:
    """Clips of 10 s from second 0 on, with a second between them."""
    segments = [[number * 11 * RATE, (number * 11 + 10) * RATE] for number in range(count)]
    now = timezone.now()
    return CutProposal.objects.create(
        recording=recording, requested_at=now, proposed_at=now, segments=segments, speech=[[0.2, 9.8]], peaks="AAD/",
        method="model",
    )  # fmt: skip


def read_page(client: Client, recording: Recording) -> str:
    return " ".join(read_html(client.get(make_url(recording))).split())


def read_text_field(page: str) -> list[str]:
    """The lines of the text field, whose line breaks a page keeps."""
    match = re.search(r'<textarea[^>]*name="clips"[^>]*>([^<]*)</textarea>', page)
    assert match
    return html.unescape(match[1]).splitlines()


def test_details_of_a_row_lead_to_the_cuts(
    engineer_client: Client, viewer_client: Client, voice: Voice, recording: Recording
) -> None:
    path = f"{reverse('voices:recording_table', args=[voice.pk])}?open={recording.pk}"
    page = read_html(engineer_client.get(path))
    assert f'formaction="{make_url(recording)}"' in page and "Check the cuts" in page
    assert "Check the cuts" not in read_html(viewer_client.get(path))


def test_cuts_are_proposed_by_a_task_and_shown_when_it_is_done(engineer_client: Client, recording: Recording) -> None:
    page = read_page(engineer_client, recording)
    assert "Propose cuts" in page and "Split into" not in page and not Task.objects.filter(kind="propose_cuts")
    response = engineer_client.post(make_url(recording), {"propose": ""})
    assert (response.status_code, response["Location"]) == (302, make_url(recording))
    assert Task.objects.filter(kind="propose_cuts").count() == 1
    page = read_page(engineer_client, recording)
    assert "0 % is read" in page and make_url(recording, "recording_cuts_progress") in page
    Task.objects.all().delete()
    CutProposal.objects.all().delete()
    make_proposal(recording)
    page = read_page(engineer_client, recording)
    assert "Split into" in page and "is read" not in page


def test_progress_shows_the_share_and_the_time_left(engineer_client: Client, recording: Recording) -> None:
    since = timezone.now() - timedelta(seconds=30)
    proposal = CutProposal.objects.create(recording=recording, requested_at=since, read_share=0.5)
    url = make_url(recording, "recording_cuts_progress")
    text = read_html(engineer_client.get(url))
    assert "50 % is read" in text and "about 30 s left" in text
    CutProposal.objects.update(has_failed=True)
    assert engineer_client.get(url)["HX-Refresh"] == "true"
    assert "could not be found" in read_page(engineer_client, recording)
    proposal.delete()
    make_proposal(recording)
    response = engineer_client.get(url)
    assert (response.status_code, response["HX-Refresh"]) == (200, "true")


def test_page_without_scripts_has_the_clips_as_text(engineer_client: Client, recording: Recording) -> None:
    make_proposal(recording)
    page = engineer_client.get(make_url(recording)).content.decode()
    lines = read_text_field(page)
    assert lines == ["0.00 10.00", "11.00 21.00", "22.00 32.00"]
    assert re.search(r'<div class="cuts"[^>]*\shidden>', page), "the editor is shown by its script"
    response = engineer_client.post(make_url(recording), {"clips": "\r\n".join(lines)}, follow=True)
    assert "Splitting long.wav into 3 clips." in response.content.decode()
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.SPLITTING and CutProposal.objects.get().clips == []


def test_edited_clips_are_stored_for_the_task(engineer_client: Client, recording: Recording) -> None:
    make_proposal(recording)
    engineer_client.post(make_url(recording), {"clips": "0.5 10\n11 1:11"})
    assert CutProposal.objects.get().clips == [[RATE // 2, 10 * RATE], [11 * RATE, 71 * RATE]]
    assert Task.objects.filter(kind="cut_recording", object_id=str(recording.pk)).exists()


def test_clips_that_cannot_be_made_are_named_and_kept(engineer_client: Client, recording: Recording) -> None:
    make_proposal(recording)
    typed = "0 10\n11 11.5\nnot <b>a clip"
    response = engineer_client.post(make_url(recording), {"clips": typed})
    page = response.content.decode()
    assert response.status_code == 400
    assert "Line 3 is not a start and an end in seconds" in page and "lasts 0.50 s" in page and "not split" in page
    assert read_text_field(page) == typed.splitlines()
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.ACCEPTED and not Task.objects.filter(kind="cut_recording").exists()


def test_clips_of_a_split_that_failed_are_shown_again(engineer_client: Client, recording: Recording) -> None:
    make_proposal(recording)
    CutProposal.objects.update(clips=[[0, 5 * RATE]])
    assert read_text_field(read_html(engineer_client.get(make_url(recording)))) == ["0.00 5.00"]


def test_recording_that_cannot_be_split_has_no_cuts(engineer_client: Client, studio: Studio, voice: Voice) -> None:
    (good,) = studio.make_recordings(voice, 1)
    for method in (engineer_client.get, engineer_client.post):
        response = method(make_url(good), follow=True)
        assert "of more than 20 seconds can be split." in response.content.decode()
        assert response.redirect_chain[0][0].startswith(voice.get_absolute_url())
    assert engineer_client.get(make_url(good, "recording_cuts_progress"))["HX-Refresh"] == "true"


def test_engineers_open_no_cuts_after_a_withdrawal(
    engineer_client: Client, producer_client: Client, studio: Studio, voice: Voice, recording: Recording
) -> None:
    consent = studio.make_consent(voice.talent)
    make_proposal(recording)
    urls = [make_url(recording, name) for name in ("recording_cuts", "recording_cuts_progress", "recording_cuts_sound")]
    assert [engineer_client.get(url).status_code for url in urls] == [200, 200, 200]
    withdraw_consent(consent, studio.producer, "The talent changed their mind.")
    assert [engineer_client.get(url).status_code for url in urls] == [403, 403, 403]
    assert engineer_client.post(urls[0], {"clips": "0 5"}).status_code == 403
    assert [producer_client.get(url).status_code for url in urls] == [200, 200, 200]


def test_sound_of_the_editor_is_sent_as_bytes(engineer_client: Client, recording: Recording) -> None:
    url = make_url(recording, "recording_cuts_sound")
    assert engineer_client.get(url).status_code == 404
    make_proposal(recording)
    sound = engineer_client.get(url).json()
    assert base64.b64decode(sound["peaks"]) == bytes([0, 0, 255])
    assert (sound["peaks_per_second"], sound["speech"]) == (100, [[0.2, 9.8]])


def test_number_of_queries_is_the_same_for_3_and_900_clips(engineer_client: Client, recording: Recording) -> None:
    counts = []
    for count in (3, 900):
        CutProposal.objects.all().delete()
        make_proposal(recording, count)
        with CaptureQueriesContext(connection) as queries:
            page = read_page(engineer_client, recording)
        counts.append(len(queries))
        assert page.count("<tr>") < 5, "the rows are made in the browser, a page at a time"
    assert counts[0] == counts[1] < 12
