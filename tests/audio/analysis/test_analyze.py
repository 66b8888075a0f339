"""Audio analysis: its measures, the defects that the level check cannot find, and its work without the VAD model."""

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.analysis.analyze import Analysis, analyze_recording
from audio.analysis.measures import MEANINGS
from audio.findings.thresholds import THRESHOLDS
from audio.levels.inspection import DurationLimits, inspect_file
from audio.networks import vad
from audio.networks.speech_spans import measure_noise_and_speech
from audio.networks.vad import Speech
from audio.networks.weights import MissingModel
from audio.wav.riff import ALLOWED_RATES, WavRefused, read_header
from tests.support.clips import join_clips, load_speech_clips, make_room_noise, simulate_recording
from tests.support.degradations import add_white_noise
from tests.support.planted_defects import find_loudest_moment, load_voice_at_rate
from tests.support.wav import Samples, encode_pcm, make_speech_like, make_wav_bytes, make_white_noise

RATE = 16000


def analyze_samples(samples: Samples, rate: int = RATE, **options: Any) -> Analysis:
    file = io.BytesIO(make_wav_bytes(samples, rate=rate))
    return analyze_recording(file, read_header(file), **options)


def list_codes(analysis: Analysis) -> set[str]:
    return {finding.code for finding in analysis.findings}


def test_measures_serialize_to_json_and_have_meanings() -> None:
    measures = analyze_samples(load_voice_at_rate(RATE), transcript="Good morning, and welcome aboard.").measures
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures
    assert measures.keys() == MEANINGS.keys()
    assert None not in measures.values()


@pytest.mark.parametrize(
    "samples", [np.zeros(3 * RATE), np.zeros(1), make_white_noise(3.0, -30.0), load_voice_at_rate(RATE)[:2000]]
)
def test_unmeasurable_values_are_none(samples: Samples) -> None:
    measures = analyze_samples(samples, transcript="Good morning.").measures
    json.dumps(measures, allow_nan=False)
    assert measures["speech_seconds"] < 0.2
    assert measures["reverberation_seconds"] is None
    assert (measures["snr_db"] is None) == (measures["speech_seconds"] == 0.0)


def test_measures_of_a_clean_voice_match_the_manifest() -> None:
    measures = analyze_samples(load_voice_at_rate(RATE)).measures
    assert measures["lufs"] == pytest.approx(-20.6, abs=0.5)
    assert measures["rms_dbfs"] == pytest.approx(-20.0, abs=0.1)
    assert measures["noise_floor_dbfs"] == pytest.approx(-66.0, abs=1.0)
    assert measures["snr_db"] == pytest.approx(46.0, abs=1.5)
    assert measures["speech_share"] > 0.8
    assert measures["missing"] == []


@pytest.mark.parametrize("name", ["slt-02", "slt-06", "rms-03", "consent-awb"])
@pytest.mark.parametrize("snr_db", [5.0, 12.0, 20.0, 28.0])
def test_measured_snr_is_that_of_the_added_noise(name: str, snr_db: float) -> None:
    noisy_samples = add_white_noise(load_voice_at_rate(RATE, name).astype(np.float32), snr_db)
    assert analyze_samples(noisy_samples.astype(np.float64)).measures["snr_db"] == pytest.approx(snr_db, abs=2.0)


def test_noise_is_measured_outside_the_speech_spans() -> None:
    powers = np.full(500, 1e-2)
    powers[100:200] = 1e-8
    powers[:20] = powers[-20:] = 1e-5
    assert measure_noise_and_speech(powers, Speech(((0.4, 9.6),), 10.0)) == pytest.approx(
        (1e-5, 360 / 460 * 1e-2), rel=1e-3
    )
    assert measure_noise_and_speech(powers, Speech(((0.1, 9.95),), 10.0))[0] == pytest.approx(1e-8)


