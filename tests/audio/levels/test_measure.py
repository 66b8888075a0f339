"""Measured levels against the known values of synthetic signals and against slow, simple computations."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio.levels.clipping import MAX_SPANS, Clipping, ClippingDetector
from audio.levels.measure import MAX_FINE_PEAKS, FrameStatistics, Levels, Measurement, WaveformPeaks, measure_levels
from audio.wav.riff import WavHeader, read_header
from tests.support.wav import (
    RATE,
    Samples,
    decibels_to_gain,
    encode_pcm,
    make_sine_tone,
    make_speech_like,
    make_wav_file,
    make_white_noise,
)

Int16 = NDArray[np.int16]


def measure_samples(samples: Samples, rate: int = RATE) -> Measurement:
    file = make_wav_file(samples, rate=rate)
    return measure_levels(file, read_header(file))


def compute_levels(samples: Samples, rate: int = RATE) -> Levels:
    return measure_samples(samples, rate).levels


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_sine_tone_has_its_known_levels(rate: int) -> None:
    levels = compute_levels(make_sine_tone(2.0, rate, peak=0.5), rate)
    assert levels.peak_dbfs == pytest.approx(-6.02, abs=0.02)
    assert levels.rms_dbfs == pytest.approx(-9.03, abs=0.02)
    assert levels.dc_offset == pytest.approx(0.0, abs=1e-4)
    assert levels.clipped_share == 0.0


def test_digital_silence_has_the_lowest_levels() -> None:
    levels = compute_levels(np.zeros(RATE))
    assert (levels.peak_dbfs, levels.rms_dbfs, levels.noise_floor_dbfs) == (-100.0, -100.0, -100.0)
    assert (levels.speech_seconds, levels.leading_silence, levels.snr_db) == (0.0, 1.0, 0.0)


def test_lowest_sample_counts_as_full_scale() -> None:
    assert compute_levels(np.full(RATE, -1.0)).peak_dbfs == 0.0


def test_dc_offset_is_measured_and_does_not_count_as_noise() -> None:
    centered, shifted = compute_levels(make_speech_like()), compute_levels(make_speech_like() + 0.05)
    assert shifted.dc_offset == pytest.approx(0.05, abs=1e-3)
    assert shifted.noise_floor_dbfs == pytest.approx(centered.noise_floor_dbfs, abs=0.5)


@pytest.mark.parametrize("room_dbfs", [-70.0, -60.0, -50.0, -40.0])
def test_noise_floor_is_the_level_of_the_room_noise(room_dbfs: float) -> None:
    assert compute_levels(make_speech_like(room_dbfs=room_dbfs)).noise_floor_dbfs == pytest.approx(room_dbfs, abs=1.5)


def test_snr_falls_as_noise_rises() -> None:
    snrs = [compute_levels(make_speech_like(room_dbfs=room)).snr_db for room in (-70.0, -60.0, -50.0, -40.0, -30.0)]
    assert snrs == sorted(snrs, reverse=True)
    assert snrs[0] - snrs[-2] == pytest.approx(30.0, abs=3.0)


def test_digital_silence_around_a_clip_does_not_hide_its_noise() -> None:
    noisy = make_speech_like(room_dbfs=-35.0)
    padded = np.concatenate((np.zeros(RATE), noisy, np.zeros(RATE)))
    assert compute_levels(padded).snr_db == pytest.approx(compute_levels(noisy).snr_db, abs=0.5)


def test_leading_and_trailing_silence_are_measured() -> None:
    quiet_start, quiet_end = make_white_noise(1.5, -65.0), make_white_noise(0.8, -65.0)
    levels = compute_levels(np.concatenate((quiet_start, make_speech_like(3.0), quiet_end)))
    assert levels.leading_silence == pytest.approx(1.5, abs=0.1)
    assert levels.trailing_silence == pytest.approx(0.8, abs=0.3)
    assert 1.0 < levels.speech_seconds < 2.5


@pytest.mark.parametrize("level", [-20.0, -40.0])
def test_steady_noise_is_not_speech(level: float) -> None:
    assert compute_levels(make_white_noise(3.0, level)).speech_seconds == 0.0


def test_clipping_has_a_share_and_positions() -> None:
    clipped = np.clip(make_speech_like(3.0) * 4, -0.5, 0.5)
    clipped[: RATE // 2] *= 0.1
    levels = compute_levels(clipped)
    top = np.abs(np.round(clipped * 32768)) >= 16384
    assert levels.clipped_share == pytest.approx(top.mean(), rel=0.15)
    assert levels.clipped[0][0] == pytest.approx(np.flatnonzero(top)[0] / RATE, abs=0.001)
    assert levels.clipped[-1][1] == pytest.approx((np.flatnonzero(top)[-1] + 1) / RATE, abs=0.001)


def test_near_clipped_runs_are_listed_as_one_span_but_counted_singly() -> None:
    samples = make_speech_like(4.0)
    for start in (1.0, 1.02, 2.5):
        samples[round(start * RATE) :][:5] = 0.9
    levels = compute_levels(samples)
    assert levels.as_dict()["clipped"] == [[1.0, 1.02], [2.5, 2.5]]
    assert levels.clipped_runs == 3
    assert levels.clipped_share == pytest.approx(15 / len(samples))


def test_at_most_50_clipped_spans_are_listed_but_all_runs_counted() -> None:
    samples = np.zeros(RATE * 12)
    for start in range(RATE, RATE * 12, RATE // 10):
        samples[start : start + 4] = 0.9
    levels = compute_levels(samples)
    assert (levels.clipped_runs, len(levels.clipped)) == (110, MAX_SPANS)
    assert levels.clipped[-1][0] == pytest.approx(1.0 + 49 * 0.1)


def test_pauses_have_their_start_and_end() -> None:
    """The last 0.25 s of every 0.5 s of the speech is quiet, so each pause is 0.25 s longer than the inserted noise."""
    voice = make_speech_like(1.0)
    parts = [
        voice,
        make_white_noise(0.8, -65.0),
        voice,
        make_white_noise(0.2, -65.0),
        voice,
        make_white_noise(0.32, -65.0),
        voice,
    ]
    pauses = compute_levels(np.concatenate(parts)).pauses
    assert len(pauses) == 2
    assert pauses[0] == pytest.approx((0.75, 1.8), abs=0.02)
    assert pauses[1] == pytest.approx((3.75, 4.32), abs=0.02)


def test_clipping_is_detected_at_a_lowered_level() -> None:
    clipped = np.clip(make_speech_like(3.0), -0.2, 0.2)
    assert compute_levels(clipped * decibels_to_gain(-6.0)).clipped_share > 0.001


def test_low_tone_has_no_clipping() -> None:
    assert compute_levels(make_sine_tone(2.0, 48000, frequency=80.0, peak=0.9), 48000).clipped_share < 0.0001


def test_clip_shorter_than_a_frame_has_no_speech() -> None:
    levels = compute_levels(make_sine_tone(0.01))
    assert levels.speech_seconds == 0.0
    assert levels.noise_floor_dbfs == -100.0


flat_top_samples = st.lists(
    st.tuples(st.sampled_from([-32768, -32767, -20000, 0, 5, 20000, 32767]), st.integers(1, 5)),
    min_size=1,
    max_size=60,
).map(lambda runs: np.repeat([value for value, _ in runs], [count for _, count in runs]).astype(np.int16))
block_sizes = st.lists(st.integers(1, 7), min_size=1, max_size=40)


def split_into_blocks(samples: Int16, sizes: list[int]) -> list[Int16]:
    positions = np.cumsum(sizes)
    return [part for part in np.split(samples, positions[positions < len(samples)]) if len(part)]


def find_flat_tops(samples: Int16) -> list[tuple[int, int]]:
    """Slow reference: runs of three or more equal samples within a thousandth of the peak level."""
    values = [int(value) for value in samples]
    peak = max(abs(value) for value in values)
    runs: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(values) + 1):
        if end == len(values) or values[end] != values[start]:
            if end - start >= 3 and abs(values[start]) >= max(1000, peak * 0.999 - 1):
                runs.append((start, end))
            start = end
    return runs


def join_runs(runs: list[tuple[int, int]], max_gap: float) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in runs:
        if spans and start - spans[-1][1] < max_gap:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


@given(flat_top_samples, block_sizes, st.sampled_from([1, 100, 10_000]))
@settings(max_examples=400, deadline=None)
def test_flat_tops_are_found_at_any_block_boundary(samples: Int16, sizes: list[int], rate: int) -> None:
    detector = ClippingDetector(rate)
    for block in split_into_blocks(samples, sizes):
        detector.add(block, block, block, 1)
    runs = find_flat_tops(samples)
    peak, count = int(np.abs(samples.astype(int)).max()), sum(end - start for start, end in runs)
    spans = tuple((start / rate, end / rate) for start, end in join_runs(runs, 0.05 * rate)[:MAX_SPANS])
    assert detector.get_clipping() == Clipping(peak, count, len(runs), spans)


@given(st.integers(1, 2000), st.integers(1, 700), st.integers(1, 500), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_peaks_are_the_minimum_and_maximum_of_each_bucket(count: int, block: int, buckets: int, seed: int) -> None:
    samples = np.random.default_rng(seed).integers(-32768, 32767, count, dtype=np.int16, endpoint=True)
    peaks = WaveformPeaks(count, buckets)
    for start in range(0, count, block):
        peaks.add(samples[start : start + block])
    expected: list[int] = []
    for bucket in range(buckets):
        part = samples[bucket * count // buckets : (bucket + 1) * count // buckets].astype(int)
        expected += [int(part.min()), int(part.max())] if len(part) else [0, 0]
    assert peaks.list_pairs() == tuple(max(-128, min(127, (value + 128) >> 8)) for value in expected)


@pytest.mark.parametrize(("duration", "pairs"), [(0.5, 25), (3.01, 151), (100.0, MAX_FINE_PEAKS)])
def test_fine_peaks_have_50_pairs_a_second_up_to_a_maximum(duration: float, pairs: int) -> None:
    measurement = measure_samples(make_sine_tone(duration, 8000), 8000)
    assert (len(measurement.peaks), len(measurement.fine_peaks)) == (800, 2 * pairs)
    assert min(measurement.fine_peaks[1::2]) > 60 > -60 > max(measurement.fine_peaks[0::2])


def test_block_size_does_not_change_the_frame_statistics() -> None:
    samples = np.frombuffer(encode_pcm(make_speech_like(9.137)), dtype="<i2")
    whole, parts = FrameStatistics(RATE), FrameStatistics(RATE)
    whole.add(samples)
    for start in range(0, len(samples), 3200):
        parts.add(samples[start : start + 3200])
    profile, parts_profile = whole.build_power_profile(), parts.build_power_profile()
    assert parts_profile.compute_snr() == pytest.approx(profile.compute_snr())
    assert (parts_profile.mean, parts_profile.mean_power) == pytest.approx((profile.mean, profile.mean_power))
    assert parts_profile.find_speech_frames().tolist() == profile.find_speech_frames().tolist()
    floats = samples / 32768.0
    assert (profile.mean, profile.mean_power) == pytest.approx((floats.mean(), np.mean(floats**2)), rel=1e-6)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_power_of_a_frame_is_the_variance_of_its_samples(rate: int) -> None:
    samples = np.frombuffer(encode_pcm(make_speech_like(2.0, rate) + 0.05), dtype="<i2")
    frames = FrameStatistics(rate)
    lows, highs, step = frames.add(samples)
    rows = samples[: len(samples) // step * step].reshape(-1, step)
    assert frames.build_power_profile().powers == pytest.approx((rows / 32768.0).var(axis=1), rel=1e-2)
    assert (lows[: len(rows)].tolist(), highs[: len(rows)].tolist()) == (rows.min(1).tolist(), rows.max(1).tolist())


def test_measuring_passes_each_sound_byte_to_the_callback_once() -> None:
    file = make_wav_file(make_speech_like(9.0))
    output = io.BytesIO()
    measure_levels(file, read_header(file), output.write)
    assert output.getvalue() == encode_pcm(make_speech_like(9.0))


def measure_peak_memory(path: Path, seconds: int) -> int:
    block = encode_pcm(make_speech_like(1.0, 48000))
    size = len(block) * seconds
    with path.open("wb") as out:
        out.write(make_wav_file(data=b"", rate=48000, data_size=size, riff_size=size + 36).read())
        for _ in range(seconds):
            out.write(block)
    tracemalloc.start()
    with path.open("rb") as file:
        header: WavHeader = read_header(file)
        measure_levels(file, header)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = measure_peak_memory(tmp_path / "10s.wav", 10), measure_peak_memory(tmp_path / "530s.wav", 530)
    assert (tmp_path / "530s.wav").stat().st_size > 50_000_000
    assert large < 3_000_000
    assert large < small * 2
