"""`python -m tests.support.lint_imports`: the import linter, which cannot be run as a module itself."""

from importlinter.cli import lint_imports_command

if __name__ == "__main__":
    lint_imports_command()
