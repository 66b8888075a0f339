"""Only the module `lifecycle` writes the status of a build."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LIFECYCLE = ROOT / "voices" / "services" / "builds" / "lifecycle.py"


def find_status_writes(source: str) -> Iterator[int]:
    """Yield the lines that set the status of a build: by `move`, by an assignment, or by an `update`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and any(writes_status(node, name) for name in ("move", "update")):
            yield node.lineno
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == "status" for target in node.targets
        ):
            yield node.lineno


def writes_status(call: ast.Call, name: str) -> bool:
    """Whether the call is to a function with this name and sets a BuildStatus."""
    function = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    values = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "status")]
    return function == name and any("BuildStatus" in ast.dump(value) for value in values)


def test_only_lifecycle_writes_a_build_status() -> None:
    lines_by_path = {
        str(path.relative_to(ROOT)): list(find_status_writes(path.read_text(encoding="utf-8")))
        for app in ("voices", "consent", "voicehub")
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts and path != LIFECYCLE
    }
    assert {name: lines for name, lines in lines_by_path.items() if lines} == {}
    assert list(find_status_writes(LIFECYCLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "line",
    [
        "move(build, BuildStatus.READY)",
        "transitions.move(build, BuildStatus.READY, progress_message='')",
        "Build.objects.filter(pk=1).update(status=BuildStatus.FAILED)",
        "build.status = BuildStatus.READY",
    ],
)
def test_each_kind_of_status_write_is_found(line: str) -> None:
    assert list(find_status_writes(line)) == [1]
