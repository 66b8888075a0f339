"""Comparing takes with recordings. This app knows nothing of voices, so the app that has them offers it."""

from collections.abc import Callable

from consent.models import Talent

Compare = Callable[[Talent], None]

_offered: list[Compare] = []


def offer(compare: Compare) -> None:
    """Have `compare` called for a talent whose newest take was just checked; it is to come back to `set_match`."""
    _offered.append(compare)


def compare(talent: Talent) -> None:
    """Ask everybody who has recordings of this talent to compare them with the talent's takes."""
    for one in _offered:
        one(talent)
