"""The full list of steps of a build at which a consent is withdrawn, at each provider, with real workers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from providers.types import Handover, Tier
from tests.processes.test_withdrawals import carry_out_withdrawals, start_workers
from tests.support.processes import StartedProcess, wait_for
from tests.support.sandbox import SandboxProcess
from tests.support.withdrawals import WithdrawalPoint, iterate_points, make_tasks_due
from voicehub.models import Task, TaskStatus, User
from voices.models import BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., StartedProcess]

BUILDING_TASKS = ("submit_build", "refresh_build", "settle_build")
REFUSED = "status:422"


def list_resemble_v2_points() -> list[WithdrawalPoint]:
    dataset = partial(WithdrawalPoint, "resemble_v2", tier=Tier.PROFESSIONAL, handover=Handover.DATASET_URL)
    return [
        *iterate_points("resemble_v2", "create_voice", Handover.RECORDINGS),
        WithdrawalPoint("resemble_v2", operation="list_recordings"),
        *(WithdrawalPoint("resemble_v2", operation="create_recording", nth=nth) for nth in (1, 2, 3)),
        WithdrawalPoint("resemble_v2", operation="create_recording", nth=3, phase="after_commit"),
        WithdrawalPoint("resemble_v2", operation="get_voice"),
        WithdrawalPoint("resemble_v2", operation="build_voice"),
        WithdrawalPoint("resemble_v2", operation="build_voice", phase="after_commit"),
        WithdrawalPoint("resemble_v2", BuildStatus.UNCONFIRMED, "build_voice", do="drop", phase="after_commit"),
        WithdrawalPoint("resemble_v2", BuildStatus.FAILED, "create_recording", nth=2, do=REFUSED),
        dataset(operation="create_voice", phase="after_commit"),
        dataset(operation="create_voice"),  # this call also starts the training
        dataset(status=BuildStatus.TRAINING),
    ]


def list_resemble_v1_points() -> list[WithdrawalPoint]:
    points = [*iterate_points("resemble_v1", "v1_create_voice", Handover.SIGNED_PUT_TEXTS, tier=Tier.PROFESSIONAL)]
    for handover in (Handover.SIGNED_PUT_TEXTS, Handover.SIGNED_PUT_CLIPS, Handover.SIGNED_PUT_WAV):
        for operation in ("v1_upload", "v1_build"):
            points.append(
                WithdrawalPoint("resemble_v1", operation=operation, tier=Tier.PROFESSIONAL, handover=handover)
            )
    return points


def list_audiostack_points() -> list[WithdrawalPoint]:
    files = partial(WithdrawalPoint, "audiostack", handover=Handover.FILE_IDS)
    professional = partial(files, tier=Tier.PROFESSIONAL)
    return [
        *iterate_points("audiostack", "clone_voice", Handover.FILE_IDS),
        files(operation="create_file", phase="after_commit"),
        *(files(operation="upload_file", nth=nth) for nth in (1, 2, 3)),
        professional(operation="upload_file", nth=4),  # the consent
        professional(operation="clone_voice", phase="after_commit"),
    ]


POINTS = {
    "resemble_v2": list_resemble_v2_points(),
    "resemble_v1": list_resemble_v1_points(),
    "audiostack": list_audiostack_points(),
    "speechgen": [*iterate_points("speechgen", "sg_clone", Handover.ONE_FILE)],
    "voiceai": [*iterate_points("voiceai", "va_clone", Handover.ONE_FILE)],
}


@pytest.mark.parametrize("provider", POINTS)
def test_withdrawal_at_each_step_of_a_build_leaves_no_voice(
    provider: str,
    producer: User,
    producer_client: Client,
    sandbox: SandboxProcess,
    start_process: StartProcess,
    live_server: Any,
) -> None:
    start_workers(start_process, live_server.url)
    withdrawals = carry_out_withdrawals(POINTS[provider], producer, producer_client, sandbox)
    # The trainings that the provider continued end now, and their callbacks arrive.
    sandbox.forward_clock(3600)
    wait_for(lambda: sandbox.call_control("GET", "work")["due"] == 0, "A training does not end.")
    make_tasks_due()
    wait_for(is_no_build_task_due, lambda: str(list(Task.objects.filter(status=TaskStatus.WAITING).values())))
    for withdrawal in withdrawals:
        withdrawal.check()


def is_no_build_task_due() -> bool:
    """Whether every build was polled. A voice that was created but not trained is polled again later."""
    waiting = Task.objects.filter(kind__in=BUILDING_TASKS, status=TaskStatus.WAITING)
    return not waiting.filter(due_at__lte=timezone.now()).exists()
