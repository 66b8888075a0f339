"""An import in Firefox and in WebKitGTK: files are dropped, the network is lost meanwhile, and the preview is added."""

import base64
import hashlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser import staff_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import PASSWORD, Studio
from tests.browser.test_uploads import read_stored
from tests.long.test_firefox import NO_SOUND_SERVER, PHONE, launch_firefox
from tests.support.cut_line import CutLine
from tests.support.processes import wait_for
from tests.support.webkit import WebKit

pytestmark = pytest.mark.browser

CLIPS = staff_steps.RMS_CLIPS[:3]
LARGE = 20_000_000  # bytes, in three parts
CUT_AFTER = 11_000_000
NO_CONNECTION = "No connection to the server. The upload goes on by itself."
RECORDINGS = """
SELECT recording.file_name, recording.transcript FROM voices_recording recording
JOIN voices_voice voice ON voice.id = recording.voice_id WHERE voice.name = ?
"""
FIT = "document.scrollingElement.scrollWidth <= innerWidth"


@pytest.fixture
def line(studio: Studio) -> Iterator[CutLine]:
    made = CutLine(studio.address)
    yield made
    made.close()


@pytest.fixture
def firefox(playwright: Playwright) -> Iterator[Browser]:
    browser = launch_firefox(playwright)
    yield browser
    browser.close()


@pytest.fixture
def webkit(tmp_path: Path) -> Iterator[WebKit]:
    browser = WebKit(tmp_path / "webkit", NO_SOUND_SERVER)
    yield browser
    browser.close()


def make_files() -> dict[str, bytes]:
    """Three clips with their table, a picture, and a large file that is no recording."""
    large = random.Random(3).randbytes(LARGE)  # noqa: S311 - reproducible
    return staff_steps.make_clip_files(CLIPS) | {"cover.jpg": b"\xff\xd8\xff", "large.wav": large}


def add_voice(open_session_tab: OpenSessionTab, name: str) -> str:
    """The path of the page of a new voice."""
    with open_session_tab("paula") as tab:
        return staff_steps.add_voice(tab, staff_steps.add_talent(tab, f"{name} Uploads"), name)


def check_stored(studio: Studio, voice: str, files: dict[str, bytes]) -> None:
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    wait_for(lambda: read_stored(studio, voice) == wanted, "all files to be stored")


def check_added(studio: Studio, voice: str) -> None:
    rows = {row["file_name"]: row["transcript"] for row in studio.fetch_rows(RECORDINGS, voice)}
    assert set(rows) == {f"{name}.wav" for name in CLIPS} and all(rows.values())


def open_signed_in(browser: Browser, line: CutLine) -> Page:
    page = browser.new_context(viewport=PHONE).new_page()
    page.goto(line.address)
    page.get_by_label("Username").fill("paula")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    return page


def test_dropped_files_survive_a_cut_and_are_added_in_firefox(
    firefox: Browser, line: CutLine, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    path, files = add_voice(open_session_tab, "Fia Firefox"), make_files()
    page = open_signed_in(firefox, line)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{line.address}{path}")
    line.cut_after(CUT_AFTER)
    staff_steps.drop_files(page, files)
    expect(page.locator("[data-summary]")).to_contain_text(NO_CONNECTION)
    assert line.is_cut
    line.restore()
    page.wait_for_url(re.compile("/imports/"), timeout=90_000)
    check_stored(studio, "Fia Firefox", files)
    groups = page.get_by_role("navigation", name="Groups of the import")
    expect(groups.get_by_role("link", name="Ready to add")).to_contain_text("3", timeout=60_000)
    assert page.evaluate(FIT)
    groups.get_by_role("link", name="Left out").click()
    for name in ("cover.jpg", "large.wav"):
        expect(page.get_by_role("rowheader", name=name)).to_be_visible()
    assert page.evaluate(FIT)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all 2 as CSV").click()
    assert "cover.jpg" in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Add 3 recordings").click()
    expect(page.get_by_role("link", name="Show the recordings")).to_be_visible(timeout=60_000)
    page.context.close()
    check_added(studio, "Fia Firefox")
    assert errors == []


SIGN_IN = """
for (const [name, value] of Object.entries(arguments[0])) document.querySelector(`[name=${name}]`).value = value;
"""
DROP = f"return ({staff_steps.DROP_SCRIPT})([Object.entries(arguments[0]), document.querySelector('[data-drop]')]);"


def test_dropped_files_survive_a_cut_and_are_added_in_webkit(
    webkit: WebKit, line: CutLine, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    path, files = add_voice(open_session_tab, "Wim Webkit"), make_files()
    webkit.goto(line.address)
    webkit.evaluate(SIGN_IN, {"login": "paula", "password": PASSWORD})
    webkit.press("Sign in")
    webkit.wait_for("document.querySelector('h1')?.textContent.trim() === 'Today'")
    webkit.goto(f"{line.address}{path}")
    line.cut_after(CUT_AFTER)
    webkit.evaluate(DROP, {name: base64.b64encode(content).decode() for name, content in files.items()})
    webkit.wait_for_text(NO_CONNECTION)
    assert line.is_cut
    line.restore()
    webkit.wait_for("location.pathname.startsWith('/imports/')", 90)
    check_stored(studio, "Wim Webkit", files)
    webkit.wait_for_text("Ready to add")
    assert webkit.evaluate(f"return {FIT};")
    webkit.goto(f"{webkit.evaluate('return location.origin + location.pathname;')}?show=refused")
    names = "[...document.querySelectorAll('tbody th')].map((one) => one.textContent.trim())"
    assert webkit.evaluate(f"return JSON.stringify({names});") == json.dumps(
        ["cover.jpg", "large.wav"], separators=(",", ":")
    )
    webkit.press("Add 3 recordings")
    webkit.wait_for_text("Show the recordings")
    check_added(studio, "Wim Webkit")
