"""The import contracts of pyproject.toml detect forbidden imports. Rules that no contract can state are tested here."""

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


def list_contracts() -> Iterator[Contract]:
    for options in CONFIGURATION["contracts_options"]:
        yield KINDS[options["type"]](options["name"], CONFIGURATION["session_options"], options)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def find_broken_contracts(graph: grimp.ImportGraph) -> set[str]:
    """The names of the contracts that this graph breaks. A check modifies its graph, so each gets a copy."""
    return {contract.name for contract in list_contracts() if not contract.check(deepcopy(graph), verbose=False).kept}


def add_import(graph: grimp.ImportGraph, importer: str, imported: str) -> grimp.ImportGraph:
    copy = deepcopy(graph)
    if imported not in copy.modules:
        copy.add_module(imported, is_squashed=True)
    assert importer in copy.modules
    copy.add_import(importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}")
    return copy


def test_every_contract_is_kept(graph: grimp.ImportGraph) -> None:
    assert find_broken_contracts(graph) == set()


def list_layers(name: str) -> list[str]:
    """The modules of a layers contract, from the top layer down."""
    (options,) = (entry for entry in CONFIGURATION["contracts_options"] if entry["name"] == name)
    return [module for layer in options["layers"] for module in re.split(r" *[|:] *", layer)]


def test_contributing_page_lists_the_layers_of_the_contracts() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)/ {2,}", text, re.MULTILINE)) - {"templates"} == set(PACKAGES)
    package_layers, audio_layers = (
        re.findall(r"\w+", text.split(start)[1].split(end)[0])
        for start, end in (("between packages:", "\n"), ("within audio:", "```"))
    )
    assert package_layers == list_layers("Packages import downward")
    assert audio_layers == list_layers("Inside audio")
    app_layers = re.findall(r"\w+", text.split("within an app:")[1].split("within audio:")[0])
    for app in ("voices", "consent"):
        modules = list_layers(f"Inside {app}")
        assert [layer for layer in app_layers if layer in modules] == [
            layer for layer in modules if layer in app_layers
        ]


# --- Forbidden imports ----------------------------------------------------------------------------

DOWNWARD = "Packages import downward"
SANDBOX = "Sandbox imports only audio, and voicehub without models"
HTTP_CLIENT = "Only the provider client sends HTTP requests"
FORBIDDEN_IMPORTS = [
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
    ("voices.services.builds.poll", "voicehub.middleware", "Services import no pages of another app"),
    # Other contracts.
    ("sandbox.store", "voices.models", SANDBOX),
    ("sandbox.store", "consent.models", SANDBOX),
    ("sandbox.store", "providers.types", SANDBOX),
    ("sandbox.store", "voicehub.outbox", SANDBOX),
    ("voices.services.builds.poll", "sandbox.vendor_defaults", "Only the sandbox command imports the sandbox"),
    ("voices.management.commands.sandbox", "sandbox.scores", "Voices imports no sandbox scores"),
    ("audio.wav.riff", "django", "Audio does not import Django"),
    ("providers.resemble_v2.adapter", "django", "Only the provider registry imports Django"),
    ("voices.services.builds.poll", "requests", HTTP_CLIENT),
    ("providers.resemble_v2.adapter", "urllib3", HTTP_CLIENT),
    ("consent.services.gate", "httpx", HTTP_CLIENT),
    # Import cycles, within a package and between packages.
    ("audio.findings.templates", "audio.findings.catalog", "No import cycles within a package"),
    ("voices.services.accounts", "voices.services.builds.start", "No import cycles within a package"),
]


@pytest.mark.parametrize(("importer", "imported", "contract"), FORBIDDEN_IMPORTS)
def test_forbidden_import_breaks_its_contract(
    graph: grimp.ImportGraph, importer: str, imported: str, contract: str
) -> None:
    assert contract in find_broken_contracts(add_import(graph, importer, imported))


