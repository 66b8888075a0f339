"""An edit that is based on values that someone else has changed meanwhile overwrites nothing."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Purpose, Talent
from tests.support.html import read_hidden_value
from tests.support.wav import load_sample_wav
from voicehub.models import User
from voices.models import Recording, Voice
from voices.services.recordings.store import add_recording, create_voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def voice(talent: Talent, producer: User) -> Voice:
    return create_voice(talent, "Narrator", "en-US", Purpose.NARRATION, producer)


@pytest.fixture
def recording(voice: Voice, producer: User) -> Recording:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("slt-01.wav", load_sample_wav("slt-01"))
    return add_recording(voice, file, producer, transcript="First words.")[0]


def read_version(client: Client, url: str) -> str:
    return read_hidden_value(client.get(url).content.decode(), "version")


def test_edit_of_a_talent_shows_what_someone_else_changed(producer_client: Client, talent: Talent) -> None:
    url = reverse("consent:talent_edit", args=[talent.pk])
    data = {"name": talent.name, "email": talent.email, "phone": "", "notes": "Mine.", "language": "en"}
    data["version"] = read_version(producer_client, url)
    Talent.objects.filter(pk=talent.pk).update(notes="Theirs.", phone="123")
    response = producer_client.post(url, data)
    html = response.content.decode()
    assert response.status_code == 409
    assert "Notes is now “Theirs.”." in html and "Mine." in html
    assert 'value="123"' in html, "a field in which nothing was typed shows the stored value"
    talent.refresh_from_db()
    assert talent.notes == "Theirs."
    again = {**data, "phone": "123", "version": read_hidden_value(html, "version")}
    assert producer_client.post(url, again).status_code == 302
    talent.refresh_from_db()
    assert (talent.notes, talent.phone) == ("Mine.", "123")


def test_edit_of_a_talent_is_saved_if_nothing_changed(producer_client: Client, talent: Talent) -> None:
    url = reverse("consent:talent_edit", args=[talent.pk])
    data = {
        "name": "Tara O.",
        "email": talent.email,
        "phone": "",
        "notes": "",
        "language": "en",
        "version": read_version(producer_client, url),
    }
    assert producer_client.post(url, data).status_code == 302
    talent.refresh_from_db()
    assert talent.name == "Tara O."


def test_edit_of_a_voice_shows_what_someone_else_changed(producer_client: Client, voice: Voice) -> None:
    url = reverse("voices:voice_edit", args=[voice.pk])
    data: dict[str, Any] = {"name": "Mine", "countries": voice.countries, "version": read_version(producer_client, url)}
    Voice.objects.filter(pk=voice.pk).update(name="Theirs")
    response = producer_client.post(url, data)
    assert response.status_code == 409 and "Name is now “Theirs”." in response.content.decode()
    voice.refresh_from_db()
    assert voice.name == "Theirs"


def test_transcript_of_someone_else_is_not_overwritten(engineer_client: Client, recording: Recording) -> None:
    url = reverse("voices:recording_edit", args=[recording.pk])
    version = read_version(engineer_client, url)
    Recording.objects.filter(pk=recording.pk).update(transcript="Their words.")
    response = engineer_client.post(url, {"transcript": "My words.", "version": version}, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 409 and "Their words." in html
    recording.refresh_from_db()
    assert recording.transcript == "Their words."
    assert read_hidden_value(html, "version") == version, "another change must not overwrite it either"
    data = {"transcript": "My words.", "version": version, "overwrite": read_hidden_value(html, "overwrite", "button")}
    assert engineer_client.post(url, data, headers=HTMX).status_code == 200
    recording.refresh_from_db()
    assert recording.transcript == "My words."


def test_transcript_of_someone_else_can_be_used(engineer_client: Client, recording: Recording) -> None:
    url = reverse("voices:recording_edit", args=[recording.pk])
    response = engineer_client.post(url, {"transcript": "My words.", "version": "x", "theirs": "yes"}, headers=HTMX)
    assert response.headers["HX-Retarget"] == f"#transcript-form-{recording.pk}"
    assert ">First words.</textarea>" in response.content.decode()
    recording.refresh_from_db()
    assert recording.transcript == "First words."


def test_switch_that_someone_else_changed_shows_the_current_state(
    engineer_client: Client, recording: Recording
) -> None:
    url = reverse("voices:recordings_switch", args=[recording.voice_id])
    Recording.objects.filter(pk=recording.pk).update(active=False)
    response = engineer_client.post(url, {"leave_out": recording.pk}, headers=HTMX)
    assert response.status_code == 409 and 'aria-checked="false"' in response.content.decode()
    assert "excluded from builds now" in response.headers["HX-Trigger"]
    assert engineer_client.post(url, {"put_back": recording.pk}, headers=HTMX).status_code == 200
    recording.refresh_from_db()
    assert recording.active
