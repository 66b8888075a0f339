"""From a new talent to a consent in force: the producer's side and the talent's, each on a screen of either size."""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import soundfile
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser import desk, guest, sound
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.browser import FLAGS

OpenTab = Callable[..., Tab]

STATEMENT = (
    "I am aware that recordings of my voice will be used by Northlight Voices to train and create a synthetic "
    "version of my voice by Resemble AI."
)
HEAVIEST = 100_000  # bytes that a talent's page may weigh


def test_producer_gets_from_a_new_talent_to_an_invitation(studio: Studio, open_tab: OpenTab, staff_size: str) -> None:
    name = f"Ina {staff_size.title()}"
    tab = open_tab(staff_size, "paula")
    tab.go("/talents/add/")
    tab.look("form of a talent")
    talent = desk.add_talent(tab, name)
    tab.look("new talent")
    page = tab.page
    page.get_by_role("link", name="Add contract").click()
    expect(page.get_by_role("heading", name="Add contract")).to_be_visible()
    tab.look("form of a contract")
    desk.file_contract(tab, talent)
    expect(page.get_by_text("Audio guides for museums.")).to_be_visible()
    tab.look("contract")

    page = tab.go(talent)
    page.get_by_role("link", name="Request consent").first.click()
    page.get_by_label("Company in the statement").fill("Harbour Sound Ltd")
    expect(page.locator("#statement blockquote")).to_have_text(
        STATEMENT.replace("Northlight Voices", "Harbour Sound Ltd")
    )
    tab.look("asking for consent")
    page.get_by_label("Company in the statement").fill("Northlight Voices")
    consent = desk.ask_consent(tab, talent)
    expect(page.locator("blockquote.statement")).to_have_text(STATEMENT)
    tab.look("consent, nobody invited")

    desk.invite(tab)
    mail = studio.mail_to(desk.mail_of(name))
    assert guest.link_in(mail).startswith(f"{studio.address}/i/")
    assert name in mail
    page = tab.go(f"/consents/{consent}/")
    expect(page.get_by_text("Active", exact=True)).to_be_visible()
    assert f"was emailed to {desk.mail_of(name)}" in desk.history(page)[1]
    tab.look("consent, invited by mail")


