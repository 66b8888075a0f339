"""A build trains the existing voice again, or makes a new one, and a plan refusal stops no account."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.services.review import withdraw_consent
from tests.support.html import read_html
from tests.support.sandbox import poll_until
from tests.voices.services.builds.build_harness import BuildHarness
from voices.models import BuildStatus, RemoteVoice
from voices.services.builds.start import BuildRefused, start_build

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def start_again(harness: BuildHarness, voice: Any, *, new_voice: bool) -> Any:
    return start_build(voice, harness.account, "rapid", "recordings", harness.producer, new_voice=new_voice)


def test_new_voice_leaves_the_existing_voice_as_it_was(harness: BuildHarness, producer_client: Client) -> None:
    voice = harness.make_voice()
    first = harness.finish_build(harness.start_build(voice))
    text = read_html(producer_client.get(voice.get_readiness_url()))
    assert "Until it is ready, it cannot speak." in text
    assert "If the training fails, the voice may stay unusable." in text
    fields = {"account": harness.account.pk, "tier": "rapid", "handover": "recordings", "new_voice": "yes"}
    producer_client.post(reverse("voices:build_start", args=[voice.pk]), fields)
    second = voice.builds.exclude(pk=first.pk).get()
    with pytest.raises(BuildRefused):
        start_again(harness, voice, new_voice=True)
    assert harness.finish_build(second).status == BuildStatus.READY
    assert harness.count_billed() == {"create_voice": 2, "build_voice": 2}
    old, new = RemoteVoice.objects.order_by("created_at")
    assert (old.pk, new.pk) == (first.remote_voice_id, second.remote_voice_id)
    assert old.retired_at
    assert not new.retired_at
    assert old.reference != new.reference
    assert old.remote_id != new.remote_id
    page = read_html(producer_client.get(first.get_absolute_url()))
    assert "A newer build made another voice. This one stays at the provider until it is deleted." in page
    assert "Generate preview" in page


def test_withdrawal_deletes_the_new_voice_and_the_one_before(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    first = harness.finish_build(harness.start_build(voice))
    second = harness.finish_build(start_again(harness, voice, new_voice=True))
    withdraw_consent(second.consent, harness.producer, "The talent changed their mind.")

    def are_both_deleted() -> bool:
        harness.run_tasks()
        return not RemoteVoice.objects.filter(deleted_at=None).exists()

    poll_until(are_both_deleted)
    assert len(harness.list_requests("delete_voice")) == 2
    assert first.remote_voice_id != second.remote_voice_id


def test_training_again_is_what_a_build_does_unless_a_new_voice_is_asked_for(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    first = harness.finish_build(harness.start_build(voice))
    second = start_again(harness, voice, new_voice=False)
    assert first.remote_voice_id == second.remote_voice_id


def test_plan_refusal_fails_the_build_and_marks_the_tier(
    harness: BuildHarness, superuser_client: Client, sandbox: Any
) -> None:
    harness.key = "plan-free"
    harness.account.set_key(harness.key)
    harness.account.save()
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.FAILED)
    assert "only available for pro users" in build.issue
    assert "Your plan at Resemble AI does not include this. Change the plan at the provider" in build.issue
    harness.account.refresh_from_db()
    assert harness.account.paused_at is None
    assert harness.account.last_error == ""
    assert harness.account.find_plan_refusal("rapid")
    assert "Enter a new key" not in read_html(superuser_client.get(reverse("today")))
    account_page = read_html(superuser_client.get(reverse("voices:account", args=[harness.account.pk])))
    assert "Refused for your plan" in account_page
    assert "only available for pro users" in account_page
    assert "The provider refused this tier for your plan on" in read_html(
        superuser_client.get(build.voice.get_readiness_url())
    )
    # The studio changes its plan. The tier can be tried again, and the mark goes.
    harness.account.set_key(f"key-{build.pk.hex}")
    harness.account.save()
    assert harness.finish_build(harness.start_build(build.voice)).status == BuildStatus.READY
    harness.account.refresh_from_db()
    assert harness.account.find_plan_refusal("rapid") is None