def test_pause_in_varying_noise_is_found_where_levels_cannot_show_it() -> None:
    first, second = load_voice_at_rate(RATE, "slt-02"), load_voice_at_rate(RATE, "slt-04")
    cut_at = find_loudest_moment(first, RATE, 3.5)
    resume_at = find_loudest_moment(second, RATE, 0.5)
    mixed = np.concatenate((first[:cut_at], make_room_noise(2.0), second[resume_at:]))
    envelope = np.repeat(np.tile([0.33, 1.0], 1 + len(mixed) // RATE), RATE // 2)[: len(mixed)]
    mixed += make_white_noise(len(mixed) / RATE, -32.0) * envelope
    file = io.BytesIO(make_wav_bytes(mixed))
    assert "long_pause" not in {finding.code for finding in inspect_file(file, DurationLimits(0.0, 1e9)).findings}
    findings = analyze_recording(file, read_header(file)).findings
    (pause,) = [finding for finding in findings if finding.code == "long_pause"]
    assert pause.at == pytest.approx(cut_at / RATE, abs=0.3)


def test_noise_bursts_are_not_speech() -> None:
    """The level of noise bursts varies like that of a voice, so only the model can distinguish them from speech."""
    bursts = make_white_noise(4.0, -20.0) * np.repeat(np.tile([1.0, 0.003], 8), RATE // 4)
    assert "no_speech" in list_codes(analyze_samples(bursts))


def test_speaking_rate_excludes_silence_at_both_ends() -> None:
    transcript = "Good morning and welcome aboard breakfast is served in the dining car until half past nine"
    samples = np.concatenate((make_room_noise(0.8), load_voice_at_rate(RATE), make_room_noise(0.7)))
    measures = analyze_samples(samples, transcript=transcript).measures
    spoken_seconds = len(samples) / RATE - measures["leading_silence_seconds"] - measures["trailing_silence_seconds"]
    assert spoken_seconds == pytest.approx(len(load_voice_at_rate(RATE)) / RATE - 0.3, abs=0.25)
    assert measures["words_per_minute"] == pytest.approx(16 * 60 / spoken_seconds, abs=0.1)
    assert 3.0 < measures["syllables_per_second"] < 6.0
    assert analyze_samples(samples).measures["words_per_minute"] is None


def test_missing_vad_model_is_reported_and_levels_are_used_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "load_silero", lambda: MissingModel("silero-vad is not installed."))
    analysis = analyze_samples(load_voice_at_rate(RATE))
    assert analysis.measures["missing"] == ["silero-vad is not installed."]
    assert analysis.findings == ()
    levels = inspect_file(io.BytesIO(make_wav_bytes(load_voice_at_rate(RATE)))).levels
    assert levels is not None
    assert analysis.measures["speech_seconds"] == levels.speech_seconds
    assert analysis.measures["snr_db"] == pytest.approx(levels.snr_db, abs=1e-3)


def test_thresholds_can_be_overridden() -> None:
    samples = join_clips(load_speech_clips()["slt-01"], load_speech_clips()["slt-02"])
    strict = THRESHOLDS.with_overrides({"pause_seconds": 0.5, "reverberation_seconds": 0.1, "noise_heard_db": 60.0})
    assert list_codes(analyze_samples(samples)) == set()
    assert list_codes(analyze_samples(samples, thresholds=strict)) == {"long_pause", "reverberant", "noise_heard"}


def test_analysis_includes_fine_peaks_and_speech_segments() -> None:
    analysis = analyze_samples(simulate_recording(load_speech_clips()["slt-01"], 48000), 48000)
    assert len(analysis.fine_peaks) == 2 * 278
    assert [list(span) for span in analysis.speech.segments] == analysis.measures["speech_spans"]


@given(
    st.lists(st.tuples(st.integers(-32768, 32767), st.integers(1, 3000)), min_size=1, max_size=12),
    st.sampled_from(ALLOWED_RATES),
    st.integers(0, 3000),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("error")
def test_any_samples_can_be_analyzed(runs: list[tuple[int, int]], rate: int, loudness: int) -> None:
    steps = np.repeat([value for value, _ in runs], [count for _, count in runs]) / 32768
    added_noise = np.random.default_rng(loudness).standard_normal(len(steps)) * loudness / 32768
    json.dumps(analyze_samples(np.clip(steps + added_noise, -1, 1), rate, transcript="Hm.").measures, allow_nan=False)


def test_file_truncated_after_header_is_read_is_refused() -> None:
    file = io.BytesIO(make_wav_bytes(load_voice_at_rate(RATE)))
    header = read_header(file)
    file.truncate(50_000)
    with pytest.raises(WavRefused):
        analyze_recording(file, header)


def measure_peak_memory(path: Path, seconds: int) -> int:
    block = encode_pcm(make_speech_like(1.0, 8000))
    size = len(block) * seconds
    with path.open("wb") as out:
        out.write(make_wav_bytes(data=b"", rate=8000, data_size=size, riff_size=size + 36))
        for _ in range(seconds):
            out.write(block)
    tracemalloc.start()
    with path.open("rb") as file:
        analyze_recording(file, read_header(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    short, long = measure_peak_memory(tmp_path / "70s.wav", 70), measure_peak_memory(tmp_path / "700s.wav", 700)
    assert long < short * 1.2
    assert long < 20_000_000
