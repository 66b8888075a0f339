"""The inside of a limited child: put the limits on, do one job, and tell its results line by line.

Started only by `audio.untrusted.runner`, with the file to read as standard input and nothing else of its parent.
"""

import contextlib
import errno
import importlib
import json
import os
import resource
import select
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from audio.findings.findings import Finding, Refused, make_finding

Job = Callable[..., Iterator[dict[str, Any]]]

MEMORY_ENFORCED = sys.platform == "linux"
WATCH_MILLISECONDS = 100
OUT_OF_MEMORY = 71
"""Our own exit code, for when there is not even the memory to say so."""


def main(job: str, told: str, leash: str) -> None:
    """Do `job` ("module:function"), with arguments and limits as JSON, for as long as the leash is held."""
    told_by_parent = json.loads(told)
    limits: dict[str, int] = told_by_parent["limits"]
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no result
    function = _import_job(job)
    watch = (int(leash), None if MEMORY_ENFORCED else limits["memory_bytes"])
    threading.Thread(target=_watch_parent, args=watch, daemon=True).start()
    _set_limits(limits)
    with os.fdopen(0, "rb") as source:
        for line in _run_job(function, source, told_by_parent["arguments"]):
            out.write(line + "\n")
            out.flush()


def _import_job(job: str) -> Job:
    module, _, name = job.partition(":")
    function: Job = getattr(importlib.import_module(module), name)
    return function


def _watch_parent(leash: int, memory_bytes: int | None) -> None:
    """End with the parent, whose end of the leash closes however it ends; and watch the memory where nothing else does.

    A thread, so that it works where there is no way to ask the system for it.
    """
    held = select.poll()
    held.register(leash)
    while not held.poll(None if memory_bytes is None else WATCH_MILLISECONDS):
        if memory_bytes is not None and _measure_memory() > memory_bytes:
            os._exit(OUT_OF_MEMORY)
    os._exit(0)


def _measure_memory() -> int:
    """The most that was in use, in bytes: macOS counts in bytes, the others in kB."""
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


def _set_limit(which: int, soft: int, hard: int | None = None) -> None:
    """Some systems refuse to limit some things; what they do limit is limited."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (soft, soft if hard is None else hard))


def _run_job(job: Job, source: BinaryIO, arguments: dict[str, Any]) -> Iterator[str]:
    """What the job tells, and last whether it came to its end, or why not."""
    try:
        for record in job(source, **arguments):
            yield json.dumps(record, allow_nan=False)
        yield json.dumps({"kind": "end"})
    except Refused as refused:
        yield _format_refusal(refused.finding)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - whatever a hostile file sets off is told, and ends only this child
        code = "no_room_to_write" if _is_disk_full(error) else "broke_the_reader"
        yield _format_refusal(make_finding(code, reason=type(error).__name__))


def _format_refusal(reason: Finding) -> str:
    return json.dumps({"kind": "refused", "finding": reason.as_dict()})


def _is_disk_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
