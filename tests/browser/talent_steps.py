"""Steps of a talent who has a private link: open it, record, listen and send."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser import sound
from tests.browser.tab import Tab
from tests.support.sandbox import poll_until

MESSAGE = "[data-part=message]"
ALL_PROVIDERS = re.compile("with all [0-9]+ providers$")


def find_link(text: str) -> str:
    return next(part for part in text.split() if urlsplit(part).path.startswith("/i/"))


def open_statement(tab: Tab, link: str) -> Page:
    page = tab.goto(link)
    continue_to_statement(page)
    return page


def continue_to_statement(page: Page) -> None:
    tick_purposes(page)
    page.get_by_role("button", name=re.compile("^(Continue to the text|Read it again)$")).click()
    expect(page.get_by_role("heading", name="Read this aloud")).to_be_visible()
    page.wait_for_load_state()  # until its scripts handle its forms: before that, the browser submits them itself


def tick_purposes(page: Page) -> None:
    """Tick every purpose on the first page, those of several providers with the tick for all of them."""
    boxes = page.get_by_role("group", name="Tick what you agree to").get_by_role("checkbox")
    for box in [*page.get_by_role("checkbox", name=ALL_PROVIDERS).all(), *boxes.all()]:
        box.check()  # presses only what has no tick yet
    expect(page.get_by_role("link", name="Nothing is ticked yet")).to_be_hidden()


def allow_microphone(page: Page) -> None:
    """Allow the microphone. Recording is disabled during the microphone check."""
    page.get_by_role("button", name="Allow the microphone").click()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_disabled()
    wait_for_microphone(page)


def wait_for_microphone(page: Page) -> None:
    """Later pages of the same tab open the microphone by themselves."""
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_enabled(timeout=60_000)


def record_statement(page: Page, seconds: int = 3) -> str:
    """Record until the recorder's timer shows this many seconds. Return the fingerprint of the recording."""
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("timer")).to_have_text(f"{seconds} s")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("group", name="Your recording")).to_be_visible()
    return page.locator("[data-part=fingerprint]").text_content() or ""


def play_recording(page: Page, speed: float = 4) -> None:
    """Play the recording to its end at this speed. It can be sent only after that. A new one plays by itself."""
    player = page.locator("[data-part=audio]")
    speed_up = "(audio, speed) => { audio.playbackRate = speed; return audio.paused && !audio.ended; }"
    if player.evaluate(speed_up, speed):
        page.get_by_role("group", name="Your recording").get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Send it")).to_be_enabled()
    expect(page.get_by_text("You can send it after you have played it to the end.")).to_be_hidden()
    assert player.evaluate("(audio) => audio.ended && audio.duration > 2")


def send_recording(page: Page) -> None:
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It has arrived.")


def send_file(page: Page, content: bytes) -> None:
    """Send a file instead of a recording. This works with and without the recorder."""
    page.get_by_text("Send a file instead").click()
    page.get_by_label("Audio file").set_input_files(sound.make_upload("me.wav", content))
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It has arrived.")


def wait_for_text(page: Page, text: str) -> None:
    """Reload the page until it shows the text. Talents' pages do not update themselves."""

    def shows_text() -> bool:
        page.reload()
        return page.get_by_text(text).count() > 0

    poll_until(shows_text)
