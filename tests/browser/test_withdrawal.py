"""A talent takes the consent back on a phone: two taps, then the page shows what is deleted until it is confirmed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]


@pytest.mark.usefixtures("account")
def test_talent_withdraws_and_sees_the_voice_deleted(open_tab: OpenTab) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    person = staff_steps.add_talent(staff, "Wanda Withdraws")
    staff_steps.add_contract(staff, person)
    consent = staff_steps.request_consent(staff, person)
    link = staff_steps.create_private_link(staff.page)
    talent_steps.send_file(talent_steps.open_statement(talent, link), sound.read_clip("consent-slt"))
    staff.goto(f"/consents/{consent}/")
    staff_steps.approve_take(staff)
    staff_steps.add_voice(staff, person, "Wanda, narrator")
    staff_steps.upload_clips(staff, staff_steps.SLT_CLIPS[:3])
    build = staff_steps.start_build(staff)
    staff_steps.wait_for_heading(staff.page, "Quality scores")

    page = talent.goto(link)
    page.get_by_text("Take back this consent").click()
    talent.check_page("talent's first page, taking a consent back")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("This consent was taken back.")).to_be_visible()
    expect(page.get_by_role("cell", name="Voice and its 3 recordings")).to_be_visible()
    talent_steps.wait_for_text(page, "Resemble AI no longer has it")
    talent.check_page("talent's first page, consent taken back")

    page = staff.goto(f"/consents/{consent}/")
    expect(page.get_by_role("heading", name="Deletions")).to_be_visible()
    withdrawn, requested, deleted = staff_steps.read_audit_log(page)[-3:]
    assert "Wanda Withdraws withdrew the consent" in withdrawn
    assert "Deletion requested: Voice and its 3 recordings at Resemble AI" in requested
    assert "Deletion confirmed by the provider: Voice and its 3 recordings at Resemble AI" in deleted
    staff.check_page("consent withdrawn")
    page = staff.goto(build)
    expect(page.get_by_text("Generate preview")).to_have_count(0)
