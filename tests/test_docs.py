"""What the docs claim, and code can check."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from docs.providers import render_page
from providers.http import HttpProvider
from providers.registry import PROVIDERS, list_providers
from sandbox import vendor_defaults
from sandbox.endpoints import OPERATIONS
from sandbox.faults import ACTIONS
from sandbox.registry import VENDORS

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def column(page: str, heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


def test_every_setting_is_in_the_table_and_the_table_has_no_other() -> None:
    code = (ROOT / "voicehub" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(VOICEHUB_[A-Z0-9_]+|DATABASE_URL|REDIS_URL)"', code))
    assert column(README, "Settings") == read


def test_the_table_names_the_defaults_that_are_in_force() -> None:
    for name, default in re.findall(r"^\| `(\w+)` \|.*\| `([^`|]+)`", README, re.MULTILINE):
        code = (ROOT / "voicehub" / "settings.py").read_text(encoding="utf-8")
        told = re.search(rf'"{name}"[^\n]*', code)
        assert told, name
        assert default.lower() in told.group().lower(), (name, default)


def test_every_command_is_in_the_table_and_the_table_has_no_other() -> None:
    ours = {name for name, app in get_commands().items() if str(app) in {"voicehub", "consent", "voices"}}
    assert column(README, "Commands") == {f"manage.py {name}" for name in ours}


def test_the_provider_tables_are_what_the_adapters_declare() -> None:
    written = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    assert written == render_page(), "Run: python -m docs.providers > docs/providers.md"


def test_every_file_that_a_provider_is_added_with_is_there_for_each() -> None:
    written = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    paths = re.findall(r"^- `([^`]+)`: ", written.split("\n## Adding a provider\n")[1], re.MULTILINE)
    assert {"providers/<slug>/adapter.py", "tests/providers/test_<slug>.py"} <= set(paths)
    wanted = [path.replace("<slug>", slug) for path in paths for slug in PROVIDERS]
    assert [path for path in wanted if not (ROOT / path).exists()] == []


def test_the_first_table_of_providers_has_every_tier() -> None:
    glance = render_page().split("\n## ")[1]
    for provider in list_providers():
        for tier in provider.tiers.values():
            assert f"\n| {provider.label} | {tier.label} |" in glance


def test_the_sandbox_page_names_every_fault_and_the_choices_in_force() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    told = text.partition("| do | what happens |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)[^`]*` \|", told, re.MULTILINE) == list(ACTIONS)
    for value in (
        vendor_defaults.BAD_KEY_PREFIX,
        vendor_defaults.READ_ONLY_KEY_PREFIX,
        vendor_defaults.AUTHORIZED_KEY_PREFIX,
    ):
        assert f"`{value}" in text
    assert f"{vendor_defaults.PROFESSIONAL_SECONDS:g} seconds" in text


def test_the_sandbox_page_names_every_address_and_operation() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    told = text.partition("| vendor | operations |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", told)) == OPERATIONS
    for vendor in VENDORS:
        assert f"`/{vendor.root.rstrip('/')}" in text
    for provider in list_providers():
        assert issubclass(provider, HttpProvider)
        assert f"`{provider.sandbox_path}`" in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_make_target_that_is_named_exists() -> None:
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for path in PAGES for word in re.findall(r"`make (\w+)", path.read_text(encoding="utf-8"))}
    assert named <= made