def test_every_contract_is_broken_by_a_listed_import() -> None:
    assert {contract for _, _, contract in FORBIDDEN_IMPORTS} == {contract.name for contract in list_contracts()}


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
def test_allowed_import_breaks_no_contract(graph: grimp.ImportGraph, importer: str, imported: str) -> None:
    assert find_broken_contracts(add_import(graph, importer, imported)) == set()


@pytest.mark.parametrize(
    "name", ["voices/rules.py", "consent/rules/__init__.py", "voicehub/rules.py", "audio/rules.py"]
)
def test_new_module_of_a_package_needs_a_layer(graph: grimp.ImportGraph, name: str) -> None:
    package = name.split("/")[0]
    copy = deepcopy(graph)
    copy.add_module(f"{package}.rules")
    assert find_broken_contracts(copy) == {f"Inside {package}"}


def test_lint_fails_on_a_forbidden_import_inside_a_function(tmp_path: Path) -> None:
    """Run the command of `make lint` on a copy of the packages."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert run_lint(tmp_path).returncode == 0
    with (tmp_path / "voices" / "models" / "build.py").open("a") as file:
        file.write("\n\ndef f():\n    from voices.services.builds.start import start_build\n")
    completed = run_lint(tmp_path)
    assert completed.returncode == 1
    assert "Inside voices BROKEN" in completed.stdout


def run_lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests" / "support" / "lint_imports.py"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# --- Import cycles between modules ----------------------------------------------------------------


def find_cycles(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    """Imports whose target imports the importer, directly or indirectly."""
    return [
        (importer, imported)
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if graph.chain_exists(importer=imported, imported=importer)
    ]


def test_modules_have_no_import_cycle(graph: grimp.ImportGraph) -> None:
    """A cycle between a module and its own package is found here only: the contract compares siblings."""
    assert find_cycles(graph) == []


def test_import_cycle_is_found(graph: grimp.ImportGraph) -> None:
    """The cycle is between a package and a module inside it."""
    cycles = find_cycles(add_import(graph, "voices.models.choices", "voices.models"))
    assert ("voices.models.choices", "voices.models") in cycles


# --- Restricted modules of external packages ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModuleRule:
    """Only `allowed_in` may import `module`, or all but `forbidden_in`. The linter checks only whole packages."""

    module: str
    allowed_in: tuple[str, ...] = ()
    forbidden_in: tuple[str, ...] = ()

    def is_broken_by(self, name: str, imported: str) -> bool:
        applies = is_inside(name, *self.forbidden_in) if self.forbidden_in else not is_inside(name, *self.allowed_in)
        return applies and is_inside(imported, self.module)


RULES = (
    ModuleRule("django.db", forbidden_in=("providers", "sandbox")),
    ModuleRule("urllib.request", allowed_in=("sandbox",)),
    ModuleRule("django.db.models.signals", allowed_in=("voicehub.apps",)),
    ModuleRule("django.dispatch", allowed_in=("voicehub.apps",)),
)


def is_inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def list_imports(source: str) -> Iterator[str]:
    """All imports of a module, also inside functions: `a.b` for `import a.b`, `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_forbidden_imports(name: str, source: str) -> list[str]:
    return [imported for imported in list_imports(source) if any(rule.is_broken_by(name, imported) for rule in RULES)]


def test_restricted_modules_are_imported_only_where_allowed() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if ".migrations." not in name:
                assert find_forbidden_imports(name, path.read_text(encoding="utf-8")) == [], name


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
def test_import_of_a_restricted_module_is_found(name: str, line: str) -> None:
    assert len(find_forbidden_imports(name, line)) == 1


def test_migrations_import_no_service() -> None:
    """A migration does the same however the product changes, so it has its own copy of what it computes."""
    for path in ROOT.glob("*/migrations/*.py"):
        services = [name for name in list_imports(path.read_text(encoding="utf-8")) if ".services." in name]
        assert services == [], path.name
