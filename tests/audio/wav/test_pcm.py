"""Rounding to 16 bits: the dither is triangular, the block size changes nothing, and no value exceeds full scale."""

import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audio.wav.pcm import (
    Quantizer,
    WavWriter,
    build_wav_header,
    count_resampled_frames,
    draw_triangular_noise,
    resample_blocks,
)
from audio.wav.riff import ALLOWED_RATES, Float32, read_header

COUNT = 1 << 18


def test_dither_is_triangular_from_one_step_below_to_one_above() -> None:
    dither = draw_triangular_noise(np.random.PCG64(1), COUNT)
    assert -1 < dither.min() < -0.99 and 0.99 < dither.max() < 1
    assert dither.mean() == pytest.approx(0, abs=0.003)
    assert dither.var() == pytest.approx(1 / 6, rel=0.01)
    assert np.mean(np.abs(dither) < 0.5) == pytest.approx(0.75, abs=0.005)
    assert np.corrcoef(dither[:-1], dither[1:])[0, 1] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("level", [0.0, 0.25, 0.5, 10.3, -7.75])
def test_rounding_error_does_not_depend_on_the_sound(level: float) -> None:
    """With triangular dither, the mean and power of the error do not depend on the rounded value."""
    error = Quantizer("1")(np.full(COUNT, level / 32768, np.float32)) - level
    assert error.mean() == pytest.approx(0, abs=0.004)
    assert error.var() == pytest.approx(1 / 4, rel=0.02)


def test_tone_quieter_than_half_a_step_survives_with_dither() -> None:
    tone = (0.4 / 32768 * np.sin(np.arange(COUNT) * 0.1)).astype(np.float32)
    assert not Quantizer(None)(tone).any()
    assert float(Quantizer("1")(tone) @ tone / (tone @ tone)) / 32768 == pytest.approx(1, rel=0.05)


def test_dither_does_not_depend_on_block_size() -> None:
    sound = np.linspace(-0.5, 0.5, 10_000, dtype=np.float32)
    whole = Quantizer("abc")(sound)
    quantizer = Quantizer("abc")
    assert np.array_equal(whole, np.concatenate([quantizer(part) for part in np.array_split(sound, 7)]))
    assert not np.array_equal(whole, Quantizer("abd")(sound))


FIRST_SAMPLES = [0, 0, 0, 0, 0, 0, 0, 1, -1, 0, 1, 0, 0, 0, 1, -1, 0, 0, -1, 0, 0, 1, 1, -1]


def test_first_samples_of_a_seed_are_stable() -> None:
    """Files made years apart are identical: NumPy guarantees that the raw bits of PCG64 are stable."""
    assert Quantizer("c0ffee")(np.zeros(24, np.float32)).tolist() == FIRST_SAMPLES


def test_full_scale_is_clamped_and_the_peak_is_recorded() -> None:
    quantizer = Quantizer("1")
    assert set(quantizer(np.ones(1000, np.float32)).tolist()) <= {32766, 32767}
    assert set(quantizer(np.full(1000, -1.5, np.float32)).tolist()) == {-32768}
    assert quantizer.peak == 1.5


@given(st.lists(st.integers(0, 500), max_size=6), st.sampled_from(ALLOWED_RATES))
def test_strict_reader_reads_the_written_file(sizes: list[int], rate: int) -> None:
    file = io.BytesIO()
    writer = WavWriter(file, rate)
    for size in sizes:
        writer.write(np.arange(size, dtype=np.int16))
    writer.close()
    assert file.getvalue()[:44] == build_wav_header(rate, 2 * sum(sizes))
    if sum(sizes):
        header = read_header(file)
        assert (header.frames, header.sample_rate) == (sum(sizes), rate)


@given(
    st.lists(st.integers(0, 5000), max_size=5),
    st.sampled_from([*ALLOWED_RATES, 11025, 96000, 44056]),
    st.sampled_from(ALLOWED_RATES),
)
@example([400], 48000, 44100)  # 367.5
def test_resampled_length_is_known_in_advance(sizes: list[int], source: int, target: int) -> None:
    blocks: list[Float32] = [np.full(size, 0.5, np.float32) for size in sizes]
    frames = sum(map(len, resample_blocks(blocks, source, target)))
    assert frames == count_resampled_frames(sum(sizes), source, target)
