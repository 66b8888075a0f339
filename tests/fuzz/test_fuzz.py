"""A bounded run of the fuzzer over each strict reader, the same files every time; longer ones are run by hand."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests.fuzz.readers import GUIDED, TARGETS

RUNS = 20_000
RUNS_UNGUIDED = 1_500


def fuzzed(name: str, runs: int, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.fuzz.readers", name, str(runs), *options]
    both = subprocess.STDOUT  # the fuzzer tells the fault on the one, and what led to it on the other
    return subprocess.run(
        command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=both, text=True, errors="replace", check=False
    )


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"planted"}))
def test_no_file_breaks_the_reader(name: str) -> None:
    done = fuzzed(name, RUNS if GUIDED else RUNS_UNGUIDED)
    assert done.returncode == 0, done.stdout[-3000:]
    assert not GUIDED or f"Done {RUNS} runs" in done.stdout


def test_a_fault_behind_two_decisions_is_found() -> None:
    done = fuzzed("planted", RUNS)
    assert done.returncode != 0
    assert "IndexError" in done.stdout


@pytest.mark.parametrize("name", ["zip", "list"])
def test_it_also_runs_where_nothing_guides_it(name: str) -> None:
    assert fuzzed(name, 200, "--unguided").returncode == 0
