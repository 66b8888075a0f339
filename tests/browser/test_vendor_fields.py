"""What only some providers want: a proof sent by mail before the build, and fields that the producer sets."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import staff_steps
from tests.browser.shared_talent import PROVIDER_WITH_OFFLINE_PROOF, SharedTalent
from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

CLIPS = staff_steps.SLT_CLIPS[:3]
SPEECHGEN = "Speechgen"


def test_build_starts_once_its_proof_is_recorded(shared_talent: SharedTalent, open_tab: OpenTab) -> None:
    account = "Account that no talent is enabled for"
    shared_talent.grant_consent(PROVIDER_WITH_OFFLINE_PROOF)
    staff_steps.add_account(open_tab("desktop", "ada"), account, PROVIDER_WITH_OFFLINE_PROOF, "key-without-proof")
    tab = open_tab("phone", "paula")
    voice = shared_talent.add_voice(tab, "Cass, proved", staff_steps.SLT_CLIPS)
    option = staff_steps.open_build_option(tab.page, PROVIDER_WITH_OFFLINE_PROOF, account)
    expect(option.get_by_text(f"No proof of the consent for {account} is recorded.")).to_be_visible()
    expect(option.get_by_role("button", name="Start professional build")).to_have_count(0)

    option.get_by_role("link", name="Open the proof").click()
    tab.check_page("proof of consent, none for this account")
    staff_steps.record_proof(tab.page, account)
    expect(tab.page.get_by_text("Not confirmed").first).to_be_visible()
    tab.check_page("proof of consent, recorded")

    tab.goto(voice)
    option = staff_steps.open_build_option(tab.page, PROVIDER_WITH_OFFLINE_PROOF, account)
    expect(option.get_by_text("has not confirmed the proof")).to_be_visible()
    staff_steps.start_build(tab, PROVIDER_WITH_OFFLINE_PROOF, "As an archive with their transcripts", account)
    staff_steps.wait_for_heading(tab.page, "Quality scores")


def test_description_of_the_producer_arrives_at_the_provider(
    studio: Studio, shared_talent: SharedTalent, open_tab: OpenTab
) -> None:
    account, text = shared_talent.get_account(SPEECHGEN), "Calm guide, 2026"
    shared_talent.grant_consent(SPEECHGEN)
    tab = open_tab("desktop", "paula")
    shared_talent.add_voice(tab, "Cass, described", CLIPS)
    option = staff_steps.open_build_option(tab.page, SPEECHGEN, account)
    expect(option.get_by_label("Description")).to_have_value("Made by VoiceHub")
    option.get_by_label("Description").fill(text)
    option.get_by_label("Enhance the quality").uncheck()
    with tab.page.expect_response("**/readiness/options/"):  # the part of the page is replaced
        tab.page.evaluate("document.body.dispatchEvent(new Event('readiness-changed'))")
    tab.check_page("voice with the options of a provider")
    expect(option.get_by_label("Description")).to_have_value(text)
    expect(option.get_by_label("Enhance the quality")).not_to_be_checked()
    staff_steps.start_build(tab, SPEECHGEN, account=account)
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    expect(tab.page.locator("dt:has-text('Description') + dd")).to_have_text(text)
    expect(tab.page.locator("dt:has-text('Enhance the quality') + dd")).to_have_text("No")
    received = [request for request in studio.sandbox.list_requests() if request["operation"] == "sg_clone"]
    assert received[-1]["options"] == {"description": text, "enhance_quality": False}
