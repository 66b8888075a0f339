"""A withdrawal races with the acts that allow or start a build. After its commit, nothing is written to a provider."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection

from consent.models import Capture, Consent, ConsentStatus, EventKind
from consent.services.invitations import request_consent
from consent.services.review import resume_consent, suspend_consent, withdraw_consent
from consent.services.takes import submit_take
from tests.support.approval import approve_after_listening
from tests.support.task_runner import run_due_tasks
from tests.support.withdrawals import get_last_number, list_left_at_provider, list_writes_after
from tests.voices.services.builds.build_harness import BuildHarness, make_upload
from voicehub.refusals import ActionRefused
from voices.models import Account, Build, BuildStatus, RemoteVoice, Voice
from voices.services import unknown_voices
from voices.services.deletion import record_manual_deletion

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ROUNDS = 8
BUILDS_THAT_ENDED = (BuildStatus.WITHDRAWN, BuildStatus.FAILED)
Act = Callable[[], object]


def run_at_once(*acts: Act) -> list[str]:
    """Start each act in a thread of its own, all at the same moment. Return the refusals."""
    barrier, refusals = Barrier(len(acts)), list[str]()

    def run(act: Act) -> None:
        try:
            barrier.wait(60)
            act()
        except ActionRefused as refused:
            refusals.append(str(refused))
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refusals


def withdraw(consent: Consent, harness: BuildHarness) -> Act:
    row = Consent.objects.get(pk=consent.pk)
    return lambda: withdraw_consent(row, harness.producer, "The talent changed their mind.")


def check_nothing_is_sent(harness: BuildHarness, consent: Consent) -> None:
    """After the withdrawal no build runs, and the tasks that wait write nothing to the provider."""
    number = get_last_number(harness)
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.WITHDRAWN
    assert not Build.objects.active().filter(consent=consent).exists()
    harness.run_tasks(2)
    assert list_writes_after(harness, number) == []
    assert list_left_at_provider(harness) == []
    assert not Build.objects.filter(consent=consent).exclude(status__in=BUILDS_THAT_ENDED).exists()


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_build_started_during_a_withdrawal_is_refused_or_stopped(harness: BuildHarness, _round: int) -> None:
    voice = harness.make_voice()
    consent = Consent.objects.get(talent=voice.talent)
    run_at_once(lambda: harness.start_build(Voice.objects.get(pk=voice.pk)), withdraw(consent, harness))
    check_nothing_is_sent(harness, consent)


@pytest.mark.parametrize("_round", range(ROUNDS // 2))
def test_resumed_consent_that_is_withdrawn_meanwhile_stays_withdrawn(harness: BuildHarness, _round: int) -> None:
    voice = harness.make_voice()
    consent = Consent.objects.get(talent=voice.talent)
    suspend_consent(consent, harness.producer, "A dispute.")
    row = Consent.objects.get(pk=consent.pk)
    run_at_once(
        lambda: resume_consent(row, harness.producer, "It is settled."),
        lambda: harness.start_build(Voice.objects.get(pk=voice.pk)),
        withdraw(consent, harness),
    )
    check_nothing_is_sent(harness, consent)


@pytest.mark.parametrize("_round", range(ROUNDS // 2))
def test_approval_during_a_withdrawal_allows_no_build(harness: BuildHarness, _round: int) -> None:
    """The withdrawal is refused before the approval, or ends the consent for good."""
    voice = harness.make_voice()
    withdraw(Consent.objects.get(talent=voice.talent), harness)()
    consent = request_consent(voice.talent, harness.provider, "en-US", voice.purpose, harness.producer)
    take = submit_take(consent, make_upload("consent-slt"), Capture.LINK)
    row = Consent.objects.get(pk=consent.pk)
    run_at_once(
        lambda: approve_after_listening(row, take, harness.producer),
        lambda: harness.start_build(Voice.objects.get(pk=voice.pk)),
        withdraw(consent, harness),
    )
    consent.refresh_from_db()
    if consent.status != ConsentStatus.WITHDRAWN:
        withdraw(consent, harness)()
    check_nothing_is_sent(harness, consent)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_build_sent_during_a_withdrawal_ends_with_the_call_on_the_wire(harness: BuildHarness, _round: int) -> None:
    """At most one call was begun before the commit and arrives after it. The voice that it made is deleted."""
    build = harness.start_build(harness.make_voice())
    consent = Consent.objects.get(pk=build.consent_id)
    numbers = list[int]()

    def withdraw_and_count() -> None:
        withdraw(consent, harness)()
        numbers.append(get_last_number(harness))

    run_at_once(lambda: run_due_tasks("submit_build"), withdraw_and_count)
    harness.run_tasks(3)
    assert len(list_writes_after(harness, numbers[0])) <= 1
    assert list_left_at_provider(harness) == []
    build.refresh_from_db()
    assert build.status == BuildStatus.WITHDRAWN
    assert not RemoteVoice.objects.filter(deletion_requested_at__isnull=False, deleted_at=None).exists()


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_deletion_that_is_confirmed_during_a_withdrawal_blocks_neither(harness: BuildHarness, _round: int) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    consent, remote = Consent.objects.get(pk=build.consent_id), RemoteVoice.objects.get(pk=build.remote_voice_id)
    run_at_once(withdraw(consent, harness), lambda: record_manual_deletion(remote, harness.producer, "It is gone."))
    remote.refresh_from_db()
    consent.refresh_from_db()
    assert remote.deleted_at and consent.status == ConsentStatus.WITHDRAWN
    kinds = list(consent.events.values_list("kind", flat=True))
    assert kinds.count(EventKind.DELETION_REQUESTED) == kinds.count(EventKind.DELETED) == 1


def test_voice_adopted_during_a_withdrawal_is_deleted(harness: BuildHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The withdrawal begins after the gate was asked and before the voice is stored."""
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    remote_id, consent = build.remote_voice.remote_id, Consent.objects.get(pk=build.consent_id)
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(remote_id="")
    thread = Thread(target=run_at_once, args=(withdraw(consent, harness),))
    original = unknown_voices._is_being_created

    def withdraw_meanwhile(account: Account, name: str) -> bool:
        thread.start()
        thread.join(1)  # it ends only if nothing makes it wait
        return original(account, "another name")

    monkeypatch.setattr(unknown_voices, "_is_being_created", withdraw_meanwhile)
    adopted = unknown_voices.adopt_voice(harness.account, remote_id, "rapid", build.voice, harness.producer)
    thread.join()
    adopted.refresh_from_db()
    assert adopted.deletion_requested_at
    harness.run_tasks(2)
    assert list_left_at_provider(harness) == []
