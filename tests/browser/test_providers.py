"""A build at each of the five providers, from adding the account to deleting the voice, and what can fail."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser import sound, staff_steps
from tests.browser.shared_talent import SharedTalent
from tests.browser.studio import Studio
from tests.browser.tab import Tab
from tests.support.sandbox import TIMEOUT_SECONDS, poll_until

OpenTab = Callable[..., Tab]

OTHER_SPEAKER = "rms-01"
SENTENCE = "Welcome to the museum. Follow the blue line."
VOICE_AI, SPEECHGEN = "Voice.ai", "Speechgen"
VOICE_AI_CLONES = "voiceai/api/v1/tts/clone-voice"


def _check_scores(page: Page) -> None:
    expect(page.locator(".vh-gauge")).to_have_count(4)
    expect(page.locator(".vh-gauge strong")).to_have_text([re.compile(r"^[01]\.\d\d$")] * 4)


def _check_discard_reason(page: Page) -> None:
    """The report lists the recording of another speaker first, with the provider's reason for discarding it."""
    rows = page.locator("table.report tbody tr:not(.report-group)")
    expect(rows).to_have_count(5)
    expect(rows.nth(0)).to_contain_text(f"{OTHER_SPEAKER}.wav")
    expect(rows.nth(0)).to_contain_text("“The file sounds unlike the others")
    expect(rows.nth(1)).not_to_contain_text("“The file")


def _check_samples(page: Page) -> None:
    expect(page.locator(".preview-list li")).to_contain_text("made by the provider")
    staff_steps.check_preview(page, "Default Sample")


def _check_missing_scores(page: Page) -> None:
    expect(page.get_by_text("The provider gave no scores for this voice.")).to_be_visible()


def _rename_and_publish(page: Page) -> None:
    """Rename the voice and make it public, which needs a confirmation. Only Voice.ai can do both."""
    expect(page.get_by_text("Only this account")).to_be_visible()
    form = page.locator("details.reason-form").filter(has=page.get_by_text("Its name at the provider"))
    form.locator("summary").click()
    form.get_by_label("Its name at the provider").fill("museum-guide")
    form.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Renamed at the provider.")).to_be_visible()
    expect(page.locator("dt:has-text('Name at the provider') + dd")).to_have_text("museum-guide")
    form = page.locator("details.reason-form").filter(has=page.get_by_text("The contract allows"))
    form.locator("summary").click()
    form.get_by_label("The contract allows everyone to use this voice").check()
    form.get_by_role("button", name="Make it public").click()
    expect(page.get_by_text("made public by Paula")).to_be_visible()
    page.get_by_role("button", name="Make it private").click()
    expect(page.get_by_text("The provider now shows the voice as private.")).to_be_visible()


def _change_nothing(_page: Page) -> None:
    """The provider can neither rename a voice nor make it public."""


@dataclass(frozen=True)
class ProviderCase:
    """A provider, its build option, the texts that staff see before and after a build, and what its voices can do.

    Staff put the clip `put_back` into builds although a check left it out.
    """

    provider: str
    option: str
    clips: Sequence[str]
    readiness: str
    handover_summary: str
    check_report: Callable[[Page], None]
    handover: str = ""
    put_back: str = ""
    change_voice: Callable[[Page], None] = _change_nothing
    has_preview: bool = True
    can_delete: bool = True
    size: str = "desktop"


FOUR_CLIPS = staff_steps.SLT_CLIPS[:4]
CASES = {
    "resemble_v1": ProviderCase(
        provider="Resemble AI v1",
        option="Resemble AI v1",
        clips=staff_steps.SLT_CLIPS,
        readiness=r"These 8 recordings will be sent, 42 s of speech\.",
        handover="As an archive with their transcripts",
        handover_summary="One archive (.tar.gz) with their transcripts, made of these 8 recordings.",
        check_report=_check_scores,
        has_preview=False,
        can_delete=False,
    ),
    "resemble_v2": ProviderCase(
        provider="Resemble AI",
        option=staff_steps.RAPID,
        clips=FOUR_CLIPS,
        readiness=r"These 4 recordings will be sent, 22 s of speech\.",
        handover="One by one",
        handover_summary="4 recordings, one by one, each as the WAV that plays here.",
        check_report=_check_scores,
        size="phone",
    ),
    "audiostack": ProviderCase(
        provider="AudioStack",
        option="AudioStack, instant",
        clips=[*FOUR_CLIPS, OTHER_SPEAKER],
        put_back=OTHER_SPEAKER,
        readiness=r"1 recording would probably fail: exclude it, or listen\.",
        handover_summary="5 recordings, one by one, each as the WAV that plays here.",
        check_report=_check_discard_reason,
        can_delete=False,
        size="phone",
    ),
    "speechgen": ProviderCase(
        provider=SPEECHGEN,
        option=SPEECHGEN,
        clips=FOUR_CLIPS,
        readiness=r"One file of 2\d s will be sent, made of these 4 recordings\.",
        handover_summary="made of these 4 recordings with short silences between them.",
        check_report=_check_samples,
    ),
    "voiceai": ProviderCase(
        provider=VOICE_AI,
        option=VOICE_AI,
        clips=FOUR_CLIPS,
        readiness=r"One file of 2\d s will be sent, made of these 4 recordings\.",
        handover_summary="made of these 4 recordings with short silences between them.",
        check_report=_check_missing_scores,
        change_voice=_rename_and_publish,
        size="phone",
    ),
}


