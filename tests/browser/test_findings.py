"""The preflight names the bad recordings of a set. A build without them is ready, and nothing is paid twice."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import sound, staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab

pytestmark = pytest.mark.usefixtures("account")

GOOD_COUNT = 25


def make_set() -> dict[str, bytes]:
    """25 good recordings of one reader, and three bad ones: silent, clipped, and of another reader."""
    files = {}
    for number in range(GOOD_COUNT):
        samples, rate = sound.load_clip(f"slt-0{number % 8 + 1}")
        files[f"good-{number:02}.wav"] = sound.encode_wav(samples[: 2 * rate] * (1 - 0.05 * (number // 8)), rate)
    samples, rate = sound.load_clip("slt-02")
    loud = np.clip(samples[: 3 * rate] * 8, -0.9, 0.9)
    files["bad-clipped.wav"] = sound.encode_wav(loud * 0.5, rate)
    files["bad-silent.wav"] = sound.encode_wav(np.zeros(3 * rate), rate)
    files["bad-speaker.wav"] = sound.read_clip("rms-wrong-speaker")
    return files


def count_billed(studio: Studio) -> Counter[str]:
    return Counter(line["operation"] for line in studio.sandbox.read_ledger())


def test_preflight_names_the_bad_recordings_and_the_build_without_them_is_ready(
    studio: Studio, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab("desktop", "paula")
    talent, _consent = staff_steps.add_approved_talent(tab, "Fay Findings", sound.read_clip("consent-slt"))
    staff_steps.add_voice(tab, talent, "Fay, with three bad")
    files = make_set()
    table = "\n".join(f"{name}|The words of {name}." for name in files)
    staff_steps.upload_files(tab.page, files | {"metadata.csv": table.encode()})

    option = staff_steps.open_build_option(tab.page)
    failures = option.locator(".likely-failures li")
    expect(failures).to_have_count(3, timeout=240_000)
    expect(option).to_contain_text("3 recordings would probably fail and are excluded.")
    for failure, (name, reason) in zip(
        failures.all(),
        {"bad-clipped.wav": "clipped", "bad-silent.wav": "silent", "bad-speaker.wav": "another speaker"}.items(),
        strict=True,
    ):
        expect(failure).to_contain_text(name)
        expect(failure).to_contain_text(reason)

    billed = count_billed(studio)
    staff_steps.start_build(tab)
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    expect(tab.page.get_by_text("1 to 10 of 25")).to_be_visible()
    new = count_billed(studio) - billed
    assert new and set(new.values()) == {1}, "each operation was billed once"
