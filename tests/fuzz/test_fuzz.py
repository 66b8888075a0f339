"""A short, reproducible fuzzer run for each strict reader. Longer runs are in tests/long."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests.fuzz.readers import HAS_ATHERIS, TARGETS

RUNS = 20_000
RUNS_WITHOUT_ATHERIS = 1_500


def run_fuzzer(name: str, runs: int, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.fuzz.readers", name, str(runs), *options]
    stderr = subprocess.STDOUT  # the fuzzer prints the fault on one stream and its cause on the other
    return subprocess.run(
        command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=stderr, text=True, errors="replace", check=False
    )


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"planted"}))
def test_mutated_files_do_not_break_the_reader(name: str) -> None:
    process = run_fuzzer(name, RUNS if HAS_ATHERIS else RUNS_WITHOUT_ATHERIS)
    assert process.returncode == 0, process.stdout[-3000:]
    assert not HAS_ATHERIS or f"Done {RUNS} runs" in process.stdout


def test_fuzzer_finds_a_planted_fault_behind_two_branches() -> None:
    process = run_fuzzer("planted", RUNS)
    assert process.returncode != 0
    assert "IndexError" in process.stdout


@pytest.mark.parametrize("name", ["zip", "list"])
def test_fuzzer_runs_without_atheris(name: str) -> None:
    assert run_fuzzer(name, 200, "--unguided").returncode == 0
