"""From a new talent to a consent in force, for staff and talent, on a desktop and on a phone."""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import soundfile
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.browser import CHROMIUM_FLAGS
from tests.support.wav import SAMPLE_FOLDER

OpenTab = Callable[..., Tab]

STATEMENT = (
    "I am aware that recordings of my voice will be used by Northlight Voices to train and create a synthetic "
    "version of my voice by Resemble AI."
)
MAX_PAGE_BYTES = 100_000  # the most that a page for talents may transfer


def test_producer_adds_a_talent_and_sends_an_invitation(studio: Studio, open_tab: OpenTab) -> None:
    name = "Ina Invited"
    tab = open_tab("phone", "paula")
    tab.goto("/talents/add/")
    tab.check_page("talent form")
    talent = staff_steps.add_talent(tab, name)
    tab.check_page("new talent")
    page = tab.page
    page.get_by_role("link", name="Add contract").first.click()
    expect(page.get_by_role("heading", name="Add contract")).to_be_visible()
    tab.check_page("contract form")
    staff_steps.add_contract(tab, talent)
    expect(page.get_by_text("Audio guides for museums.")).to_be_visible()
    tab.check_page("contract")

    page = tab.goto(talent)
    page.get_by_role("link", name="Request consent").first.click()
    staff_steps.find_use(page, "Resemble AI").check()
    page.get_by_label("Company in the statement").fill("Harbour Sound Ltd")
    expect(page.locator("#request-summary blockquote")).to_have_text(
        STATEMENT.replace("Northlight Voices", "Harbour Sound Ltd")
    )
    expect(page.get_by_role("button", name="Send 1 request", exact=True)).to_be_visible()
    page.get_by_label("Send the invitation now").uncheck()
    expect(page.get_by_role("button", name="Request 1 consent without sending", exact=True)).to_be_visible()
    tab.check_page("consent request form")
    page.get_by_label("Company in the statement").fill("Northlight Voices")
    consent = staff_steps.request_consent(tab, talent)
    expect(page.locator("blockquote.statement")).to_have_text(STATEMENT)
    tab.check_page("consent, not invited yet")

    staff_steps.send_invitation(tab)
    mail = studio.wait_for_mail(staff_steps.make_email(name))
    assert talent_steps.find_link(mail).startswith(f"{studio.address}/i/")
    assert name in mail
    page = tab.goto(f"/consents/{consent}/")
    expect(page.get_by_text("Active", exact=True)).to_be_visible()
    assert f"was emailed to {staff_steps.make_email(name)}" in staff_steps.read_acts(page)[1]
    tab.check_page("consent, invited by mail")


def test_private_link_is_shown_once_and_recorded_in_audit_log(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    consent = staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, "Lars Copied"))
    page = tab.page
    link = staff_steps.create_private_link(page)
    tab.check_page("consent, link to copy")
    assert "created a private link" in staff_steps.read_acts(page)[-1]
    page = tab.goto(f"/consents/{consent}/")
    expect(page.get_by_text("Private link, created by Paula")).to_be_visible()
    assert link not in page.content()
    assert talent_steps.open_statement(open_tab("phone"), link)


def test_talent_records_twice_and_staff_approve_the_take(studio: Studio, open_tab: OpenTab, microphone: Path) -> None:
    name = "Tess Twice"
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, name))
    staff_steps.send_invitation(staff)
    page = talent.goto(talent_steps.find_link(studio.wait_for_mail(staff_steps.make_email(name))))
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Northlight Voices would like to make a synthetic version of your voice"
    )
    expect(page.get_by_text(f"{name}, this page asks for your consent.")).to_be_visible()
    expect(page.get_by_text("Your contact is Paula")).to_be_hidden()
    page.locator("summary", has_text="More about this Who asks").click()
    expect(page.get_by_text("Your contact is Paula")).to_be_visible()
    expect(page.get_by_role("link", name="Nothing is ticked yet")).to_be_visible()
    talent.check_page("talent's first page")
    comparison = page.get_by_label("I allow the voice comparison")
    expect(comparison).to_be_hidden()
    page.get_by_role("heading", name="Voice comparison, only if you want it").click()
    expect(page.get_by_text("It is never stored or sent to anyone.")).to_be_visible()
    expect(comparison).not_to_be_checked()
    comparison.check()
    expect(page.get_by_text("You allowed it on")).to_be_visible()
    page = talent.goto(page.url)
    expect(page.get_by_text("You allowed it on")).to_be_visible()
    expect(page.locator("#voice-comparison-tick")).to_be_checked()

    page = talent_steps.open_statement(talent, page.url)
    expect(page.locator("blockquote.statement")).to_have_text(STATEMENT)
    talent.check_page("statement, microphone not allowed yet")
    talent_steps.allow_microphone(page)
    expect(page.locator(talent_steps.MESSAGE)).to_have_text("The microphone sounds good.")
    talent.check_page("statement, microphone checked")
    first_fingerprint = talent_steps.record_statement(page, 2)
    talent.check_page("statement, recorded")
    page.get_by_role("button", name="Record again").click()
    fingerprint = talent_steps.record_statement(page)
    assert fingerprint != first_fingerprint
    talent_steps.play_recording(page, speed=1)
    talent_steps.send_recording(page)
    page.get_by_text("Technical details").click()
    expect(page.get_by_text(fingerprint)).to_be_visible()
    with page.expect_response(re.compile(r"/recording\.wav$")) as audio:
        page.get_by_role("button", name="Play").click()
    assert hashlib.sha256(audio.value.body()).hexdigest() == fingerprint
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    talent.check_page("receipt")

    stored = studio.read_newest_take(consent)
    assert (stored["sha256"], hashlib.sha256(stored["stored"]).hexdigest()) == (fingerprint, fingerprint)
    _check_unprocessed_speech(stored["stored"], microphone)
    _review_take(staff, f"/consents/{consent}/", fingerprint)
    lines = staff_steps.read_acts(staff.page)
    acts = (
        "requested consent", "emailed to", "allowed the voice comparison", "opened", "ticked",
        "through the private link", "in force",
    )  # fmt: skip
    for line, text in zip(lines, acts, strict=True):
        assert text in line


