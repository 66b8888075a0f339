"""Fuzzes each strict reader ten times as long as the default run."""

import pytest

from tests.fuzz.readers import HAS_ATHERIS, TARGETS
from tests.fuzz.test_fuzz import run_fuzzer

RUNS = 200_000
RUNS_WITHOUT_ATHERIS = 15_000


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"planted"}))
def test_reader_survives_a_long_fuzzing_run(name: str) -> None:
    completed = run_fuzzer(name, RUNS if HAS_ATHERIS else RUNS_WITHOUT_ATHERIS)
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert not HAS_ATHERIS or f"Done {RUNS} runs" in completed.stdout
