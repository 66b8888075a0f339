"""Limits on the length of functions and files."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("launcher", "audio", "providers", "sandbox", "voicehub", "consent", "voices")
SCRIPTS = ("manage.py", "bootstrap.py")
MEDIAN_LIMIT, NINTH_DECILE_LIMIT, MAX_FUNCTION_LINES = 9, 30, 60
MAX_FILE_LINES, MAX_TEST_FILE_LINES = 300, 500


def list_files(*extra_folders: str) -> Iterator[Path]:
    """Python files that the limits apply to. Migrations are excluded because Django writes them."""
    for folder in (*PACKAGES, *extra_folders):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)
    yield from (ROOT / name for name in SCRIPTS)


def get_relative_path(path: Path) -> str:
    return str(path.relative_to(ROOT))


def measure_functions(source: str) -> dict[str, int]:
    """Count the lines of each function from `def` to its end. The keys are `name:line`. Decorators do not count."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {f"{node.name}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1 for node in nodes}


def measure_all_functions() -> dict[str, int]:
    return {
        f"{get_relative_path(path)}:{name}": size
        for path in list_files()
        for name, size in measure_functions(path.read_text(encoding="utf-8")).items()
    }


def find_problems(sizes: dict[str, int]) -> list[str]:
    """Describe the limits that functions of these sizes exceed."""
    ordered = sorted(sizes.values())
    problems = [f"{name} has {size} lines" for name, size in sizes.items() if size > MAX_FUNCTION_LINES]
    if median(ordered) >= MEDIAN_LIMIT:
        problems.append(f"the median function has {median(ordered)} lines")
    if ordered[int(len(ordered) * 0.9)] >= NINTH_DECILE_LIMIT:
        problems.append(f"one function in ten has {ordered[int(len(ordered) * 0.9)]} lines or more")
    return problems


def test_functions_are_short() -> None:
    assert find_problems(measure_all_functions()) == []


def test_functions_in_tests_are_not_too_long() -> None:
    for path in list_files("tests"):
        sizes = measure_functions(path.read_text(encoding="utf-8"))
        long_functions = [name for name, size in sizes.items() if size > MAX_FUNCTION_LINES]
        assert not long_functions, f"{get_relative_path(path)}: {long_functions}"


def test_files_are_not_too_long() -> None:
    """A module over 300 lines must become a package, with one module for each noun. A test file may be longer."""
    for path in list_files("tests"):
        size = len(path.read_text(encoding="utf-8").splitlines())
        limit = MAX_TEST_FILE_LINES if "tests" in path.parts else MAX_FILE_LINES
        assert size <= limit, f"{get_relative_path(path)}: {size}"


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ([8] * 10, 0),
        ([9] * 10, 1),
        ([8] * 8 + [30] * 2, 1),
        ([8] * 19 + [61], 1),
        ([8] * 19 + [60], 0),
    ],
)
def test_each_exceeded_limit_is_reported(sizes: list[int], count: int) -> None:
    assert len(find_problems({str(number): size for number, size in enumerate(sizes)})) == count


def test_function_length_excludes_decorators() -> None:
    source = "@a\n@b\ndef f():\n    x = 1\n    return x\n\n\nclass A:\n    async def g(self): ...\n"
    assert measure_functions(source) == {"f:3": 3, "g:9": 1}