def _check_unprocessed_speech(content: bytes, microphone: Path) -> None:
    """Check that the file is 16-bit mono PCM and holds the microphone's sound without any processing."""
    facts = soundfile.info(io.BytesIO(content))
    assert (facts.format, facts.subtype, facts.channels) == ("WAV", "PCM_16", 1)
    assert facts.duration > 2.5
    assert sound.measure_similarity(content, microphone) >= 0.99


def _review_take(staff: Tab, path: str, fingerprint: str) -> None:
    """Check what the review page shows of the take, then play and approve the take."""
    page = staff.goto(path)
    expect(page.locator("details p").filter(has_text=STATEMENT)).to_be_attached()
    expect(page.locator("#review").get_by_text("Recorded by the talent through the private link.")).to_be_visible()
    expect(page.locator("#review").get_by_text("The browser applied no audio processing.")).to_be_visible()
    page.locator("#review").get_by_text("Technical details").click()
    expect(page.locator("#review").get_by_text(fingerprint)).to_be_visible()
    expect(page.locator("#review .waveform canvas").first).to_be_visible()
    staff.check_page("consent to review")
    staff_steps.approve_take(staff)
    staff.check_page("consent in force")


def test_talent_sees_the_reason_of_a_retake_request(studio: Studio, open_tab: OpenTab) -> None:
    name = "Nora Noisy"
    staff, talent = open_tab("phone", "paula"), open_tab("desktop")
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, name))
    link = staff_steps.create_private_link(staff.page)
    talent_steps.send_file(talent_steps.open_statement(talent, link), sound.read_clip("consent-slt"))

    page = staff.goto(f"/consents/{consent}/")
    expect(page.locator("#review").get_by_text("Uploaded as a file through the private link")).to_be_visible()
    staff_steps.submit_with_reason(page, "Request a retake", "A door slams in the middle.")
    expect(page.get_by_text("Reason: A door slams in the middle.")).to_be_visible()
    staff.check_page("consent, retake requested")
    assert "A door slams in the middle." in staff_steps.read_acts(page)[-1]

    page = talent.goto(link)
    expect(page.get_by_text("A door slams in the middle.")).to_be_visible()
    talent.check_page("talent's first page, retake requested")
    page = talent_steps.open_statement(talent, link)
    expect(page.get_by_text("A door slams in the middle.")).to_be_visible()
    talent_steps.send_file(page, sound.read_clip("consent-slt", 0.2))
    assert len(studio.fetch_rows("SELECT * FROM consent_take WHERE consent_id = ?", consent)) == 2


def test_file_form_stays_open_with_the_problem_until_the_file_of_a_phone_is_sent(
    studio: Studio, open_tab: OpenTab
) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Bea Broken"))
    page = talent_steps.open_statement(talent, staff_steps.create_private_link(staff.page))
    page.get_by_text("Send a file instead").click()
    page.get_by_label("Audio file").set_input_files(sound.make_upload("me.wav", b"ID3 this is something else"))
    page.get_by_role("button", name="Send the file").click()
    problem, field = page.locator("form [data-part=problem]"), page.get_by_label("Audio file")
    expect(problem).to_contain_text("The recording was saved, but it cannot be used.")
    expect(problem).to_contain_text("Record it on this page instead, or send another file.")
    expect(field).to_be_focused()
    talent.check_page("statement, file refused")
    assert studio.read_newest_take(consent)["stored"] == b"ID3 this is something else"
    flac = (SAMPLE_FOLDER / "consent-slt.flac").read_bytes()
    field.set_input_files(sound.make_upload("me.flac", flac))
    expect(problem).to_be_hidden()
    with talent.go_offline():
        page.get_by_role("button", name="Send the file").click()
        expect(problem).to_contain_text("There is no connection, so the file was not sent.")
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It has arrived.")
    talent.check_page("receipt of a file")
    take = studio.read_newest_take(consent)
    assert take["stored"] == flac and take["wav_sha256"] and take["wav_sha256"] != take["sha256"]


