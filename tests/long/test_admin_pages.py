"""Every page of the Django admin is accessible, in light and dark."""

import pytest
from playwright.sync_api import Page

from tests.browser.test_admin_pages import SCHEMES, find_violations, page, pages

pytestmark = pytest.mark.django_db

# Fixtures of the short test that this test uses.
__all__ = ["page", "pages"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_is_accessible(pages: dict[str, str], page: Page, scheme: str) -> None:
    assert [text for path in pages for text in find_violations(page, path, scheme)] == []
