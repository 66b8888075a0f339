"""A talent withdraws on a phone in two taps, and the page shows by itself how each deletion is confirmed."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sound, staff_steps
from tests.browser.studio import TRAINING_SECONDS, Studio
from tests.browser.tab import Tab
from tests.support.sandbox import poll_until

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.usefixtures("account", "sandbox_settings")


@pytest.fixture
def sandbox_settings(studio: Studio) -> Iterator[None]:
    """Restore what a test changes in the sandbox, which all tests share."""
    yield
    studio.sandbox.set_faults()
    studio.sandbox.call_control("POST", "settings", {"training_seconds": TRAINING_SECONDS})


def start_build(staff: Tab, name: str) -> tuple[UUID, str, str]:
    """Start a build of a new talent who has a private link. Return the consent, the link and the build's path."""
    person, consent = staff_steps.add_approved_talent(staff, name, sound.read_clip("consent-slt"))
    link = staff_steps.create_private_link(staff.goto(f"/consents/{consent}/"))
    voice = f"{name.split()[0]}, narrator"
    staff.goto(staff_steps.prepare_voice(staff.studio, person, voice, staff_steps.SLT_CLIPS[:3]))
    return consent, link, staff_steps.start_build(staff)


def withdraw_in_two_taps(page: Page) -> None:
    page.get_by_text("Withdraw this consent").tap()
    page.get_by_role("button", name="Yes, withdraw it").tap()
    expect(page.get_by_text("No voice may be made or used with it.")).to_be_visible()
    page.evaluate("document.body.dataset.sameDocument = 'yes'")


def expect_deletion_without_reload(page: Page, text: str) -> None:
    """Wait until the page shows this text, which it must do without a reload."""
    expect(page.get_by_text(text)).to_be_visible()
    expect(page.get_by_text("Not yet deleted.")).to_have_count(0)
    assert page.evaluate("document.body.dataset.sameDocument") == "yes"


def test_talent_withdraws_and_sees_the_voice_deleted(studio: Studio, open_tab: OpenTab) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    consent, link, build = start_build(staff, "Wanda Withdraws")
    staff_steps.wait_for_heading(staff.page, "Quality scores")
    studio.sandbox.set_faults({"operation": "delete_voice", "do": "status:500"})

    page = talent.goto(link)
    expect(page.get_by_text("In force", exact=True)).to_be_visible()
    talent.check_page("talent's page, consent in force")
    page.get_by_text("Withdraw this consent").tap()
    expect(page.get_by_text("What was already produced with a voice stays")).to_be_visible()
    talent.check_page("talent's page, withdrawing a consent")
    page.get_by_text("Withdraw this consent").tap()
    withdraw_in_two_taps(page)
    row = page.get_by_role("listitem").filter(has_text="Voice and its 3 recordings at Resemble AI")
    expect(row).to_contain_text("Not yet deleted.")
    talent.check_page("talent's page, deletion is open")
    check_failed_refresh(talent)

    studio.sandbox.set_faults()
    studio.make_due("delete_remote_voice")
    expect_deletion_without_reload(page, "Resemble AI no longer has it")
    expect(row).to_contain_text("Deleted, confirmed")
    talent.check_page("talent's page, everything is deleted")
    address = staff_steps.make_email("Wanda Withdraws")
    assert "- Voice and its 3 recordings at Resemble AI: deleted" in poll_until(
        lambda: mail if "is deleted" in (mail := studio.wait_for_mail(address)) else ""
    )

    page = staff.goto(f"/consents/{consent}/")
    expect(page.get_by_role("heading", name="Deletions")).to_be_visible()
    withdrawn, requested, deleted = staff_steps.read_acts(page)[-3:]
    assert "Wanda Withdraws withdrew the consent" in withdrawn
    assert "Deletion requested: Voice and its 3 recordings at Resemble AI" in requested
    assert "Deletion confirmed by the provider: Voice and its 3 recordings at Resemble AI" in deleted
    staff.check_page("consent withdrawn")
    page = staff.goto(build)
    expect(page.get_by_text("Generate preview")).to_have_count(0)


def test_talent_withdraws_during_training_and_reports_it_as_not_their_act(studio: Studio, open_tab: OpenTab) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    studio.sandbox.call_control("POST", "settings", {"training_seconds": 3600.0})
    consent, link, build = start_build(staff, "Tora Training")
    expect(staff.page.get_by_text("Training", exact=True).first).to_be_visible()

    page = talent.goto(link)
    withdraw_in_two_taps(page)
    expect_deletion_without_reload(page, "Resemble AI no longer has it")
    page = staff.goto(build)
    expect(page.get_by_role("heading", name="The build was stopped")).to_be_visible()
    expect(page.get_by_role("heading", name="Quality scores")).to_have_count(0)

    rows = studio.fetch_rows(
        "SELECT sent_at FROM consent_talentmail WHERE kind = 'withdrawn' AND consent_id = ? AND recipient = 'talent'",
        consent,
    )
    assert len(rows) == 1
    report = poll_until(lambda: find_report_link(studio, staff_steps.make_email("Tora Training")))
    page = talent.goto(report)
    talent.check_page("report of an act, not sent")
    page.get_by_role("button", name="This was not me").tap()
    expect(page.get_by_role("heading", name="Your report has arrived")).to_be_visible()
    talent.check_page("report of an act, sent")

    page = staff.goto("/?all=1")
    staff_steps.find_next_step(page, "Tora Training").get_by_role("link", name="Answer the report").click()
    expect(page.get_by_role("heading", name="Report of the talent: this was not me")).to_be_visible()
    staff.check_page("consent with a report of the talent")
    staff_steps.submit_with_reason(page, "Answer the report", "I called Tora. It was her sister.")
    expect(page.get_by_text("Report answered.")).to_be_visible()
    page = talent.goto(report)
    expect(page.get_by_text("I called Tora. It was her sister.")).to_be_visible()
    talent.check_page("report of an act, answered")


def check_failed_refresh(talent: Tab) -> None:
    """The page says when its list could not be refreshed, and goes on by itself."""
    note, addresses = talent.page.get_by_text("This list could not be refreshed."), "**/deletions/*"
    expect(note).to_be_hidden()
    with talent.allow_status(503):
        talent.page.route(addresses, lambda route: route.fulfill(status=503))
        expect(note).to_be_visible()
        talent.page.unroute(addresses)
        expect(note).to_be_hidden()


def find_report_link(studio: Studio, address: str) -> str:
    """The link "this was not me" of the mail about the withdrawal; empty before it is sent."""
    return next((word for mail in studio.read_mails(address) for word in mail.split() if "/reports/" in word), "")
