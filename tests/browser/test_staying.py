"""What somebody has unfolded or typed stays when the part of the page that it stands in comes anew."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import desk, sound
from tests.browser.tab import Tab

pytestmark = pytest.mark.usefixtures("account")


def test_rows_stay_as_they_were_folded_while_files_arrive(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desk", "ed")
    talent = desk.add_talent(open_tab("desk", "paula"), "Olaf Open")
    desk.add_voice(tab, talent, "Olaf, open")
    rapid, professional = desk.place(tab.page), desk.place(tab.page, desk.PROFESSIONAL)
    rapid.locator(".option-head").press("Enter")
    expect(rapid.locator(".option-body")).to_be_hidden()
    desk.drop_files(tab.page, {"one.wav": sound.clip("slt-01")})
    desk.wait_for_uploads(tab.page, 1)
    expect(professional).to_contain_text("1 of 20")
    expect(professional.locator(".option-body")).to_be_visible()
    expect(rapid.locator(".option-body")).to_be_hidden()
