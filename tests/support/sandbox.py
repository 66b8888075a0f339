"""The real sandbox as a process, and a little web server that hears its callbacks and serves datasets."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, TypeVar

import requests

MANAGE = Path(__file__).parents[2] / "manage.py"
PATIENCE = 120.0

T = TypeVar("T")


def until(look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """Ask again and again until there is an answer; AssertionError when patience ends."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := look():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"still nothing after {patience:g} seconds")


class SandboxRefused(Exception):
    """It did not start; these are its words."""


class Sandbox:
    """`manage.py sandbox` on a free port, with its control API. `said` is all that it printed, once it has ended."""

    def __init__(self, folder: Path, training_seconds: float = 0.2, port: int = 0) -> None:
        self.folder = folder
        command = [sys.executable, str(MANAGE), "sandbox", "--port", str(port), "--data", str(folder)]
        self.process = subprocess.Popen(
            [*command, "--training-seconds", str(training_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"VOICEHUB_DATA_DIR": str(folder / "dashboard")},
        )
        assert self.process.stdout is not None
        first_line: str = self.process.stdout.readline()
        if "listening on" not in first_line:
            rest, _ = self.process.communicate(timeout=PATIENCE)
            raise SandboxRefused(first_line + rest)
        self.said = first_line
        self.address = next(word for word in first_line.split() if word.startswith("http://"))
        self.port = int(self.address.rsplit(":", 1)[1])

    def control(self, method: str, what: str, body: object = None) -> dict[str, Any]:
        answer = requests.request(method, f"{self.address}/__control/{what}", json=body, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault script."""
        self.control("POST", "faults", {"rules": list(rules)})

    def forward(self, seconds: float) -> dict[str, Any]:
        """Let this time pass at once; the clock as it then is."""
        return self.control("POST", "clock", {"forward": seconds})

    def ledger(self, **wanted: str) -> list[dict[str, Any]]:
        """The lines of the ledger in which all of `wanted` is so."""
        lines: list[dict[str, Any]] = self.control("GET", "ledger")["ledger"]
        return [line for line in lines if wanted.items() <= line.items()]

    def requests(self) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return seen

    def stop(self) -> int:
        """End it as the supervisor does; its exit code."""
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        self.said += self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode


class Listener:
    """A web server of a test: it keeps what is posted to it and serves `files` by path."""

    def __init__(self, port: int = 0) -> None:
        self.posted: Queue[tuple[str, str]] = Queue()
        self.files: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, name: str, content: bytes) -> str:
        """Put a file up; its address."""
        self.files[f"/{name}"] = content
        return f"{self.address}/{name}"

    def heard(self) -> dict[str, Any]:
        """The next posted JSON; queue.Empty when patience ends."""
        found: dict[str, Any] = json.loads(self.posted.get(timeout=PATIENCE)[1])
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            listener.posted.put((self.headers["Content-Type"], body))
            self._answer(200, b"")

        def do_GET(self) -> None:
            content = listener.files.get(self.path)
            self._answer(404 if content is None else 200, content or b"")

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """The test's output stays its own."""

    return Handler
