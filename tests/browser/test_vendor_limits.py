"""What the page of an account says of a provider without usage, and how long a preview may be."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import staff_steps
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]
TEXT = "Good morning to all of you."


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_account_page_says_that_the_provider_reports_no_usage(open_tab: OpenTab, size: str) -> None:
    tab = open_tab(size, "ada")
    staff_steps.add_account(tab, f"No credits, {size}", "Voice.ai", "key-without-credits")
    expect(tab.page.locator("#usage")).to_contain_text("Not stated: this provider does not report credits or use.")


def test_preview_may_be_as_long_as_the_provider_allows(open_tab: OpenTab, dataset_build: str) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(dataset_build)
    field, count = page.get_by_label("Sentence"), page.locator("#sentence-count")
    expect(field).to_have_attribute("maxlength", "2000")
    expect(count).to_have_text("Up to 2,000 characters")
    field.fill(TEXT)
    expect(count).to_have_text(f"{len(TEXT)} of 2,000 characters")
    field.fill("Long. " * 100)
    page.get_by_role("button", name="Generate preview").click()
    expect(page.locator(".preview-list li").first).to_contain_text("Long. Long.")
    expect(field).to_have_value("")
    expect(count).to_have_text("Up to 2,000 characters")
