"""The limited child: what it may do, and that nothing it does harms whoever started it."""

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
from audio.untrusted.child import Job
from audio.untrusted.runner import ROOT, ChildFailed, ChildLimits, matches_shape, run_job
from tests.support import jobs

SHAPES = {"said": {"text": str, "number": int | float}}
SHORT = ChildLimits(cpu_seconds=1, wall_seconds=20)


def told(job: Job, data: bytes = b"", limits: ChildLimits = SHORT, **arguments: Any) -> list[dict[str, Any]]:
    return list(run_job(job, io.BytesIO(data), arguments, SHAPES, limits))


def failure(job: Job, limits: ChildLimits = SHORT, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ChildFailed) as failed:
        told(job, limits=limits, **arguments)
    return failed.value.finding.code, failed.value.finding.text


def test_results_come_in_order_with_what_the_file_holds(tmp_path: Path) -> None:
    assert told(jobs.echo, b"abc", times=3, start=1) == [
        {"kind": "said", "text": "bc", "number": number} for number in range(3)
    ]
    path = tmp_path / "text"
    path.write_bytes(b"from a path")
    assert [one["text"] for one in run_job(jobs.echo, path, {}, SHAPES, SHORT)] == ["from a path"]
    with path.open("rb") as file:
        file.seek(5)
        assert [one["text"] for one in run_job(jobs.echo, file, {}, SHAPES, SHORT)] == ["from a path"]


def test_each_result_is_there_as_soon_as_it_is_told() -> None:
    with closing(run_job(jobs.sleep, io.BytesIO(), {}, SHAPES, SHORT)) as results:
        assert int(next(results)["text"]) > 1


def test_a_child_sees_nothing_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEHUB_SECRET_KEY", "canary")
    seen = json.loads(told(jobs.surroundings)[0]["text"])
    assert "canary" not in str(seen["environment"])
    ours, systems = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}, {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert set(seen["environment"]) <= ours | systems
    assert (seen["files"], seen["django"], seen["session"]) == ([], False, True)
    assert seen["limits"] == {"CPU": 1, "FSIZE": 0, "NOFILE": 64, "CORE": 0, "NPROC": 0}
    assert not seen["compiles"], "a limit on the length of files would cut off compiled modules"
    assert seen["path"][0] == str(ROOT)
    assert "" not in seen["path"]
    assert len(seen["open"]) == 2, "the leash and the pen"
    assert not Path(seen["folder"]).exists()


def test_what_libraries_print_is_no_result() -> None:
    assert [one["text"] for one in told(jobs.print_things)] == ["quiet"]


def test_a_refusal_is_told_in_its_own_words_after_what_was_told_before() -> None:
    results = run_job(jobs.refuse, io.BytesIO(), {}, SHAPES, SHORT)
    assert next(results)["number"] == 1
    with pytest.raises(ChildFailed) as failed:
        next(results)
    assert failed.value.finding.code == "not_wav"


@pytest.mark.parametrize(
    ("job", "code", "said"),
    [
        (jobs.stumble, "broke_the_reader", "LookupError"),
        (jobs.kill_itself, "broke_the_reader", "SIGKILL"),
        (jobs.crash, "broke_the_reader", "SIGSEGV"),
        (jobs.leave, "broke_the_reader", "code 0"),
        (jobs.spin, "took_too_long", "too long"),
        (jobs.say_odd_number, "broke_the_reader", "ValueError"),
    ],
)
def test_a_job_that_goes_wrong_is_a_finding(job: Job, code: str, said: str) -> None:
    found, text = failure(job)
    assert found == code
    assert said in text
    assert "secret" not in text


def test_too_much_memory_is_refused() -> None:
    assert failure(jobs.hoard)[0] == "needed_too_much_memory"


def test_memory_is_watched_where_the_system_does_not_limit_it() -> None:
    code = "import os, sys; sys.path.insert(0, sys.argv[1]); from audio.untrusted import child; "
    code += "child._watch_parent(os.pipe()[0], 1)"
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)], timeout=60, check=False)
    assert done.returncode == child.OUT_OF_MEMORY


def test_no_file_grows_beyond_its_limit() -> None:
    assert failure(jobs.write, ChildLimits(file_bytes=1 << 17), size=1 << 18)[0] == "no_room_to_write"
    assert told(jobs.write, limits=ChildLimits(file_bytes=1 << 17), size=1 << 17)[0]["number"] == 1 << 17


