"""A tab of the browser that writes down every trouble of the pages it visits, and looks at them on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from tests.browser.studio import Studio

DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SIZES: dict[str, dict[str, Any]] = {"desk": DESK, "phone": PHONE}

TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`The content policy refused ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
AXE = "async (options) => (await axe.run(document, options)).violations"
# Nothing is on its way into the page, and nothing fades; what turns for ever may go on turning.
AT_REST = """() => !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")
  && document.getAnimations().every((one) =>
    one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""
# htmx tells of a request that failed, as of one that was let go with its page; `_failed` knows which it was.
LET_GO = ("htmx:afterRequest,", "htmx:sendAbort,", "htmx:sendError,")
# axe would copy the styles of a shadow root into a <style> of its own, which our content policy refuses.
EVERYTHING: dict[str, Any] = {"preload": False}
# All that can differ between the schemes.
COLOURS = EVERYTHING | {"runOnly": ["color-contrast"]}

Seen = set[tuple[str, int]]


class Tab:
    """`seen` holds what was looked at before, by name and width: looking closely takes most of a second."""

    def __init__(self, studio: Studio, context: BrowserContext, seen: Seen) -> None:
        self.studio = studio
        self.context = context
        self.troubles: list[str] = []
        self._seen = seen
        self._refusals: set[int] = set()
        context.add_init_script(TELL_VIOLATIONS)
        self.page = self._opened()

    def _opened(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        page.on("response", lambda response: self._answered(response.url, response.status))
        return page

    def _said(self, kind: str, text: str) -> None:
        expected = any(f"status of {status}" in text for status in self._refusals) or text.startswith(LET_GO)
        if kind in {"error", "warning"} and not expected:
            self.troubles.append(f"{self.page.url}: {kind}: {text}")

    def _failed(self, address: str, failure: str) -> None:
        # A page that is left, and a player that knows enough, let go of what they were fetching.
        if failure != "net::ERR_ABORTED":
            self.troubles.append(f"{address}: {failure}")

    def _answered(self, address: str, status: int) -> None:
        if status >= 400 and status not in self._refusals:
            self.troubles.append(f"{address}: answered {status}")

    @contextmanager
    def refused(self, status: int) -> Iterator[None]:
        """Within this, an answer with this status is what the test wants."""
        self._refusals.add(status)
        yield
        self._refusals.discard(status)

    @contextmanager
    def as_guest(self) -> Iterator["Tab"]:
        """A tab of a person who is not signed in, watched as this one is."""
        assert self.context.browser
        context = self.context.browser.new_context(viewport=self.page.viewport_size, reduced_motion="reduce")
        guest = Tab(self.studio, context, self._seen)
        yield guest
        self.troubles += guest.troubles
        context.close()

    def go(self, path: str) -> Page:
        self.page.goto(path if path.startswith("http") else f"{self.studio.address}{path}")
        return self.page

    def close_and_open_again(self) -> Page:
        """As somebody who closes the tab and comes back later with the same browser."""
        self.page.close(run_before_unload=False)
        self.page = self._opened()
        return self.page

    def look(self, name: str) -> None:
        """Look at the page as it is: nothing beside it, nothing that keeps somebody out, by day and by night."""
        self.page.wait_for_load_state()
        size = self.page.viewport_size
        assert size
        wide = self.page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= size["width"], f"{name} is {wide} wide where {size['width']} fit: {self._sticking_out()}"
        if (name, size["width"]) in self._seen:
            return
        self._seen.add((name, size["width"]))
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        for scheme, options in (("dark", COLOURS), ("light", EVERYTHING)):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of its words
            self.page.wait_for_function(AT_REST)
            self._complain(f"{name}, {scheme}", self.page.evaluate(AXE, options))

    def _sticking_out(self) -> Any:
        return self.page.evaluate(
            """() => [...document.querySelectorAll("body *")]
              .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
              .slice(0, 5).map((one) => `${one.tagName}.${one.className}`)"""
        )

    def _complain(self, where: str, violations: list[dict[str, Any]]) -> None:
        for one in violations:
            nodes = "; ".join(f"{node['target']} {node['failureSummary']}" for node in one["nodes"][:3])
            self.troubles.append(f"{where} at {self.page.url}: {one['id']}: {one['help']}: {nodes}")
