"""Runs one job on an untrusted file in a restricted child process, which ends with its parent.

The child is the same Python interpreter in isolated mode. It gets none of its parent's environment, an empty folder of
its own, the file as standard input, and limits on processor time, memory, file sizes, open files and new processes. It
has no database, no key and no settings. It writes its results as lines of JSON. The parent accepts them only in the
requested shape and up to a limit on their size.
"""

import base64
import contextlib
import fcntl
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copyfileobj
from types import UnionType
from typing import IO, Any, BinaryIO, NoReturn

from audio.findings.findings import FileRefused, Finding, Severity, make_finding
from audio.untrusted.child import OUT_OF_MEMORY, Job

ROOT = Path(__file__).resolve().parents[2]
# With -B: a compiled module written under the file size limit would be truncated, and break every process.
CHILD_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from audio.untrusted.child import main; main(*sys.argv[2:])"
ENVIRONMENT = {
    # Each additional numpy thread would reserve memory and count as a new process.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # glibc reuses the memory of a clip for the next one. Otherwise the system clears new pages for each clip.
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
READ_BLOCK = 1 << 16
PIPE_BYTES = 1 << 20
EXIT_SECONDS = 5.0
"""Time for a child to exit after closing its output; usually it takes milliseconds."""

Shape = type | UnionType | Mapping[str, Any]
"""The required type of a value, or an object with exactly these names, each with its own shape."""

FINDING_SHAPE = {
    "severity": str,
    "code": str,
    "text": str,
    "advice": str,
    "at": int | float | None,
}
ENDINGS: Mapping[str, Mapping[str, Any]] = {"end": {}, "refused": {"finding": FINDING_SHAPE}}
"""The message with which the child ends its output: its kind, and the shape of its fields."""


class ChildFailed(FileRefused):
    """The job failed: it refused the file, or the child was stopped; `finding` says why."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Limits of a child: processor seconds, address space, largest file it may write, open files.

    The parent waits at most `wall_seconds` in total. It accepts lines of at most `line_bytes`, and at most
    `output_bytes` of output in total.
    """

    cpu_seconds: int = 20
    memory_bytes: int = 512 << 20
    file_bytes: int = 0
    open_files: int = 64
    wall_seconds: float = 60.0
    line_bytes: int = 1 << 20
    output_bytes: int = 64 << 20


DEFAULT_LIMITS = ChildLimits()


def run_job(
    job: Job,
    source: BinaryIO | Path,
    arguments: Mapping[str, Any],
    shapes: Mapping[str, Mapping[str, Any]],
    limits: ChildLimits = DEFAULT_LIMITS,
) -> Generator[dict[str, Any], None, None]:
    """Yield the results of `job(file, **arguments)` as they arrive: objects with a `kind` that is a key of `shapes`.

    `job` is a module-level function, `file` is seekable, the arguments are JSON values. A job refuses the file by
    raising Refused. A source that is a file object is read from its start, and its position afterwards is undefined.
    Raises ChildFailed if the job refuses the file, exceeds a limit, or yields a record of another shape. A caller that
    does not read to the end must close the iterator, which ends the child.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(_open_source(source))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="voicehub-child-"))
        child = stack.enter_context(_start_child(job, {"arguments": arguments, "limits": asdict(limits)}, file, folder))
        if not (yield from _parse_records(_read_lines(child, limits), shapes)):
            _raise_exit_reason(child)


@contextlib.contextmanager
def _open_source(source: BinaryIO | Path) -> Iterator[IO[bytes]]:
    """Yield a real file with the bytes of the source; only a source in memory is copied."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
        return
    source.seek(0)
    try:
        source.fileno()
    except OSError:
        with tempfile.TemporaryFile() as copy:
            copyfileobj(source, copy)
            copy.flush()
            copy.seek(0)
            yield copy
    else:
        yield source


@contextlib.contextmanager
def _start_child(
    job: Job, settings: Mapping[str, Any], file: IO[bytes], folder: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the child, and on exit kill it with all its processes. It also ends when the pipe to its parent closes."""
    child_end, parent_end = os.pipe()
    name = f"{job.__module__}:{job.__qualname__}"
    try:
        child = subprocess.Popen(  # noqa: S603 - this interpreter and the project's module
            [sys.executable, "-I", "-B", "-c", CHILD_CODE, str(ROOT), name, json.dumps(settings), str(child_end)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(child_end,),
            env=ENVIRONMENT,
            cwd=folder,
            start_new_session=True,
        )
        with child:
            _widen_pipe(child)
            try:
                yield child
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)
    finally:
        os.close(child_end)
        os.close(parent_end)


def _widen_pipe(child: subprocess.Popen[bytes]) -> None:
    """Let the child run ahead while its parent stores the results. Some systems do not support it."""
    if child.stdout is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _read_lines(child: subprocess.Popen[bytes], limits: ChildLimits) -> Iterator[bytes]:
    """Yield the lines of the child. Only the time spent waiting for the child counts for its time limit."""
    assert child.stdout is not None  # noqa: S101 - it was started with a pipe
    pipe, seconds_left, byte_count, rest = child.stdout.fileno(), limits.wall_seconds, 0, b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            started = time.monotonic()
            if not selector.select(seconds_left):
                _fail("took_too_long")
            seconds_left = max(0.0, seconds_left - (time.monotonic() - started))
            data = os.read(pipe, READ_BLOCK)
            if not data:
                return
            byte_count += len(data)
            *lines, rest = (rest + data).split(b"\n")
            if byte_count > limits.output_bytes or max(map(len, [*lines, rest])) > limits.line_bytes:
                _fail("broke_the_reader", reason="too much output")
            yield from lines


def _parse_records(
    lines: Iterator[bytes], shapes: Mapping[str, Mapping[str, Any]]
) -> Generator[dict[str, Any], None, bool]:
    """Yield the records in the lines; return True if the last record reports the end of the job."""
    known = {**shapes, **ENDINGS}
    for line in lines:
        record = _parse_line(line)
        kind = record.pop("kind", None)
        shape = known.get(kind) if isinstance(kind, str) else None
        if shape is None or not matches_shape(record, shape):
            _fail("broke_the_reader", reason="invalid output")
        if kind == "refused":
            raise ChildFailed(parse_finding(record["finding"]))
        if kind == "end":
            return True
        yield {"kind": kind, **record}
    return False


def _raise_exit_reason(child: subprocess.Popen[bytes]) -> NoReturn:
    """Raise why a child ended without reporting the end of its job."""
    try:
        code = child.wait(EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        _fail("broke_the_reader", reason="it stopped writing without exiting")
    if code == -signal.SIGXCPU:
        _fail("took_too_long")
    if code == OUT_OF_MEMORY:
        _fail("needed_too_much_memory")
    _fail("broke_the_reader", reason=signal.Signals(-code).name if code < 0 else f"code {code}")


def _parse_line(line: bytes) -> dict[str, Any]:
    try:
        record = DECODER.decode(line.decode("ascii"))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        _fail("broke_the_reader", reason="invalid output")
    return record


def _parse_finite(text: str) -> float:
    """Refuse NaN, Infinity, and numbers that are too large for a float and would become infinite."""
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


DECODER = json.JSONDecoder(parse_float=_parse_finite, parse_constant=_parse_finite)


def matches_shape(value: object, shape: Shape) -> bool:
    """Whether a JSON value has this shape; the contents of a plain `list` or `dict` are not checked."""
    if isinstance(shape, type | UnionType):
        return isinstance(value, shape)
    if not isinstance(value, dict) or value.keys() != shape.keys():
        return False
    return all(matches_shape(value[name], inner) for name, inner in shape.items())


def parse_finding(fields: object, severities: Collection[Severity] = tuple(Severity)) -> Finding:
    """The finding in a record of the child. Raises ChildFailed if it is none of these severities."""
    if not isinstance(fields, dict) or not matches_shape(fields, FINDING_SHAPE) or fields["severity"] not in severities:
        _fail("broke_the_reader", reason="invalid output")
    return Finding(**{**fields, "severity": Severity(fields["severity"])})


def parse_signed_bytes(text: object) -> list[int]:
    """The numbers in -128..127 that the child packed. Raises ChildFailed if it did not."""
    try:
        data = base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except ValueError:
        _fail("broke_the_reader", reason="invalid output")
    return memoryview(data).cast("b").tolist()


def _fail(code: str, reason: str = "") -> NoReturn:
    raise ChildFailed(make_finding(code, reason=reason))
