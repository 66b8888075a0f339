"""Everything that is checked, step by step, with one summary at the end: `make test`; `make lint` is a part.

    python -m tests.run [lint] [format] [templates] [imports] [types] [postgres] [providers] [browser] [audio]
                        [sqlite] [long]
    python -m tests.run part ARGUMENTS OF PYTEST

The tests on SQLite come last, so that the last line of the output is pytest's closing line for them.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.session import environment

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Step:
    """One check: what to call it, and the module of this interpreter that does it with its arguments."""

    what: str
    module: tuple[str, ...]
    database: str = ""


# They know no database, so they have steps of their own: the ear, and the adapters with their stand-in.
AUDIO = ("tests/audio", "tests/fuzz")
PROVIDERS = ("tests/providers", "tests/sandbox")
THE_REST = tuple(f"--ignore={folder}" for folder in AUDIO + PROVIDERS)

STEPS = {
    "lint": Step("ruff finds nothing", ("ruff", "check", "--quiet", ".")),
    "format": Step("the code has its one form", ("ruff", "format", "--check", "--quiet", ".")),
    "templates": Step("templates are formatted", ("tests.support.format_templates", "--check")),
    "imports": Step("imports point downward", ("tests.support.lint_imports", "--no-cache", "--no-logo")),
    "types": Step("mypy finds nothing", ("mypy",)),
    "postgres": Step("the tests pass on PostgreSQL", ("pytest", "-m", "not browser"), "postgres"),
    "browser": Step("the main job works in a browser", ("pytest", "-m", "browser"), "sqlite"),
    "audio": Step("the ear hears what it should", ("pytest", *AUDIO), "sqlite"),
    "providers": Step("adapters keep their contract, and the sandbox is believed", ("pytest", *PROVIDERS), "sqlite"),
    "sqlite": Step("the tests pass on SQLite", ("pytest", "-m", "not browser", *THE_REST), "sqlite"),
    "long": Step("the long tests pass", ("pytest", "tests/long"), "sqlite"),
}


# Most tests wait more than they compute, so that two cores keep three lanes moving.
LANES = (
    ("lint", "format", "templates", "imports", "types", "postgres", "providers"),
    ("browser", "audio"),
    ("sqlite",),
)


# Only when it is asked for: chaos, long fuzzing, another browser, screenshots.
LONG = (("long",),)

LAST_LINES = 150


@dataclass(frozen=True, slots=True)
class Result:
    step: Step
    passed: bool
    seconds: float
    said: str

    @property
    def line(self) -> str:
        """One line of the summary."""
        mark = "ok    " if self.passed else "FAILED"
        return f"  {mark} {self.seconds:5.0f} s  {self.step.what}  {self.closing.strip('= ')}"

    @property
    def closing(self) -> str:
        """pytest's last line; nothing for other tools."""
        lines = self.said.strip().splitlines() or [""]
        return lines[-1] if self.step.module[0] == "pytest" else ""


def main(names: list[str]) -> int:
    if names[:1] == ["part"]:
        return run_part(names[1:])
    unknown = set(names) - set(STEPS)
    if unknown:
        print(f"There is no step {', '.join(sorted(unknown))}. There are: {', '.join(STEPS)}.")
        return 2
    lanes = [[STEPS[name] for name in lane if not names or name in names] for lane in (*LANES, *LONG)]
    lanes = [lane for lane in lanes if lane] if names else lanes[: len(LANES)]
    with ThreadPoolExecutor(len(lanes)) as pool:
        results = [result for lane in pool.map(run_lane, lanes) for result in lane]
    for result in results:
        if not result.passed:  # said again, as the end of a long output may be all that is kept of it
            print(f"\n── what went wrong: {result.step.what}\n{what_went_wrong(result.said)}")
    print()
    for result in results:
        print(result.line)
    print(results[-1].closing)
    return 0 if all(result.passed for result in results) else 1


def what_went_wrong(said: str) -> str:
    """The end of what a step said, from the first failure or error on that pytest tells of, at most LAST_LINES."""
    lines = said.strip().splitlines()
    told = [place for place, line in enumerate(lines) if line.strip("= ") in {"ERRORS", "FAILURES"}]
    return "\n".join(lines[told[0] if told else 0 :][-LAST_LINES:])


def run_part(arguments: list[str]) -> int:
    """`make test ARGS="…"`: these tests, on SQLite, with their output as it comes."""
    with variables_of(Step("a part", (), "sqlite")) as variables:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


@contextmanager
def variables_of(step: Step) -> Iterator[dict[str, str]]:
    """The environment of a step, with a data folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="voicehub-check-") as folder:
        variables = environment(Path(folder)) | {"VOICEHUB_TEST_DATABASE": step.database}
        if step.database:
            del variables["DJANGO_SETTINGS_MODULE"]  # settings are not to be read before tests.conftest says so
        yield variables


def run_lane(steps: list[Step]) -> list[Result]:
    """The steps of a lane one after the other; the output of each is shown in one piece when it ends."""
    return [run(step) for step in steps]


def run(step: Step) -> Result:
    """Run one check and show what it said."""
    print(f"── {step.what} …", flush=True)
    began = time.monotonic()
    with variables_of(step) as variables:
        command = [sys.executable, "-m", *step.module]
        done = subprocess.run(
            command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    print(f"\n── {step.what}\n{done.stdout}", flush=True)
    return Result(step, done.returncode == 0, time.monotonic() - began, done.stdout)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
