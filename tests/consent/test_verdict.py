"""The browser's first opinion on a recording uses the codes and thresholds of the server's."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route

from consent.services.takes import TAKE_LIMITS
from tests.support.wav import Samples, noise, pcm, speech_like
from voicehub.audio.codes import CODES
from voicehub.audio.riff import read_header
from voicehub.audio.thresholds import THRESHOLDS

RECORDER = Path(__file__).parents[2] / "static" / "js" / "recorder"
VERDICT = (RECORDER / "verdict.js").read_text()

SAME = {
    "SILENT_PEAK": THRESHOLDS.silent_peak_dbfs,
    "SILENT_RMS": THRESHOLDS.silent_rms_dbfs,
    "TOO_QUIET": THRESHOLDS.too_quiet_dbfs,
    "CLIPPING_SHARE": THRESHOLDS.clipping_share,
    "CLIPPING_SLIGHT_SHARE": THRESHOLDS.clipping_slight_share,
    "NOISY": THRESHOLDS.noisy_db,
}


@pytest.mark.parametrize("name", SAME)
def test_thresholds_are_the_servers(name: str) -> None:
    found = re.search(rf"^const {name} = (.+);$", VERDICT, re.MULTILINE)
    assert found and float(found[1]) == SAME[name]


def test_codes_are_the_servers() -> None:
    codes = set(re.findall(r'say\("(\w+)"', VERDICT))
    assert {"silent", "too_quiet", "clipping", "too_short"} <= codes <= set(CODES)


def test_limits_are_the_servers() -> None:
    markup = (Path(__file__).parents[2] / "templates" / "consent" / "_recorder.html").read_text()
    assert f'data-least="{TAKE_LIMITS.min_seconds:g}" data-most="{TAKE_LIMITS.max_seconds:g}"' in markup


RATE = 16000
LOUD = np.clip(speech_like(4.0, rms_dbfs=-12.0) * 4, -1, 1)
CASES: dict[str, tuple[Samples, set[str]]] = {
    "a voice": (speech_like(4.0), set()),
    "silence": (np.zeros(RATE * 4), {"silent"}),
    "a quiet room": (noise(4.0, -70.0), {"silent"}),
    "too short": (speech_like(1.0), {"too_short"}),
    "too quiet": (speech_like(4.0, rms_dbfs=-40.0, room_dbfs=-90.0), {"too_quiet"}),
    "too loud": (LOUD, {"clipping"}),
    "noisy": (speech_like(4.0) + noise(4.0, -24.0), {"noisy"}),
}


@pytest.mark.browser
def test_verdicts(open_browser: Callable[..., Browser]) -> None:
    """The page's own code, in a real browser, on samples as the microphone would give them."""
    page = open_browser().new_page()
    page.route("http://recorder.test/**", _serve)
    page.goto("http://recorder.test/")
    expected = {name: codes for name, (_samples, codes) in CASES.items()}
    assert {name: _codes(page, samples) for name, (samples, _codes_) in CASES.items()} == expected


def _serve(route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[1]
    if name:
        route.fulfill(body=(RECORDER / name).read_text(), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


def _codes(page: Page, samples: Samples) -> set[str]:
    """What the page finds, after the WAV that it makes was seen to hold these very samples."""
    sent = base64.b64encode(pcm(samples)).decode()
    codes, wav = page.evaluate(
        """async (sent) => {
            const { judge, measure } = await import("/verdict.js");
            const { encodeWav, toInt16 } = await import("/wav.js");
            const bytes = Uint8Array.from(atob(sent), (letter) => letter.charCodeAt(0));
            const heard = Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32768);
            const made = toInt16(heard);
            const wav = new Uint8Array(encodeWav(made, 16000));
            const codes = judge(measure(made, 16000), { least: 2, most: 120 }).map((one) => one.code);
            return [codes, btoa(wav.reduce((text, byte) => text + String.fromCharCode(byte), ""))];
        }""",
        sent,
    )
    file = io.BytesIO(base64.b64decode(wav))
    header = read_header(file)
    assert (header.sample_rate, file.getvalue()[header.data_offset :]) == (RATE, pcm(samples))
    return set(codes)
