"""Unknown voices, which an account has and VoiceHub does not know: they are listed, adopted or deleted."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from voices.models import RemoteVoice, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]


def make_path(studio: ProviderStudio, name: str = "unknown_voices") -> str:
    return reverse(f"voices:{name}", args=[studio.account.pk])


def read_page(client: Client, studio: ProviderStudio) -> str:
    return read_html(client.get(make_path(studio)))


def adopt_voice(client: Client, studio: ProviderStudio, remote_id: str, voice: Voice, tier: str = "rapid") -> str:
    fields = {"remote_id": remote_id, "voice": str(voice.pk), "tier": tier}
    return read_html(client.post(make_path(studio, "unknown_voice_adopt"), fields, follow=True))


def test_only_unknown_voices_are_listed(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    known = studio.make_remote_voice()
    assert "VoiceHub knows every voice" in read_page(producer_client, studio)
    remote_id = studio.create_provider_voice("leftover")
    text = read_page(producer_client, studio)
    assert "leftover" in text
    assert remote_id in text
    assert ">Ready</span>" not in text, "that most voices are"
    assert known.remote_id not in text


def test_page_says_once_that_the_provider_states_no_time(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    for name in ("leftover", "second"):
        studio.create_provider_voice(name)
    text = read_page(producer_client, studio)
    assert text.count("dates of creation") == 1 and "Created <time" not in text


def test_row_says_when_the_provider_created_the_voice(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("speechgen")
    studio.create_provider_voice("leftover")
    row = read_page(producer_client, studio).partition("leftover")[2].partition("</li>")[0]
    assert "Created <time " in row  # how long ago depends on the clock of the sandbox, which other tests set


def test_adopted_voice_belongs_to_the_chosen_voice(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    voice, remote_id = studio.make_voice(), studio.create_provider_voice("leftover")
    form = read_html(producer_client.get(make_path(studio, "unknown_voice_adopt"), {"id": remote_id}))
    assert f'value="{remote_id}"' in form
    assert "Warm narrator (Tilda Strand)" in form
    text = adopt_voice(producer_client, studio, remote_id, voice)
    assert "Voice adopted. It now belongs to Warm narrator." in text
    assert "Paula adopted it" in text
    assert "Generate preview" in text
    assert RemoteVoice.objects.get().voice == voice
    assert "VoiceHub knows every voice" in read_page(producer_client, studio)
    assert "already knows this voice" in adopt_voice(producer_client, studio, remote_id, voice)


def test_invalid_adoption_form_is_refused(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    voice, remote_id = studio.make_voice(), studio.create_provider_voice("leftover")
    assert "Select a valid choice" in adopt_voice(producer_client, studio, remote_id, voice, tier="professional")
    assert "The voice ID is too long." in adopt_voice(producer_client, studio, "x" * 101, voice)
    assert "could not find it" in adopt_voice(producer_client, studio, "missing", voice)
    assert not RemoteVoice.objects.exists()
    assert producer_client.get(make_path(studio, "unknown_voice_adopt")).status_code == 404


def test_adoption_form_says_so_if_the_studio_has_no_voice(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    text = read_html(producer_client.get(make_path(studio, "unknown_voice_adopt"), {"id": "x"}))
    assert "No voice is set up" in text


def test_deletion_of_an_unknown_voice_needs_a_reason_and_stores_a_proof(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    remote_id = studio.create_provider_voice("leftover")
    fields = {"remote_id": remote_id, "reason": ""}
    text = read_html(producer_client.post(make_path(studio, "unknown_voice_delete"), fields, follow=True))
    assert "Enter a reason." in text
    assert not RemoteVoice.objects.exists()
    fields["reason"] = "A trial of last year."
    producer_client.post(make_path(studio, "unknown_voice_delete"), fields)
    studio.run_tasks()
    assert studio.fetch_voice_status(remote_id) == 404
    text = read_html(producer_client.get(RemoteVoice.objects.get().get_absolute_url()))
    assert "leftover at Voice.ai" in " ".join(text.split())
    assert "This voice was found in the list" in text
    assert "A trial of last year." in text
    assert "The provider no longer has the voice" in text


def test_deletion_of_a_missing_voice_is_refused_with_a_message(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    fields = {"remote_id": "gone", "reason": "x"}
    text = read_html(producer_client.post(make_path(studio, "unknown_voice_delete"), fields, follow=True))
    assert "could not find it" in text
    assert not RemoteVoice.objects.exists()


def test_provider_without_a_list_of_voices_is_not_called(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("audiostack")
    before = studio.count_requests()
    assert "has no API call that lists the voices" in read_page(producer_client, studio)
    assert studio.count_requests() == before


def test_page_of_a_provider_without_deletion_offers_no_deletion(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("resemble_v1")
    remote_id = studio.create_provider_voice("leftover")
    text = read_page(producer_client, studio)
    assert "leftover" in text
    assert "has no API call to delete a voice" in text
    assert make_path(studio, "unknown_voice_delete") not in text
    response = producer_client.post(
        make_path(studio, "unknown_voice_delete"), {"remote_id": remote_id, "reason": "x"}, follow=True
    )
    assert "has no way to delete a voice" in response.content.decode()
    assert not RemoteVoice.objects.exists()


@pytest.mark.parametrize(
    ("fault", "message"),
    [("status:503", "cannot be reached at the moment"), ("garbage", "could not be read"), ("status:401", "key")],
)
def test_page_says_why_the_list_of_unknown_voices_could_not_be_loaded(
    producer_client: Client, make_studio: MakeStudio, fault: str, message: str
) -> None:
    studio = make_studio("voiceai")
    studio.sandbox.set_faults({"operation": "va_list_voices", "do": fault})
    text = read_page(producer_client, studio)
    assert "The list could not be loaded." in text
    assert message in text
