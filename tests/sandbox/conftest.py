"""One sandbox for all tests of this folder; each test has an account of its own in it."""

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

from tests.support.sandbox import PATIENCE, Listener, Sandbox, until
from tests.support.wav import sample_wav

ENDED = ("finished", "dataset_issue", "consent_validation_failed")


class Studio:
    """A customer of the vendor: the official SDK with a key of its own, and plain HTTP for what the SDK lacks."""

    def __init__(self, address: str, key: str | None = None) -> None:
        self.address = address
        self.use(key or f"key-{uuid4().hex}")

    def use(self, key: str) -> None:
        """Go on with another key. The SDK keeps key and addresses in its class."""
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
    def hint(self) -> str:
        """What the sandbox's ledger calls this account."""
        return sha256(self.key.encode()).hexdigest()[:12]

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        url = f"{self.address}/resemble/api/v2/{path}"
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **more)

    def voice(self, voice_type: str = "rapid", consent: str = "consent-slt", name: str = "Demo", **more: Any) -> str:
        """A new voice; its uuid."""
        answer = self.voices.create(name, base64_wav(sample_wav(consent)), voice_type=voice_type, **more)
        assert answer["success"], answer
        return str(answer["item"]["uuid"])

    def record(self, voice: str, wav: bytes, name: str, text: str = "Some words.", **more: Any) -> str:
        """Upload a recording; its uuid."""
        given: dict[str, Any] = {"is_active": True, "emotion": "neutral"} | more
        answer = self.recordings.create(voice, io.BytesIO(wav), name, text, **given)
        assert answer["success"], answer
        return str(answer["item"]["uuid"])

    def record_samples(self, voice: str, *names: str) -> None:
        for name in names:
            self.record(voice, sample_wav(name), name)

    def build(self, voice: str) -> dict[str, Any]:
        """Build and wait for the end; the voice as it is then."""
        answer = self.voices.build(voice)
        assert answer["success"], answer
        return self.ended(voice)

    def ended(self, voice: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            item: dict[str, Any] = self.voices.get(voice)["item"]
            return item if item["status"] in ENDED else None

        return until(look)


def base64_wav(wav: bytes) -> str:
    return b64encode(wav).decode()


SLT = tuple(f"slt-0{number}" for number in range(1, 9))
RMS = tuple(f"rms-0{number}" for number in range(1, 7))


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """The running sandbox, well-behaved at the start of each test."""
    running.control("DELETE", "faults")
    before = running.control("GET", "settings")["settings"]
    yield running
    running.control("POST", "settings", before)
    running.control("DELETE", "faults")


@pytest.fixture
def studio(sandbox: Sandbox) -> Studio:
    return Studio(sandbox.address)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a sandbox that a test starts and stops by itself."""
    return tmp_path / "own"


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox of the test's own; what a failed test left running is killed."""
    started: list[Sandbox] = []

    def begin(folder: Path, **more: Any) -> Sandbox:
        started.append(Sandbox(folder, **more))
        return started[-1]

    yield begin
    for sandbox in started:
        if sandbox.process.poll() is None:
            sandbox.kill()
