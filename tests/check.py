"""`make check`: the checks of the code, and the tests that the change touches, in under two minutes.

The change is what differs from the main branch; on it, the last commit and whatever is not committed. Prints what it
left out: `make test` runs everything.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.run import STEPS, Result, Step, run
from tests.selection import Selection, select

ROOT = Path(__file__).resolve().parent.parent
CHECKS = ("format", "lint", "templates", "imports", "types")
SECONDS = 75  # for tests; what is not begun by then is left out, so that all of it ends within two minutes
MAIN = ("origin/main", "main")


def git(*arguments: str) -> list[str]:
    """The lines that git prints; none where it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed_files() -> list[str]:
    """The files of the change, deleted ones as well, with those that git does not know yet."""
    head = git("rev-parse", "HEAD")
    bases = [base for name in MAIN for base in git("merge-base", "HEAD", name) if [base] != head]
    since = bases[0] if bases else "HEAD~1"
    return [*git("diff", "--name-only", since), *git("ls-files", "--others", "--exclude-standard")]


def tests_of(selection: Selection) -> Step:
    budget = ("-p", "tests.support.time_budget", "--seconds", str(SECONDS))
    return Step("the tests that the change touches", ("pytest", *budget, *selection.chosen), "sqlite")


def main() -> int:
    changed = changed_files()
    selection = select(ROOT, changed)
    steps = [[STEPS[name] for name in CHECKS], [tests_of(selection)] if selection.chosen else []]
    with ThreadPoolExecutor(len(steps)) as pool:
        lanes = list(pool.map(lambda lane: [run(step) for step in lane], steps))
    results = [result for lane in lanes for result in lane]
    print(summary(results, selection, len(changed)))
    return 0 if all(result.passed for result in results) else 1


def summary(results: list[Result], selection: Selection, changed: int) -> str:
    lines = [result.line for result in results]
    lines += ["", f"{changed} files changed; {len(selection.chosen)} files of tests are touched by them."]
    if selection.everything:
        lines.append(f"{', '.join(selection.everything)} touches every test: run `make test`.")
    lines.append(f"Left out: {len(selection.left_out)} files of tests. `make test` runs everything.")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
