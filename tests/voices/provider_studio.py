"""Factory for voices that exist at a provider in the sandbox, and for VoiceHub's rows of these voices."""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

import requests
from django.utils import timezone

from providers import registry
from tests.support.sandbox import TIMEOUT_SECONDS, SandboxProcess, poll_until
from tests.support.task_runner import run_due_tasks
from tests.support.wav import make_speech_like, make_wav_bytes
from tests.voices.rows import Studio
from voicehub.models import Task, TaskStatus, User
from voices.models import Account, AccountMode, BuildStatus, RemoteVoice


@cache
def make_speech() -> bytes:
    return make_wav_bytes(make_speech_like(12.0))


class ProviderStudio(Studio):
    """A studio with its own account in the sandbox."""

    sandbox: SandboxProcess

    @classmethod
    def create(cls, provider: str, sandbox: SandboxProcess, producer: User) -> "ProviderStudio":
        account = Account(name="Main", provider=provider, mode=AccountMode.SANDBOX)
        account.set_key(f"key-{uuid4().hex}")
        account.save(force_insert=True)
        studio = cls(producer, account, provider=provider)
        studio.sandbox = sandbox
        return studio

    def create_provider_voice(self, name: str, **fields: str) -> str:
        """Create a voice at the provider that VoiceHub does not know. Return its remote ID."""
        methods: dict[str, Callable[..., str]] = {
            "voiceai": self._clone_voiceai_voice,
            "resemble_v1": self._create_resemble_v1_voice,
            "speechgen": self._clone_speechgen_voice,
        }
        return methods[self.provider](name, **fields)

    def _clone_voiceai_voice(self, name: str, **fields: str) -> str:
        files = {"file": ("voice.wav", make_speech(), "audio/wav")}
        voice = self.request_provider(
            "POST", "voiceai/api/v1/tts/clone-voice", files=files, data={"name": name, **fields}
        )
        remote_id = str(voice["voice_id"])
        poll_until(lambda: self.fetch_voice(remote_id)["status"] == "AVAILABLE")
        return remote_id

    def _clone_speechgen_voice(self, name: str) -> str:
        audio = {"audio": ("voice.wav", make_speech(), "audio/wav")}
        return str(
            self.request_provider("POST", "speechgen/v1/voice-clone", files=audio, data={"name": name})["model_id"]
        )

    def _create_resemble_v1_voice(self, name: str) -> str:
        file = {"filename": "voice.wav", "content_type": "audio/x-wav", "byte_size": 9, "checksum": "A" * 22 + "=="}
        return str(self.request_provider("POST", "resemble/api/v1/voices", json={"name": name, **file})["voice"])

    def fetch_voice(self, remote_id: str) -> dict[str, Any]:
        """Return the JSON that Voice.ai gives for a voice."""
        return self.request_provider("GET", f"voiceai/api/v1/tts/voice/{remote_id}")

    def fetch_voice_status(self, remote_id: str) -> int:
        """Return the HTTP status of a request for a voice, also for a voice that does not exist."""
        url = f"{self.sandbox.address}/voiceai/api/v1/tts/voice/{remote_id}"
        return requests.get(
            url, headers={"Authorization": f"Bearer {self.account.decrypt_key()}"}, timeout=TIMEOUT_SECONDS
        ).status_code

    def request_provider(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Call the provider without VoiceHub, like another user of the same key."""
        key = self.account.decrypt_key()
        authorization = f"Token token={key}" if "resemble/api/v1" in path else f"Bearer {key}"
        url, headers = f"{self.sandbox.address}/{path}", {"Authorization": authorization}
        response = requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS, **body)
        response.raise_for_status()
        data: dict[str, Any] = response.json()
        return data

    def count_requests(self) -> int:
        return len([entry for entry in self.sandbox.list_requests() if not entry["path"].startswith("/__control")])

    def make_remote_voice(self, **fields: str) -> RemoteVoice:
        build = self.make_build(self.make_voice(), BuildStatus.READY)
        remote = build.remote_voice
        fields = {"voice_visibility": "PRIVATE"} | fields if self.provider == "voiceai" else fields
        remote.remote_id = self.create_provider_voice(remote.reference, **fields)
        remote.tier = next(iter(registry.get_provider_class(self.provider).tiers))
        remote.save(update_fields=["remote_id", "tier"])
        return remote

    def run_tasks(self) -> None:
        """Make every waiting task due and run each once, also a task that is then rescheduled for later."""
        Task.objects.filter(status=TaskStatus.WAITING).update(due_at=timezone.now(), notified_at=None)
        run_due_tasks()
