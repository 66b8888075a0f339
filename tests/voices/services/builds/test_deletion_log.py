"""Each deletion of a voice is an entry of the history of its consents, once, in the transaction of the row."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from consent.labels import describe_event
from consent.models import Consent, ConsentStatus, Event, EventKind
from consent.services.audit_log import find_broken_logs
from consent.services.deletions import hash_proof
from consent.services.review import withdraw_consent
from providers import registry
from providers.types import Handover, Tier
from tests.voices.services.builds.build_harness import BuildHarness
from voices.models import Build, BuildStatus, RemoteRecording, RemoteVoice
from voices.services import deletion_confirmation
from voices.services.deletion import (
    delete_remote_voice,
    record_manual_deletion,
    request_deletion,
    request_withdrawal_deletion,
)
from voices.services.deletion_table import list_deletions
from voices.services.remote_voices import mark_deleted

pytestmark = pytest.mark.django_db

MakeHarness = Callable[[str], BuildHarness]


def finish_build(harness: BuildHarness) -> Build:
    tier, capabilities = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    build = harness.start_build(harness.make_voice(), Tier(tier), Handover(capabilities.handover[0]))
    assert harness.finish_build(build).status == BuildStatus.READY
    return build


def withdraw(consent: Consent, harness: BuildHarness) -> None:
    withdraw_consent(Consent.objects.get(pk=consent.pk), harness.producer, "The talent changed their mind.")


def list_events(consent: Consent, kind: EventKind) -> list[Event]:
    return list(Event.objects.filter(consent=consent, kind=kind).order_by("sequence"))


@pytest.mark.one_database
@pytest.mark.parametrize(("provider", "code"), [("resemble_v2", 200), ("speechgen", 204), ("voiceai", 200)])
def test_confirmed_deletion_is_recorded_with_answer_look_up_and_hash(
    make_harness: MakeHarness, provider: str, code: int
) -> None:
    harness = make_harness(provider)
    build = finish_build(harness)
    withdraw(build.consent, harness)
    harness.run_tasks(3)
    remote = RemoteVoice.objects.get()
    (request,), (event,) = (
        list_events(build.consent, EventKind.DELETION_REQUESTED),
        list_events(build.consent, EventKind.DELETED),
    )
    payload = event.payload
    assert (payload["provider"], payload["voices"], payload["code"], payload["look"]) == (provider, 1, code, "404")
    assert payload["proof_sha256"] == hash_proof(remote.deletion_proof)
    assert request.payload["key"] == payload["key"] and "Tilda" not in f"{request.payload} {payload}"
    assert describe_event(event).startswith("Deletion confirmed by the provider: Voice")
    assert list(find_broken_logs()) == []


def test_recordings_of_a_voice_are_marked_deleted_with_it(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = finish_build(harness)
    assert not RemoteRecording.objects.exclude(deleted_at=None).exists()
    withdraw(build.consent, harness)
    (row,) = list_deletions(Consent.objects.get(pk=build.consent_id))
    assert (row.provider, row.subject) == ("Resemble AI", "Voice and its 3 recordings")
    harness.run_tasks(2)
    remote = RemoteVoice.objects.get()
    assert set(RemoteRecording.objects.values_list("deleted_at", flat=True)) == {remote.deleted_at}
    assert RemoteRecording.objects.count() == 3


def test_every_consent_that_ended_and_caused_it_has_the_entries(make_harness: MakeHarness) -> None:
    """The voice was built on the first consent. The withdrawal of the second, which replaced it, deletes it."""
    harness = make_harness("resemble_v2")
    build = finish_build(harness)
    second = harness.make_consent(build.voice.talent)
    assert Consent.objects.get(pk=build.consent_id).status == ConsentStatus.REPLACED
    assert list_events(build.consent, EventKind.DELETION_REQUESTED) == []
    withdraw(second, harness)
    harness.run_tasks(3)
    for consent in (build.consent, second):
        assert len(list_events(consent, EventKind.DELETION_REQUESTED)) == 1
        assert len(list_events(consent, EventKind.DELETED)) == 1


def test_repeated_requests_and_confirmations_are_recorded_once(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = finish_build(harness)
    request_deletion(RemoteVoice.objects.get(), harness.producer, "A trial.")
    request_deletion(RemoteVoice.objects.get(), harness.producer, "A trial, again.")
    withdraw(build.consent, harness)
    request_withdrawal_deletion(RemoteVoice.objects.get(), build.consent)
    stale = RemoteVoice.objects.get()
    harness.run_tasks(2)
    deleted_at = RemoteVoice.objects.get().deleted_at
    mark_deleted(stale)
    assert RemoteVoice.objects.get().deleted_at == deleted_at
    (request,) = list_events(build.consent, EventKind.DELETION_REQUESTED)
    assert describe_event(request) == "Paula requested the deletion: Voice and its 3 recordings at Resemble AI"
    assert len(list_events(build.consent, EventKind.DELETED)) == 1


def test_row_and_entry_are_written_together_or_not_at_all(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make_harness("resemble_v2")
    build = finish_build(harness)
    withdraw(build.consent, harness)

    def fail(*_: Any) -> None:
        raise RuntimeError("The database is full.")

    with monkeypatch.context() as patch:
        patch.setattr(deletion_confirmation, "record_voice_deletion", fail)
        with pytest.raises(RuntimeError):
            delete_remote_voice(str(build.remote_voice_id))
    assert RemoteVoice.objects.get().deleted_at is None
    assert not RemoteRecording.objects.exclude(deleted_at=None).exists()
    harness.run_tasks(2)
    assert RemoteVoice.objects.get().deleted_at
    assert len(list_events(build.consent, EventKind.DELETED)) == 1


def test_voice_that_was_never_created_closes_its_request(make_harness: MakeHarness) -> None:
    harness = make_harness("speechgen")
    build = finish_build(harness)
    withdraw(build.consent, harness)
    RemoteVoice.objects.update(remote_id="", deletion_requested_at=timezone.now())
    assert delete_remote_voice(str(build.remote_voice_id)) is None
    assert delete_remote_voice(str(build.remote_voice_id)) is None
    (event,) = list_events(build.consent, EventKind.DELETED)
    assert describe_event(event) == "Nothing to delete, because it was never created: Voice at Speechgen"


def test_person_who_confirms_is_named_with_the_reason(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v1")
    build = finish_build(harness)
    withdraw(build.consent, harness)
    harness.run_tasks()
    assert list_events(build.consent, EventKind.DELETED) == []
    assert RemoteVoice.objects.get().deletion_assigned_to == harness.producer
    record_manual_deletion(RemoteVoice.objects.get(), harness.producer, "The support wrote so.")
    (event,) = list_events(build.consent, EventKind.DELETED)
    assert (event.actor, event.payload["reason"]) == (harness.producer, "The support wrote so.")
    assert describe_event(event).startswith("Paula confirmed the deletion: Voice")
    (row,) = list_deletions(Consent.objects.get(pk=build.consent_id))
    assert row.deleted_at and row.how == "Confirmed by Paula"
