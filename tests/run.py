"""Runs all checks, some at a time, and prints one summary at the end: `make test`. `make lint` runs some of the steps.

    python -m tests.run [lint] [format] [templates] [imports] [types] [postgres] [providers] [sandbox] [upgrade]
                        [browser] [audio] [voices] [sqlite] [long]
    python -m tests.run part ARGUMENTS OF PYTEST

The other tests on SQLite stand last, so the last line of the output is pytest's result for them.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.session import build_environment

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Step:
    """One check: its title, and the Python module that runs it, with the arguments of that module."""

    title: str
    module: tuple[str, ...]
    database: str = ""


# These tests use no test database, so they have steps of their own and run once: audio, the adapters, the sandbox, and
# upgrades of data folders. The tests of voices are half of those on SQLite: a step of their own runs beside others.
AUDIO = ("tests/audio", "tests/fuzz")
PROVIDERS = ("tests/providers",)
SANDBOX = ("tests/sandbox",)
UPGRADE = ("tests/upgrade",)
VOICES = ("tests/voices",)
OTHER_TESTS = tuple(f"--ignore={folder}" for folder in AUDIO + PROVIDERS + SANDBOX + UPGRADE + VOICES)

STEPS = {
    "lint": Step("lint (ruff)", ("ruff", "check", "--quiet", ".")),
    "format": Step("format (ruff)", ("ruff", "format", "--check", "--quiet", ".")),
    "templates": Step("template format (djade)", ("tests.support.format_templates", "--check")),
    "imports": Step("import rules (import-linter)", ("tests.support.lint_imports", "--no-cache", "--no-logo")),
    "types": Step("types (mypy)", ("mypy",)),
    "postgres": Step("tests on PostgreSQL", ("pytest", "-m", "not browser"), "postgres"),
    "browser": Step("browser tests", ("pytest", "-m", "browser"), "sqlite"),
    "audio": Step("audio tests", ("pytest", *AUDIO), "sqlite"),
    "providers": Step("provider tests", ("pytest", *PROVIDERS), "sqlite"),
    "sandbox": Step("sandbox tests", ("pytest", *SANDBOX), "sqlite"),
    "upgrade": Step("upgrade tests", ("pytest", *UPGRADE), "sqlite"),
    "voices": Step("tests of voices on SQLite", ("pytest", "-m", "not browser", *VOICES), "sqlite"),
    "sqlite": Step("other tests on SQLite", ("pytest", "-m", "not browser", *OTHER_TESTS), "sqlite"),
    "long": Step("long tests", ("pytest", "tests/long"), "sqlite"),
}


# The order in which steps start: after the quick ones, the longest first.
START_ORDER = (
    "lint", "format", "templates", "imports", "browser", "voices", "sqlite", "postgres", "upgrade", "audio",
    "providers", "sandbox", "types",
)  # fmt: skip
# Many tests wait more than they compute, so one step more than there are processors can run at a time.
MAX_RUNNING = (os.cpu_count() or 2) + 1

# Steps that run only on request: chaos, long fuzzing, Firefox and WebKitGTK, screenshots.
LONG_STEPS = ("long",)

MAX_FAILURE_LINES = 150
MAX_FAILED_TESTS = 20
MAX_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Result:
    step: Step
    passed: bool
    seconds: float
    output: str

    @property
    def summary_line(self) -> str:
        word = "ok    " if self.passed else "FAILED"
        return f"  {word} {self.seconds:5.0f} s  {self.step.title}  {self.last_line.strip('= ')}"

    @property
    def last_line(self) -> str:
        """The last line of pytest's output. Empty for a step that runs another tool."""
        lines = self.output.strip().splitlines() or [""]
        return lines[-1] if self.step.module[0] == "pytest" else ""


def main(names: list[str]) -> int:
    if names[:1] == ["part"]:
        return run_part(names[1:])
    unknown = set(names) - set(STEPS)
    if unknown:
        print(f"Unknown step: {', '.join(sorted(unknown))}. Steps: {', '.join(STEPS)}.")
        return 2
    results = run_steps([name for name in (*START_ORDER, *LONG_STEPS) if name in (names or START_ORDER)])
    for result in results:
        if not result.passed:  # repeated, because a log may keep only the end of a long output
            print(f"\n── failed: {result.step.title}\n{extract_failures(result.output)}")
    print()
    for result in results:
        print(result.summary_line)
        for line in list_failed_tests(result.output):  # near the end of the output, where every log still has them
            print(f"           {line}")
    print(results[-1].last_line)
    return 0 if all(result.passed for result in results) else 1


def extract_failures(output: str) -> str:
    """Return the output from the first failure or error on, cut to its last MAX_FAILURE_LINES lines."""
    lines = output.strip().splitlines()
    starts = [index for index, line in enumerate(lines) if line.strip("= ") in {"ERRORS", "FAILURES"}]
    return "\n".join(lines[starts[0] if starts else 0 :][-MAX_FAILURE_LINES:])


def list_failed_tests(output: str) -> list[str]:
    """Return pytest's line of each failed test, with the start of its reason."""
    lines = [line[:MAX_REASON_LENGTH] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return lines[:MAX_FAILED_TESTS]


def run_part(arguments: list[str]) -> int:
    """`make test ARGS="…"`: run these tests on SQLite and stream their output."""
    with step_environment(Step("selected tests", (), "sqlite")) as variables:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


@contextmanager
def step_environment(step: Step) -> Iterator[dict[str, str]]:
    """Yield the environment variables for a step, with a temporary data folder."""
    with tempfile.TemporaryDirectory(prefix="voicehub-check-") as folder:
        variables = build_environment(Path(folder)) | {"VOICEHUB_TEST_DATABASE": step.database}
        if step.database:
            del variables["DJANGO_SETTINGS_MODULE"]  # tests.conftest must prepare the environment before settings load
        yield variables


def run_steps(names: list[str]) -> list[Result]:
    """Start the steps in this order, some at a time. Each step's output is printed in one piece when the step ends.

    The results are in the order of STEPS.
    """
    with ThreadPoolExecutor(MAX_RUNNING) as pool:
        results = dict(zip(names, pool.map(lambda name: run_step(STEPS[name]), names), strict=True))
    return [results[name] for name in STEPS if name in results]


def run_step(step: Step) -> Result:
    """Run one check and print its output."""
    print(f"── {step.title} …", flush=True)
    started = time.monotonic()
    with step_environment(step) as variables:
        command = [sys.executable, "-m", *step.module]
        completed = subprocess.run(
            command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    print(f"\n── {step.title}\n{completed.stdout}", flush=True)
    return Result(step, completed.returncode == 0, time.monotonic() - started, completed.stdout)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
