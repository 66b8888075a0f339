"""Long tests, for `make test-long` only: they take minutes, and ask for more than a first checkout has."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser.conftest import (
    account,
    checked_pages,
    chrome,
    microphone,
    open_session_tab,
    open_tab,
    shared_talent,
    sign_in_cookies,
    studio,
)
from tests.processes.conftest import desk, doorbell, sandbox, start

# Read before the test session replaces the environment.
SHOTS = Path(os.environ.get("VOICEHUB_SHOTS", "var/screenshots")).resolve()

# The fixtures of the default run, for the tests here.
__all__ = [
    "SHOTS",
    "account",
    "shared_talent",
    "chrome",
    "harness",
    "microphone",
    "open_tab",
    "queue_server",
    "sandbox",
    "checked_pages",
    "sign_in_cookies",
    "start",
    "studio",
    "open_session_tab",
]

PATCH = Path(__file__).parents[1] / "support" / "firefox_esr.cjs"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for both browsers, as a thread can have only one: with what Firefox ESR needs, which Chromium never meets."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NODE_OPTIONS", f"--require={PATCH}")
        running = sync_playwright().start()
    yield running
    running.stop()
