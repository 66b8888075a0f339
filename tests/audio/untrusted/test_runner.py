"""The sandboxed child process has few rights, and nothing that it does harms its parent."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audio.untrusted import child
from audio.untrusted.child import Job, pack_signed_bytes
from audio.untrusted.runner import (
    ENVIRONMENT,
    ROOT,
    ChildFailed,
    ChildLimits,
    matches_shape,
    parse_signed_bytes,
    run_job,
)
from tests.support import jobs

SHAPES = {"said": {"text": str, "number": int | float}}
SHORT_LIMITS = ChildLimits(cpu_seconds=1, wall_seconds=20)


def collect_results(
    job: Job, data: bytes = b"", limits: ChildLimits = SHORT_LIMITS, **arguments: Any
) -> list[dict[str, Any]]:
    return list(run_job(job, io.BytesIO(data), arguments, SHAPES, limits))


def get_failure(job: Job, limits: ChildLimits = SHORT_LIMITS, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ChildFailed) as failed:
        collect_results(job, limits=limits, **arguments)
    return failed.value.finding.code, failed.value.finding.text


def test_results_come_in_order_with_the_file_content(tmp_path: Path) -> None:
    assert collect_results(jobs.echo, b"abc", times=3, start=1) == [
        {"kind": "said", "text": "bc", "number": number} for number in range(3)
    ]
    path = tmp_path / "text"
    path.write_bytes(b"from a path")
    assert [result["text"] for result in run_job(jobs.echo, path, {}, SHAPES, SHORT_LIMITS)] == ["from a path"]
    with path.open("rb") as file:
        file.seek(5)
        assert [result["text"] for result in run_job(jobs.echo, file, {}, SHAPES, SHORT_LIMITS)] == ["from a path"]


def test_packed_numbers_are_read_and_nothing_else_is() -> None:
    numbers = list(range(-128, 128))
    assert parse_signed_bytes(pack_signed_bytes(numbers)) == numbers and parse_signed_bytes("") == []
    for value in ("AAA", "A?==", "ä", "[1, 2]", None, 7, [1]):
        with pytest.raises(ChildFailed, match="invalid output"):
            parse_signed_bytes(value)


def test_each_result_arrives_as_soon_as_it_is_sent() -> None:
    with closing(run_job(jobs.sleep, io.BytesIO(), {}, SHAPES, SHORT_LIMITS)) as results:
        assert int(next(results)["text"]) > 1


def test_child_is_isolated_from_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEHUB_SECRET_KEY", "canary")
    surroundings = json.loads(collect_results(jobs.report_environment)[0]["text"])
    assert "canary" not in str(surroundings["environment"])
    system_variables = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert set(surroundings["environment"]) <= ENVIRONMENT.keys() | system_variables
    assert (surroundings["files"], surroundings["django"], surroundings["session"]) == ([], False, True)
    assert surroundings["limits"] == {"CPU": 1, "FSIZE": 0, "NOFILE": 64, "CORE": 0, "NPROC": 0}
    assert not surroundings["compiles"], "the file size limit would truncate compiled modules"
    assert surroundings["path"][0] == str(ROOT)
    assert "" not in surroundings["path"]
    assert len(surroundings["open"]) == 2, "the pipe from the parent and the pipe for results"
    assert not Path(surroundings["folder"]).exists()


def test_output_printed_by_libraries_is_ignored() -> None:
    assert [result["text"] for result in collect_results(jobs.print_to_stdout)] == ["quiet"]


def test_refusal_raises_its_finding_after_earlier_results() -> None:
    results = run_job(jobs.raise_refusal, io.BytesIO(), {}, SHAPES, SHORT_LIMITS)
    assert next(results)["number"] == 1
    with pytest.raises(ChildFailed) as failed:
        next(results)
    assert failed.value.finding.code == "not_wav"


@pytest.mark.parametrize(
    ("job", "code", "message"),
    [
        (jobs.raise_lookup_error, "broke_the_reader", "LookupError"),
        (jobs.kill_itself, "broke_the_reader", "SIGKILL"),
        (jobs.segfault, "broke_the_reader", "SIGSEGV"),
        (jobs.exit_without_result, "broke_the_reader", "code 0"),
        (jobs.loop_forever, "took_too_long", "too long"),
        (jobs.yield_nan, "broke_the_reader", "ValueError"),
    ],
)
def test_failure_of_a_job_becomes_a_finding_without_its_details(job: Job, code: str, message: str) -> None:
    found_code, text = get_failure(job)
    assert found_code == code
    assert message in text
    assert "secret" not in text


def test_too_much_memory_is_refused() -> None:
    assert get_failure(jobs.allocate_memory)[0] == "needed_too_much_memory"


def test_child_watches_its_memory_where_the_system_sets_no_limit() -> None:
    code = "import os, sys; sys.path.insert(0, sys.argv[1]); from audio.untrusted import child; "
    code += "child._watch_parent(os.pipe()[0], 1)"
    process = subprocess.run([sys.executable, "-c", code, str(ROOT)], timeout=60, check=False)
    assert process.returncode == child.OUT_OF_MEMORY


def test_file_size_is_limited() -> None:
    assert get_failure(jobs.write_file, ChildLimits(file_bytes=1 << 17), size=1 << 18)[0] == "no_room_to_write"
    assert (
        collect_results(jobs.write_file, limits=ChildLimits(file_bytes=1 << 17), size=1 << 17)[0]["number"] == 1 << 17
    )


@pytest.mark.parametrize("job", [jobs.sleep, jobs.yield_forever])
def test_wall_clock_time_is_limited(job: Job) -> None:
    limits = ChildLimits(wall_seconds=0.5, output_bytes=2000)
    assert get_failure(job, limits)[0] == "took_too_long"


def test_time_limit_does_not_run_while_the_caller_does_not_read() -> None:
    results = run_job(jobs.echo, io.BytesIO(b"x"), {"times": 2}, SHAPES, ChildLimits(wall_seconds=5))
    next(results)
    assert next(results)["number"] == 1


INVALID_LINES = {
    "not JSON": "hello\n",
    "half a line": '{"kind": "said"',
    "a list": "[]\n",
    "a number": "1\n",
    "no kind": '{"text": "x", "number": 1}\n',
    "a kind that is not text": '{"kind": [], "text": "x", "number": 1}\n',
    "an unknown kind": '{"kind": "paid", "text": "x", "number": 1}\n',
    "a field missing": '{"kind": "said", "text": "x"}\n',
    "a field too many": '{"kind": "said", "text": "x", "number": 1, "more": 1}\n',
    "a field of another type": '{"kind": "said", "text": "x", "number": "1"}\n',
    "not a number": '{"kind": "said", "text": "x", "number": NaN}\n',
    "too large a number": '{"kind": "said", "text": "x", "number": -1e999}\n',
    "deeply nested": "[" * 100_000 + "\n",
    "an unknown severity": '{"kind": "refused", "finding": '
    '{"severity": "x", "code": "x", "text": "x", "advice": "x", "at": null}}\n',
    "not UTF-8 text": "\x00\udcff\n".encode("utf-8", "replace").decode(),
}


@pytest.mark.parametrize("name", INVALID_LINES)
def test_invalid_output_line_is_refused(name: str) -> None:
    assert get_failure(jobs.write_raw_line, line=INVALID_LINES[name])[0] == "broke_the_reader"


@pytest.mark.parametrize("line", ["x" * 65536, '{"kind": "said", "text": "x", "number": 1}\n' * 1000])
def test_endless_output_is_stopped(line: str) -> None:
    limits = ChildLimits(cpu_seconds=10, line_bytes=1 << 18, output_bytes=1 << 20)
    assert get_failure(jobs.write_raw_lines_forever, limits, line=line) == (
        "broke_the_reader",
        "The reader failed on the file (too much output).",
    )


def test_endless_line_is_stopped() -> None:
    limits = ChildLimits(cpu_seconds=10, line_bytes=1 << 18, output_bytes=1 << 40)
    assert "too much" in get_failure(jobs.write_raw_lines_forever, limits, line="x" * 65536)[1]


def test_in_memory_file_is_read_from_its_start() -> None:
    source = io.BytesIO(b"abc")
    source.seek(2)
    assert [result["text"] for result in run_job(jobs.echo, source, {}, SHAPES, SHORT_LIMITS)] == ["abc"]


def test_silent_child_that_does_not_exit_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio.untrusted.runner.EXIT_SECONDS", 0.2)
    assert "without exiting" in get_failure(jobs.close_results)[1]


def has_ended(pid: int) -> bool:
    """Return whether a process has ended. A zombie counts as ended."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.exists():
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode != 0


