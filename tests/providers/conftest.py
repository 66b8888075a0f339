"""Fixtures: one sandbox for all providers, where each test has its own API key, and servers with faulty responses."""

import logging
from collections.abc import Iterator

import pytest

from tests.providers.factories import KEY
from tests.support.hostile_server import HostileServer
from tests.support.relay import Relay
from tests.support.sandbox import CallbackServer, SandboxProcess


@pytest.fixture(autouse=True)
def check_log_has_no_keys(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No key is logged, not even at DEBUG level."""
    caplog.set_level(logging.DEBUG)
    secret = request.getfixturevalue("key") if "key" in request.fixturenames else KEY
    yield
    for record in caplog.get_records("call"):
        assert not [key for key in (secret, KEY) if key in f"{record.getMessage()} {vars(record)}"]


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """The running sandbox, without faults. It accepts three recordings of one second as enough."""
    shared_sandbox.call_control("DELETE", "faults")
    settings = {
        "rapid_recordings": 3,
        "professional_recordings": 3,
        "rapid_seconds": 1.0,
        "professional_seconds": 1.0,
        "training_seconds": 600.0,
        "resemble_v1_calls_per_second": 0,  # adapters without a limiter; test_rate_limits.py sets the limits
        "resemble_v2_calls_per_second": 0,
    }
    shared_sandbox.call_control("POST", "settings", settings)
    yield shared_sandbox
    shared_sandbox.call_control("DELETE", "faults")


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    """A server that sends any response that a test sets, valid or not."""
    server = HostileServer()
    yield server
    server.close()


@pytest.fixture
def other_server() -> Iterator[HostileServer]:
    """Another server, which must never receive a request."""
    server = HostileServer()
    yield server
    server.close()


@pytest.fixture
def relay(sandbox: SandboxProcess) -> Iterator[Relay]:
    """A proxy to the sandbox that can replace the sandbox's responses."""
    relay = Relay(sandbox.address)
    yield relay
    relay.close()


@pytest.fixture
def listener() -> Iterator[CallbackServer]:
    listener = CallbackServer()
    yield listener
    listener.close()