def test_copied_link_is_shown_once_and_is_in_the_history(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desk", "paula")
    consent = desk.ask_consent(tab, desk.add_talent(tab, "Lars Copied"))
    page = tab.page
    page.get_by_role("button", name="Create a private link").click()
    link = page.get_by_role("textbox", name="Private link").input_value()
    tab.look("consent, link to copy")
    assert "created a private link" in desk.history(page)[-1]
    page = tab.go(f"/consents/{consent}/")
    expect(page.get_by_text("Private link, created by Paula")).to_be_visible()
    assert link not in page.content()
    assert guest.begin(open_tab("phone"), link)


def test_talent_records_again_and_sends_what_staff_then_approve(
    studio: Studio, open_tab: OpenTab, staff_size: str, talent_size: str, microphone: Path
) -> None:
    name = f"Tess {talent_size.title()}"
    staff, talent = open_tab(staff_size, "paula"), open_tab(talent_size)
    consent = desk.ask_consent(staff, desk.add_talent(staff, name))
    desk.invite(staff)
    page = talent.go(guest.link_in(studio.mail_to(desk.mail_of(name))))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Northlight Voices asks for your consent, {name}")
    expect(page.get_by_text("Paula is your contact")).to_be_visible()
    talent.look("talent's first page")

    page = guest.begin(talent, page.url)
    expect(page.locator("blockquote.statement")).to_have_text(STATEMENT)
    talent.look("statement, microphone not allowed yet")
    guest.allow_microphone(page)
    expect(page.locator(guest.WORDS)).to_have_text("The microphone sounds good.")
    talent.look("statement, microphone checked")
    first = guest.record(page, 2)
    talent.look("statement, recorded")
    page.get_by_role("button", name="Record again").click()
    made = guest.record(page)
    assert made != first
    guest.listen(page, speed=1)
    guest.send(page)
    page.get_by_text("Technical details").click()
    expect(page.get_by_text(made)).to_be_visible()
    talent.look("receipt")

    stored = studio.take(consent)
    assert (stored["sha256"], hashlib.sha256(stored["stored"]).hexdigest()) == (made, made)
    _is_untouched_speech(stored["stored"], microphone)
    _review(staff, f"/consents/{consent}/", made)
    lines = desk.history(staff.page)
    for line, words in zip(
        lines, ("requested consent", "emailed to", "opened", "through the private link", "in force"), strict=True
    ):
        assert words in line


def _is_untouched_speech(content: bytes, microphone: Path) -> None:
    """16-bit mono PCM of what the microphone heard, with nothing done to it."""
    facts = soundfile.info(io.BytesIO(content))
    assert (facts.format, facts.subtype, facts.channels) == ("WAV", "PCM_16", 1)
    assert facts.duration > 2.5
    assert sound.likeness(content, microphone) >= 0.99


def _review(staff: Tab, path: str, fingerprint: str) -> None:
    """See the waveform, the checks and the text; listen; approve."""
    page = staff.go(path)
    expect(page.locator("dd").filter(has_text=STATEMENT)).to_be_visible()
    expect(page.locator("#review").get_by_text("Recorded by the talent through the private link.")).to_be_visible()
    expect(page.locator("#review").get_by_text("The browser applied no audio processing.")).to_be_visible()
    page.locator("#review").get_by_text("Technical details").click()
    expect(page.locator("#review").get_by_text(fingerprint)).to_be_visible()
    expect(page.locator("#review .waveform canvas").first).to_be_visible()
    staff.look("consent to review")
    desk.approve(staff)
    staff.look("consent in force")


def test_asking_again_tells_the_talent_why(
    studio: Studio, open_tab: OpenTab, staff_size: str, talent_size: str
) -> None:
    name = f"Nora {talent_size.title()}"
    staff, talent = open_tab(staff_size, "paula"), open_tab(talent_size)
    consent = desk.ask_consent(staff, desk.add_talent(staff, name))
    staff.page.get_by_role("button", name="Create a private link").click()
    link = staff.page.get_by_role("textbox", name="Private link").input_value()
    guest.send_file(guest.begin(talent, link), sound.clip("consent-slt"))

    page = staff.go(f"/consents/{consent}/")
    expect(page.locator("#review").get_by_text("Uploaded as a file through the private link")).to_be_visible()
    desk.act_with_reason(page, "Request a retake", "A door slams in the middle.")
    expect(page.get_by_text("Reason: A door slams in the middle.")).to_be_visible()
    staff.look("consent asked again")
    assert "A door slams in the middle." in desk.history(page)[-1]

    page = talent.go(link)
    expect(page.get_by_text("A door slams in the middle.")).to_be_visible()
    talent.look("talent's first page, asked again")
    page = guest.begin(talent, link)
    expect(page.get_by_text("A door slams in the middle.")).to_be_visible()
    guest.send_file(page, sound.clip("consent-slt", 0.2))
    assert len(studio.rows("SELECT * FROM consent_take WHERE consent_id = ?", consent)) == 2


def test_file_that_is_no_recording_is_kept_and_said_to_be_none(studio: Studio, open_tab: OpenTab) -> None:
    staff, talent = open_tab("desk", "paula"), open_tab("phone")
    consent = desk.ask_consent(staff, desk.add_talent(staff, "Bea Broken"))
    staff.page.get_by_role("button", name="Create a private link").click()
    page = guest.begin(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    page.get_by_text("Send a WAV file instead").click()
    page.get_by_label("WAV file").set_input_files(sound.chosen("me.wav", b"ID3 this is something else"))
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_text("The recording was saved, but it cannot be used.")).to_be_visible()
    talent.look("statement, file refused")
    assert studio.take(consent)["stored"] == b"ID3 this is something else"


def test_talent_declines_with_a_reason(studio: Studio, open_tab: OpenTab, staff_size: str, talent_size: str) -> None:
    staff, talent = open_tab(staff_size, "paula"), open_tab(talent_size)
    consent = desk.ask_consent(staff, desk.add_talent(staff, f"Dee {talent_size.title()}"))
    staff.page.get_by_role("button", name="Create a private link").click()
    page = guest.begin(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    page.get_by_text("I do not want to give this consent").click()
    page.get_by_label("Would you like to say why?").fill("I would rather read it myself each time.")
    talent.look("statement, declining")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("You said no.")).to_be_visible()
    talent.look("talent's first page, declined")
    page = staff.go(f"/consents/{consent}/")
    expect(page.get_by_text("Declined").first).to_be_visible()
    assert "I would rather read it myself each time." in desk.history(page)[-1]
    staff.look("consent declined")


def test_visitor_without_the_link_gets_nothing(open_tab: OpenTab) -> None:
    staff, talent, visitor = open_tab("desk", "paula"), open_tab("phone"), open_tab("phone")
    consent = desk.ask_consent(staff, desk.add_talent(staff, "Mina Private"))
    staff.page.get_by_role("button", name="Create a private link").click()
    guest.begin(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    with visitor.refused(404):
        for path in ("/invitation/", f"/invitation/{consent}/", f"/invitation/{consent}/receipt/", "/i/no-such-link/"):
            page = visitor.go(path)
            expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
            assert "Mina" not in page.content()
        visitor.look("link that is over")
    page = visitor.go(f"/consents/{consent}/")
    expect(page).to_have_url(re.compile("/sign-in/"))
    visitor.look("sign-in")


def test_recording_outlives_a_closed_tab(studio: Studio, open_tab: OpenTab) -> None:
    staff, talent = open_tab("desk", "paula"), open_tab("phone")
    consent = desk.ask_consent(staff, desk.add_talent(staff, "Kit Closing"))
    staff.page.get_by_role("button", name="Create a private link").click()
    page = guest.begin(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    guest.allow_microphone(page)
    made = guest.record(page, 3)
    expect(page.get_by_text("Until the studio has it, this recording stays in this browser")).to_be_visible()
    address = page.url
    talent.close_and_open_again()
    page = talent.go(address)
    expect(page.locator(guest.WORDS)).to_have_text("You made this recording here earlier. It has not been sent yet.")
    talent.look("statement, recording from before")
    assert page.locator("[data-part=fingerprint]").text_content() == made
    guest.listen(page)
    guest.send(page)
    assert studio.take(consent)["sha256"] == made


def test_blocked_microphone_is_explained(open_tab: OpenTab, playwright: Playwright, chromium: Path) -> None:
    refusing = playwright.chromium.launch(
        executable_path=chromium, args=[*FLAGS, "--use-fake-ui-for-media-stream=deny"]
    )
    staff, talent = open_tab("desk", "paula"), open_tab("phone", browser=refusing)
    desk.ask_consent(staff, desk.add_talent(staff, "Petra Blocked"))
    staff.page.get_by_role("button", name="Create a private link").click()
    page = guest.begin(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    page.get_by_role("button", name="Allow the microphone").click()
    expect(page.locator(guest.WORDS)).to_contain_text("The microphone is blocked for this page. Allow it")
    talent.look("statement, microphone blocked")
    expect(page.get_by_text("Send a WAV file instead")).to_be_visible()


def test_page_of_a_talent_is_light(open_tab: OpenTab, chrome: Browser) -> None:
    staff, talent = open_tab("desk", "paula"), open_tab("phone")
    desk.ask_consent(staff, desk.add_talent(staff, "Willa Weighed"))
    staff.page.get_by_role("button", name="Create a private link").click()
    page = guest.begin(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    network = talent.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.reload()
    guest.allow_microphone(page)
    weights = page.evaluate(
        """() => Object.fromEntries(["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .map((entry) => [entry.name, entry.transferSize]))"""
    )
    assert all(weights.values()), weights
    assert sum(weights.values()) < HEAVIEST, weights


def test_staff_record_in_the_studio_and_it_is_labelled_so(
    studio: Studio, open_tab: OpenTab, staff_size: str, microphone: Path
) -> None:
    tab = open_tab(staff_size, "ed" if staff_size == "phone" else "paula")
    producer = open_tab("desk", "paula")
    consent = desk.ask_consent(producer, desk.add_talent(producer, f"Sam {staff_size.title()}"))
    page = tab.go(f"/consents/{consent}/")
    page.get_by_role("link", name="Record in the studio").click()
    expect(page.get_by_text("The audit log will say that you made this recording.")).to_be_visible()
    guest.allow_microphone(page)
    tab.look("recording in the studio")
    made = guest.record(page, 3)
    guest.listen(page)
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#review").get_by_text(re.compile(r"^\s*Recorded in the studio by \w+\."))).to_be_visible()
    page.locator("#review").get_by_text("Technical details").click()
    expect(page.locator("#review").get_by_text(made)).to_be_visible()
    stored = studio.take(consent)
    assert (stored["sha256"], stored["capture"]) == (made, "in_studio")
    assert sound.likeness(stored["stored"], microphone) >= 0.99
    assert "recorded the statement in the studio" in desk.history(page)[-1]


def test_file_from_staff_is_labelled_as_uploaded(open_tab: OpenTab) -> None:
    tab = open_tab("desk", "paula")
    consent = desk.ask_consent(tab, desk.add_talent(tab, "Uma Uploaded"))
    desk.upload_take(open_tab("desk", "ed"), consent, sound.clip("consent-slt"))
    page = tab.go(f"/consents/{consent}/")
    label = "Uploaded as a file by Ed on behalf of the talent; not recorded in VoiceHub."
    expect(page.locator("#review").get_by_text(label)).to_be_visible()
    assert "uploaded a recording of the statement" in desk.history(page)[-1]
    _shows_the_words_as_heard(page)
    tab.look("consent, words heard")


def _shows_the_words_as_heard(page: Page) -> None:
    """They come by themselves, each plays from its place, and none of it approves anything."""
    expect(page.get_by_text("Matches the statement")).to_be_visible(timeout=60_000)
    words = page.locator("#review .word-heard")
    assert " ".join(words.all_inner_texts()[:5]) == "I am aware that recordings"
    word = words.filter(has_text="synthetic")
    word.click()
    expect(word).to_have_class(re.compile("word-now"))
    asked = float(word.get_attribute("data-at") or 0)
    assert asked > 2
    assert page.locator("#review audio").evaluate("(audio) => audio.currentTime") >= asked
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()


LOW_LINKS = """() => [...document.querySelectorAll("main a:not(.skip)")]
  .filter((link) => link.getClientRects().length && link.getBoundingClientRect().height < 24)
  .map((link) => link.textContent)"""


def test_links_are_high_enough_for_a_finger(open_tab: OpenTab) -> None:
    tab = open_tab("phone", "paula")
    talent = desk.add_talent(tab, "Fia Finger")
    consent = desk.ask_consent(tab, talent)
    for path in ("/talents/", talent, f"/consents/{consent}/"):
        assert tab.go(path).evaluate(LOW_LINKS) == [], path


def test_history_fits_the_page_of_the_administration(open_tab: OpenTab) -> None:
    tab, admin = open_tab("desk", "paula"), open_tab("desk", "ada")
    consent = desk.ask_consent(tab, desk.add_talent(tab, "Ada Wide"))
    page = admin.go(f"/administration/consent/consent/{consent}/change/")
    expect(page.get_by_text("Paula requested consent.")).to_be_visible()
    fits, inline = "(one) => one.scrollWidth <= one.clientWidth", page.locator(".inline-group")
    assert page.locator("html").evaluate(fits) and inline.evaluate(fits)


def test_talent_declines_on_the_first_page(open_tab: OpenTab) -> None:
    staff, talent = open_tab("desk", "paula"), open_tab("phone")
    desk.ask_consent(staff, desk.add_talent(staff, "Finn Firstpage"))
    staff.page.get_by_role("button", name="Create a private link").click()
    page = talent.go(staff.page.get_by_role("textbox", name="Private link").input_value())
    page.get_by_text("I do not want to give this consent").click()
    talent.look("talent's first page, declining")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("You said no.")).to_be_visible()
