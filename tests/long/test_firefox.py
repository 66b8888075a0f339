"""Staff and talent pages work in Firefox. A whole recording is tested only in Chromium."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, ViewportSize, expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio

pytestmark = pytest.mark.browser

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
INSTALL_HINT = "Firefox is not installed. Install it with `apt install firefox-esr`."


# Firefox's own microphone, which sends a tone, allowed without a question.
TONE: dict[str, str | float | bool] = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
}
NO_SOUND_SERVER = "unix:/nowhere"


def launch_firefox(playwright: Playwright, **options: Any) -> Browser:
    program = shutil.which("firefox-esr")
    assert program, INSTALL_HINT
    return playwright.firefox.launch(channel="moz-firefox", executable_path=program, **options)


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    browser = launch_firefox(playwright)
    yield browser
    browser.close()


@pytest.fixture
def firefox_without_output(playwright: Playwright) -> Iterator[Browser]:
    """A Firefox with a microphone on a computer without a sound output."""
    environment = {**os.environ, "PULSE_SERVER": NO_SOUND_SERVER}
    browser = launch_firefox(playwright, env=environment, firefox_user_prefs=TONE)
    yield browser
    browser.close()


def create_link(open_session_tab: OpenSessionTab, name: str) -> str:
    with open_session_tab("paula") as tab:
        staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, name))
        return staff_steps.create_private_link(tab.page)


def test_staff_can_sign_in_and_read_pages_in_firefox(
    firefox: Browser, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    with open_session_tab("paula") as tab:
        talent = staff_steps.prepare_talent(studio, "Fay Fox")
        voice = staff_steps.add_voice(tab, talent, "Fay, narrator")
        consent = staff_steps.request_consent(tab, talent)
        staff_steps.upload_take(tab, consent, sound.read_clip("consent-slt"))
    context = firefox.new_context(viewport=DESKTOP)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    staff_steps.sign_in(studio, context, "paula")
    page = context.pages[0]
    page.goto(f"{studio.address}{voice}")
    expect(page.get_by_role("heading", name="Fay, narrator", level=1)).to_be_visible()
    page.goto(f"{studio.address}/consents/{consent}/")
    expect(page.get_by_text("To review").first).to_be_visible()
    context.close()
    assert errors == []


def test_talent_can_open_the_link_and_decline_in_firefox(
    firefox: Browser, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    page = firefox.new_context(viewport=PHONE).new_page()
    page.goto(create_link(open_session_tab, "Dee Clines"))
    expect(page.get_by_role("button", name="Continue to the text")).to_be_visible()
    page.locator("details:has(form[action*=decline]) > summary").click()
    expect(page.get_by_role("button", name="Decline")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    page.context.close()


def test_firefox_without_sound_output_does_not_wait_for_ever(
    firefox_without_output: Browser, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    page = firefox_without_output.new_context(viewport=PHONE).new_page()
    page.goto(create_link(open_session_tab, "Otto Putless"))
    talent_steps.tick_purposes(page)
    page.get_by_role("button", name="Continue to the text").click()
    allow = page.get_by_role("button", name="Allow the microphone")
    allow.click()
    expect(page.locator(talent_steps.MESSAGE)).to_contain_text("Connect a loudspeaker or headphones")
    expect(allow).to_be_enabled()


BAR = """() => {
  const bar = Object.assign(document.createElement("progress"), { className: "bar" });
  document.body.append(bar);
  return [getComputedStyle(bar, "::-moz-progress-bar").backgroundColor, getComputedStyle(bar).animationName];
}"""


def test_bar_without_an_end_moves_in_firefox(
    firefox: Browser, studio: Studio, open_session_tab: OpenSessionTab
) -> None:
    context = firefox.new_context(viewport=DESKTOP)
    staff_steps.sign_in(studio, context, "paula")
    fill, animation = context.pages[0].evaluate(BAR)
    context.close()
    assert fill == "rgba(0, 0, 0, 0)", "a filled bar would look finished"
    assert animation == "wander"
