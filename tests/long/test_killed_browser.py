"""A browser that is killed at any moment of the talent's flow loses no finished recording."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.browser import staff_steps, talent_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio
from tests.browser.tab import SIZES
from tests.support.browser import CHROMIUM_FLAGS
from tests.support.processes import wait_for

pytestmark = pytest.mark.browser

TAKE, PART, NOTHING, RECEIVED = "take", "part", "nothing", "received"
EARLIER = {
    TAKE: "You made this recording here earlier. It has not been sent yet.",
    PART: "The page closed while you were recording.",
    NOTHING: "First the microphone.",
}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def open_only(_page: Page) -> None:
    """Nothing more than what every moment begins with."""


def begin(page: Page) -> None:
    talent_steps.allow_microphone(page)
    press(page, "Record")


def record(page: Page) -> None:
    begin(page)
    expect(page.get_by_role("timer")).to_have_text("2 s")


def stop(page: Page) -> None:
    begin(page)
    expect(page.get_by_role("timer")).to_have_text("3 s")
    press(page, "Stop")


def finish(page: Page) -> None:
    talent_steps.allow_microphone(page)
    talent_steps.record_statement(page)


def play(page: Page) -> None:
    finish(page)
    talent_steps.play_recording(page)


def record_again(page: Page) -> None:
    finish(page)
    press(page, "Record again")
    press(page, "Record")
    expect(page.get_by_role("timer")).to_have_text("1 s")


def press_send(page: Page) -> None:
    play(page)
    press(page, "Send it")


def send(page: Page) -> None:
    play(page)
    talent_steps.send_recording(page)


# Each moment: the steps to it, and what may be left after the kill.
MOMENTS: dict[str, tuple[Callable[[Page], None], set[str]]] = {
    "page opened": (open_only, {NOTHING}),
    "microphone checked": (talent_steps.allow_microphone, {NOTHING}),
    "Record pressed": (begin, {NOTHING, PART}),
    "2 s recorded": (record, {PART}),
    "Stop pressed": (stop, {PART, TAKE}),
    "finished": (finish, {TAKE}),
    "played": (play, {TAKE}),
    "recorded again": (record_again, {TAKE}),
    "Send pressed": (press_send, {TAKE, RECEIVED}),
    "received": (send, {RECEIVED}),
}


@dataclass
class Phone:
    """A browser with a profile on disk, which can be killed and started again."""

    playwright: Playwright
    chromium: Path
    microphone: Path
    folder: Path

    def start(self) -> Page:
        capture = f"--use-file-for-fake-audio-capture={self.microphone}%noloop"
        options: dict[str, Any] = {
            "args": [*CHROMIUM_FLAGS, capture],
            "executable_path": self.chromium,
            **SIZES["phone"],
        }
        self.context: BrowserContext = self.playwright.chromium.launch_persistent_context(self.folder, **options)
        return self.context.pages[0]

    def _find_processes(self) -> list[int]:
        found = []
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if f"--user-data-dir={self.folder}".encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found

    def kill(self) -> None:
        for process in self._find_processes():
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
        wait_for(lambda: not self._find_processes(), "the browser to end")
        with suppress(Exception):  # Playwright notices that its browser is gone
            self.context.close()
        for lock in self.folder.glob("Singleton*"):
            lock.unlink()


@pytest.fixture
def phone(playwright: Playwright, chromium: Path, microphone: Path, tmp_path: Path) -> Iterator[Phone]:
    phone = Phone(playwright, chromium, microphone, tmp_path / "profile")
    yield phone
    phone.kill()


def open_page(page: Page, link: str) -> str:
    """Open the link after a kill. Return what is left of the recording."""
    page.goto(link)
    if not page.get_by_role("button", name="Continue to the text").count():
        return RECEIVED
    talent_steps.continue_to_statement(page)
    message = page.locator(talent_steps.MESSAGE)
    expect(message).not_to_be_empty()
    text = message.text_content() or ""
    return next(kind for kind, words in EARLIER.items() if words in text)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_browser_keeps_the_recording(
    moment: str, phone: Phone, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    with open_session_tab("paula") as tab:
        consent = staff_steps.request_consent(tab, staff_steps.prepare_talent(studio, f"Kay Killed {moment}"))
        link = staff_steps.create_private_link(tab.page)
    steps, expected = MOMENTS[moment]
    page = phone.start()
    page.goto(link)
    talent_steps.continue_to_statement(page)
    steps(page)
    fingerprint = read_fingerprint(page) if moment in {"finished", "played", "recorded again"} else ""
    phone.kill()

    page = phone.start()
    left = open_page(page, link)
    assert left in expected
    if left == TAKE:
        assert read_fingerprint(page) == fingerprint or not fingerprint
    if left in {TAKE, PART} and page.get_by_role("button", name="Send it").is_visible():
        talent_steps.play_recording(page)
        fingerprint = read_fingerprint(page)
        talent_steps.send_recording(page)
    if fingerprint:
        assert read_stored(studio, consent) == fingerprint


def read_fingerprint(page: Page) -> str:
    return page.locator("[data-part=fingerprint]").text_content() or ""


def read_stored(studio: Studio, consent: UUID) -> str:
    return str(studio.read_newest_take(consent)["sha256"])
