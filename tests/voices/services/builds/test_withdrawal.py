"""A withdrawal stops every build of the consent and deletes the voice at each provider; the sandbox is the witness."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus
from consent.services.audit_log import find_first_broken_event
from consent.services.expiry import expire_due_consents
from consent.services.invitations import create_private_link
from consent.services.review import withdraw_consent
from providers import registry
from providers.resemble_v1.adapter import ResembleV1
from providers.resemble_v1.parsing import UploadTarget
from providers.types import Handover, Tier
from tests.support.html import read_html
from tests.support.one_database import on_one_database
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.refusals import ActionRefused
from voicehub.transitions import move
from voices.models import Build, BuildStatus, RemoteVoice
from voices.services.accounts import pause_account
from voices.services.builds.journal import BuildJournal
from voices.services.deletion import delete_remote_voice, is_creation_in_doubt
from voices.services.remote_voices import mark_deleted, refresh_remote_voice
from voices.services.scheduled_deletion import keep_voice

pytestmark = pytest.mark.django_db

PROVIDERS = [provider.slug for provider in registry.list_providers()]
WITHOUT_DELETION = ("audiostack", "resemble_v1")
ON_BOTH = ("resemble_v2", "resemble_v1")  # one that deletes voices and one that does not: the others run their queries
DELETING_METHODS = ("GET", "DELETE")
STAGES = ("queued", "training", "ready")
MakeHarness = Callable[[str], BuildHarness]


def start_build(harness: BuildHarness) -> Build:
    tier, capabilities = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    return harness.start_build(harness.make_voice(), Tier(tier), Handover(capabilities.handover[0]))


def reach_stage(harness: BuildHarness, stage: str) -> Build:
    build = start_build(harness)
    if stage == "ready":
        assert harness.finish_build(build).status == BuildStatus.READY
    elif stage == "training":
        harness.sandbox.call_control("POST", "settings", {"training_seconds": 3600.0})
        harness.reach_status(build, BuildStatus.TRAINING)
    return build


def withdraw(build: Build, harness: BuildHarness) -> None:
    withdraw_consent(build.consent, harness.producer, "The talent changed their mind.")


def list_writes(harness: BuildHarness, since: int) -> list[tuple[str, str]]:
    """Method and operation of each request after the first `since` that changes something, except deletions."""
    requests = harness.list_requests()[since:]
    return [(one["method"], one["operation"]) for one in requests if one["method"] not in DELETING_METHODS]


def reload(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("provider", [*ON_BOTH, *on_one_database(*sorted(set(PROVIDERS) - set(ON_BOTH)))])
def test_withdrawal_deletes_remote_voice_or_asks_staff(make_harness: MakeHarness, provider: str, stage: str) -> None:
    harness = make_harness(provider)
    build = reach_stage(harness, stage)
    since = len(harness.list_requests())
    withdraw(build, harness)
    build = reload(build)
    assert build.status == (BuildStatus.READY if stage == "ready" else BuildStatus.WITHDRAWN)
    harness.run_tasks(3)
    remote = reload(build.remote_voice)
    assert list_writes(harness, since) == []
    assert reload(build).status == build.status
    if stage == "queued":
        assert (remote.remote_id, remote.deletion_requested_at) == ("", None) and remote.retired_at
    elif provider in WITHOUT_DELETION:
        assert remote.deletion_requested_at and remote.deleted_at is None
    else:
        assert remote.deleted_at and remote.deletion_proof["look"] == "404"


@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
@pytest.mark.parametrize("provider", ["resemble_v2", "voiceai"])
def test_voice_of_a_lost_create_call_is_deleted_when_it_is_found(
    make_harness: MakeHarness, provider: str, phase: str
) -> None:
    harness = make_harness(provider)
    operation = {"resemble_v2": "create_voice", "voiceai": "va_clone"}[provider]
    harness.sandbox.set_faults({"operation": operation, "do": "drop", "phase": phase, "nth": 1})
    build = harness.reach_status(start_build(harness), BuildStatus.UNCONFIRMED)
    withdraw(build, harness)
    assert is_creation_in_doubt(build.remote_voice)
    harness.run_tasks(4)
    remote = reload(build.remote_voice)
    assert bool(remote.remote_id) is (phase == "after_commit")
    assert reload(build).status == BuildStatus.WITHDRAWN
    assert remote.deleted_at or remote.alert, "a lookup that proves nothing asks staff"


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - set(WITHOUT_DELETION)))
def test_withdrawal_during_the_create_call_leaves_no_voice(
    make_harness: MakeHarness, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Withdrawn after the intent is stored. A short call is made and its voice deleted; an upload is cut off."""
    harness = make_harness(provider)
    build = start_build(harness)
    original = BuildJournal.before_call

    def withdraw_before_create(journal: BuildJournal, step: str, version: str = "") -> None:
        original(journal, step, version)
        if step == "create":
            withdraw(reload(build), harness)

    monkeypatch.setattr(BuildJournal, "before_call", withdraw_before_create)
    harness.run_tasks(3)
    remote = reload(build.remote_voice)
    assert (reload(build).status, reload(build).pending_call) == (BuildStatus.WITHDRAWN, "")
    if provider == "resemble_v2":
        assert remote.remote_id and remote.deleted_at
        assert not harness.list_requests("list_voices"), "the id was stored, so nothing is looked up"
    else:
        assert (remote.remote_id, remote.deletion_requested_at) == ("", None)
        assert not harness.count_billed()


