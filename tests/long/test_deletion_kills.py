"""Kills in every step of a deletion, and 60 waiting builds on one worker. CI runs some of them (tests/processes)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.processes import test_deletion_kills as kills
from tests.support.processes import StartedProcess
from tests.support.sandbox import SandboxProcess
from voicehub.models import User

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., StartedProcess]


@pytest.mark.parametrize(("method", "place"), kills.SELF_KILLS)
def test_worker_killed_between_the_calls_of_a_deletion(
    method: str,
    place: str,
    producer: User,
    producer_client: Client,
    sandbox: SandboxProcess,
    start_process: StartProcess,
    settings: Any,
) -> None:
    kills.test_worker_killed_between_the_calls_of_a_deletion(
        method, place, producer, producer_client, sandbox, start_process, settings
    )


@pytest.mark.parametrize(("operation", "phase"), kills.HELD_CALLS)
def test_worker_killed_during_a_call_of_a_deletion(
    operation: str,
    phase: str,
    producer: User,
    producer_client: Client,
    sandbox: SandboxProcess,
    start_process: StartProcess,
    settings: Any,
) -> None:
    kills.test_worker_killed_during_a_call_of_a_deletion(
        operation, phase, producer, producer_client, sandbox, start_process, settings
    )


def test_single_worker_deletes_before_it_sends_waiting_builds(
    producer: User, sandbox: SandboxProcess, start_process: StartProcess, settings: Any, live_server: Any
) -> None:
    kills.test_deletions_come_before_waiting_builds(
        kills.start_single_worker, producer, sandbox, start_process, settings, live_server
    )
