"""The real sandbox as a process, and a small web server that receives its callbacks and serves datasets."""

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
from urllib.parse import urlencode

import requests

MANAGE = Path(__file__).parents[2] / "manage.py"
TIMEOUT_SECONDS = 120.0

T = TypeVar("T")


def poll_until(probe: Callable[[], T | None], timeout_seconds: float = TIMEOUT_SECONDS) -> T:
    """Call `probe` until it returns a true value. Raises AssertionError on timeout."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if response := probe():
            return response
        time.sleep(0.02)
    raise AssertionError(f"no result after {timeout_seconds:g} seconds")


class SandboxStartError(Exception):
    """The sandbox did not start. The message is its output."""


class SandboxProcess:
    """`manage.py sandbox` on a free port, with its control API. Its whole output is available after it has ended."""

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
            remaining_output, _ = self.process.communicate(timeout=TIMEOUT_SECONDS)
            raise SandboxStartError(first_line + remaining_output)
        self.output = first_line
        self.address = next(word for word in first_line.split() if word.startswith("http://"))
        self.port = int(self.address.rsplit(":", 1)[1])

    def call_control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        response = requests.request(method, f"{self.address}/__control/{path}", json=body, timeout=TIMEOUT_SECONDS)
        assert response.status_code == 200, response.text
        data: dict[str, Any] = response.json()
        return data

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault script."""
        self.call_control("POST", "faults", {"rules": list(rules)})

    def forward_clock(self, seconds: float) -> dict[str, Any]:
        return self.call_control("POST", "clock", {"forward": seconds})

    def read_ledger(self, **fields: str) -> list[dict[str, Any]]:
        """Return the lines of the ledger that have all these field values."""
        lines: list[dict[str, Any]] = self.call_control("GET", "ledger")["ledger"]
        return [line for line in lines if fields.items() <= line.items()]

    def list_requests(self, account: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """The newest requests: all, or those of one account, or those after the one with this number."""
        fields = {"after": after} | ({} if account is None else {"account": account})
        entries: list[dict[str, Any]] = self.call_control("GET", f"requests?{urlencode(fields)}")["requests"]
        return entries

    def get_last_number(self) -> int:
        """The number of the newest request."""
        return int(self.call_control("GET", f"requests?after={sys.maxsize}")["count"])

    def stop(self) -> int:
        """Terminate the sandbox as the supervisor does, and return its exit code."""
        self.process.terminate()
        return self._wait_for_exit()

    def kill(self) -> None:
        self.process.kill()
        self._wait_for_exit()

    def _wait_for_exit(self) -> int:
        self.output += self.process.communicate(timeout=TIMEOUT_SECONDS)[0]
        return self.process.returncode


class CallbackServer:
    """A web server for a test: it stores posted callbacks and serves `files` by path."""

    def __init__(self, port: int = 0) -> None:
        self.callbacks: Queue[tuple[str, str]] = Queue()
        self.files: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _make_handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def serve_file(self, name: str, content: bytes) -> str:
        """Serve a file. Returns its address."""
        self.files[f"/{name}"] = content
        return f"{self.address}/{name}"

    def wait_for_callback(self) -> dict[str, Any]:
        """Return the JSON of the next callback. Raise queue.Empty on timeout."""
        data: dict[str, Any] = json.loads(self.callbacks.get(timeout=TIMEOUT_SECONDS)[1])
        return data

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _make_handler(listener: CallbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            listener.callbacks.put((self.headers["Content-Type"], body))
            self._respond(200, b"")

        def do_GET(self) -> None:
            content = listener.files.get(self.path)
            self._respond(404 if content is None else 200, content or b"")

        def _respond(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no log lines into the test output."""

    return Handler
