"""The row of a recording says who left it out of builds and why. One switch puts it back."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from audio.findings.findings import make_finding
from tests.voices.rows import Studio
from voices.models import Recording, Voice
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OTHER_SPEAKER = make_finding("other_speaker", score=0.1, limit=0.4).as_dict()


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def make_foreign(studio: Studio, voice: Voice) -> Recording:
    (recording,) = studio.make_recordings(voice, 1)
    Recording.objects.filter(pk=recording.pk).update(set_findings=[OTHER_SPEAKER])
    update_figures(Recording.objects.filter(pk=recording.pk))
    update_inclusion(voice.recordings.all())
    return recording


def load_table(client: Client, voice: Voice, query: str = "") -> str:
    return client.get(f"{reverse('voices:recording_table', args=[voice.pk])}?{query}").content.decode()


def load_details(client: Client, recording: Recording) -> str:
    path = reverse("voices:recording_details", args=[recording.pk])
    return client.get(path, headers={"HX-Request": "true"}).content.decode()


def switch(client: Client, recording: Recording, action: str) -> str:
    path = reverse("voices:recordings_switch", args=[recording.voice_id])
    return client.post(path, {action: recording.pk}, headers={"HX-Request": "true"}).content.decode()


def test_row_names_the_reason_and_the_switch_puts_it_back(
    producer_client: Client, studio: Studio, voice: Voice
) -> None:
    recording = make_foreign(studio, voice)
    table = load_table(producer_client, voice, f"show=left_out&open={recording.pk}")
    assert "Excluded: another speaker" in table and "aria-checked=false " in table
    assert 'aria-checked="true"' in switch(producer_client, recording, "put_back")
    assert "Included by a person, although: another speaker" in load_details(producer_client, recording)
    assert recording.file_name not in load_table(producer_client, voice, "show=left_out")
    assert 'aria-checked="false"' in switch(producer_client, recording, "leave_out")
    assert "Excluded by a person" in load_details(producer_client, recording)


def test_viewer_reads_the_reason_without_a_switch(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    recording = make_foreign(studio, voice)
    table = load_table(viewer_client, voice, f"open={recording.pk}")
    assert "Excluded: another speaker" in table and "Excluded" in table
    assert "role=switch" not in table


def test_poll_updates_the_switch_of_a_recording_that_a_check_left_out(
    producer_client: Client, studio: Studio, voice: Voice
) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    poll = re.search(r'hx-get="([^"]+/poll/[^"]+)"', load_table(producer_client, voice))
    assert poll
    Recording.objects.filter(pk=recording.pk).update(set_findings=[OTHER_SPEAKER])
    update_inclusion(voice.recordings.all())
    text = producer_client.get(poll.group(1).replace("&amp;", "&")).content.decode()
    assert f"#row-{recording.pk} > :nth-child(9)" in text and 'aria-checked="false"' in text
