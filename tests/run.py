"""Everything that is checked, step by step, with one summary at the end: `make test`; `make lint` is a part.

    python -m tests.run [lint] [format] [types] [postgres] [sqlite]

The whole suite on SQLite comes last, so that the last line of the output is pytest's closing line for it.
"""

import subprocess
import sys
import tempfile
import time
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


STEPS = {
    "lint": Step("ruff finds nothing", ("ruff", "check", "--quiet", ".")),
    "format": Step("the code has its one form", ("ruff", "format", "--check", "--quiet", ".")),
    "types": Step("mypy finds nothing", ("mypy",)),
    "postgres": Step("the tests pass on PostgreSQL", ("pytest", "-m", "not browser"), "postgres"),
    "sqlite": Step("the tests pass on SQLite, with the browser's", ("pytest",), "sqlite"),
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(STEPS)
    if unknown:
        print(f"There is no step {', '.join(sorted(unknown))}. There are: {', '.join(STEPS)}.")
        return 2
    results = [run(STEPS[name]) for name in STEPS if not names or name in names]
    print()
    for passed, seconds, step, closing in results:
        print(f"  {'ok    ' if passed else 'FAILED'} {seconds:5.0f} s  {step.what}  {closing.strip('= ')}")
    print(results[-1][3])
    return 0 if all(passed for passed, *_ in results) else 1


def run(step: Step) -> tuple[bool, float, Step, str]:
    """Whether it passed, how long it took, the step, and its last line if it is pytest's."""
    print(f"\n── {step.what}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="voicehub-check-") as folder:
        variables = environment(Path(folder)) | {
            "VOICEHUB_TEST_DATABASE": step.database,
            "PYTHONUNBUFFERED": "1",
        }
        if step.database:
            del variables["DJANGO_SETTINGS_MODULE"]  # settings are not to be read before tests.conftest says so
        command = [sys.executable, "-m", *step.module]
        with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
            last = ""
            for line in process.stdout or ():
                print(line, end="", flush=True)
                last = line.strip() or last
    closing = last if step.module[0] == "pytest" else ""
    return process.returncode == 0, time.monotonic() - began, step, closing


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
