"""The sandbox's own clock: the machine's, pushed ahead as often as a test or a demo wants it.

Trainings, timestamps and lags of lists go by it, so that forty minutes can pass at once. It never goes back.
"""

import time
from threading import Condition, Event

LOOK_SECONDS = 0.2
RAREST_LOOK = 5.0
"""How often, at most and at least, who waits looks whether the sandbox closes; a push is noticed at once.

Who has long to wait looks more rarely: thousands of trainings that all look would take the whole machine.
"""

_pushed = Condition()
_ahead = 0.0


def now() -> float:
    """Epoch seconds, as far ahead of the machine's clock as it was pushed."""
    return time.time() + _ahead


def ahead() -> float:
    """By how many seconds the clock was pushed."""
    return _ahead


def start(seconds_ahead: float) -> None:
    """Begin that far ahead, as an earlier run of the sandbox ended."""
    global _ahead
    with _pushed:
        _ahead = seconds_ahead
        _pushed.notify_all()


def forward(seconds: float) -> None:
    """Push the clock; what has come due by it wakes up."""
    start(_ahead + seconds)


def wait(until: float, closing: Event) -> None:
    """Return when the clock has passed `until` (epoch seconds), also by a push, or when `closing` is set."""
    with _pushed:
        while not closing.is_set() and (left := until - now()) > 0:
            _pushed.wait(min(left, max(LOOK_SECONDS, min(left / 100, RAREST_LOOK))))
