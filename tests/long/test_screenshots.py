"""Every main page at three widths, by day and by night: it fits, it runs without an error, and its picture is kept."""

from uuid import UUID

import pytest
from playwright.sync_api import Browser

from tests.browser import sound, staff_steps, talent_steps
from tests.browser.shared_talent import OpenSessionTab
from tests.browser.studio import Studio
from tests.browser.tab import IS_IDLE_SCRIPT, SIZES, CheckedPages, Tab
from tests.long.conftest import SHOTS

pytestmark = pytest.mark.browser

HEIGHTS = {1440: 900, 768: 1024, 390: 844}
SCHEMES = ("light", "dark")


def test_every_main_page_fits_each_width_without_an_error(
    studio: Studio, open_session_tab: OpenSessionTab, chrome: Browser, account: str, checked_pages: CheckedPages
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with open_session_tab("paula") as tab:
        pages = staff_pages(tab)
        shoot_all(tab, pages)
        link = private_link(tab)
    stranger = Tab(studio, chrome.new_context(**SIZES["desktop"], reduced_motion="reduce"), checked_pages)
    shoot_all(stranger, {"sign-in": "/"})
    shoot_talent_pages(stranger, link)
    stranger.context.close()
    assert stranger.problems == []


def staff_pages(tab: Tab) -> dict[str, str]:
    """Make a small studio; the path of each of its pages by name."""
    talent, _consent = staff_steps.add_approved_talent(tab, "Shira Lens", sound.read_clip("consent-slt"))
    voice = staff_steps.add_voice(tab, talent, "Shira, narrator")
    staff_steps.upload_clips(tab, staff_steps.SLT_CLIPS[:5])
    first = built(tab)
    tab.goto(voice)
    build = built(tab)
    remote = staff_steps.open_remote_voice(tab.page)
    return {
        "today": "/",
        "talents": "/talents/",
        "talent": talent,
        "contract-form": f"{talent}contracts/add/",
        "consent-review": f"/consents/{consent_under_review(tab)}/",
        "voice": voice,
        "build": build,
        "compare": f"/builds/compare/?a={id_of(first)}&b={id_of(build)}",
        "accounts": "/accounts/",
        "remote-voice": remote,
    }


def built(tab: Tab) -> str:
    build = staff_steps.start_build(tab)
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    return build


def id_of(path: str) -> str:
    return path.split("/")[2]


def consent_under_review(tab: Tab) -> UUID:
    consent = staff_steps.request_consent(tab, staff_steps.add_talent(tab, "Rae View"))
    staff_steps.upload_take(tab, consent, sound.read_clip("consent-slt"))
    return consent


def private_link(tab: Tab) -> str:
    staff_steps.request_consent(tab, staff_steps.add_talent(tab, "Lin Privat"))
    tab.page.get_by_role("button", name="Create a private link").click()
    return tab.page.get_by_role("textbox", name="Private link").input_value()


def shoot_talent_pages(tab: Tab, link: str) -> None:
    """Their home, the page to record on, and the receipt."""
    shoot_all(tab, {"talent-home": link})
    talent_steps.open_statement(tab, link)
    shoot(tab, "talent-record")
    talent_steps.send_file(tab.page, sound.read_clip("consent-slt"))
    shoot(tab, "talent-receipt")


def shoot_all(tab: Tab, pages: dict[str, str]) -> None:
    for name, path in pages.items():
        tab.goto(path)
        shoot(tab, name)


def shoot(tab: Tab, name: str) -> None:
    """The page that is open, as it is, in each size and scheme."""
    for width, height in HEIGHTS.items():
        tab.page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            shoot_scheme(tab, f"{name}-{width}-{scheme}", scheme)
        wide = tab.page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide where {width} px fit"
    tab.page.set_viewport_size({"width": 1440, "height": HEIGHTS[1440]})


def shoot_scheme(tab: Tab, name: str, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of its words
    tab.page.wait_for_function(IS_IDLE_SCRIPT)
    file = SHOTS / f"{name}.png"
    file.unlink(missing_ok=True)
    tab.page.screenshot(path=file, full_page=True)
    assert file.stat().st_size > 1000
