"""Formats the Django templates, or checks their format: `python -m tests.support.format_templates [--check]`.

djade cannot run as a Python module, so this module starts its program. djade does not wrap lines: lines over MAX_LINE
are reported and must be wrapped by hand.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINE = 160


def list_templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def find_long_lines(path: Path) -> list[str]:
    """`path:line` of each line that is too long."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return [f"{path.relative_to(ROOT)}:{number}" for number, line in lines if len(line) > MAX_LINE]


def main(arguments: list[str]) -> int:
    templates = list_templates()
    djade = Path(sys.executable).with_name("djade")
    completed = subprocess.run([djade, "--target-version", "5.2", *arguments, *templates], check=False)
    long_lines = [location for path in templates for location in find_long_lines(path)]
    for location in long_lines:
        print(f"{location} is longer than {MAX_LINE} characters.")
    return 1 if long_lines or ("--check" in arguments and completed.returncode) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
