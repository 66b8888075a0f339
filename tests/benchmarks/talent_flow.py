"""Counts what a consent costs a talent on a phone: `python -m tests.benchmarks.talent_flow`.

It starts a studio, and Chromium with a spoken statement as its microphone, and goes from the private link to the
receipt for one provider and for three. It prints the taps, the seconds without those that the talent speaks and
listens, and the bytes of each page up to its first use. The browser's question about the microphone counts as a tap; a
one-time code does not. Several providers are ticked with the one tick for all of them. It fails if there are more taps
or bytes than the product promises: eight taps, and three for each further provider.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402 - see the line above

from tests.browser import sound, talent_steps  # noqa: E402
from tests.browser.studio import Studio  # noqa: E402
from tests.browser.tab import SIZES  # noqa: E402
from tests.support.browser import INSTALL_HINT, find_chromium, launch_browser  # noqa: E402

PROVIDERS = ("resemble_v2", "audiostack", "speechgen")
MAX_TAPS, MAX_FURTHER_TAPS = 8, 3  # Record, Stop and Send
MAX_PAGE_BYTES = 100_000
STATEMENT_SECONDS = 3
QUESTION_TAPS = 1  # the test browser answers its own question by itself
REPORT_TAPS = "addEventListener('pointerdown', (event) => event.isTrusted && reportTap(), true)"
READ_BYTES = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .reduce((total, entry) => total + entry.transferSize, 0)"""
CREATE_LINK = """
from pathlib import Path
from tests.browser import prepared
Path({file!r}).write_text(prepared.create_link({name!r}, {providers!r}))
"""


@dataclass
class Cost:
    """What one visit of a talent cost."""

    taps: int = QUESTION_TAPS
    seconds: float = 0.0
    bytes_by_page: dict[str, int] = field(default_factory=dict)


def count_tap(cost: Cost) -> None:
    cost.taps += 1


def note_bytes(cost: Cost, name: str, page: Page) -> None:
    cost.bytes_by_page.setdefault(name, int(page.evaluate(READ_BYTES)))


def give_consents(page: Page, link: str, cost: Cost) -> None:
    """All consents of the link, in one sitting. The caches are empty at first."""
    started_at = time.monotonic()
    page.goto(link)
    page.wait_for_load_state("networkidle")
    note_bytes(cost, "first page", page)
    talent_steps.continue_to_statement(page)
    talent_steps.allow_microphone(page)
    spoken = 0.0
    while True:
        talent_steps.wait_for_microphone(page)
        note_bytes(cost, "recorder", page)
        spoken += record_and_send(page)
        if page.get_by_role("heading", level=1).inner_text() != "Read this aloud":
            break
    expect(page.get_by_text("It has arrived.")).to_be_visible()
    note_bytes(cost, "receipt", page)
    cost.seconds = time.monotonic() - started_at - spoken


def record_and_send(page: Page) -> float:
    """Returns the seconds of speaking and listening."""
    talent_steps.record_statement(page, STATEMENT_SECONDS)
    began_at = time.monotonic()
    send = page.get_by_role("button", name="Send it")
    expect(send).to_be_enabled(timeout=30_000)  # it plays by itself
    listened = time.monotonic() - began_at
    with page.expect_navigation():
        send.click()
    return STATEMENT_SECONDS + listened


def measure(studio: Studio, browser: Browser, providers: tuple[str, ...]) -> Cost:
    file = studio.folder.parent / "link.txt"
    name = f"Tao of {len(providers)}"
    studio.run_script(CREATE_LINK.format(file=str(file), name=name, providers=list(providers)))
    link = f"{studio.address}{urlsplit(file.read_text()).path}"
    context, cost = browser.new_context(**SIZES["phone"]), Cost()
    context.expose_function("reportTap", lambda: count_tap(cost))
    context.add_init_script(REPORT_TAPS)
    give_consents(context.new_page(), link, cost)
    context.close()
    return cost


@contextmanager
def start() -> Iterator[tuple[Studio, Browser]]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = find_chromium(playwright)
        assert chromium, INSTALL_HINT
        microphone = sound.write_microphone_file(Path(folder) / "statement.wav")
        studio = Studio(Path(folder) / "data")
        browser = launch_browser(playwright, chromium, microphone)
        try:
            studio.wait_until_ready()
            yield studio, browser
        finally:
            browser.close()
            studio.stop()


def main() -> int:
    with start() as (studio, browser):
        costs = {count: measure(studio, browser, PROVIDERS[:count]) for count in (1, len(PROVIDERS))}
    one = costs[1]
    for count, cost in costs.items():
        print(f"{count} provider(s): {cost.taps} taps, {cost.seconds:.1f} s without speaking and listening")
    further = (costs[len(PROVIDERS)].taps - one.taps) / (len(PROVIDERS) - 1)
    print(f"Each further provider: {further:.1f} taps")
    for count, cost in costs.items():
        sizes = ", ".join(f"{name} {size / 1000:.1f} kB" for name, size in cost.bytes_by_page.items())
        print(f"{count} provider(s): {sizes}")
    is_light = all(size < MAX_PAGE_BYTES for cost in costs.values() for size in cost.bytes_by_page.values())
    return 0 if one.taps <= MAX_TAPS and further <= MAX_FURTHER_TAPS and is_light else 1


if __name__ == "__main__":
    sys.exit(main())
