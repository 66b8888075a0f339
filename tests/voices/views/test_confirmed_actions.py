"""Exports, erasure and deletions ask who is there. Afterwards the page says what to do, or the form is sent again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import ConsentStatus
from tests.voicehub.sign_in.codes import sign_in_earlier
from tests.voicehub.test_confirmation import confirm, leads_to_confirmation, read_sessions
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import BuildStatus

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def late_client(client: Client, make_person: Callable[..., User]) -> Client:
    """Signed in 16 minutes ago."""
    client.force_login(make_person("root", is_superuser=True, is_staff=True))
    sign_in_earlier(client, timedelta(minutes=16))
    return client


def test_download_leads_back_to_its_page_which_says_to_choose_it_again(late_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    url = reverse("voices:recordings_export", args=[voice.pk])
    page = f"{voice.get_absolute_url()}?search=hello"
    response: Any = late_client.post(url, {"filter": "search=hello", "all": "1"})
    assert "choose again" not in late_client.get(response.url).content.decode()
    answer = confirm(late_client, response)
    assert answer.url == f"{page}#recordings"
    assert "Now choose again what you want to do." in late_client.get(page).content.decode()
    download = late_client.get(url)
    assert (download.status_code, download.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")


def test_link_of_a_download_does_not_start_it_behind_the_page_of_the_confirmation(
    late_client: Client, studio: Studio
) -> None:
    build = studio.make_build(status=BuildStatus.READY)
    url = reverse("voices:build_export", args=[build.pk])
    answer = confirm(late_client, late_client.get(url))
    assert answer.url == reverse("voices:build", args=[build.pk])
    assert "Now choose again" in late_client.get(answer.url).content.decode()
    assert late_client.get(url).headers["Content-Type"] == "text/csv; charset=utf-8"


def test_form_that_is_too_large_for_the_session_is_chosen_again(late_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    url = reverse("voices:recordings_bulk_delete", args=[voice.pk])
    response = late_client.post(url, {"others": "x" * 30_000, "filter": ""})
    assert len(read_sessions()) < 10_000
    assert confirm(late_client, response).url == f"{voice.get_absolute_url()}#recordings"
    assert "Now choose again" in late_client.get(voice.get_absolute_url()).content.decode()


def test_staff_withdraw_and_release_holds_only_after_the_confirmation(late_client: Client, studio: Studio) -> None:
    consent = studio.make_consent(studio.make_talent())
    for name, row in (("consent:withdraw", consent), ("consent:hold_release", consent.talent)):
        response = late_client.post(reverse(name, args=[row.pk]), {"reason": "By phone today."})
        assert leads_to_confirmation(response)
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED


def test_recording_is_deleted_once_after_the_confirmation(late_client: Client, studio: Studio) -> None:
    (recording, *_) = studio.make_recordings(studio.make_voice(), 2)
    url = reverse("voices:recording_delete", args=[recording.pk])
    assert late_client.get(url).status_code == 200
    answer = confirm(late_client, late_client.post(url))
    assert type(recording).objects.count() == 2
    assert late_client.get(answer.url).status_code == 302
    assert type(recording).objects.count() == 1
