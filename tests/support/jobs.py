"""Jobs for the limited child that go wrong in every way that a hostile file could bring about."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from audio.findings.findings import Refused, make_finding

LIMITS = ("CPU", "FSIZE", "NOFILE", "CORE", "NPROC")
Records = Iterator[dict[str, Any]]


def echo(source: BinaryIO, times: int = 1, start: int = 0) -> Records:
    source.seek(start)
    text = source.read().decode()
    for number in range(times):
        yield {"kind": "said", "text": text, "number": number}


def surroundings(source: BinaryIO) -> Records:
    """What a child can see of its parent."""
    text = json.dumps(
        {
            "environment": dict(os.environ),
            "files": sorted(one.name for one in Path.cwd().iterdir()),
            "folder": str(Path.cwd()),
            "path": sys.path,
            "django": "django" in sys.modules,
            "limits": {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in LIMITS},
            "compiles": not sys.dont_write_bytecode,
            "session": os.getsid(0) == os.getpid(),
            "open": [number for number in range(3, 64) if _is_open(number)],
        }
    )
    yield {"kind": "said", "text": text, "number": 0}


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def refuse(source: BinaryIO) -> Records:
    yield {"kind": "said", "text": "so far so good", "number": 1}
    raise Refused(make_finding("not_wav"))


def stumble(source: BinaryIO) -> Records:
    yield from ()
    raise LookupError("a secret of the reader")


def spin(source: BinaryIO) -> Records:
    yield from ()
    while True:
        pass


def trickle(source: BinaryIO) -> Records:
    """Say a little now and then, for ever."""
    while True:
        yield {"kind": "said", "text": "", "number": 0}
        time.sleep(0.05)


def sleep(source: BinaryIO) -> Records:
    yield {"kind": "said", "text": str(os.getpid()), "number": 0}
    time.sleep(3600)


def hoard(source: BinaryIO) -> Records:
    yield from ()
    held = []
    while True:
        held.append(b"\1" * (16 << 20))


def write(source: BinaryIO, size: int) -> Records:
    with Path("long").open("wb") as out:
        for _ in range(size >> 16):
            out.write(bytes(1 << 16))
    yield {"kind": "said", "text": "written", "number": size}


def kill_itself(source: BinaryIO) -> Records:
    yield from ()
    os.kill(os.getpid(), signal.SIGKILL)


def crash(source: BinaryIO) -> Records:
    yield from ()
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(source: BinaryIO) -> Records:
    yield from ()
    os._exit(0)


def fall_silent(source: BinaryIO) -> Records:
    """Close what it tells through, and go on living."""
    yield from ()
    os.close(_pen())
    time.sleep(3600)


def say(source: BinaryIO, line: str, times: int = 1) -> Records:
    """Speak past the end of the job's own pen."""
    yield from ()
    pen = _pen()
    for _ in range(times):
        os.write(pen, line.encode())


def babble(source: BinaryIO, line: str) -> Records:
    yield from ()
    pen, data = _pen(), line.encode()
    while True:
        os.write(pen, data)


def _pen() -> int:
    """The pipe that results go through: the first after the three that everybody has, but for the leash."""
    return next(number for number in range(3, 64) if _is_open(number) and _writes(number))


def _writes(number: int) -> bool:
    try:
        os.write(number, b"")
    except OSError:
        return False
    return True


def print_things(source: BinaryIO) -> Records:
    os.write(1, b"a library says hello\n")
    sys.stdout.write("and so does Python\n")
    sys.stdout.flush()
    yield {"kind": "said", "text": "quiet", "number": 0}


def start_another(source: BinaryIO) -> Records:
    """Leave a process behind that would outlive this one."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    yield {"kind": "said", "text": str(other.pid), "number": 0}
    time.sleep(3600)


def say_odd_number(source: BinaryIO) -> Records:
    yield {"kind": "said", "text": "x", "number": float("nan")}
