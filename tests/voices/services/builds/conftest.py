"""One sandbox for all tests of this folder; each test has an account of its own in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import Sandbox, until

if TYPE_CHECKING:
    from tests.voices.services.builds.desk import Desk
    from voicehub.models import User

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def sandbox(running: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """The running sandbox: well-behaved, quick, and content with three recordings."""
    from tests.voices.services.builds.desk import FEW

    running.control("DELETE", "faults")
    running.control("POST", "settings", FEW)
    settings.VOICEHUB_SANDBOX_URL = running.address
    # Nobody listens here: a test that wants callbacks says where.
    settings.VOICEHUB_BASE_URL = NOBODY
    yield running
    running.control("DELETE", "faults")
    if settings.VOICEHUB_BASE_URL != NOBODY:
        # A callback that comes while the tables are emptied would meet a lock, or leave a row behind.
        until(lambda: running.control("GET", "work")["due"] == 0)


@pytest.fixture
def desk(sandbox: Sandbox, producer: "User") -> "Desk":
    from tests.voices.services.builds.desk import Desk

    return Desk(producer, sandbox)
