"""Which tests a change touches: those that mirror a changed module, and those that import it, the closest first.

The graph is read off the sources: Python modules by their imports, templates and static files by who names them.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PACKAGES = ("launcher", "audio", "providers", "sandbox", "voicehub", "consent", "voices", "tests")
# Real browsers, killed processes and long runs: `make test` and `make test-long` have them.
SLOW = ("tests/browser/", "tests/processes/", "tests/fuzz/", "tests/launcher/", "tests/upgrade/", "tests/long/")
# Steps from the change to a test: further away, a module is hardly touched, and half of all tests would be chosen.
MOST_STEPS = 3
# What every test stands on, so that no part of the tests says enough.
EVERYTHING = ("pyproject.toml", "requirements/", "bootstrap.py", "voicehub/settings.py", "tests/conftest.py")
TEXTS = ("templates", "static")
DOTTED = re.compile(r"[a-z_]\w*(\.\w+)+")


@dataclass(frozen=True, slots=True)
class Selection:
    """Test files to run, the closest to the change first, those that were left out, and what touches everything."""

    chosen: tuple[str, ...]
    left_out: tuple[str, ...]
    everything: tuple[str, ...]


def select(root: Path, changed: Iterable[str]) -> Selection:
    """The tests that these changed files of the tree under `root` touch. Paths are relative and POSIX."""
    changed = list(changed)
    graph = importers(root)
    tests = sorted(path for path in graph.paths if is_test(path))
    distance = distances(graph, changed)
    touched = sorted((distance[path], path) for path in tests if distance.get(path, MOST_STEPS + 1) <= MOST_STEPS)
    chosen = tuple(path for _steps, path in touched if not path.startswith(SLOW))
    everything = tuple(path for path in changed if path.startswith(EVERYTHING))
    return Selection(chosen, tuple(path for path in tests if path not in chosen), everything)


def is_test(path: str) -> bool:
    return path.startswith("tests/") and PurePosixPath(path).name.startswith("test_")


@dataclass(frozen=True, slots=True)
class Graph:
    """`paths` are all files; `used_by` has for each file those that import it or name it."""

    paths: frozenset[str]
    used_by: Mapping[str, frozenset[str]]


def importers(root: Path) -> Graph:
    """Read every Python file, template and static file of the tree."""
    sources = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
        if "migrations" not in path.parts
    }
    texts = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for folder in TEXTS
        for path in (root / folder).rglob("*")
        if path.is_file() and "vendor" not in path.parts
    }
    modules = {module_of(path): path for path in sources}
    used_by: dict[str, set[str]] = {}
    for path, source in sources.items():
        for name in imported(source):
            for used in modules_named(name, modules):
                used_by.setdefault(used, set()).add(path)
    for used in texts:
        name = used.partition("/")[2]
        naming = {path for path, text in (sources | texts).items() if path != used and name in text}
        used_by.setdefault(used, set()).update(naming)
    return Graph(frozenset(sources | texts), {path: frozenset(users) for path, users in used_by.items()})


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(source: str) -> Iterator[str]:
    """`a.b` for `import a.b` and for the text "a.b" (Django loads by name); `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
            yield node.value
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_named(name: str, modules: Mapping[str, str]) -> Iterator[str]:
    """The file of the longest part of `name` that is a module; without the packages around it."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        if found := modules.get(".".join(parts[:size])):
            yield found
            return


def distances(graph: Graph, changed: Iterable[str]) -> dict[str, int]:
    """Steps of each file from the nearest changed one: a file's mirror, and what imports or names it, are one away."""
    found = dict.fromkeys(changed, 0)
    edge = list(found)
    while edge:
        following = []
        for path in edge:
            for user in (*mirrors(path, graph.paths), *graph.used_by.get(path, ())):
                if user not in found:
                    found[user] = found[path] + 1
                    following.append(user)
        edge = following
    return found


def mirrors(path: str, paths: Iterable[str]) -> Iterator[str]:
    """The tests at the module's own path below tests/, or named after its package."""
    pure = PurePosixPath(path)
    if pure.suffix != ".py" or path.startswith("tests/"):
        return
    folder, name = pure.parent, pure.stem
    wanted = {f"tests/{folder}/test_{name}.py", f"tests/{folder.parent}/test_{folder.name}.py"}
    yield from (other for other in paths if other in wanted)
