"""A database and a data folder of the version before keep working, with builds in every state."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import Sandbox
from tests.support.session import environment
from tests.upgrade.snapshot import ACTIVE, OVER, restore
from tests.voices.services.builds.build_harness import QUICK_SETTINGS
from voices.models import BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

SNAPSHOT = Path(__file__).with_name("version_0_1.sql")
# The provider does not have the voices of the builds that train in the snapshot; the others are sent, and trained.
BECOMES = {"queued": {"ready"}, "submitting": {"ready"}, "unconfirmed": {"ready"}, "training": {"failed"}}


# The last migrations of the version before.
MIGRATIONS = (("voices", "0004"), ("consent", "0005"), ("voicehub", "0003"))
# What Django itself keeps beside the rows: which migrations were applied, and ids that it gives out.
BOOKKEEPING = {
    "django_migrations",
    "sqlite_sequence",
    "django_content_type",
    "auth_permission",
    "auth_group_permissions",
}


class Folder:
    """The data folder of the version before, used by processes of this one."""

    def __init__(self, path: Path, sandbox_url: str) -> None:
        self.path = path
        self.variables = environment(path) | {"VOICEHUB_SANDBOX_URL": sandbox_url}
        (path / "static").mkdir()
        restore(path, SNAPSHOT.read_text(encoding="utf-8"))

    def run(self, *command: str) -> str:
        done = subprocess.run([sys.executable, *command], env=self.variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def read_rows(self) -> dict[str, list[str]]:
        """Every row of every table as JSON with the names of its columns."""
        with closing(sqlite3.connect(self.path / "db.sqlite3")) as database:
            database.row_factory = sqlite3.Row
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {
                table: sorted(
                    json.dumps(dict(row), sort_keys=True, default=str)
                    for row in database.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
                )
                for table in set(tables) - BOOKKEEPING
            }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    path = tmp_path_factory.mktemp("before")
    sandbox = Sandbox(path / "sandbox")
    sandbox.control("POST", "settings", QUICK_SETTINGS)
    yield Folder(path, sandbox.address)
    sandbox.stop()


@pytest.fixture(scope="module")
def found(folder: Folder) -> dict[str, Any]:
    """What a studio finds that goes on with it."""
    folder.run("manage.py", "migrate", "--verbosity=0")
    folder.run("manage.py", "collectstatic", "--no-input", "--verbosity=0")
    answer: dict[str, Any] = json.loads(folder.run("-m", "tests.upgrade.walk").splitlines()[-1])
    return answer


def test_snapshot_has_builds_in_every_state() -> None:
    assert {*ACTIVE, *OVER} == set(BuildStatus.values)


def test_migrations_can_be_reversed_without_loss(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "http://127.0.0.1:1")
    rows = folder.read_rows()
    folder.run("manage.py", "migrate", "--verbosity=0")
    renamed = folder.read_rows()
    assert (
        '"status": "generating"' in str(renamed["voices_preview"]) and "encrypted_key" in renamed["voices_account"][0]
    )
    for app, migration in MIGRATIONS:
        folder.run("manage.py", "migrate", app, migration, "--verbosity=0")
    assert folder.read_rows() == rows
    folder.run("manage.py", "migrate", "--verbosity=0")
    assert folder.read_rows() == renamed


def test_no_migration_is_missing(folder: Folder) -> None:
    assert "No changes detected" in folder.run("manage.py", "makemigrations", "--check", "--dry-run")


@pytest.mark.parametrize("when", ["pages", "pages after"])
def test_every_page_and_file_is_shown(found: dict[str, Any], when: str) -> None:
    assert len(found[when]) > 100
    assert {path: status for path, status in found[when].items() if status != 200} == {}


def test_keys_are_readable_and_histories_hold(found: dict[str, Any]) -> None:
    assert len(found["keys"]) == len(ACTIVE) + len(OVER)
    assert all(key.startswith("key-of-account-") for key in found["keys"])
    assert found["broken histories"] == 0


def test_builds_go_on_where_they_stopped(found: dict[str, Any]) -> None:
    builds = [(before, after) for before, after, _issue in found["builds"]]
    assert len(builds) == len(ACTIVE) + len(OVER)
    assert [(before, after) for before, after in builds if after not in BECOMES.get(before, {before})] == []


def test_tasks_of_every_kind_are_done(found: dict[str, Any]) -> None:
    assert found["given up"] == ["submit_build: It failed."]
