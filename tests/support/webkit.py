"""Controls WebKitGTK on a phone-sized page, by its WebDriver and nothing but the standard library."""

import json
import os
import shutil
import signal
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.processes import find_free_port, wait_for

PACKAGES = (
    "webkit2gtk-driver xvfb gir1.2-webkit2-4.1 gir1.2-gtk-3.0 python3-gi gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-pulseaudio"
)
INSTALL_HINT = f"WebKitGTK is not installed. Install it with `apt install {PACKAGES}`."
SYSTEM_PYTHON = "/usr/bin/python3"  # it has the bindings of the packages
VIEW = Path(__file__).with_name("webkit_view.py")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element in the WebDriver protocol
WAIT_SECONDS = 60


class WebKit:
    """`folder` keeps the profile. `pulse` is the address of a PulseAudio."""

    def __init__(self, folder: Path, pulse: str) -> None:
        assert shutil.which("WebKitWebDriver") and shutil.which("Xvfb"), INSTALL_HINT
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._screen, display = self._start_screen()
        self._port = find_free_port()
        environment = {
            **os.environ,
            "DISPLAY": display,
            "PULSE_SERVER": pulse,
            "HOME": str(folder),
            # A container has no accessibility bus, no settings daemon and no graphics card.
            "NO_AT_BRIDGE": "1",
            "GSETTINGS_BACKEND": "memory",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        }
        self._log = (folder / "webkit.log").open("ab")
        command = ["WebKitWebDriver", f"--port={self._port}"]
        # In a session of its own, so that it ends together with the browser that it starts.
        self._driver = subprocess.Popen(
            command, env=environment, stdout=self._log, stderr=self._log, start_new_session=True
        )
        wait_for(self._is_ready, "WebKitWebDriver", 30)
        options = {"binary": str(self._write_launcher()), "args": []}
        body = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._session = f"/session/{self._request('POST', '/session', body)['sessionId']}"

    @staticmethod
    def _start_screen() -> tuple["subprocess.Popen[bytes]", str]:
        reader, writer = os.pipe()
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x1000x24", "-nolisten", "tcp"]
        screen = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            return screen, f":{pipe.readline().strip()}"

    def _write_launcher(self) -> Path:
        launcher = self._folder / "view.sh"
        launcher.write_text(f'#!/bin/sh\nexec {SYSTEM_PYTHON} "{VIEW}" "{self._folder}"\n', encoding="utf-8")
        launcher.chmod(0o755)
        return launcher

    def _is_ready(self) -> bool:
        try:
            return bool(self._request("GET", "/status")["ready"])
        except OSError:
            return False

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=90)) as connection:
            connection.request(method, path, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.load(response)
        assert response.status == 200, f"{method} {path}: {answer}"
        return answer["value"]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return self._request(method, self._session + path, body)

    def goto(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    def evaluate(self, body: str, *arguments: Any) -> Any:
        """`body` is that of a function; it reads `arguments`."""
        return self._call("POST", "/execute/sync", {"script": body, "args": list(arguments)})

    def evaluate_promise(self, expression: str) -> Any:
        body = f"const done = arguments[0]; ({expression}).then(done, (error) => done(`failed: ${{error}}`));"
        return self._call("POST", "/execute/async", {"script": body, "args": []})

    def wait_for(self, expression: str, seconds: float = WAIT_SECONDS) -> Any:
        """The value of this expression as soon as it is true."""
        return wait_for(lambda: self.evaluate(f"return {expression};"), lambda: self._describe(expression), seconds)

    def _describe(self, expression: str) -> str:
        return f"{expression} on the page: {self.evaluate('return document.body.innerText;')}"

    def wait_for_text(self, text: str) -> None:
        self.wait_for(f"document.body.innerText.includes({json.dumps(text)})")

    def press(self, name: str) -> None:
        """Click the button with this text as soon as it is visible and enabled."""
        test = f"(one) => one.textContent.trim() === {json.dumps(name)} && one.offsetParent && !one.disabled"
        element = self.wait_for(f"[...document.querySelectorAll('button, summary, a')].find({test})")
        self._call("POST", f"/element/{element[ELEMENT]}/click", {})

    def close(self) -> None:
        os.killpg(self._driver.pid, signal.SIGTERM)
        self._screen.terminate()
        for process in (self._driver, self._screen):
            process.wait()
        self._log.close()
