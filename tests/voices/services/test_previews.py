"""Previews: a sentence is asked for, spoken by the sandbox for real, and heard; what fails says why."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Consent, ConsentStatus
from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from tests.voices.rows import Studio
from voices.models import Account, Preview, PreviewStatus, RemoteVoice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]
TEXT = "The wind was loud, and nobody spoke."


def ask(client: Client, remote: RemoteVoice, text: str = TEXT) -> str:
    path = reverse("voices:preview_request", args=[remote.pk])
    response = client.post(path, {"text": text}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return read_html(response)


def page(client: Client, remote: RemoteVoice) -> str:
    return read_html(client.get(remote.get_absolute_url()))


def listed(client: Client, remote: RemoteVoice, seen: str = "") -> Any:
    return client.get(reverse("voices:previews", args=[remote.pk]), {"seen": seen})


def stamp(text: str) -> str:
    return text.partition("?seen=")[2].partition('"')[0]


def kept(remote: RemoteVoice, content: bytes = b"RIFF....WAVE", kind: str = "audio/wav") -> Preview:
    preview = Preview(remote_voice=remote, text=TEXT, status=PreviewStatus.READY, content_type=kind)
    preview.file.save("", ContentFile(content), save=False)
    preview.save(force_insert=True)
    return preview


def test_a_sentence_is_said_and_heard(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    text = ask(as_producer, remote)
    assert TEXT in text
    assert "asked by Paula" in text
    assert 'hx-trigger="every 2s"' in text
    assert (
        '<textarea class="form-control" id="sentence" name="text" rows="2" maxlength="500" required hx-swap-oob' in text
    )
    assert listed(as_producer, remote, stamp(text)).status_code == 204
    studio.run_tasks()
    text = read_html(listed(as_producer, remote, stamp(text)))
    assert "every 2s" not in text
    address = reverse("voices:preview_audio", args=[Preview.objects.get().pk])
    assert f'src="{address}"' in text
    sound = as_producer.get(address)
    assert sound.headers["Content-Type"] == "audio/wav"
    assert sound.headers["X-Content-Type-Options"] == "nosniff"
    assert sound.getvalue().startswith(b"RIFF")


def test_without_htmx_the_page_comes_back(as_producer: Client, make_studio: MakeStudio) -> None:
    remote = make_studio("voiceai").make_remote_voice()
    path = reverse("voices:preview_request", args=[remote.pk])
    assert TEXT in as_producer.post(path, {"text": TEXT}, follow=True).content.decode()
    assert "Enter a sentence." in as_producer.post(path, {"text": " "}, follow=True).content.decode()
    assert Preview.objects.count() == 1


def test_one_that_failed_says_why_and_is_not_asked_for_again(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.faults({"operation": "va_speech", "do": "status:402"})
    ask(as_producer, remote)
    studio.run_tasks()
    studio.run_tasks()
    text = page(as_producer, remote)
    assert "no credits left" in text
    assert ">Failed</span>" in text
    assert Preview.objects.get().status == PreviewStatus.FAILED


@pytest.mark.parametrize(("text", "words"), [("", "Enter a sentence."), ("x" * 501, "at most 500 characters")])
def test_a_sentence_has_a_length(as_producer: Client, studio: Studio, text: str, words: str) -> None:
    remote = studio.make_build(status="ready").remote_voice
    answer = ask(as_producer, remote, text)
    assert words in answer
    assert "hx-swap-oob" not in answer  # what was typed stays
    assert not Preview.objects.exists()


def test_no_voice_speaks_without_consent(as_producer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    assert "Generate preview" in page(as_producer, remote)
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    text = page(as_producer, remote)
    assert "Generate preview" not in text
    assert "withdrawn" in text
    assert "withdrawn" in ask(as_producer, remote)
    assert not Preview.objects.exists()


def test_it_is_heard_where_the_build_is_read(as_producer: Client, as_viewer: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    preview = kept(build.remote_voice)
    for client, asks in ((as_producer, True), (as_viewer, False)):
        text = read_html(client.get(build.get_absolute_url()))
        assert reverse("voices:preview_audio", args=[preview.pk]) in text
        assert ("Generate preview" in text) == asks
        assert "may charge for each sentence" in text if asks else True
    training = studio.make_build(build.voice, status="training")
    assert "Previews" not in as_producer.get(training.get_absolute_url()).content.decode()


def test_a_sample_that_the_provider_made_is_told_as_such(as_viewer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    Preview.objects.create(remote_voice=remote, text="Hello.", title="Greeting", url="https://x.test/1")
    text = page(as_viewer, remote)
    assert "<strong>Greeting</strong>" in text
    assert "made by the provider" in text


def test_what_a_preview_costs_is_said_before(as_producer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    assert "Sandbox: costs nothing." in page(as_producer, remote)
    Account.objects.update(mode="live")
    text = page(as_producer, remote)
    assert "Sandbox" not in text
    assert "The provider may charge for each sentence" in text


@pytest.mark.parametrize(
    ("kind", "query", "told", "attached"),
    [
        ("audio/mpeg", "", "audio/mpeg", False),
        ("audio/wav", "?download", "audio/wav", True),
        ("text/html", "", "application/octet-stream", True),
        ("", "", "application/octet-stream", True),
    ],
)
def test_only_a_sound_is_opened(
    as_viewer: Client, studio: Studio, kind: str, query: str, told: str, attached: bool
) -> None:
    preview = kept(studio.make_build(status="ready").remote_voice, b"<script>alert(1)</script>", kind)
    response = as_viewer.get(reverse("voices:preview_audio", args=[preview.pk]) + query)
    assert response.headers["Content-Type"] == told
    assert response.headers["Content-Disposition"].startswith("attachment" if attached else "inline")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert ("sandbox" in response.headers["Content-Security-Policy"]) == attached
    response.close()


def test_there_is_nothing_to_hear_before_it_is_spoken(as_viewer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    preview = Preview.objects.create(remote_voice=remote, text=TEXT)
    assert as_viewer.get(reverse("voices:preview_audio", args=[preview.pk])).status_code == 404


def test_previews_are_listed_at_one_price(as_producer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_producer.get(remote.get_absolute_url()).status_code == 200
        return len(queries)

    cost()
    few = cost()
    for _ in range(5):
        Preview.objects.create(remote_voice=remote, text=TEXT, requested_by=studio.producer)
    assert cost() == few
