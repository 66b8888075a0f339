"""The whole flow of a talent in Firefox and in WebKitGTK, on a page of the size of a phone, with a microphone."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser import staff_steps, talent_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio
from tests.long.test_firefox import PHONE, launch_firefox
from tests.support.pulse import PulseAudio
from tests.support.webkit import WebKit

pytestmark = pytest.mark.browser

ALLOWED = {"media.navigator.permission.disabled": True, "media.autoplay.default": 0}
EARLIER_PART = "The page closed while you were recording."
FINGERPRINT = "document.querySelector('[data-part=fingerprint]').textContent"


@pytest.fixture(scope="module")
def pulse(microphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulseAudio]:
    server = PulseAudio(tmp_path_factory.mktemp("pulse"), microphone)
    yield server
    server.stop()


@pytest.fixture
def firefox(playwright: Playwright, pulse: PulseAudio) -> Iterator[Browser]:
    environment = {**os.environ, "PULSE_SERVER": pulse.address}
    browser = launch_firefox(playwright, env=environment, firefox_user_prefs=ALLOWED)
    yield browser
    browser.close()


@pytest.fixture
def webkit(pulse: PulseAudio, tmp_path: Path) -> Iterator[WebKit]:
    browser = WebKit(tmp_path / "webkit", pulse.address)
    yield browser
    browser.close()


def create_link(studio: Studio, open_session_tab: OpenSessionTab, name: str) -> tuple[UUID, str]:
    with open_session_tab("paula") as tab:
        consent = staff_steps.request_consent(tab, staff_steps.prepare_talent(studio, name))
        return consent, staff_steps.create_private_link(tab.page)


def check_width(page: Page) -> None:
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


def test_talent_gives_consent_in_firefox(firefox: Browser, studio: Studio, open_session_tab: OpenSessionTab) -> None:
    consent, link = create_link(studio, open_session_tab, "Flo Firefox")
    page = firefox.new_context(viewport=PHONE).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(link)
    check_width(page)
    talent_steps.continue_to_statement(page)
    talent_steps.allow_microphone(page)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("timer")).to_have_text("3 s")
    check_width(page)
    page.reload()
    expect(page.locator(talent_steps.MESSAGE)).to_contain_text(EARLIER_PART)
    page.get_by_role("button", name="Record again").click()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_enabled()
    fingerprint = talent_steps.record_statement(page, 4)
    check_width(page)
    page.reload()
    expect(page.locator(talent_steps.MESSAGE)).to_contain_text("You made this recording here earlier.")
    talent_steps.play_recording(page)
    talent_steps.send_recording(page)
    check_width(page)
    page.context.close()
    assert studio.read_newest_take(consent)["sha256"] == fingerprint
    assert errors == []


def test_talent_gives_consent_in_webkit(webkit: WebKit, studio: Studio, open_session_tab: OpenSessionTab) -> None:
    consent, link = create_link(studio, open_session_tab, "Wanda Webkit")
    webkit.goto(link)
    assert webkit.evaluate("return innerWidth") == PHONE["width"]
    webkit.evaluate("for (const box of document.querySelectorAll('.tick input')) box.click()")
    webkit.press("Continue to the text")
    webkit.wait_for_text("Read this aloud")
    webkit.press("Allow the microphone")
    webkit.press("Record")
    webkit.wait_for_text("4 s")
    assert webkit.evaluate("return document.scrollingElement.scrollWidth") <= PHONE["width"]
    webkit.press("Stop")
    fingerprint = webkit.wait_for(FINGERPRINT)
    webkit.press("Send it")
    webkit.wait_for_text("It has arrived.")
    take = studio.read_newest_take(consent)
    assert take["sha256"] == fingerprint
    assert "noiseSuppression" not in json.loads(take["device"]), "WebKit does not tell it"
