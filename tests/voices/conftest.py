from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox import SandboxProcess

if TYPE_CHECKING:
    from tests.voices.provider_studio import ProviderStudio
    from tests.voices.rows import Studio
    from voicehub.models import User


@pytest.fixture
def studio(producer: "User") -> "Studio":
    from tests.voices.rows import Studio, make_main_account

    return Studio(producer, make_main_account())


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess, settings: Any) -> Iterator[SandboxProcess]:
    """The running sandbox without faults. A training in it ends at once."""
    shared_sandbox.call_control("DELETE", "faults")
    shared_sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
    settings.VOICEHUB_SANDBOX_URL = shared_sandbox.address
    yield shared_sandbox
    shared_sandbox.call_control("DELETE", "faults")


@pytest.fixture
def make_studio(sandbox: SandboxProcess, producer: "User") -> "Callable[[str], ProviderStudio]":
    from tests.voices.provider_studio import ProviderStudio

    return lambda provider: ProviderStudio.create(provider, sandbox, producer)
