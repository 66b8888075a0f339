"""The limited child process: sets its limits, runs one job, and writes the results line by line.

Started only by `audio.untrusted.runner`. Its standard input is the file to read; it inherits nothing else.
"""

import base64
import contextlib
import errno
import gc
import importlib
import json
import os
import resource
import select
import sys
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from audio.findings.findings import FileRefused, Finding, make_finding

Job = Callable[..., Iterator[dict[str, Any]]]

MEMORY_ENFORCED = sys.platform == "linux"
WATCH_MILLISECONDS = 100
OUT_OF_MEMORY = 71
"""Exit code of a child without enough memory, because reporting the error would need memory too."""


def main(job: str, settings_json: str, parent_pipe: str) -> None:
    """Run `job` ("module:function") with JSON arguments and limits until it ends or `parent_pipe` closes."""
    settings = json.loads(settings_json)
    limits: dict[str, int] = settings["limits"]
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # output printed by a library is not a result
    function = _import_job(job)
    gc.freeze()  # what was imported stays, so the garbage collector need not look at it again
    watch = (int(parent_pipe), None if MEMORY_ENFORCED else limits["memory_bytes"])
    threading.Thread(target=_watch_parent, args=watch, daemon=True).start()
    _set_limits(limits)
    with os.fdopen(0, "rb") as source:
        for line in _run_job(function, source, settings["arguments"]):
            out.write(line + "\n")
            out.flush()


def _import_job(job: str) -> Job:
    module, _, name = job.partition(":")
    function: Job = getattr(importlib.import_module(module), name)
    return function


def _watch_parent(parent_pipe: int, memory_bytes: int | None) -> None:
    """Exit when the parent ends, however it ends, because its end of the pipe closes then.

    Also exit above `memory_bytes`, which is None where the system itself limits memory. Runs as a thread, because not
    every system can signal the end of a parent.
    """
    poller = select.poll()
    poller.register(parent_pipe)
    while not poller.poll(None if memory_bytes is None else WATCH_MILLISECONDS):
        if memory_bytes is not None and _measure_memory() > memory_bytes:
            os._exit(OUT_OF_MEMORY)
    os._exit(0)


def _measure_memory() -> int:
    """Return the peak memory in bytes: macOS reports bytes, other systems kB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _set_limits(limits: dict[str, int]) -> None:
    cpu = limits["cpu_seconds"]
    _set_limit(resource.RLIMIT_CPU, cpu, cpu + 1)
    _set_limit(resource.RLIMIT_AS, limits["memory_bytes"])
    _set_limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _set_limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_NPROC, 0)


def _set_limit(resource_id: int, soft: int, hard: int | None = None) -> None:
    """Set one limit; ignore systems that do not support it."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource_id, (soft, soft if hard is None else hard))


def _run_job(job: Job, source: BinaryIO, arguments: dict[str, Any]) -> Iterator[str]:
    """Yield the job's records, then a last line that says that the job ended, or why it failed."""
    encode = json.JSONEncoder(allow_nan=False).encode
    try:
        for record in job(source, **arguments):
            yield encode(record)
        yield json.dumps({"kind": "end"})
    except FileRefused as refused:
        yield _format_refusal(refused.finding)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - any error of a hostile file is reported and ends only this child
        code = "no_room_to_write" if _is_disk_full(error) else "broke_the_reader"
        yield _format_refusal(make_finding(code, reason=type(error).__name__))


def pack_signed_bytes(values: Iterable[int]) -> str:
    """Numbers in -128..127 as text that takes little time to write and to read, as `parse_signed_bytes` does."""
    return base64.b64encode(array("b", values)).decode()


def _format_refusal(finding: Finding) -> str:
    return json.dumps({"kind": "refused", "finding": finding.as_dict()})


def _is_disk_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
