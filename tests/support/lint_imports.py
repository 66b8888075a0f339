"""Runs the import linter: `python -m tests.support.lint_imports`. The linter itself cannot be run as a module."""

from importlinter.cli import lint_imports_command

if __name__ == "__main__":
    lint_imports_command()
