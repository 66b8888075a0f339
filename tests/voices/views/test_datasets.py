"""The page that downloads a voice as a dataset."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from consent.models import Consent
from consent.services.review import withdraw_consent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import DatasetDownload, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    voice = studio.make_voice()
    studio.make_recordings(voice, 2)
    return voice


def make_url(voice: Voice) -> str:
    return reverse("voices:voice_dataset", args=[voice.pk])


def post(client: Client, voice: Voice, layout: str = "voicehub", only_in_builds: str = "no") -> Any:
    return client.post(make_url(voice), {"layout": layout, "only_in_builds": only_in_builds})


def test_form_sends_the_archive_with_its_size(producer_client: Client, voice: Voice) -> None:
    response = post(producer_client, voice, "hugging_face")
    data = b"".join(response.streaming_content)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/zip")
    assert int(response.headers["Content-Length"]) == len(data)
    assert response.headers["Content-Disposition"] == 'attachment; filename="warm-narrator-hugging-face.zip"'
    assert response.headers["Cache-Control"] == "private, no-store"
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == [
        "metadata.csv", "receipt.json", "data/line-001.wav", "data/line-002.wav",
    ]  # fmt: skip


def test_page_lists_the_newest_downloads(producer_client: Client, producer: User, voice: Voice) -> None:
    fields = {"voice": voice, "by": producer, "recording_count": 2, "size": 2048}
    for number in range(11):
        DatasetDownload.objects.create(**fields, layout="ljspeech", failure=f"Failure {number:02}.")
    post(producer_client, voice).getvalue()
    text = " ".join(read_html(producer_client.get(make_url(voice))).split())
    assert "Failure 02." in text and "Failure 01." not in text and text.count("Interrupted") == 9
    assert text.count("Finished") == 1 and "LJSpeech, 2 recordings, 2.0" in text and str(producer) in text


def test_download_that_broke_off_can_start_again_with_the_same_choices(
    producer_client: Client, producer: User, voice: Voice
) -> None:
    row = DatasetDownload.objects.create(
        voice=voice, by=producer, recording_count=2, size=2048, layout="ljspeech", only_in_builds=True, failure="Lost."
    )
    page = read_html(producer_client.get(make_url(voice)))
    assert 'name="layout" value="ljspeech"><input type="hidden" name="only_in_builds" value="yes"' in page
    assert post(producer_client, voice, "ljspeech", "yes").status_code == 200
    DatasetDownload.objects.filter(pk=row.pk).update(failure="", finished_at=row.started_at)
    DatasetDownload.objects.exclude(pk=row.pk).delete()
    assert "Download again" not in " ".join(read_html(producer_client.get(make_url(voice))).split())


def test_missing_file_is_named_on_the_page(producer_client: Client, voice: Voice) -> None:
    Path(voice.recordings.all()[0].file.path).unlink()
    response = post(producer_client, voice, "ljspeech", "yes")
    text = read_html(response)
    assert response.status_code == 409 and "“line-001.wav” is missing or changed" in text
    assert 'value="ljspeech" required checked' in " ".join(text.split())


@pytest.mark.parametrize(("layout", "scope"), [("other", "no"), ("voicehub", ""), ("", "")])
def test_unknown_choice_downloads_nothing(producer_client: Client, voice: Voice, layout: str, scope: str) -> None:
    response = post(producer_client, voice, layout, scope)
    assert response.status_code == 200 and not response.streaming and "Choose" in read_html(response)
    assert not DatasetDownload.objects.exists()


def test_page_counts_the_recordings(producer_client: Client, voice: Voice) -> None:
    first = voice.recordings.all()[0]
    voice.recordings.filter(pk=first.pk).update(active=False)
    text = read_html(producer_client.get(make_url(voice)))
    assert "All that can be used (2)" in text and "Only those in builds (1)" in text and "not downloaded yet" in text


def test_page_of_the_voice_links_to_the_download_for_those_who_start_builds(
    producer_client: Client, engineer_client: Client, voice: Voice
) -> None:
    assert make_url(voice) in read_html(producer_client.get(voice.get_absolute_url()))
    assert make_url(voice) not in read_html(engineer_client.get(voice.get_absolute_url()))
    assert engineer_client.get(make_url(voice)).status_code == post(engineer_client, voice).status_code == 403


def test_closed_recordings_are_not_downloaded(
    studio: Studio, engineer: User, make_client: Callable[[User], Client], voice: Voice
) -> None:
    """A person who may start builds but not review consents."""
    engineer.user_permissions.add(Permission.objects.get(codename="start_build"))
    client = make_client(User.objects.get(pk=engineer.pk))
    assert client.get(make_url(voice)).status_code == 200
    withdraw_consent(Consent.objects.get(talent=voice.talent), studio.producer, "The talent changed their mind.")
    assert client.get(make_url(voice)).status_code == post(client, voice).status_code == 403
    assert not DatasetDownload.objects.exists()