def wait_until(condition: Callable[[], bool]) -> bool:
    """Check the condition again and again, for at most a minute."""
    waiting = threading.Event()
    return any(condition() or waiting.wait(0.05) for _ in range(1200))


@pytest.mark.parametrize("job", [jobs.sleep, jobs.start_child_process])
def test_closing_the_results_kills_the_child_and_its_children(job: Job) -> None:
    results = run_job(job, io.BytesIO(), {}, SHAPES, SHORT_LIMITS)
    try:
        pid = int(next(results)["text"])
    except ChildFailed:  # only root may start another process here
        return
    results.close()
    assert wait_until(lambda: has_ended(pid))


def test_child_dies_with_its_parent() -> None:
    code = (
        "import io, sys; from tests.support import jobs; from audio.untrusted.runner import run_job; "
        "results = run_job(jobs.sleep, io.BytesIO(), {}, {'said': {'text': str, 'number': int}}); "
        "print(next(results)['text'], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert not has_ended(pid)
        os.kill(parent.pid, signal.SIGKILL)
    assert wait_until(lambda: has_ended(pid))


@pytest.mark.parametrize(
    ("value", "shape", "is_match"),
    [
        ({"a": {"b": 1}}, {"a": {"b": int}}, True),
        ({"a": {"b": "1"}}, {"a": {"b": int}}, False),
        ({"a": 1}, {"a": {"b": int}}, False),
        ({"a": None}, {"a": int | None}, True),
        ({}, {"a": int | None}, False),
    ],
)
def test_value_matches_its_shape(value: object, shape: Any, is_match: bool) -> None:
    assert matches_shape(value, shape) is is_match
