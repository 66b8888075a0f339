"""One studio and one browser for all tests here; each has talents of its own, and tabs that tell on their pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser import desk, sound
from tests.browser.cast import Cast, Visit
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, Seen, Tab
from tests.support.browser import launch

OpenTab = Callable[..., Tab]

# The machine may have other things to do.
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser hears."""
    return sound.microphone(tmp_path_factory.mktemp("microphone") / "statement.wav")


@pytest.fixture(scope="session")
def chrome(playwright: Playwright, chromium: Path, microphone: Path) -> Iterator[Browser]:
    browser = launch(playwright, chromium, microphone)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def studio(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with its people and without anything else. Nothing may have broken in it by the end."""
    running = Studio(tmp_path_factory.mktemp("studio") / "data")
    try:
        running.open()
        yield running
    finally:
        said = running.close()
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def sign_ins(studio: Studio, chrome: Browser) -> Callable[[str], Any]:
    """The cookies of somebody who has signed in, which is done once for each."""
    known: dict[str, Any] = {}

    def of(name: str) -> Any:
        if name not in known:
            context = chrome.new_context(**SIZES["desk"])
            known[name] = desk.sign_in(studio, context, name)
            context.close()
        return known[name]

    return of


@pytest.fixture(scope="session")
def seen() -> Seen:
    return set()


@pytest.fixture
def open_tab(studio: Studio, chrome: Browser, sign_ins: Callable[[str], Any], seen: Seen) -> Iterator[OpenTab]:
    """A tab of a browser of its own: of somebody who is signed in, or of a stranger. It ends without any trouble."""
    opened: list[Tab] = []

    def open_one(size: str = "desk", who: str = "", browser: Browser = chrome) -> Tab:
        cookies = {"storage_state": sign_ins(who)} if who else {}
        opened.append(Tab(studio, browser.new_context(**SIZES[size], **cookies, reduced_motion="reduce"), seen))
        return opened[-1]

    yield open_one
    for tab in opened:
        tab.context.close()
    assert [trouble for tab in opened for trouble in tab.troubles] == []


@pytest.fixture(params=["desk", "phone"])
def staff_size(request: pytest.FixtureRequest) -> str:
    """The staff at a desk or with a phone; a talent then has the other."""
    return str(request.param)


@pytest.fixture
def talent_size(staff_size: str) -> str:
    return "phone" if staff_size == "desk" else "desk"


@pytest.fixture(scope="session")
def visit(studio: Studio, chrome: Browser, sign_ins: Callable[[str], Any], seen: Seen) -> Visit:
    """A tab at a desk for what is made once for many tests. It ends without any trouble."""

    @contextmanager
    def tab_of(who: str) -> Iterator[Tab]:
        tab = Tab(studio, chrome.new_context(**SIZES["desk"], storage_state=sign_ins(who)), seen)
        try:
            yield tab
        finally:
            tab.context.close()
        assert tab.troubles == []

    return tab_of


@pytest.fixture(scope="session")
def account(visit: Visit) -> str:
    """The name of an account at the sandbox, made by the admin."""
    with visit("ada") as tab:
        desk.add_account(tab, desk.ACCOUNT)
    return desk.ACCOUNT


@pytest.fixture(scope="session")
def cast(visit: Visit) -> Cast:
    return Cast(visit)


@pytest.fixture(scope="session")
def dataset_build(visit: Visit, account: str) -> str:
    """The path of a build that ended well, its recordings fetched by the provider from an address of ours.

    The voice then said something.
    """
    with visit("paula") as tab:
        talent, _consent = desk.permitted_talent(tab, "Dana Fetched", sound.clip("consent-slt"), invited=True)
        desk.add_voice(tab, talent, "Dana, by address")
        desk.add_clips(tab, desk.SLT[:5])
        build = desk.start_build(tab, way=desk.BY_ADDRESS)
        desk.watch_until(tab.page, "Quality scores")
        desk.have_said(tab.page, "Good morning.")
    return build
