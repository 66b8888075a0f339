"""An admin invites a person, confirms who they are, and the person chooses a password by the link."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, expect

from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Tab

OpenTab = Callable[..., Tab]
PASSWORD = "three small boats at dawn"


def test_invited_person_chooses_a_password_and_signs_in(studio: Studio, open_tab: OpenTab, chrome: Browser) -> None:
    tab = open_tab("desktop", "ada")
    page = tab.page
    tab.goto("/administration/voicehub/user/add/")
    page.get_by_label("First name").fill("Nora")
    page.get_by_label("Email").fill("nora.berg@studio.test")
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Link for Nora")).to_be_visible()
    link = page.locator("code").inner_text()
    tab.check_page("link for a password")
    context = chrome.new_context(**SIZES["phone"])
    other = context.new_page()
    other.goto(link)
    other.get_by_label(re.compile("^New password")).fill(PASSWORD)
    other.get_by_label("Repeat the password").fill(PASSWORD)
    other.get_by_role("button", name="Save the password").click()
    other.get_by_role("link", name="Go to the sign-in").click()
    other.get_by_label("Username or email").fill("nora.berg")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    other.goto(link)
    expect(other.get_by_text("works once")).to_be_visible()
    context.close()
