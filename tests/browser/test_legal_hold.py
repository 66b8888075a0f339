"""Staff set a legal hold on a talent, see it on Today and on the page Deletions, and release it."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import staff_steps
from tests.browser.tab import Tab


def test_hold_is_set_shown_and_released(open_tab: Callable[..., Tab]) -> None:
    staff = open_tab("desktop", "paula")
    talent_path = staff_steps.add_talent(staff, "Hanna Held")
    page = staff.goto(talent_path)
    page.get_by_role("heading", name="Legal hold").click()
    page.locator("summary", has_text="Set a legal hold").click()
    page.get_by_label("Why must everything be kept?").fill("A court order.")
    page.get_by_role("button", name="Set a legal hold").click()
    expect(page.get_by_role("heading", name="Legal hold: nothing is deleted")).to_be_visible()
    staff.check_page("talent with a legal hold")
    page = staff.goto("/deletions/")
    expect(page.get_by_text("A court order.")).to_be_visible()
    staff.check_page("deletions")
    # Other tests fill the first pages of the same list.
    assert any("A court order." in staff.goto(f"/?all=1&steps={number}").content() for number in range(1, 6))
    page = staff.goto(talent_path)
    page.locator("summary", has_text="Release the hold").click()
    page.get_by_label("Why can deletions continue?").fill("The case is closed.")
    page.get_by_role("button", name="Release the hold").click()
    expect(page.get_by_text("The legal hold is released.")).to_be_visible()
