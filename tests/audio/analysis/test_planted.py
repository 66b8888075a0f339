"""Each defect of sound is found where it was put, and clean voices are left alone."""

import io
from typing import Any

import pytest

from audio.analysis.analyze import Analysis, analyze_recording
from audio.findings import catalog_sound
from audio.findings.findings import Finding, Severity
from audio.levels.inspection import DurationLimits, inspect_file
from audio.wav.riff import read_header
from tests.support.clips import RATES, clean, recorded
from tests.support.planted import NARROW, PLANTED, Planted, Sound
from tests.support.wav import Samples, wav_bytes

ANY_LENGTH = DurationLimits(0.0, 1e9)
EXACT = 0.05
TELEPHONE = frozenset({"telephone_band"})
EVERY = [(name, rate) for name, planted in PLANTED.items() for rate in planted.rates]
CHEAP = [(name, rate) for name, rate in EVERY if PLANTED[name].cheap]


def examined(samples: Samples, rate: int, **more: Any) -> Analysis:
    file = io.BytesIO(wav_bytes(samples, rate=rate))
    return analyze_recording(file, read_header(file), **more)


def check(planted: Planted, made: Sound, rate: int, findings: tuple[Finding, ...]) -> None:
    found = {one.code: one for one in findings}
    assert planted.code in found
    assert set(found) - {planted.code} <= planted.also | (TELEPHONE if rate in NARROW else frozenset())
    assert {one.severity for one in findings} == {Severity.WARNING}
    at = found[planted.code].at
    assert at == made.at if made.at is None else at == pytest.approx(made.at, abs=EXACT)


@pytest.mark.parametrize(("name", "rate"), EVERY)
def test_deep_look_finds_the_defect_at_its_time(name: str, rate: int) -> None:
    made = PLANTED[name].make(rate)
    check(PLANTED[name], made, rate, examined(made.samples, rate).findings)


@pytest.mark.parametrize(("name", "rate"), CHEAP)
def test_first_look_finds_the_defect_at_its_time(name: str, rate: int) -> None:
    made = PLANTED[name].make(rate)
    check(PLANTED[name], made, rate, inspect_file(io.BytesIO(wav_bytes(made.samples, rate=rate)), ANY_LENGTH).findings)


def test_every_code_of_sound_is_planted() -> None:
    assert {planted.code for planted in PLANTED.values()} == set(catalog_sound.CODES)


def test_control_set_is_large_and_of_several_voices() -> None:
    assert len(clean()) >= 60
    assert {name[:3] for name in clean()} >= {"slt", "rms", "con"}


@pytest.mark.parametrize("rate", RATES)
def test_nothing_is_found_in_clean_voices(rate: int) -> None:
    expected = [] if rate not in NARROW else ["telephone_band"]
    for number, (name, clip) in enumerate(clean().items()):
        data = wav_bytes(recorded(clip, rate), rate=rate)
        found = [one.code for one in inspect_file(io.BytesIO(data), ANY_LENGTH).findings]
        assert found == expected, name
        # The deep look takes fifty times as long: every clip gets it at one rate, every rate from a fifth of them.
        if number % len(RATES) == RATES.index(rate):
            deep = analyze_recording(io.BytesIO(data), read_header(io.BytesIO(data)))
            assert [one.code for one in deep.findings] == expected, name
