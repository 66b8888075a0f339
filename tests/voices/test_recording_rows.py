"""What a row of the table shows: the waveform as a path, the worst findings, the grade of the quality."""

import pytest

from voices.models import Recording
from voices.recording_rows import (
    MAX_CHIPS,
    get_quality_grade,
    make_row_chips,
    make_wave_digits,
    make_wave_marks,
    make_wave_path,
)

LOUD, SILENT = (-128, 127), (0, 0)


def make_found(code: str, severity: str) -> dict[str, str | None]:
    return {"severity": severity, "code": code, "text": "What.", "advice": "How.", "at": None}


def test_waveform_is_one_path_with_a_bar_for_each_part() -> None:
    assert make_wave_path([*LOUD, *SILENT, *LOUD], bars=3, height=9) == "M.5 0.5v8m1-4.5v1m1-4.5v8"
    path = make_wave_path([*LOUD, *SILENT] * 200)
    assert path.count("v") == 27 and len(path) < 250


@pytest.mark.parametrize("peaks", [[], [5], list(SILENT), [-128] * 3])
def test_waveform_of_few_or_damaged_peaks_is_drawn_as_far_as_it_goes(peaks: list[int]) -> None:
    assert make_wave_path(peaks).count("v") == len(peaks) // 2


def test_row_has_one_digit_for_each_bar() -> None:
    digits = make_wave_digits([*LOUD, *SILENT] * 27)
    assert len(digits) == 27 and set(digits) == {"8"}
    assert make_wave_digits(SILENT) == "1" and make_wave_digits([]) == ""


def test_louder_parts_have_longer_bars() -> None:
    quiet, loud = (make_wave_path([-peak, peak], bars=1, height=100) for peak in (10, 60))
    assert int(quiet.partition("v")[2]) < int(loud.partition("v")[2]) < 100


def test_row_shows_the_worst_findings_and_the_number_of_the_others() -> None:
    found = [make_found("converted", "put_right"), make_found("noisy", "look"), make_found("silent", "refused")]
    chips = make_row_chips(Recording(findings=found, set_findings=[make_found("too_quiet", "look")]))
    assert [(chip.title, chip.tone) for chip in chips.shown] == [("Silent", "bad"), ("Noisy", "wait")]
    assert len(chips.shown) == MAX_CHIPS and chips.more == 2
    assert make_row_chips(Recording()).shown == []


def test_what_the_provider_marked_comes_first_and_a_finding_counts_once() -> None:
    recording = Recording(findings=[make_found("noisy", "look")] * 2)
    recording.flagged_silent = True  # type: ignore[attr-defined]  # set by the query of the rows
    chips = make_row_chips(recording)
    assert [chip.title for chip in chips.shown] == ["Silent", "Noisy"] and chips.more == 0


@pytest.mark.parametrize(("quality", "grade"), [(1.0, " is-poor"), (2.49, " is-poor"), (2.5, " is-fair"), (3.4, "")])
def test_quality_has_a_grade(quality: float, grade: str) -> None:
    assert get_quality_grade(quality) == grade


def test_marks_stand_where_findings_begin() -> None:
    found = {"code": "noisy", "severity": "look", "text": "Noise.", "advice": "Again.", "at": 2.0}
    recording = Recording(seconds=4.0, findings=[found, {**found, "at": None}])
    assert [(mark.left, mark.tone) for mark in make_wave_marks(recording)] == [("80.0", "wait")]
    assert make_wave_marks(Recording(seconds=0, findings=[found])) == []
