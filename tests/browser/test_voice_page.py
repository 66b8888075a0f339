"""The page of a voice in a real browser: tabs by keyboard, the empty voice, findings, copies, repairs and charts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import sound, staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Tab

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("account")

TABS = ("Recordings", "Readiness", "Builds", "At providers")
MARKUP = "Good morning, and <b>welcome</b> aboard."
REPAIRED = "Good morning, and welcome aboard."
# The recordings of a voice were added on four days, as its comparison has stored.
SPREAD_DAYS = """
from datetime import timedelta
from django.utils import timezone
from voices.models import Recording, Voice
from voices.services.recordings.days import summarize_sound
for number, row in enumerate(Recording.objects.filter(voice="{voice}").order_by("file_name")):
    Recording.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=number % 5))
voice = Voice.objects.get(pk="{voice}")
voice.comparison["sound"] = summarize_sound(voice)
voice.save(update_fields=["comparison"])
"""


def make_copy(data: bytes) -> bytes:
    """The same sound in a file with one chunk more, so that it is another file."""
    chunk = b"note" + (4).to_bytes(4, "little") + b"copy"
    return data[:4] + (len(data) - 8 + len(chunk)).to_bytes(4, "little") + data[8:] + chunk


def make_files() -> dict[str, bytes]:
    """Six clips: one is a copy of another, and one has markup in its transcript."""
    names = staff_steps.SLT_CLIPS[:5]
    files = {f"{name}.wav": sound.read_clip(name) for name in names}
    files["zz-copy.wav"] = make_copy(files[f"{names[1]}.wav"])
    lines = [
        f"{name}.wav|{MARKUP if number == 0 else sound.read_transcript(name)}" for number, name in enumerate(names)
    ]
    lines.append(f"zz-copy.wav|{sound.read_transcript(names[1])}")
    return files | {"metadata.csv": "\n".join(lines).encode()}


def find_section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_voice_page_from_the_empty_voice_to_repaired_recordings(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    voice = staff_steps.add_voice(tab, staff_steps.add_talent(tab, "Vera Voicepage"), "Vera, on four tabs")
    page = tab.page
    expect(page.get_by_text("How much speech is needed")).to_be_visible()
    for size in SIZES:
        other = open_tab(size, "paula")
        other.goto(voice)
        other.check_page("voice, empty")
    check_tabs_by_keyboard(page)
    files = make_files()
    staff_steps.upload_files(tab.goto(voice), files)
    expect(page.get_by_text("How much speech is needed")).to_be_hidden()

    expect(page.locator("#recordings-work [data-work-result]")).to_be_attached(timeout=staff_steps.CHECKS_TIMEOUT_MS)
    staff_steps.open_voice_tab(page, "Readiness")
    check_copies(page)
    check_repairs(page)
    studio.run_script(SPREAD_DAYS.format(voice=staff_steps.read_id(page)))
    page.reload()
    check_charts(page)
    check_all_tabs(open_tab, voice)


def check_tabs_by_keyboard(page: Page) -> None:
    tabs = page.get_by_role("navigation", name="Parts of the voice").get_by_role("link")
    expect(tabs).to_have_count(len(TABS))
    for name in (*TABS[1:], TABS[0]):
        link = tabs.filter(has_text=name)
        link.focus()
        link.press("Enter")
        expect(link).to_have_attribute("aria-current", "page")
    expect(tabs.filter(has_text="Readiness")).to_contain_text(re.compile(r"0 of \d"))


def check_copies(page: Page) -> None:
    """The check has left the copy out. A person keeps it instead of the original, and takes that back."""
    copies = find_section(page, "Copies")
    copy = copies.get_by_role("listitem").filter(has_text="zz-copy.wav")
    expect(copy).to_contain_text("Excluded", timeout=staff_steps.CHECKS_TIMEOUT_MS)
    copy.get_by_role("button", name="Play zz-copy.wav").click()
    expect(copy.locator(".waveform canvas").first).to_be_visible()
    copy.get_by_role("button", name="Keep this one").click()
    expect(page.get_by_text("One recording is kept in builds, 1 copy excluded.")).to_be_visible()
    expect(copy).to_contain_text("In builds")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: 2 recordings are as before.")).to_be_visible()
    expect(copy).to_contain_text("Excluded")


def check_repairs(page: Page) -> None:
    repairs = find_section(page, "Transcripts to repair")
    expect(repairs).to_contain_text(MARKUP)
    expect(repairs).to_contain_text(REPAIRED)
    repairs.get_by_role("button", name="Repair it").press("Enter")
    expect(page.get_by_text("1 transcript repaired.")).to_be_visible()
    expect(repairs).to_have_count(0)
    expect(page.locator("#messages")).to_be_focused()  # the pressed button is gone
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undone: 1 recording is as before.")).to_be_visible()
    expect(page.locator("#messages")).to_be_focused()
    expect(repairs).to_contain_text(MARKUP)
    findings = find_section(page, "Findings")
    findings.get_by_role("listitem").filter(has_text="Transcript: markup").get_by_role("link").click()
    expect(page.get_by_role("link", name=re.compile("^Transcript: markup"))).to_have_attribute("aria-current", "true")
    expect(page.locator("#recordings tbody tr").first).to_contain_text("slt-01.wav")
    expect(page.locator("#recordings").get_by_text("1 found")).to_be_visible()
    staff_steps.open_voice_tab(page, "Readiness")


def check_charts(page: Page) -> None:
    page.locator("#sound-charts > summary").click()
    loudness = page.locator("figure[data-chart=line]").filter(has_text="Loudness by day")
    expect(loudness.locator("canvas")).to_be_visible()
    loudness.locator("summary").press("Enter")
    expect(loudness.locator("tbody tr")).to_have_count(5)
    expect(loudness.locator("tbody td").first).to_contain_text("−")


def check_all_tabs(open_tab: OpenTab, voice: str) -> None:
    for size in SIZES:
        tab = open_tab(size, "paula")
        for path in ("", "readiness/", "builds/", "providers/"):
            page = tab.goto(f"{voice}{path}")
            tabs = page.get_by_role("navigation", name="Parts of the voice")
            expect(tabs.locator("[aria-current]")).to_be_in_viewport(ratio=0.9)
            tab.check_page(f"voice, filled, {path or 'recordings'}")
