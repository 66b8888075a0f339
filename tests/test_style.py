"""The shape of the code: short functions, files that can be read at one go, every signature typed by name."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
OURS = ("launcher", "audio", "providers", "sandbox", "voicehub", "consent", "voices")
ALSO = ("manage.py", "bootstrap.py")
MEDIAN, NINE_IN_TEN, LONGEST = 9, 30, 60
LONGEST_FILE, LONGEST_TESTS = 300, 500


def files(*more: str) -> Iterator[Path]:
    """What is ours to keep in shape; migrations are written by Django."""
    for folder in (*OURS, *more):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)
    yield from (ROOT / name for name in ALSO)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lengths(source: str) -> dict[str, int]:
    """Lines of each function from `def` to its end, by name and place; decorators are not counted."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {f"{node.name}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1 for node in nodes}


def functions() -> dict[str, int]:
    return {
        f"{name_of(path)}:{name}": size
        for path in files()
        for name, size in lengths(path.read_text(encoding="utf-8")).items()
    }


def problems(sizes: dict[str, int]) -> list[str]:
    """What is wrong with functions of these sizes."""
    ordered = sorted(sizes.values())
    found = [f"{name} has {size} lines" for name, size in sizes.items() if size > LONGEST]
    if median(ordered) >= MEDIAN:
        found.append(f"the median function has {median(ordered)} lines")
    if ordered[int(len(ordered) * 0.9)] >= NINE_IN_TEN:
        found.append(f"one function in ten has {ordered[int(len(ordered) * 0.9)]} lines or more")
    return found


def test_functions_are_short() -> None:
    assert problems(functions()) == []


def test_no_function_of_the_tests_is_too_long() -> None:
    for path in files("tests"):
        long = [name for name, size in lengths(path.read_text(encoding="utf-8")).items() if size > LONGEST]
        assert not long, f"{name_of(path)}: {long}"


def test_files_can_be_read_at_one_go() -> None:
    """What passes 300 lines becomes a package split by noun; tests of one thing may take a little more."""
    for path in files("tests"):
        size = len(path.read_text(encoding="utf-8").splitlines())
        assert size <= (LONGEST_TESTS if "tests" in path.parts else LONGEST_FILE), f"{name_of(path)}: {size}"


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
def test_each_limit_is_kept(sizes: list[int], count: int) -> None:
    assert len(problems({str(number): size for number, size in enumerate(sizes)})) == count


def test_a_function_is_measured_without_its_decorators() -> None:
    assert lengths("@a\n@b\ndef f():\n    x = 1\n    return x\n\n\nclass A:\n    async def g(self): ...\n") == {
        "f:3": 3,
        "g:9": 1,
    }
