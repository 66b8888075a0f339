"""A long recording on the pages of its voice: which tiers take it whole, and the way to its cuts."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.browser.test_cuts import make_recording

OpenTab = Callable[..., Tab]

ADD_ACCOUNTS = """
from voices.models import Account
for provider in ("resemble_v2", "speechgen", "voiceai"):
    account = Account(name=f"Long {provider}", provider=provider, mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
"""


@pytest.fixture(scope="module")
def recording(studio: Studio) -> UUID:
    studio.run_script(ADD_ACCOUNTS)
    return make_recording(studio, "Lena Whole", repeat=3)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_readiness_names_a_long_recording_and_leads_to_its_cuts(
    studio: Studio, recording: UUID, open_tab: OpenTab, size: str
) -> None:
    tab = open_tab(size, "paula")
    voice = UUID(studio.fetch_rows("SELECT voice_id FROM voices_recording WHERE id = ?", recording.hex)[0]["voice_id"])
    page = tab.goto(f"/voices/{voice}/?open={recording}")
    details = page.get_by_role("region", name="Details of interview.wav")
    expect(details).to_contain_text("Too long for Resemble AI, professional; Voice.ai.")
    expect(details).to_contain_text(re.compile("Taken whole by Resemble AI, rapid; .*Speechgen"))
    expect(details.get_by_role("button", name="Check the cuts")).to_be_visible()
    tab.check_page("details of a long recording")
    # An option that the address names stays open when the page loads its parts again.
    account = UUID(studio.fetch_rows("SELECT id FROM voices_account WHERE name = ?", "Long voiceai")[0]["id"])
    page = tab.goto(f"/voices/{voice}/readiness/?option={account}-rapid")
    links = page.get_by_role("link", name="Cut interview.wav")
    expect(links.first).to_be_visible()
    expect(page.get_by_text("1 recording is longer than 1 min: interview.wav.").first).to_be_visible()
    tab.check_page("readiness with a long recording")
    links.first.click()
    expect(page.get_by_role("button", name="Propose cuts")).to_be_visible()
    tab.check_page("cuts before they are proposed")
