"""The Django admin of a running studio hides API keys, and shows tasks and queues."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]


@pytest.mark.usefixtures("account")
def test_admin_hides_the_api_key_of_an_account(studio: Studio, open_tab: OpenTab) -> None:
    page = open_tab("desktop", "ada").goto("/administration/voices/account/")
    page.get_by_role("link", name=staff_steps.ACCOUNT, exact=True).click()
    expect(page.get_by_label("API key", exact=True)).to_have_value("")
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
    row = page.locator("#result_list tbody tr").filter(has_text="Sending a build")
    expect(row.locator(".field-status")).to_have_text("Done")


def test_page_of_django_rq_lists_the_submit_queue(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ada")
    page = tab.goto("/administration/")
    page.get_by_role("link", name="Queues", exact=True).click()
    expect(page.get_by_role("link", name="Builds and mails").first).to_be_visible()
    # The page comes from django-rq. VoiceHub's content policy blocks its styles, which the tab records as problems.
    assert all("style" in problem for problem in tab.problems)
    tab.problems.clear()
