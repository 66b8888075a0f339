"""The page of all open requests, and the keys of a review, in a real browser."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab

pytestmark = pytest.mark.usefixtures("account")

MAKE_REQUESTS = """
from datetime import timedelta
from django.utils import timezone
from consent.models import Invitation
from tests.consent.rows import ConsentFactory
from voicehub.models import User
paula, now = User.objects.get(username="paula"), timezone.now()
factory = ConsentFactory(paula)
for name in ("Otto Openreq-" + "Longname" * 6, "Olga Openreq", "Oda Openreq"):
    consent = factory.make_consent(factory.make_talent(name, f"{name.split()[0].lower()}@talent.test"))
    factory.make_link(consent)
factory.make_submitted_consent(factory.make_talent("Rina Reviewkeys", "rina@talent.test"))
"""
STATUS = "SELECT status FROM consent_consent c JOIN consent_talent t ON t.id = c.talent_id WHERE t.name = ?"


def test_requests_are_selected_extended_and_reviewed_with_keys(studio: Studio, open_tab: Callable[..., Tab]) -> None:
    studio.run_script(MAKE_REQUESTS)
    tab = open_tab("desktop", "paula")
    check_selection(tab.goto("/consents/open/?search=openreq"))
    check_extension(tab)
    tab.goto("/consents/open/?search=openreq")
    tab.check_page("open requests")
    phone = open_tab("phone", "paula")
    phone.goto("/consents/open/?search=openreq").locator("tbody input[type=checkbox]").first.check()
    phone.check_page("open requests")
    check_keys(studio, tab)


def check_selection(page: Page) -> None:
    boxes, bar = page.locator("tbody input[name=consent]"), page.get_by_role("form", name="Actions for the selected")
    expect(bar).to_be_hidden()
    boxes.first.check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 selected")
    page_box = page.get_by_role("checkbox", name="Select this page")
    expect(page_box).to_be_checked()
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_be_hidden()
    page_box.check()
    expect(boxes.nth(1)).to_be_checked()


def check_extension(tab: Tab) -> None:
    page, day = tab.page, date.today() + timedelta(days=30)  # noqa: DTZ011 - the studio of the tests is in UTC
    page.get_by_role("button", name="Change last day").click()
    page.get_by_label("Last day to answer").fill(day.isoformat())
    tab.check_page("change of the last day")
    page.get_by_role("button", name="Change the last day").click()
    expect(page.get_by_text("3 links have the new last day.")).to_be_visible()
    expect(page.locator(f"tbody time[datetime='{day.isoformat()}']:visible")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: 3 links have the earlier last day again.")).to_be_visible()
    expect(page.locator(f"tbody time[datetime='{day.isoformat()}']:visible")).to_have_count(0)


def check_keys(studio: Studio, tab: Tab) -> None:
    """A and R do nothing while someone types, and A not before the whole recording was played."""
    page = tab.goto("/consents/open/?search=reviewkeys")
    page.locator("tbody").get_by_role("link", name="Review", exact=False).last.click()
    approve, reason = page.get_by_role("button", name="Approve"), page.get_by_label("What should be different?")
    audio = page.locator("#review audio")
    expect(approve).to_be_disabled()
    page.keyboard.press("a")
    page.keyboard.press("r")
    expect(reason).to_be_focused()
    page.keyboard.type("a r")
    expect(reason).to_have_value("a r")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    assert read_status(studio) == "submitted"
    audio.evaluate("(one) => { one.playbackRate = 16; }")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press(" ")
    expect(approve).to_be_enabled(timeout=60_000)
    why = page.get_by_label("Why do you approve it although")
    expect(page.get_by_text("Is the statement read word for word")).to_have_count(0, timeout=60_000)
    if why.count():
        why.fill("I know the voice.")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("a")
    expect(page.get_by_text("Consent approved. It is now in force.")).to_be_visible()
    assert read_status(studio) == "approved"


def read_status(studio: Studio) -> str:
    (row,) = studio.fetch_rows(STATUS, "Rina Reviewkeys")
    return str(row["status"])
