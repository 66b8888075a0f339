"""Every page of a filled studio fits each width without errors, in light and dark, and is accessible.

Figures that overflow and pages that are too wide show only in a filled studio. With VOICEHUB_SHOTS=FOLDER in the
environment, each page is also saved as a picture at each width and in each scheme.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, expect

from consent.models import Consent, ConsentStatus, Invitation, Talent
from consent.services.invitations import create_private_link
from tests.browser import talent_steps
from tests.browser.tab import ALL_RULES, AXE, COLOR_CONTRAST, IS_IDLE_SCRIPT, Tab
from tests.full_studio.fill import FullStudio, fill_studio
from tests.full_studio.pages import list_staff_pages
from tests.long.conftest import SCREENSHOT_FOLDER
from tests.support.sandbox import SandboxProcess
from tests.voices.provider_studio import ProviderStudio
from voicehub.models import User
from voices.sample_studio import make_sample_pdf

# The statements of the migrations come back, also after tests that emptied the database.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

HEIGHTS = {1440: 900, 768: 1024, 390: 844}
HIGHEST = 6000  # of a window, in pixels
HAS_PICTURES = "VOICEHUB_SHOTS" in os.environ


class Camera:
    """Checks the open page of a tab in each size and scheme, and numbers the pages in their order."""

    def __init__(self) -> None:
        self.number = 0
        self.problems: list[str] = []

    def check(self, tab: Tab, name: str) -> None:
        self.number += 1
        tab.page.wait_for_load_state()
        tab.page.evaluate(AXE_SCRIPT)
        for width, height in HEIGHTS.items():
            tab.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("dark", "light"):
                self._check_scheme(tab, f"{self.number:02}-{name}-{width}-{scheme}", scheme)
            for script in (FIND_OVERFLOW, FIND_TEXT_OUTSIDE):
                if found := tab.page.evaluate(script):
                    self.problems.append(f"{name} at {width} px: {found}")
        tab.page.set_viewport_size({"width": 1440, "height": HEIGHTS[1440]})
        self.problems += [f"{name}: {problem}" for problem in tab.problems]
        tab.problems.clear()

    def _check_scheme(self, tab: Tab, name: str, scheme: str) -> None:
        tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a scheme name
        tab.page.wait_for_function(IS_IDLE_SCRIPT)
        for violation in tab.page.evaluate(AXE, ALL_RULES if scheme == "light" else COLOR_CONTRAST):
            nodes = "; ".join(f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:3])
            self.problems.append(f"{name}: {violation['id']}: {violation['help']}: {nodes}")
        if HAS_PICTURES:
            self._take_picture(tab, name)

    def _take_picture(self, tab: Tab, name: str) -> None:
        """Save the whole page. In a window as high as the page, bars at the end of the window hide nothing."""
        size = tab.page.viewport_size
        assert size
        height = max(size["height"], tab.page.evaluate("document.scrollingElement.scrollHeight"))
        tab.page.set_viewport_size({"width": size["width"], "height": min(height, HIGHEST)})
        tab.page.screenshot(path=SCREENSHOT_FOLDER / f"{name}.png", full_page=True)
        tab.page.set_viewport_size(size)


FIND_OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return "";
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  return `${document.scrollingElement.scrollWidth} px wide: ` +
    wide.slice(0, 5).map((one) => `${one.tagName}.${one.className}`).join(", ");
}"""

# Texts that end outside their cell, button or panel, where they cover what stands beside.
FIND_TEXT_OUTSIDE = """() => {
  const BOXES = "td, th, tr, button, .btn, .card, .vh-panel, section, .next, dialog, li";
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    let box = parent.closest(BOXES);
    while (box && getComputedStyle(box).display === "contents") box = box.parentElement.closest(BOXES);
    if (!box || !walker.currentNode.data.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    let one = parent, isClipped = false;
    for (; one !== box.parentElement; one = one.parentElement) {
      const style = getComputedStyle(one);
      isClipped ||= style.overflowX !== "visible" || style.clipPath !== "none" || style.position === "absolute";
    }
    for (; one; one = one.parentElement) isClipped ||= getComputedStyle(one).clipPath !== "none";
    if (isClipped) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const end = Math.max(...[...range.getClientRects()].map((rect) => rect.right));
    if (end > box.getBoundingClientRect().right + 2)
      found.push(`“${walker.currentNode.data.trim().slice(0, 40)}” ends outside ${box.tagName}.${box.className}`);
  }
  return [...new Set(found)].slice(0, 5).join(", ");
}"""


