"""Previews: request, generation by the real sandbox, playback, and the reason of a failure."""

import re
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
TEXT = "The wind was loud, and no one spoke."


def request_preview(client: Client, remote: RemoteVoice, text: str = TEXT) -> str:
    path = reverse("voices:preview_request", args=[remote.pk])
    response = client.post(path, {"text": text}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return read_html(response)


def read_page(client: Client, remote: RemoteVoice) -> str:
    return read_html(client.get(remote.get_absolute_url()))


def get_preview_list(client: Client, remote: RemoteVoice, token: str = "") -> Any:
    return client.get(reverse("voices:previews", args=[remote.pk]), {"seen": token})


def read_change_token(text: str) -> str:
    return text.partition("?seen=")[2].partition('"')[0]


def make_preview(remote: RemoteVoice, content: bytes = b"RIFF....WAVE", content_type: str = "audio/wav") -> Preview:
    preview = Preview(remote_voice=remote, text=TEXT, status=PreviewStatus.READY, content_type=content_type)
    preview.file.save("", ContentFile(content), save=False)
    preview.save(force_insert=True)
    return preview


def test_preview_is_generated_and_can_be_played(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    text = request_preview(producer_client, remote)
    assert TEXT in text
    assert "requested by Paula" in text
    assert 'hx-trigger="every 2s"' in text
    assert re.search(
        r'<textarea [^>]*id="sentence" name="text" rows="1" maxlength="500" required[^>]* hx-swap-oob', text
    )
    assert get_preview_list(producer_client, remote, read_change_token(text)).status_code == 204
    studio.run_tasks()
    text = read_html(get_preview_list(producer_client, remote, read_change_token(text)))
    assert "every 2s" not in text
    url = reverse("voices:preview_audio", args=[Preview.objects.get().pk])
    assert f'src="{url}"' in text
    response = producer_client.get(url)
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.getvalue().startswith(b"RIFF")


def test_preview_request_without_htmx_redirects_to_the_page(producer_client: Client, make_studio: MakeStudio) -> None:
    remote = make_studio("voiceai").make_remote_voice()
    path = reverse("voices:preview_request", args=[remote.pk])
    assert TEXT in producer_client.post(path, {"text": TEXT}, follow=True).content.decode()
    assert "Enter a sentence." in producer_client.post(path, {"text": " "}, follow=True).content.decode()
    assert Preview.objects.count() == 1


def test_failed_preview_shows_its_reason_and_is_not_retried(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.set_faults({"operation": "va_speech", "do": "status:402"})
    request_preview(producer_client, remote)
    studio.run_tasks()
    studio.run_tasks()
    text = read_page(producer_client, remote)
    assert "no credits left" in text
    assert ">Failed</span>" in text
    assert Preview.objects.get().status == PreviewStatus.FAILED


@pytest.mark.parametrize(("text", "message"), [("", "Enter a sentence."), ("x" * 2001, "at most 2,000 characters")])
def test_preview_of_an_empty_or_too_long_sentence_is_refused(
    producer_client: Client, studio: Studio, text: str, message: str
) -> None:
    remote = studio.make_build(status="ready").remote_voice
    response_text = request_preview(producer_client, remote, text)
    assert message in response_text
    assert "hx-swap-oob" not in response_text  # the form keeps the typed text
    assert not Preview.objects.exists()


def test_preview_needs_a_consent_in_force(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    assert "Generate preview" in read_page(producer_client, remote)
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    text = read_page(producer_client, remote)
    assert "Generate preview" not in text
    assert "withdrawn" in text
    assert "withdrawn" in request_preview(producer_client, remote)
    assert not Preview.objects.exists()


def test_page_of_a_ready_build_shows_previews_and_staff_get_the_form(
    producer_client: Client, viewer_client: Client, studio: Studio
) -> None:
    build = studio.make_build(status="ready")
    preview = make_preview(build.remote_voice)
    for client, can_request in ((producer_client, True), (viewer_client, False)):
        text = read_html(client.get(build.get_absolute_url()))
        assert reverse("voices:preview_audio", args=[preview.pk]) in text
        assert ("Generate preview" in text) == can_request
        assert "may charge for each sentence" in text if can_request else True
    training = studio.make_build(build.voice, status="training")
    assert "Previews" not in producer_client.get(training.get_absolute_url()).content.decode()


def test_sample_made_by_the_provider_is_labeled_so(viewer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    Preview.objects.create(remote_voice=remote, text="Hello.", title="Greeting", url="https://x.test/1")
    text = read_page(viewer_client, remote)
    assert "<strong>Greeting</strong>" in text
    assert "made by the provider" in text


def test_page_shows_the_cost_of_a_preview(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    assert "Sandbox: costs nothing." in read_page(producer_client, remote)
    Account.objects.update(mode="live")
    text = read_page(producer_client, remote)
    assert "Sandbox" not in text
    assert "The provider may charge for each sentence" in text


@pytest.mark.parametrize(
    ("content_type", "query", "sent_type", "is_attachment"),
    [
        ("audio/mpeg", "", "audio/mpeg", False),
        ("audio/wav", "?download", "audio/wav", True),
        ("text/html", "", "application/octet-stream", True),
        ("", "", "application/octet-stream", True),
    ],
)
def test_only_a_preview_with_an_audio_type_is_shown_inline(
    viewer_client: Client, studio: Studio, content_type: str, query: str, sent_type: str, is_attachment: bool
) -> None:
    preview = make_preview(studio.make_build(status="ready").remote_voice, b"<script>alert(1)</script>", content_type)
    response = viewer_client.get(reverse("voices:preview_audio", args=[preview.pk]) + query)
    assert response.headers["Content-Type"] == sent_type
    assert response.headers["Content-Disposition"].startswith("attachment" if is_attachment else "inline")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert ("sandbox" in response.headers["Content-Security-Policy"]) == is_attachment
    response.close()


def test_audio_of_an_unfinished_preview_gets_404(viewer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    preview = Preview.objects.create(remote_voice=remote, text=TEXT)
    assert viewer_client.get(reverse("voices:preview_audio", args=[preview.pk])).status_code == 404


def test_query_count_does_not_grow_with_previews(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert producer_client.get(remote.get_absolute_url()).status_code == 200
        return len(queries)

    count_queries()
    baseline = count_queries()
    for _ in range(5):
        Preview.objects.create(remote_voice=remote, text=TEXT, requested_by=studio.producer)
    assert count_queries() == baseline
