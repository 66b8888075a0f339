"""The words and tones of consents and contracts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consent.labels import Mark, describe_term


@pytest.mark.parametrize(
    ("days", "mark"),
    [
        (None, Mark("good", "In force")),
        (61, Mark("good", "In force")),
        (60, Mark("wait", "Ends in 60 days")),
        (7, Mark("wait", "Ends in 7 days")),
        (6, Mark("bad", "Ends in 6 days")),
        (1, Mark("bad", "Ends in 1 day")),
        (0, Mark("bad", "Ends today")),
    ],
)
def test_end_of_a_term_is_named_60_days_before_and_is_red_in_its_last_week(days: int | None, mark: Mark) -> None:
    ends_on = None if days is None else timezone.localdate() + timedelta(days=days)
    assert describe_term(ends_on) == mark
