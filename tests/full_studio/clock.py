"""Let services act at an earlier time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.utils import timezone

_now = timezone.now


def move_back(**ago: float) -> datetime:
    """The time that is so long ago."""
    return _now() - timedelta(**ago)


@contextmanager
def act_ago(**ago: float) -> Iterator[None]:
    """Inside this block, the time is so long ago. It goes on."""
    with patch.object(timezone, "now", lambda: move_back(**ago)):
        yield
