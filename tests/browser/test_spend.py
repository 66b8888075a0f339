"""Credits, limits and spend per month and provider: what a build and a preview really cost at the sandbox."""

import re
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from django.utils.formats import date_format
from playwright.sync_api import Locator, Page, expect

from tests.browser import staff_steps
from tests.browser.shared_talent import SharedTalent
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.browser.test_providers import carry_out_case

OpenTab = Callable[..., Tab]

ACCOUNT, GRANTED, USED = "Credits", 100_000, 301  # an instant clone, and a preview
# The provider was asked first on the day before.
MOVE_READING = """
from datetime import timedelta
from django.utils import timezone
from voices.models import UsageReading
UsageReading.objects.filter(account__name="{name}").update(day=timezone.localdate() - timedelta(days=1))
"""


def ask_provider(page: Page) -> Locator:
    """Test the key, which asks the provider for the usage too. Returns the usage on the page of the account."""
    page.get_by_role("button", name="Test the key").click()
    usage = page.locator("#usage")
    expect(usage).to_contain_text(re.compile(r"As of .*(second|minute|now)"))
    return usage


def find_row(page: Page, section: str, account: str) -> Locator:
    rows = page.get_by_role("region", name=section).get_by_role("row")
    return rows.filter(has=page.get_by_role("link", name=account, exact=True))


def test_account_and_overview_show_what_a_build_cost(
    studio: Studio, shared_talent: SharedTalent, open_tab: OpenTab, account: str
) -> None:
    tab = open_tab("desktop", "ada")
    path = staff_steps.add_account(tab, ACCOUNT, "AudioStack", "key-of-the-credits")
    expect(tab.page.locator("#usage")).to_contain_text("Not asked yet.")
    left = ask_provider(tab.page).locator("dt:has-text('Left') + dd")
    expect(left).to_have_text(f"{GRANTED:,} credits")
    studio.run_script(MOVE_READING.format(name=ACCOUNT))
    carry_out_case(shared_talent, open_tab, "audiostack", ACCOUNT)
    ask_provider(tab.goto(path))
    expect(left).to_have_text(f"{GRANTED - USED:,} credits")
    tab.check_page("account with its usage")
    check_overview(tab, account)
    phone = open_tab("phone", "ada")
    for place, name in ((path, "account with its usage"), (staff_steps.read_path(tab.page), "usage of all accounts")):
        phone.goto(place)
        phone.check_page(name)


def check_overview(tab: Tab, other_account: str) -> None:
    """Walk to the overview. It has the used credits of this month, and the speech of another provider."""
    page = tab.goto("/accounts/")
    page.get_by_role("link", name=other_account, exact=True).click()
    ask_provider(page)
    tab.goto("/accounts/").get_by_role("link", name="Usage", exact=True).click()
    first_day, this_month = timezone.localdate() - timedelta(days=1), timezone.localdate().replace(day=1)
    expect(page.get_by_role("columnheader", name=f"Used in {date_format(this_month, 'F')}")).to_be_visible()
    used = find_row(page, "Per account and month", ACCOUNT)
    expect(used).to_contain_text("AudioStack, sandbox")
    expect(used).to_contain_text("in credits")
    expect(used.get_by_role("rowheader")).to_contain_text(f"{GRANTED - USED:,} left")
    newest = used.get_by_role("cell").first
    expect(newest).to_contain_text(str(USED))
    if first_day >= this_month:  # else the month is counted from its start
        expect(newest).to_contain_text(f"from {date_format(first_day, 'M j')}")
    speech = find_row(page, "Per account and month", other_account)
    expect(speech.get_by_role("cell").first).to_contain_text(re.compile(r"\d s"))
    expect(used.get_by_role("cell").nth(1)).to_contain_text("1 for 300")
    tab.check_page("usage of all accounts")
