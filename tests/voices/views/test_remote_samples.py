"""The tab At providers: what it says of each voice at a provider, and the preview that it plays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.services.review import suspend_consent, withdraw_consent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Build, Preview, PreviewStatus, RemoteVoice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeClient = Callable[[User], Client]


def make_preview(build: Build, text: str, **fields: Any) -> Preview:
    preview = Preview(remote_voice=build.remote_voice, build=build, text=text, status=PreviewStatus.READY, **fields)
    preview.content_type = "audio/wav"
    preview.file.save("", ContentFile(b"RIFF....WAVE"), save=False)
    preview.save(force_insert=True)
    return preview


@pytest.fixture
def build(studio: Studio) -> Build:
    """A ready build with two previews, and one that failed."""
    build = studio.make_build(status="ready")
    for text in ("An old sentence.", "A new sentence."):
        make_preview(build, text)
    Preview.objects.create(remote_voice=build.remote_voice, text="Nothing.", status=PreviewStatus.FAILED)
    return build


def read_tab(client: Client, build: Build) -> str:
    return read_html(client.get(build.voice.get_providers_url()))


def test_newest_preview_is_played(build: Build, viewer_client: Client) -> None:
    page = read_tab(viewer_client, build)
    preview = Preview.objects.get(text="A new sentence.")
    assert page.count("<audio") == 1 and f'src="{reverse("voices:preview_audio", args=[preview.pk])}"' in page
    assert "“A new sentence.”" in page and "An old sentence." not in page


def test_preview_is_closed_by_a_withdrawal(
    build: Build, studio: Studio, producer: User, viewer: User, make_client: MakeClient
) -> None:
    withdraw_consent(build.consent, studio.producer, "The talent changed their mind.")
    assert RemoteVoice.objects.update(deletion_requested_at=None) == 1
    assert "sentence." not in read_tab(make_client(viewer), build)
    RemoteVoice.objects.update(deletion_requested_at=timezone.now())
    assert "sentence." not in read_tab(make_client(producer), build)


def test_preview_of_a_held_voice_is_not_played(build: Build, studio: Studio, producer_client: Client) -> None:
    suspend_consent(build.consent, studio.producer, "A question is open.")
    page = read_tab(producer_client, build)
    assert "<audio" not in page and "Suspended" in page


def test_tab_names_the_other_providers_of_the_studio(build: Build, studio: Studio, viewer_client: Client) -> None:
    assert "Not at" not in read_tab(viewer_client, build)
    studio.account.pk, studio.account.provider, studio.account.name = None, "audiostack", "Other"
    studio.account._state.adding = True
    studio.account.save(force_insert=True)
    assert "Not at AudioStack." in read_tab(viewer_client, build)


def test_tab_is_one_table_with_the_overall_score_of_the_newest_build(build: Build, viewer_client: Client) -> None:
    page = read_tab(viewer_client, build)
    assert page.count('<table class="vh-table remotes') == 1 and "Overall" not in page
    Build.objects.update(scores={"resemble_score": 0.87})
    page = read_tab(viewer_client, build)
    assert '<td class="num" data-label="Overall">0.87</td>' in page
    assert f'href="{build.get_absolute_url()}"' in page and f'href="{build.remote_voice.get_absolute_url()}"' in page


def test_reason_of_a_failed_build_stands_beside_the_state(studio: Studio, producer_client: Client) -> None:
    build = studio.make_build(status="failed", issue="The file is too long. Start again.", training_at=timezone.now())
    page = read_tab(producer_client, build)
    row = page[page.index('id="remotes"') :]
    assert "<small>The file is too long.</small>" in row and "See what to fix" in row
    assert "Open details" not in row and "Generate" not in row