# A provider with deletion by API, below, and one without, in test_spend.py. tests/long has the others.
SHORT_CASES = ("resemble_v2", "audiostack")


def test_voice_is_built_previewed_and_deleted(shared_talent: SharedTalent, open_tab: OpenTab) -> None:
    carry_out_case(shared_talent, open_tab, "resemble_v2")


def carry_out_case(shared_talent: SharedTalent, open_tab: OpenTab, slug: str, account: str = "") -> None:
    """Build a voice at a provider with the pages, preview it, and delete it."""
    case = CASES[slug]
    account = account or shared_talent.get_account(case.provider)
    shared_talent.grant_consent(case.provider)
    tab = open_tab(case.size, "paula")
    shared_talent.add_voice(tab, f"Cass for {case.provider}", case.clips)
    option = staff_steps.open_build_option(tab.page, case.option, account)
    if case.put_back:
        option = staff_steps.put_back(tab.page, case.put_back, case.option, account)
    expect(option.locator(".option-text")).to_contain_text(re.compile(case.readiness))
    tab.check_page("voice ready to build, another provider")
    staff_steps.start_build(tab, case.option, case.handover, account)
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    case.check_report(tab.page)
    expect(tab.page.locator("dt:has-text('Sent as') + dd")).to_contain_text(case.handover_summary)
    tab.check_page(f"build that is ready, {slug}")

    staff_steps.open_remote_voice(tab.page)
    case.change_voice(tab.page)
    _generate_preview(tab.page, case)
    tab.check_page(f"voice at its provider, {slug}")
    if case.can_delete:
        staff_steps.delete_remote_voice(tab.page, "The museum has closed.")
    else:
        expect(tab.page.get_by_text("has no API call to delete a voice")).to_be_visible()
        staff_steps.confirm_deletion(tab.page, "Deleted on the vendor's page. I checked it.")
    expect(tab.page.get_by_role("button", name="Generate preview")).to_have_count(0)
    tab.check_page(f"voice deleted at its provider, {'with proof' if case.can_delete else 'by hand'}")


def _generate_preview(page: Page, case: ProviderCase) -> None:
    if case.has_preview:
        staff_steps.generate_preview(page, SENTENCE)
    else:
        expect(page.get_by_text("has no previews in its API")).to_be_visible()


def test_rejected_key_pauses_the_account_until_replaced(shared_talent: SharedTalent, open_tab: OpenTab) -> None:
    name = "Key of last year"
    shared_talent.grant_consent(VOICE_AI)
    admin, tab = open_tab("desktop", "ada"), open_tab("phone", "paula")
    staff_steps.add_account(admin, name, VOICE_AI, "bad-key-of-last-year")
    shared_talent.add_voice(tab, "Cass, waiting", FOUR_CLIPS)
    staff_steps.start_build(tab, VOICE_AI, account=name)
    expect(tab.page.get_by_role("heading", name=f"{name} is paused")).to_be_visible()
    tab.check_page("build, account paused")

    row = staff_steps.find_next_step(admin.goto("/?all=1"), name)
    expect(row).to_contain_text("1 build waits for a working key.")
    admin.check_page("today, account paused")
    row.get_by_role("link", name="Enter a new key").click()
    admin.check_page("account, key rejected")
    admin.page.get_by_label("New API key").fill("key-of-this-year")
    admin.page.get_by_role("button", name="Store the new key").click()
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    expect(tab.page.get_by_role("heading", name=f"{name} is paused")).to_have_count(0)
    expect(staff_steps.find_next_step(admin.goto("/?all=1"), name)).to_have_count(0)


@pytest.fixture
def lost_clone_response(studio: Studio) -> Iterator[None]:
    """Speechgen creates the next clone, but its response is lost and no list shows the clone."""
    studio.sandbox.set_faults(
        {"operation": "sg_clone", "do": "drop", "phase": "after_commit", "nth": 1},
        {"operation": "sg_list_models", "do": "hide:3600"},
    )
    yield
    studio.sandbox.set_faults()


