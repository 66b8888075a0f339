"""A browser tab that records every problem of the pages it opens and checks their layout and accessibility."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from tests.browser.studio import Studio

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SIZES: dict[str, dict[str, Any]] = {"desktop": DESKTOP, "phone": PHONE}

REPORT_CSP_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`The content policy refused ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
AXE = "async (options) => (await axe.run(document, options)).violations"
# axe cannot judge the contrast of text behind a bar that stays at the end of the window.
MOVE_BARS_SCRIPT = """(position) => {
  for (const bar of document.querySelectorAll(".act, .vh-decide")) bar.style.position = position;
}"""
# True when no htmx request is under way and no animation runs. Endless animations are ignored.
IS_IDLE_SCRIPT = """() => !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")
  && document.getAnimations().every((animation) =>
    animation.playState !== "running" || animation.effect.getComputedTiming().iterations === Infinity)"""
# htmx also reports requests that the browser canceled because a page was left. `_record_failed_request` records real
# failures.
HTMX_REPORTS = ("htmx:afterRequest,", "htmx:sendAbort,", "htmx:sendError,")
# With preload, axe copies the styles of a shadow root into a <style>, which VoiceHub's content policy blocks.
# It describes only what it reports: passed rules have many elements.
ALL_RULES: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
# The only rule whose result differs between the color schemes.
COLOR_CONTRAST = ALL_RULES | {"runOnly": ["color-contrast"]}

CheckedPages = set[tuple[str, int]]


class Tab:
    """`checked_pages` has the name and width of pages that were checked before. Each check takes most of a second."""

    def __init__(self, studio: Studio, context: BrowserContext, checked_pages: CheckedPages) -> None:
        self.studio = studio
        self.context = context
        self.problems: list[str] = []
        self._checked_pages = checked_pages
        self._allowed_statuses: set[int] = set()
        context.add_init_script(REPORT_CSP_VIOLATIONS)
        self.page = self._open_page()

    def _open_page(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self._record_console_message(message.type, message.text))
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("requestfailed", lambda request: self._record_failed_request(request.url, request.failure or ""))
        page.on("response", lambda response: self._record_response(response.url, response.status))
        return page

    def _record_console_message(self, kind: str, text: str) -> None:
        reports = ("status of {}", "Status Error Code {}")  # of the browser and of htmx
        is_allowed = any(one.format(status) in text for one in reports for status in self._allowed_statuses)
        is_expected = is_allowed or text.startswith(HTMX_REPORTS)
        if kind in {"error", "warning"} and not is_expected:
            self.problems.append(f"{self.page.url}: {kind}: {text}")

    def _record_failed_request(self, address: str, failure: str) -> None:
        # The browser cancels requests when a page is left or a player has enough data.
        if failure != "net::ERR_ABORTED":
            self.problems.append(f"{address}: {failure}")

    def _record_response(self, address: str, status: int) -> None:
        if status >= 400 and status not in self._allowed_statuses:
            self.problems.append(f"{address}: status {status}")

    @contextmanager
    def allow_status(self, status: int) -> Iterator[None]:
        """Inside this block, the test expects responses with this status."""
        self._allowed_statuses.add(status)
        yield
        self._allowed_statuses.discard(status)

    @contextmanager
    def go_offline(self) -> Iterator[None]:
        """Inside this block, the browser has no connection."""
        self.context.set_offline(True)
        yield
        self.context.set_offline(False)
        self.problems[:] = [problem for problem in self.problems if "ERR_INTERNET_DISCONNECTED" not in problem]

    @contextmanager
    def open_guest_tab(self) -> Iterator["Tab"]:
        """A tab of a person who is not signed in. Its problems count as problems of this tab."""
        assert self.context.browser
        context = self.context.browser.new_context(viewport=self.page.viewport_size, reduced_motion="reduce")
        guest_tab = Tab(self.studio, context, self._checked_pages)
        yield guest_tab
        self.problems += guest_tab.problems
        context.close()

    def goto(self, path: str) -> Page:
        self.page.goto(path if path.startswith("http") else f"{self.studio.address}{path}")
        return self.page

    def reopen(self) -> Page:
        """Close the tab and open a new one in the same browser, as a user who comes back later."""
        self.page.close(run_before_unload=False)
        self.page = self._open_page()
        return self.page

    def check_page(self, name: str) -> None:
        """Check that the page fits the width and that axe finds no violation in the light and the dark scheme."""
        self.page.wait_for_load_state()
        size = self.page.viewport_size
        assert size
        page_width = self.page.evaluate("document.scrollingElement.scrollWidth")
        fits = page_width <= size["width"]
        assert fits, f"{name} is {page_width} px wide, not {size['width']} px: {self._find_overflowing_elements()}"
        if (name, size["width"]) in self._checked_pages:
            return
        self._checked_pages.add((name, size["width"]))
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        self.page.evaluate(MOVE_BARS_SCRIPT, "static")
        for scheme, options in (("dark", COLOR_CONTRAST), ("light", ALL_RULES)):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a valid scheme
            self.page.wait_for_function(IS_IDLE_SCRIPT)
            self._record_violations(f"{name}, {scheme}", self.page.evaluate(AXE, options))
        self.page.evaluate(MOVE_BARS_SCRIPT, "")

    def _find_overflowing_elements(self) -> Any:
        return self.page.evaluate(
            """() => [...document.querySelectorAll("body *")]
              .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
              .slice(0, 5).map((one) => `${one.tagName}.${one.className}`)"""
        )

    def _record_violations(self, where: str, violations: list[dict[str, Any]]) -> None:
        for violation in violations:
            nodes = "; ".join(f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:3])
            self.problems.append(f"{where} at {self.page.url}: {violation['id']}: {violation['help']}: {nodes}")
