"""Each sound defect is found at the time where it was added. Clean voices give no findings."""

import io
from typing import Any

import pytest

from audio.analysis.analyze import Analysis, analyze_recording
from audio.findings import catalog_sound
from audio.findings.findings import Finding, Severity
from audio.levels.inspection import DurationLimits, inspect_file
from audio.wav.riff import read_header
from tests.support.clips import RATES, build_clean_clips, simulate_recording
from tests.support.planted_defects import NARROW_RATES, PLANTED_DEFECTS, PlantedDefect, SoundWithDefect
from tests.support.wav import Samples, make_wav_bytes

ANY_LENGTH = DurationLimits(0.0, 1e9)
MAX_DEVIATION_SECONDS = 0.05
TELEPHONE_CODES = frozenset({"telephone_band"})
CASES = [(name, rate) for name, defect in PLANTED_DEFECTS.items() for rate in defect.rates]
CHEAP_CASES = [(name, rate) for name, rate in CASES if PLANTED_DEFECTS[name].found_by_inspection]


def analyze_samples(samples: Samples, rate: int, **options: Any) -> Analysis:
    file = io.BytesIO(make_wav_bytes(samples, rate=rate))
    return analyze_recording(file, read_header(file), **options)


def check_findings(defect: PlantedDefect, sound: SoundWithDefect, rate: int, findings: tuple[Finding, ...]) -> None:
    by_code = {finding.code: finding for finding in findings}
    assert defect.code in by_code
    assert set(by_code) - {defect.code} <= defect.allowed_codes | (
        TELEPHONE_CODES if rate in NARROW_RATES else frozenset()
    )
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    at = by_code[defect.code].at
    assert (
        at == sound.defect_at
        if sound.defect_at is None
        else at == pytest.approx(sound.defect_at, abs=MAX_DEVIATION_SECONDS)
    )


@pytest.mark.parametrize(("name", "rate"), CASES)
def test_analysis_finds_the_defect_at_its_time(name: str, rate: int) -> None:
    sound = PLANTED_DEFECTS[name].make(rate)
    check_findings(PLANTED_DEFECTS[name], sound, rate, analyze_samples(sound.samples, rate).findings)


@pytest.mark.parametrize(("name", "rate"), CHEAP_CASES)
def test_inspection_finds_the_defect_at_its_time(name: str, rate: int) -> None:
    sound = PLANTED_DEFECTS[name].make(rate)
    check_findings(
        PLANTED_DEFECTS[name],
        sound,
        rate,
        inspect_file(io.BytesIO(make_wav_bytes(sound.samples, rate=rate)), ANY_LENGTH).findings,
    )


def test_every_code_of_a_sound_finding_has_a_planted_defect() -> None:
    assert {defect.code for defect in PLANTED_DEFECTS.values()} == set(catalog_sound.CODES)


def test_set_of_clean_clips_is_large_and_has_several_voices() -> None:
    assert len(build_clean_clips()) >= 60
    assert {name[:3] for name in build_clean_clips()} >= {"slt", "rms", "con"}


@pytest.mark.parametrize("rate", RATES)
def test_clean_voices_have_no_findings(rate: int) -> None:
    expected = [] if rate not in NARROW_RATES else ["telephone_band"]
    for number, (name, clip) in enumerate(build_clean_clips().items()):
        data = make_wav_bytes(simulate_recording(clip, rate), rate=rate)
        codes = [finding.code for finding in inspect_file(io.BytesIO(data), ANY_LENGTH).findings]
        assert codes == expected, name
        # The analysis takes fifty times as long as the inspection, so each clip is analyzed at one rate only.
        if number % len(RATES) == RATES.index(rate):
            analysis = analyze_recording(io.BytesIO(data), read_header(io.BytesIO(data)))
            assert [finding.code for finding in analysis.findings] == expected, name
