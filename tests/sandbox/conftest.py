"""One sandbox for all tests of this folder. Each test uses its own account in it."""

import io
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from resemble import Resemble

from tests.support.sandbox import TIMEOUT_SECONDS, CallbackServer, SandboxProcess, poll_until
from tests.support.wav import load_sample_wav

END_STATUSES = ("finished", "dataset_issue", "consent_validation_failed")


class SandboxAccount:
    """A Resemble account with its own key. It uses the official SDK, and plain HTTP where the SDK has no call."""

    def __init__(self, address: str, key: str | None = None) -> None:
        self.address = address
        self.use_key(key or f"key-{uuid4().hex}")

    def use_key(self, key: str) -> None:
        """Switch to another key. The SDK stores the key and the URLs in its class."""
        self.key = key
        Resemble.api_key(key)
        Resemble.base_url(f"{self.address}/resemble/api/")
        Resemble.direct_syn_server_url(f"{self.address}/resemble/synthesize")
        self.voices, self.recordings, self.clips = (
            Resemble.v2.voices,
            Resemble.v2.recordings,
            Resemble.v2.clips,
        )

    @property
    def key_digest(self) -> str:
        """The account's name in the sandbox's ledger."""
        return sha256(self.key.encode()).hexdigest()[:12]

    def call_api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        url = f"{self.address}/resemble/api/v2/{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS, **options)

    def create_voice(
        self, voice_type: str = "rapid", consent: str = "consent-slt", name: str = "Demo", **options: Any
    ) -> str:
        """Return the UUID of the new voice."""
        response = self.voices.create(name, encode_base64(load_sample_wav(consent)), voice_type=voice_type, **options)
        assert response["success"], response
        return str(response["item"]["uuid"])

    def upload_recording(self, voice: str, wav: bytes, name: str, text: str = "Some words.", **changes: Any) -> str:
        """Return the UUID of the new recording."""
        options: dict[str, Any] = {"is_active": True, "emotion": "neutral"} | changes
        response = self.recordings.create(voice, io.BytesIO(wav), name, text, **options)
        assert response["success"], response
        return str(response["item"]["uuid"])

    def upload_samples(self, voice: str, *names: str) -> None:
        for name in names:
            self.upload_recording(voice, load_sample_wav(name), name)

    def build_voice(self, voice: str) -> dict[str, Any]:
        """Start a build, wait until it ends, and return the voice."""
        response = self.voices.build(voice)
        assert response["success"], response
        return self.wait_for_end(voice)

    def wait_for_end(self, voice: str) -> dict[str, Any]:
        def fetch_ended_voice() -> dict[str, Any] | None:
            item: dict[str, Any] = self.voices.get(voice)["item"]
            return item if item["status"] in END_STATUSES else None

        return poll_until(fetch_ended_voice)


def encode_base64(wav: bytes) -> str:
    return b64encode(wav).decode()


SLT_CLIPS = tuple(f"slt-0{number}" for number in range(1, 9))
RMS_CLIPS = tuple(f"rms-0{number}" for number in range(1, 7))


@pytest.fixture(scope="package")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    # The tests and the official SDK poll faster than the vendor allows. test_rate_limits.py sets the limits.
    sandbox.call_control("POST", "settings", {"resemble_v1_calls_per_second": 0, "resemble_v2_calls_per_second": 0})
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(running_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """The running sandbox. Each test begins without faults and with the initial settings."""
    running_sandbox.call_control("DELETE", "faults")
    settings = running_sandbox.call_control("GET", "settings")["settings"]
    yield running_sandbox
    running_sandbox.call_control("POST", "settings", settings)
    running_sandbox.call_control("DELETE", "faults")


@pytest.fixture
def account(sandbox: SandboxProcess) -> SandboxAccount:
    return SandboxAccount(sandbox.address)


@pytest.fixture
def listener() -> Iterator[CallbackServer]:
    listener = CallbackServer()
    yield listener
    listener.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder for a sandbox that the test starts and stops itself."""
    return tmp_path / "own"


@pytest.fixture
def start_sandbox() -> Iterator[Callable[..., SandboxProcess]]:
    """A function that starts a separate sandbox. Sandboxes that still run after the test are killed."""
    sandboxes: list[SandboxProcess] = []

    def start_and_register(folder: Path, **options: Any) -> SandboxProcess:
        sandboxes.append(SandboxProcess(folder, **options))
        return sandboxes[-1]

    yield start_and_register
    for sandbox in sandboxes:
        if sandbox.process.poll() is None:
            sandbox.kill()
