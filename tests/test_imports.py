"""Who may import whom: the contracts of pyproject.toml find what breaks them; what they cannot say is tested here."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grimp
import pytest
from django.conf import settings
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import Contract

ROOT = Path(settings.BASE_DIR)
CONFIGURATION: dict[str, Any] = read_configuration(str(ROOT / "pyproject.toml"))
PACKAGES: list[str] = CONFIGURATION["session_options"]["root_packages"]
KINDS: dict[str, type[Contract]] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "layers": LayersContract,
}


def contracts() -> Iterator[Contract]:
    for options in CONFIGURATION["contracts_options"]:
        yield KINDS[options["type"]](options["name"], CONFIGURATION["session_options"], options)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def broken(graph: grimp.ImportGraph) -> set[str]:
    """The names of the contracts that this graph breaks. A check changes its graph, so each has its own copy."""
    return {one.name for one in contracts() if not one.check(deepcopy(graph), verbose=False).kept}


def planted(graph: grimp.ImportGraph, importer: str, imported: str) -> grimp.ImportGraph:
    """A copy of the graph with one import more."""
    copy = deepcopy(graph)
    if imported not in copy.modules:
        copy.add_module(imported, is_squashed=True)
    assert importer in copy.modules
    copy.add_import(importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}")
    return copy


def test_every_contract_is_kept(graph: grimp.ImportGraph) -> None:
    assert broken(graph) == set()


def layers_of(name: str) -> list[str]:
    """The modules that a layers contract lists, from the top."""
    (options,) = (one for one in CONFIGURATION["contracts_options"] if one["name"] == name)
    return [module for layer in options["layers"] for module in re.split(r" *[|:] *", layer)]


def test_map_in_contributing_is_that_of_the_contracts() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)/ {2,}", text, re.MULTILINE)) - {"templates"} == set(PACKAGES)
    between, audio = (
        re.findall(r"\w+", text.split(start)[1].split(end)[0])
        for start, end in (("between packages:", "\n"), ("within audio:", "```"))
    )
    assert between == layers_of("Packages import downward")
    assert audio == layers_of("Inside audio")
    within = re.findall(r"\w+", text.split("within an app:")[1].split("within audio:")[0])
    for app in ("voices", "consent"):
        listed = layers_of(f"Inside {app}")
        assert [one for one in within if one in listed] == [one for one in listed if one in within]


# --- Planted breaches -----------------------------------------------------------------------------

DOWNWARD = "Packages import downward"
SANDBOX = "The sandbox knows only audio, and voicehub without its models"
ONE_CLIENT = "Only the provider client speaks HTTP"
BREACHES = [
    # Upward between packages.
    ("providers.base", "voices.models", DOWNWARD),
    ("voicehub.outbox", "voices.tasks", DOWNWARD),
    ("voicehub.transitions", "consent.models", DOWNWARD),
    ("consent.views.talents", "voices.models", DOWNWARD),
    ("consent.admin", "voices", DOWNWARD),
    ("audio.wav.riff", "voicehub.storage", DOWNWARD),
    ("audio.wav.riff", "providers.types", DOWNWARD),
    # Upward within a package.
    ("voices.services.builds.poll", "voices.views.builds", "Inside voices"),
    ("voices.services.builds.poll", "voices.presenters", "Inside voices"),
    ("voices.models.build", "voices.services.builds.start", "Inside voices"),
    ("voices.presenters", "voices.forms", "Inside voices"),
    ("voices.tasks", "voices.webhooks", "Inside voices"),
    ("voices.templatetags.voices", "voices.views.voices", "Inside voices"),
    ("voices.views.voices", "voices.templatetags.voices", "Inside voices"),
    ("consent.services.gate", "consent.admin", "Inside consent"),
    ("voicehub.models", "voicehub.outbox", "Inside voicehub"),
    ("audio.wav.riff", "audio.levels.measure", "Inside audio"),
    ("launcher.environment", "launcher.studio", "Inside launcher"),
    ("voices.services.builds.poll", "voicehub.middleware", "Services know no pages of another app"),
    # Rules of their own.
    ("sandbox.store", "voices.models", SANDBOX),
    ("sandbox.store", "consent.models", SANDBOX),
    ("sandbox.store", "providers.types", SANDBOX),
    ("sandbox.store", "voicehub.outbox", SANDBOX),
    ("voices.services.builds.poll", "sandbox.vendor_defaults", "Only its command starts the sandbox"),
    ("voices.management.commands.sandbox", "sandbox.scores", "Scores of the sandbox stay in the sandbox"),
    ("audio.wav.riff", "django", "Audio is a library without Django"),
    ("providers.resemble_v2.adapter", "django", "Only the registry of the providers reads settings"),
    ("voices.services.builds.poll", "requests", ONE_CLIENT),
    ("providers.resemble_v2.adapter", "urllib3", ONE_CLIENT),
    ("consent.services.gate", "httpx", ONE_CLIENT),
    # Circles, within a package and between packages.
    ("audio.findings.templates", "audio.findings.catalog", "No package imports in a circle"),
    ("voices.services.accounts", "voices.services.builds.start", "No package imports in a circle"),
]


@pytest.mark.parametrize(("importer", "imported", "contract"), BREACHES)
def test_planted_breach_is_found(graph: grimp.ImportGraph, importer: str, imported: str, contract: str) -> None:
    assert contract in broken(planted(graph, importer, imported))


def test_every_contract_has_a_planted_breach() -> None:
    assert {contract for _, _, contract in BREACHES} == {one.name for one in contracts()}


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("voices.services.builds.poll", "consent.services.gate"),
        ("sandbox.store", "audio.wav.riff"),
        ("sandbox.store", "requests"),
        ("sandbox.store", "voicehub.text"),
        ("providers.registry", "django"),
        ("voices.views.builds", "voices.presenters"),
    ],
)
def test_allowed_import_is_allowed(graph: grimp.ImportGraph, importer: str, imported: str) -> None:
    assert broken(planted(graph, importer, imported)) == set()


@pytest.mark.parametrize(
    "name", ["voices/rules.py", "consent/rules/__init__.py", "voicehub/rules.py", "audio/rules.py"]
)
def test_new_part_of_a_package_has_to_be_given_its_place(graph: grimp.ImportGraph, name: str) -> None:
    package = name.split("/")[0]
    copy = deepcopy(graph)
    copy.add_module(f"{package}.rules")
    assert broken(copy) == {f"Inside {package}"}


def test_lint_step_fails_on_an_import_inside_a_function(tmp_path: Path) -> None:
    """The whole way: the command of `make lint` on a copy of the packages."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert lint(tmp_path).returncode == 0
    with (tmp_path / "voices" / "models" / "build.py").open("a") as file:
        file.write("\n\ndef f():\n    from voices.services.builds.start import start_build\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "Inside voices BROKEN" in done.stdout


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests" / "support" / "lint_imports.py"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# --- Circles between modules ----------------------------------------------------------------------


def circles(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    """Imports whose target leads back to the importer."""
    return [
        (importer, imported)
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if graph.chain_exists(importer=imported, imported=importer)
    ]


def test_no_module_imports_in_a_circle(graph: grimp.ImportGraph) -> None:
    """A module and the package that it is in are no siblings, so the contract does not look at them."""
    assert circles(graph) == []


def test_planted_circle_of_modules_is_found(graph: grimp.ImportGraph) -> None:
    """Here of a package and a module in it."""
    found = circles(planted(graph, "voices.models.choices", "voices.models"))
    assert ("voices.models.choices", "voices.models") in found


# --- Parts of a package from elsewhere ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """Only `may` imports `part`, or with `within` only modules outside these packages. The linter knows whole ones."""

    part: str
    may: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    def is_broken_by(self, name: str, imported: str) -> bool:
        held = is_in(name, *self.within) if self.within else not is_in(name, *self.may)
        return held and is_in(imported, self.part)


RULES = (
    Rule("django.db", within=("providers", "sandbox")),
    Rule("urllib.request", may=("sandbox",)),
    Rule("django.db.models.signals", may=("voicehub.apps",)),
    Rule("django.dispatch", may=("voicehub.apps",)),
)


def is_in(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports(source: str) -> Iterator[str]:
    """All that a module imports, wherever in it: `a.b` for `import a.b`, `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(name: str, source: str) -> list[str]:
    return [imported for imported in imports(source) if any(rule.is_broken_by(name, imported) for rule in RULES)]


def test_parts_of_other_packages_are_used_where_they_may_be() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if ".migrations." not in name:
                assert breaches(name, path.read_text(encoding="utf-8")) == [], name


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("providers.registry", "from django.db import transaction"),
        ("providers.resemble_v2.adapter", "from urllib.request import urlopen"),
        ("consent.services.gate", "from django.db.models.signals import post_save"),
        ("consent.services.gate", "from django.db.models import signals"),
        ("voices.apps", "from django import dispatch"),
    ],
)
def test_planted_part_is_found(name: str, line: str) -> None:
    assert len(breaches(name, line)) == 1
