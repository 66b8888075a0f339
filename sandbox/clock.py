"""The sandbox's clock: the machine's clock plus an offset that tests and demos can increase.

Trainings, timestamps and list lags use it, so that 40 minutes can pass at once. The clock never goes back.
"""

import time
from threading import Condition, Event

MIN_CHECK_SECONDS = 0.2
MAX_CHECK_SECONDS = 5.0
"""Shortest and longest interval at which a waiting thread checks whether the sandbox closes.

A change of the offset wakes the thread at once. During a long wait it checks less often, because thousands of waiting
trainings would otherwise use the whole CPU.
"""

_offset_changed = Condition()
_offset = 0.0


def now() -> float:
    """Epoch seconds: the machine's clock plus the offset."""
    return time.time() + _offset


def get_offset() -> float:
    """Seconds that the clock is ahead of the machine's clock."""
    return _offset


def set_offset(seconds_ahead: float) -> None:
    """Set the offset, for example to the one that an earlier run saved, and wake all waiting threads."""
    global _offset
    with _offset_changed:
        _offset = seconds_ahead
        _offset_changed.notify_all()


def advance(seconds: float) -> None:
    """Increase the offset and wake the threads whose time has come."""
    set_offset(_offset + seconds)


def wait_until(until: float, closing: Event) -> None:
    """Return when the clock has passed `until` (epoch seconds) or `closing` is set."""
    with _offset_changed:
        while not closing.is_set() and (remaining := until - now()) > 0:
            _offset_changed.wait(min(remaining, max(MIN_CHECK_SECONDS, min(remaining / 100, MAX_CHECK_SECONDS))))
