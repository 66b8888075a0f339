"""Every main page at three widths, in light and dark mode: it fits, has no errors, and is saved as a screenshot."""

from uuid import UUID

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio
from tests.browser.tab import IS_IDLE_SCRIPT, SIZES, CheckedPages, Tab
from tests.long.conftest import SCREENSHOT_FOLDER

pytestmark = pytest.mark.browser

HEIGHTS = {1440: 900, 768: 1024, 390: 844}
SCHEMES = ("light", "dark")


def test_every_main_page_fits_each_width_without_errors(
    studio: Studio, open_session_tab: OpenSessionTab, chrome: Browser, account: str, checked_pages: CheckedPages
) -> None:
    SCREENSHOT_FOLDER.mkdir(parents=True, exist_ok=True)
    with open_session_tab("paula") as tab:
        pages = make_staff_pages(tab)
        capture_pages(tab, pages)
        link, status_link = create_private_link(tab), create_status_link(tab, pages["talent"])
    visitor = Tab(studio, chrome.new_context(**SIZES["desktop"], reduced_motion="reduce"), checked_pages)
    capture_pages(visitor, {"sign-in": "/"})
    capture_talent_pages(visitor, link)
    capture_status_pages(visitor, status_link)
    visitor.context.close()
    assert visitor.problems == []
    with open_session_tab("ada") as admin:
        pages = {"account": find_account(admin, account), "spend": "/accounts/spend/"}
        capture_pages(admin, pages | {"deletions": "/deletions/", "components": "/components/"})


def make_staff_pages(tab: Tab) -> dict[str, str]:
    """Create the rows of a small studio. Returns the path of each page, keyed by the name of its screenshot."""
    talent, _consent = staff_steps.add_approved_talent(tab, "Shira Lens", sound.read_clip("consent-slt"))
    voice = staff_steps.add_voice(tab, talent, "Shira, narrator")
    staff_steps.upload_clips(tab, staff_steps.SLT_CLIPS[:5])
    first = start_and_finish_build(tab)
    tab.goto(voice)
    build = start_and_finish_build(tab)
    remote = staff_steps.open_remote_voice(tab.page)
    return {
        "today": "/",
        "talents": "/talents/",
        "voices": "/voices/",
        "consents": "/consents/",
        "builds": "/builds/",
        "talent": talent,
        "contract-form": f"{talent}contracts/add/",
        "consent-review": f"/consents/{make_consent_under_review(tab)}/",
        "voice": voice,
        "readiness": f"{voice}readiness/?improvements=show",
        "voice-builds": f"{voice}builds/",
        "voice-providers": f"{voice}providers/",
        "build": build,
        "compare": f"/builds/compare/?build={get_id(first)}&build={get_id(build)}",
        "accounts": "/accounts/",
        "search": "/search/?q=Shira",
        "remote-voice": remote,
    }


def find_account(tab: Tab, name: str) -> str:
    """The path of the page of an account, after a test of its key, so that the page has its usage."""
    page = tab.goto("/accounts/")
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("button", name="Test the key").click()
    expect(page.get_by_text(f"The key of {name} works.")).to_be_visible()
    return staff_steps.read_path(page)


def start_and_finish_build(tab: Tab) -> str:
    build = staff_steps.start_build(tab)
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    return build


def get_id(path: str) -> str:
    return path.split("/")[2]


def make_consent_under_review(tab: Tab) -> UUID:
    consent = staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, "Rae View"))
    staff_steps.upload_take(tab, consent, sound.read_clip("consent-slt"))
    return consent


def create_private_link(tab: Tab) -> str:
    staff_steps.request_consent(tab, staff_steps.prepare_talent(tab.studio, "Lin Privat"))
    tab.page.get_by_role("button", name="Create a private link").click()
    return tab.page.get_by_role("textbox", name="Private link").input_value()


def create_status_link(tab: Tab, talent: str) -> str:
    """A new private link to the consent in force of this talent."""
    tab.goto(talent)
    tab.page.get_by_role("region", name="Consents").get_by_role("link", name=staff_steps.PROVIDER).click()
    return staff_steps.create_private_link(tab.page)


def capture_status_pages(tab: Tab, link: str) -> None:
    """Capture a consent in force, and the same consent when it is withdrawn and its voice deleted."""
    capture_pages(tab, {"talent-status": link})
    tab.page.get_by_text("Withdraw this consent").click()
    tab.page.get_by_role("button", name="Yes, withdraw it").click()
    expect(tab.page.get_by_text("Deleted, confirmed")).to_be_visible()
    capture_page(tab, "talent-withdrawn")


def capture_talent_pages(tab: Tab, link: str) -> None:
    """Capture the first page of the private link, the recording page and the receipt."""
    capture_pages(tab, {"talent-home": link})
    talent_steps.open_statement(tab, link)
    capture_page(tab, "talent-record")
    talent_steps.send_file(tab.page, sound.read_clip("consent-slt"))
    capture_page(tab, "talent-receipt")


def capture_pages(tab: Tab, pages: dict[str, str]) -> None:
    for name, path in pages.items():
        tab.goto(path)
        capture_page(tab, name)


def capture_page(tab: Tab, name: str) -> None:
    """Capture the open page in each size and color scheme."""
    for width, height in HEIGHTS.items():
        tab.page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            capture_in_scheme(tab, f"{name}-{width}-{scheme}", scheme)
        scroll_width = tab.page.evaluate("document.scrollingElement.scrollWidth")
        assert scroll_width <= width, f"{name} is {scroll_width} px wide in a {width} px window"
    tab.page.set_viewport_size({"width": 1440, "height": HEIGHTS[1440]})


def capture_in_scheme(tab: Tab, name: str, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a scheme name
    tab.page.wait_for_function(IS_IDLE_SCRIPT)
    file = SCREENSHOT_FOLDER / f"{name}.png"
    file.unlink(missing_ok=True)
    tab.page.screenshot(path=file, full_page=True)
    assert file.stat().st_size > 1000
