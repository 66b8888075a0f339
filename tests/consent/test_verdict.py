"""The browser's first opinion on a recording uses the codes and thresholds of the server's."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route

from audio.findings.catalog import CODES
from audio.findings.thresholds import THRESHOLDS
from audio.levels.inspect import Limits, inspect
from audio.wav.riff import read_header
from consent.services.takes import TAKE_LIMITS
from tests.support.planted import PLANTED
from tests.support.wav import Samples, pcm, speech_like, wav_bytes

RECORDER = Path(__file__).parents[2] / "static" / "js" / "recorder"
VERDICT = (RECORDER / "verdict.js").read_text()

TOLD = set(re.findall(r'say\("(\w+)"', VERDICT))
SAME = {
    "SILENT_PEAK": THRESHOLDS.silent_peak_dbfs,
    "SILENT_RMS": THRESHOLDS.silent_rms_dbfs,
    "TOO_QUIET": THRESHOLDS.too_quiet_dbfs,
    "CLIPPING_SHARE": THRESHOLDS.clipping_share,
    "CLIPPING_SLIGHT_SHARE": THRESHOLDS.clipping_slight_share,
    "NOISY": THRESHOLDS.noisy_db,
    "TOO_LOUD": THRESHOLDS.too_loud_dbfs,
    "SILENT_SPEECH": THRESHOLDS.silent_speech_seconds,
    "EDGE_SILENCE": THRESHOLDS.edge_silence_seconds,
    "PAUSE": THRESHOLDS.pause_seconds,
}


@pytest.mark.parametrize("name", SAME)
def test_thresholds_are_the_servers(name: str) -> None:
    found = re.search(rf"^const {name} = (.+);$", VERDICT, re.MULTILINE)
    assert found and float(found[1]) == SAME[name]


def test_codes_are_the_servers() -> None:
    assert {"silent", "too_quiet", "clipping", "too_short"} <= TOLD <= set(CODES)


def test_limits_are_the_servers() -> None:
    markup = (Path(__file__).parents[2] / "templates" / "consent" / "_recorder.html").read_text()
    assert f'data-least="{TAKE_LIMITS.min_seconds:g}" data-most="{TAKE_LIMITS.max_seconds:g}"' in markup


RATE = 16000
LIMITS = Limits(2.0, 20.0)
CASES: dict[str, Samples] = {
    "a voice": speech_like(4.0),
    "too short": speech_like(1.0),
    "too long": speech_like(20.5),
    "nothing": np.zeros(RATE * 4),
    "one sample": np.full(1, 0.5),
    "a snippet of silence": np.zeros(100),
    "runs of two and three": np.repeat(speech_like(3.0) * 0.8 / np.abs(speech_like(3.0)).max(), 3)[1:],
    "the lowest sample": np.concatenate((speech_like(3.0), np.full(40, -1.0), speech_like(2.0))),
    "digital silence around": np.concatenate((np.zeros(RATE // 2), speech_like(3.0, room_dbfs=-40.0), np.zeros(RATE))),
    **{name: planted.make(RATE).samples for name, planted in PLANTED.items() if RATE in planted.rates},
}


def servers(samples: Samples) -> tuple[list[str], dict[str, float]]:
    """The codes and measures of the server, as far as the browser has them."""
    found = inspect(io.BytesIO(wav_bytes(samples, rate=RATE)), LIMITS)
    assert found.levels is not None and found.header is not None
    levels = found.levels
    measures = {
        "seconds": found.header.seconds,
        "peak": levels.peak_dbfs,
        "rms": levels.rms_dbfs,
        "clipped": levels.clipped_share,
        "snr": levels.snr_db,
        "speech": levels.speech_seconds,
        "leading": levels.leading_silence,
        "trailing": levels.trailing_silence,
        "pause": max((end - start for start, end in levels.pauses), default=0.0),
    }
    return sorted({one.code for one in found.findings} & TOLD), measures


@pytest.mark.browser
def test_verdicts(open_browser: Callable[..., Browser]) -> None:
    """The page's own code, in a real browser, on samples as the microphone would give them."""
    page = open_browser().new_page()
    page.route("http://recorder.test/**", _serve)
    page.goto("http://recorder.test/")
    seen: set[str] = set()
    for name, samples in CASES.items():
        codes, measures = _found(page, samples)
        expected, exact = servers(samples)
        assert codes == expected, name
        assert measures == pytest.approx(exact, abs=1e-3), name
        seen |= set(codes)
    assert seen == TOLD


def _serve(route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[1]
    if name:
        route.fulfill(body=(RECORDER / name).read_text(), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


def _found(page: Page, samples: Samples) -> tuple[list[str], dict[str, float]]:
    """The codes and measures of the page, after the WAV that it makes was seen to hold these very samples."""
    sent = base64.b64encode(pcm(samples)).decode()
    codes, measures, wav = page.evaluate(
        """async (sent) => {
            const { judge, measure } = await import("/verdict.js");
            const { encodeWav, toInt16 } = await import("/wav.js");
            const bytes = Uint8Array.from(atob(sent), (letter) => letter.charCodeAt(0));
            const heard = Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32768);
            const made = toInt16(heard);
            const wav = new Uint8Array(encodeWav(made, 16000));
            const measures = measure(made, 16000);
            const codes = judge(measures, { least: 2, most: 20 }).map((one) => one.code);
            return [codes.sort(), measures, btoa(wav.reduce((text, byte) => text + String.fromCharCode(byte), ""))];
        }""",
        sent,
    )
    file = io.BytesIO(base64.b64decode(wav))
    header = read_header(file)
    assert (header.sample_rate, file.getvalue()[header.data_offset :]) == (RATE, pcm(samples))
    return codes, measures
