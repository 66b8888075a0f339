"""A worker is killed (SIGKILL) during a deletion, or the queue is lost. The next worker ends the deletion once.

While the deletion is open, the pages of staff and of the talent say so; afterwards they show the confirmation.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Consent, EventKind, Invitation
from consent.services.review import withdraw_consent
from launcher.studio import list_worker_queues
from providers.types import Handover
from tests.consent.rows import get_guest_url
from tests.processes.conftest import QueueServer
from tests.support.html import read_html
from tests.support.processes import MANAGE, StartedProcess, wait_for
from tests.support.sandbox import SandboxProcess
from tests.support.withdrawals import SECONDS_UNTIL_GONE, list_left_at_provider, list_today_urls
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus, User
from voicehub.tokens import new_token
from voices.models import Build, BuildStatus, RemoteVoice

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., StartedProcess]

# A worker that kills itself at one place of a deletion: "before" or "after" the call of a method of the adapter.
SELF_KILLING_WORKER = """
import os, signal, sys, django
django.setup()
from django.core.management import call_command
from providers import registry

method, place = sys.argv[1:]
provider = registry.get_provider_class("resemble_v2")
original = getattr(provider, method)

def call_and_die(self, *arguments):
    try:
        if place == "after":
            original(self, *arguments)  # a look-up of a deleted voice raises NotFound
    finally:
        os.kill(os.getpid(), signal.SIGKILL)

setattr(provider, method, call_and_die)
call_command("worker", queue=["urgent"])
"""
# Method and place: before the call, after its answer, before the look-up, and before its result is stored. Only one of
# them is tested here, and all of them in tests/long/test_deletion_kills.py.
SELF_KILLS = [
    ("delete_voice", "before"),
    ("delete_voice", "after"),
    ("fetch_build", "before"),
    ("fetch_build", "after"),
]
# The provider has received the call: it has not acted yet, or it has acted and not answered.
HELD_CALLS = [("delete_voice", "before_commit"), ("delete_voice", "after_commit"), ("get_voice", "after_commit")]


def make_withdrawn_build(producer: User, sandbox: SandboxProcess) -> tuple[BuildHarness, Build]:
    harness = BuildHarness(producer, sandbox)
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    assert build.status == BuildStatus.READY
    withdraw_consent(build.consent, producer, "The talent changed their mind.")
    return harness, build


def open_link(consent: Consent) -> Client:
    """A browser in which the talent has opened a private link."""
    token, digest = new_token()
    invitation = Invitation.objects.create(
        talent=consent.talent, channel=Invitation.Channel.COPIED, token_digest=digest, created_by=consent.requested_by
    )
    invitation.consents.set([consent])
    client = Client()
    assert client.get(reverse("invitation:open", args=[token])).status_code == 302
    return client


def start_recovery(start_process: StartProcess) -> None:
    start_process(*MANAGE, "worker", "--queue", "urgent")
    start_process(*MANAGE, "sweep", "--every", "0.2")


def wait_until_deleted(build: Build) -> RemoteVoice:
    """Wait until the deletion is confirmed and its task is done."""

    def find_deleted() -> RemoteVoice | None:
        is_running = Task.objects.filter(kind="delete_remote_voice", status=TaskStatus.WAITING).exists()
        confirmed = RemoteVoice.objects.filter(pk=build.remote_voice_id, deleted_at__isnull=False)
        return None if is_running else confirmed.first()

    wait_for(find_deleted, lambda: str(list(Task.objects.values())), SECONDS_UNTIL_GONE)
    return RemoteVoice.objects.get(pk=build.remote_voice_id)


def check_deletion(harness: BuildHarness, build: Build) -> None:
    """The voice is gone, the proof is stored, the provider was asked at most twice, and all of it happened once."""
    remote = wait_until_deleted(build)
    assert list_left_at_provider(harness) == []
    assert (remote.deletion_proof["look"], remote.alert) == ("404", "")
    assert harness.count_billed()["delete_voice"] == 1
    assert count_deletion_calls(harness) <= 2
    assert count_deletion_events(build) == 1
    build.refresh_from_db()
    assert build.status == BuildStatus.READY


def count_deletion_calls(harness: BuildHarness) -> int:
    return len(harness.list_requests("delete_voice"))


def count_deletion_events(build: Build) -> int:
    return build.consent.events.filter(kind=EventKind.DELETED).count()


def check_pages(build: Build, staff: Client, talent: Client, *, is_open: bool) -> None:
    """The voice's page, the consent's page, Today and the talent's page agree on whether the voice is deleted."""
    remote = RemoteVoice.objects.get(pk=build.remote_voice_id)
    voice_page = read_html(staff.get(remote.get_absolute_url()))
    assert ("Being deleted" in voice_page) is is_open
    assert ("The provider no longer has the voice" in voice_page) is not is_open
    assert (remote.get_absolute_url() in list_today_urls(staff)) is is_open
    for page in (
        read_html(staff.get(build.consent.get_absolute_url())),
        read_html(talent.get(get_guest_url("home", build.consent))),
    ):
        assert "Voice" in page
        assert ("Not yet" in page) is is_open
        assert ("no longer has it" in page) is not is_open


