"""Voices that an account holds and VoiceHub does not know: asked for now, adopted, or deleted."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from voices.models import RemoteVoice, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]


def path(studio: ProviderStudio, name: str = "unknown_voices") -> str:
    return reverse(f"voices:{name}", args=[studio.account.pk])


def page(client: Client, studio: ProviderStudio) -> str:
    return read_html(client.get(path(studio)))


def adopt(client: Client, studio: ProviderStudio, remote_id: str, voice: Voice, tier: str = "rapid") -> str:
    fields = {"remote_id": remote_id, "voice": str(voice.pk), "tier": tier}
    return read_html(client.post(path(studio, "unknown_voice_adopt"), fields, follow=True))


def test_what_is_there_and_not_known_is_listed(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    known = studio.make_remote_voice()
    assert "VoiceHub knows every voice" in page(as_producer, studio)
    remote_id = studio.create_provider_voice("left behind")
    text = page(as_producer, studio)
    assert "left behind" in text
    assert remote_id in text
    assert "AVAILABLE" in text
    assert known.remote_id not in text


def test_one_is_adopted_and_is_then_the_voices_own(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    voice, remote_id = studio.make_voice(), studio.create_provider_voice("left behind")
    form = read_html(as_producer.get(path(studio, "unknown_voice_adopt"), {"id": remote_id}))
    assert f'value="{remote_id}"' in form
    assert "Warm narrator (Tilda Strand)" in form
    text = adopt(as_producer, studio, remote_id, voice)
    assert "Voice adopted. It now belongs to Warm narrator." in text
    assert "Paula adopted it" in text
    assert "Generate preview" in text
    assert RemoteVoice.objects.get().voice == voice
    assert "VoiceHub knows every voice" in page(as_producer, studio)
    assert "already knows this voice" in adopt(as_producer, studio, remote_id, voice)


def test_a_form_that_was_bent_adopts_nothing(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    voice, remote_id = studio.make_voice(), studio.create_provider_voice("left behind")
    assert "Select a valid choice" in adopt(as_producer, studio, remote_id, voice, tier="professional")
    assert "The voice ID is too long." in adopt(as_producer, studio, "x" * 101, voice)
    assert "could not find it" in adopt(as_producer, studio, "not-there", voice)
    assert not RemoteVoice.objects.exists()
    assert as_producer.get(path(studio, "unknown_voice_adopt")).status_code == 404


def test_nobodys_voice_is_adopted_before_there_is_a_voice(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    text = read_html(as_producer.get(path(studio, "unknown_voice_adopt"), {"id": "x"}))
    assert "No voice is set up" in text


def test_one_is_deleted_with_a_reason_and_a_proof(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote_id = studio.create_provider_voice("left behind")
    fields = {"remote_id": remote_id, "reason": ""}
    answer = read_html(as_producer.post(path(studio, "unknown_voice_delete"), fields, follow=True))
    assert "Enter a reason." in answer
    assert not RemoteVoice.objects.exists()
    fields["reason"] = "A trial of last year."
    as_producer.post(path(studio, "unknown_voice_delete"), fields)
    studio.run_tasks()
    assert studio.fetch_voice_status(remote_id) == 404
    text = read_html(as_producer.get(RemoteVoice.objects.get().get_absolute_url()))
    assert "left behind at Voice.ai" in " ".join(text.split())
    assert "This voice was found in the list" in text
    assert "A trial of last year." in text
    assert "(404)" in text


def test_one_that_is_gone_meanwhile_is_told_as_such(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    fields = {"remote_id": "gone", "reason": "x"}
    answer = read_html(as_producer.post(path(studio, "unknown_voice_delete"), fields, follow=True))
    assert "could not find it" in answer
    assert not RemoteVoice.objects.exists()


def test_where_there_is_no_list_that_is_said_and_nobody_asked(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("audiostack")
    before = studio.count_requests()
    assert "has no API call that lists the voices" in page(as_producer, studio)
    assert studio.count_requests() == before


def test_where_nothing_is_deleted_by_api_that_is_said(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("resemble_v1")
    remote_id = studio.create_provider_voice("left behind")
    text = page(as_producer, studio)
    assert "left behind" in text
    assert "has no API call to delete a voice" in text
    assert path(studio, "unknown_voice_delete") not in text
    answer = as_producer.post(
        path(studio, "unknown_voice_delete"), {"remote_id": remote_id, "reason": "x"}, follow=True
    )
    assert "has no way to delete a voice" in answer.content.decode()
    assert not RemoteVoice.objects.exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [("status:503", "cannot be reached at the moment"), ("garbage", "could not be read"), ("status:401", "key")],
)
def test_a_list_that_cannot_be_had_is_told_in_words(
    as_producer: Client, make_studio: MakeStudio, fault: str, words: str
) -> None:
    studio = make_studio("voiceai")
    studio.sandbox.faults({"operation": "va_list_voices", "do": fault})
    text = page(as_producer, studio)
    assert "The list could not be loaded." in text
    assert words in text
