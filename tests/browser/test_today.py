"""Today judges a voice at the provider that its contract allows, and keeps failures until a person has seen them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import sound, staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.sandbox import poll_until

pytestmark = pytest.mark.usefixtures("account")

VOICE = "Tova, one provider"
# A failed build at each of two providers, the older one first.
FAIL_BUILDS = f"""
from django.utils import timezone
from voicehub.models import User
from voices.models import Account, Build, RemoteVoice, Voice
voice = Voice.objects.get(name={VOICE!r})
for provider, issue in (("resemble_v2", "The audio is empty."), ("voiceai", "The training stopped.")):
    account = Account.objects.filter(provider=provider).first()
    remote = RemoteVoice.objects.create(voice=voice, account=account, tier="rapid", reference="vh-" + provider)
    consent, contract = voice.talent.consents.get(), voice.talent.contracts.get()
    Build.objects.create(
        voice=voice, remote_voice=remote, consent=consent, contract=contract, status="failed", issue=issue,
        started_by=User.objects.get(username="paula"), finished_at=timezone.now(),
    )
"""


def find_rows(tab: Tab) -> Locator:
    """The next steps of the voice, on the first page that has some."""
    page = tab.goto("/?all=1")
    steps = page.get_by_role("region", name="Next steps")
    rows = steps.locator("li").filter(has=page.get_by_role("link", name=VOICE, exact=True))
    while not rows.count() and (link := steps.get_by_role("link", name="Next", exact=True)).count():
        tab.goto(f"/{link.get_attribute('href')}")
    return rows


def find_ready_row(tab: Tab) -> Locator | None:
    rows = find_rows(tab)
    return rows if rows.count() and "Ready to build" in rows.inner_text() else None


def test_today_judges_a_voice_at_its_provider_and_keeps_its_failures(
    studio: Studio, open_tab: Callable[..., Tab]
) -> None:
    admin = open_tab("desktop", "ada")
    for provider in staff_steps.PROVIDERS[1:]:
        staff_steps.add_account(admin, f"Today at {provider}", provider)
    tab = open_tab("desktop", "paula")
    talent = staff_steps.prepare_talent(studio, "Tova Nearest", [staff_steps.PROVIDER])
    staff_steps.prepare_consent(studio, talent, sound.read_clip("consent-slt"))
    staff_steps.prepare_voice(studio, talent, VOICE, staff_steps.SLT_CLIPS[:5])
    row = poll_until(lambda: find_ready_row(tab))  # the recordings are checked first
    expect(row).to_contain_text("Ready to build at Resemble AI, rapid: nothing is missing.")
    expect(row.locator(".vh-tile")).to_be_visible()
    row.get_by_role("link", name="Start build").click()
    expect(tab.page.locator(".option-more[open]")).to_have_count(1)
    expect(tab.page.get_by_role("button", name="Start rapid build at Resemble AI,")).to_be_in_viewport()
    check_failures(studio, tab)


def check_failures(studio: Studio, tab: Tab) -> None:
    studio.run_script(FAIL_BUILDS)
    rows = find_rows(tab)
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("The audio is empty.")
    expect(rows.nth(1)).to_contain_text("The training stopped.")
    tab.check_page("today with failures")
    rows.nth(0).locator("summary").filter(has_text="More").click()
    rows.nth(0).get_by_role("button", name="Mark as seen").click()
    expect(tab.page.get_by_text("The failed build is no longer on Today.")).to_be_visible()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("The training stopped.")
    rows.get_by_role("link", name="Build again").click()
    tab.page.get_by_role("button", name="Mark as seen").click()
    expect(tab.page.get_by_text("Seen by Paula")).to_be_visible()
    expect(find_rows(tab)).to_contain_text("Ready to build at Resemble AI, rapid")


def test_figures_lead_to_the_lists_that_they_count(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("phone", "paula")
    staff_steps.add_talent(tab, "Tova Figure")
    page = tab.goto("/")
    for label, heading in (("To review", "Consents"), ("Building", "Builds"), ("Voices built", "Voices")):
        figure = page.locator(".vh-figures a", has_text=label)
        count = figure.locator("strong").inner_text()
        figure.click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        expect(page.get_by_role("navigation", name="Views").locator("a[aria-current] b")).to_have_text(count)
        page.go_back()
    page.locator(".vh-figures a", has_text="Contracts ending").click()
    expect(page.get_by_role("heading", name="Contracts that end soon")).to_be_in_viewport()
    tab.check_page("today with figures")
