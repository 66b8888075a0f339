"""Who may import whom: downward only, read off the source (see “How it is put together” in CONTRIBUTING.md)."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("voicehub", "consent", "voices")
HOUSE = ("launcher", "audio", "providers", "sandbox", *APPS)

# What stands at which level. The longest name that fits counts; a module that fits none has to be given a place.
LEVELS = {
    # 0: what knows no app
    "audio": 0,
    "launcher": 0,
    "providers": 0,
    # 1: the project, and what the apps share
    "voicehub": 1,
    # 2: rows
    "consent": 2,
    "consent.models": 2,
    "consent.access": 2,
    "consent.extension_points": 2,
    "consent.labels": 2,
    "voices": 2,
    "voices.models": 2,
    "voices.access": 2,
    # 3: what can be done with them
    "consent.services": 3,
    "consent.tasks": 3,
    "voices.services": 3,
    "voices.tasks": 3,
    # 4: the doors
    **{
        f"{app}.{door}": 4
        for app in APPS
        for door in (
            "admin", "apps", "forms", "management", "public_urls", "public_views", "templatetags", "urls", "views"
        )
    },
    "consent.take_upload": 4,
    "consent.take_report": 4,
    "voices.account_forms": 4,
    "voices.build_options": 4,
    "voices.dashboard_urls": 4,
    "voices.presenters": 4,
    "voices.sample_studio": 4,
    "sandbox": 4,
    "voices.webhook_urls": 4,
    "voices.webhooks": 4,
    **{
        f"voicehub.{door}": 4
        for door in (
            "admin_site", "asgi", "checks", "login_throttle", "middleware",
            "settings", "sound_report", "static", "wsgi",
        )
    },
}  # fmt: skip
# Migrations are frozen history, written by Django.
LEFT_OUT = {"migrations"}


def sources() -> dict[str, str]:
    """The source of every module of the house, by its dotted name."""
    found = {}
    for app in HOUSE:
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not LEFT_OUT & set(parts):
                found[".".join(part for part in parts if part != "__init__")] = path.read_text(encoding="utf-8")
    return found


def imports(source: str) -> Iterator[str]:
    """All that a module imports, wherever in it: `a.b` for `import a.b`, `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def level(name: str) -> int:
    """KeyError for what is not of the house."""
    parts = name.split(".")
    return next(LEVELS[known] for size in range(len(parts), 0, -1) if (known := ".".join(parts[:size])) in LEVELS)


def upward(modules: Mapping[str, str]) -> list[str]:
    """Imports of something that stands higher."""
    return [
        f"{name} imports {target}"
        for name, source in modules.items()
        for target in imports(source)
        if within(target, *HOUSE) and level(target) > level(name)
    ]


@dataclass(frozen=True, slots=True)
class Rule:
    """Nobody but `may` imports `these`; or, with `who`, those may import nothing of `these` but `fine`."""

    these: tuple[str, ...]
    may: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()

    def breaks(self, name: str, target: str) -> bool:
        concerned = within(name, *self.who) if self.who else not within(name, *self.may)
        return concerned and within(target, *self.these) and not within(target, *self.fine)


SANDBOX = "sandbox"
PROVIDERS_BUT_THE_REGISTRY = tuple(
    f"providers.{path.stem}"
    for path in (ROOT / "providers").iterdir()
    if path.stem not in ("registry", "__init__", "__pycache__")
)
RULES = (
    Rule(who=("consent",), these=("voices",)),
    Rule(who=("audio",), these=("django", *HOUSE), fine=("audio",)),
    # The sandbox shares nothing with the studio but how a WAV is read.
    Rule(who=(SANDBOX,), these=HOUSE, fine=(SANDBOX, "audio")),
    Rule(these=(SANDBOX,), may=(SANDBOX, "voices.management")),
    # What it makes up must not pass for a measurement.
    Rule(these=("sandbox.scores",), may=(SANDBOX,)),
    # One HTTP client for all providers; the sandbox calls back by itself.
    Rule(
        these=("requests", "urllib3", "httpx", "urllib.request"),
        may=("providers.http", "providers.connections", SANDBOX),
    ),
    Rule(who=("providers",), these=("django.db",)),
    Rule(these=("django.conf",), who=PROVIDERS_BUT_THE_REGISTRY),
    Rule(these=("django.db.models.signals", "django.dispatch"), may=("voicehub.apps",)),
)


def forbidden(modules: Mapping[str, str]) -> list[str]:
    """Imports that break a rule of their own."""
    return [
        f"{name} imports {target}"
        for name, source in modules.items()
        for target in imports(source)
        if any(rule.breaks(name, target) for rule in RULES)
    ]


@pytest.fixture(scope="module")
def modules() -> dict[str, str]:
    return sources()


def test_every_part_of_an_app_has_its_place(modules: dict[str, str]) -> None:
    """A new kind of file in an app is given its level on purpose. What knows no app is at the bottom."""
    nowhere = [
        name
        for name in modules
        if name.count(".") and within(name, "consent", "voices") and ".".join(name.split(".")[:2]) not in LEVELS
    ]
    assert nowhere == []


def test_imports_point_downward(modules: dict[str, str]) -> None:
    assert upward(modules) == []


def test_rules_of_their_own_hold(modules: dict[str, str]) -> None:
    assert forbidden(modules) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("voices.services.builds.poll", "from voices.views import builds"),
        ("voices.models.build", "from voices import services"),
        ("voices.models.build", "def f():\n    from voices.services.builds.start import start_build"),
        ("providers.base", "import voices.models"),
        ("voicehub.outbox", "from voices.tasks import submit_build"),
        ("voicehub.transitions", "import consent.models"),
        ("consent.services.gate", "from consent.admin import x"),
        ("voices.tasks", "from voices.webhooks import callback"),
    ],
)
def test_planted_upward_import_is_found(name: str, line: str) -> None:
    assert len(upward({name: line})) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("consent.views.talents", "from voices.models import Voice"),
        ("consent.admin", "import voices"),
        ("sandbox.store", "from voices.models import Voice"),
        ("sandbox.store", "from consent import models"),
        ("sandbox.store", "import voicehub.outbox"),
        ("voices.services.builds.poll", "from sandbox import vendor_defaults"),
        ("audio.wav.riff", "from django.utils import timezone"),
        ("audio.wav.riff", "from voicehub import storage"),
        ("voices.services.builds.poll", "from sandbox.scores import sandbox_scores"),
        ("voices.services.builds.poll", "import requests"),
        ("providers.resemble_v2.adapter", "from urllib.request import urlopen"),
        ("providers.resemble_v2.adapter", "from django.conf import settings"),
        ("consent.services.gate", "from django.db.models.signals import post_save"),
    ],
)
def test_planted_breach_is_found(name: str, line: str) -> None:
    assert len(forbidden({name: line})) == 1


def test_allowed_imports_are_allowed() -> None:
    fine = {
        "voices.services.builds.poll": "import voices.models\nfrom consent.services.gate import permission",
        "sandbox.store": "from audio.wav.riff import read_header\nimport requests\nimport django",
        "providers.registry": "from django.conf import settings",
        "voices.views.builds": "from voices import services, access",
    }
    assert upward(fine) == []
    assert forbidden(fine) == []