@pytest.mark.parametrize(("method", "place"), SELF_KILLS[-1:])
def test_worker_killed_between_the_calls_of_a_deletion(
    method: str,
    place: str,
    producer: User,
    producer_client: Client,
    sandbox: SandboxProcess,
    start_process: StartProcess,
    settings: Any,
) -> None:
    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    harness, build = make_withdrawn_build(producer, sandbox)
    talent = open_link(build.consent)
    worker = start_process(sys.executable, "-c", SELF_KILLING_WORKER, method, place)
    start_process(*MANAGE, "sweep", "--every", "0.2")
    worker.process.wait(SECONDS_UNTIL_GONE)
    assert worker.process.returncode == -signal.SIGKILL, worker.output
    assert RemoteVoice.objects.get(pk=build.remote_voice_id).deleted_at is None
    check_pages(build, producer_client, talent, is_open=True)
    start_process(*MANAGE, "worker", "--queue", "urgent")
    check_deletion(harness, build)
    check_pages(build, producer_client, talent, is_open=False)


@pytest.mark.parametrize(("operation", "phase"), HELD_CALLS[1:2])
def test_worker_killed_during_a_call_of_a_deletion(
    operation: str,
    phase: str,
    producer: User,
    producer_client: Client,
    sandbox: SandboxProcess,
    start_process: StartProcess,
    settings: Any,
) -> None:
    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    harness, build = make_withdrawn_build(producer, sandbox)
    talent = open_link(build.consent)
    number = sandbox.list_requests()[-1]["number"]
    sandbox.set_faults({"operation": operation, "do": "hang", "phase": phase, "nth": 1})
    worker = start_process(*MANAGE, "worker", "--queue", "urgent")
    sweeper = start_process(*MANAGE, "sweep", "--every", "0.2")

    def is_call_held() -> bool:
        return any(one["operation"] == operation and one["number"] > number for one in sandbox.list_requests())

    wait_for(is_call_held, lambda: worker.output + sweeper.output)
    check_pages(build, producer_client, talent, is_open=True)
    os.kill(worker.process.pid, signal.SIGKILL)
    sandbox.set_faults()
    start_process(*MANAGE, "worker", "--queue", "urgent")
    check_deletion(harness, build)
    check_pages(build, producer_client, talent, is_open=False)


def test_deletion_survives_the_loss_of_the_queue(
    producer: User, sandbox: SandboxProcess, queue_server: QueueServer, start_process: StartProcess, settings: Any
) -> None:
    """The whole studio stops after the withdrawal, and the queue forgets everything."""
    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    harness, build = make_withdrawn_build(producer, sandbox)
    queue_server.kill_and_erase()
    queue_server.start()
    assert count_deletion_calls(harness) == 0
    start_recovery(start_process)
    check_deletion(harness, build)


WAITING_BUILDS = 60


def start_workers_of_studio(start_process: StartProcess, url: str) -> None:
    for queues in list_worker_queues(1).values():
        if "urgent" in queues:
            start_process(*MANAGE, "worker", *queues.split(), VOICEHUB_BASE_URL=url)


def start_single_worker(start_process: StartProcess, url: str) -> None:
    start_process(*MANAGE, "worker", VOICEHUB_BASE_URL=url)


@pytest.mark.one_database
@pytest.mark.parametrize("start_workers", [start_workers_of_studio])
def test_deletions_come_before_waiting_builds(
    start_workers: Callable[[StartProcess, str], None],
    producer: User,
    sandbox: SandboxProcess,
    start_process: StartProcess,
    settings: Any,
    live_server: Any,
) -> None:
    """60 builds of another talent wait. The voice is deleted while they wait, and a withdrawn one is never sent."""
    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    harness = BuildHarness(producer, sandbox, "voiceai")
    build = harness.finish_build(harness.start_build(harness.make_voice(), handover=Handover.ONE_FILE))
    other_harness = BuildHarness(producer, sandbox)
    withdrawn_build = other_harness.start_build(other_harness.make_voice())
    waiting_voice = other_harness.make_voice()
    for _ in range(WAITING_BUILDS):
        BuildHarness(producer, sandbox).start_build(waiting_voice)
    sandbox.set_faults({"operation": "create_voice", "do": "delay:1"})
    start_process(*MANAGE, "sweep", "--every", "0.2", VOICEHUB_BASE_URL=live_server.url)
    withdraw_consent(withdrawn_build.consent, producer, "The talent changed their mind.")
    start_workers(start_process, live_server.url)
    wait_for(lambda: Build.objects.filter(status=BuildStatus.SUBMITTING).exists(), "No build is sent.")
    withdraw_consent(build.consent, producer, "The talent changed their mind.")
    wait_until_deleted(build)
    assert list_left_at_provider(harness) == []
    assert Build.objects.filter(status=BuildStatus.QUEUED).count() > WAITING_BUILDS / 2
    withdrawn_build.refresh_from_db()
    assert withdrawn_build.status == BuildStatus.WITHDRAWN
    assert withdrawn_build.submitted_at is None
