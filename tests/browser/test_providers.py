"""A build at each of the five providers, from the account to the deletion, and what can come between."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser import desk, sound
from tests.browser.cast import Cast
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.sandbox import PATIENCE, until

OpenTab = Callable[..., Tab]

FOREIGN = "rms-01"
SAYS = "Welcome to the museum. Follow the blue line."
VOICE_AI, SPEECHGEN = "Voice.ai", "Speechgen"
VOICE_AI_CLONES = "voiceai/api/v1/tts/clone-voice"


def _read_scores(page: Page) -> None:
    expect(page.locator(".score")).to_have_count(4)
    expect(page.locator(".score strong")).to_have_text([re.compile(r"^[01]\.\d\d$")] * 4)


def _read_discarded(page: Page) -> None:
    """The worst first: the recording of somebody else, with the reason in the provider's words."""
    rows = page.locator("table.report tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.nth(0)).to_contain_text(f"{FOREIGN}.wav")
    expect(rows.nth(0)).to_contain_text("“The file sounds unlike the others")
    expect(rows.nth(1)).not_to_contain_text("“The file")


def _read_samples(page: Page) -> None:
    expect(page.locator(".preview-list li")).to_contain_text("made by the provider")
    desk.hear(page, "Default Sample")


def _read_nothing(page: Page) -> None:
    expect(page.get_by_text("The provider gave no scores for this voice.")).to_be_visible()


def _rename_and_show(page: Page) -> None:
    """Only here can a voice be renamed, and shown to everybody; the latter is asked for twice."""
    expect(page.get_by_text("Only this account")).to_be_visible()
    asked = page.locator("details.reason-form").filter(has=page.get_by_text("Its name at the provider"))
    asked.locator("summary").click()
    asked.get_by_label("Its name at the provider").fill("museum-guide")
    asked.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Renamed at the provider.")).to_be_visible()
    expect(page.locator("dt:has-text('Name at the provider') + dd")).to_have_text("museum-guide")
    asked = page.locator("details.reason-form").filter(has=page.get_by_text("The contract allows"))
    asked.locator("summary").click()
    asked.get_by_label("The contract allows everyone to use this voice").check()
    asked.get_by_role("button", name="Make it public").click()
    expect(page.get_by_text("made public by Paula")).to_be_visible()
    page.get_by_role("button", name="Make it private").click()
    expect(page.get_by_text("The provider now shows the voice as private.")).to_be_visible()


def _nothing_more(_page: Page) -> None:
    """It can neither be renamed nor shown to others."""


@dataclass(frozen=True)
class At:
    """A provider, the row for it on a voice's page, what is told before and after a build, and what its voices can."""

    provider: str
    row: str
    clips: Sequence[str]
    told: str
    handed: str
    read: Callable[[Page], None]
    way: str = ""
    change: Callable[[Page], None] = _nothing_more
    speaks: bool = True
    deletes: bool = True
    size: str = "desk"


FOUR = desk.SLT[:4]
PLACES = {
    "resemble_v1": At(
        provider="Resemble AI v1",
        row="Resemble AI v1",
        clips=desk.SLT,
        told=r"ready\. These 8 recordings will be sent, 42 s of speech\.",
        way="As an archive with their transcripts",
        handed="One archive (.tar.gz) with their transcripts, made of these 8 recordings.",
        read=_read_scores,
        speaks=False,
        deletes=False,
    ),
    "resemble_v2": At(
        provider="Resemble AI",
        row=desk.RAPID,
        clips=FOUR,
        told=r"ready\. These 4 recordings will be sent, 22 s of speech\.",
        way="One by one",
        handed="4 recordings, one by one, each as the WAV that plays here.",
        read=_read_scores,
        size="phone",
    ),
    "audiostack": At(
        provider="AudioStack",
        row="AudioStack, instant",
        clips=[*FOUR, FOREIGN],
        told=r"ready\. These 5 recordings will be sent, 28 s of speech\.",
        handed="5 recordings, one by one, each as the WAV that plays here.",
        read=_read_discarded,
        deletes=False,
        size="phone",
    ),
    "speechgen": At(
        provider=SPEECHGEN,
        row=SPEECHGEN,
        clips=FOUR,
        told=r"ready\. One file of 2\d s will be sent, made of these 4 recordings\.",
        handed="made of these 4 recordings with short silences between them.",
        read=_read_samples,
    ),
    "voiceai": At(
        provider=VOICE_AI,
        row=VOICE_AI,
        clips=FOUR,
        told=r"ready\. One file of 2\d s will be sent, made of these 4 recordings\.",
        handed="made of these 4 recordings with short silences between them.",
        read=_read_nothing,
        change=_rename_and_show,
        size="phone",
    ),
}


@pytest.mark.parametrize("slug", PLACES)
def test_voice_is_built_heard_and_deleted(cast: Cast, open_tab: OpenTab, slug: str) -> None:
    at = PLACES[slug]
    account = cast.account(at.provider)
    cast.permit(at.provider)
    tab = open_tab(at.size, "paula")
    cast.voice(tab, f"Cass for {at.provider}", at.clips)
    there = desk.place(tab.page, at.row, account)
    expect(there.locator(".option-text")).to_contain_text(re.compile(at.told))
    tab.look("voice ready to build, another provider")
    desk.start_build(tab, at.row, at.way, account)
    desk.watch_until(tab.page, "Quality scores")
    at.read(tab.page)
    expect(tab.page.locator("dt:has-text('Sent as') + dd")).to_contain_text(at.handed)
    tab.look(f"build that is ready, {slug}")

    desk.open_remote(tab.page)
    at.change(tab.page)
    _speak(tab.page, at)
    tab.look(f"voice at its provider, {slug}")
    if at.deletes:
        desk.delete_remote(tab.page, "The museum has closed.")
    else:
        expect(tab.page.get_by_text("has no API call to delete a voice")).to_be_visible()
        desk.note_deletion(tab.page, "Deleted on the vendor's page, seen by me.")
    expect(tab.page.get_by_role("button", name="Generate preview")).to_have_count(0)
    tab.look(f"voice deleted at its provider, {'with proof' if at.deletes else 'by hand'}")


def _speak(page: Page, at: At) -> None:
    if at.speaks:
        desk.have_said(page, SAYS)
    else:
        expect(page.get_by_text("has no previews in its API")).to_be_visible()


def test_two_builds_of_one_voice_are_compared(cast: Cast, open_tab: OpenTab) -> None:
    places = {VOICE_AI: cast.account(VOICE_AI), desk.RAPID: cast.account(desk.PROVIDER)}
    for provider in (VOICE_AI, desk.PROVIDER):
        cast.permit(provider)
    tab = open_tab("desk", "paula")
    voice = cast.voice(tab, "Cass, twice", FOUR)
    builds = []
    for row, account in places.items():
        tab.go(voice)
        builds.append(desk.start_build(tab, row, account=account))
    for build in builds:
        desk.watch_until(tab.go(build), "Quality scores")

    page = tab.go(voice)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two builds of Cass, twice")
    expect(page.get_by_text("4 recordings, with the same text")).to_be_visible()
    expect(page.get_by_text("Not reported")).to_have_count(4)
    page.get_by_label("A sentence for both to say").fill(SAYS)
    page.get_by_role("button", name="Generate both previews").click()
    for side in (VOICE_AI, desk.RAPID):
        assert page.get_by_label(f"{side}: “{SAYS[:20]}").evaluate(desk.LENGTH) > 0.5
    tab.look("two builds compared")
    phone = open_tab("phone", "paula")
    phone.go(page.url)
    phone.look("two builds compared")


def test_refused_key_pauses_the_account_until_there_is_a_new_one(cast: Cast, open_tab: OpenTab) -> None:
    name = "Key of last year"
    cast.permit(VOICE_AI)
    admin, tab = open_tab("desk", "ada"), open_tab("phone", "paula")
    desk.add_account(admin, name, VOICE_AI, "bad-key-of-last-year")
    cast.voice(tab, "Cass, waiting", FOUR)
    desk.start_build(tab, VOICE_AI, account=name)
    expect(tab.page.get_by_role("heading", name=f"{name} is paused")).to_be_visible()
    tab.look("build, account paused")

    row = desk.next_step(admin.go("/"), name)
    expect(row).to_contain_text("1 build waits for a working key.")
    admin.look("today, account paused")
    row.get_by_role("link", name="Enter a new key").click()
    admin.look("account, key refused")
    admin.page.get_by_label("New API key").fill("key-of-this-year")
    admin.page.get_by_role("button", name="Store the new key").click()
    desk.watch_until(tab.page, "Quality scores")
    expect(tab.page.get_by_role("heading", name=f"{name} is paused")).to_have_count(0)
    expect(desk.next_step(admin.go("/"), name)).to_have_count(0)


@pytest.fixture
def lost_clone(studio: Studio) -> Iterator[None]:
    """The next clone at Speechgen is made, and its answer lost; no list shows it."""
    studio.sandbox.faults(
        {"operation": "sg_clone", "do": "drop", "phase": "after_commit", "nth": 1},
        {"operation": "sg_list_models", "do": "hide:3600"},
    )
    yield
    studio.sandbox.faults()


@pytest.mark.usefixtures("lost_clone")
def test_build_in_doubt_is_settled_by_somebody_who_has_looked(studio: Studio, cast: Cast, open_tab: OpenTab) -> None:
    account, why = cast.account(SPEECHGEN), "It stands in the list of their page."
    cast.permit(SPEECHGEN)
    tab = open_tab("desk", "paula")
    cast.voice(tab, "Cass, in doubt", FOUR)
    before = len(studio.sandbox.ledger(operation="sg_clone"))
    desk.start_build(tab, SPEECHGEN, account=account)
    expect(tab.page.get_by_role("heading", name="Did the build arrive?")).to_be_visible()
    tab.look("build in doubt")
    today = open_tab("phone", "paula").go("/")
    expect(desk.next_step(today, "Cass, in doubt")).to_contain_text("Needs an answer")

    charged = studio.sandbox.ledger(operation="sg_clone")[before:]
    assert len(charged) == 1
    form = tab.page.locator("form").filter(has=tab.page.get_by_role("heading", name="The voice exists at the provider"))
    form.get_by_label("Its ID at the provider").fill(charged[0]["voice"])
    form.get_by_role("button", name="It exists").click()
    reason = form.get_by_label("How do you know?")
    assert reason.evaluate("(field) => field.validity.valueMissing")
    reason.fill(why)
    form.get_by_role("button", name="It exists").click()
    expect(tab.page.get_by_text("Saved. The build continues from there.")).to_be_visible()
    desk.watch_until(tab.page, "Quality scores")
    expect(tab.page.locator("dt:has-text('Resolved by staff') + dd")).to_have_text(f"Paula: “{why}”")
    tab.look("build answered by hand")
    assert studio.sandbox.ledger(operation="sg_clone")[before:] == charged


def test_voices_that_nobody_knows_are_adopted_or_deleted(studio: Studio, cast: Cast, open_tab: OpenTab) -> None:
    key, name = "key-of-the-old-desk", "Old desk"
    cast.permit(VOICE_AI)
    with_ids = {name: _clone(studio, key, name) for name in ("Their guide", "Their trial")}
    account = desk.add_account(open_tab("desk", "ada"), name, VOICE_AI, key)
    tab = open_tab("phone", "paula")
    desk.add_voice(tab, cast.talent, "Cass, found")
    page = tab.go(account)
    page.get_by_role("link", name="Find unknown voices").click()
    expect(page.locator("li.unknown-voice")).to_have_count(2)
    tab.look("unknown voices")
    found = tab.page.url
    page.get_by_role("link", name="Adopt Their guide").click()
    page.get_by_label("Voice").select_option(label="Cass, found (Cass Everywhere)")
    tab.look("adopting a voice")
    page.get_by_role("button", name="Adopt").click()
    expect(page.get_by_text("Voice adopted. It now belongs to Cass, found.")).to_be_visible()
    page.locator("#remote-details > summary").click()
    expect(page.get_by_text(with_ids["Their guide"])).to_be_visible()
    desk.have_said(page, SAYS)
    tab.look("voice adopted")

    page = tab.go(found)
    expect(page.locator("li.unknown-voice")).to_have_count(1)
    page.locator("summary").filter(has_text="Delete Their trial").click()
    page.get_by_label("Why is it deleted?").fill("A trial of nobody's.")
    page.get_by_role("button", name="Delete it at the provider").click()
    expect(page.get_by_text("The provider no longer has the voice")).to_be_visible()
    tab.look("voice of nobody, deleted")
    assert _shown(studio, key, with_ids["Their trial"]).status_code == 404
    tab.go(found)
    expect(page.get_by_role("heading", name="No unknown voices")).to_be_visible()
    tab.look("no unknown voices")


def _clone(studio: Studio, key: str, name: str) -> str:
    """Make a voice at the provider without VoiceHub, and wait until it can be used; its id there."""
    joined = sound.joined(FOUR)
    answer = requests.post(
        f"{studio.sandbox.address}/{VOICE_AI_CLONES}",
        headers={"Authorization": f"Bearer {key}"},
        files={"file": ("voice.wav", joined, "audio/wav")},
        data={"name": name, "voice_visibility": "PRIVATE"},
        timeout=PATIENCE,
    )
    voice = str(answer.json()["voice_id"])
    until(lambda: _shown(studio, key, voice).json()["status"] == "AVAILABLE")
    return voice


def _shown(studio: Studio, key: str, voice: str) -> requests.Response:
    address = f"{studio.sandbox.address}/voiceai/api/v1/tts/voice/{voice}"
    return requests.get(address, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
