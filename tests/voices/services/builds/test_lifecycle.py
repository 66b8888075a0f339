"""One module writes the status of a build."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
WRITER = ROOT / "voices" / "services" / "builds" / "lifecycle.py"


def writes_of_build_status(source: str) -> Iterator[int]:
    """Lines that move a build, assign to a status, or update one with a BuildStatus."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and any(writes(node, name) for name in ("move", "update")):
            yield node.lineno
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == "status" for target in node.targets
        ):
            yield node.lineno


def writes(call: ast.Call, name: str) -> bool:
    """Whether it calls `name` with a status of a build as its target."""
    called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "status")]
    return called == name and any("BuildStatus" in ast.dump(value) for value in given)


def test_only_lifecycle_writes_the_status_of_a_build() -> None:
    found = {
        str(path.relative_to(ROOT)): list(writes_of_build_status(path.read_text(encoding="utf-8")))
        for app in ("voices", "consent", "voicehub")
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts and path != WRITER
    }
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert list(writes_of_build_status(WRITER.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "line",
    [
        "move(build, BuildStatus.READY)",
        "transitions.move(build, BuildStatus.READY, progress_message='')",
        "Build.objects.filter(pk=1).update(status=BuildStatus.FAILED)",
        "build.status = BuildStatus.READY",
    ],
)
def test_each_way_to_write_a_status_is_found(line: str) -> None:
    assert list(writes_of_build_status(line)) == [1]
