"""One sandbox for all tests of this folder; each test has an account of its own in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.building.desk import Desk
    from voicehub.models import User


@pytest.fixture
def sandbox(running: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """The running sandbox: well-behaved, quick, and content with three recordings."""
    from tests.building.desk import FEW

    running.control("DELETE", "faults")
    running.control("POST", "settings", FEW)
    settings.VOICEHUB_SANDBOX_URL = running.address
    # Nobody listens here: a test that wants callbacks says where.
    settings.VOICEHUB_BASE_URL = "http://127.0.0.1:9"
    yield running
    running.control("DELETE", "faults")


@pytest.fixture
def desk(sandbox: Sandbox, producer: "User") -> "Desk":
    from tests.building.desk import Desk

    return Desk(producer, sandbox)
