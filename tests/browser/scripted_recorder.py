"""The recorder in a page without a studio, with a scripted microphone and the clock of the test."""

import mimetypes
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

STATIC = Path(__file__).parents[2] / "static"
MICROPHONE = (Path(__file__).parent / "scripted_microphone.js").read_text(encoding="utf-8")
ADDRESS = "https://recorder.test/"
PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Recorder</title>
<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/css/talent.css">
<link rel="stylesheet" href="/static/css/recorder.css">
<script type="module" src="/static/js/recorder/recorder.js"></script>
<main class="sheet"><h1>Read this aloud</h1>{recorder}</main></html>"""


class Recorder:
    """The recorder in a page without a studio: `answers` are the statuses of its next requests, 0 for none."""

    def __init__(self, page: Page, html: str) -> None:
        self.page = page
        self.html = html
        self.answers: list[int] = []
        self.uploads: list[str] = []
        page.route(f"{ADDRESS}**", self._answer)
        page.clock.install()
        page.add_init_script(MICROPHONE)
        page.on("dialog", lambda dialog: dialog.accept())  # the question before a recording is left
        self.visit()
        self.message = page.locator("[data-part=message]")
        self.steps = page.locator("[data-part=steps] li")
        expect(self.message).to_contain_text("First the microphone.")

    def visit(self) -> None:
        """Open the page, or open it again."""
        self.page.goto(ADDRESS)

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS)
        if path.startswith("static/"):
            file = STATIC / path.removeprefix("static/")
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0])
        elif route.request.method == "GET":
            route.fulfill(body=self.html, content_type="text/html")
        else:
            self._answer_talent(route)

    def _answer_talent(self, route: Route) -> None:
        status = self.answers.pop(0) if self.answers else 200
        form = (route.request.post_data_buffer or b"").decode("latin-1")
        if route.request.method == "POST":
            self.uploads.append(form)
        if not status:
            route.abort("connectionrefused")
            return
        sha256 = re.search(r'name="sha256"\s+(\w+)', form)
        route.fulfill(status=status, json={"sha256": sha256[1] if sha256 else "", "next": "/#receipt"})

    def set(self, **values: Any) -> None:
        self.page.evaluate("(values) => Object.assign(script, values)", values)

    def read(self, code: str) -> Any:
        return self.page.evaluate(code)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def wait(self, seconds: float) -> None:
        """Let this much time pass on the clock of the page."""
        self.page.clock.run_for(round(seconds * 1000))

    def open(self) -> None:
        self.press("Allow the microphone")
        expect(self.message).to_contain_text("Say a sentence")
        self.wait(4.5)
        expect(self.page.get_by_role("button", name="Record", exact=True)).to_be_enabled()

    def record(self, seconds: float = 3) -> None:
        self.press("Record")
        expect(self.message).to_have_text("Recording. Read the text aloud, then press Stop.")
        self.wait(seconds)

    def stop(self) -> None:
        self.press("Stop")
        expect(self.page.get_by_role("group", name="Your recording")).to_be_visible()

    def play_to_the_end(self) -> None:
        """A new take plays by itself; one of an earlier visit waits for a press."""
        self.read("document.querySelector('audio').playbackRate = 4")
        if self.read("(({ paused, ended }) => paused && !ended)(document.querySelector('audio'))"):
            self.press("Play")
        expect(self.page.get_by_role("button", name="Send it")).to_be_enabled()

    def check_released(self) -> None:
        """No microphone that the page has opened is still in use."""
        assert self.read("made.tracks.filter((track) => track.readyState === 'live').length") == 0
        assert self.read("made.contexts.filter((context) => context.state !== 'closed').length") == 0
