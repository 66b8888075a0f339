"""Waveforms as a path and as digits."""

import pytest

from voicehub.wave_paths import make_wave_digits, make_wave_path

LOUD, SILENT = (-128, 127), (0, 0)


def test_waveform_is_one_path_with_a_bar_for_each_part() -> None:
    assert make_wave_path([*LOUD, *SILENT, *LOUD], bars=3, height=9) == "M.5 0.5v8m1-4.5v1m1-4.5v8"
    path = make_wave_path([*LOUD, *SILENT] * 200, bars=27, height=9)
    assert path.count("v") == 27 and len(path) < 250


@pytest.mark.parametrize("peaks", [[], [5], list(SILENT), [-128] * 3])
def test_waveform_of_few_or_damaged_peaks_is_drawn_as_far_as_it_goes(peaks: list[int]) -> None:
    assert make_wave_path(peaks, bars=27, height=9).count("v") == len(peaks) // 2


def test_row_has_one_digit_for_each_bar() -> None:
    digits = make_wave_digits([*LOUD, *SILENT] * 27, bars=27)
    assert len(digits) == 27 and set(digits) == {"8"}
    assert make_wave_digits(SILENT, bars=27) == "1" and make_wave_digits([], bars=27) == ""


def test_louder_parts_have_longer_bars() -> None:
    quiet, loud = (make_wave_path([-peak, peak], bars=1, height=100) for peak in (10, 60))
    assert int(quiet.partition("v")[2]) < int(loud.partition("v")[2]) < 100
