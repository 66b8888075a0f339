"""The contract form: the PDF beside its terms, and a file that survives an error in the form."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import sound, staff_steps
from tests.browser.tab import SIZES, Tab
from voices.sample_studio import make_sample_pdf

DROP = """(element, [name, text]) => {
    const dataTransfer = new DataTransfer();
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    dataTransfer.items.add(new File([bytes], name, { type: "application/pdf" }));
    element.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
FIRST, SECOND = "licence.pdf", "licence-signed.pdf"


def choose_file(page: Page, name: str, content: bytes = b"") -> None:
    upload = sound.make_upload(name, content or make_sample_pdf(["VOICE LICENCE"]))
    page.get_by_label("Signed contract").set_input_files(upload)


def find_frame(page: Page, name: str) -> Locator:
    return page.locator(f"iframe[title='Preview of {name}']")


def check_preview(page: Page, name: str, size: str) -> None:
    """A wide window has the pages of the file. A phone has its name, and opens it in a tab."""
    expect(find_frame(page, name)).to_be_visible(visible=size == "desktop")
    part = page.get_by_role("region", name="PDF of the contract")
    expect(part).to_contain_text(name)
    expect(part.get_by_role("link", name="Open the PDF")).to_be_visible()


def submit_without_date(page: Page) -> None:
    """Submit the form with a field that the browser itself would ask for."""
    page.locator("form.contract-form").evaluate("(form) => { form.noValidate = true; }")
    page.get_by_role("button", name="Add contract").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()


@pytest.mark.parametrize("size", list(SIZES))
def test_file_survives_an_error_and_is_shown_again(open_tab: Callable[..., Tab], size: str) -> None:
    tab = open_tab(size, "paula")
    talent = staff_steps.add_talent(tab, f"Form {size.title()}")
    page = tab.goto(f"{talent}contracts/add/")
    expect(page.get_by_text("Drop the signed PDF here")).to_be_visible(visible=size == "desktop")
    choose_file(page, FIRST)
    check_preview(page, FIRST, size)
    submit_without_date(page)
    expect(page.get_by_text(f"{FIRST} is kept")).to_be_visible()
    check_preview(page, FIRST, size)
    tab.check_page("contract form with a kept file")
    choose_file(page, SECOND)
    check_preview(page, SECOND, size)
    expect(find_frame(page, FIRST)).to_have_count(0)
    page.get_by_label("Signed contract").set_input_files([])
    check_preview(page, FIRST, size)
    fill_terms_and_submit(page)
    expect(page.get_by_text("The contract was filed.")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=FIRST)).to_be_visible()


def fill_terms_and_submit(page: Page) -> None:
    page.get_by_label("Signed on").fill("2026-01-02")
    page.get_by_label("Starts on").fill("2026-01-02")
    page.get_by_label(staff_steps.PURPOSE).check()
    page.get_by_label(staff_steps.PROVIDER, exact=True).check()
    page.get_by_label("Intended uses").fill("Audio guides.")
    page.get_by_label("Worldwide", exact=True).check()
    page.get_by_label("Territory, in the words").fill("Worldwide")
    page.get_by_role("button", name="Add contract").click()


def test_preview_stands_beside_the_fields_of_a_wide_window_only(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"{staff_steps.add_talent(tab, 'Form Width')}contracts/add/")
    choose_file(page, FIRST)
    frame, company = find_frame(page, FIRST), page.get_by_label("Studio's company")
    expect(frame).to_be_visible()
    for width in (1440, 1101, 1099, 768, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        framed, field = frame.bounding_box(), company.bounding_box()
        assert field
        is_beside = framed is not None and framed["x"] > field["x"] + field["width"]
        assert is_beside == (width > 1100), width
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def drop_file(page: Page, name: str) -> None:
    """As if a person dragged the file onto a field of the form."""
    page.get_by_label("Studio's company").evaluate(DROP, [name, make_sample_pdf(["VOICE LICENCE"]).decode("latin-1")])


def test_dropped_file_is_shown_and_sent(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"{staff_steps.add_talent(tab, 'Form Drop')}contracts/add/")
    drop_file(page, FIRST)
    check_preview(page, FIRST, "desktop")
    fill_terms_and_submit(page)
    expect(page.get_by_text("The contract was filed.")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=FIRST)).to_be_visible()


def test_other_files_are_not_shown(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"{staff_steps.add_talent(tab, 'Form Refused')}contracts/add/")
    choose_file(page, "page.html", b"<h1>Not a contract</h1>")
    expect(page.get_by_text("This file is not a PDF.")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)


def test_bar_counts_the_empty_required_fields_and_leads_to_the_first(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"{staff_steps.add_talent(tab, 'Form Left')}contracts/add/")
    bar = page.locator("[data-required-left]")
    expect(page.get_by_role("button", name="Add contract")).to_be_visible()
    expect(bar).to_contain_text("8 fields left. Next: Signed contract")
    choose_file(page, FIRST)
    expect(bar).to_contain_text("7 fields left. Next: Signed on")
    bar.get_by_role("link").click()
    expect(page.get_by_label("Signed on")).to_be_focused()
    page.get_by_label("Signed on").fill("2026-01-02")
    page.get_by_label("Starts on").fill("2026-01-02")
    page.get_by_label(staff_steps.PURPOSE).check()
    page.get_by_label(staff_steps.PROVIDER, exact=True).check()
    page.get_by_label("Intended uses").fill("Audio guides.")
    page.get_by_label("Single countries", exact=True).check()
    page.get_by_label("Territory, in the words").fill("France")
    expect(bar).to_contain_text("1 field left. Next: Countries in which the voice may be used")
    page.get_by_label("France", exact=True).check()
    expect(bar).to_have_text("All required fields are filled.")


def test_single_countries_are_sent_only_while_they_are_chosen(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto(f"{staff_steps.add_talent(tab, 'Form Places')}contracts/add/")
    france = page.get_by_label("France", exact=True)
    expect(france).to_be_hidden()
    page.get_by_label("Single countries", exact=True).check()
    france.check()
    choose_file(page, FIRST)
    fill_terms_and_submit(page)
    expect(page.get_by_text("The contract was filed.")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="Worldwide").first).to_be_visible()
    expect(page.get_by_text("France")).to_have_count(0)
