"""The steps of staff on each page. Fields and buttons are found by the texts that staff see."""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import UUID

from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser import sound
from tests.browser.studio import PASSWORD, Studio
from tests.browser.tab import Tab
from tests.support.pdfs import make_pdf
from tests.support.processes import wait_for

ACCOUNT = "Studio account"
ACCOUNT_KEY = "sandbox-key-of-the-studio"
PROVIDER = "Resemble AI"
PROVIDER_SLUGS = {
    PROVIDER: "resemble_v2",
    "Resemble AI v1": "resemble_v1",
    "AudioStack": "audiostack",
    "Speechgen": "speechgen",
    "Voice.ai": "voiceai",
}
PROVIDERS = tuple(PROVIDER_SLUGS)
PURPOSE = "Narration and audiobooks"
REQUEST_BUTTON = re.compile(r"^Request (\d+ )?consents?( without sending)?$")
SLT_CLIPS = [f"slt-0{number}" for number in range(1, 9)]
AS_DATASET = "As one dataset that the provider fetches"
RMS_CLIPS = [f"rms-0{number}" for number in range(1, 7)]
CHECKS_TIMEOUT_MS = 300_000
"""Checks of new recordings end far sooner, but not on a machine that runs other tests too."""

DROP_SCRIPT = """([files, area]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    area.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""
DURATION_SCRIPT = """(audio) => new Promise((done, fail) => {
  audio.addEventListener("loadedmetadata", () => done(audio.duration));
  audio.addEventListener("error", () => fail(new Error(audio.error.message)));
  audio.preload = "metadata";
  audio.load();
})"""


def sign_in(studio: Studio, context: BrowserContext, name: str) -> Any:
    """Sign a user in. Return the cookies."""
    page = context.new_page()
    page.goto(studio.address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    return context.storage_state()


def add_account(tab: Tab, name: str, provider: str = PROVIDER, key: str = ACCOUNT_KEY) -> str:
    """Add an account at the provider's sandbox. Return the path of its page."""
    page = tab.goto("/accounts/add/")
    page.get_by_role("radio", name=re.compile(rf"^{re.escape(provider)}(?! v)")).check()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Mode").select_option("sandbox")
    page.get_by_label("API key").fill(key)
    tab.check_page("account form")
    page.get_by_role("button", name="Add account").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return read_path(page)


def read_path(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url).partition("#")[0].partition("?")[0]


def read_id(page: Page) -> UUID:
    """The ID of the row that the page shows, read from its address."""
    return UUID(read_path(page).split("/")[2])


# --- Talents, contracts, consents -----------------------------------------------------------------


def add_talent(tab: Tab, name: str) -> str:
    """Add a talent. Return the path of their page."""
    page = tab.goto("/talents/add/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Email address", exact=True).fill(make_email(name))
    page.get_by_role("button", name="Add talent", exact=True).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return read_path(page)


