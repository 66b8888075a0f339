"""Spaces calls evenly, so that all processes together make at most so many per second.

The time of the last slot stands in the queue server (Valkey or Redis), by its own clock, so that machines whose clocks
differ agree. If the server does not respond, each process spaces its own calls. A call never fails for that reason.
"""

import logging
import threading
import time
from functools import lru_cache

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# Of the allowed rate: calls that leave evenly may arrive closer together.
SHARE_OF_RATE = 0.9
# In seconds. Short, because each call to a provider would wait for a server that is down.
SERVER_TIMEOUT = 0.5
# The time in seconds for which a server that did not respond is not asked again.
SERVER_PAUSE = 10.0
# Reserves the next slot, and returns the microseconds until then, or -1 if it is further away than the longest wait. A
# slot that is further away than any wait, as after a correction of the server's clock, is ignored.
RESERVE_SLOT = """
local time, gap, longest_wait = redis.call('TIME'), tonumber(ARGV[1]), tonumber(ARGV[2])
local now = time[1] * 1000000 + time[2]
local slot = tonumber(redis.call('GET', KEYS[1]) or '0') + gap
if slot < now or slot > now + tonumber(ARGV[3]) then slot = now end
if slot - now > longest_wait then return -1 end
redis.call('SET', KEYS[1], string.format('%.0f', slot), 'PX', math.ceil((slot - now + gap) / 1000) + 1000)
return slot - now
"""
# In seconds. Longer than any call waits.
FARTHEST_SLOT = 3600.0

_lock = threading.Lock()
_last_slots: dict[str, float] = {}  # of this process, while the server does not respond
_server_paused_until = 0.0


class RateLimiter:
    """Limits the calls under one name to `per_second`, among all processes that use the same queue server."""

    def __init__(self, name: str, per_second: float) -> None:
        self._key = f"voicehub:calls:{name}"
        self._gap = 1 / (per_second * SHARE_OF_RATE)

    def wait_for_slot(self, longest_wait: float) -> bool:
        """Wait until a call may be made. False at once if this would take longer than so many seconds."""
        wait = self._reserve_slot(longest_wait)
        if wait is None:
            return False
        time.sleep(wait)
        return True

    def _reserve_slot(self, longest_wait: float) -> float | None:
        """Reserve the next slot. Returns the seconds until then; None if it is further away than the longest wait."""
        global _server_paused_until
        if time.monotonic() >= _server_paused_until:
            try:
                return self._reserve_at_server(longest_wait)
            except (RedisError, OSError) as error:
                _server_paused_until = time.monotonic() + SERVER_PAUSE
                logger.warning("The queue cannot be reached (%s). Each process limits its own calls.", error)
        return self._reserve_in_process(longest_wait)

    def _reserve_at_server(self, longest_wait: float) -> float | None:
        reserve_slot = _connect(settings.REDIS_URL).register_script(RESERVE_SLOT)
        times = [round(seconds * 1e6) for seconds in (self._gap, longest_wait, max(FARTHEST_SLOT, 2 * self._gap))]
        wait = int(reserve_slot(keys=[self._key], args=times))
        return wait / 1e6 if wait >= 0 else None

    def _reserve_in_process(self, longest_wait: float) -> float | None:
        with _lock:
            now = time.monotonic()
            slot = max(now, _last_slots.get(self._key, -self._gap) + self._gap)
            if slot - now > longest_wait:
                return None
            _last_slots[self._key] = slot
        return slot - now


@lru_cache(maxsize=4)
def _connect(url: str) -> Redis:
    """Connections of this process, reused for all calls. A forked process opens its own."""
    return Redis.from_url(url, socket_connect_timeout=SERVER_TIMEOUT, socket_timeout=SERVER_TIMEOUT)
