"""An import in a real browser: it is checked while the page waits, corrected, played and added; nothing is reloaded."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

MAKE_IMPORT = """
from tests.consent.rows import ConsentFactory
from tests.voices.import_rows import make_import
from tests.voices.rows import make_clip
from voicehub.models import User
from voices.models import Voice
paula = User.objects.get(username="paula")
talent = ConsentFactory(paula).make_talent("Ines Porter {size}", "import-{size}@talent.test")
voice = Voice.objects.create(talent=talent, name="Imported, {size}", purpose="narration", created_by=paula)
files = {{f"numbers/{{number:04}}.wav": make_clip(number) for number in range(1, 4)}}
files |= {{f"names/{{name}}.wav": make_clip(number) for number, name in enumerate("ab", start=11)}}
files["numbers/ids.csv"] = b"1;The north wind.\\n2;And the sun.\\n3;Were disputing.\\n"
files["names/list.csv"] = b"a|Berlin|Anna\\nb|Hamburg|Bert\\n"
files["names/copy.wav"], files["names/broken.wav"] = make_clip(11), b"RIFF"
make_import(voice, paula, files)
"""


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_import_is_corrected_and_added(studio: Studio, open_tab: OpenTab, size: str) -> None:
    studio.run_script(MAKE_IMPORT.format(size=size))
    (voice,) = studio.fetch_rows("SELECT id FROM voices_voice WHERE name = ?", f"Imported, {size}")
    tab = open_tab(size, "paula")
    page = tab.goto(f"/voices/{UUID(voice['id'])}/")
    page.get_by_role("link", name="Review import").click()

    # The page shows the result of the check by itself.
    expect(page.get_by_role("button", name="Add 5 recordings")).to_be_visible()
    tab.check_page("import")
    page.get_by_role("button", name="Restore zeros").click()
    expect(page.get_by_role("button", name="Restore zeros")).to_have_count(0)
    expect(page.locator(".import-clips").get_by_text("The north wind.")).to_be_visible()

    page.get_by_role("link", name="Choose the column").click()
    page.get_by_label("Transcript", exact=True).first.select_option(label="3: Anna")
    page.get_by_role("button", name="Use these columns").first.click()
    expect(page.get_by_role("button", name="Add 5 recordings")).to_be_visible()
    expect(page.get_by_text("It is not certain")).to_have_count(0)

    play = page.get_by_role("button", name="Play a.wav")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")

    page.get_by_role("link", name=re.compile("Left out")).click()
    page.get_by_role("link", name=re.compile("Duplicates")).click()
    expect(page.get_by_role("cell", name="The same audio as a.wav names")).to_be_visible()
    tab.check_page("import duplicates")
    page.get_by_role("button", name="Add 5 recordings").click()
    expect(page.get_by_role("link", name="Show the recordings")).to_be_visible()
    tab.check_page("import report")
    page.get_by_role("link", name="Show the recordings").click()
    expect(page.get_by_role("link", name="0001.wav")).to_be_visible()
    assert len(studio.fetch_rows("SELECT id FROM voices_recording WHERE voice_id = ?", UUID(voice["id"]))) == 5


def test_import_is_discarded_after_one_question(studio: Studio, open_tab: OpenTab) -> None:
    studio.run_script(MAKE_IMPORT.format(size="discarded"))
    (voice,) = studio.fetch_rows("SELECT id FROM voices_voice WHERE name = ?", "Imported, discarded")
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"/voices/{UUID(voice['id'])}/")
    page.get_by_role("link", name="Review import").click()
    page.get_by_role("link", name="Discard", exact=True).click()
    tab.check_page("discard import")
    page.get_by_role("button", name="Discard import").click()
    expect(page.get_by_text("The import was discarded.")).to_be_visible()
    expect(page.get_by_role("link", name="Review import")).to_have_count(0)
