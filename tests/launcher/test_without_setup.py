"""Commands after the install alone: no environment, no home, no data folder, no secret and no database."""

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
from tests.support.wav import sample_wav
from voicehub import env

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the data folder would be."""
    return tmp_path / "data"


@pytest.fixture
def environment(data: Path, tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "VOICEHUB_DATA_DIR": str(data)}


@pytest.fixture
def manage(environment: dict[str, str]) -> Manage:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(MANAGE), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(sample_wav("slt-01"))
    return path


@pytest.mark.parametrize("arguments", [["--help"], ["help", "worker"], ["migrate", "--help"], ["studio", "-h"], []])
def test_help_needs_nothing(manage: Manage, data: Path, arguments: list[str]) -> None:
    done = manage(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "worker" in done.stdout or "usage: manage.py" in done.stdout
    assert not data.exists()


def test_inspect_audio_uses_the_built_in_limits_and_says_so(manage: Manage, data: Path, clip: Path) -> None:
    done = manage("inspect_audio", clip, "--json", "--provider", "resemble_v2", "--tier", "professional")
    assert done.returncode == 0
    assert "built-in limits" in done.stderr
    (one,) = json.loads(done.stdout)
    longest = registry.get_provider_class("resemble_v2").tiers[Tier.PROFESSIONAL].limits["longest_clip"].value
    assert ("too_long" in [finding["code"] for finding in one["findings"]]) is (one["format"]["seconds"] > longest)
    assert not data.exists()


def test_a_data_folder_without_a_database_stays_without_one(manage: Manage, data: Path, clip: Path) -> None:
    data.mkdir()
    assert "built-in limits" in manage("inspect_audio", clip).stderr
    assert list(data.iterdir()) == []


def test_prepare_audio_needs_nothing(manage: Manage, data: Path, clip: Path, tmp_path: Path) -> None:
    done = manage("prepare_audio", "convert", clip, "--into", tmp_path / "made")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "made" / "clip.wav").exists()
    assert not data.exists()


def test_sandbox_needs_nothing(environment: dict[str, str], data: Path) -> None:
    command = [sys.executable, str(MANAGE), "sandbox", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        server.send_signal(signal.SIGTERM)
    assert line.startswith("Sandbox listening on http://127.0.0.1:")
    assert [path.name for path in data.iterdir()] == ["sandbox"]


@pytest.mark.parametrize("command", ["worker", "migrate", "doctor", "sweep", "check", "sample_studio"])
def test_every_other_command_says_what_is_missing_and_who_makes_it(manage: Manage, data: Path, command: str) -> None:
    done = manage(command)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("manage.py: VOICEHUB_SECRET_KEY is not set. Set VOICEHUB_SECRET_KEY or ")
    assert f"run `manage.py studio` once, which creates {data / 'secrets' / 'secret_key'}" in line
    assert not data.exists()


@pytest.mark.parametrize(
    ("argv", "needed"),
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
def test_who_needs_secrets(argv: list[str], needed: bool) -> None:
    """A server asks for them whatever its arguments are."""
    assert env.needs_secrets(argv) is needed


def test_empty_secrets_sign_and_seal_nothing(environment: dict[str, str]) -> None:
    """What runs without them fails as soon as it uses one."""
    script = "import sys; sys.argv = ['manage.py', 'sandbox']\nimport django; django.setup()\n{}"
    for use in (
        "from django.core import signing; signing.dumps(1)",
        "from voicehub import encryption; encryption.load_keys()",
    ):
        done = subprocess.run(
            [sys.executable, "-c", script.format(use)],
            env=environment | {"DJANGO_SETTINGS_MODULE": "voicehub.settings"},
            cwd=MANAGE.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "ImproperlyConfigured" in done.stderr
