"""Each strict reader, fuzzed ten times as long as in the default run."""

import pytest

from tests.fuzz.readers import HAS_ATHERIS, TARGETS
from tests.fuzz.test_fuzz import run_fuzzer

RUNS = 200_000
RUNS_WITHOUT_ATHERIS = 15_000


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"planted"}))
def test_a_long_run_finds_no_file_that_breaks_the_reader(name: str) -> None:
    process = run_fuzzer(name, RUNS if HAS_ATHERIS else RUNS_WITHOUT_ATHERIS)
    assert process.returncode == 0, process.stdout[-3000:]
    assert not HAS_ATHERIS or f"Done {RUNS} runs" in process.stdout
