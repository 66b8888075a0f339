"""The length and waveform of previews: measured with the download, or later if they are from before the upgrade."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from providers.types import Sound
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from tests.support.wav import encode_speech, make_speech_like, make_wav_bytes
from tests.voices.rows import Studio
from voicehub.models import Task
from voicehub.outbox import enqueue_task
from voicehub.scheduler import RECURRING
from voices.models import Preview, PreviewStatus, RemoteVoice
from voices.services.previews import _store_sound

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TASK = "measure_previews"


def make_preview(remote: RemoteVoice, content: bytes, **fields: Any) -> Preview:
    """A preview as the version before stored it: not measured."""
    preview = Preview(remote_voice=remote, text="One.", status=PreviewStatus.READY, content_type="audio/wav", **fields)
    preview.file.save("", ContentFile(content), save=False)
    preview.save(force_insert=True)
    return preview


@pytest.fixture
def remote(studio: Studio) -> RemoteVoice:
    return studio.make_build(status="ready").remote_voice


@pytest.fixture
def wav() -> bytes:
    return make_wav_bytes(make_speech_like(3.0))


@pytest.mark.parametrize("kind", ["WAV", "MP3"])
def test_new_preview_is_measured_in_any_format(remote: RemoteVoice, wav: bytes, kind: str) -> None:
    preview = Preview.objects.create(remote_voice=remote, text="One.", status=PreviewStatus.GENERATING)
    content = wav if kind == "WAV" else encode_speech("MP3", "MPEG_LAYER_III")
    _store_sound(preview, Sound(content, "audio/wav" if kind == "WAV" else "audio/mpeg"))
    preview.refresh_from_db()
    assert preview.status == PreviewStatus.READY and preview.file
    assert preview.seconds == pytest.approx(3.0 if kind == "WAV" else 2.0, abs=0.1)
    assert len(preview.peaks) == 800 and max(preview.peaks) > 10


def test_preview_that_cannot_be_read_is_kept_and_not_measured_again(remote: RemoteVoice) -> None:
    preview = Preview.objects.create(remote_voice=remote, text="One.", status=PreviewStatus.GENERATING)
    _store_sound(preview, Sound(b"noise", "audio/wav"))
    preview.refresh_from_db()
    assert preview.status == PreviewStatus.READY and preview.file
    assert (preview.seconds, preview.peaks) == (0.0, [])


def test_previews_from_before_the_upgrade_are_measured_in_the_background(remote: RemoteVoice, wav: bytes) -> None:
    sound, lost = make_preview(remote, wav), make_preview(remote, wav)
    lost.file.storage.delete(str(lost.file.name))
    enqueue_task(TASK, "all")
    run_due_tasks(TASK)
    sound.refresh_from_db()
    lost.refresh_from_db()
    assert sound.seconds == pytest.approx(3.0) and sound.peaks and lost.seconds == 0.0
    assert TASK in RECURRING and Task.objects.get(kind=TASK).due_at > timezone.now(), "it waits for more"


def test_players_have_the_length_and_the_waveform(remote: RemoteVoice, wav: bytes, viewer_client: Client) -> None:
    build = remote.builds.get()
    make_preview(remote, wav, build=build, seconds=3.0, peaks=[-100, 100] * 400)
    assert remote.voice
    pages = [remote.get_absolute_url(), build.get_absolute_url(), remote.voice.get_providers_url(), "/"]
    for url in pages:
        page = read_html(viewer_client.get(url))
        assert 'data-seconds="3.00"' in page and f'data-wave="{"7" * 56}"' in page, url
        assert 'preload="none"' in page


def test_player_of_an_unmeasured_preview_has_neither(remote: RemoteVoice, wav: bytes, viewer_client: Client) -> None:
    make_preview(remote, wav)
    page = read_html(viewer_client.get(remote.get_absolute_url()))
    assert "<audio" in page and "data-seconds" not in page and "data-wave" not in page
