"""The deep look: its measures, what it knows better than the first look, and what it does without the model."""

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
from tests.support.clips import joined, recorded, room, spoken
from tests.support.planted import loud_place, voice
from tests.support.wav import Samples, noise, pcm, speech_like, wav_bytes
from tests.support.worse import noisy

RATE = 16000


def examined(samples: Samples, rate: int = RATE, **more: Any) -> Analysis:
    file = io.BytesIO(wav_bytes(samples, rate=rate))
    return analyze_recording(file, read_header(file), **more)


def codes(found: Analysis) -> set[str]:
    return {one.code for one in found.findings}


def test_measures_can_be_stored_and_each_has_its_meaning() -> None:
    measures = examined(voice(RATE), transcript="Good morning, and welcome aboard.").measures
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures
    assert measures.keys() == MEANINGS.keys()
    assert None not in measures.values()


@pytest.mark.parametrize("samples", [np.zeros(3 * RATE), np.zeros(1), noise(3.0, -30.0), voice(RATE)[:2000]])
def test_what_cannot_be_measured_is_none(samples: Samples) -> None:
    measures = examined(samples, transcript="Good morning.").measures
    json.dumps(measures, allow_nan=False)
    assert measures["speech_seconds"] < 0.2
    assert measures["reverberation_seconds"] is None
    assert (measures["snr_db"] is None) == (measures["speech_seconds"] == 0.0)


def test_measures_of_a_clean_voice_are_those_of_the_manifest() -> None:
    measures = examined(voice(RATE)).measures
    assert measures["lufs"] == pytest.approx(-20.6, abs=0.5)
    assert measures["rms_dbfs"] == pytest.approx(-20.0, abs=0.1)
    assert measures["noise_floor_dbfs"] == pytest.approx(-66.0, abs=1.0)
    assert measures["snr_db"] == pytest.approx(46.0, abs=1.5)
    assert measures["speech_share"] > 0.8
    assert measures["missing"] == []


@pytest.mark.parametrize("name", ["slt-02", "slt-06", "rms-03", "consent-awb"])
@pytest.mark.parametrize("snr_db", [5.0, 12.0, 20.0, 28.0])
def test_speech_to_noise_is_what_it_is(name: str, snr_db: float) -> None:
    noised = noisy(voice(RATE, name).astype(np.float32), snr_db)
    assert examined(noised.astype(np.float64)).measures["snr_db"] == pytest.approx(snr_db, abs=2.0)


def test_noise_is_what_there_is_without_speech() -> None:
    powers = np.full(500, 1e-2)
    powers[100:200] = 1e-8
    powers[:20] = powers[-20:] = 1e-5
    assert measure_noise_and_speech(powers, Speech(((0.4, 9.6),), 10.0)) == pytest.approx(
        (1e-5, 360 / 460 * 1e-2), rel=1e-3
    )
    assert measure_noise_and_speech(powers, Speech(((0.1, 9.95),), 10.0))[0] == pytest.approx(1e-8)


def test_pause_in_noise_that_comes_and_goes_is_found_where_levels_tell_nothing() -> None:
    one, other = voice(RATE, "slt-02"), voice(RATE, "slt-04")
    start = loud_place(one, RATE, 3.5)
    begin = loud_place(other, RATE, 0.5)
    together = np.concatenate((one[:start], room(2.0), other[begin:]))
    swell = np.repeat(np.tile([0.33, 1.0], 1 + len(together) // RATE), RATE // 2)[: len(together)]
    together += noise(len(together) / RATE, -32.0) * swell
    file = io.BytesIO(wav_bytes(together))
    assert "long_pause" not in {one.code for one in inspect_file(file, DurationLimits(0.0, 1e9)).findings}
    (pause,) = [one for one in analyze_recording(file, read_header(file)).findings if one.code == "long_pause"]
    assert pause.at == pytest.approx(start / RATE, abs=0.3)


def test_music_of_noise_and_tones_is_no_speech() -> None:
    """It goes up and down in level as a voice does; only a model knows better."""
    bursts = noise(4.0, -20.0) * np.repeat(np.tile([1.0, 0.003], 8), RATE // 4)
    assert "no_speech" in codes(examined(bursts))


def test_speaking_rate_is_from_the_first_word_to_the_last() -> None:
    words = "Good morning and welcome aboard breakfast is served in the dining car until half past nine"
    samples = np.concatenate((room(0.8), voice(RATE), room(0.7)))
    measures = examined(samples, transcript=words).measures
    spoken_seconds = len(samples) / RATE - measures["leading_silence_seconds"] - measures["trailing_silence_seconds"]
    assert spoken_seconds == pytest.approx(len(voice(RATE)) / RATE - 0.3, abs=0.25)
    assert measures["words_per_minute"] == pytest.approx(16 * 60 / spoken_seconds, abs=0.1)
    assert 3.0 < measures["syllables_per_second"] < 6.0
    assert examined(samples).measures["words_per_minute"] is None


def test_without_the_model_the_levels_decide_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "load_silero", lambda: MissingModel("silero-vad is not installed."))
    found = examined(voice(RATE))
    assert found.measures["missing"] == ["silero-vad is not installed."]
    assert found.findings == ()
    first = inspect_file(io.BytesIO(wav_bytes(voice(RATE)))).levels
    assert first is not None
    assert found.measures["speech_seconds"] == first.speech_seconds
    assert found.measures["snr_db"] == pytest.approx(first.snr_db, abs=1e-3)


def test_other_thresholds_judge_otherwise() -> None:
    samples = joined(spoken()["slt-01"], spoken()["slt-02"])
    strict = THRESHOLDS.with_overrides({"pause_seconds": 0.5, "reverberation_seconds": 0.1, "noise_heard_db": 60.0})
    assert codes(examined(samples)) == set()
    assert codes(examined(samples, thresholds=strict)) == {"long_pause", "reverberant", "noise_heard"}


def test_fine_outline_and_speech_come_with_it() -> None:
    found = examined(recorded(spoken()["slt-01"], 48000), 48000)
    assert len(found.fine_peaks) == 2 * 278
    assert [list(span) for span in found.speech.segments] == found.measures["speech_spans"]


@given(
    st.lists(st.tuples(st.integers(-32768, 32767), st.integers(1, 3000)), min_size=1, max_size=12),
    st.sampled_from(ALLOWED_RATES),
    st.integers(0, 3000),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("error")
def test_any_samples_can_be_examined(runs: list[tuple[int, int]], rate: int, loudness: int) -> None:
    steps = np.repeat([value for value, _ in runs], [count for _, count in runs]) / 32768
    rough = np.random.default_rng(loudness).standard_normal(len(steps)) * loudness / 32768
    json.dumps(examined(np.clip(steps + rough, -1, 1), rate, transcript="Hm.").measures, allow_nan=False)


def test_file_that_shrinks_is_refused() -> None:
    file = io.BytesIO(wav_bytes(voice(RATE)))
    header = read_header(file)
    file.truncate(50_000)
    with pytest.raises(WavRefused):
        analyze_recording(file, header)


def peak_memory(path: Path, seconds: int) -> int:
    block = pcm(speech_like(1.0, 8000))
    size = len(block) * seconds
    with path.open("wb") as out:
        out.write(wav_bytes(data=b"", rate=8000, data_size=size, riff_size=size + 36))
        for _ in range(seconds):
            out.write(block)
    tracemalloc.start()
    with path.open("rb") as file:
        analyze_recording(file, read_header(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    short, long = peak_memory(tmp_path / "70s.wav", 70), peak_memory(tmp_path / "700s.wav", 700)
    assert long < short * 1.2
    assert long < 20_000_000