@pytest.mark.parametrize("job", [jobs.sleep, jobs.trickle])
def test_patience_ends(job: Job) -> None:
    limits = ChildLimits(wall_seconds=0.5, output_bytes=2000)
    assert failure(job, limits)[0] == "took_too_long"


def test_the_clock_stands_still_while_nobody_asks() -> None:
    results = run_job(jobs.echo, io.BytesIO(b"x"), {"times": 2}, SHAPES, ChildLimits(wall_seconds=5))
    next(results)
    assert next(results)["number"] == 1


NONSENSE = {
    "no JSON": "hello\n",
    "half a line": '{"kind": "said"',
    "a list": "[]\n",
    "a number": "1\n",
    "no kind": '{"text": "x", "number": 1}\n',
    "a kind that is no text": '{"kind": [], "text": "x", "number": 1}\n',
    "an unknown kind": '{"kind": "paid", "text": "x", "number": 1}\n',
    "a field missing": '{"kind": "said", "text": "x"}\n',
    "a field too many": '{"kind": "said", "text": "x", "number": 1, "more": 1}\n',
    "a field of another type": '{"kind": "said", "text": "x", "number": "1"}\n',
    "not a number": '{"kind": "said", "text": "x", "number": NaN}\n',
    "too large a number": '{"kind": "said", "text": "x", "number": -1e999}\n',
    "very deep": "[" * 100_000 + "\n",
    "a severity that is none": '{"kind": "refused", "finding": '
    '{"severity": "x", "code": "x", "text": "x", "advice": "x", "at": null}}\n',
    "no text at all": "\x00\udcff\n".encode("utf-8", "replace").decode(),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_not_believed(name: str) -> None:
    assert failure(jobs.say, line=NONSENSE[name])[0] == "broke_the_reader"


@pytest.mark.parametrize("line", ["x" * 65536, '{"kind": "said", "text": "x", "number": 1}\n' * 1000])
def test_endless_talk_is_stopped(line: str) -> None:
    limits = ChildLimits(cpu_seconds=10, line_bytes=1 << 18, output_bytes=1 << 20)
    assert failure(jobs.babble, limits, line=line) == (
        "broke_the_reader",
        "The reader failed on the file (too much output).",
    )


def test_a_line_without_an_end_is_stopped() -> None:
    limits = ChildLimits(cpu_seconds=10, line_bytes=1 << 18, output_bytes=1 << 40)
    assert "too much" in failure(jobs.babble, limits, line="x" * 65536)[1]


def test_what_lies_in_memory_is_read_from_its_start() -> None:
    source = io.BytesIO(b"abc")
    source.seek(2)
    assert [one["text"] for one in run_job(jobs.echo, source, {}, SHAPES, SHORT)] == ["abc"]


def test_a_child_that_says_no_more_but_lives_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio.untrusted.runner.EXIT_SECONDS", 0.2)
    assert "without exiting" in failure(jobs.fall_silent)[1]


def gone(pid: int) -> bool:
    """Whether a process ended; one that nobody has fetched yet is ended as well."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.exists():
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode != 0


def eventually(condition: Callable[[], bool]) -> bool:
    """Ask again until it is so, for ten seconds."""
    waiting = threading.Event()
    return any(condition() or waiting.wait(0.05) for _ in range(1200))


@pytest.mark.parametrize("job", [jobs.sleep, jobs.start_another])
def test_closing_the_results_ends_the_child_and_what_it_started(job: Job) -> None:
    results = run_job(job, io.BytesIO(), {}, SHAPES, SHORT)
    try:
        pid = int(next(results)["text"])
    except ChildFailed:  # it may start nothing at all, unless we are root
        return
    results.close()
    assert eventually(lambda: gone(pid))


def test_the_child_dies_with_its_parent() -> None:
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
        assert not gone(pid)
        os.kill(parent.pid, signal.SIGKILL)
    assert eventually(lambda: gone(pid))


@pytest.mark.parametrize(
    ("value", "shape", "fine"),
    [
        ({"a": {"b": 1}}, {"a": {"b": int}}, True),
        ({"a": {"b": "1"}}, {"a": {"b": int}}, False),
        ({"a": 1}, {"a": {"b": int}}, False),
        ({"a": None}, {"a": int | None}, True),
        ({}, {"a": int | None}, False),
    ],
)
def test_shapes(value: object, shape: Any, fine: bool) -> None:
    assert matches_shape(value, shape) is fine
