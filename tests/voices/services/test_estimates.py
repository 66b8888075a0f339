"""The expected end of work: learnt from earlier work and from the work itself, never more precise than is known."""

import pytest

from voices.services.estimates import (
    Estimate,
    PastWork,
    compute_share,
    describe_end,
    estimate_counted,
    estimate_uncounted,
    format_rough,
    summarize_past,
)


def test_past_work_is_summarized_by_its_medians() -> None:
    past = summarize_past([(10, 20.0), (10, 40.0), (100, 100.0)])
    assert past == PastWork(count=3, usual=40.0, slow=100.0, per_unit=2.0)


def test_one_slow_day_does_not_change_what_is_usual() -> None:
    past = summarize_past([(0, 60.0)] * 19 + [(0, 90_000.0)])
    assert past is not None
    assert (past.usual, past.slow, past.per_unit) == (60.0, 60.0, None)


def test_no_earlier_work_gives_no_end() -> None:
    assert summarize_past([]) is None
    assert describe_end(estimate_uncounted(None, 30.0)) == ""
    assert describe_end(estimate_counted(None, 0, 84, 30.0)) == ""


def test_first_units_are_estimated_from_earlier_work() -> None:
    past = PastWork(5, 100.0, 120.0, per_unit=2.0)
    assert estimate_counted(past, 0, 60, 0.5).remaining == 120.0
    assert estimate_counted(past, 0, 60, None).remaining == 120.0


def test_own_rate_counts_more_the_more_is_done() -> None:
    past = PastWork(5, 100.0, 120.0, per_unit=1.0)
    early = estimate_counted(past, 10, 100, 30.0).remaining
    late = estimate_counted(past, 90, 100, 117.0).remaining
    assert early == pytest.approx(90 * (0.1 * 3 + 0.9 * 1))
    assert late == pytest.approx(10 * (0.9 * 1.3 + 0.1 * 1))


def test_own_rate_alone_is_enough_after_a_few_units() -> None:
    assert estimate_counted(None, 2, 50, 30.0).remaining is None, "two units say too little"
    assert estimate_counted(None, 50, 100, 1.0).remaining is None, "one second says too little"
    assert estimate_counted(None, 10, 50, 20.0).remaining == 80.0


def test_counted_work_beyond_its_usual_time_is_slow() -> None:
    past = PastWork(5, 100.0, 120.0, per_unit=1.0)
    assert not estimate_counted(past, 30, 60, 80.0).is_slow
    slow = estimate_counted(past, 30, 60, 120.0)
    assert describe_end(slow) == "about 2 min left, longer than usual", "at its own rate"
    stuck = estimate_counted(past, 0, 60, 120.0)
    assert describe_end(stuck) == "takes longer than usual (usually 1 min)", "its rate is not known"


def test_training_is_slow_only_beyond_what_was_ever_common() -> None:
    past = PastWork(7, 600.0, 1500.0)
    assert describe_end(estimate_uncounted(past, 60.0)) == "about 9 min left"
    assert describe_end(estimate_uncounted(past, 700.0)) == "should end soon"
    assert describe_end(estimate_uncounted(past, 1400.0)) == "should end soon", "one in ten took 25 min"
    assert describe_end(estimate_uncounted(past, 1600.0)) == "takes longer than usual (usually 10 min)"


def test_work_of_a_second_is_not_slow_at_once() -> None:
    assert describe_end(estimate_uncounted(PastWork(3, 1.0, 1.0), 2.5)) == "should end soon"
    assert estimate_uncounted(PastWork(3, 1.0, 1.0), 4.0).is_slow


def test_bar_never_shows_the_end_before_the_work_has_ended() -> None:
    past = PastWork(7, 600.0, 600.0)
    assert compute_share(estimate_uncounted(past, 300.0), 300.0) == 0.5
    assert compute_share(estimate_uncounted(past, 5000.0), 5000.0) == 0.95
    assert compute_share(Estimate(), 10.0) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (4.4, "4 s"), (12, "10 s"), (47, "50 s"), (134, "2 min"), (1000, "15 min"), (7100, "2 h")],
)
def test_durations_are_rounded_to_what_is_known(seconds: float, text: str) -> None:
    assert format_rough(seconds) == text


def test_last_seconds_are_not_counted_down() -> None:
    assert describe_end(Estimate(4.0)) == "a few seconds left"
    assert describe_end(Estimate(21.0)) == "about 20 s left"
