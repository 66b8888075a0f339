"""Fixtures of the browser tests. All tests share one studio and one browser, and each test adds its own talents."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Playwright, expect

from tests.browser import sound, staff_steps
from tests.browser.scripted_recorder import PAGE, Recorder
from tests.browser.shared_talent import OpenSessionTab, SharedTalent
from tests.browser.studio import Studio
from tests.browser.tab import SIZES, CheckedPages, Tab
from tests.support.browser import launch_browser

OpenTab = Callable[..., Tab]

SIGN_IN_SECONDS = 8 * 60

# Expectations wait up to 60 seconds, because the machine may be busy with other work.
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The WAV file that the browser uses as its microphone."""
    return sound.write_microphone_file(tmp_path_factory.mktemp("microphone") / "statement.wav")


@pytest.fixture(scope="session")
def chrome(playwright: Playwright, chromium: Path, microphone: Path) -> Iterator[Browser]:
    browser = launch_browser(playwright, chromium, microphone)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def studio(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that has staff and no other data. The test session fails if its processes log an exception."""
    new_studio = Studio(tmp_path_factory.mktemp("studio") / "data")
    try:
        new_studio.wait_until_ready()
        yield new_studio
    finally:
        output = new_studio.stop()
    assert "Traceback" not in output, output


@pytest.fixture(scope="session")
def sign_in_cookies(studio: Studio, chrome: Browser) -> Callable[[str], Any]:
    """A function that returns the cookies of a signed-in user.

    Each user signs in again after some minutes, because a sign-in confirms who they are for 15 minutes only.
    """
    cookies: dict[str, tuple[float, Any]] = {}

    def get_cookies(name: str) -> Any:
        if name not in cookies or time.monotonic() - cookies[name][0] > SIGN_IN_SECONDS:
            context = chrome.new_context(**SIZES["desktop"])
            cookies[name] = time.monotonic(), staff_steps.sign_in(studio, context, name)
            context.close()
        return cookies[name][1]

    return get_cookies


@pytest.fixture(scope="session")
def checked_pages() -> CheckedPages:
    return set()


@pytest.fixture
def open_tab(
    studio: Studio, chrome: Browser, sign_in_cookies: Callable[[str], Any], checked_pages: CheckedPages
) -> Iterator[OpenTab]:
    """A function that opens a tab in a new context, signed in as `who` if given. Errors of its pages fail the test."""
    opened_tabs: list[Tab] = []

    def open_in_context(size: str = "desktop", who: str = "", browser: Browser = chrome) -> Tab:
        cookies = {"storage_state": sign_in_cookies(who)} if who else {}
        opened_tabs.append(
            Tab(studio, browser.new_context(**SIZES[size], **cookies, reduced_motion="reduce"), checked_pages)
        )
        return opened_tabs[-1]

    yield open_in_context
    for tab in opened_tabs:
        tab.context.close()
    assert [problem for tab in opened_tabs for problem in tab.problems] == []


@pytest.fixture(scope="session")
def open_session_tab(
    studio: Studio, chrome: Browser, sign_in_cookies: Callable[[str], Any], checked_pages: CheckedPages
) -> OpenSessionTab:
    """A function that opens a desktop tab for session fixtures. The tab must not record a problem."""

    @contextmanager
    def open_for(who: str) -> Iterator[Tab]:
        tab = Tab(studio, chrome.new_context(**SIZES["desktop"], storage_state=sign_in_cookies(who)), checked_pages)
        try:
            yield tab
        finally:
            tab.context.close()
        assert tab.problems == []

    return open_for


@pytest.fixture(scope="session")
def account(open_session_tab: OpenSessionTab) -> str:
    """The name of an account at the sandbox. The admin adds the account."""
    with open_session_tab("ada") as tab:
        staff_steps.add_account(tab, staff_steps.ACCOUNT)
    return staff_steps.ACCOUNT


@pytest.fixture(scope="session")
def shared_talent(studio: Studio, open_session_tab: OpenSessionTab) -> SharedTalent:
    return SharedTalent(studio, open_session_tab)


@pytest.fixture(scope="session")
def dataset_build(open_session_tab: OpenSessionTab, account: str) -> str:
    """The path of a successful build with a preview. The provider downloaded its dataset from VoiceHub."""
    with open_session_tab("paula") as tab:
        talent, _consent = staff_steps.add_approved_talent(tab, "Dana Fetched", sound.read_clip("consent-slt"))
        tab.goto(staff_steps.prepare_voice(tab.studio, talent, "Dana, by address", staff_steps.SLT_CLIPS[:5]))
        build = staff_steps.start_build(tab, handover=staff_steps.AS_DATASET)
        staff_steps.wait_for_heading(tab.page, "Quality scores")
        staff_steps.generate_preview(tab.page, "Good morning.")
    return build


@pytest.fixture
def recorder(chrome: Browser) -> Iterator[Recorder]:
    from consent.models import Consent
    from consent.recorder_config import build_recorder_config

    config = build_recorder_config(Consent(provider="resemble_v2"))
    values = {"recorder_config": config, "submit_url": "/submit/", "csrf_token": "token", "consent": {"pk": "one"}}
    context = chrome.new_context(**SIZES["phone"], reduced_motion="reduce")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Recorder(page, PAGE.format(recorder=render_to_string("consent/_recorder.html", values)))
    width = page.evaluate("document.scrollingElement.scrollWidth")
    context.close()
    assert errors == []
    assert width <= SIZES["phone"]["viewport"]["width"]
