"""All tests of this folder share one sandbox. Each test has its own account in it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import SandboxProcess, poll_until

if TYPE_CHECKING:
    from tests.voices.services.builds.build_harness import BuildHarness
    from voicehub.models import User

CLOSED_URL = "http://127.0.0.1:9"


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess, settings: Any) -> Iterator[SandboxProcess]:
    """The running sandbox without faults. It trains at once and needs only three recordings."""
    from tests.voices.services.builds.build_harness import QUICK_SETTINGS

    shared_sandbox.call_control("DELETE", "faults")
    shared_sandbox.call_control("POST", "settings", QUICK_SETTINGS)
    settings.VOICEHUB_SANDBOX_URL = shared_sandbox.address
    # No server listens at this URL. A test that needs callbacks sets its own URL.
    settings.VOICEHUB_BASE_URL = CLOSED_URL
    yield shared_sandbox
    shared_sandbox.call_control("DELETE", "faults")
    if settings.VOICEHUB_BASE_URL != CLOSED_URL:
        # A callback that arrives while the tables are emptied would wait for a lock or leave a row behind.
        poll_until(lambda: shared_sandbox.call_control("GET", "work")["due"] == 0)


@pytest.fixture
def harness(sandbox: SandboxProcess, producer: "User") -> "BuildHarness":
    from tests.voices.services.builds.build_harness import BuildHarness

    return BuildHarness(producer, sandbox)


@pytest.fixture
def make_harness(sandbox: SandboxProcess, producer: "User") -> "Callable[[str], BuildHarness]":
    from tests.voices.services.builds.build_harness import BuildHarness

    return partial(BuildHarness, producer, sandbox)
