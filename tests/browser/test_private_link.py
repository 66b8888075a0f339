"""A private link is shown again after a reload, ends earlier links, and works beside another one in one browser."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.tab import Tab


def test_reload_shows_the_same_link_and_two_links_work_in_one_browser(open_tab: Callable[..., Tab]) -> None:
    staff, talent = open_tab("desktop", "paula"), open_tab("phone")
    consent = staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Rita Reload"))
    link = staff_steps.create_private_link(staff.page)
    staff.page.reload()
    expect(staff.page.get_by_role("textbox", name="Private link")).to_have_value(link)
    staff.check_page("private link")
    page = staff.goto(f"/consents/{consent}/")
    expect(page.get_by_text("created a private link")).to_have_count(1)

    staff_steps.request_consent(staff, staff_steps.prepare_talent(staff.studio, "Sven Second"))
    other_link = staff_steps.create_private_link(staff.page)
    first = talent_steps.open_statement(talent, link).url
    second = talent_steps.open_statement(talent, other_link).url
    for url, name in ((first, "Rita Reload"), (second, "Sven Second")):
        talent.goto(url).get_by_role("link", name="Back: what this is about").click()
        expect(talent.page.get_by_text(name).first).to_be_visible()

    staff.goto(f"/consents/{consent}/")
    newer_link = staff_steps.create_private_link(staff.page)
    with talent.allow_status(404):
        expect(talent.goto(first).get_by_role("heading", name="This link no longer works")).to_be_visible()
    page = talent_steps.open_statement(talent, newer_link)
    other_tab = talent.context.new_page()
    other_tab.goto(second)
    talent_steps.send_file(page, sound.read_clip("consent-slt"))
    talent_steps.send_file(other_tab, sound.read_clip("consent-rms"))


def test_new_link_is_offered_once_the_address_changes(open_tab: Callable[..., Tab]) -> None:
    staff = open_tab("desktop", "paula")
    talent = staff_steps.prepare_talent(staff.studio, "Nils Newer")
    staff_steps.request_consent(staff, talent)
    staff_steps.send_invitation(staff)
    page = staff.goto(f"{talent}edit/")
    tick, field = page.get_by_label("If the email address changes"), page.get_by_label("Email address", exact=True)
    before = field.input_value()
    expect(tick).to_be_hidden()
    field.fill("nils@newer.example")
    expect(tick).to_be_visible()
    expect(tick).to_be_checked()
    field.fill(before)
    expect(tick).to_be_hidden()


def test_staff_switch_off_a_mail(open_tab: Callable[..., Tab]) -> None:
    staff = open_tab("desktop", "paula")
    page = staff.goto("/")
    page.locator(".vh-own > summary").click()
    page.get_by_role("link", name="Email notifications").click()
    page.get_by_label("A voice is ready").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("A voice is ready")).not_to_be_checked()
    staff.check_page("email notifications")
    page.get_by_label("A voice is ready").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("A voice is ready")).to_be_checked()
