"""Three providers in German in one sitting on a phone, requested by staff in one form."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab

pytestmark = pytest.mark.browser

OpenTab = Callable[..., Tab]
PROVIDERS = ("Resemble AI", "AudioStack", "Speechgen")
ADD_TRANSLATIONS = "from consent.services.statements import import_translations; import_translations()"


def test_talent_answers_three_providers_in_one_sitting(studio: Studio, open_tab: OpenTab) -> None:
    studio.run_script(ADD_TRANSLATIONS)
    staff, talent = open_tab("phone", "paula"), open_tab("phone")
    path = staff_steps.prepare_talent(studio, "Gerda Sitting", PROVIDERS)
    page = staff.goto(f"{path}ask/")
    page.get_by_label("Language of the statement").select_option(label="German (DE)")
    for provider in PROVIDERS:
        staff_steps.find_use(page, provider).check()
    expect(page.get_by_role("heading", name="What Gerda Sitting will read aloud for")).to_have_count(3)
    expect(staff_steps.find_use(page, "Voice.ai")).to_be_disabled()
    staff.check_page("request of several consents")
    expect(page.get_by_label("Send the invitation now")).to_be_checked()
    page.get_by_role("button", name="Send 3 requests").click()
    expect(page.get_by_text("3 consents are requested.")).to_be_visible()

    link = talent_steps.find_link(studio.wait_for_mail(staff_steps.make_email("Gerda Sitting")))
    page = talent.goto(link)
    with talent.allow_status(422):
        page.get_by_role("button", name="Continue to the text").click()
        expect(page.get_by_role("alert")).to_have_text("Tick at least one purpose to continue.")
    expect(page.get_by_role("checkbox", name=f"with {PROVIDERS[0]}")).to_be_focused()
    page.get_by_role("checkbox", name="Narration and audiobooks, with all 3 providers").check()
    for provider in PROVIDERS:
        expect(page.get_by_role("checkbox", name=f"with {provider}")).to_be_checked()
    talent.check_page("first page, three providers")
    page.get_by_role("button", name="Continue to the text").click()
    expect(page.get_by_role("heading", name="Read this aloud")).to_be_visible()
    expect(page.get_by_text("After it you read 2 more texts.")).to_be_visible()
    talent_steps.allow_microphone(page)
    talent_steps.record_statement(page, 2)
    talent_steps.play_recording(page)
    page.get_by_role("button", name="Send it").click()
    for number, provider in enumerate(PROVIDERS[:2]):
        expect(page.get_by_text(f"Your recording for {provider} has arrived. Now read the next text.")).to_be_visible()
        talent.check_page("statement after another one")
        page.get_by_text("Send a file instead").click()
        clip = sound.read_clip("consent-slt", number / 10)
        page.get_by_label("Audio file").set_input_files(sound.make_upload("me.wav", clip))
        page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It has arrived.")
    rows = studio.fetch_rows("SELECT provider, status FROM consent_consent WHERE talent_name = ?", "Gerda Sitting")
    assert sorted(tuple(row) for row in rows) == [
        (slug, "submitted") for slug in sorted(staff_steps.PROVIDER_SLUGS[provider] for provider in PROVIDERS)
    ]
