"""A database and a data folder of the version before keep working, with builds in every state."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import Sandbox
from tests.support.session import environment
from tests.upgrade.snapshot import ACTIVE, OVER, restore
from tests.voices.services.builds.desk import FEW
from voices.models import BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

SNAPSHOT = Path(__file__).with_name("version_0_1.sql")
# A build whose voice the provider has lost is told apart from one that is sent, or sent again, and trained.
BECOMES = {"queued": {"ready"}, "submitting": {"ready", "training"}, "unconfirmed": {"ready"}, "training": {"failed"}}


class Folder:
    """The data folder of the version before, used by processes of this one."""

    def __init__(self, path: Path, sandbox: Sandbox) -> None:
        self.variables = environment(path) | {"VOICEHUB_SANDBOX_URL": sandbox.address}
        (path / "static").mkdir()
        restore(path, SNAPSHOT.read_text(encoding="utf-8"))

    def run(self, *command: str) -> str:
        done = subprocess.run([sys.executable, *command], env=self.variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    path = tmp_path_factory.mktemp("before")
    sandbox = Sandbox(path / "sandbox")
    sandbox.control("POST", "settings", FEW)
    yield Folder(path, sandbox)
    sandbox.stop()


@pytest.fixture(scope="module")
def found(folder: Folder) -> dict[str, Any]:
    """What a studio finds that goes on with it."""
    folder.run("manage.py", "collectstatic", "--no-input", "--verbosity=0")
    answer: dict[str, Any] = json.loads(folder.run("-m", "tests.upgrade.walk").splitlines()[-1])
    return answer


def test_snapshot_has_builds_in_every_state() -> None:
    assert {*ACTIVE, *OVER} == set(BuildStatus.values)


def test_no_migration_is_needed(folder: Folder) -> None:
    folder.run("manage.py", "migrate", "--check")
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
