"""One sandbox for all providers, each test with a key of its own, and a server that misbehaves."""

import logging
from collections.abc import Iterator

import pytest

from tests.providers.making import KEY
from tests.support.hostile import Hostile
from tests.support.relay import Relay
from tests.support.sandbox import Listener, Sandbox


@pytest.fixture(autouse=True)
def keys_stay_out_of_the_log(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nobody writes a key down, not even at the level that shows everything."""
    caplog.set_level(logging.DEBUG)
    secret = request.getfixturevalue("key") if "key" in request.fixturenames else KEY
    yield
    for record in caplog.get_records("call"):
        assert not [key for key in (secret, KEY) if key in f"{record.getMessage()} {vars(record)}"]


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """The running sandbox, well-behaved and content with three recordings of a second."""
    running.control("DELETE", "faults")
    few = {"rapid_recordings": 3, "professional_recordings": 3, "rapid_seconds": 1.0, "professional_seconds": 1.0}
    running.control("POST", "settings", few | {"training_seconds": 600.0})
    yield running
    running.control("DELETE", "faults")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def elsewhere() -> Iterator[Hostile]:
    """Another server, to which nothing must ever go."""
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def relay(sandbox: Sandbox) -> Iterator[Relay]:
    """The line to the sandbox, on which a test can answer in its place."""
    between = Relay(sandbox.address)
    yield between
    between.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()
