"""The Django admin, in which everything that a studio did is found."""

import re
from collections.abc import Callable

import pytest
from django.contrib import admin
from playwright.sync_api import Page, expect

from tests.browser import desk
from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("dataset_build")

# Nothing made them: these are for an admin to write, and the queue's page has no rows of ours.
WITHOUT_ROWS = {"limitoverride", "thresholdoverride", "pronunciation"}


def _models() -> list[tuple[str, str]]:
    """The address parts of every model of ours."""
    admin.autodiscover()
    found = [(model._meta.app_label, str(model._meta.model_name)) for model in admin.site._registry]
    return sorted(one for one in found if one[0] in {"consent", "voices", "voicehub"})


def _open_first(page: Page) -> None:
    page.locator("#result_list tbody a").first.click()
    expect(page).to_have_url(re.compile("/change/"))


def test_every_row_is_found_and_opened(open_tab: OpenTab) -> None:
    page = open_tab("desk", "ada").go("/administration/")
    for app, model in _models():
        page.goto(re.sub("/administration/.*", f"/administration/{app}/{model}/", page.url))
        expect(page.locator("#changelist")).to_be_visible()
        if model not in WITHOUT_ROWS:
            _open_first(page)


def test_key_of_an_account_is_not_shown(studio: Studio, open_tab: OpenTab) -> None:
    page = open_tab("desk", "ada").go("/administration/voices/account/")
    page.get_by_role("link", name=desk.ACCOUNT, exact=True).click()
    expect(page.get_by_label("API key:")).to_have_value("")
    sealed = studio.rows("SELECT encrypted_key FROM voices_account WHERE name = ?", desk.ACCOUNT)[0]["encrypted_key"]
    assert sealed
    for secret in (desk.ACCOUNT_KEY, sealed):
        assert secret not in page.content()


def test_state_of_the_work_is_seen(open_tab: OpenTab, dataset_build: str) -> None:
    page = open_tab("desk", "ada").go("/administration/voicehub/task/")
    build = dataset_build.split("/")[2]
    page.locator("#searchbar").fill(build)  # the menu beside it has a field for searching too
    page.get_by_role("button", name="Search").click()
    row = page.locator("#result_list tbody tr").filter(has_text="submit_build")
    expect(row.locator(".field-status")).to_have_text("Done")


def test_state_of_the_queue_is_seen(open_tab: OpenTab) -> None:
    tab = open_tab("desk", "ada")
    page = tab.go("/administration/")
    page.get_by_role("link", name="Django-RQ", exact=True).click()
    expect(page.get_by_role("link", name="submit").first).to_be_visible()
    # The page is django-rq's, and our content policy takes its colours away.
    assert all("style" in trouble for trouble in tab.troubles)
    tab.troubles.clear()
