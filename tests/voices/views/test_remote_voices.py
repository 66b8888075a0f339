"""A voice at its provider: it is looked at, renamed, hidden and deleted for real, and its end leaves a proof."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Consent
from consent.services.review import withdraw_consent
from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from tests.voices.rows import Studio
from voicehub.refusals import ActionRefused
from voices.models import Account, RemoteVoice, Voice
from voices.services.accounts import change_key
from voices.services.builds.lifecycle import STILL_VISIBLE
from voices.services.unknown_voices import adopt_voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]


def page(client: Client, remote: RemoteVoice) -> str:
    response = client.get(remote.get_absolute_url())
    assert response.status_code == 200
    return read_html(response)


def post(client: Client, address: str, remote: RemoteVoice, **fields: str) -> str:
    response = client.post(reverse(f"voices:{address}", args=[remote.pk]), fields, follow=True)
    assert response.redirect_chain == [(remote.get_absolute_url(), 302)]
    remote.refresh_from_db()
    return read_html(response)


# --- Looking -----------------------------------------------------------------------------


def test_a_look_shows_what_is_so_over_there(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "Not yet" in page(as_producer, remote)
    studio.request_provider(
        "PATCH", f"voiceai/api/v1/tts/voice/{remote.remote_id}", json={"name": "renamed by somebody"}
    )
    text = post(as_producer, "remote_refresh", remote)
    assert "renamed by somebody" in text
    assert '<span class="hash">AVAILABLE</span>' in text
    assert "Only this account" in text
    assert "just now" in text
    assert ">Ready</span>" in text


def test_a_look_that_fails_says_why_and_changes_nothing(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.faults({"operation": "va_get_voice", "do": "status:503"})
    assert "The provider cannot be reached at the moment." in post(as_producer, "remote_refresh", remote)
    assert remote.checked_at is None


def test_a_voice_that_somebody_deleted_over_there_is_told_as_such(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.request_provider("DELETE", f"voiceai/api/v1/tts/voice/{remote.remote_id}")
    text = post(as_producer, "remote_refresh", remote)
    assert remote.deleted_at
    assert "the voice was deleted at the provider" in text
    assert "no such voice for the key of this account (404)" in text
    assert "Refresh" not in text


@pytest.mark.parametrize(
    ("status", "word"),
    [("training", "Training"), ("ready", "Ready"), ("failed", "Not usable"), ("queued", "Queued")],
)
def test_how_it_stands_is_told_in_our_words(as_viewer: Client, studio: Studio, status: str, word: str) -> None:
    remote = studio.make_build(status=status).remote_voice
    assert f">{word}</span>" in page(as_viewer, remote)


def test_a_voice_of_a_provider_that_is_no_more_is_only_shown(as_producer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    Account.objects.update(provider="gone_vendor")
    text = page(as_producer, remote)
    assert "gone_vendor" in text
    assert "Refresh" not in text
    assert "VoiceHub no longer supports this provider" in post(as_producer, "remote_refresh", remote)


# --- Name and visibility -------------------------------------------------------------------


def test_it_is_renamed_over_there(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "Renamed at the provider." in post(as_producer, "remote_rename", remote, name="narrator-2")
    assert studio.fetch_voice(remote.remote_id)["name"] == remote.name == "narrator-2"
    assert "Enter a name." in post(as_producer, "remote_rename", remote, name=" ")


def test_public_needs_a_tick_and_private_does_not(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "select the checkbox first" in post(as_producer, "remote_visibility", remote, visibility="public")
    assert studio.fetch_voice(remote.remote_id)["voice_visibility"] == "PRIVATE"
    text = post(as_producer, "remote_visibility", remote, visibility="public", sure="yes")
    assert studio.fetch_voice(remote.remote_id)["voice_visibility"] == "PUBLIC"
    assert "Everyone at the provider</span> made public by Paula" in text
    assert (remote.made_public_by, remote.alert) == (studio.producer, "")
    assert "now shows the voice as private" in post(as_producer, "remote_visibility", remote, visibility="private")
    assert studio.fetch_voice(remote.remote_id)["voice_visibility"] == "PRIVATE"
    assert "Choose private or public." in post(as_producer, "remote_visibility", remote, visibility="secret")


def test_voice_without_consent_in_force_is_not_renamed_shown_or_adopted(
    as_producer: Client, make_studio: MakeStudio
) -> None:
    """Looking, making it private and deleting it stay possible: they give nothing away."""
    studio = make_studio("voiceai")
    remote, voice = studio.make_remote_voice(), Voice.objects.get()
    withdraw_consent(Consent.objects.get(), studio.producer, "The talent changed their mind.")
    text = page(as_producer, remote)
    assert "It cannot be renamed or made public" in text
    assert ">Make it public<" not in text
    assert ">Rename<" not in text
    was = studio.fetch_voice(remote.remote_id)
    assert "withdrawn" in post(as_producer, "remote_rename", remote, name="x")
    assert "withdrawn" in post(as_producer, "remote_visibility", remote, visibility="public", sure="yes")
    with pytest.raises(ActionRefused, match="withdrawn"):
        adopt_voice(studio.account, studio.create_provider_voice("found"), remote.tier, voice, studio.producer)
    assert studio.fetch_voice(remote.remote_id) == was
    assert "shows the voice as private" in post(as_producer, "remote_visibility", remote, visibility="private")
    assert "Status updated from the provider." in post(as_producer, "remote_refresh", remote)
    assert "Deletion requested" in post(as_producer, "remote_delete", remote, reason="Withdrawn.")


def test_a_voice_that_was_private_again_raises_an_alarm_when_others_make_it_public(
    as_producer: Client, make_studio: MakeStudio
) -> None:
    """That somebody here once made it public, or tried to, is no leave for ever."""
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    RemoteVoice.objects.update(made_public_by=studio.producer)
    post(as_producer, "remote_refresh", remote)
    path = f"voiceai/api/v1/tts/voice/{remote.remote_id}"
    studio.request_provider("PATCH", path, json={"voice_visibility": "PUBLIC"})
    text = post(as_producer, "remote_refresh", remote)
    assert remote.alert
    assert "Others can use this voice" in text
    assert text.count("Make it private</button>") == 1
    text = post(as_producer, "remote_visibility", remote, visibility="private")
    assert not remote.alert
    assert "Others can use this voice" not in text


def test_what_a_provider_cannot_do_is_not_offered(as_producer: Client, make_studio: MakeStudio) -> None:
    remote = make_studio("resemble_v1").make_remote_voice()
    text = page(as_producer, remote)
    for word in ("Rename", "Make it public", "Delete it at the provider", "Generate preview"):
        assert word not in text
    assert "Refresh" in text
    assert "has no way to rename a voice" in post(as_producer, "remote_rename", remote, name="x")


def test_a_viewer_sees_and_changes_nothing(as_viewer: Client, make_studio: MakeStudio) -> None:
    text = page(as_viewer, make_studio("voiceai").make_remote_voice())
    for word in ("Refresh", "Rename", "Make it public", "Delete it at the provider", "Generate preview", "/accounts/"):
        assert word not in text
    assert "A producer can do this." in text


# --- The end -----------------------------------------------------------------------------


def progress(client: Client, remote: RemoteVoice, seen: str = "") -> tuple[int, str]:
    response = client.get(reverse("voices:remote_progress", args=[remote.pk]), {"seen": seen})
    return response.status_code, read_html(response)


def stamp(text: str) -> str:
    return text.partition("?seen=")[2].partition('"')[0]


def test_deletion_is_asked_for_with_a_reason_and_ends_in_a_proof(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "Enter a reason." in post(as_producer, "remote_delete", remote, reason="")
    assert remote.deletion_requested_at is None
    text = post(as_producer, "remote_delete", remote, reason="The contract has ended.")
    assert "Being deleted</span>" in text
    assert 'hx-trigger="every 2s"' in text
    assert progress(as_producer, remote, stamp(text)) == (204, "")
    studio.run_tasks()
    status, text = progress(as_producer, remote, stamp(text))
    assert status == 200
    assert "every 2s" not in text
    assert "The contract has ended." in text
    assert "by Paula" in text
    assert "no such voice for the key of this account (404)" in text
    assert studio.fetch_voice_status(remote.remote_id) == 404


def test_a_voice_that_is_said_to_be_deleted_and_is_not_raises_an_alarm(
    as_producer: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.faults({"operation": "va_delete_voice", "do": "ignore", "nth": 1})
    post(as_producer, "remote_delete", remote, reason="Withdrawn.")
    studio.run_tasks()
    remote.refresh_from_db()
    text = page(as_producer, remote)
    assert remote.alert == STILL_VISIBLE
    assert "The provider still shows this voice" in text
    assert "The provider still shows the voice" in text
    # To look at it does not make the alarm go away; that it is gone does.
    assert "The provider still shows this voice" in post(as_producer, "remote_refresh", remote)
    studio.run_tasks()
    remote.refresh_from_db()
    assert remote.deleted_at
    assert not remote.alert
    assert remote.deletion_proof["look"] == "404"


def test_after_another_key_that_it_is_not_there_proves_less(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    change_key(studio.account, "key-of-another-account")
    text = post(as_producer, "remote_refresh", remote)
    assert "The key may be for another account" in text
    assert remote.deleted_at is None
    post(as_producer, "remote_delete", remote, reason="Withdrawn.")
    studio.run_tasks()
    text = page(as_producer, remote)
    assert "The provider does not show this voice" in text
    assert "Confirm deletion" in text
    assert ">Unknown<" in as_producer.get(reverse("today")).content.decode()


def test_a_look_that_finds_it_gone_keeps_what_the_provider_answered(
    as_producer: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    answer = {"message": "Voice deleted"}
    RemoteVoice.objects.update(
        deletion_proof={"answer": answer, "look": "AVAILABLE", "at": "2026-01-01T00:00:00+00:00"}
    )
    studio.request_provider("DELETE", f"voiceai/api/v1/tts/voice/{remote.remote_id}")
    assert "Voice deleted" in post(as_producer, "remote_refresh", remote)
    assert (remote.deletion_proof["answer"], remote.deletion_proof["look"]) == (answer, "404")


def test_a_deletion_that_fails_says_what_went_wrong(as_producer: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.faults({"operation": "va_delete_voice", "do": "status:500"})
    post(as_producer, "remote_delete", remote, reason="Withdrawn.")
    studio.run_tasks()
    text = page(as_producer, remote)
    assert "The last try failed" in text
    assert "Confirm deletion" in text


def test_where_the_provider_cannot_a_person_writes_it_down(as_producer: Client, make_studio: MakeStudio) -> None:
    remote = make_studio("resemble_v1").make_remote_voice()
    assert "has no API call to delete a voice" in page(as_producer, remote)
    assert "has no way to delete a voice" in post(as_producer, "remote_delete", remote, reason="x")
    text = post(as_producer, "remote_confirm_deletion", remote, reason="Support wrote that it is gone, ticket 81.")
    assert "Saved. The voice is marked as deleted." in text
    assert "Paula says that it is gone" in text
    assert text.count(">Deleted</span>") == 2  # over the page, and over its end
    assert "ticket 81" in text
    assert remote.deleted_at


def test_no_voice_is_deleted_while_a_build_of_it_is_on_its_way(as_producer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="training").remote_voice
    assert "still in progress" in post(as_producer, "remote_delete", remote, reason="x")
    assert remote.deletion_requested_at is None


def test_a_paused_account_is_told_where_its_voices_are(as_producer: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    Account.objects.update(paused_at="2026-01-01T00:00Z", pause_reason="The key is refused.")
    text = page(as_producer, remote)
    assert "Main is paused" in text
    assert "The key is refused." in text
    assert "An admin can do this." in text


# --- Where it is found ---------------------------------------------------------------------


def test_the_voice_and_its_builds_lead_to_it(as_viewer: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    address = f'href="{build.remote_voice.get_absolute_url()}"'
    for path in (build.voice.get_absolute_url(), build.get_absolute_url()):
        assert address in as_viewer.get(path).content.decode()


def test_a_voice_that_was_never_sent_shows_no_list_of_voices_at_providers(as_viewer: Client, studio: Studio) -> None:
    assert "Voices at providers" not in as_viewer.get(studio.make_voice().get_absolute_url()).content.decode()
