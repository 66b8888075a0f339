"""The talent's pages in each language on a phone: they fit, and axe finds nothing in light and dark."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, CheckedPages, Tab
from voicehub.talent_languages import TALENT_LANGUAGES

pytestmark = pytest.mark.browser

NAME = "Lin Vielsprachig"
NAME_OF_MANY = "Lin Vielfach"
CREATE_LINK = """
from pathlib import Path
from tests.browser import prepared
Path({file!r}).write_text(prepared.create_link({name!r}, ["resemble_v2", "audiostack"]))
"""
RELEASE = """
from consent.services.talent_languages import release_language
from voicehub.models import User
for language in {languages!r}:
    release_language(language, User.objects.get(username="ada"))
"""
SPEAK = """
from consent.models import Talent
Talent.objects.filter(name={name!r}).update(language={language!r})
"""


def test_pages_fit_and_are_accessible_in_every_language(
    studio: Studio, open_session_tab: OpenSessionTab, chrome: Browser, checked_pages: CheckedPages
) -> None:
    with open_session_tab("paula") as staff:
        staff_steps.request_consent(staff, staff_steps.prepare_talent(studio, NAME))
        link = staff_steps.create_private_link(staff.page)
    studio.run_script(RELEASE.format(languages=[language for language in TALENT_LANGUAGES if language != "en"]))
    tab = Tab(studio, chrome.new_context(**SIZES["phone"], reduced_motion="reduce"), checked_pages)
    for language in reversed(TALENT_LANGUAGES):  # English last: the steps after it know its words
        speak(studio, language)
        check_page(tab, tab.goto(link), "home", language)
        tick_and_continue(tab.page)
        check_page(tab, tab.page, "record", language)
    tab.page.reload()  # with its folds closed
    talent_steps.send_file(tab.page, sound.read_clip("consent-slt"))
    receipt = tab.page.url
    for language in TALENT_LANGUAGES:
        speak(studio, language)
        check_page(tab, tab.goto(receipt), "receipt", language)
        check_page(tab, tab.goto(link), "home with a recording", language)
    check_page_of_several_providers(tab)
    tab.context.close()
    assert tab.problems == []


def check_page_of_several_providers(tab: Tab) -> None:
    """The first page with the tick for all providers, after one single tick is removed again."""
    file = tab.studio.folder.parent / "link.txt"
    tab.studio.run_script(CREATE_LINK.format(file=str(file), name=NAME_OF_MANY))
    for language in TALENT_LANGUAGES:
        speak(tab.studio, language, NAME_OF_MANY)
        page = tab.goto(urlsplit(file.read_text()).path)
        box = page.locator("[data-tick-all]")
        box.check()
        page.locator("input[name=purpose][form=begin]").last.uncheck()
        expect(box).to_be_checked(indeterminate=True)
        check_page(tab, page, "home of several providers", language)


def speak(studio: Studio, language: str, name: str = NAME) -> None:
    studio.run_script(SPEAK.format(name=name, language=language))


def check_page(tab: Tab, page: Page, name: str, language: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", language)
    for details in page.locator("main details").all():
        details.evaluate("(one) => { one.open = true; }")
    tab.check_page(f"{name} in {language}")


def tick_and_continue(page: Page) -> None:
    for box in page.locator("input[name=purpose][form=begin]").all():
        box.check()
    page.locator("form[action$='/begin/'] button").click()
    expect(page.locator("[data-recorder]")).to_be_visible()
