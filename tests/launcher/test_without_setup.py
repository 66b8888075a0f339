"""Commands right after the installation: without settings, home folder, data folder, secrets and database."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from providers import registry
from providers.types import Tier
from tests.support.wav import load_sample_wav
from voicehub import env

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"

RunManage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """The path of the data folder, which does not exist."""
    return tmp_path / "data"


@pytest.fixture
def environment(data_folder: Path, tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "VOICEHUB_DATA_DIR": str(data_folder)}


@pytest.fixture
def run_manage(environment: dict[str, str]) -> RunManage:
    def run_command(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(MANAGE), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run_command


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(load_sample_wav("slt-01"))
    return path


@pytest.mark.parametrize("arguments", [["--help"], ["help", "worker"], ["migrate", "--help"], ["studio", "-h"], []])
def test_help_needs_no_setup(run_manage: RunManage, data_folder: Path, arguments: list[str]) -> None:
    result = run_manage(*arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert "worker" in result.stdout or "usage: manage.py" in result.stdout
    assert not data_folder.exists()


def test_inspect_audio_reports_that_it_uses_built_in_limits(
    run_manage: RunManage, data_folder: Path, clip: Path
) -> None:
    result = run_manage("inspect_audio", clip, "--json", "--provider", "resemble_v2", "--tier", "professional")
    assert result.returncode == 0
    assert "built-in limits" in result.stderr
    (report,) = json.loads(result.stdout)
    max_seconds = registry.get_provider_class("resemble_v2").tiers[Tier.PROFESSIONAL].limits["longest_clip"].value
    assert ("too_long" in [finding["code"] for finding in report["findings"]]) is (
        report["format"]["seconds"] > max_seconds
    )
    assert not data_folder.exists()


def test_inspect_audio_creates_no_database(run_manage: RunManage, data_folder: Path, clip: Path) -> None:
    data_folder.mkdir()
    assert "built-in limits" in run_manage("inspect_audio", clip).stderr
    assert list(data_folder.iterdir()) == []


def test_prepare_audio_needs_no_setup(run_manage: RunManage, data_folder: Path, clip: Path, tmp_path: Path) -> None:
    result = run_manage("prepare_audio", "convert", clip, "--into", tmp_path / "output")
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "output" / "clip.wav").exists()
    assert not data_folder.exists()


def test_sandbox_needs_no_setup(environment: dict[str, str], data_folder: Path) -> None:
    command = [sys.executable, str(MANAGE), "sandbox", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        server.send_signal(signal.SIGTERM)
    assert line.startswith("Sandbox listening on http://127.0.0.1:")
    assert [path.name for path in data_folder.iterdir()] == ["sandbox"]


@pytest.mark.parametrize("command", ["worker", "migrate", "doctor", "sweep", "check", "sample_studio"])
def test_other_commands_name_missing_secret_and_how_to_create_it(
    run_manage: RunManage, data_folder: Path, command: str
) -> None:
    result = run_manage(command)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("manage.py: VOICEHUB_SECRET_KEY is not set. Set VOICEHUB_SECRET_KEY or ")
    assert f"run `manage.py studio` once, which creates {data_folder / 'secrets' / 'secret_key'}" in line
    assert not data_folder.exists()


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["manage.py", "sandbox", "--port", "0"], False),
        ([f"{os.sep}srv{os.sep}manage.py", "help"], False),
        (["manage.py", "worker", "--help"], False),
        (["manage.py"], False),
        (["manage.py", "worker"], True),
        (["manage.py", "migrate", "sandbox"], True),
        (["gunicorn", "--help"], True),
        (["gunicorn"], True),
        ([], True),
    ],
)
def test_only_commands_that_use_secrets_need_them(argv: list[str], expected: bool) -> None:
    """A web server needs secrets, whatever its arguments are."""
    assert env.needs_secrets(argv) is expected


def test_signing_and_encryption_fail_without_secrets(environment: dict[str, str]) -> None:
    """A command that may start without secrets still fails as soon as it uses a secret."""
    script = "import sys; sys.argv = ['manage.py', 'sandbox']\nimport django; django.setup()\n{}"
    for statement in (
        "from django.core import signing; signing.dumps(1)",
        "from voicehub import encryption; encryption.load_keys()",
    ):
        result = subprocess.run(
            [sys.executable, "-c", script.format(statement)],
            env=environment | {"DJANGO_SETTINGS_MODULE": "voicehub.settings"},
            cwd=MANAGE.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1
        assert "ImproperlyConfigured" in result.stderr
