"""The page of an import: its preview, its choices, and adding or discarding it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.voices.import_rows import make_checked_import, make_import
from tests.voices.rows import Studio, make_clip
from voices.models import Import, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def make_url(import_set: Import, **query: str) -> str:
    return reverse("voices:import_detail", args=[import_set.pk], query=query or None)


def fetch(client: Client, import_set: Import, **query: str) -> Any:
    response = client.get(make_url(import_set, **query))
    assert response.status_code == 200
    return response


def test_plain_drop_needs_one_click(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_checked_import(voice, studio.producer, {f"{n}.wav": make_clip(n) for n in range(3)})
    text = fetch(producer_client, import_set).content.decode()
    assert "Add 3 recordings</button>" in text and "3 recordings, 12 s of sound" in text
    assert "vh-figures" not in text and "Tables and archives" not in text


def test_page_polls_while_files_are_checked(studio: Studio, voice: Voice, producer_client: Client) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1)})
    response = fetch(producer_client, import_set)
    assert "0 of 1 checked" in response.content.decode() and "Add 1 recording" not in response.content.decode()
    token = response.context["token"]
    assert producer_client.get(make_url(import_set, seen=token)).status_code == 204
    Import.objects.filter(pk=import_set.pk).update(work_done=1, work_total=2)
    assert "1 of 2 checked" in fetch(producer_client, import_set, seen=token).content.decode()
