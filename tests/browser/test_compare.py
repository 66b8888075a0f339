"""Two builds of one voice are compared: chosen by checkbox, played without names, voted on, and then named."""

from playwright.sync_api import Page, expect

from tests.browser import staff_steps
from tests.browser.conftest import OpenTab
from tests.browser.shared_talent import SharedTalent
from tests.browser.tab import Tab

VOICE_AI = "Voice.ai"
SENTENCE = "The storm came without warning, shortly after four."
VOICE = "Cass, twice"
LIST_SOURCES = """() => [...document.querySelectorAll("#blind audio")].map((one) => one.src.replace(/number=./, ""))"""
IS_PLAYING = """(number) => !document.querySelectorAll("#blind audio")[number - 1].paused"""
HAS_NO_SIDEWAYS_SCROLL = "() => document.documentElement.scrollWidth <= innerWidth"


def _build_twice(shared_talent: SharedTalent, tab: Tab) -> str:
    """Build one voice at two providers. Returns its address."""
    accounts = {
        VOICE_AI: shared_talent.get_account(VOICE_AI),
        staff_steps.RAPID: shared_talent.get_account(staff_steps.PROVIDER),
    }
    for provider in (VOICE_AI, staff_steps.PROVIDER):
        shared_talent.grant_consent(provider)
    voice = shared_talent.add_voice(tab, VOICE, staff_steps.SLT_CLIPS[:4])
    builds = []
    for option, account in accounts.items():
        tab.goto(voice)
        builds.append(staff_steps.start_build(tab, option, account=account))
    for build in builds:
        staff_steps.wait_for_heading(tab.goto(build), "Quality scores")
    return voice


def _choose_builds(page: Page) -> None:
    """The button is off, and says what is missing, until two builds of one voice are chosen."""
    bar, boxes = page.locator("#compare-pick"), page.locator(f"tr:has-text('{VOICE}')").get_by_role("checkbox")
    expect(bar).to_be_hidden()
    boxes.nth(0).check()
    expect(bar).to_contain_text("Choose one more build")
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    boxes.nth(1).check()
    expect(bar).to_contain_text("2 builds")
    bar.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare builds")


def _check_samples(page: Page) -> None:
    """Two samples that differ in their number only, drawn, and played by a key while the focus is in the panel."""
    panel = page.locator("#blind")
    expect(panel.get_by_role("button", name="Play sample")).to_have_count(2)
    assert len(set(page.evaluate(LIST_SOURCES))) == 1
    expect(page.locator("#sentences audio")).to_have_count(0)
    panel.get_by_role("button", name="Play sample 1").click()
    page.wait_for_function(IS_PLAYING, arg=1)
    page.keyboard.press("2")
    page.wait_for_function(IS_PLAYING, arg=2)
    assert not page.evaluate(IS_PLAYING, 1)
    expect(panel.locator(".btn-primary")).to_have_count(0)


def _listen_to_named_previews(page: Page) -> None:
    for side in (VOICE_AI, staff_steps.RAPID):
        sound = page.locator(f"audio[aria-label*='{side}: “{SENTENCE[:20]}']")
        assert sound.evaluate(staff_steps.DURATION_SCRIPT) > 0.5


def test_builds_are_compared_and_judged_without_their_names(shared_talent: SharedTalent, open_tab: OpenTab) -> None:
    tab, phone = open_tab("desktop", "paula"), open_tab("phone", "vera")
    _build_twice(shared_talent, tab)
    page = tab.goto("/builds/?size=100")
    tab.check_page("builds, to compare")
    _choose_builds(page)
    expect(page.get_by_text("4 recordings with the same transcript")).to_be_visible()
    page.get_by_label("Sentence for both builds").fill(SENTENCE)
    page.get_by_role("button", name="Generate previews").click()
    _check_samples(page)  # the panel comes by itself when both are ready
    tab.check_page("two builds, not judged yet")

    page.get_by_role("button", name="Sample 1 is better").click()
    expect(page.locator("#blind")).to_contain_text("You voted for sample 1, which is")
    expect(page.get_by_role("button", name="Sample 1 is better")).to_have_count(0)
    _listen_to_named_previews(page)
    tab.check_page("two builds, judged")

    other = phone.goto(page.url.split("&sentence")[0])
    expect(other.locator("#blind").get_by_role("button", name="Play sample")).to_have_count(2)
    assert other.evaluate(HAS_NO_SIDEWAYS_SCROLL)
    phone.check_page("two builds, not judged yet")
    other.get_by_role("button", name="No difference").click()
    expect(other.locator("#blind")).to_contain_text("Your answer: no difference.")
    expect(other.locator(".page-head")).to_contain_text("no difference: 1")
    assert other.evaluate(HAS_NO_SIDEWAYS_SCROLL)
    phone.check_page("two builds, judged")
