"""Withdrawals at a chosen step of a build, and what the sandbox and VoiceHub show of them afterwards.

The sandbox is the witness: its request log says what VoiceHub sent, and its database what a provider still has.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.services.review import withdraw_consent
from providers.types import Handover, Tier
from tests.support.processes import wait_for
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus
from voices.models import Build, BuildStatus, RemoteVoice, Voice

SECONDS_UNTIL_GONE = 60.0
HOLD = "delay:5"
"""The sandbox holds a call for this number of seconds. The withdrawal is stored meanwhile."""
CHANGING_METHODS = ("POST", "PUT", "PATCH")
READING_OPERATIONS = ("list_speech_voices",)
"""AudioStack's search is a POST. The usage of an account is read from it, at any time."""

# Voice.ai keeps the row of a deleted voice, with the time of its deletion.
LEFT_AT_PROVIDER = """
SELECT kind, name FROM shelf WHERE account = :account AND json_extract(details, '$.deleted_at') IS NULL
UNION ALL SELECT 'voice', name FROM resemble_v2_voice WHERE account = :account
"""


@dataclass(frozen=True, slots=True)
class WithdrawalPoint:
    """A step of a build: a held or failed call, or a status that the build has reached.

    With `operation`, the `nth` call gets the fault `do`. A held call is withdrawn meanwhile; any other fault first has
    to bring the build to `status`. Without `operation` the withdrawal comes when the build has this status.
    """

    provider: str
    status: BuildStatus | None = None
    operation: str = ""
    nth: int = 1
    phase: str = "before_commit"
    do: str = HOLD
    tier: Tier = Tier.RAPID
    handover: Handover = Handover.RECORDINGS

    def __str__(self) -> str:
        step = f"{self.operation} {self.nth} {self.do} {self.phase} " if self.operation else ""
        return f"{self.provider} {self.tier} {self.handover}: {step}{self.status or ''}"

    @property
    def is_held(self) -> bool:
        return self.do == HOLD and bool(self.operation)

    @property
    def rules(self) -> list[dict[str, Any]]:
        rule = {"operation": self.operation, "nth": self.nth, "do": self.do, "phase": self.phase}
        return [rule] if self.operation else []