@pytest.mark.parametrize(("staff_size", "talent_size"), [("desktop", "phone"), ("phone", "desktop")])
def test_talent_declines_with_a_reason(studio: Studio, open_tab: OpenTab, staff_size: str, talent_size: str) -> None:
    staff, talent = open_tab(staff_size, "paula"), open_tab(talent_size)
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, f"Dee {talent_size.title()}"))
    page = talent_steps.open_statement(talent, staff_steps.create_private_link(staff.page))
    page.get_by_text("I do not want to give this consent").click()
    page.get_by_label("Would you like to say why?").fill("I would rather read it myself each time.")
    talent.check_page("statement, declining")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("The answer is no.")).to_be_visible()
    talent.check_page("talent's first page, declined")
    page = staff.goto(f"/consents/{consent}/")
    expect(page.get_by_text("Declined").first).to_be_visible()
    assert "I would rather read it myself each time." in staff_steps.read_acts(page)[-1]
    staff.check_page("consent declined")


def test_visitor_without_private_link_sees_no_consent(open_tab: OpenTab) -> None:
    staff, talent, visitor = open_tab("desktop", "paula"), open_tab("phone"), open_tab("phone")
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Mina Private"))
    staff.page.get_by_role("button", name="Create a private link").click()
    talent_steps.open_statement(talent, staff.page.get_by_role("textbox", name="Private link").input_value())
    with visitor.allow_status(404):
        home = urlsplit(talent.page.url).path.removesuffix(f"{consent}/")
        for path in (home, f"{home}{consent}/", f"{home}{consent}/receipt/", "/invitation/", "/i/no-such-link/"):
            page = visitor.goto(path)
            expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
            assert "Mina" not in page.content()
        visitor.check_page("link no longer valid")
    page = visitor.goto(f"/consents/{consent}/")
    expect(page).to_have_url(re.compile("/sign-in/"))
    visitor.check_page("sign-in")


def test_unsent_recording_can_be_sent_after_tab_was_closed(studio: Studio, open_tab: OpenTab) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Kit Closing"))
    link = staff_steps.create_private_link(staff.page)
    page = talent_steps.open_statement(talent, link)
    expect(page.get_by_text("Your recording is still in this browser")).to_be_hidden()
    talent_steps.allow_microphone(page)
    fingerprint = talent_steps.record_statement(page, 3)
    expect(page.get_by_text("Until the studio has received this recording, it stays in this browser")).to_be_visible()
    talent.reopen()
    page = talent.goto(link)
    expect(page.get_by_text("Your recording is still in this browser. It has not been sent yet.")).to_be_visible()
    talent_steps.tick_purposes(page)
    page.get_by_role("button", name="Continue to the text").click()
    expect(page.locator(talent_steps.MESSAGE)).to_have_text(
        "You made this recording here earlier. It has not been sent yet."
    )
    talent.check_page("statement, recording from before")
    assert page.locator("[data-part=fingerprint]").text_content() == fingerprint
    talent_steps.play_recording(page)
    talent_steps.send_recording(page)
    assert studio.read_newest_take(consent)["sha256"] == fingerprint


def test_blocked_microphone_is_explained(open_tab: OpenTab, playwright: Playwright, chromium: Path) -> None:
    blocking_browser = playwright.chromium.launch(
        executable_path=chromium, args=[*CHROMIUM_FLAGS, "--use-fake-ui-for-media-stream=deny"]
    )
    staff, talent = open_tab("desktop", "paula"), open_tab("phone", browser=blocking_browser)
    staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Petra Blocked"))
    page = talent_steps.open_statement(talent, staff_steps.create_private_link(staff.page))
    page.get_by_role("button", name="Allow the microphone").click()
    expect(page.locator(talent_steps.MESSAGE)).to_contain_text("The microphone is blocked for this page. Allow it")
    talent.check_page("statement, microphone blocked")
    expect(page.get_by_text("Send a file instead")).to_be_visible()


