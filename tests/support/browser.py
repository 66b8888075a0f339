"""A real Chromium: found on the machine, started with a WAV file for a microphone."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
HOW_TO_GET_IT = (
    "no Chromium was found. Get one with `apt install chromium` or `.venv/bin/playwright install chromium`,"
    " or name yours: VOICEHUB_CHROMIUM=/path/to/chromium"
)
FLAGS = (
    # A container has no user namespaces, no graphics card and a tiny /dev/shm.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Nothing of the browser's own is to be fetched while it is tested.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def find_chromium(playwright: Playwright | None = None) -> Path | None:
    """VOICEHUB_CHROMIUM, or one on the PATH, or the one that Playwright fetched; None when there is none."""
    if named := os.environ.get("VOICEHUB_CHROMIUM"):
        return Path(named) if Path(named).is_file() else None
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    fetched = Path(playwright.chromium.executable_path) if playwright else None
    return fetched if fetched and fetched.is_file() else None


def launch(playwright: Playwright, chromium: Path, microphone: Path | None = None) -> Browser:
    """Start the browser. `microphone` is a WAV that is heard once, from when a page first listens."""
    heard = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
    return playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *heard])
