"""A data folder of the previous version, as the tests of upgrades use it."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.session import build_environment
from tests.upgrade.snapshot import create_data_folder

SNAPSHOT = Path(__file__).with_name("version_0_1.sql")
NO_SANDBOX = "http://127.0.0.1:1"

# The last migrations of the previous version, which had no django-allauth.
LAST_MIGRATIONS = (
    *((app, "zero") for app in ("socialaccount", "mfa", "account")),
    ("voices", "0004"),
    ("consent", "0005"),
    ("voicehub", "0003"),
)
MIGRATE_BACK = """
import sys, django
django.setup()
from django.core.management import call_command
for app, migration in zip(sys.argv[1::2], sys.argv[2::2]):
    call_command("migrate", app, migration, verbosity=0)
"""
# Django's own tables: applied migrations, sequences, content types and permissions.
DJANGO_TABLES = {
    "django_migrations",
    "sqlite_sequence",
    "django_content_type",
    "auth_permission",
    "auth_group_permissions",
}


class DataFolder:
    """A data folder of the previous version, used by processes of the current version."""

    def __init__(self, path: Path, sandbox_url: str = NO_SANDBOX) -> None:
        self._open(path, sandbox_url)
        (path / "static").mkdir()
        create_data_folder(path, SNAPSHOT.read_text(encoding="utf-8"))

    def _open(self, path: Path, sandbox_url: str) -> None:
        self.path = path
        self.environment = build_environment(path) | {"VOICEHUB_SANDBOX_URL": sandbox_url}

    def copy(self, path: Path) -> "DataFolder":
        """Copy the folder as it is now to `path`, which must not exist or be empty."""
        shutil.copytree(self.path, path, dirs_exist_ok=True)
        copied = object.__new__(DataFolder)
        copied._open(path, NO_SANDBOX)
        return copied

    def run(self, *command: str) -> str:
        result = subprocess.run([sys.executable, *command], env=self.environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def migrate(self, *target: str) -> None:
        """Apply all migrations, or go to a target: an app and a migration."""
        self.run("manage.py", "migrate", *target, "--verbosity=0")

    def migrate_back(self) -> None:
        """Reverse the migrations up to the previous version, in one process: each start takes seconds."""
        self.run("-c", MIGRATE_BACK, *(part for migration in LAST_MIGRATIONS for part in migration))

    @contextmanager
    def open_database(self) -> Iterator[sqlite3.Connection]:
        """A connection to the database. Its changes are committed at the end."""
        with closing(sqlite3.connect(self.path / "db.sqlite3")) as database, database:
            yield database

    def read_rows(self) -> dict[str, list[str]]:
        """The rows of every table, keyed by table name. Each row is JSON, keyed by column name."""
        with self.open_database() as database:
            database.row_factory = sqlite3.Row
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {
                table: sorted(
                    json.dumps(dict(row), sort_keys=True, default=str)
                    for row in database.execute(f"SELECT * FROM {table}")  # noqa: S608 - fixed names
                )
                for table in set(tables) - DJANGO_TABLES
            }
