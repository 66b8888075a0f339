"""From a permitted talent to a voice that is built: recordings, what they lack, builds and what came back of them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import desk, sound
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Tab

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("account")


def test_recordings_dropped_at_once_each_get_their_result(open_tab: OpenTab, staff_size: str) -> None:
    tab = open_tab(staff_size, "paula")
    talent = desk.add_talent(tab, f"Rory {staff_size.title()}")
    tab.go(f"{talent}voices/add/")
    tab.look("form of a voice")
    desk.add_voice(tab, talent, "Rory, at the fair")
    tab.look("voice without recordings")
    page = tab.page
    files = desk.clips(desk.SLT[:3]) | {"notes.wav": b"These are my notes.", "muted.wav": sound.silence()}
    desk.drop_files(page, files)
    desk.wait_for_uploads(page, 6)
    expect(page.locator("[data-summary]")).to_have_text("6 files · 5 usable · 1 not usable")
    for name in desk.SLT[:3]:
        expect(desk.uploaded(page, f"{name}.wav")).to_contain_text("Usable")
    expect(desk.uploaded(page, "notes.wav")).to_contain_text("Not usable")
    expect(desk.uploaded(page, "notes.wav").locator("li").first).to_contain_text("This file cannot be read as sound")
    expect(desk.uploaded(page, "muted.wav").locator("li").first).to_contain_text("it is silent")
    expect(desk.uploaded(page, "metadata.csv")).to_contain_text("3 transcripts filled in")

    expect(_clip(page, "notes.wav").get_by_text("Not usable", exact=True)).to_be_visible()
    expect(_clip(page, "notes.wav").get_by_text("This file cannot be read as sound")).to_be_visible()
    expect(_clip(page, "muted.wav").get_by_text("it is silent")).to_be_hidden()
    _clip(page, "muted.wav").locator("summary").filter(has_text="Silent").click()
    expect(_clip(page, "muted.wav").get_by_text("it is silent")).to_be_visible()
    expect(_transcript(page, "slt-02.wav")).to_have_value(sound.transcript("slt-02"))
    tab.look("voice with recordings")
    _says_what_is_missing(page)


def _clip(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def _transcript(page: Page, name: str) -> Locator:
    return page.get_by_label(f"Transcript of {name}")


def _says_what_is_missing(page: Page) -> None:
    """Of a voice with four usable recordings, one without a transcript, and neither consent nor contract."""
    rapid, professional = desk.place(page), desk.place(page, desk.PROFESSIONAL)
    expect(rapid).to_contain_text("4, at least 3")
    expect(professional).to_contain_text("4 of 20")
    expect(professional).to_contain_text("16 more recordings are needed.")
    expect(professional).to_contain_text(re.compile(r"Another 9 min \d+ s of usable speech is needed\."))
    for place in (rapid, professional):
        expect(place).to_contain_text("has not been asked for consent to Resemble AI for narration and audiobooks.")
        expect(place).to_contain_text(re.compile(r"No contract of Rory \w+ is on file\."))
        expect(place).to_contain_text("1 recording has no transcript. Type what is said.")
        expect(place.get_by_role("button", name="Start")).to_have_count(0)


def test_transcripts_are_edited_in_place_and_recordings_played(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desk", "ed")
    talent = desk.add_talent(open_tab("desk", "paula"), "Tom Typed")
    voice = desk.add_voice(tab, talent, "Tom, typed")
    page = tab.page
    page.get_by_label("choose them").set_input_files(sound.chosen("one.wav", sound.trailing_off("slt-01", 2)))
    desk.wait_for_uploads(page, 1)
    text = _transcript(page, "one.wav")
    text.fill("Good morning, and welcome aboard.")
    text.blur()
    expect(_clip(page, "one.wav").get_by_text("Saved")).to_be_visible()
    expect(desk.place(page).get_by_text("no transcript")).to_have_count(0)
    page = tab.go(voice)
    expect(_transcript(page, "one.wav")).to_have_value("Good morning, and welcome aboard.")

    page.get_by_role("button", name="Play one.wav").click()
    expect(_clip(page, "one.wav").locator(".waveform canvas").first).to_be_visible()
    expect(page.get_by_role("button", name="Play one.wav")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Play one.wav").click()
    expect(page.get_by_role("button", name="Play one.wav")).to_have_attribute("aria-pressed", "false")
    _plays_at_its_place(_clip(page, "one.wav"))
    tab.look("voice, a recording played")


def _plays_at_its_place(clip: Locator) -> None:
    """The chip of the silence at its end plays from half a second before that."""
    chip = clip.get_by_role("listitem").filter(has_text="Silence at end")
    place = chip.get_by_role("button", name=re.compile(r"^Play at \d\.\d s$"))
    place.click()
    expect(clip.get_by_role("button", name="Play one.wav")).to_have_attribute("aria-pressed", "true")
    asked = float(place.get_attribute("data-at") or 0)
    assert asked > 2
    assert clip.locator("audio").evaluate("(audio) => audio.currentTime") >= asked


def test_what_has_been_given_a_transcript_leaves_the_list_of_those_without(open_tab: OpenTab) -> None:
    tab = open_tab("desk", "paula")
    desk.add_voice(tab, desk.add_talent(tab, "Tess Typing"), "Tess, typing")
    page = tab.page
    for name in desk.SLT[:2]:
        page.get_by_label("choose them").set_input_files(sound.chosen(f"{name}.wav", sound.clip(name)))
    desk.wait_for_uploads(page, 2)
    second = _transcript(page, f"{desk.SLT[1]}.wav")
    second.evaluate("text => { text.style.height = '90px'; }")  # as a drag does; the tab tells if a policy minds
    page.get_by_label("Show").select_option("no_transcript")
    expect(page.locator("#recordings").get_by_text("2 found")).to_be_visible()
    first = _transcript(page, f"{desk.SLT[0]}.wav")
    first.fill("Good morning, and welcome aboard.")
    first.blur()
    expect(page.locator("#recordings").get_by_text("1 found")).to_be_visible()
    expect(first).to_have_count(0)
    expect(second).to_be_visible()


def test_what_is_typed_while_files_arrive_is_not_lost(open_tab: OpenTab) -> None:
    tab = open_tab("desk", "ed")
    talent = desk.add_talent(open_tab("desk", "paula"), "Ulf Undisturbed")
    desk.add_voice(tab, talent, "Ulf, undisturbed")
    page = tab.page
    desk.drop_files(page, {"one.wav": sound.clip("slt-01")})
    text, rapid = _transcript(page, "one.wav"), desk.place(page)
    text.press_sequentially("Good morn")
    desk.drop_files(page, {"two.wav": sound.clip("slt-02")})
    desk.wait_for_uploads(page, 2)
    expect(rapid.locator(".option-body")).to_contain_text("2 of 3")
    expect(rapid.locator(".option-body")).to_be_visible()
    expect(_clip(page, "two.wav")).to_have_count(0)
    expect(text).to_be_focused()
    text.press_sequentially("ing")
    text.blur()
    expect(_clip(page, "two.wav")).to_have_count(1)
    expect(text).to_have_value("Good morning")


def test_build_is_refused_with_the_reason_then_goes_on_to_ready(studio: Studio, open_tab: OpenTab) -> None:
    tab = open_tab("desk", "paula")
    name = "Rita Ready"
    talent, consent = desk.permitted_talent(tab, name, sound.clip("consent-slt"))
    voice = desk.add_voice(tab, talent, "Rita, reading")
    desk.add_clips(tab, desk.SLT)
    expect(desk.place(tab.page)).to_contain_text("Ready to build")
    tab.look("voice ready to build")

    # Somebody else suspends the consent while this page is open.
    other = open_tab("desk", "paula")
    desk.act_with_reason(other.go(f"/consents/{consent}/"), "Suspend", "The agency asked to wait.")
    expect(other.page.get_by_text("Consent suspended. No build can start")).to_be_visible()
    desk.place(tab.page).get_by_role("button", name="Start rapid build").click()
    why = f"The consent of {name} for Resemble AI for narration and audiobooks is not in force: suspended."
    expect(tab.page.get_by_role("alert").filter(has_text=why)).to_be_visible()
    expect(desk.place(tab.page).get_by_role("listitem").filter(has_text=why)).to_be_visible()
    assert studio.rows("SELECT * FROM voices_build WHERE voice_id = ?", desk.id_in(tab.page)) == []
    tab.look("voice, build refused")
    desk.act_with_reason(other.page, "Resume", "They agree now.")
    expect(other.page.get_by_text("Consent resumed. It is in force again.")).to_be_visible()

    tab.go(voice)
    desk.start_build(tab)
    tab.look("build on its way")
    expect(tab.page.get_by_text("This page updates itself.")).to_be_visible()
    desk.watch_until(tab.page, "Quality scores")
    _shows_four_scores(tab.page)
    _look_at_all_sizes(open_tab, tab.page.url, "build that is ready")
    assert "Used for a build that Paula started" in desk.history(tab.go(f"/consents/{consent}/"))[-1]
    _look_at_all_sizes(open_tab, "/", "today")
    _look_at_all_sizes(open_tab, voice, "voice that was built")
    _look_at_all_sizes(open_tab, "/talents/", "talents")
    _look_at_all_sizes(open_tab, "/accounts/", "accounts")
    _look_at_all_sizes(open_tab, talent, "talent with a voice")


def _look_at_all_sizes(open_tab: OpenTab, path: str, name: str) -> None:
    for size in SIZES:
        tab = open_tab(size, "paula")
        tab.go(path)
        tab.look(name)


def _shows_four_scores(page: Page) -> None:
    places = page.locator(".score")
    expect(places).to_have_count(4)
    for label in ("Overall", "Similarity", "Fluency"):
        expect(places.filter(has=page.get_by_role("heading", name=label))).to_contain_text("Higher is better")
    pauses = places.filter(has=page.get_by_role("heading", name="Unintended pauses"))
    expect(pauses).to_contain_text("Lower is better")
    value = float(pauses.locator("strong").inner_text())
    expect(pauses.locator(".state")).to_have_text("good" if value <= 0.2 else "fair" if value <= 0.4 else "poor")


def test_bad_recordings_come_back_worst_first_and_are_mended(open_tab: OpenTab) -> None:
    tab = open_tab("phone", "paula")
    talent, _consent = desk.permitted_talent(tab, "Bob Marked", sound.clip("consent-rms"))
    voice = desk.add_voice(tab, talent, "Bob, announcing")
    desk.add_clips(tab, [*desk.RMS, "rms-silent", "rms-wrong-speaker"])
    _write_transcript_if_none(tab.page, "rms-silent.wav")
    build = desk.start_build(tab)
    desk.watch_until(tab.page, "The recordings need work")
    rows = tab.page.locator("table.report tbody tr")
    expect(rows).to_have_count(8)
    expect(rows.nth(0)).to_contain_text("rms-silent.wav")
    expect(rows.nth(0)).to_contain_text("Silent")
    expect(rows.nth(1)).to_contain_text("rms-wrong-speaker.wav")
    expect(rows.nth(1)).to_contain_text("Another speaker or sound")
    for heading in ("STOI", "PESQ", "SI-SDR", "Sample score"):
        expect(tab.page.get_by_role("columnheader", name=heading, exact=True)).to_have_count(1)
    _look_at_all_sizes(open_tab, build, "build with bad recordings")

    for name in ("rms-silent.wav", "rms-wrong-speaker.wav"):
        tab.go(build)
        tab.page.get_by_role("link", name=f"Fix {name}").click()
        with tab.page.expect_response(re.compile("/active/")):
            _clip(tab.page, name).get_by_label("In builds").uncheck()
    tab.look("voice, one recording searched")
    tab.go(voice)
    expect(desk.place(tab.page)).to_contain_text("6, at least 3")
    tab.go(build)
    tab.page.get_by_role("button", name="Build again").click()
    tab.page.wait_for_url(lambda address: not address.endswith(build))
    desk.watch_until(tab.page, "Quality scores")
    expect(tab.page.locator("table.report tbody tr")).to_have_count(6)


def _write_transcript_if_none(page: Page, name: str) -> None:
    """A silent clip has nothing to transcribe, and no build starts without."""
    text = _transcript(page, name)
    expect(text).to_be_visible()
    if not text.input_value():
        text.fill("Room tone.")
        text.blur()
        expect(_clip(page, name).get_by_text("Saved")).to_be_visible()


def test_another_text_as_consent_is_refused_in_the_words_of_the_provider(open_tab: OpenTab) -> None:
    tab = open_tab("desk", "paula")
    talent, consent = desk.permitted_talent(tab, "Stan Elsewhere", sound.clip("slt-01"))
    desk.add_voice(tab, talent, "Stan, unheard")
    desk.add_clips(tab, desk.SLT[:4])
    desk.start_build(tab)
    desk.watch_until(tab.page, "The provider did not accept the spoken consent")
    expect(tab.page.get_by_text("“The consent recording is not the consent statement.")).to_be_visible()
    tab.look("build, consent refused")
    tab.page.get_by_role("link", name="Open the consent").click()
    assert desk.id_in(tab.page) == consent
    expect(tab.page.get_by_text("of the statement's words were recognized").first).to_be_visible()


def test_provider_fetches_the_dataset_that_we_serve(studio: Studio, open_tab: OpenTab, dataset_build: str) -> None:
    tab = open_tab("phone", "paula")
    page = tab.go(dataset_build)
    expect(page.get_by_role("heading", name="Quality scores")).to_be_visible()
    expect(page.get_by_role("region", name="Dataset downloads").get_by_role("listitem")).to_have_count(1)
    tab.look("build by dataset address")
    found = studio.rows("SELECT * FROM voices_datasetfetch WHERE build_id = ?", desk.id_in(page))
    assert [row["address"] for row in found] == ["127.0.0.1"]
