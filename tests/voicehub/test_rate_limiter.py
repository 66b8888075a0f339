"""The limiter of calls: one slot after another, in the queue server, or in the process if the server is away."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings

from voicehub import rate_limiter
from voicehub.rate_limiter import RateLimiter

SLOW = 0.001  # calls per second: the next slot is far away
NO_SERVER = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rate_limiter, "_server_paused_until", 0.0)
    monkeypatch.setattr(rate_limiter, "_last_slots", {})
    yield


def test_slot_is_taken_once() -> None:
    name = uuid4().hex
    assert RateLimiter(name, SLOW).wait_for_slot(0)
    assert not RateLimiter(name, SLOW).wait_for_slot(0)
    assert not RateLimiter(name, SLOW).wait_for_slot(1), "a wait that is too long is not begun"


def test_names_do_not_share_slots() -> None:
    assert RateLimiter(uuid4().hex, SLOW).wait_for_slot(0)
    assert RateLimiter(uuid4().hex, SLOW).wait_for_slot(0)


def test_limiter_waits_for_the_next_slot() -> None:
    limiter = RateLimiter(uuid4().hex, 50)
    assert [limiter.wait_for_slot(5) for _ in range(3)] == [True] * 3


def test_process_limits_its_own_calls_without_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", NO_SERVER)
    name = uuid4().hex
    assert RateLimiter(name, SLOW).wait_for_slot(0)
    assert not RateLimiter(name, SLOW).wait_for_slot(0)


def test_slot_of_the_server_is_not_used_while_the_server_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    name = uuid4().hex
    assert RateLimiter(name, SLOW).wait_for_slot(0)
    monkeypatch.setattr(settings, "REDIS_URL", NO_SERVER)
    assert RateLimiter(name, SLOW).wait_for_slot(0)


def test_slot_in_the_future_is_ignored() -> None:
    """The clock of the server was put back."""
    name = uuid4().hex
    limiter = RateLimiter(name, SLOW)
    connection = rate_limiter._connect(settings.REDIS_URL)
    connection.set(f"voicehub:calls:{name}", 9_000_000_000_000_000)
    assert limiter.wait_for_slot(0)
    assert not limiter.wait_for_slot(0)
