"""What a row of the table shows: the worst findings, the grade of the quality."""

import pytest

from voices.models import Recording
from voices.recording_rows import (
    MAX_CHIPS,
    get_quality_grade,
    make_row_chips,
    make_wave_marks,
)


def make_found(code: str, severity: str) -> dict[str, str | None]:
    return {"severity": severity, "code": code, "text": "What.", "advice": "How.", "at": None}


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


@pytest.mark.parametrize(
    ("quality", "grade"),
    [(1.0, " is-poor"), (2.449, " is-poor"), (2.45, " is-fair"), (3.349, " is-fair"), (3.35, ""), (3.4, "")],
)
def test_quality_has_a_grade_by_the_figure_shown(quality: float, grade: str) -> None:
    assert get_quality_grade(quality) == grade


def test_marks_stand_where_findings_begin() -> None:
    found = {"code": "noisy", "severity": "look", "text": "Noise.", "advice": "Again.", "at": 2.0}
    recording = Recording(seconds=4.0, findings=[found, {**found, "at": None}])
    assert [(mark.left, mark.tone) for mark in make_wave_marks(recording)] == [("80.0", "wait")]
    assert make_wave_marks(Recording(seconds=0, findings=[found])) == []
