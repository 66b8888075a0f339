"""The page of a remote voice: refresh, rename, visibility, and deletion with proof."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Consent
from consent.services.review import suspend_consent
from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from tests.voices.rows import Studio
from voicehub.refusals import ActionRefused
from voices.models import Account, RemoteVoice, Voice
from voices.services.accounts import change_key
from voices.services.builds.lifecycle import STILL_VISIBLE, VOICE_PUBLIC, VOICE_WAS_PUBLIC
from voices.services.unknown_voices import adopt_voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]


def read_page(client: Client, remote: RemoteVoice) -> str:
    response = client.get(remote.get_absolute_url())
    assert response.status_code == 200
    return read_html(response)


def post_form(client: Client, url_name: str, remote: RemoteVoice, **fields: str) -> str:
    response = client.post(reverse(f"voices:{url_name}", args=[remote.pk]), fields, follow=True)
    assert response.redirect_chain == [(remote.get_absolute_url(), 302)]
    remote.refresh_from_db()
    return read_html(response)


# --- Refresh -----------------------------------------------------------------------------


def test_refresh_shows_name_and_status_at_the_provider(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "Not checked yet" in read_page(producer_client, remote)
    studio.request_provider("PATCH", f"voiceai/api/v1/tts/voice/{remote.remote_id}", json={"name": "renamed elsewhere"})
    text = post_form(producer_client, "remote_refresh", remote)
    assert "renamed elsewhere" in text
    assert '<dd class="hash">AVAILABLE</dd>' in text
    assert "Only this account" in text
    assert "just now" in text
    assert ">Ready</span>" in text


def test_failed_refresh_shows_the_reason_and_changes_nothing(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.set_faults({"operation": "va_get_voice", "do": "status:503"})
    assert "The provider cannot be reached at the moment." in post_form(producer_client, "remote_refresh", remote)
    assert remote.checked_at is None


def test_refresh_detects_deletion_at_the_provider(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.request_provider("DELETE", f"voiceai/api/v1/tts/voice/{remote.remote_id}")
    text = post_form(producer_client, "remote_refresh", remote)
    assert remote.deleted_at
    assert "the voice was deleted at the provider" in text
    assert "The provider no longer has the voice" in text
    assert "Refresh" not in text


@pytest.mark.parametrize(
    ("status", "label"),
    [("training", "Training"), ("ready", "Ready"), ("failed", "Not usable"), ("queued", "Queued")],
)
def test_status_badge_follows_the_build_status(viewer_client: Client, studio: Studio, status: str, label: str) -> None:
    remote = studio.make_build(status=status).remote_voice
    assert f">{label}</span>" in read_page(viewer_client, remote)


def test_voice_at_an_unsupported_provider_is_read_only(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    Account.objects.update(provider="gone_vendor")
    text = read_page(producer_client, remote)
    assert "gone_vendor" in text
    assert "Refresh" not in text
    assert "VoiceHub no longer supports this provider" in post_form(producer_client, "remote_refresh", remote)


# --- Name and visibility -------------------------------------------------------------------


def test_rename_changes_the_name_at_the_provider(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "Renamed at the provider." in post_form(producer_client, "remote_rename", remote, name="narrator-2")
    assert studio.fetch_voice(remote.remote_id)["name"] == remote.name == "narrator-2"
    assert "Enter a name." in post_form(producer_client, "remote_rename", remote, name=" ")


def test_making_public_needs_confirmation_and_making_private_does_not(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "select the checkbox first" in post_form(producer_client, "remote_visibility", remote, visibility="public")
    assert studio.fetch_voice(remote.remote_id)["voice_visibility"] == "PRIVATE"
    text = post_form(producer_client, "remote_visibility", remote, visibility="public", sure="yes")
    assert studio.fetch_voice(remote.remote_id)["voice_visibility"] == "PUBLIC"
    assert "Everyone at the provider</span> made public by Paula" in text
    assert (remote.made_public_by, remote.alert) == (studio.producer, "")
    assert "now shows the voice as private" in post_form(
        producer_client, "remote_visibility", remote, visibility="private"
    )
    assert studio.fetch_voice(remote.remote_id)["voice_visibility"] == "PRIVATE"
    assert "Choose private or public." in post_form(producer_client, "remote_visibility", remote, visibility="secret")


def test_voice_without_consent_is_not_renamed_published_or_adopted(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    """Staff can still refresh the voice, make it private or delete it, because these actions expose nothing."""
    studio = make_studio("voiceai")
    remote, voice = studio.make_remote_voice(), Voice.objects.get()
    suspend_consent(Consent.objects.get(), studio.producer, "The talent objects.")
    text = read_page(producer_client, remote)
    assert "The voice cannot be renamed or made public" in text
    assert ">Make it public<" not in text
    assert ">Rename<" not in text
    before = studio.fetch_voice(remote.remote_id)
    assert "suspended" in post_form(producer_client, "remote_rename", remote, name="x")
    assert "suspended" in post_form(producer_client, "remote_visibility", remote, visibility="public", sure="yes")
    with pytest.raises(ActionRefused, match="suspended"):
        adopt_voice(studio.account, studio.create_provider_voice("found"), remote.tier, voice, studio.producer)
    assert studio.fetch_voice(remote.remote_id) == before
    assert "shows the voice as private" in post_form(producer_client, "remote_visibility", remote, visibility="private")
    assert "Status updated from the provider." in post_form(producer_client, "remote_refresh", remote)
    assert "Deletion requested" in post_form(producer_client, "remote_delete", remote, reason="Withdrawn.")


def test_private_voice_made_public_by_others_raises_an_alert(producer_client: Client, make_studio: MakeStudio) -> None:
    """The alert appears even if staff of the studio made the voice public, or tried to, before."""
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    RemoteVoice.objects.update(made_public_by=studio.producer)
    post_form(producer_client, "remote_refresh", remote)
    path = f"voiceai/api/v1/tts/voice/{remote.remote_id}"
    studio.request_provider("PATCH", path, json={"voice_visibility": "PUBLIC"})
    text = post_form(producer_client, "remote_refresh", remote)
    assert remote.alert
    assert "Others can use this voice" in text
    assert text.count("Make it private</button>") == 1
    text = post_form(producer_client, "remote_visibility", remote, visibility="private")
    assert not remote.alert
    assert "Others can use this voice" not in text


def test_alert_stays_until_a_person_has_seen_it(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    path = f"voiceai/api/v1/tts/voice/{remote.remote_id}"
    for visibility in ("PUBLIC", "PRIVATE"):
        studio.request_provider("PATCH", path, json={"voice_visibility": visibility})
        post_form(producer_client, "remote_refresh", remote)
    text = post_form(producer_client, "remote_refresh", remote)
    assert remote.alert == VOICE_WAS_PUBLIC
    assert "Others could use this voice" in text
    assert "Was public" in read_html(producer_client.get(reverse("today")))
    text = post_form(producer_client, "remote_alert_seen", remote)
    assert (remote.alert, remote.alert_seen_by) == ("", studio.producer)
    assert "Others could use this voice" not in text and "Paula marked this as seen" in text
    assert "Was public" not in read_html(producer_client.get(reverse("today")))
    RemoteVoice.objects.update(alert=VOICE_PUBLIC)
    assert "Nothing was changed" in post_form(producer_client, "remote_alert_seen", remote)
    assert remote.alert == VOICE_PUBLIC


def test_actions_that_the_provider_lacks_are_not_offered(producer_client: Client, make_studio: MakeStudio) -> None:
    remote = make_studio("resemble_v1").make_remote_voice()
    text = read_page(producer_client, remote)
    for label in ("Rename", "Make it public", "Delete it at the provider", "Generate preview"):
        assert label not in text
    assert "Refresh" in text
    assert "has no way to rename a voice" in post_form(producer_client, "remote_rename", remote, name="x")


def test_remote_voice_page_offers_a_viewer_no_action(viewer_client: Client, make_studio: MakeStudio) -> None:
    text = read_page(viewer_client, make_studio("voiceai").make_remote_voice())
    for label in ("Refresh", "Rename", "Make it public", "Delete it at the provider", "Generate preview", "/accounts/"):
        assert label not in text
    assert "A producer can do this." in text


# --- Deletion ----------------------------------------------------------------------------


def read_progress(client: Client, remote: RemoteVoice, change_token: str = "") -> tuple[int, str]:
    response = client.get(reverse("voices:remote_progress", args=[remote.pk]), {"seen": change_token})
    return response.status_code, read_html(response)


def find_change_token(text: str) -> str:
    return text.partition("?seen=")[2].partition('"')[0]


def test_deletion_needs_a_reason_and_stores_a_proof(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    assert "Enter a reason." in post_form(producer_client, "remote_delete", remote, reason="")
    assert remote.deletion_requested_at is None
    text = post_form(producer_client, "remote_delete", remote, reason="The contract has ended.")
    assert "Being deleted</span>" in text
    assert 'hx-trigger="every 2s"' in text
    assert read_progress(producer_client, remote, find_change_token(text)) == (204, "")
    studio.run_tasks()
    status, text = read_progress(producer_client, remote, find_change_token(text))
    assert status == 200
    assert "every 2s" not in text
    assert "The contract has ended." in text
    assert "by Paula" in text
    assert "The provider no longer has the voice" in text
    assert studio.fetch_voice_status(remote.remote_id) == 404


def test_deletion_ignored_by_the_provider_raises_an_alert_until_it_works(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.set_faults({"operation": "va_delete_voice", "do": "ignore", "nth": 1})
    post_form(producer_client, "remote_delete", remote, reason="Withdrawn.")
    studio.run_tasks()
    remote.refresh_from_db()
    text = read_page(producer_client, remote)
    assert remote.alert == STILL_VISIBLE
    assert "The provider still shows this voice" in text
    assert "The provider still shows the voice" in text
    # A refresh does not clear the alert. The deletion clears it.
    assert "The provider still shows this voice" in post_form(producer_client, "remote_refresh", remote)
    studio.run_tasks()
    remote.refresh_from_db()
    assert remote.deleted_at
    assert not remote.alert
    assert remote.deletion_proof["look"] == "404"


def test_missing_voice_under_a_new_key_does_not_prove_deletion(
    producer_client: Client, make_studio: MakeStudio
) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    change_key(studio.account, "key-of-another-account")
    text = post_form(producer_client, "remote_refresh", remote)
    assert "The key may be for another account" in text
    assert remote.deleted_at is None
    post_form(producer_client, "remote_delete", remote, reason="Withdrawn.")
    studio.run_tasks()
    text = read_page(producer_client, remote)
    assert "The provider does not show this voice" in text
    assert "Confirm that the voice is deleted" in text and 'id="deleted-already" open>' in text, "a person decides"
    assert ">Unknown<" in producer_client.get(reverse("today")).content.decode()


def test_refresh_keeps_the_providers_response_to_the_deletion(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    vendor_response = {"message": "Voice deleted"}
    RemoteVoice.objects.update(
        deletion_proof={"answer": vendor_response, "look": "AVAILABLE", "at": "2026-01-01T00:00:00+00:00"}
    )
    studio.request_provider("DELETE", f"voiceai/api/v1/tts/voice/{remote.remote_id}")
    assert "Voice deleted" in post_form(producer_client, "remote_refresh", remote)
    assert (remote.deletion_proof["answer"], remote.deletion_proof["look"]) == (vendor_response, "404")


def test_page_shows_that_the_last_try_of_a_deletion_failed(producer_client: Client, make_studio: MakeStudio) -> None:
    studio = make_studio("voiceai")
    remote = studio.make_remote_voice()
    studio.sandbox.set_faults({"operation": "va_delete_voice", "do": "status:500"})
    post_form(producer_client, "remote_delete", remote, reason="Withdrawn.")
    studio.run_tasks()
    text = read_page(producer_client, remote)
    assert "The last try failed" in text
    assert "Confirm that the voice is deleted" in text and 'id="deleted-already">' in text, "folded"


def test_staff_can_confirm_deletion_where_the_api_has_none(producer_client: Client, make_studio: MakeStudio) -> None:
    remote = make_studio("resemble_v1").make_remote_voice()
    assert "has no API call to delete a voice" in read_page(producer_client, remote)
    assert "has no way to delete a voice" in post_form(producer_client, "remote_delete", remote, reason="x")
    text = post_form(
        producer_client, "remote_confirm_deletion", remote, reason="Support wrote that it is gone, ticket 81."
    )
    assert "Saved. The voice is marked as deleted." in text
    assert "<dt>Confirmed by staff</dt><dd>Paula, " in text
    assert text.count(">Deleted</span>") == 1, "in the header only"
    assert "ticket 81" in text
    assert remote.deleted_at


def test_voice_with_a_build_in_progress_is_not_deleted(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="training").remote_voice
    assert "still in progress" in post_form(producer_client, "remote_delete", remote, reason="x")
    assert remote.deletion_requested_at is None


def test_voice_page_shows_that_its_account_is_paused(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    Account.objects.update(paused_at="2026-01-01T00:00Z", pause_reason="The key is refused.")
    text = read_page(producer_client, remote)
    assert "Main is paused" in text
    assert "The key is refused." in text
    assert "An admin can do this." in text


# --- Links -------------------------------------------------------------------------------


def test_voice_and_build_pages_link_to_the_remote_voice(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    link = f'href="{build.remote_voice.get_absolute_url()}"'
    for path in (build.voice.get_providers_url(), build.get_absolute_url()):
        assert link in viewer_client.get(path).content.decode()


def test_page_of_a_voice_without_remote_voices_has_no_list_of_remote_voices(
    viewer_client: Client, studio: Studio
) -> None:
    assert "No provider has this voice" in viewer_client.get(studio.make_voice().get_providers_url()).content.decode()