@pytest.fixture
def full_studio(
    transactional_db: None, make_person: Callable[..., User], shared_sandbox: SandboxProcess, settings: Any
) -> FullStudio:
    call_command("collectstatic", interactive=False, verbosity=0)  # the server of the test reads this folder
    settings.VOICEHUB_SANDBOX_URL = shared_sandbox.address
    studio = fill_studio(make_person)
    provider = ProviderStudio(User.objects.get(username="paula"), studio.accounts["voiceai"], provider="voiceai")
    provider.sandbox = shared_sandbox
    for name in ("Old demo of the autumn", "test", "vh-unknown-0003"):
        provider.create_provider_voice(name)
    return studio


class Server:
    """The studio, as tabs need it."""

    def __init__(self, address: str) -> None:
        self.address = address


@pytest.fixture
def open_staff_tab(
    live_server: Any, chrome: Browser, full_studio: FullStudio
) -> Iterator[Callable[[User | None], Tab]]:
    """A function that opens a tab, signed in as this user if one is given."""
    contexts: list[BrowserContext] = []

    def open_for(user: User | None) -> Tab:
        context = chrome.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        if user:
            client = Client()
            client.force_login(user)
            cookies = [(name, morsel.value) for name, morsel in client.cookies.items()]
            context.add_cookies([{"name": name, "value": value, "url": live_server.url} for name, value in cookies])
        return Tab(Server(live_server.url), context, set())  # type: ignore[arg-type]  # it needs the address only

    yield open_for
    for context in contexts:
        context.close()


def test_every_page_of_a_filled_studio_fits_without_errors(
    full_studio: FullStudio, open_staff_tab: Callable[[User | None], Tab], admin: User, settings: Any
) -> None:
    SCREENSHOT_FOLDER.mkdir(parents=True, exist_ok=True)
    camera = Camera()
    staff = open_staff_tab(admin)
    for name, path in list_staff_pages(full_studio):
        staff.goto(path)
        camera.check(staff, name)
    check_opened_parts(camera, staff)
    check_talent_pages(camera, open_staff_tab(None), settings)
    assert not camera.problems, "\n".join(camera.problems)


def check_opened_parts(camera: Camera, tab: Tab) -> None:
    """A chosen PDF in the contract form, and the search dialog with suggestions."""
    talent = Talent.objects.get(name="Wanda Zielińska")
    page = tab.goto(f"{talent.get_absolute_url()}contracts/add/")
    file: Any = {"name": "license.pdf", "mimeType": "application/pdf", "buffer": make_sample_pdf(["VOICE LICENSE"])}
    page.get_by_label("Signed contract").set_input_files(file)
    camera.check(tab, "contract-form-with-file")
    page = tab.goto("/voices/")
    page.keyboard.press("Control+K")
    page.get_by_role("combobox", name="Search everything").fill("mar")
    expect(page.get_by_role("option").first).to_be_visible()
    camera.check(tab, "search-dialog")


def check_talent_pages(camera: Camera, tab: Tab, settings: Any) -> None:
    tab.goto("/sign-in/")
    camera.check(tab, "sign-in")
    link = make_link("Kim Aldous")
    tab.goto(link)
    camera.check(tab, "talent-first-page")
    talent_steps.continue_to_statement(tab.page)
    camera.check(tab, "talent-record")
    for name in ("Sally Lind", "Kofi Mensah"):
        tab.goto(make_link(name))
        camera.check(tab, f"talent-status-{name.split()[0].lower()}")
    tab.goto(make_link("Tess Malloy"))
    tab.goto(get_receipt_path("Tess Malloy"))
    camera.check(tab, "talent-receipt")
    settings.VOICEHUB_TALENT_CODES = True
    page = tab.goto(make_link("Petra Lang"))
    talent_steps.tick_purposes(page)
    page.get_by_role("button", name="Continue to the text").click()
    page.get_by_role("button", name="Mail me the code").click()
    expect(page.get_by_label("Code")).to_be_visible()
    camera.check(tab, "talent-code")
    with tab.allow_status(404):
        tab.goto("/i/no-such-link/")
        camera.check(tab, "talent-dead-link")


def make_link(name: str) -> str:
    consents = Consent.objects.filter(talent__name=name).exclude(status__in=["voided", "replaced"])
    user = User.objects.get(username="paula")
    link = create_private_link(list(consents), user)
    return link[link.index("/i/") :]


def get_receipt_path(name: str) -> str:
    """The receipt of a sent recording, through the newest link of this talent."""
    link = Invitation.objects.filter(talent__name=name).latest("created_at")
    consent = link.consents.filter(status=ConsentStatus.SUBMITTED)[0]
    return reverse("invitation:receipt", args=[link.pk, consent.pk])
