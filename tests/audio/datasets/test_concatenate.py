"""Concatenated clips keep their sound and stay within the limits. The best of many recordings are selected."""

import io
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.datasets.clips import Clip, load_clip
from audio.datasets.concatenate import (
    FADE_SECONDS,
    check_concatenation_limits,
    concatenate_clips,
    find_common_rate,
    write_concatenation,
)
from audio.datasets.select import Candidate, SelectionLimits, compute_quality, select_recordings
from audio.findings.findings import FileRefused
from audio.levels.inspection import inspect_file
from audio.wav.riff import ALLOWED_RATES, read_header
from tests.support.sounds import load_sample_voice, make_clip_from_wav
from tests.support.wav import load_sample_wav, make_sine_tone, make_speech_like, make_wav_bytes, make_white_noise


def make_clip(name: str = "slt-01") -> Clip:
    return make_clip_from_wav(name, load_sample_wav(name))


def make_tone(rate: int, seconds: float = 1.0, frequency: float = 500.0) -> Clip:
    return make_clip_from_wav(str(rate), make_wav_bytes(make_sine_tone(seconds, rate, frequency), rate=rate))


def test_clips_are_joined_with_silence_between(tmp_path: Path) -> None:
    names = ["slt-01", "slt-02", "slt-03"]
    concatenation = concatenate_clips([make_clip(name) for name in names], gap_seconds=0.5)
    written = write_concatenation(concatenation, tmp_path / "all.wav")
    samples, rate = soundfile.read(written.path, dtype="int16")
    fade, position = round(rate * FADE_SECONDS), 0
    for number, name in enumerate(names):
        original = np.round(load_sample_voice(name)[0] * 32768).astype(np.int16)
        part = samples[position : position + len(original)]
        assert np.array_equal(part[fade:-fade], original[fade:-fade])
        assert part[0] == part[-1] == 0
        position += len(original)
        if number < 2:
            assert not samples[position : position + rate // 2].any()
            position += rate // 2
    assert position == len(samples)
    assert written.recipe["from_sha256"] == [make_clip(name).sha256 for name in names]
    assert written.recipe["steps"][-1] == {"step": "join", "rate": rate, "gap_frames": 8000, "fade_seconds": 0.005}


def test_loud_edges_of_joined_clips_are_faded(tmp_path: Path) -> None:
    loud = make_clip_from_wav("loud", make_wav_bytes(data=np.full(16000, 20000, "<i2").tobytes()))
    samples = soundfile.read(
        write_concatenation(concatenate_clips([loud, loud]), tmp_path / "all.wav").path, dtype="int16"
    )[0].astype(int)
    assert np.abs(np.diff(samples)).max() <= 20000 / (16000 * FADE_SECONDS) + 1
    assert (samples == 20000).sum() > 2 * 15800


@given(
    st.lists(st.tuples(st.sampled_from(ALLOWED_RATES), st.integers(1, 3000)), min_size=1, max_size=5),
    st.sampled_from((None, *ALLOWED_RATES)),
    st.sampled_from((0.0, 0.01, 0.3)),
)
def test_size_is_computed_before_a_clip_is_opened(shapes: list[tuple[int, int]], rate: int | None, gap: float) -> None:
    clips = [make_clip_from_wav("x", make_wav_bytes(data=b"\1\2" * frames, rate=source)) for source, frames in shapes]
    concatenation = concatenate_clips(clips, rate, gap)
    data = b"".join(concatenation.stream_wav())
    assert len(data) == concatenation.size
    if concatenation.frames:
        header = read_header(io.BytesIO(data))
        assert (header.frames, header.sample_rate) == (concatenation.frames, concatenation.rate)
        assert header.seconds == pytest.approx(concatenation.seconds)


def test_clips_are_resampled_to_the_most_common_rate(tmp_path: Path) -> None:
    clips = [make_tone(48000), make_tone(16000), make_tone(48000), make_tone(22050)]
    written = write_concatenation(concatenate_clips(clips), tmp_path / "all.wav")
    assert written.header.sample_rate == 48000
    samples, _ = soundfile.read(written.path)
    for number in range(4):
        part = samples[round(number * 1.3 * 48000) :][4800:43200]
        spectrum = np.abs(np.fft.rfft(part))
        assert spectrum.argmax() * 48000 / len(part) == pytest.approx(500, abs=2)
        assert np.abs(part).max() == pytest.approx(0.5, abs=0.002)
    changed = [step["of"] for step in written.recipe["steps"] if step["step"] == "resample"]
    assert changed == [1, 3]
    second = write_concatenation(concatenate_clips(clips), tmp_path / "again.wav")
    assert second.path.read_bytes() == written.path.read_bytes()


def test_higher_of_two_equally_common_rates_is_used() -> None:
    assert find_common_rate([16000, 44100, 44100]) == 44100
    assert find_common_rate([48000, 16000]) == find_common_rate([16000, 48000]) == 48000


def test_concatenation_one_sample_or_byte_over_the_limit_is_refused(tmp_path: Path) -> None:
    concatenation = concatenate_clips([make_tone(16000, 5.0), make_tone(16000, 4.7)])
    assert concatenation.seconds == 10.0
    check_concatenation_limits(concatenation, 10.0, concatenation.size)
    for limits, code in (((9.999, None), "joined_too_long"), ((None, concatenation.size - 1), "joined_too_big")):
        with pytest.raises(FileRefused) as refused:
            check_concatenation_limits(concatenation, *limits)
        assert refused.value.finding.code == code
    with pytest.raises(FileRefused) as refused:
        concatenate_clips([])
    assert refused.value.finding.code == "nothing_chosen"


def test_clip_truncated_after_loading_leaves_no_partial_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(data := load_sample_wav("slt-01"))
    concatenation = concatenate_clips([load_clip(path)])
    path.write_bytes(data[:30001])
    with pytest.raises(FileRefused):
        write_concatenation(concatenation, tmp_path / "all.wav")
    assert not (tmp_path / "all.wav").exists()


def test_clip_replaced_after_loading_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(load_sample_wav("slt-01"))
    concatenation = concatenate_clips([load_clip(path)])
    path.write_bytes(load_sample_wav("slt-02"))
    with pytest.raises(FileRefused) as refused:
        write_concatenation(concatenation, tmp_path / "all.wav")
    assert refused.value.finding.code == "changed_while_read"


def score_quality(samples: object, name: str = "") -> float:
    return compute_quality(inspect_file(io.BytesIO(load_sample_wav(name) if name else samples)))  # type: ignore[arg-type]  # bytes


def test_quality_falls_with_noise_clipping_and_shortness() -> None:
    samples, _ = load_sample_voice("slt-01")
    clean = score_quality(make_wav_bytes(samples))
    noisy = [
        score_quality(make_wav_bytes(samples + make_white_noise(10.0, level)[: len(samples)]))
        for level in (-55.0, -40.0, -30.0)
    ]
    assert 1 >= clean > noisy[0] > noisy[1] > noisy[2] > 0
    assert score_quality(make_wav_bytes(np.clip(samples * 8, -0.9, 0.9))) < clean / 2
    assert score_quality(make_wav_bytes(samples[16000:44000])) < clean
    for unusable in (
        make_wav_bytes(make_white_noise(5.0, -80.0)),
        b"no sound",
        make_wav_bytes(make_sine_tone(5.0)),
        make_wav_bytes(make_speech_like(1.0)),
    ):
        assert score_quality(unusable) == 0


def find_best_value(candidates: list[Candidate], limits: SelectionLimits) -> float:
    best = 0.0
    for size in range(min(len(candidates), limits.max_files or len(candidates)) + 1):
        for subset in combinations(candidates, size):
            if sum(candidate.seconds for candidate in subset) + limits.gap_seconds * (size - 1) <= limits.max_seconds:
                best = max(best, sum_value(subset))
    return best


def sum_value(subset: object) -> float:
    return sum(candidate.seconds * candidate.quality for candidate in subset)  # type: ignore[attr-defined]  # candidates


candidate_strategy = st.builds(
    Candidate, st.floats(0.5, 30).map(lambda seconds: round(seconds, 2)), st.sampled_from((0.0, 0.2, 0.5, 0.9, 1.0))
)
limits_strategy = st.builds(
    SelectionLimits, st.floats(1, 90), st.one_of(st.none(), st.integers(1, 6)), st.sampled_from((0.0, 0.3))
)


@settings(max_examples=150, deadline=None)
@given(st.lists(candidate_strategy, max_size=9), limits_strategy)
def test_selection_is_the_best_within_the_limits(candidates: list[Candidate], limits: SelectionLimits) -> None:
    indexes = select_recordings(candidates, limits)
    selected = [candidates[index] for index in indexes]
    assert list(indexes) == sorted(set(indexes))
    assert all(candidate.quality > 0 for candidate in selected)
    assert len(selected) <= (limits.max_files or len(candidates))
    total_seconds = sum(candidate.seconds + limits.gap_seconds for candidate in selected)
    assert total_seconds <= limits.max_seconds + limits.gap_seconds + 1e-9
    # Rounding up may cost each selected clip a six-thousandth of the maximum duration.
    tighter = replace(limits, max_seconds=limits.max_seconds * (1 - (len(candidates) + 1) / 5000))
    assert sum_value(selected) >= find_best_value(candidates, tighter) - 1e-9
    assert indexes == select_recordings(candidates, limits)


def test_better_recordings_are_selected_first_and_unusable_ones_never() -> None:
    candidates = [Candidate(10.0, 0.3), Candidate(10.0, 0.9), Candidate(10.0, 0.8), Candidate(10.0, 0.0)]
    assert select_recordings(candidates, SelectionLimits(20.0)) == (1, 2)
    assert select_recordings(candidates, SelectionLimits(1000.0)) == (0, 1, 2)
    assert select_recordings(candidates, SelectionLimits(1000.0, max_files=1)) == (1,)
    assert (
        select_recordings([], SelectionLimits(10.0))
        == select_recordings(candidates, SelectionLimits(5.0))
        == select_recordings(candidates, SelectionLimits(30.0, max_files=0))
        == ()
    )


def test_selection_from_thousands_of_recordings_fills_the_duration() -> None:
    rng = np.random.default_rng(1)
    candidates = [
        Candidate(float(a), float(b)) for a, b in zip(rng.uniform(2, 12, 3000), rng.random(3000), strict=True)
    ]
    indexes = select_recordings(candidates, SelectionLimits(300.0, gap_seconds=0.3))
    assert 298 < sum(candidates[index].seconds + 0.3 for index in indexes) <= 300.3
    assert np.mean([candidates[index].quality for index in indexes]) > 0.97
    assert len(select_recordings(candidates[:500], SelectionLimits(3600.0, max_files=25))) == 25


@pytest.mark.parametrize("max_seconds", [0.0, -1.0])
def test_selection_for_no_duration_is_empty(max_seconds: float) -> None:
    assert select_recordings([Candidate(1.0, 1.0)], SelectionLimits(max_seconds)) == ()
