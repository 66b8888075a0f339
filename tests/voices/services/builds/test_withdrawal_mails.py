"""The mail "everything is deleted": sent once, when the last deletion of a withdrawn consent is confirmed."""

from collections.abc import Callable

import pytest
from django.core import mail

from consent.models import Consent, ConsentStatus, TalentMail
from consent.services.review import withdraw_consent
from providers import registry
from providers.types import Handover, Tier
from tests.voices.services.builds.build_harness import BuildHarness
from voices.models import Build, RemoteVoice
from voices.services.deletion import delete_remote_voice, record_manual_deletion
from voices.services.remote_voices import mark_deleted

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]


def finish_and_withdraw(harness: BuildHarness) -> Build:
    tier, capabilities = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    build = harness.finish_build(
        harness.start_build(harness.make_voice(), Tier(tier), Handover(capabilities.handover[0]))
    )
    talent = build.consent.talent
    talent.email = "nora@people.test"
    talent.save()
    mail.outbox.clear()
    build.consent.refresh_from_db()
    build.consent.talent = talent
    withdraw_consent(build.consent, None, "")
    return build


def list_talent_subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox if message.to == ["nora@people.test"]]


def test_confirmed_deletion_is_mailed_once(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = finish_and_withdraw(harness)
    harness.run_tasks(3)
    withdrawn, deleted = list_talent_subjects()
    assert "is withdrawn" in withdrawn and deleted == "Your voice is deleted at Resemble AI"
    assert "Resemble AI no longer has it." in mail.outbox[-1].body
    delete_remote_voice(str(build.remote_voice_id))
    mark_deleted(RemoteVoice.objects.get())
    harness.run_tasks(2)
    assert len(list_talent_subjects()) == 2


def test_refused_deletion_is_not_mailed_until_it_succeeds(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    harness.sandbox.set_faults({"operation": "delete_voice", "do": "status:500"})
    finish_and_withdraw(harness)
    harness.run_tasks(2)
    assert len(list_talent_subjects()) == 1
    harness.sandbox.set_faults()
    harness.run_tasks(3)
    assert len(list_talent_subjects()) == 2


def test_deletion_by_hand_is_mailed_when_a_person_confirms_it(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v1")
    build = finish_and_withdraw(harness)
    harness.run_tasks(2)
    assert not TalentMail.objects.filter(kind="deleted").exists()
    record_manual_deletion(RemoteVoice.objects.get(pk=build.remote_voice_id), harness.producer, "Deleted it there.")
    harness.run_tasks()
    assert list_talent_subjects()[-1].startswith("Your voice is deleted at Resemble AI")
    assert f"Confirmed by {harness.producer}." in mail.outbox[-1].body


def test_voice_that_a_refresh_finds_missing_is_mailed(make_harness: MakeHarness) -> None:
    build = finish_and_withdraw(make_harness("resemble_v1"))
    mark_deleted(RemoteVoice.objects.get(pk=build.remote_voice_id))
    assert TalentMail.objects.filter(kind="deleted", recipient="talent").count() == 1


def test_deletion_under_a_renewed_consent_is_not_mailed_as_its_end(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    harness.make_consent(build.voice.talent)
    assert Consent.objects.get(pk=build.consent_id).status == ConsentStatus.REPLACED
    mark_deleted(RemoteVoice.objects.get(pk=build.remote_voice_id))
    assert not TalentMail.objects.filter(kind="deleted").exists()


def test_deletion_is_mailed_for_the_newest_consent_only(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    newest = harness.make_consent(build.voice.talent)
    withdraw_consent(newest, None, "")
    mark_deleted(RemoteVoice.objects.get(pk=build.remote_voice_id))
    assert [one.consent for one in TalentMail.objects.filter(kind="deleted", recipient="talent")] == [newest]