def test_talent_page_transfers_under_100_kb(open_tab: OpenTab, chrome: Browser) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Willa Weighed"))
    page = talent_steps.open_statement(talent, staff_steps.create_private_link(staff.page))
    network = talent.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.reload()
    talent_steps.allow_microphone(page)
    sizes = page.evaluate(
        """() => Object.fromEntries(["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .map((entry) => [entry.name, entry.transferSize]))"""
    )
    assert all(sizes.values()), sizes
    assert sum(sizes.values()) < MAX_PAGE_BYTES, sizes


def test_review_page_says_that_staff_recorded_take_in_studio(
    studio: Studio, open_tab: OpenTab, microphone: Path
) -> None:
    tab, producer = open_tab("desktop", "ed"), open_tab("desktop", "paula")
    consent = staff_steps.request_consent(producer, staff_steps.prepare_talent(producer.studio, "Sam Studio"))
    staff_steps.confirm_notice(producer.goto(f"/consents/{consent}/"))
    page = tab.goto(f"/consents/{consent}/")
    page.get_by_role("link", name="Record in the studio").click()
    expect(page.get_by_text("The audit log will say that you made this recording.")).to_be_visible()
    talent_steps.allow_microphone(page)
    tab.check_page("recording in the studio")
    fingerprint = talent_steps.record_statement(page, 3)
    talent_steps.play_recording(page)
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("To review", exact=True).first).to_be_visible()
    page = producer.goto(f"/consents/{consent}/")
    expect(page.locator("#review").get_by_text(re.compile(r"^\s*Recorded in the studio by \w+\."))).to_be_visible()
    page.locator("#review").get_by_text("Technical details").click()
    expect(page.locator("#review").get_by_text(fingerprint)).to_be_visible()
    stored = studio.read_newest_take(consent)
    assert (stored["sha256"], stored["capture"]) == (fingerprint, "in_studio")
    assert sound.measure_similarity(stored["stored"], microphone) >= 0.99
    assert "recorded the statement in the studio" in staff_steps.read_acts(page)[-1]


def test_review_page_says_that_staff_uploaded_take(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    consent = staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, "Uma Uploaded"))
    staff_steps.confirm_notice(tab.goto(f"/consents/{consent}/"))
    staff_steps.send_take_file(open_tab("desktop", "ed"), consent, sound.read_clip("consent-slt"))
    page = tab.goto(f"/consents/{consent}/")
    label = "Uploaded as a file by Ed on behalf of the talent; not recorded in VoiceHub."
    expect(page.locator("#review").get_by_text(label)).to_be_visible()
    assert "uploaded a recording of the statement" in staff_steps.read_acts(page)[-1]
    _check_recognized_words(page)
    tab.check_page("consent, recognized words")


def _check_recognized_words(page: Page) -> None:
    """The recognized words appear without a reload. Each plays from its time, which does not enable approval."""
    expect(page.get_by_text("Matches the statement")).to_be_visible(timeout=60_000)
    words = page.locator("#review .word-heard")
    assert " ".join(words.all_inner_texts()[:5]) == "I am aware that recordings"
    word = words.filter(has_text="synthetic")
    word.click()
    expect(word).to_have_class(re.compile("word-now"))
    start = float(word.get_attribute("data-at") or 0)
    assert start > 2
    assert page.locator("#review audio").evaluate("(audio) => audio.currentTime") >= start
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()


LOW_LINKS_SCRIPT = """() => [...document.querySelectorAll("main a:not(.skip)")]
  .filter((link) => link.getClientRects().length && link.getBoundingClientRect().height < 24)
  .map((link) => link.textContent.trim() + " " + link.getBoundingClientRect().height)"""


def test_links_on_a_phone_are_at_least_24_px_high(open_tab: OpenTab) -> None:
    tab = open_tab("phone", "paula")
    talent = staff_steps.add_talent(tab, "Fia Finger")
    consent = staff_steps.request_consent(tab, talent)
    for path in ("/talents/", "/voices/", "/consents/", "/builds/", talent, f"/consents/{consent}/"):
        assert tab.goto(path).evaluate(LOW_LINKS_SCRIPT) == [], path


def test_audit_log_fits_the_admin_page(open_tab: OpenTab) -> None:
    tab, admin = open_tab("desktop", "paula"), open_tab("desktop", "ada")
    consent = staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, "Ada Wide"))
    page = admin.goto(f"/administration/consent/consent/{consent}/change/")
    expect(page.get_by_text("Paula requested consent.")).to_be_visible()
    fits, inline = "(one) => one.scrollWidth <= one.clientWidth", page.locator(".inline-group")
    assert page.locator("html").evaluate(fits) and inline.evaluate(fits)


def test_talent_can_decline_on_the_first_page(open_tab: OpenTab) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Finn Firstpage"))
    page = talent.goto(staff_steps.create_private_link(staff.page))
    page.get_by_text("I do not want to give this consent").click()
    talent.check_page("talent's first page, declining")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("The answer is no.")).to_be_visible()
