"""The vendors' limits of calls per second and account. A call above the limit gets 429, without a Retry-After header.

Time is the machine's: the sandbox's own clock may be ahead, and jumps.
"""

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from threading import Lock

WINDOW_SECONDS = 1.0


@dataclass
class CallRates:
    """The times of the latest calls of each account."""

    _lock: Lock = field(default_factory=Lock)
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def count_call(self, vendor: str, account: str, per_second: float) -> bool:
        """Count a call, unless `per_second` calls arrived in the last second. `per_second` of 0 allows any number."""
        with self._lock:
            calls, now = self._calls[vendor, account], time.monotonic()
            while calls and calls[0] <= now - WINDOW_SECONDS:
                calls.popleft()
            if per_second and len(calls) >= per_second:
                return False
            calls.append(now)
            return True
