"""Checks the claims in the docs that code can verify."""

import re
from pathlib import Path
from typing import Any

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
from voicehub import upload_limits
from voicehub.roles import PRIVATE_PERMISSIONS, ROLES
from voicehub.sign_in import limits, retention
from voices.models.imports import IMPORT_LIFETIME

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def read_first_column(page: str, heading: str) -> set[str]:
    """Return the names in the first column of the table under a heading."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


def test_settings_table_lists_exactly_the_settings() -> None:
    code = (ROOT / "voicehub" / "settings.py").read_text(encoding="utf-8")
    settings_in_code = set(re.findall(r'"(VOICEHUB_[A-Z0-9_]+|DATABASE_URL|REDIS_URL)"', code))
    assert read_first_column(README, "Settings") == settings_in_code


def test_settings_table_states_current_defaults() -> None:
    for name, default in re.findall(r"^\| `(\w+)` \|.*\| `([^`|]+)`", README, re.MULTILINE):
        code = (ROOT / "voicehub" / "settings.py").read_text(encoding="utf-8")
        setting = re.search(rf'"{name}"[^\n]*', code)
        assert setting, name
        assert default.lower() in setting.group().lower(), (name, default)


def test_commands_table_lists_exactly_the_commands() -> None:
    commands = {name for name, app in get_commands().items() if str(app) in {"voicehub", "consent", "voices"}}
    assert read_first_column(README, "Commands") == {f"manage.py {name}" for name in commands}


def test_provider_tables_are_those_generated_from_the_adapters() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    assert page == render_page(), "Run: python -m docs.providers > docs/providers.md"


def test_each_provider_has_the_files_that_the_guide_lists() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    paths = re.findall(r"^- `([^`]+)`: ", page.split("\n## Adding a provider\n")[1], re.MULTILINE)
    assert {"providers/<slug>/adapter.py", "tests/providers/test_<slug>.py"} <= set(paths)
    files = [path.replace("<slug>", slug) for path in paths for slug in PROVIDERS]
    assert [path for path in files if not (ROOT / path).exists()] == []


def test_provider_overview_lists_every_tier() -> None:
    overview = render_page().split("\n## ")[1]
    for provider in list_providers():
        for tier in provider.tiers.values():
            assert f"\n| {provider.label} | {tier.label} |" in overview


def test_page_of_uploads_states_the_limits() -> None:
    page = (ROOT / "docs" / "uploads.md").read_text()
    limits = dict(re.findall(r"\| ([\d,]+(?: [GM]B)?)[^|]*\| `(\w+)` \|", page))
    assert limits == {
        f"{upload_limits.RECORDING_BYTES >> 20} MB": "RECORDING_BYTES",
        f"{upload_limits.ARCHIVE_BYTES >> 30} GB": "ARCHIVE_BYTES",
        f"{upload_limits.TRANSCRIPT_TABLE_BYTES >> 20} MB": "TRANSCRIPT_TABLE_BYTES",
        f"{upload_limits.IMPORT_FILES:,}": "IMPORT_FILES",
        f"{upload_limits.IMPORT_BYTES >> 30} GB": "IMPORT_BYTES",
        f"{upload_limits.IMPORT_WAV_BYTES >> 30} GB": "IMPORT_WAV_BYTES",
        f"{upload_limits.OPEN_IMPORTS_PER_VOICE}": "OPEN_IMPORTS_PER_VOICE",
        f"{upload_limits.OPEN_IMPORTS_PER_PERSON}": "OPEN_IMPORTS_PER_PERSON",
    }
    assert f"after {IMPORT_LIFETIME.days} days" in page
    assert f"up to {upload_limits.STAFF_REQUEST_BYTES >> 30} GB" in page
    part_size = re.search(r"PART_SIZE = (\d+) \* 1024 \* 1024", (ROOT / "static/js/import-uploads.js").read_text())
    assert part_size and f"parts of {part_size[1]} MB" in page
    assert f"One below {upload_limits.IMPORT_PART_BYTES >> 20} MB (`IMPORT_PART_BYTES`)" in page


def test_sandbox_page_lists_every_fault_and_current_defaults() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    table = text.partition("| do | what happens |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)[^`]*` \|", table, re.MULTILINE) == list(ACTIONS)
    for value in (
        vendor_defaults.BAD_KEY_PREFIX,
        vendor_defaults.READ_ONLY_KEY_PREFIX,
        vendor_defaults.AUTHORIZED_KEY_PREFIX,
    ):
        assert f"`{value}" in text
    assert f"{vendor_defaults.PROFESSIONAL_SECONDS:g} seconds" in text


def test_sandbox_page_lists_every_path_and_operation() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    table = text.partition("| vendor | operations |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == OPERATIONS
    for vendor in VENDORS:
        assert f"`/{vendor.root.rstrip('/')}" in text
    for provider in list_providers():
        assert issubclass(provider, HttpProvider)
        assert f"`{provider.sandbox_path}`" in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_relative_link_target_exists(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_mentioned_make_target_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    mentioned = {target for path in PAGES for target in re.findall(r"`make (\w+)", path.read_text(encoding="utf-8"))}
    assert mentioned <= targets


# The requirements of the two chapters: the number of each section, and how many it has.
ASVS_SECTIONS = {
    "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
}  # fmt: skip


def test_security_page_has_each_requirement_and_only_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d\.\d\.\d+) \|", page, re.MULTILINE)
    assert listed == [f"{section}.{n}" for section, count in ASVS_SECTIONS.items() for n in range(1, count + 1)]
    for path, test in set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)):
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {test}"


def test_table_of_private_permissions_is_that_of_the_roles() -> None:
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.\w+)` \|[^|]*\| (.*) \|$", page, re.MULTILINE)
    for permission, cells in rows:
        expected = ["yes" if permission in ROLES[role] else "–" for role in ("viewer", "engineer", "producer")]
        assert cells.split(" | ") == [*expected, "yes"], permission  # admins have every permission
    assert {permission for permission, _cells in rows} >= {"consent.view_names", *PRIVATE_PERMISSIONS}


def test_security_page_states_the_limits() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").replace("\n", " ")
    validators: Any = settings.AUTH_PASSWORD_VALIDATORS
    minutes = int(limits.WINDOW.total_seconds()) // 60
    counts = (limits.MAX_FOR_NAME_AND_NETWORK, limits.MAX_FOR_NETWORK, limits.MAX_FOR_NAME)
    words = "After {} failed attempts for one name from one network, {} from one network, or {} for one name"
    for claim in (
        words.format(*counts),
        f"within {minutes} minutes",
        f"at least {validators[0]['OPTIONS']['min_length']} characters",
        f"ends after {settings.SESSION_COOKIE_AGE // 3600} hours",
        f"factors, after {settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60} minutes",
        f"by default {settings.VOICEHUB_SECURITY_EVENT_DAYS} days",
        f"deleted after {retention.ADDRESS_DAYS} days",
    ):
        assert claim in " ".join(page.split()), claim
