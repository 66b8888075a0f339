"""`make check`: code checks and the tests that the change affects, in under two minutes.

The change is the difference from the main branch. On the main branch it is the last commit plus uncommitted files.
The last line says how many test files were skipped. `make test` runs everything.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.run import STEPS, Result, Step, run_step
from tests.selection import Selection, select_tests

ROOT = Path(__file__).resolve().parent.parent
CHECKS = ("format", "lint", "templates", "imports", "types")
TEST_SECONDS = 75  # tests that have not started by then are skipped, so the whole run ends within two minutes
MAIN_BRANCHES = ("origin/main", "main")


def run_git(*arguments: str) -> list[str]:
    """Return the lines that git prints, or an empty list if git fails."""
    completed = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return completed.stdout.splitlines() if completed.returncode == 0 else []


def list_changed_files() -> list[str]:
    """Return the paths of the changed files, including deleted and untracked files."""
    head = run_git("rev-parse", "HEAD")
    bases = [base for name in MAIN_BRANCHES for base in run_git("merge-base", "HEAD", name) if [base] != head]
    base = bases[0] if bases else "HEAD~1"
    return [*run_git("diff", "--name-only", base), *run_git("ls-files", "--others", "--exclude-standard")]


def make_test_step(selection: Selection) -> Step:
    budget = ("-p", "tests.support.time_budget", "--seconds", str(TEST_SECONDS))
    return Step("tests that the change affects", ("pytest", *budget, *selection.selected), "sqlite")


def main() -> int:
    changed = list_changed_files()
    selection = select_tests(ROOT, changed)
    steps = [[STEPS[name] for name in CHECKS], [make_test_step(selection)] if selection.selected else []]
    with ThreadPoolExecutor(len(steps)) as pool:
        groups = list(pool.map(lambda group: [run_step(step) for step in group], steps))
    results = [result for group in groups for result in group]
    print(format_summary(results, selection, len(changed)))
    return 0 if all(result.passed for result in results) else 1


def format_summary(results: list[Result], selection: Selection, changed: int) -> str:
    lines = [result.summary_line for result in results]
    lines += ["", f"{changed} files changed; they affect {len(selection.selected)} test files."]
    if selection.full_run_files:
        lines.append(f"{', '.join(selection.full_run_files)} may affect every test: run `make test`.")
    lines.append(f"Skipped: {len(selection.skipped)} test files. `make test` runs everything.")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
