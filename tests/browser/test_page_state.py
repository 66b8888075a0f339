"""Rows that a user opened or closed stay so when htmx replaces the part of the page around them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import sound, staff_steps
from tests.browser.tab import Tab

pytestmark = pytest.mark.usefixtures("account")


def test_build_options_stay_open_or_closed_during_an_upload(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "ed")
    talent = staff_steps.add_talent(open_tab("desktop", "paula"), "Olaf Open")
    voice = staff_steps.add_voice(tab, talent, "Olaf, open")
    rapid, professional = (
        staff_steps.open_build_option(tab.page),
        staff_steps.open_build_option(tab.page, staff_steps.PROFESSIONAL),
    )
    rapid.locator(".option-head").press("Enter")
    expect(rapid.locator(".option-body")).to_be_hidden()
    other = open_tab("desktop", "ed")
    staff_steps.upload_files(other.goto(voice), {"one.wav": sound.read_clip("slt-01")})
    tab.page.evaluate("document.body.dispatchEvent(new Event('readiness-changed'))")
    expect(professional).to_contain_text("1 of 20")
    expect(professional.locator(".option-body")).to_be_visible()
    expect(rapid.locator(".option-body")).to_be_hidden()
