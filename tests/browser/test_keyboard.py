"""The whole job by keyboard alone, from signing in to a finished build, with a focus that is visible and never lost."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from tests.browser import sound, staff_steps
from tests.browser.keyboard import Keyboard
from tests.browser.studio import PASSWORD, Studio
from tests.browser.tab import Tab
from voices.sample_studio import make_sample_pdf

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("account")

NAME = "Kay Keyboard"
VOICE = "Kay, without a mouse"
CLIPS = staff_steps.SLT_CLIPS[:4]
FIRST, SECOND, THIRD = (f"{name}.wav" for name in CLIPS[:3])
NO_POINTER = """
for (const kind of ["pointerdown", "mousedown"]) {
  addEventListener(kind, () => console.error("a pointer was used"), true);
}
"""


@pytest.fixture
def keys(open_tab: OpenTab) -> Iterator[Keyboard]:
    """The keyboard of a tab without a signed-in user. Any use of the pointer is reported as a problem."""
    tab = open_tab("desktop")
    tab.context.add_init_script(NO_POINTER)
    yield Keyboard(tab.page)


def test_whole_job_is_done_by_keyboard(studio: Studio, keys: Keyboard, open_tab: OpenTab) -> None:
    sign_in(studio, keys)
    add_talent(keys)
    add_contract(keys)
    consent = request_consent(keys)
    send_statement(Keyboard(open_tab("phone").page), read_link(keys))
    approve(keys, consent)
    add_voice(keys)
    upload_recordings(keys)
    look_at_recordings(keys)
    build(keys)
    sign_out(keys)


def expect_heading(page: Page, name: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def sign_in(studio: Studio, keys: Keyboard) -> None:
    keys.page.goto(studio.address)
    keys.check_focus(keys.page.get_by_label("Username"))
    keys.type("paula")
    keys.fill(keys.page.get_by_label("Password"), PASSWORD)
    keys.press("Enter")
    expect_heading(keys.page, "Today")


def add_talent(keys: Keyboard) -> None:
    page = keys.page
    keys.activate(page.get_by_role("navigation", name="Main").get_by_role("link", name="Talents"))
    expect_heading(page, "Talents")
    keys.skip_to_content()
    keys.activate(page.get_by_role("link", name=re.compile("^Add (talent|the first talent)$")))
    expect_heading(page, "Add talent")
    keys.skip_to_content()
    keys.fill(page.get_by_label("Name", exact=True), NAME)
    keys.fill(page.get_by_label("Email address", exact=True), staff_steps.make_email(NAME))
    keys.activate(page.get_by_role("button", name="Add talent", exact=True))
    expect_heading(page, NAME)


def add_contract(keys: Keyboard) -> None:
    """Fill in the terms, then go back to the file. The viewer of the PDF is a frame of its own in the order."""
    page, today = keys.page, timezone.localdate()
    keys.skip_to_content()
    keys.activate(page.get_by_role("link", name="Add contract").first)
    expect_heading(page, "Add contract")
    keys.skip_to_content()
    for label, days in (("Signed on", -3), ("Starts on", -2), ("Ends on", 300)):
        keys.fill(page.get_by_label(label), f"{today + timedelta(days=days):%m%d%Y}")
    keys.check(page.get_by_label(staff_steps.PURPOSE))
    keys.check(page.get_by_label(staff_steps.PROVIDER, exact=True))
    keys.fill(page.get_by_label("Intended uses"), "Audio guides for museums.")
    keys.check(page.get_by_label("Worldwide", exact=True))
    keys.fill(page.get_by_label("Territory, in the words"), "Worldwide")
    keys.check(page.get_by_label("I have read the excluded uses"))
    contract = sound.make_upload("contract.pdf", make_sample_pdf(["VOICE LICENCE"]))
    keys.choose_files(page.get_by_label("Signed contract"), [contract], "Shift+Tab")
    keys.activate(page.get_by_role("button", name="Add contract"))
    expect(page.get_by_text("The contract was filed.")).to_be_visible()
    expect(page.locator("dt", has_text="Party").locator("+ dd")).to_contain_text("Northlight Voices")


def open_talent(keys: Keyboard) -> None:
    """Go from a page about the talent to that of the talent."""
    keys.skip_to_content()
    keys.activate(keys.page.get_by_role("link", name=NAME).first)
    expect_heading(keys.page, NAME)
    keys.skip_to_content()


def request_consent(keys: Keyboard) -> str:
    page = keys.page
    if "/talents/" not in page.url:
        open_talent(keys)
    keys.activate(page.get_by_role("link", name="Request consent").first)
    expect_heading(page, f"Request consent of {NAME}")
    keys.skip_to_content()
    keys.check(staff_steps.find_use(page, staff_steps.PROVIDER))
    keys.go_to(page.get_by_label("Send the invitation now"))
    keys.press("Space")
    keys.activate(page.get_by_role("button", name=staff_steps.REQUEST_BUTTON))
    expect(page.get_by_text("Waiting for talent", exact=True).first).to_be_visible()
    return staff_steps.read_path(page)


def read_link(keys: Keyboard) -> str:
    keys.skip_to_content()
    keys.activate(keys.page.get_by_role("button", name="Create a private link").first)
    field = keys.page.get_by_role("textbox", name="Private link")
    expect(field).to_be_visible()
    keys.skip_to_content()
    keys.go_to(field)
    return field.input_value()


def send_statement(keys: Keyboard, link: str) -> None:
    """The talent sends a file instead of recording. Other tests record."""
    page = keys.page
    page.goto(link)
    keys.check(page.get_by_role("group", name="Tick what you agree to").get_by_role("checkbox"))
    keys.activate(page.get_by_role("button", name="Continue to the text"))
    expect(page.get_by_role("heading", name="Read this aloud")).to_be_visible()
    keys.activate(page.get_by_text("Send a file instead"))
    keys.choose_files(page.get_by_label("Audio file"), [sound.make_upload("me.wav", sound.read_clip("consent-slt"))])
    keys.activate(page.get_by_role("button", name="Send the file"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("It has arrived.")


def approve(keys: Keyboard, consent: str) -> None:
    """Listen to the whole take while its report is replaced by the poll, then approve it."""
    page = keys.page
    open_talent(keys)
    keys.activate(page.get_by_role("link", name=f"{staff_steps.PROVIDER}, narration", exact=False).first)
    expect(page.get_by_text("To review", exact=True).first).to_be_visible()
    assert staff_steps.read_path(page).startswith(consent)
    keys.skip_to_content()
    player = page.locator("#review .vh-play")
    keys.go_to(player)
    keys.press("Space")
    expect(page.get_by_text("Is the statement read word for word")).to_have_count(0)
    keys.check_focus(player)
    button = page.get_by_role("button", name="Approve")
    expect(button).to_be_enabled()
    reason = page.get_by_label("Why do you approve it although")
    if reason.count():
        keys.fill(reason, "I know the voice, and read along.")
    keys.activate(button)
    expect(page.get_by_text("Consent approved. It is now in force.")).to_be_visible()


def add_voice(keys: Keyboard) -> None:
    page = keys.page
    open_talent(keys)
    keys.activate(page.get_by_role("link", name="Add voice").first)
    expect_heading(page, re.compile("^Add (a )?voice"))
    keys.skip_to_content()
    keys.fill(page.get_by_label("Name", exact=True), VOICE)
    keys.choose(page.get_by_label("Language"), "English (United States)")
    keys.choose(page.get_by_label("Purpose"), staff_steps.PURPOSE)
    keys.activate(page.get_by_role("button", name="Add voice"))
    expect_heading(page, VOICE)


def upload_recordings(keys: Keyboard) -> None:
    page = keys.page
    keys.skip_to_content()
    files = staff_steps.make_clip_files(CLIPS)
    field = page.get_by_label("choose them")
    keys.choose_files(field, [sound.make_upload(name, content) for name, content in files.items()])
    page.wait_for_url(re.compile("/imports/"))
    expect(page.get_by_role("button", name=re.compile("^Add [0-9]"))).to_be_visible()
    keys.skip_to_content()
    keys.activate(page.get_by_role("button", name=re.compile("^Add [0-9]")))
    expect(page.get_by_role("link", name="Show the recordings")).to_be_visible()
    keys.skip_to_content()
    keys.activate(page.get_by_role("link", name="Show the recordings"))
    page.wait_for_url(re.compile("/voices/"))
    page.goto(f"{page.url.partition('?')[0].partition('#')[0]}?sort=name")
    expect(staff_steps.find_recording(page, FIRST)).to_be_visible()


def look_at_recordings(keys: Keyboard) -> None:
    """Walk the rows, listen, select two, correct one text, leave one out and take that back."""
    page = keys.page
    keys.press("j", "j", "k")
    row = staff_steps.find_recording(page, FIRST)
    keys.check_focus(row)
    keys.press("Space")
    expect(page.get_by_role("button", name=f"Play {FIRST}")).to_have_attribute("aria-pressed", "true")
    keys.press("Space", "x", "j", "Shift+x")
    bar = page.get_by_role("form", name="Actions for the selected recordings")
    expect(bar).to_contain_text("2 selected")
    keys.press("e")
    keys.check_focus(page.get_by_role("textbox", name=f"Transcript of {SECOND}"))
    keys.press("End")
    keys.type("!")
    keys.press("Enter")
    keys.check_focus(staff_steps.find_recording(page, SECOND))
    expect(staff_steps.find_recording(page, SECOND).get_by_text("Saved")).to_be_visible()
    keys.activate(bar.get_by_role("button", name="Exclude"))
    toast = page.locator(".vh-toast")
    expect(toast).to_contain_text("2 recordings excluded from builds.")
    keys.check_focus(toast.get_by_role("button", name="Undo"))
    keys.press("Enter")
    expect(toast).to_contain_text("Undone: 2 recordings are as before.")
    keys.check_focus_is_kept()
    keys.press("Escape")
    expect(toast).to_have_count(0)
    keys.check_focus_is_kept()
    keys.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    keys.check_focus_is_kept()


def build(keys: Keyboard) -> None:
    """Start the build, and keep the focus on a link of the page while the page updates itself."""
    page = keys.page
    keys.skip_to_content()
    tabs = page.get_by_role("navigation", name="Parts of the voice")
    keys.activate(tabs.get_by_role("link", name=re.compile("^Readiness")))
    expect(tabs.get_by_role("link", name=re.compile("^Readiness"))).to_have_attribute("aria-current", "page")
    head = (
        page.locator("summary.option-head")
        .filter(has_text=f"{staff_steps.RAPID}:")
        .filter(has_text=staff_steps.ACCOUNT)
    )
    keys.skip_to_content()
    keys.activate(head)
    button = (
        page.locator("li.option-row:not(:has(> .option-more > .is-group))")
        .filter(has=head)
        .get_by_role("button", name=re.compile("^Start rapid build"))
    )
    expect(button).to_be_visible(timeout=staff_steps.CHECKS_TIMEOUT_MS)
    keys.check_focus(head)
    keys.activate(button)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"Build \d+ of"))
    keys.skip_to_content()
    remote_voice = page.locator("dt:has-text('Voice at the provider') + dd").get_by_role("link")
    keys.go_to(remote_voice)
    keys.wait_while_focused(remote_voice, page.get_by_role("heading", name="Quality scores"))
    expect(page.locator(".vh-gauge")).to_have_count(4)
    expect(page.locator(".vh-timeline strong").last).to_have_text("Ready")
    keys.skip_to_content()
    play = page.locator("table.report").get_by_role("button", name=f"Play {FIRST}")
    keys.activate(play)
    expect(play).to_have_attribute("aria-pressed", "true")
    keys.press("Enter")
    expect(play).to_have_attribute("aria-pressed", "false")
    search(keys, play)


def search(keys: Keyboard, place: Locator) -> None:
    """The search gives the focus back to its place when it closes, and leads to the voice."""
    page = keys.page
    dialog = page.get_by_role("dialog", name="Search")
    keys.press("Control+k")
    expect(dialog).to_be_visible()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    keys.check_focus(place)
    keys.press("Control+k")
    keys.type(VOICE)
    expect(dialog.get_by_role("option").first).to_contain_text(VOICE)
    keys.press("ArrowDown", "ArrowUp", "Enter")
    expect_heading(page, VOICE)


def sign_out(keys: Keyboard) -> None:
    keys.activate(keys.page.locator(".vh-own > summary"))
    keys.activate(keys.page.locator(".vh-own").get_by_role("button", name="Sign out"))
    expect(keys.page.get_by_label("Username")).to_be_visible()
