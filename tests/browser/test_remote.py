"""After a failed rebuild, no page calls the voice ready. A plan refusal is not a bad key."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser import staff_steps
from tests.browser.shared_talent import SharedTalent
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

OTHER_SPEAKER = "rms-01"


def find_ready_labels(page: Page) -> Locator:
    return page.locator(".state, .vh-timeline strong").filter(has_text=re.compile(r"^\s*Ready\s*$"))


def test_failed_rebuild_ends_what_the_earlier_build_promised(open_tab: OpenTab, shared_talent: SharedTalent) -> None:
    account = shared_talent.get_account(staff_steps.PROVIDER)
    shared_talent.grant_consent(staff_steps.PROVIDER)
    tab = open_tab("desktop", "paula")
    page = tab.page
    voice = shared_talent.add_voice(tab, "Cass, trained twice", staff_steps.SLT_CLIPS[:3])
    first = staff_steps.start_build(tab, account=account)
    staff_steps.wait_for_heading(page, "Quality scores")
    expect(find_ready_labels(page)).to_have_count(2)
    tab.goto(voice)
    staff_steps.upload_clips(tab, [OTHER_SPEAKER])
    option = staff_steps.put_back(page, OTHER_SPEAKER, account=account)
    expect(option).to_contain_text("Until it is ready, it cannot speak. If the training fails, the voice may stay")
    expect(option.get_by_label("Make a new voice")).not_to_be_checked()
    tab.check_page("voice, option that trains the voice again")
    second = staff_steps.start_build(tab, account=account)
    staff_steps.wait_for_heading(page, re.compile("^Next: "))

    tab.goto(first)
    expect(page.get_by_role("heading", name="Build 2 has trained this voice again")).to_be_visible()
    expect(page.get_by_text("The voice has since been trained again.")).to_be_visible()
    expect(find_ready_labels(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Generate preview")).to_have_count(0)
    tab.check_page("build whose voice has changed since")
    staff_steps.open_remote_voice(page)
    expect(page.locator("#remote-state .state")).to_have_text("Needs work")
    expect(find_ready_labels(page)).to_have_count(0)
    expect(page.get_by_role("heading", name="Previews")).to_have_count(0)
    tab.check_page("voice at the provider, needs work")
    tab.goto(first)
    page.get_by_role("link", name="Open build 2").click()
    expect(page).to_have_url(re.compile(re.escape(second)))


def test_plan_refusal_does_not_ask_for_a_new_key(open_tab: OpenTab, shared_talent: SharedTalent) -> None:
    account = "Account with a small plan"
    admin = open_tab("desktop", "ada")
    account_page = staff_steps.add_account(admin, account, key="plan-small")
    shared_talent.grant_consent(staff_steps.PROVIDER)
    tab = open_tab("desktop", "paula")
    voice = shared_talent.add_voice(tab, "Cass, small plan", staff_steps.SLT_CLIPS[:3])
    staff_steps.start_build(tab, account=account)
    staff_steps.wait_for_heading(tab.page, "The build failed")
    expect(tab.page.get_by_text("only available for pro users")).to_be_visible()
    expect(tab.page.get_by_text("Your plan at Resemble AI does not include this.")).to_be_visible()
    tab.goto(voice)
    expect(staff_steps.open_build_option(tab.page, account=account)).to_contain_text(
        "The provider refused this tier for your plan on"
    )
    expect(admin.goto(account_page).get_by_text("Refused for your plan")).to_be_visible()
    expect(admin.page.get_by_role("heading", name="Paused")).to_have_count(0)
    admin.check_page("account whose plan was refused")
    expect(staff_steps.find_next_step(admin.goto("/?all=1"), account)).to_have_count(0)
