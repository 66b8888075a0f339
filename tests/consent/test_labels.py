"""The words and tones of consents and contracts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consent.labels import Mark, describe_term
from consent.templatetags.consents import join_words


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


def test_words_of_a_name_stay_together_unless_it_is_long() -> None:
    assert join_words("Tess Malloy") == "Tess\u00a0Malloy"
    long_name = "Inês Carvalho de Albuquerque e Vasconcelos"
    assert join_words(long_name) == long_name
