"""Staff and talent pages work in Firefox. Microphone recording is tested only in Chromium."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, ViewportSize, expect

from tests.browser import sound, staff_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio

pytestmark = pytest.mark.browser

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
INSTALL_HINT = "Firefox is not installed. Install it with `apt install firefox-esr`."


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    program = shutil.which("firefox-esr")
    assert program, INSTALL_HINT
    browser = playwright.firefox.launch(channel="moz-firefox", executable_path=program)
    yield browser
    browser.close()


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
    with open_session_tab("paula") as tab:
        staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, "Dee Clines"))
        tab.page.get_by_role("button", name="Create a private link").click()
        link = tab.page.get_by_role("textbox", name="Private link").input_value()
    page = firefox.new_context(viewport=PHONE).new_page()
    page.goto(link)
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    page.locator("details:has(form[action*=decline]) > summary").click()
    expect(page.get_by_role("button", name="Decline")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    page.context.close()
