"""What staff do, page by page, by the words that they read."""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser import guest, sound
from tests.browser.studio import PASSWORD, Studio
from tests.browser.tab import Tab

ACCOUNT = "House account"
ACCOUNT_KEY = "sandbox-key-of-the-house"
PROVIDER = "Resemble AI"
PROVIDERS = (PROVIDER, "Resemble AI v1", "AudioStack", "Speechgen", "Voice.ai")
PURPOSE = "Narration and audiobooks"
SLT = [f"slt-0{number}" for number in range(1, 9)]
BY_ADDRESS = "As one dataset that the provider fetches"
RMS = [f"rms-0{number}" for number in range(1, 7)]

DROP = """([files, area]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    area.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""
LENGTH = """(audio) => new Promise((done, fail) => {
  audio.addEventListener("loadedmetadata", () => done(audio.duration));
  audio.addEventListener("error", () => fail(new Error(audio.error.message)));
  audio.preload = "metadata";
  audio.load();
})"""


def sign_in(studio: Studio, context: BrowserContext, name: str) -> Any:
    """Sign somebody in; their cookies."""
    page = context.new_page()
    page.goto(studio.address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    return context.storage_state()


def add_account(tab: Tab, name: str, provider: str = PROVIDER, key: str = ACCOUNT_KEY) -> str:
    """At the provider's sandbox; the path of the new account's page."""
    page = tab.go("/accounts/add/")
    page.get_by_role("radio", name=re.compile(rf"^{re.escape(provider)}(?! v)")).check()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Mode").select_option("sandbox")
    page.get_by_label("API key").fill(key)
    tab.look("form of an account")
    page.get_by_role("button", name="Add account").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return path_of(page)


def path_of(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url).partition("#")[0].partition("?")[0]


def id_in(page: Page) -> UUID:
    """The id in the address of the page."""
    return UUID(path_of(page).split("/")[2])


# --- Talents, contracts, consents -----------------------------------------------------------------


def add_talent(tab: Tab, name: str) -> str:
    """The path of the new talent's page."""
    page = tab.go("/talents/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email address").fill(mail_of(name))
    page.get_by_role("button", name="Add talent", exact=True).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return path_of(page)


