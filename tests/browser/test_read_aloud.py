"""The notice is read aloud by a voice of the device, in the language of the page, and by no other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

SCRIPT = (Path(__file__).parents[2] / "static" / "js" / "read-aloud.js").read_text(encoding="utf-8")
ADDRESS = "https://notice.test/"
PAGE = """<!doctype html><html lang="de"><title>Notice</title>
<button data-read-aloud aria-controls="facts" data-stop="Stop" hidden>Read</button>
<dl id="facts"><dt>Who asks</dt><dd><p>Northlight
  Voices.</p><p>Your contact is <a href="#">Paula</a>.</p></dd></dl>
<script type="module" src="read-aloud.js"></script></html>"""
# `speech` is what the page has asked the device to say, and with which voice.
SPEECH = """
window.speech = [];
window.voices = [];
const device = new EventTarget();
Object.assign(device, {
  getVoices: () => window.voices,
  speak: (one) => window.speech.push(one),
  cancel: () => (window.speech.length = 0),
});
Object.defineProperty(window, "speechSynthesis", { value: device });
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
window.offer = (voices) => { window.voices = voices; device.dispatchEvent(new Event("voiceschanged")); };
"""


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    def answer(route: Route) -> None:
        is_script = route.request.url.endswith(".js")
        route.fulfill(body=SCRIPT if is_script else PAGE, content_type="text/javascript" if is_script else "text/html")

    page = chrome.new_page()
    page.route(f"{ADDRESS}**", answer)
    page.add_init_script(SPEECH)
    page.goto(ADDRESS)
    yield page
    page.close()


def make_voice(language: str, *, is_local: bool, **values: Any) -> dict[str, Any]:
    return {"lang": language, "localService": is_local, "default": False, **values}


def test_notice_is_read_by_a_local_voice_in_the_language_of_the_page(page: Page) -> None:
    button = page.locator("button")
    expect(button).to_be_hidden()
    page.evaluate("offer", [make_voice("de-DE", is_local=False), make_voice("en-US", is_local=True)])
    expect(button).to_be_hidden()
    voices = [make_voice("de_DE", is_local=True, name="Anna"), make_voice("de-DE", is_local=False)]
    page.evaluate("offer", voices)
    button.click()
    expect(button).to_have_text("Stop")
    spoken = page.evaluate("speech.map((one) => [one.text, one.voice.name, one.lang])")
    texts = ["Who asks", "Northlight Voices.", "Your contact is Paula."]
    assert spoken == [[text, "Anna", "de_DE"] for text in texts]
    page.evaluate("speech.at(-1).onend()")
    expect(button).to_have_text("Read")


def test_reading_stops_when_it_is_asked_to(page: Page) -> None:
    page.evaluate("offer", [make_voice("de", is_local=True)])
    page.locator("button").click()
    page.locator("button").click()
    expect(page.locator("button")).to_have_text("Read")
    assert page.evaluate("speech") == []
