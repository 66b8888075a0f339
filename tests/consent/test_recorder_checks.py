"""The recorder in the browser checks a take with the codes, limits and thresholds of the server."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route

from audio.findings.catalog import CODES
from audio.findings.thresholds import THRESHOLDS
from audio.levels.inspection import DurationLimits, inspect_file
from audio.wav.riff import read_header
from consent.models import Consent
from consent.recorder_config import build_recorder_config
from tests.support.planted_defects import PLANTED_DEFECTS
from tests.support.wav import Samples, encode_pcm, make_speech_like, make_wav_bytes
from voicehub.models import ThresholdOverride
from voicehub.threshold_overrides import load_take_thresholds

SCRIPTS = Path(__file__).parents[2] / "static" / "js"
CHECKS = (SCRIPTS / "recorder" / "checks.js").read_text()
BROWSER_CODES = set(re.findall(r'(?:warn|block)\("(\w+)"', CHECKS))


def test_recorder_uses_only_finding_codes_of_the_server() -> None:
    assert {"silent", "too_quiet", "clipping", "too_short"} <= BROWSER_CODES <= set(CODES)


@pytest.mark.django_db
@pytest.mark.parametrize("section", ["thresholds", "measuring", "limits"])
def test_recorder_reads_exactly_the_values_that_the_server_passes(section: str) -> None:
    config_names = set(build_recorder_config(Consent(provider="resemble_v2"))[section])
    assert set(re.findall(rf"\b{section}\.(\w+)", CHECKS)) <= config_names
    assert {name for name in config_names if re.search(rf"\b{name}\b", CHECKS)} == config_names


@pytest.mark.django_db
def test_overridden_threshold_reaches_the_recorder() -> None:
    consent = Consent(provider="resemble_v2")
    assert build_recorder_config(consent)["thresholds"]["noisyDb"] == THRESHOLDS.noisy_db
    ThresholdOverride.objects.create(provider="resemble_v2", name="noisy_db", value=22.5, reason="a quiet studio")
    assert build_recorder_config(consent)["thresholds"]["noisyDb"] == 22.5


RATE = 16000
LIMITS = DurationLimits(2.0, 20.0)
CASES: dict[str, Samples] = {
    "a voice": make_speech_like(4.0),
    "too short": make_speech_like(1.0),
    "too long": make_speech_like(20.5),
    "silence": np.zeros(RATE * 4),
    "one sample": np.full(1, 0.5),
    "100 samples of silence": np.zeros(100),
    "runs of two and three equal samples": np.repeat(
        make_speech_like(3.0) * 0.8 / np.abs(make_speech_like(3.0)).max(), 3
    )[1:],
    "run at the lowest sample value": np.concatenate((make_speech_like(3.0), np.full(40, -1.0), make_speech_like(2.0))),
    "long silence before and after": np.concatenate(
        (np.zeros(RATE * 5 // 2), make_speech_like(3.0, room_dbfs=-40.0), np.zeros(RATE * 3))
    ),
    "digital silence before and after": np.concatenate(
        (np.zeros(RATE // 2), make_speech_like(3.0, room_dbfs=-40.0), np.zeros(RATE))
    ),
    **{name: defect.make(RATE).samples for name, defect in PLANTED_DEFECTS.items() if RATE in defect.rates},
}


def check_on_server(samples: Samples) -> tuple[list[str], dict[str, float]]:
    """The server's codes and levels, limited to those that the browser checks too."""
    inspection = inspect_file(
        io.BytesIO(make_wav_bytes(samples, rate=RATE)), LIMITS, load_take_thresholds("resemble_v2")
    )
    assert inspection.levels is not None and inspection.header is not None
    levels = inspection.levels
    measures = {
        "seconds": inspection.header.seconds,
        "peak": levels.peak_dbfs,
        "rms": levels.rms_dbfs,
        "clipped": levels.clipped_share,
        "snr": levels.snr_db,
        "speech": levels.speech_seconds,
        "leading": levels.leading_silence,
        "trailing": levels.trailing_silence,
        "pause": max((end - start for start, end in levels.pauses), default=0.0),
    }
    return sorted({finding.code for finding in inspection.findings} & BROWSER_CODES), measures


@pytest.mark.browser
@pytest.mark.django_db
def test_browser_checks_agree_with_the_server(open_browser: Callable[..., Browser]) -> None:
    """Runs the recorder's code in a real browser, on samples like those of a microphone."""
    config = build_recorder_config(Consent(provider="resemble_v2"))
    config["limits"] = {"minSeconds": LIMITS.min_seconds, "maxSeconds": LIMITS.max_seconds}
    page = open_browser().new_page()
    page.route("http://recorder.test/**", serve_recorder)
    page.goto("http://recorder.test/")
    all_codes: set[str] = set()
    for name, samples in CASES.items():
        codes, levels = check_in_browser(page, samples, config)
        expected_codes, expected_levels = check_on_server(samples)
        assert codes == expected_codes, name
        assert levels == pytest.approx(expected_levels, abs=1e-3), name
        all_codes |= set(codes)
    assert all_codes == BROWSER_CODES


def serve_recorder(route: Route) -> None:
    path = SCRIPTS / urlsplit(route.request.url).path.strip("/")
    if path.is_file():
        route.fulfill(body=path.read_text(), content_type="text/javascript")
    elif path == SCRIPTS:
        route.fulfill(body="<!doctype html>", content_type="text/html")
    else:  # without an answer, an import would wait without end
        route.fulfill(status=404)


def check_in_browser(page: Page, samples: Samples, config: dict[str, Any]) -> tuple[list[str], dict[str, float]]:
    """The recorder's codes and levels. Asserts that the WAV file that it writes holds exactly these samples."""
    codes, levels, wav = page.evaluate(
        """async ({ encoded, config }) => {
            const { checkTake, measureLevels } = await import("/recorder/checks.js");
            const { convertToInt16, encodeWav } = await import("/recorder/wav.js");
            const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
            const samples = Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32768);
            const pcm = convertToInt16(samples);
            const wav = new Uint8Array(encodeWav(pcm, 16000));
            const levels = measureLevels(pcm, 16000, config);
            const codes = checkTake(levels, config).map(({ code }) => code);
            return [codes.sort(), levels, btoa(wav.reduce((text, byte) => text + String.fromCharCode(byte), ""))];
        }""",
        {"encoded": base64.b64encode(encode_pcm(samples)).decode(), "config": config},
    )
    file = io.BytesIO(base64.b64decode(wav))
    header = read_header(file)
    assert (header.sample_rate, file.getvalue()[header.data_offset :]) == (RATE, encode_pcm(samples))
    return codes, levels
