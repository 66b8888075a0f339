"""The download of a voice as a dataset in a real browser, and its page at every width."""

import zipfile
from collections.abc import Callable
from uuid import UUID

from playwright.sync_api import expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

MAKE_VOICE = """
from tests.consent.rows import ConsentFactory
from tests.voices.rows import make_clip, make_upload
from voicehub.models import User
from voices.models import Voice
from voices.services.recordings.store import add_recording
paula = User.objects.get(username="paula")
talent = ConsentFactory(paula).make_talent("Doris Outward", "outward@talent.test")
voice = Voice.objects.create(talent=talent, name="Doris, out again", purpose="narration", created_by=paula)
for number in range(2):
    add_recording(voice, make_upload(f"line {number}.wav", make_clip(number)), paula, "The north wind.")
"""


def test_voice_is_downloaded_twice_and_the_page_names_who(studio: Studio, open_tab: OpenTab) -> None:
    studio.run_script(MAKE_VOICE)
    (row,) = studio.fetch_rows("SELECT id FROM voices_voice WHERE name = ?", "Doris, out again")
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"/voices/{UUID(row['id'])}/")
    page.get_by_role("link", name="Download as dataset").click()
    page.get_by_role("radio", name="LJSpeech").check()
    for _ in range(2):
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert archive.namelist() == ["metadata.csv", "receipt.json", "wavs/line 0.wav", "wavs/line 1.wav"]
    page.reload()
    downloads = page.get_by_role("region", name="Downloads").get_by_role("listitem")
    expect(downloads).to_have_count(2)
    expect(downloads.first).to_contain_text("Finished")
    expect(page.get_by_text("not saved")).to_have_count(0)
    for width in (1440, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        tab.check_page("dataset")
