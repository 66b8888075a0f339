"""Each strict reader, fuzzed ten times as long as in the default run."""

import pytest

from tests.fuzz.readers import GUIDED, TARGETS
from tests.fuzz.test_fuzz import fuzzed

RUNS = 200_000
RUNS_UNGUIDED = 15_000


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"planted"}))
def test_a_long_run_finds_no_file_that_breaks_the_reader(name: str) -> None:
    done = fuzzed(name, RUNS if GUIDED else RUNS_UNGUIDED)
    assert done.returncode == 0, done.stdout[-3000:]
    assert not GUIDED or f"Done {RUNS} runs" in done.stdout