@pytest.mark.usefixtures("lost_clone_response")
def test_unconfirmed_build_is_resolved_by_staff(studio: Studio, shared_talent: SharedTalent, open_tab: OpenTab) -> None:
    account, reason = shared_talent.get_account(SPEECHGEN), "It is in the list on their page."
    shared_talent.grant_consent(SPEECHGEN)
    tab = open_tab("desktop", "paula")
    shared_talent.add_voice(tab, "Cass, unconfirmed", FOUR_CLIPS)
    count_before = len(studio.sandbox.read_ledger(operation="sg_clone"))
    staff_steps.start_build(tab, SPEECHGEN, account=account)
    expect(tab.page.get_by_role("heading", name="Did the build arrive?")).to_be_visible()
    tab.check_page("unconfirmed build")
    today = open_tab("phone", "paula").goto("/?all=1")
    expect(staff_steps.find_next_step(today, "Cass, unconfirmed")).to_contain_text("Needs an answer")

    new_charges = studio.sandbox.read_ledger(operation="sg_clone")[count_before:]
    assert len(new_charges) == 1
    form = tab.page.get_by_role("form", name="Your answer")
    save, id_field = form.get_by_role("button", name="Save the answer"), form.get_by_label("Its ID at the provider")
    reason_field = form.get_by_label("How do you know?")
    expect(save).to_be_enabled()
    expect(id_field).to_be_hidden()
    tab.page.get_by_label("The voice does not exist at the provider").check()
    expect(id_field).to_be_hidden()
    tab.page.get_by_label("The voice exists at the provider").check()
    save.click()
    assert reason_field.evaluate("(field) => field.validity.valueMissing")
    reason_field.fill(reason)
    with tab.allow_status(400):
        save.click()
        expect(tab.page.get_by_text("Copy the voice ID from the provider's website.")).to_be_visible()
    expect(reason_field).to_have_value(reason)
    id_field.fill(new_charges[0]["voice"])
    save.click()
    expect(tab.page.get_by_text("Saved. The build continues from there.")).to_be_visible()
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    expect(tab.page.locator("dt:has-text('Resolved by staff') + dd")).to_have_text(f"Paula: “{reason}”")
    tab.check_page("build resolved by staff")
    assert studio.sandbox.read_ledger(operation="sg_clone")[count_before:] == new_charges


def test_unknown_voices_are_adopted_or_deleted(studio: Studio, shared_talent: SharedTalent, open_tab: OpenTab) -> None:
    key, name = "key-of-the-old-account", "Old account"
    shared_talent.grant_consent(VOICE_AI)
    remote_ids = {name: _clone_voice(studio, key, name) for name in ("Their guide", "Their trial")}
    admin = open_tab("desktop", "ada")
    account = staff_steps.add_account(admin, name, VOICE_AI, key)
    admin.page.get_by_role("button", name="Test the key").click()
    expect(admin.page.get_by_text(f"The key of {name} works.")).to_be_visible()
    tab = open_tab("phone", "paula")
    staff_steps.add_voice(tab, shared_talent.path, "Cass, found")
    page = tab.goto(account)
    page.get_by_role("link", name="Find unknown voices").click()
    expect(page.locator("li.unknown-voice")).to_have_count(2)
    tab.check_page("unknown voices")
    unknown_voices_url = tab.page.url
    page.get_by_role("link", name="Adopt Their guide").click()
    page.get_by_label("Voice").select_option(label="Cass, found (Cass Everywhere)")
    tab.check_page("adopting a voice")
    page.get_by_role("button", name="Adopt").click()
    expect(page.get_by_text("Voice adopted. It now belongs to Cass, found.")).to_be_visible()
    page.locator("#remote-details > summary").click()
    expect(page.get_by_text(remote_ids["Their guide"])).to_be_visible()
    staff_steps.generate_preview(page, SENTENCE)
    tab.check_page("voice adopted")

    page = tab.goto(unknown_voices_url)
    expect(page.locator("li.unknown-voice")).to_have_count(1)
    page.locator("summary").filter(has_text="Delete Their trial").click()
    page.get_by_label("Why is it deleted?").fill("A trial without an owner.")
    page.get_by_role("button", name="Delete it at the provider").click()
    expect(page.get_by_text("The provider no longer has the voice")).to_be_visible()
    tab.check_page("unknown voice, deleted")
    assert _fetch_voice(studio, key, remote_ids["Their trial"]).status_code == 404
    tab.goto(unknown_voices_url)
    expect(page.get_by_role("heading", name="No unknown voices")).to_be_visible()
    tab.check_page("no unknown voices")


def _clone_voice(studio: Studio, key: str, name: str) -> str:
    """Clone a voice at the provider without VoiceHub and wait until it is available. Return its remote ID."""
    content = sound.join_clips(FOUR_CLIPS)
    response = requests.post(
        f"{studio.sandbox.address}/{VOICE_AI_CLONES}",
        headers={"Authorization": f"Bearer {key}"},
        files={"file": ("voice.wav", content, "audio/wav")},
        data={"name": name, "voice_visibility": "PRIVATE"},
        timeout=TIMEOUT_SECONDS,
    )
    voice = str(response.json()["voice_id"])
    poll_until(lambda: _fetch_voice(studio, key, voice).json()["status"] == "AVAILABLE")
    return voice


def _fetch_voice(studio: Studio, key: str, voice: str) -> requests.Response:
    url = f"{studio.sandbox.address}/voiceai/api/v1/tts/voice/{voice}"
    return requests.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_SECONDS)