def test_new_voice_that_is_not_shown_yet_is_not_deleted_and_a_withdrawal_reaches_it(make_harness: MakeHarness) -> None:
    """The provider created the voice, but its look-up does not show it yet when staff refresh it."""
    harness = make_harness("voiceai")
    build = reach_stage(harness, "training")
    harness.sandbox.set_faults({"operation": "va_get_voice", "do": "status:404"})
    remote = reload(build.remote_voice)
    with pytest.raises(ActionRefused, match="A build of it is still in progress"):
        refresh_remote_voice(remote)
    assert reload(remote).deleted_at is None
    harness.sandbox.set_faults()
    withdraw(build, harness)
    harness.run_tasks(3)
    assert reload(build).status == BuildStatus.WITHDRAWN
    assert reload(remote).deleted_at and harness.list_requests("va_delete_voice")


def test_withdrawal_stops_a_build_whose_voice_the_provider_reports_as_deleted(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = reach_stage(harness, "training")
    mark_deleted(reload(build.remote_voice), "deleted")
    withdraw(build, harness)
    assert reload(build).status == BuildStatus.WITHDRAWN


def test_voice_that_is_created_during_a_withdrawal_is_known_and_left_to_staff(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resemble AI v1 answers with the id and an address for the upload."""
    harness = make_harness("resemble_v1")
    build = start_build(harness)
    parse, looked_up = UploadTarget.parse, Mock(return_value=None)

    def withdraw_first(*arguments: Any) -> UploadTarget:
        withdraw(reload(build), harness)
        return parse(*arguments)

    monkeypatch.setattr(UploadTarget, "parse", withdraw_first)
    monkeypatch.setattr(ResembleV1, "find_build", looked_up)
    harness.run_tasks(3)
    remote = reload(build.remote_voice)
    assert reload(build).status == BuildStatus.WITHDRAWN
    assert remote.remote_id and remote.deletion_requested_at and remote.deleted_at is None
    assert not looked_up.called, "the id was stored, so the voice is not looked up by its name"


@pytest.mark.parametrize("is_kept", [False, True])
def test_talent_withdraws_an_expired_consent_whose_voice_is_left(make_harness: MakeHarness, is_kept: bool) -> None:
    """Its deletion is planned for a week later, or staff decided at an upgrade to keep the voice."""
    harness = make_harness("resemble_v2")
    build = reach_stage(harness, "ready")
    consent, remote = build.consent, build.remote_voice
    link = create_private_link([consent], harness.producer)
    Consent.objects.filter(pk=consent.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    assert expire_due_consents() == 1
    if is_kept:
        RemoteVoice.objects.filter(pk=remote.pk).update(deletion_needs_confirmation=True)
        keep_voice(remote, harness.producer, "It is needed.")
    talent = Client()
    page = read_html(talent.get(urlsplit(link).path, follow=True))
    assert "No new voice is made with this consent." in page and "Yes, withdraw it" in page
    invitation = consent.invitations.get()
    talent.post(reverse("invitation:withdraw", args=[invitation.pk, consent.pk]), {"all": "yes"})
    harness.run_tasks(2)
    assert reload(consent).status == ConsentStatus.WITHDRAWN and reload(remote).deleted_at
    assert find_first_broken_event(consent) is None
    assert "Yes, withdraw it" not in read_html(talent.get(urlsplit(link).path, follow=True))


def test_expired_consent_without_a_voice_cannot_be_withdrawn(make_harness: MakeHarness) -> None:
    build = reach_stage(make_harness("resemble_v2"), "ready")
    build.remote_voice.deleted_at = timezone.now()
    build.remote_voice.save()
    move(build.consent, ConsentStatus.EXPIRED)
    with pytest.raises(ActionRefused, match="no longer possible"):
        withdraw_consent(build.consent, None, "")
    assert reload(build.consent).status == ConsentStatus.EXPIRED


def test_build_of_a_replaced_consent_goes_on_until_the_newer_consent_is_withdrawn(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = reach_stage(harness, "training")
    newer = harness.make_consent(build.voice.talent)
    with pytest.raises(ActionRefused, match="no longer possible"):
        withdraw(build, harness)
    assert reload(build).status == BuildStatus.TRAINING
    assert reload(build.remote_voice).deletion_requested_at is None
    withdraw_consent(newer, harness.producer, "The talent changed their mind.")
    assert reload(build).status == BuildStatus.WITHDRAWN
    harness.run_tasks(2)
    assert reload(build.remote_voice).deleted_at


def test_withdrawal_leaves_voices_of_other_talents_and_purposes(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build, other = reach_stage(harness, "training"), start_build(harness)
    withdraw(build, harness)
    assert reload(other).status == BuildStatus.QUEUED
    assert set(RemoteVoice.objects.filter(deletion_requested_at__isnull=False)) == {build.remote_voice}


def test_failed_withdrawal_changes_nothing(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = make_harness("resemble_v2")
    build = reach_stage(harness, "training")

    def fail(*_: object) -> None:
        raise RuntimeError("The database is full.")

    monkeypatch.setattr("voices.services.withdrawal.request_withdrawal_deletion", fail)
    with pytest.raises(RuntimeError):
        withdraw(build, harness)
    assert (reload(build).status, reload(build.consent).status) == (BuildStatus.TRAINING, "approved")


def test_refused_deletion_asks_staff_after_a_day(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = reach_stage(harness, "ready")
    harness.sandbox.set_faults({"operation": "delete_voice", "do": "status:500"})
    withdraw(build, harness)
    harness.run_tasks(2)
    assert reload(build.remote_voice).alert == ""
    RemoteVoice.objects.update(deletion_requested_at=timezone.now() - timedelta(days=1, minutes=1))
    harness.run_tasks()
    assert "for more than a day" in reload(build.remote_voice).alert
    harness.sandbox.set_faults()
    harness.run_tasks(2)
    remote = reload(build.remote_voice)
    assert remote.deleted_at and remote.alert == ""


def test_alert_ends_when_the_voice_was_certainly_not_created(make_harness: MakeHarness) -> None:
    build = start_build(make_harness("speechgen"))
    Build.objects.update(status=BuildStatus.WITHDRAWN, finished_at=timezone.now(), pending_call="")
    RemoteVoice.objects.update(deletion_requested_at=timezone.now(), alert="The voice may exist.")
    assert delete_remote_voice(str(build.remote_voice_id)) is None
    remote = reload(build.remote_voice)
    assert (remote.deletion_requested_at, remote.alert) == (None, "")


def leave_voice_in_doubt(harness: BuildHarness) -> RemoteVoice:
    harness.sandbox.set_faults({"operation": "create_voice", "do": "drop", "phase": "before_commit", "nth": 1})
    build = harness.reach_status(start_build(harness), BuildStatus.UNCONFIRMED)
    withdraw(build, harness)
    return RemoteVoice.objects.get(pk=build.remote_voice_id)


def test_look_up_that_fails_for_a_day_asks_staff(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    remote = leave_voice_in_doubt(harness)
    pause_account(harness.account, "A new contract.", harness.producer)
    harness.run_tasks()
    assert reload(remote).alert == ""
    RemoteVoice.objects.update(deletion_requested_at=timezone.now() - timedelta(days=2))
    harness.run_tasks()
    assert "for more than a day" in reload(remote).alert and "A new contract." in reload(remote).alert


def test_voice_in_doubt_at_an_unsupported_provider_asks_staff(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    remote = leave_voice_in_doubt(harness)
    type(harness.account).objects.update(provider="gone")
    assert delete_remote_voice(str(remote.pk)) == timedelta(minutes=10)
    assert "Look for its name on the provider's website" in reload(remote).alert
