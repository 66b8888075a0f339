"""What is done twice at once is done once: starts of a build, approvals, recordings sent for two talents."""

import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from threading import Barrier, Thread, current_thread
from typing import Any

import pytest
from django.db import connection

from consent.models import Capture, Consent, Take
from consent.services import take_sounds, takes
from consent.services.audit_log import find_broken_logs
from consent.services.invitations import request_consent
from consent.services.take_sounds import RecordingUsedElsewhere
from consent.services.takes import submit_take
from providers.types import Handover, Tier
from tests.support.approval import approve_after_listening
from tests.support.processes import StartedProcess, wait_for
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness, make_upload
from voicehub.models import Task
from voices.models import Build, RemoteVoice
from voices.services.builds.start import BuildRefused, start_build

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

START_SCRIPT = """
import pathlib, sys, time, django
django.setup()
from voices.models import Account, Voice
from voices.services.builds.start import BuildRefused, start_build
voice, account, go = sys.argv[1:]
voice, account = Voice.objects.get(pk=voice), Account.objects.get(pk=account)
print("ready", flush=True)
while not pathlib.Path(go).exists():
    time.sleep(0.001)
try:
    start_build(voice, account, "rapid", "recordings", voice.created_by)
    print("started", flush=True)
except BuildRefused as refused:
    print("refused:", refused, flush=True)
"""
REFUSAL = "Paula has already started a build that is still in progress."


def check_single_build(harness: BuildHarness) -> None:
    build = Build.objects.get()
    assert RemoteVoice.objects.count() == 1
    assert Task.objects.filter(kind="submit_build").count() == 1
    assert build.recordings.count() == 3
    assert build.consent.events.filter(kind="used").count() == 1
    assert harness.count_requests() == 0


@pytest.mark.parametrize("clients", [2, 20])
def test_concurrent_threads_start_one_build(harness: BuildHarness, clients: int) -> None:
    voice = harness.make_voice()
    barrier, results = Barrier(clients), list[str]()

    def start() -> None:
        try:
            barrier.wait(60)
            harness.start_build(voice)
            results.append("started")
        except BuildRefused as refused:
            results.append(str(refused))
        finally:
            connection.close()

    threads = [Thread(target=start) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(["started", *[REFUSAL] * (clients - 1)])
    check_single_build(harness)


def test_concurrent_processes_start_one_build(
    harness: BuildHarness, start_process: Callable[..., StartedProcess], tmp_path: Path
) -> None:
    voice = harness.make_voice()
    start_file = tmp_path / "go"
    clients = [
        start_process(sys.executable, "-c", START_SCRIPT, str(voice.pk), str(harness.account.pk), str(start_file))
        for _ in range(3)
    ]
    for client in clients:
        client.wait_for_output("ready")
    start_file.touch()
    wait_for(lambda: all(client.process.poll() is not None for client in clients), "the processes do not end")
    results = sorted(client.output.splitlines()[-1] for client in clients)
    assert results == [f"refused: {REFUSAL}"] * 2 + ["started"]
    check_single_build(harness)


def test_builds_of_other_accounts_and_tiers_are_not_refused(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    other_harness = BuildHarness(harness.producer, harness.sandbox)
    for account in (harness.account, other_harness.account):
        for tier in Tier:
            start_build(voice, account, tier, Handover.RECORDINGS, harness.producer)
    assert Build.objects.count() == 4


@pytest.mark.parametrize("clients", [2, 6])
def test_concurrent_approvals_leave_one_consent_in_force(harness: BuildHarness, clients: int) -> None:
    """Each approval replaces the one before. The audit log of each consent has every step once."""
    talent = harness.make_talent()
    harness.make_contract(talent)
    consents = [
        request_consent(talent, harness.provider, "en-US", "narration", harness.producer) for _ in range(clients)
    ]
    stored = [
        submit_take(consent, make_upload(name), Capture.LINK) for consent, name in zip(consents, cycle(SLT_CLIPS))
    ]
    barrier, results = Barrier(clients), list[str]()

    def approve(take: Take) -> None:
        try:
            consent = Consent.objects.get(pk=take.consent_id)
            barrier.wait(60)
            approve_after_listening(consent, take, harness.producer)
            results.append("approved")
        finally:
            connection.close()

    threads = [Thread(target=approve, args=(take,)) for take in stored]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["approved"] * clients
    in_force = Consent.objects.get(status="approved")
    replaced = Consent.objects.exclude(pk=in_force.pk)
    assert {(row.status, row.find_newest_replacement()) for row in replaced} == {("replaced", in_force)}
    assert [row.events.filter(kind="replaced").count() for row in replaced] == [1] * (clients - 1)
    assert not list(find_broken_logs())


def test_recording_sent_for_two_talents_at_once_is_stored_for_one(
    harness: BuildHarness, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, both pass the first check before either is stored. SQLite has one writer at a time."""
    settings.VOICEHUB_ALLOW_REPEATED_RECORDINGS = False
    barrier, results = Barrier(2), list[str]()
    check = take_sounds.refuse_used_recording

    def check_at_once(consents: Any, hashes: Any, fingerprint: str) -> None:
        check(consents, hashes, fingerprint)
        if connection.vendor == "postgresql" and current_thread() not in checked:
            checked.add(current_thread())
            barrier.wait(60)

    checked = set[Thread]()
    monkeypatch.setattr(takes, "refuse_used_recording", check_at_once)
    consents = []
    for _ in range(2):
        talent = harness.make_talent()
        harness.make_contract(talent)
        consents.append(request_consent(talent, harness.provider, "en-US", "narration", harness.producer))

    def send(consent: Consent) -> None:
        try:
            submit_take(consent, make_upload("consent-slt"), Capture.LINK)
            results.append("stored")
        except RecordingUsedElsewhere:
            results.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=send, args=(consent,)) for consent in consents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused", "stored"]
    assert Take.objects.count() == 1