def make_email(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@talent.test"


def add_contract(tab: Tab, talent: str, providers: Sequence[str] = PROVIDERS) -> None:
    """Add a contract that allows narration at these providers."""
    from voices.sample_studio import make_sample_pdf

    today = timezone.localdate()
    page = tab.goto(f"{talent}contracts/add/")
    contract = sound.make_upload("contract.pdf", make_sample_pdf(["VOICE LICENCE"]))
    page.get_by_label("Signed contract").set_input_files(contract)
    page.get_by_label("Signed on").fill(f"{today - timedelta(days=3)}")
    page.get_by_label("Starts on").fill(f"{today - timedelta(days=2)}")
    page.get_by_label("Ends on").fill(f"{today + timedelta(days=300)}")
    page.get_by_label(PURPOSE).check()
    for provider in providers:
        page.get_by_label(provider, exact=True).check()
    page.get_by_label("Intended uses").fill("Audio guides for museums.")
    page.get_by_label("Worldwide", exact=True).check()
    page.get_by_label("Territory, in the words").fill("Worldwide")
    page.get_by_label("I have read the excluded uses").check()
    page.get_by_role("button", name="Add contract").click()
    expect(page.get_by_text("The contract was filed.")).to_be_visible()


def find_use(page: Page, provider: str) -> Locator:
    """The tick of narration at this provider, in the form for requests."""
    return page.get_by_role("checkbox", name=f"{PURPOSE}, {provider}", exact=True)


def request_consent(tab: Tab, talent: str, provider: str = PROVIDER) -> UUID:
    """Request consent to narration, without an invitation. Return the ID of the consent."""
    page = tab.goto(f"{talent}ask/")
    find_use(page, provider).check()
    page.get_by_label("Send the invitation now").uncheck()
    page.get_by_role("button", name=REQUEST_BUTTON).click()
    expect(page.get_by_text("Waiting for talent", exact=True).first).to_be_visible()
    return read_id(page)


def confirm_notice(page: Page) -> None:
    """Confirm on the page of a consent that the talent has read the notice."""
    page.get_by_role("link", name="Show the notice and confirm that it was read").click()
    page.get_by_role("button", name=re.compile("has read it")).click()


def upload_take(tab: Tab, consent: UUID, content: bytes) -> None:
    confirm_notice(tab.goto(f"/consents/{consent}/"))
    send_take_file(tab, consent, content)


def send_take_file(tab: Tab, consent: UUID, content: bytes) -> None:
    page = tab.goto(f"/consents/{consent}/")
    page.get_by_label("Audio file").set_input_files(sound.make_upload("statement.wav", content))
    page.get_by_role("button", name="Upload it for the talent").click()
    expect(page.get_by_text("To review", exact=True).first).to_be_visible()


def approve_take(tab: Tab) -> None:
    """Play the whole take, then approve it. The button stays disabled for as many seconds as the take is long."""
    button = tab.page.get_by_role("button", name="Approve")
    expect(button).to_be_disabled()
    expect(tab.page.get_by_text("Is the statement read word for word")).to_have_count(0, timeout=60_000)
    tab.page.locator("#review audio").evaluate("(audio) => { audio.playbackRate = 16; return audio.play(); }")
    expect(button).to_be_enabled(timeout=60_000)
    reason = tab.page.get_by_label("Why do you approve it although")
    if reason.count():
        reason.fill("I know the voice, and read along.")
    button.click()
    expect(tab.page.get_by_text("Consent approved. It is now in force.")).to_be_visible()


def create_private_link(page: Page) -> str:
    fold = page.locator("#new-link:not([open])")  # of a settled consent
    if fold.count():
        fold.locator("summary").click()
    page.get_by_role("button", name="Create a private link").click()
    return page.get_by_role("textbox", name="Private link").input_value()


def send_invitation(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Send the invitation").click()
    expect(tab.page.get_by_text("The invitation is being sent.")).to_be_visible()


PREPARE_TALENT = """
from tests.browser import prepared
prepared.add_talent({name!r}, {email!r}, {providers!r})
"""
PREPARE_CONSENT = """
from pathlib import Path
from tests.browser import prepared
prepared.approve_consent({talent!r}, {provider!r}, Path({statement!r}))
"""
PREPARE_VOICE = """
from tests.browser import prepared
prepared.add_voice({talent!r}, {name!r}, {clips!r})
"""


def prepare_talent(studio: Studio, name: str, providers: Sequence[str] = PROVIDERS) -> str:
    """Add a talent with a contract for these providers, without the pages. Return the path of their page."""
    slugs = [PROVIDER_SLUGS[provider] for provider in providers]
    studio.run_script(PREPARE_TALENT.format(name=name, email=make_email(name), providers=slugs))
    row = studio.fetch_rows("SELECT id FROM consent_talent WHERE name = ?", name)[0]
    return f"/talents/{UUID(row['id'])}/"


def prepare_consent(studio: Studio, talent: str, statement: bytes, provider: str = PROVIDER) -> UUID:
    """An approved consent with this statement, without the pages. Return its ID."""
    slug, talent_id = PROVIDER_SLUGS[provider], UUID(talent.split("/")[2])
    with NamedTemporaryFile(suffix=".wav") as file:
        file.write(statement)
        file.flush()
        studio.run_script(PREPARE_CONSENT.format(talent=str(talent_id), provider=slug, statement=file.name))
    query = "SELECT id FROM consent_consent WHERE talent_id = ? AND provider = ? ORDER BY created_at DESC"
    return UUID(studio.fetch_rows(query, talent_id, slug)[0]["id"])


def prepare_voice(studio: Studio, talent: str, name: str, clips: Sequence[str]) -> str:
    """Add a voice with these clips, without the pages. Return the path of its page."""
    talent_id = UUID(talent.split("/")[2])
    studio.run_script(PREPARE_VOICE.format(talent=str(talent_id), name=name, clips=list(clips)))
    query = "SELECT id FROM voices_voice WHERE talent_id = ? AND name = ?"
    return f"/voices/{UUID(studio.fetch_rows(query, talent_id, name)[0]['id'])}/"


def add_approved_talent(tab: Tab, name: str, statement: bytes) -> tuple[str, UUID]:
    """Add a talent with a contract and an approved consent. Return the path of their page and the ID of the consent."""
    talent = prepare_talent(tab.studio, name)
    return talent, prepare_consent(tab.studio, talent, statement)


def record_proof(page: Page, account: str) -> None:
    """On the page of a consent's proofs, record that a contract was mailed to the provider."""
    page.get_by_label("Account").select_option(label=f"{account}, sandbox")
    page.get_by_label("Document that was sent").set_input_files(
        {"name": "contract.pdf", "mimeType": "application/pdf", "buffer": make_pdf()}
    )
    page.get_by_label("Sent on").fill(timezone.localdate().isoformat())
    page.get_by_label("Sent to").fill("ethics@provider.test")
    page.get_by_role("button", name="Record the proof").click()
    expect(page.get_by_text("The proof is recorded.")).to_be_visible()


def submit_with_reason(page: Page, name: str, reason: str) -> None:
    """Open the form behind a button such as "Suspend", type a reason and submit it."""
    form = page.locator("details.reason-form").filter(has=page.get_by_text(name, exact=True))
    form.locator("summary").click()
    form.get_by_role("textbox").fill(reason)
    form.get_by_role("button", name=name).click()


def read_audit_log(page: Page) -> list[str]:
    """The lines of the audit log of a consent, oldest first. Its hash chain must be verified."""
    lines = page.locator("ol.history > li")
    expect(page.get_by_text(f"Verified, {lines.count()} entr")).to_be_visible()
    return lines.all_inner_texts()[::-1]


def read_acts(page: Page) -> list[str]:
    """The lines of the audit log without the mails that confirm an act, which are sent a moment later."""
    mails = ("A receipt of", "A confirmation of", "The news of", "The request for a retake was emailed")
    return [line for line in read_audit_log(page) if not line.startswith(mails)]


# --- Voices, recordings, builds -------------------------------------------------------------------


def add_voice(tab: Tab, talent: str, name: str) -> str:
    """Add a voice. Return the path of its page."""
    page = tab.goto(f"{talent}voices/add/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Language").select_option("en-US")
    page.get_by_label("Purpose").select_option(label=PURPOSE)
    page.get_by_role("button", name="Add voice").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return read_path(page)


def drop_files(page: Page, files: Mapping[str, bytes]) -> None:
    page.wait_for_load_state()  # the scripts of the page are ready
    encoded_files = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    page.locator("[data-drop]").evaluate(f"(area, files) => ({DROP_SCRIPT})([files, area])", encoded_files)


def make_clip_files(names: Sequence[str]) -> dict[str, bytes]:
    """Committed clips as files, with a metadata.csv of their transcripts."""
    files = {f"{name}.wav": sound.read_clip(name) for name in names}
    table = "\n".join(f"{name}.wav|{sound.read_transcript(name)}" for name in names)
    return files | {"metadata.csv": table.encode()}


def add_import(page: Page) -> None:
    """Wait for the preview of what was uploaded, add all of it, and go back to the recordings."""
    page.wait_for_url(re.compile("/imports/"))
    # A long preview has the button at its end too.
    page.locator("#content").get_by_role("button", name=re.compile("^(Add|Set) [0-9]")).first.click()
    page.get_by_role("link", name="Show the recordings").click()
    page.wait_for_url(re.compile("/voices/"))


def upload_files(page: Page, files: Mapping[str, bytes]) -> None:
    drop_files(page, files)
    add_import(page)


def upload_clips(tab: Tab, names: Sequence[str]) -> None:
    upload_files(tab.page, make_clip_files(names))


RAPID, PROFESSIONAL = "Resemble AI, rapid", "Resemble AI, professional"


def open_voice_tab(page: Page, name: str) -> None:
    """Open a tab of the voice, such as "Readiness", unless it is open."""
    link = page.get_by_role("navigation", name="Parts of the voice").get_by_role("link", name=re.compile(f"^{name}"))

    def is_open() -> bool:
        """A form that was sent just before may still open another page."""
        if link.get_attribute("aria-current") is None:
            link.click()
            page.wait_for_load_state()
        return link.get_attribute("aria-current") == "page"

    wait_for(is_open, f"the tab {name} to open")


def open_build_option(page: Page, name: str = RAPID, account: str = ACCOUNT) -> Locator:
    """Open the row of this build option on the Readiness tab of the voice, and its group, and return it."""
    open_voice_tab(page, "Readiness")
    row = page.locator("li.option-row:not(:has(> .option-more > .is-group))").filter(
        has_text=re.compile(rf"^\s*{re.escape(name)}:")
    )
    row = row.filter(has=page.locator(".option-note", has_text=re.compile(rf"^\s*{re.escape(account)} ·")))

    def is_open() -> bool:
        """A click is lost if the section is replaced between the press and the release of the mouse button."""
        group = page.locator(".option-more:not([open]):has(> .is-group)").filter(has=row)
        if group.count():
            group.locator(".is-group").click()
        if row.locator(".option-more").get_attribute("open") is None:
            row.locator(".option-head").click()
        return row.locator(".option-body").is_visible()

    wait_for(is_open, f"the option {name} to open")
    return row


def find_recording(page: Page, name: str) -> Locator:
    """The row of a recording."""
    return page.locator("#recordings tbody tr").filter(has=page.get_by_role("link", name=name, exact=True))


def open_details(page: Page, name: str) -> Locator:
    """Open everything about a recording, which is loaded below its row."""
    details = page.get_by_role("region", name=f"Details of {name}")
    if not details.is_visible():
        find_recording(page, name).get_by_role("link", name=name).click()
    expect(details).to_be_visible()
    return details


def find_switch(page: Page, name: str) -> Locator:
    """The switch that puts a recording into builds."""
    return find_recording(page, name).get_by_role("switch", name=f"In builds: {name}")


def edit_transcript(page: Page, name: str) -> Locator:
    """Press the transcript of a recording, which makes it a field."""
    field = page.get_by_role("textbox", name=f"Transcript of {name}")
    if not field.is_visible():
        find_recording(page, name).locator("[data-edit]").click()
    return field


def put_back(page: Page, clip: str, name: str = RAPID, account: str = ACCOUNT) -> Locator:
    """Put a recording into builds that a check left out, once it is checked. Return the build option, opened again."""
    open_build_option(page, name, account).get_by_role("button", name=f"Include {clip}.wav").click(
        timeout=CHECKS_TIMEOUT_MS
    )
    return open_build_option(page, name, account)


def start_build(tab: Tab, name: str = RAPID, handover: str = "", account: str = ACCOUNT) -> str:
    """Start a build from the voice's page, once its recordings are checked. Return the path of the build's page."""
    option = open_build_option(tab.page, name, account)
    button = option.get_by_role("button", name=re.compile(r"^Start \w+ build"))
    expect(button).to_be_visible(timeout=CHECKS_TIMEOUT_MS)
    if handover:
        option.get_by_label(handover).check()
    button.click()
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"Build \d+ of"))
    return read_path(tab.page)


