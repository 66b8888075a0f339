"""The rate limit of a provider is kept by all threads of all processes together. The sandbox's log is the proof."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.processes.conftest import QueueServer
from tests.providers.contract import hash_key
from tests.support.processes import StartedProcess, wait_for
from tests.support.sandbox import SandboxProcess
from voices.models import Account, AccountMode, LimitOverride

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

THREADS, CALLS_PER_THREAD, PROCESSES = 3, 2, 2
CALL_SCRIPT = """
import pathlib, sys, time, django
from concurrent.futures import ThreadPoolExecutor
django.setup()
from voices.models import Account
from voices.services.accounts import open_session
pk, go, threads, calls = sys.argv[1:]
account = Account.objects.get(pk=pk)
def call(_number):
    with open_session(account) as provider:
        for _ in range(int(calls)):
            provider.check_key()
print("ready", flush=True)
while not pathlib.Path(go).exists():
    time.sleep(0.001)
with ThreadPoolExecutor(int(threads)) as pool:
    list(pool.map(call, range(int(threads))))
print("done", flush=True)
"""


def make_account(provider: str) -> Account:
    account = Account(name="Limited", provider=provider, mode=AccountMode.SANDBOX)
    account.set_key(f"key-of-{account.pk}")
    account.save(force_insert=True)
    return account


def list_call_times(sandbox: SandboxProcess, account: Account) -> list[datetime]:
    """The times of the account's calls. All must have been answered with 200."""
    digest = hash_key(account.decrypt_key())
    calls = [entry for entry in sandbox.list_requests() if entry["account"] == digest]
    assert {entry["status"] for entry in calls} == {200}
    return sorted(datetime.fromisoformat(entry["at"]) for entry in calls)


def count_early_calls(times: list[datetime], start: datetime, per_second: int, processes: int = 1) -> int:
    """The calls that arrived before their turn at this rate: a busy machine makes calls late, but never early."""
    turns = [number // processes / per_second for number in range(len(times))]
    return sum((time - start).total_seconds() < turn for time, turn in zip(times, turns, strict=True))


def run_callers(start_process: Callable[..., StartedProcess], account: Account, go: Path) -> datetime:
    """Let all threads of all processes call at once, and return when. The usual lease leaves time for the slots."""
    arguments = (str(account.pk), str(go), str(THREADS), str(CALLS_PER_THREAD))
    command = (sys.executable, "-c", CALL_SCRIPT, *arguments)
    processes = [start_process(*command, VOICEHUB_LEASE_SECONDS="60") for _ in range(PROCESSES)]
    wait_for(lambda: all("ready" in process.output for process in processes), "a process did not start")
    start = datetime.now(UTC)
    go.touch()
    wait_for(
        lambda: all("done" in process.output for process in processes),
        lambda: "\n".join(process.output for process in processes),
    )
    return start


def test_processes_together_keep_the_rate_limit_of_an_account(
    start_process: Callable[..., StartedProcess], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.call_control("POST", "settings", {"resemble_v1_calls_per_second": 10})
    account = make_account("resemble_v1")
    start = run_callers(start_process, account, tmp_path / "go")
    times = list_call_times(sandbox, account)
    assert len(times) == THREADS * CALLS_PER_THREAD * PROCESSES
    assert count_early_calls(times, start, 10) == 0


def test_override_of_an_admin_changes_the_rate(
    start_process: Callable[..., StartedProcess], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.call_control("POST", "settings", {"resemble_v1_calls_per_second": 10})
    LimitOverride.objects.create(
        provider="resemble_v1", tier="professional", limit="calls_per_second", value=5, source="Support, 2026-11-28"
    )
    account = make_account("resemble_v1")
    start = run_callers(start_process, account, tmp_path / "go")
    assert count_early_calls(list_call_times(sandbox, account), start, 5) == 0


def test_calls_are_made_without_the_queue_server(
    start_process: Callable[..., StartedProcess], sandbox: SandboxProcess, queue_server: QueueServer, tmp_path: Path
) -> None:
    """Then each process keeps the limit for itself, so together they make up to twice as many calls."""
    sandbox.call_control("POST", "settings", {"resemble_v1_calls_per_second": 10 * PROCESSES})
    account = make_account("resemble_v1")
    queue_server.kill_and_erase()
    start = run_callers(start_process, account, tmp_path / "go")
    times = list_call_times(sandbox, account)
    assert len(times) == THREADS * CALLS_PER_THREAD * PROCESSES
    assert count_early_calls(times, start, 10, PROCESSES) == 0
