"""Jobs for the restricted child process. They fail in each way that a hostile file could cause."""

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

from audio.findings.findings import FileRefused, make_finding

LIMITS = ("CPU", "FSIZE", "NOFILE", "CORE", "NPROC")
Records = Iterator[dict[str, Any]]


def echo(source: BinaryIO, times: int = 1, start: int = 0) -> Records:
    source.seek(start)
    text = source.read().decode()
    for number in range(times):
        yield {"kind": "said", "text": text, "number": number}


def report_environment(source: BinaryIO) -> Records:
    """Report the environment that the child process can see."""
    text = json.dumps(
        {
            "environment": dict(os.environ),
            "files": sorted(path.name for path in Path.cwd().iterdir()),
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


def raise_refusal(source: BinaryIO) -> Records:
    yield {"kind": "said", "text": "so far so good", "number": 1}
    raise FileRefused(make_finding("not_wav"))


def raise_lookup_error(source: BinaryIO) -> Records:
    yield from ()
    raise LookupError("a secret of the reader")


def loop_forever(source: BinaryIO) -> Records:
    yield from ()
    while True:
        pass


def yield_forever(source: BinaryIO) -> Records:
    """Yield small results forever, with pauses."""
    while True:
        yield {"kind": "said", "text": "", "number": 0}
        time.sleep(0.05)


def sleep(source: BinaryIO) -> Records:
    yield {"kind": "said", "text": str(os.getpid()), "number": 0}
    time.sleep(3600)


def allocate_memory(source: BinaryIO) -> Records:
    yield from ()
    blocks = []
    while True:
        blocks.append(b"\1" * (16 << 20))


def write_file(source: BinaryIO, size: int) -> Records:
    with Path("long").open("wb") as file:
        for _ in range(size >> 16):
            file.write(bytes(1 << 16))
    yield {"kind": "said", "text": "written", "number": size}


def kill_itself(source: BinaryIO) -> Records:
    yield from ()
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(source: BinaryIO) -> Records:
    yield from ()
    os.kill(os.getpid(), signal.SIGSEGV)


def exit_without_result(source: BinaryIO) -> Records:
    yield from ()
    os._exit(0)


def close_results(source: BinaryIO) -> Records:
    """Close the result pipe but keep running."""
    yield from ()
    os.close(_find_result_pipe())
    time.sleep(3600)


def write_raw_line(source: BinaryIO, line: str, times: int = 1) -> Records:
    yield from ()
    pipe = _find_result_pipe()
    for _ in range(times):
        os.write(pipe, line.encode())


def write_raw_lines_forever(source: BinaryIO, line: str) -> Records:
    yield from ()
    pipe, data = _find_result_pipe(), line.encode()
    while True:
        os.write(pipe, data)


def _find_result_pipe() -> int:
    """Find the result pipe: the first writable descriptor above 2. The pipe from the parent is read-only."""
    return next(number for number in range(3, 64) if _is_open(number) and _is_writable(number))


def _is_writable(number: int) -> bool:
    try:
        os.write(number, b"")
    except OSError:
        return False
    return True


def print_to_stdout(source: BinaryIO) -> Records:
    os.write(1, b"a library says hello\n")
    sys.stdout.write("and so does Python\n")
    sys.stdout.flush()
    yield {"kind": "said", "text": "quiet", "number": 0}


def start_child_process(source: BinaryIO) -> Records:
    """Start a child process that would outlive this one."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    yield {"kind": "said", "text": str(child.pid), "number": 0}
    time.sleep(3600)


def yield_nan(source: BinaryIO) -> Records:
    yield {"kind": "said", "text": "x", "number": float("nan")}
