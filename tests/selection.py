"""Selects the tests that a change affects: they mirror a changed module or import it. The closest come first.

It reads a graph from the sources: a file is linked to each module that it imports and each template that it names.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PACKAGES = ("launcher", "audio", "providers", "sandbox", "voicehub", "consent", "voices", "tests")
# Tests with real browsers, killed processes and long runs: only `make test` and `make test-long` run them.
SLOW = ("tests/browser/", "tests/processes/", "tests/fuzz/", "tests/launcher/", "tests/upgrade/", "tests/long/")
# Maximum distance from the change to a test. More distant tests are half of all, and seldom notice a change.
MAX_STEPS = 3
# Every test depends on these, so no subset of the tests is enough.
FULL_RUN_PATHS = ("pyproject.toml", "requirements/", "bootstrap.py", "voicehub/settings.py", "tests/conftest.py")
TEXT_FOLDERS = ("templates", "static")
DOTTED_NAME = re.compile(r"[a-z_]\w*(\.\w+)+")


@dataclass(frozen=True, slots=True)
class Selection:
    """The test files to run (closest to the change first) and to skip, and changed files that may affect every test."""

    selected: tuple[str, ...]
    skipped: tuple[str, ...]
    full_run_files: tuple[str, ...]


def select_tests(root: Path, changed: Iterable[str]) -> Selection:
    """Select the tests that the changed files affect. Paths are POSIX paths relative to `root`."""
    changed = list(changed)
    graph = build_graph(root)
    tests = sorted(path for path in graph.paths if is_test(path))
    distance = compute_distances(graph, changed)
    affected = sorted((distance[path], path) for path in tests if distance.get(path, MAX_STEPS + 1) <= MAX_STEPS)
    selected = tuple(path for _steps, path in affected if not path.startswith(SLOW))
    full_run_files = tuple(path for path in changed if path.startswith(FULL_RUN_PATHS))
    return Selection(selected, tuple(path for path in tests if path not in selected), full_run_files)


def is_test(path: str) -> bool:
    return path.startswith("tests/") and PurePosixPath(path).name.startswith("test_")


@dataclass(frozen=True, slots=True)
class Graph:
    """`paths` are all files; `used_by` maps a file to the files that import it or name it."""

    paths: frozenset[str]
    used_by: Mapping[str, frozenset[str]]


def build_graph(root: Path) -> Graph:
    """Read every Python file, template and static file of the tree."""
    sources = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
        if "migrations" not in path.parts
    }
    text_files = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for folder in TEXT_FOLDERS
        for path in (root / folder).rglob("*")
        if path.is_file() and "vendor" not in path.parts
    }
    modules = {get_module_name(path): path for path in sources}
    used_by: dict[str, set[str]] = {}
    for path, source in sources.items():
        for name in list_imported_names(source):
            for used in find_module_file(name, modules):
                used_by.setdefault(used, set()).add(path)
    for used in text_files:
        name = used.partition("/")[2]
        referring_files = {path for path, text in (sources | text_files).items() if path != used and name in text}
        used_by.setdefault(used, set()).update(referring_files)
    return Graph(frozenset(sources | text_files), {path: frozenset(users) for path, users in used_by.items()})


def get_module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def list_imported_names(source: str) -> Iterator[str]:
    """Yield `a.b` for `import a.b` and for the text "a.b" (Django loads by name), `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED_NAME.fullmatch(node.value):
            yield node.value
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_module_file(name: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Yield the file of the longest prefix of `name` that is a module, without the packages that contain it."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        if path := modules.get(".".join(parts[:size])):
            yield path
            return


def compute_distances(graph: Graph, changed: Iterable[str]) -> dict[str, int]:
    """Count the steps from each file to the closest change. A file is one step from its mirror tests and its users."""
    distances = dict.fromkeys(changed, 0)
    current_paths = list(distances)
    while current_paths:
        next_paths = []
        for path in current_paths:
            for user in (*list_mirror_tests(path, graph.paths), *graph.used_by.get(path, ())):
                if user not in distances:
                    distances[user] = distances[path] + 1
                    next_paths.append(user)
        current_paths = next_paths
    return distances


def list_mirror_tests(path: str, paths: Iterable[str]) -> Iterator[str]:
    """Yield the tests that have the module's path below tests/, or that are named after its package."""
    module_path = PurePosixPath(path)
    if module_path.suffix != ".py" or path.startswith("tests/"):
        return
    folder, name = module_path.parent, module_path.stem
    mirror_paths = {f"tests/{folder}/test_{name}.py", f"tests/{folder.parent}/test_{folder.name}.py"}
    yield from (other for other in paths if other in mirror_paths)
