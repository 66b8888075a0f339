"""Voices that a provider has, as the sandbox plays it, and rows here that know of them."""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

import requests
from django.utils import timezone

from providers import registry
from tests.support.sandbox import PATIENCE, Sandbox, until
from tests.support.wav import speech_like, wav_bytes
from tests.support.work import do_tasks
from tests.voices.rows import Studio
from voicehub.models import Task, TaskStatus, User
from voices.models import Account, BuildStatus, Mode, RemoteVoice


@cache
def make_speech() -> bytes:
    return wav_bytes(speech_like(12.0))


class ProviderStudio(Studio):
    """A studio with an account of its own in the sandbox."""

    sandbox: Sandbox

    @classmethod
    def create(cls, provider: str, sandbox: Sandbox, producer: User) -> "ProviderStudio":
        account = Account(name="Main", provider=provider, mode=Mode.SANDBOX)
        account.set_key(f"key-{uuid4().hex}")
        account.save(force_insert=True)
        made = cls(producer, account, provider=provider)
        made.sandbox = sandbox
        return made

    def create_provider_voice(self, name: str, **fields: str) -> str:
        """A voice that the provider has and nobody here knows; its id."""
        ways: dict[str, Callable[..., str]] = {"voiceai": self._voiceai, "resemble_v1": self._resemble_v1}
        return ways[self.provider](name, **fields)

    def _voiceai(self, name: str, **fields: str) -> str:
        parts = {"file": ("voice.wav", make_speech(), "audio/wav")}
        made = self.request_provider(
            "POST", "voiceai/api/v1/tts/clone-voice", files=parts, data={"name": name, **fields}
        )
        remote_id = str(made["voice_id"])
        until(lambda: self.fetch_voice(remote_id)["status"] == "AVAILABLE")
        return remote_id

    def _resemble_v1(self, name: str) -> str:
        file = {"filename": "voice.wav", "content_type": "audio/x-wav", "byte_size": 9, "checksum": "A" * 22 + "=="}
        return str(self.request_provider("POST", "resemble/api/v1/voices", json={"name": name, **file})["voice"])

    def fetch_voice(self, remote_id: str) -> dict[str, Any]:
        """A voice as Voice.ai's side describes it."""
        return self.request_provider("GET", f"voiceai/api/v1/tts/voice/{remote_id}")

    def fetch_voice_status(self, remote_id: str) -> int:
        """Of the answer, where there may be no such voice."""
        url = f"{self.sandbox.address}/voiceai/api/v1/tts/voice/{remote_id}"
        return requests.get(
            url, headers={"Authorization": f"Bearer {self.account.decrypt_key()}"}, timeout=PATIENCE
        ).status_code

    def request_provider(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Whoever else has the key asks the provider, past VoiceHub."""
        header = self.account.decrypt_key()
        word = f"Token token={header}" if "resemble/api/v1" in path else f"Bearer {header}"
        url, headers = f"{self.sandbox.address}/{path}", {"Authorization": word}
        answer = requests.request(method, url, headers=headers, timeout=PATIENCE, **body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def count_requests(self) -> int:
        """How many calls the provider got, from anybody."""
        return len([one for one in self.sandbox.requests() if not one["path"].startswith("/__control")])

    def make_remote_voice(self, **fields: str) -> RemoteVoice:
        """A voice that was built from here, is ready, and is there."""
        build = self.make_build(self.make_voice(), BuildStatus.READY)
        remote = build.remote_voice
        fields = {"voice_visibility": "PRIVATE"} | fields if self.provider == "voiceai" else fields
        remote.remote_id = self.create_provider_voice(remote.reference, **fields)
        remote.tier = next(iter(registry.get_provider_class(self.provider).tiers))
        remote.save(update_fields=["remote_id", "tier"])
        return remote

    def run_tasks(self) -> None:
        """Let the time pass that every task waits for, and do what is due; what is to be done later again is not."""
        Task.objects.filter(status=TaskStatus.WAITING).update(due_at=timezone.now(), notified_at=None)
        do_tasks()