def wait_for_heading(page: Page, heading: str | re.Pattern[str]) -> None:
    """Wait until the page shows this heading, and check that it was not reloaded."""
    page.evaluate("document.body.dataset.sameDocument = 'yes'")
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=60_000)
    assert page.evaluate("document.body.dataset.sameDocument") == "yes"


# --- Voices at their providers ---------------------------------------------------------------------


def find_next_step(page: Page, text: str) -> Locator:
    """The row with this text among the next steps on the Today page."""
    return page.get_by_role("region", name="Next steps").get_by_role("listitem").filter(has_text=text)


def generate_preview(page: Page, text: str) -> None:
    """Generate a preview of a sentence, wait for it and check that it plays."""
    page.get_by_label("Sentence").fill(text)
    page.get_by_role("button", name="Generate preview").click()
    check_preview(page, text)


def check_preview(page: Page, text: str) -> None:
    """Wait for the preview with this text and check that the browser can decode it."""
    preview = page.locator(".preview-list li").filter(has_text=text)
    assert preview.locator("audio").evaluate(DURATION_SCRIPT) > 0.5


def open_remote_voice(page: Page) -> str:
    """Go from a build's page to its voice at the provider. Return the path of that page."""
    page.locator("dt:has-text('Voice at the provider') + dd").get_by_role("link").click()
    expect(page.get_by_role("heading", name="At the provider")).to_be_visible()
    return read_path(page)


def delete_remote_voice(page: Page, reason: str) -> None:
    """Delete the voice at the provider and wait until a check shows that it is gone."""
    submit_with_reason(page, "Delete it at the provider", reason)
    expect(page.get_by_text("The provider no longer has the voice")).to_be_visible()
    expect(page.locator("#deletion")).to_contain_text(reason)


def confirm_deletion(page: Page, reason: str) -> None:
    """Confirm that a person has deleted the voice on the provider's own page."""
    submit_with_reason(page, "Confirm that the voice is deleted", reason)
    expect(page.locator("#deletion")).to_contain_text(re.compile(r"Confirmed by staff\s+Paula,"))
    expect(page.locator("#deletion")).to_contain_text(reason)
