"""The Django admin: every kind of page is accessible in light and dark, hides API keys, and shows tasks and queues."""

import re
from collections.abc import Callable, Iterator
from itertools import chain

import pytest
from playwright.sync_api import Page, expect

from tests.browser import staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("dataset_build")

# Lists that differ in their columns and filters, and whose first row is opened. Tests of the pages' HTML
# (tests/voices/test_admin_pages.py) open the lists and rows of every model.
LISTS = (
    "consent/consent", "consent/contract", "consent/event", "consent/take", "consent/talent", "voicehub/task",
    "voices/account", "voices/build", "voices/recording", "voices/remotevoice",
)  # fmt: skip
OTHER_PAGES = (
    "", "consent/", "password_change/", "voicehub/user/add/", "voices/limitoverride/add/", "voices/account/add/",
    "voices/build/?status__exact=ready&o=3", "voices/build/?q=none",
)  # fmt: skip


def _list_pages(page: Page, address: str) -> Iterator[str]:
    """Open one page of each kind. Yields its name when it is open."""
    for path in OTHER_PAGES:
        page.goto(f"{address}{path}")
        yield path or "index"
    for path in LISTS:
        page.goto(f"{address}{path}/")
        expect(page.locator("#result_list")).to_be_visible()
        yield f"list of {path}"
        page.locator("#result_list tbody th a").first.click()
        expect(page).to_have_url(re.compile("/change/"))
        yield f"row of {path}"


def _list_user_pages(page: Page, address: str) -> Iterator[str]:
    """The pages of a user who can be deleted."""
    page.goto(f"{address}voicehub/user/?q=vera")
    page.get_by_role("link", name="vera", exact=True).click()
    yield "row of user"
    url = page.url.removesuffix("change/")
    for path in ("password/", "history/", "delete/"):
        page.goto(f"{url}{path}")
        yield f"{path} of user"


def test_every_kind_of_admin_page_is_accessible(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ada")
    page = tab.goto("/administration/")
    address = page.url
    for name in chain(_list_pages(page, address), _list_user_pages(page, address)):
        tab.check_page(f"admin {name}")


def test_admin_hides_the_api_key_of_an_account(studio: Studio, open_tab: OpenTab) -> None:
    page = open_tab("desktop", "ada").goto("/administration/voices/account/")
    page.get_by_role("link", name=staff_steps.ACCOUNT, exact=True).click()
    expect(page.get_by_label("API key:")).to_have_value("")
    encrypted_key = studio.fetch_rows("SELECT encrypted_key FROM voices_account WHERE name = ?", staff_steps.ACCOUNT)[
        0
    ]["encrypted_key"]
    assert encrypted_key
    for secret in (staff_steps.ACCOUNT_KEY, encrypted_key):
        assert secret not in page.content()


def test_task_list_shows_the_status_of_a_build_task(open_tab: OpenTab, dataset_build: str) -> None:
    page = open_tab("desktop", "ada").goto("/administration/voicehub/task/")
    build = dataset_build.split("/")[2]
    page.locator("#searchbar").fill(build)  # the menu has a search field too
    page.get_by_role("button", name="Search").click()
    row = page.locator("#result_list tbody tr").filter(has_text="Submit build")
    expect(row.locator(".field-status")).to_have_text("Done")


def test_page_of_django_rq_lists_the_submit_queue(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ada")
    page = tab.goto("/administration/")
    page.get_by_role("link", name="Queues", exact=True).click()
    expect(page.get_by_role("link", name="submit").first).to_be_visible()
    # The page comes from django-rq. VoiceHub's content policy blocks its styles, which the tab records as problems.
    assert all("style" in problem for problem in tab.problems)
    tab.problems.clear()
