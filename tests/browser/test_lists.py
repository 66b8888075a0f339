"""The lists in a real browser: order, tabs, filters, pages, the back button, and rows of two lines on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab

pytestmark = pytest.mark.usefixtures("account")

# 30 failed builds of one voice, which a person has marked as seen, so that Today does not show them.
MAKE_BUILDS = """
from django.utils import timezone
from tests.consent.rows import ConsentFactory
from voicehub.models import User
from voices.models import Account, Build, RemoteVoice, Voice
paula, now = User.objects.get(username="paula"), timezone.now()
factory = ConsentFactory(paula)
talent = factory.make_talent("Lina Listed-" + "Longname" * 9, "lina@talent.test")
contract, consent = factory.make_contract(talent), factory.make_consent(talent)
factory.make_consent(talent, "advertising")
voice = Voice.objects.create(talent=talent, name="Listed voice " + "long" * 20, purpose="narration", created_by=paula)
for number in range(30):
    remote = RemoteVoice.objects.create(
        voice=voice, account=Account.objects.first(), tier="rapid", reference=f"vh-list-{number}", retired_at=now
    )
    Build.objects.create(
        voice=voice, remote_voice=remote, consent=consent, contract=contract, started_by=paula, finished_at=now,
        status="cancelled" if number < 2 else "failed", seen_at=now, seen_by=paula,
        scores={"resemble_score": 0.5 + number / 100},
    )
"""


def expect_rows(page: Page, first: str, footer: str) -> None:
    """The first row has the text `first`, and the line below the table says which rows it shows."""
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text(footer)
    expect(page.locator("tbody tr").first).to_contain_text(first)


def test_list_keeps_its_state_in_the_address_and_fits_a_phone(studio: Studio, open_tab: Callable[..., Tab]) -> None:
    studio.run_script(MAKE_BUILDS)
    tab = open_tab("desktop", "paula")
    check_order_and_tabs(tab.goto("/builds/?search=listed"))
    check_filters(tab.goto("/consents/?search=lina"))
    phone = open_tab("phone", "paula")
    check_phone(phone.goto("/builds/?search=listed"))
    check_widths(open_tab("desktop", "paula"))
    for one in (tab, phone):
        for name in ("builds", "voices", "consents", "talents", "accounts"):
            one.goto(f"/{name}/")
            one.check_page(name)


def check_order_and_tabs(page: Page) -> None:
    expect_rows(page, "Listed voice", "1 to 25 of 30")
    heading = page.get_by_role("columnheader", name="Overall")
    heading.get_by_role("link").click()
    expect_rows(page, "0.50", "1 to 25 of 30")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("link", name="Page 2").click()
    expect_rows(page, "0.75", "26 to 30 of 30")
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Needs work 28").click()
    expect_rows(page, "0.52", "1 to 25 of 28")
    page.reload()
    expect_rows(page, "0.52", "1 to 25 of 28")
    page.go_back()
    expect_rows(page, "0.75", "26 to 30 of 30")
    expect(page.get_by_role("searchbox")).to_have_value("listed")


def check_filters(page: Page) -> None:
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    page.locator("summary", has_text="Purpose").click()
    page.get_by_role("link", name="Advertising 1").click()
    expect(rows).to_have_count(1)
    chosen = page.get_by_role("link", name=re.compile("Purpose: Advertising"))
    page.get_by_role("searchbox").fill("nobody")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="No consent matches “nobody”")).to_be_visible()
    expect(chosen).to_be_visible()
    page.get_by_role("link", name="Clear search and filters").click()
    expect(chosen).to_have_count(0)
    expect(rows.first).to_be_visible()


ROW_EDGES = """(rows) => rows.flatMap((row) => ["th a", "td .vh-status, td .state"].map((part) =>
  Math.round(row.querySelector(part).getBoundingClientRect().left)))"""


def check_phone(page: Page) -> None:
    row = page.locator("tbody tr").first
    # The status, the score and the next step, beside the two lines of the heading.
    expect(row.get_by_role("cell")).to_have_count(3)
    expect(row.locator("small")).to_contain_text("Resemble AI")
    edges = page.locator("tbody tr").evaluate_all(ROW_EDGES)
    assert len(set(edges)) == 1, "names and states of all rows begin at one edge"
    page.locator("summary", has_text="Sort").click()
    page.get_by_role("listitem").get_by_role("link", name="Overall").click()
    expect_rows(page, "0.50", "1 to 25 of 30")


def check_widths(tab: Tab) -> None:
    """The lists with the most columns fit every width, also with long names."""
    fits = "document.scrollingElement.scrollWidth <= document.documentElement.clientWidth"
    for width in (360, 768, 1100):
        tab.page.set_viewport_size({"width": width, "height": 900})
        for path in ("/builds/", "/voices/"):
            assert tab.goto(path).evaluate(fits), (path, width)
    names = tab.page.get_by_role("columnheader", name="Talent")
    for width, is_shown in ((768, False), (1100, True)):
        tab.page.set_viewport_size({"width": width, "height": 900})
        expect(names).to_have_count(int(is_shown))


MAKE_TALENTS = """
from tests.consent.rows import ConsentFactory
from voicehub.models import User
factory = ConsentFactory(User.objects.get(username="paula"))
for name in ("Tina Ticked", "Tom Ticked", "Tess Ticked"):
    factory.make_talent(name, f"{name.split()[0].lower()}@talent.test")
"""


def test_one_box_ticks_a_page_of_talents_and_a_name_ticks_its_row(studio: Studio, open_tab: Callable[..., Tab]) -> None:
    studio.run_script(MAKE_TALENTS)
    tab = open_tab("desktop", "paula")
    page = tab.goto("/talents/?search=ticked")
    boxes, all_box = page.locator("tbody [name=talent]"), page.get_by_role("checkbox", name="Choose all on this page")
    boxes.first.check()
    expect(all_box).to_have_js_property("indeterminate", True)
    all_box.check()
    for number in range(3):
        expect(boxes.nth(number)).to_be_checked()
    boxes.nth(1).uncheck()
    expect(all_box).not_to_be_checked()
    page.get_by_role("button", name="Request consent of the ticked talents").click()
    expect(page.get_by_role("heading", name="Request consent of 2 talents")).to_be_visible()
    check_names_that_tick(page)
    tab.check_page("requests of many talents")


def check_names_that_tick(page: Page) -> None:
    """The box of a purpose ticks its row and that of a provider its column; once more clears them."""
    ticked = page.locator("[name=use]:checked")
    providers = page.locator(".use-matrix thead th").count() - 1
    page.get_by_label("All of Advertising").check()
    expect(ticked).to_have_count(providers)
    expect(page.get_by_text(f"At most {2 * providers} requests to 2 talents")).to_be_visible()
    page.get_by_label("All of Advertising").uncheck()
    expect(ticked).to_have_count(0)
    expect(page.locator("[data-request-sum]")).to_be_hidden()
    page.get_by_label("All of Speechgen").check()
    expect(ticked).to_have_count(page.locator(".use-matrix tbody tr").count())
