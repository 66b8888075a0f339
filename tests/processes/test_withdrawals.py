"""Consents are withdrawn while real workers build. Afterwards nothing is sent but deletions, and no voice stays behind.

The full list of steps is in tests/long/test_withdrawals.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from launcher.studio import list_worker_queues
from providers.types import Handover
from tests.support.processes import MANAGE, StartedProcess
from tests.support.sandbox import SandboxProcess
from tests.support.withdrawals import Withdrawal, WithdrawalPoint
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import User
from voices.models import BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.one_database]

StartProcess = Callable[..., StartedProcess]

POINTS = [
    WithdrawalPoint("resemble_v2", BuildStatus.QUEUED),
    WithdrawalPoint("resemble_v2", operation="create_voice", phase="after_commit"),
    WithdrawalPoint("resemble_v2", operation="create_recording", nth=2),
    WithdrawalPoint("resemble_v2", operation="build_voice"),
    WithdrawalPoint("voiceai", BuildStatus.READY, handover=Handover.ONE_FILE),
    WithdrawalPoint("speechgen", operation="sg_clone", phase="after_commit", handover=Handover.ONE_FILE),
    WithdrawalPoint("audiostack", operation="upload_file", nth=2, handover=Handover.FILE_IDS),
]


def test_withdrawal_at_a_step_of_a_build_leaves_no_voice(
    producer: User, producer_client: Client, sandbox: SandboxProcess, start_process: StartProcess, live_server: Any
) -> None:
    start_workers(start_process, live_server.url)
    carry_out_withdrawals(POINTS, producer, producer_client, sandbox)


def start_workers(start_process: StartProcess, url: str) -> None:
    """The workers of `make run` that call providers, and a sweeper that often looks for due tasks.

    Their lease is so long that a held call is answered: a call may last three quarters of the lease.
    """
    variables = {"VOICEHUB_BASE_URL": url, "VOICEHUB_LEASE_SECONDS": "10"}
    for queues in list_worker_queues(1).values():
        if "urgent" in queues:
            start_process(*MANAGE, "worker", *queues.split(), **variables)
    start_process(*MANAGE, "sweep", "--every", "0.2", **variables)


def carry_out_withdrawals(
    points: Sequence[WithdrawalPoint], producer: User, client: Client, sandbox: SandboxProcess
) -> list[Withdrawal]:
    withdrawals = []
    for point in points:
        harness = BuildHarness(producer, sandbox, point.provider)
        withdrawal = Withdrawal(point, harness, harness.make_voice())
        withdrawal.carry_out()
        withdrawal.wait_until_gone(client)
        withdrawal.check()
        withdrawals.append(withdrawal)
    return withdrawals
