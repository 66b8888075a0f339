"""Fixtures of the long tests. These run only in `make test-long`: they take minutes and need additional programs."""

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
from tests.processes.conftest import harness, queue_server, sandbox, start_process

# Read before the test session replaces the environment.
SCREENSHOT_FOLDER = Path(os.environ.get("VOICEHUB_SHOTS", "var/screenshots")).resolve()

# Fixtures of other test folders that these tests use.
__all__ = [
    "SCREENSHOT_FOLDER",
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
    "start_process",
    "studio",
    "open_session_tab",
]

FIREFOX_PATCH = Path(__file__).parents[1] / "support" / "firefox_esr.cjs"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One Playwright for both browsers, because a thread can run only one. The patch affects only Firefox ESR."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("NODE_OPTIONS", f"--require={FIREFOX_PATCH}")
        driver = sync_playwright().start()
    yield driver
    driver.stop()
