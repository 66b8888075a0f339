"""Long work in the browser: an archive, and the title of the tab while work goes on and when it ends."""

import io
import re
import zipfile

from playwright.sync_api import expect

from tests.browser import sound, staff_steps
from tests.browser.conftest import OpenTab
from tests.support.wav import make_wav_bytes, make_white_noise

FILES = 400


def make_archive() -> bytes:
    """An archive of files that are too short for a build, so that none of them is analyzed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(FILES):
            archive.writestr(f"line-{number:03}.wav", make_wav_bytes(make_white_noise(0.2, -30, seed=number)))
    return buffer.getvalue()


def test_archive_is_checked_with_its_state_in_the_title(open_tab: OpenTab) -> None:
    tab = open_tab(who="paula")
    talent = staff_steps.add_talent(tab, "Petra Archive")
    staff_steps.add_voice(tab, talent, "Petra")
    staff_steps.drop_files(tab.page, {"lines.zip": make_archive()})
    tab.page.wait_for_url(re.compile("/imports/"))
    expect(tab.page).to_have_title(re.compile(r"Checking – Petra · VoiceHub$"))
    expect(tab.page.get_by_role("link", name=f"Not usable {FILES}")).to_be_visible()
    expect(tab.page).to_have_title("Import for Petra · VoiceHub")


def test_title_follows_a_build_to_its_end(open_tab: OpenTab, account: str) -> None:
    tab = open_tab(who="paula")
    talent, _consent = staff_steps.add_approved_talent(tab, "Nora Title", sound.read_clip("consent-slt"))
    staff_steps.add_voice(tab, talent, "Nora")
    staff_steps.upload_clips(tab, staff_steps.SLT_CLIPS[:3])
    build = staff_steps.start_build(tab, account=account)
    expect(tab.page).to_have_title(re.compile(r"(Queued|Sending|Training) – Nora · VoiceHub$"))
    expect(tab.page).to_have_title("✓ Ready – Nora · VoiceHub")
    assert tab.page.locator("body > [role=status]").inner_text() == "✓ Ready – Nora"
    tab.page.keyboard.press("Shift")
    expect(tab.page).to_have_title("Build 1 of Nora · VoiceHub")
    tab.goto(build)
    expect(tab.page).to_have_title("Build 1 of Nora · VoiceHub")