@dataclass
class Withdrawal:
    """One build whose consent is withdrawn at `point`. Workers of the test run its tasks."""

    point: WithdrawalPoint
    harness: BuildHarness
    voice: Voice
    build: Build = field(init=False)
    number_at_commit: int = field(init=False)

    def carry_out(self) -> None:
        """Start the build, and withdraw its consent at the point."""
        training_seconds = 0.0 if self.point.status == BuildStatus.READY else 3600.0
        self.harness.sandbox.call_control("POST", "settings", {"training_seconds": training_seconds})
        self.harness.sandbox.set_faults(*self.point.rules)
        if self.point.status == BuildStatus.QUEUED:
            with transaction.atomic():  # no worker sees the build before the withdrawal
                self._start_build()
                self._withdraw()
        else:
            self._start_build()
            wait_for(self._is_reached, self._describe)
            self._withdraw()
        self.number_at_commit = get_last_number(self.harness)
        if self.point.is_held:
            assert self._find_held_call()["status"] is None, f"{self.point}: the call had ended before the withdrawal"

    def _start_build(self) -> None:
        self.build = self.harness.start_build(self.voice, self.point.tier, self.point.handover)

    def _withdraw(self) -> None:
        withdraw_consent(self.build.consent, self.harness.producer, "The talent changed their mind.")

    def _is_reached(self) -> bool:
        make_tasks_due()
        self.build.refresh_from_db()
        if self.point.is_held:
            return bool(self._find_held_call())
        return self.build.status == self.point.status

    def _find_held_call(self) -> dict[str, Any]:
        calls = [
            request
            for request in self.harness.sandbox.list_requests()
            if request["number"] > self.harness.requests_before and request["operation"] == self.point.operation
        ]
        return calls[self.point.nth - 1] if len(calls) >= self.point.nth else {}

    def _describe(self) -> str:
        operations = [(one["operation"], one["status"]) for one in self.harness.list_requests()]
        return f"{self.point}: {self.build.status} {self.build.issue} {operations}"

    # --- What must be true afterwards ---

    def wait_until_gone(self, client: Client) -> None:
        """Wait until the provider has nothing, or a person is asked about what it has."""
        wait_for(partial(self._is_gone_or_staff_asked, client), self._describe_outcome, SECONDS_UNTIL_GONE)

    def _is_gone_or_staff_asked(self, client: Client) -> bool:
        """Whether the files are gone, and the voice is gone too or a named person is asked to delete it."""
        remote, left = self.reload_remote(), list_left_at_provider(self.harness)
        if is_person_asked(remote):
            is_on_today = remote.get_absolute_url() in list_today_urls(client)
            return is_on_today and not any(kind == "file" for kind, _name in left)
        is_confirmed = bool(remote.deleted_at) or remote.deletion_requested_at is None
        return is_confirmed and not left and not remote.files.open().exists()

    def _describe_outcome(self) -> str:
        remote = self.reload_remote()
        tasks = Task.objects.filter(status=TaskStatus.WAITING).values_list("kind", "due_at", "lease_until", "reason")
        left = list_left_at_provider(self.harness)
        return f"{self.point}: {left} {remote.deletion_requested_at} {remote.alert} {list(tasks)}"

    def reload_remote(self) -> RemoteVoice:
        return RemoteVoice.objects.select_related("account").get(pk=self.build.remote_voice_id)

    def check(self) -> None:
        """Nothing was written after the withdrawal, the build is not ready, and no voice is left without a person."""
        writes = list_writes_after(self.harness, self.number_at_commit)
        assert writes == [], f"{self._describe()}: {writes} after request {self.number_at_commit}"
        self.build.refresh_from_db()
        if self.point.status in (BuildStatus.READY, BuildStatus.FAILED):
            assert self.build.status == self.point.status, self.point
        else:
            assert self.build.status == BuildStatus.WITHDRAWN, self.point
        remote = self.reload_remote()
        if left := list_left_at_provider(self.harness):
            assert is_person_asked(remote), (self.point, left)
            assert not any(kind == "file" for kind, _name in left), (self.point, left)
        if remote.deleted_at and remote.remote_id:
            assert remote.deletion_proof["look"] == "404", self.point


def get_last_number(harness: BuildHarness) -> int:
    return harness.sandbox.get_last_number()


def list_writes_after(harness: BuildHarness, number: int) -> list[tuple[str, str]]:
    """The account's requests after this one that change something, except deletions: method and operation."""
    requests = [one for one in harness.list_requests() if one["number"] > number]
    writes = [(one["method"], one["operation"]) for one in requests if one["method"] in CHANGING_METHODS]
    return [(method, operation) for method, operation in writes if operation not in READING_OPERATIONS]


def list_left_at_provider(harness: BuildHarness) -> list[tuple[str, str]]:
    """Kind and name of everything that the provider still has in this account: voices, recordings, files."""
    path = harness.sandbox.folder / "sandbox.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        return list(database.execute(LEFT_AT_PROVIDER, {"account": harness.key_hash}))


def is_person_asked(remote: RemoteVoice) -> bool:
    is_named = remote.needs_manual_deletion and remote.deletion_assigned_to_id is not None
    return is_named or bool(remote.alert)


def list_today_urls(client: Client) -> set[str]:
    """The pages that Today refers to, without fragments."""
    steps = client.get(reverse("today")).context["steps"]
    return {step.url.partition("#")[0] for step in steps}


def make_tasks_due() -> None:
    """Skip the waiting time of polls and retries. Tasks that a worker has claimed are not changed."""
    tasks = Task.objects.filter(status=TaskStatus.WAITING, due_at__gt=timezone.now(), lease_until=None)
    tasks.update(due_at=timezone.now(), notified_at=None)


def iterate_points(provider: str, create: str, handover: Handover, **fields: Any) -> Iterator[WithdrawalPoint]:
    """The points that every provider has: before, during and after the call that creates the voice."""
    point = partial(WithdrawalPoint, provider=provider, handover=handover, **fields)
    yield point(status=BuildStatus.QUEUED)
    yield point(operation=create)
    yield point(operation=create, phase="after_commit")
    yield point(status=BuildStatus.UNCONFIRMED, operation=create, phase="after_commit", do="drop")
    yield point(status=BuildStatus.TRAINING)
    yield point(status=BuildStatus.READY)
