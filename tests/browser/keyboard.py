"""A person at the keyboard: every step is a key, and at each one the focus must be visible and on the page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.processes import wait_for

LONGEST_WAY = 300  # presses of Tab to an element of one page
# Looks at the focus. What shows it must differ from what the element shows once the focus has left it.
LOOK_AT_FOCUS = """(target) => {
  const describe = (one) => one.outerHTML.slice(0, 120);
  const look = (one) => {
    const near = [one, one.parentElement, one.nextElementSibling, one.closest("label"), one.closest("tr")];
    return near.filter(Boolean).map((part) => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(part);
      return outlineStyle === "none" ? boxShadow : [outlineWidth, outlineColor, boxShadow].join();
    }).join(";");
  };
  const one = document.activeElement;
  const problems = [];
  const before = window.focusBefore;
  if (before && before.one !== one && before.one.isConnected && look(before.one) === before.look) {
    problems.push(`nothing shows the focus of ${describe(before.one)}`);
  }
  // The browser itself shows the focus inside a frame (the viewer of a PDF) and on the calendar button of a date field.
  // The content of the page is not a control: a person reads on from there.
  window.focusBefore = one.matches(":focus:not(iframe, main)") ? { one, look: look(one) } : null;
  if (one !== document.body) {
    const { top, bottom, left, right, width, height } = one.getBoundingClientRect();
    const isInView = width > 0 && height > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    if (!isInView) problems.push(`out of view: ${describe(one)}`);
    if (one.tabIndex > 0) problems.push(`has a place of its own in the order: ${describe(one)}`);
  }
  // While the focus moves through a frame, the page around it has none.
  const isLost = one === document.body && !document.querySelector("iframe");
  return { one: describe(one), isThere: one === target, isLost, isGone: !target.isConnected, problems };
}"""


class Keyboard:
    """The keyboard of a page. Nothing here clicks, focuses an element or changes the page in another way."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def skip_to_content(self) -> None:
        """Take the first link of the page, past the navigation."""
        self.go_to(self.page.get_by_role("link", name="Skip to the content"))
        self.press("Enter")
        expect(self.page.locator("#content")).to_be_focused()

    def go_to(self, target: Locator, key: str = "Tab") -> None:
        """Press Tab until the target has the focus, looking at the focus at each stop."""
        expect(target).to_be_visible()
        handle = target.element_handle()
        times_lost, trail = 0, []
        for _ in range(LONGEST_WAY):
            self.press(key)
            seen: dict[str, Any] = self.page.evaluate(LOOK_AT_FOCUS, handle)
            assert not seen["problems"], f"{self.page.url}: {seen['problems']}"
            if seen["isThere"]:
                return
            trail.append(seen["one"])
            times_lost += seen["isLost"]
            assert times_lost <= 1, (
                f"{self.page.url}: no element has the focus after {trail}"
            )  # once at the end of the page
            if seen["isGone"]:
                handle = target.element_handle()
        raise AssertionError(f"{target} cannot be reached with {key}")

    def activate(self, target: Locator) -> None:
        """Go to a link or button, and press Enter."""
        self.go_to(target)
        self.press("Enter")

    def fill(self, target: Locator, text: str) -> None:
        self.go_to(target)
        self.type(text)

    def check(self, target: Locator) -> None:
        self.go_to(target)
        self.press("Space")
        expect(target).to_be_checked()

    def choose(self, target: Locator, text: str) -> None:
        """Type the start of an option, which selects it."""
        self.go_to(target)
        self.type(text)
        assert target.evaluate("(one) => one.selectedOptions[0].textContent.trim()").startswith(text)

    def choose_files(self, target: Locator, files: list[FilePayload] | list[Path], key: str = "Tab") -> None:
        """Open the dialog of a file field. The dialog belongs to the system, so the driver answers it."""
        self.page.wait_for_load_state()  # until the scripts of the page handle its fields
        self.go_to(target, key)
        self.check_focus(target)
        with self.page.expect_file_chooser() as chooser:
            self.press("Space")
        chooser.value.set_files(files)
        self.check_focus(target)

    def check_focus(self, target: Locator) -> None:
        """The target has the focus, or gets it within a moment."""
        expect(target).to_be_focused()

    def check_focus_is_kept(self) -> None:
        """The focus is on an element of the page, not lost to its start."""
        self.page.wait_for_function("() => document.activeElement !== document.body")

    def wait_while_focused(self, target: Locator, shown: Locator) -> None:
        """The target has the focus, or gets it back within a moment of each replacement, until the page shows this."""

        def is_shown() -> bool:
            self.check_focus(target)
            return shown.is_visible()

        wait_for(is_shown, lambda: f"{shown} at {self.page.url}")
