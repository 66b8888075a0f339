"""A voice is built, previewed and deleted with the pages at the providers that `make test` leaves out."""

import pytest

from tests.browser.shared_talent import SharedTalent
from tests.browser.test_providers import CASES, SHORT_CASES, OpenTab, carry_out_case

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("slug", [slug for slug in CASES if slug not in SHORT_CASES])
def test_voice_is_built_previewed_and_deleted(shared_talent: SharedTalent, open_tab: OpenTab, slug: str) -> None:
    carry_out_case(shared_talent, open_tab, slug)