def mail_of(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@talent.test"


def file_contract(tab: Tab, talent: str) -> None:
    """A paper with terms that allow narration at every provider."""
    from voices.sample_studio import make_sample_pdf

    today = timezone.localdate()
    page = tab.go(f"{talent}contracts/add/")
    paper = sound.chosen("contract.pdf", make_sample_pdf(["VOICE LICENCE"]))
    page.get_by_label("Signed contract").set_input_files(paper)
    page.get_by_label("Signed on").fill(f"{today - timedelta(days=3)}")
    page.get_by_label("Starts on").fill(f"{today - timedelta(days=2)}")
    page.get_by_label("Ends on").fill(f"{today + timedelta(days=300)}")
    page.get_by_label(PURPOSE).check()
    for provider in PROVIDERS:
        page.get_by_label(provider, exact=True).check()
    page.get_by_label("Intended uses").fill("Audio guides for museums.")
    page.get_by_role("button", name="Add contract").click()
    expect(page.get_by_text("The contract was filed.")).to_be_visible()


def ask_consent(tab: Tab, talent: str, provider: str = PROVIDER) -> UUID:
    """Request consent to narration; its id."""
    page = tab.go(f"{talent}ask/")
    page.get_by_label("Provider and language").select_option(label=f"{provider}, English (US)")
    page.get_by_label("Purpose of the voice").select_option(label=PURPOSE)
    page.get_by_role("button", name="Request consent").click()
    expect(page.get_by_text("Requested", exact=True)).to_be_visible()
    return id_in(page)


def upload_take(tab: Tab, consent: UUID, content: bytes) -> None:
    """File a recording on the talent's behalf."""
    page = tab.go(f"/consents/{consent}/")
    page.get_by_label("WAV file").set_input_files(sound.chosen("statement.wav", content))
    page.get_by_role("button", name="Upload it for the talent").click()
    expect(page.get_by_text("In review", exact=True).first).to_be_visible()


def approve(tab: Tab) -> None:
    """Have all of the take played, and approve it once as much time has passed as it lasts, not before."""
    button = tab.page.get_by_role("button", name="Approve")
    expect(button).to_be_disabled()
    expect(tab.page.get_by_text("Is it read word for word")).to_have_count(0, timeout=60_000)
    tab.page.locator("#review audio").evaluate("(audio) => { audio.playbackRate = 16; return audio.play(); }")
    expect(button).to_be_enabled(timeout=60_000)
    reason = tab.page.get_by_label("Why do you approve it although")
    if reason.count():
        reason.fill("I know the voice, and read along.")
    button.click()
    expect(tab.page.get_by_text("Consent approved. It is now in force.")).to_be_visible()


def invite(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Send the invitation").click()
    expect(tab.page.get_by_text("The invitation is being sent.")).to_be_visible()


def permitted_talent(tab: Tab, name: str, statement: bytes, *, invited: bool = False) -> tuple[str, UUID]:
    """A talent with a contract and an approved consent: their page, and the consent's id."""
    talent = add_talent(tab, name)
    file_contract(tab, talent)
    return talent, permit(tab, talent, statement, invited=invited)


def permit(tab: Tab, talent: str, statement: bytes, provider: str = PROVIDER, *, invited: bool = False) -> UUID:
    """From the question to a consent that is in force; its id."""
    consent = ask_consent(tab, talent, provider)
    if invited:
        invite(tab)
    tab.page.get_by_role("button", name="Create a private link").click()
    link = tab.page.get_by_role("textbox", name="Private link").input_value()
    with tab.as_guest() as talent_tab:  # of staff who are signed in the studio knows that it is not the talent
        guest.send_file(guest.begin(talent_tab, link), statement)
    tab.go(f"/consents/{consent}/")
    approve(tab)
    return consent


def act_with_reason(page: Page, name: str, reason: str) -> None:
    """Open the question behind a button such as "Suspend", answer it, and go on."""
    asked = page.locator("details.reason-form").filter(has=page.get_by_text(name, exact=True))
    asked.locator("summary").click()
    asked.get_by_role("textbox").fill(reason)
    asked.get_by_role("button", name=name).click()


def history(page: Page) -> list[str]:
    """The lines of a consent's history, after a look that its chain holds."""
    lines = page.locator("ol.history > li")
    expect(page.get_by_text(f"Verified, {lines.count()} entr")).to_be_visible()
    return lines.all_inner_texts()


# --- Voices, recordings, builds -------------------------------------------------------------------


def add_voice(tab: Tab, talent: str, name: str) -> str:
    """The path of the new voice's page."""
    page = tab.go(f"{talent}voices/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Language").select_option("en-US")
    page.get_by_label("Purpose").select_option(label=PURPOSE)
    page.get_by_role("button", name="Add voice").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return path_of(page)


def drop_files(page: Page, files: Mapping[str, bytes]) -> None:
    """Drop files on the page, all at once."""
    coded = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    page.locator("[data-drop]").evaluate(f"(area, files) => ({DROP})([files, area])", coded)


def clips(names: Sequence[str]) -> dict[str, bytes]:
    """Committed clips as files to drop, with the table of their transcripts."""
    files = {f"{name}.wav": sound.clip(name) for name in names}
    table = "\n".join(f"{name}.wav|{sound.transcript(name)}" for name in names)
    return files | {"metadata.csv": table.encode()}


def wait_for_uploads(page: Page, count: int) -> None:
    """Until each of them has its result."""
    expect(page.locator("[data-summary]")).to_contain_text(re.compile(rf"^{count} files? ·"))


def uploaded(page: Page, name: str) -> Locator:
    """The line of a file in the list of uploads."""
    return page.locator("li.upload").filter(has=page.get_by_text(name, exact=True))


def add_clips(tab: Tab, names: Sequence[str]) -> None:
    files = clips(names)
    drop_files(tab.page, files)
    wait_for_uploads(tab.page, len(files))


RAPID, PROFESSIONAL = "Resemble AI, rapid", "Resemble AI, professional"


def place(page: Page, name: str = RAPID, account: str = ACCOUNT) -> Locator:
    """What the voice's page says of building it there, unfolded."""
    row = page.locator("li.option-row").filter(has_text=re.compile(rf"^\s*{re.escape(name)}:"))
    row = row.filter(has=page.locator(".option-note", has_text=re.compile(rf"^\s*{re.escape(account)} ·")))
    if row.locator(".option-more").get_attribute("open") is None:
        row.locator(".option-head").click()
    expect(row.locator(".option-body")).to_be_visible()
    return row


def start_build(tab: Tab, name: str = RAPID, way: str = "", account: str = ACCOUNT) -> str:
    """Start it from the voice's page; the path of the build's page."""
    there = place(tab.page, name, account)
    if way:
        there.get_by_label(way).check()
    there.get_by_role("button", name=re.compile(r"^Start \w+ build")).click()
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("build of")
    return path_of(tab.page)


def watch_until(page: Page, heading: str) -> None:
    """Stay on the build's page, without loading it again, until it says this."""
    page.evaluate("document.body.dataset.sameDocument = 'yes'")
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=60_000)
    assert page.evaluate("document.body.dataset.sameDocument") == "yes"


# --- Voices at their providers ---------------------------------------------------------------------


def next_step(page: Page, about: str) -> Locator:
    """The row of Today's next steps that says this."""
    return page.get_by_role("region", name="Next steps").get_by_role("listitem").filter(has_text=about)


def have_said(page: Page, text: str) -> None:
    """Ask for a sentence, wait until it was spoken, and get it to be heard."""
    page.get_by_label("Sentence").fill(text)
    page.get_by_role("button", name="Generate preview").click()
    hear(page, text)


def hear(page: Page, text: str) -> None:
    """Wait for the sound of what begins so, and see that the browser can play what it is served."""
    line = page.locator(".preview-list li").filter(has_text=text)
    assert line.locator("audio").evaluate(LENGTH) > 0.5


def open_remote(page: Page) -> str:
    """From a build's page to the voice that it made; the path of that page."""
    page.locator("dt:has-text('Voice at the provider') + dd").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    return path_of(page)


def delete_remote(page: Page, reason: str) -> None:
    """Have the provider delete the voice, and stay until a look there has found nothing."""
    act_with_reason(page, "Delete it at the provider", reason)
    expect(page.get_by_text("The provider no longer has the voice")).to_be_visible()
    expect(page.locator("#deletion")).to_contain_text(reason)


def note_deletion(page: Page, reason: str) -> None:
    """Write down that a person has deleted it on the provider's own page."""
    act_with_reason(page, "Confirm deletion", reason)
    expect(page.locator("#deletion")).to_contain_text(re.compile(r"Confirmed by staff\s+Paula,"))
    expect(page.locator("#deletion")).to_contain_text(reason)
