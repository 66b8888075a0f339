"""A voice on its way to a build: its recordings, what it still lacks, its builds and their reports."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sound, staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Tab

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("account")


def test_dropped_files_are_shown_before_they_are_added(open_tab: OpenTab) -> None:
    tab = open_tab("phone", "paula")
    talent = staff_steps.add_talent(tab, "Rory Dropped")
    tab.goto(f"{talent}voices/add/")
    tab.check_page("voice form")
    staff_steps.add_voice(tab, talent, "Rory, at the fair")
    tab.check_page("voice without recordings")
    page = tab.page
    files = staff_steps.make_clip_files(staff_steps.SLT_CLIPS[:3]) | {
        "notes.wav": b"These are my notes.",
        "muted.wav": sound.make_silence(),
    }
    staff_steps.drop_files(page, files)
    page.wait_for_url(re.compile("/imports/"))
    expect(page.get_by_role("button", name="Add 4 recordings")).to_be_visible()
    tab.check_page("import of a few files")
    page.goto(f"{page.url.partition('?')[0]}?show=refused")
    expect(page.locator("#content").get_by_text("notes.wav")).to_be_visible()
    staff_steps.add_import(page)

    expect(staff_steps.find_recording(page, "muted.wav").get_by_text("Silent", exact=True)).to_be_visible()
    expect(page.locator("#recordings").get_by_text("it is silent")).to_have_count(0)
    expect(staff_steps.open_details(page, "muted.wav")).to_contain_text("it is silent")
    expect(staff_steps.find_recording(page, "slt-02.wav")).to_contain_text(sound.read_transcript("slt-02"))
    tab.check_page("voice with recordings")
    _check_gaps(page)


def _check_gaps(page: Page) -> None:
    """Check what two build options lack. A person puts back a silent recording, the only one without a transcript."""
    rapid = staff_steps.put_back(page, "muted")
    professional = staff_steps.open_build_option(page, staff_steps.PROFESSIONAL)
    expect(rapid).to_contain_text("4, at least 3")
    expect(professional).to_contain_text("4 of 20")
    expect(professional).to_contain_text("16 more recordings are needed.")
    expect(professional).to_contain_text(re.compile(r"Another 9 min \d+ s of usable speech is needed\."))
    for option in (rapid, professional):
        expect(option).to_contain_text("has not been asked for consent to Resemble AI for narration and audiobooks.")
        expect(option).to_contain_text(re.compile(r"No contract of Rory \w+ is on file\."))
        expect(option).to_contain_text("1 recording has no transcript. Type what is said.")
        expect(option.get_by_role("button", name="Start")).to_have_count(0)


def test_transcript_is_edited_in_place_and_recording_plays(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ed")
    talent = staff_steps.add_talent(open_tab("desktop", "paula"), "Tom Typed")
    voice = staff_steps.add_voice(tab, talent, "Tom, typed")
    page = tab.page
    page.get_by_label("choose them").set_input_files(sound.make_upload("one.wav", sound.add_silence("slt-01", 2)))
    staff_steps.add_import(page)
    text = staff_steps.edit_transcript(page, "one.wav")
    text.fill("Good morning, and welcome aboard.")
    text.blur()
    row = staff_steps.find_recording(page, "one.wav")
    expect(row.get_by_text("Saved")).to_be_visible()
    expect(staff_steps.open_build_option(page).get_by_text("no transcript")).to_have_count(0)
    page = tab.goto(voice)
    expect(row).to_contain_text("Good morning, and welcome aboard.")

    page.get_by_role("button", name="Play one.wav").click()
    expect(row.locator("svg.is-played line")).to_be_attached()
    expect(page.get_by_role("button", name="Play one.wav")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Play one.wav").click()
    expect(page.get_by_role("button", name="Play one.wav")).to_have_attribute("aria-pressed", "false")
    _check_finding_plays_from_its_time(page)
    tab.check_page("voice, a recording played")


def _check_finding_plays_from_its_time(page: Page) -> None:
    """The play button of the finding "Silence at end" plays from half a second before the silence."""
    finding = staff_steps.open_details(page, "one.wav").get_by_role("listitem").filter(has_text="Silence at end")
    play_button = finding.get_by_role("button", name=re.compile(r"^Play at \d\.\d s$"))
    play_button.click()
    expect(page.get_by_role("button", name="Play one.wav").first).to_have_attribute("aria-pressed", "true")
    start = float(play_button.get_attribute("data-at") or 0)
    assert start > 2
    assert page.locator("audio[data-rows]").evaluate("(audio) => audio.currentTime") >= start


def test_recording_disappears_from_no_transcript_filter_once_transcribed(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    staff_steps.add_voice(tab, staff_steps.add_talent(tab, "Tess Typing"), "Tess, typing")
    page = tab.page
    clips = staff_steps.SLT_CLIPS[:2]
    page.get_by_label("choose them").set_input_files(
        [sound.make_upload(f"{name}.wav", sound.read_clip(name)) for name in clips]
    )
    staff_steps.add_import(page)
    first, second = (f"{name}.wav" for name in staff_steps.SLT_CLIPS[:2])
    page.get_by_role("link", name="No transcript 2").click()
    expect(page.locator("#recordings").get_by_text("2 found")).to_be_visible()
    assert "show=no_transcript" in page.url
    text = staff_steps.edit_transcript(page, first)
    text.evaluate(
        "text => { text.style.height = '90px'; }"
    )  # as dragging does; a violation of the content policy fails the test
    text.fill("Good morning, and welcome aboard.")
    text.blur()
    expect(page.locator("#recordings").get_by_text("1 found")).to_be_visible()
    expect(staff_steps.find_recording(page, first)).to_have_count(0)
    expect(staff_steps.find_recording(page, second)).to_be_visible()


def test_transcript_being_typed_survives_an_upload(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "ed")
    talent = staff_steps.add_talent(open_tab("desktop", "paula"), "Ulf Undisturbed")
    staff_steps.add_voice(tab, talent, "Ulf, undisturbed")
    page = tab.page
    staff_steps.upload_files(page, {"one.wav": sound.read_clip("slt-01")})
    text = staff_steps.edit_transcript(page, "one.wav")
    text.press_sequentially("Good morn")
    staff_steps.drop_files(page, {"two.wav": sound.read_clip("slt-02")})
    expect(page.locator("[data-summary]")).to_have_text("1 file uploaded")
    expect(text).to_be_focused()
    text.press_sequentially("ing")
    text.blur()
    expect(staff_steps.find_recording(page, "one.wav")).to_contain_text("Good morning")
    page.locator(".voice-upload").get_by_role("link", name="Open the preview").click()
    staff_steps.add_import(page)
    expect(staff_steps.find_recording(page, "two.wav")).to_have_count(1)


def test_build_is_refused_during_suspension_and_succeeds_afterwards(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    name = "Rita Ready"
    talent, consent = staff_steps.add_approved_talent(tab, name, sound.read_clip("consent-slt"))
    voice = staff_steps.add_voice(tab, talent, "Rita, reading")
    staff_steps.upload_clips(tab, staff_steps.SLT_CLIPS)
    expect(staff_steps.open_build_option(tab.page)).to_contain_text("Ready to build")
    tab.check_page("voice ready to build")

    # The consent is suspended in another tab while this page is open.
    other = open_tab("desktop", "paula")
    staff_steps.submit_with_reason(other.goto(f"/consents/{consent}/"), "Suspend", "The agency asked to wait.")
    expect(other.page.get_by_text("Consent suspended. No build can start")).to_be_visible()
    staff_steps.open_build_option(tab.page).get_by_role("button", name="Start rapid build").click()
    reason = f"The consent of {name} for Resemble AI for narration and audiobooks is not in force: suspended."
    expect(tab.page.get_by_role("alert").filter(has_text=reason)).to_be_visible()
    expect(staff_steps.open_build_option(tab.page).get_by_role("listitem").filter(has_text=reason)).to_be_visible()
    assert studio.fetch_rows("SELECT * FROM voices_build WHERE voice_id = ?", staff_steps.read_id(tab.page)) == []
    tab.check_page("voice, build refused")
    staff_steps.submit_with_reason(other.page, "Resume", "They agree now.")
    expect(other.page.get_by_text("Consent resumed. It is in force again.")).to_be_visible()

    tab.goto(voice)
    staff_steps.start_build(tab)
    tab.check_page("build in progress")
    expect(tab.page.get_by_text("This page updates itself.")).to_be_visible()
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    _check_scores(tab.page)
    _check_at_all_sizes(open_tab, tab.page.url, "build that is ready")
    assert "Used for a build that Paula started" in staff_steps.read_audit_log(tab.goto(f"/consents/{consent}/"))[-1]
    _check_at_all_sizes(open_tab, "/", "today")
    _check_at_all_sizes(open_tab, voice, "voice that was built")
    _check_at_all_sizes(open_tab, "/talents/", "talents")
    _check_at_all_sizes(open_tab, "/accounts/", "accounts")
    _check_at_all_sizes(open_tab, talent, "talent with a voice")


def _check_at_all_sizes(open_tab: OpenTab, path: str, name: str) -> None:
    for size in SIZES:
        tab = open_tab(size, "paula")
        tab.goto(path)
        tab.check_page(name)


def _check_scores(page: Page) -> None:
    scores = page.locator(".vh-gauge")
    expect(scores).to_have_count(4)
    for label in ("Overall", "Similarity", "Fluency"):
        expect(scores.filter(has=page.get_by_role("heading", name=label))).to_have_count(1)
    meanings = page.locator("#score-meanings")
    expect(meanings).to_contain_text(re.compile("or more is good.*or less is good", re.DOTALL))
    pauses = scores.filter(has=page.get_by_role("heading", name="Unintended pauses"))
    value = float(pauses.locator("strong").inner_text())
    expect(pauses.locator(".vh-status")).to_have_text("Good" if value <= 0.2 else "Fair" if value <= 0.4 else "Poor")


def test_bad_recordings_are_listed_worst_first_and_can_be_excluded(open_tab: OpenTab) -> None:
    tab = open_tab("phone", "paula")
    talent, _consent = staff_steps.add_approved_talent(tab, "Bob Marked", sound.read_clip("consent-rms"))
    voice = staff_steps.add_voice(tab, talent, "Bob, announcing")
    staff_steps.upload_clips(tab, [*staff_steps.RMS_CLIPS, "rms-silent", "rms-wrong-speaker"])
    _fill_empty_transcript(tab.page, "rms-silent.wav")
    for name, reason in {"rms-silent.wav": "silent", "rms-wrong-speaker.wav": "another speaker"}.items():
        details = staff_steps.open_details(tab.page, name)
        expect(details).to_contain_text(f"Excluded: {reason}", timeout=staff_steps.CHECKS_TIMEOUT_MS)
        staff_steps.find_switch(tab.page, name).click()
        expect(staff_steps.find_switch(tab.page, name)).to_be_checked()
        expect(details).to_contain_text(f"Included by a person, although: {reason}")
    build = staff_steps.start_build(tab)
    staff_steps.wait_for_heading(tab.page, re.compile("^Next: "))
    rows = tab.page.locator("table.report tbody tr:not(.report-group)")
    expect(rows).to_have_count(8)
    expect(rows.nth(0)).to_contain_text("rms-silent.wav")
    expect(rows.nth(0)).to_contain_text("Silent")
    expect(rows.nth(1)).to_contain_text("rms-wrong-speaker.wav")
    expect(rows.nth(1)).to_contain_text("Other speaker or sound")
    tab.page.get_by_role("link", name="More columns").click()
    for heading in ("STOI", "PESQ", "SI-SDR", "Sample score"):
        expect(tab.page.get_by_role("columnheader", name=heading, exact=True)).to_have_count(1)
    _check_at_all_sizes(open_tab, build, "build with bad recordings")

    tab.page.get_by_role("link", name="Fix rms-silent.wav").click()
    staff_steps.find_switch(tab.page, "rms-silent.wav").click()
    expect(staff_steps.find_switch(tab.page, "rms-silent.wav")).not_to_be_checked()
    tab.goto(build)
    tab.page.get_by_role("link", name="Fix rms-wrong-speaker.wav").click()
    foreign = staff_steps.open_details(tab.page, "rms-wrong-speaker.wav")
    expect(foreign).to_contain_text("Resemble AI refuses this recording: another speaker or sound.")
    tab.check_page("voice, filtered to one recording")
    tab.goto(voice)
    expect(staff_steps.open_build_option(tab.page)).to_contain_text("6, at least 3")
    tab.goto(build)
    tab.page.locator("summary", has_text="Build again with the recordings as they are now").click()
    tab.page.get_by_role("button", name="Build again", exact=True).click()
    tab.page.wait_for_url(lambda address: not address.endswith(build))
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    expect(tab.page.locator("table.report tbody tr:not(.report-group)")).to_have_count(6)


def _fill_empty_transcript(page: Page, name: str) -> None:
    """Type a transcript if there is none. A silent clip has none, and a build needs one for each recording."""
    row = staff_steps.find_recording(page, name)
    expect(row).to_be_visible()
    if not row.locator("[data-edit]").inner_text():
        text = staff_steps.edit_transcript(page, name)
        text.fill("Room tone.")
        text.blur()
        expect(row.get_by_text("Saved")).to_be_visible()


def test_provider_rejects_a_consent_with_another_text(open_tab: OpenTab) -> None:
    tab = open_tab("desktop", "paula")
    talent, consent = staff_steps.add_approved_talent(tab, "Stan Elsewhere", sound.read_clip("slt-01"))
    tab.goto(staff_steps.prepare_voice(tab.studio, talent, "Stan, unrecognized", staff_steps.SLT_CLIPS[:4]))
    staff_steps.start_build(tab)
    staff_steps.wait_for_heading(tab.page, "The provider did not accept the spoken consent")
    expect(tab.page.get_by_text("“The consent recording is not the consent statement.")).to_be_visible()
    tab.check_page("build, consent refused")
    tab.page.get_by_role("link", name="Open the consent").click()
    assert staff_steps.read_id(tab.page) == consent
    tab.page.locator("details.earlier-report > summary").click()
    expect(tab.page.get_by_text("of the statement's words were recognized").first).to_be_visible()


def test_page_lists_one_dataset_download_by_the_provider(studio: Studio, open_tab: OpenTab, dataset_build: str) -> None:
    tab = open_tab("phone", "paula")
    page = tab.goto(dataset_build)
    expect(page.get_by_role("heading", name="Quality scores")).to_be_visible()
    expect(page.get_by_role("region", name="Dataset downloads").get_by_role("listitem")).to_have_count(1)
    tab.check_page("build by dataset address")
    fetches = studio.fetch_rows("SELECT * FROM voices_datasetfetch WHERE build_id = ?", staff_steps.read_id(page))
    assert [row["address"] for row in fetches] == ["127.0.0.1"]
