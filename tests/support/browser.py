"""Finds an installed Chromium and starts it with a WAV file as its microphone."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

PROGRAM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
INSTALL_HINT = (
    "no Chromium was found. Install it with `apt install chromium` or `.venv/bin/playwright install chromium`,"
    " or set VOICEHUB_CHROMIUM=/path/to/chromium"
)
# Chromium renders the two pop-ups of its address bar for every new context: half of what opening a context costs.
ADDRESS_BAR_FEATURES = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
# Chromium takes the last --disable-features only, so this repeats what Playwright disables for steady tests.
DISABLED_FEATURES = (
    *ADDRESS_BAR_FEATURES,
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
CHROMIUM_FLAGS = (
    # A container has no user namespaces, no graphics card and a tiny /dev/shm.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # The browser must not download its own updates during tests.
    "--disable-background-networking",
    f"--disable-features={','.join(DISABLED_FEATURES)}",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def find_chromium(playwright: Playwright | None = None) -> Path | None:
    """Find Chromium: from VOICEHUB_CHROMIUM, else on the PATH, else Playwright's download. None if there is none."""
    if configured := os.environ.get("VOICEHUB_CHROMIUM"):
        return Path(configured) if Path(configured).is_file() else None
    for name in PROGRAM_NAMES:
        if path := shutil.which(name):
            return Path(path)
    downloaded = Path(playwright.chromium.executable_path) if playwright else None
    return downloaded if downloaded and downloaded.is_file() else None


def launch_browser(playwright: Playwright, chromium: Path, microphone: Path | None = None) -> Browser:
    """Start the browser. Its microphone plays the WAV file `microphone` once, from the moment a page first records."""
    capture_flags = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
    return playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, *capture_flags])
