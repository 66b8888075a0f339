"""A studio at work: a talent with everything in force, real speech, and an account at the sandbox of the test.

What became of a build is asked of the sandbox, by its ledger and its log, never of our own tables alone.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, Contract, Purpose, Statement, Talent
from consent.services.invitations import request_consent
from consent.services.takes import submit_take
from providers.types import Handover, Tier
from tests.support.approval import approve_after_listening
from tests.support.sandbox import Sandbox, until
from tests.support.wav import sample_wav
from tests.support.work import do_tasks
from voicehub.models import Task, TaskStatus, User
from voices.models import Account, Build, BuildStatus, LimitOverride, Mode, Recording, Voice
from voices.services.builds.start import start_build
from voices.services.recordings.store import add_recording, create_voice

PROVIDER = "resemble_v2"
SLT = ("slt-01", "slt-02", "slt-03")
FEW = {"rapid_recordings": 3, "professional_recordings": 3, "professional_seconds": 10.0, "training_seconds": 0.0}
GOES_ON = (BuildStatus.QUEUED, BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED, BuildStatus.TRAINING)


sound = cache(sample_wav)


def wav(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(f"{name}.wav", sound(name), content_type="audio/wav")


@dataclass
class Desk:
    producer: User
    sandbox: Sandbox
    provider: str = PROVIDER
    key: str = field(default_factory=lambda: f"key-{uuid4().hex}")

    def __post_init__(self) -> None:
        self.since = int(self.sandbox.control("GET", "requests")["count"])
        self.account = Account(name=f"Sandbox {self.key[-6:]}", provider=self.provider, mode=Mode.SANDBOX)
        self.account.set_key(self.key)
        self.account.save(force_insert=True)
        # What a migration brings is gone after a test that empties the whole database.
        Statement.objects.get_or_create(
            provider=self.provider,
            language="en-US",
            version=1,
            defaults={"text": "I, {talent}, let {company}.", "source": "Test", "source_date": "2026-01-01"},
        )
        for limit, value in {"least_recordings": 3, "least_seconds": 10}.items():
            LimitOverride.objects.get_or_create(
                provider=self.provider, tier=Tier.PROFESSIONAL, limit=limit, defaults={"value": value, "source": "Test"}
            )

    # --- rows ---

    def talent(self) -> Talent:
        return Talent.objects.create(name="Tilda Strand", email="tilda@people.test", created_by=self.producer)

    def contract(self, talent: Talent, **terms: Any) -> Contract:
        today = timezone.localdate()
        filed = {
            "signed_on": today - timedelta(days=9),
            "starts_on": today - timedelta(days=9),
            "purposes": [Purpose.NARRATION],
            "providers": [self.provider],
            "intended_uses": "Audiobooks.",
            "sha256": "0" * 64,
        }
        contract = Contract(talent=talent, filed_by=self.producer, **filed | terms)
        contract.file.save("contract.pdf", ContentFile(b"%PDF-1.4\n%%EOF"), save=False)
        contract.save(force_insert=True)
        return contract

    def consent(self, talent: Talent, take: str = "consent-slt", **terms: Any) -> Consent:
        """A consent in force, on the strength of this take."""
        asked = {"provider": self.provider, "purpose": Purpose.NARRATION, "valid_until": None} | terms
        consent = request_consent(
            talent, asked["provider"], "en-US", asked["purpose"], self.producer, valid_until=asked["valid_until"]
        )
        given = submit_take(consent, wav(take), Capture.LINK)
        consent.refresh_from_db()
        approve_after_listening(consent, given, self.producer)
        assert consent.status == ConsentStatus.APPROVED
        return consent

    def voice(self, *clips: str, take: str = "consent-slt") -> Voice:
        """A voice that may be built, with these recordings of the sample (three good ones)."""
        talent = self.talent()
        self.contract(talent)
        self.consent(talent, take)
        voice = create_voice(talent, "Narrator", "en-US", Purpose.NARRATION, self.producer)
        for name in clips or SLT:
            self.record(voice, name)
        return voice

    def record(self, voice: Voice, name: str) -> Recording:
        recording, _new = add_recording(voice, wav(name), self.producer, f"Words of {name}.")
        return recording

    # --- work ---

    def start(self, voice: Voice, tier: Tier = Tier.RAPID, handover: Handover = Handover.RECORDINGS) -> Build:
        return start_build(voice, self.account, tier, handover, self.producer)

    def work(self, rounds: int = 1) -> None:
        """Let the time pass that every task waits for, and do what is due; so many times."""
        for _ in range(rounds):
            Task.objects.filter(status=TaskStatus.WAITING).update(due_at=timezone.now(), notified_at=None)
            do_tasks()

    def finish(self, build: Build) -> Build:
        """Work until the build is over."""

        def over() -> bool:
            self.work()
            build.refresh_from_db()
            return build.status not in GOES_ON

        until(over)
        return build

    def reach(self, build: Build, status: BuildStatus) -> Build:
        """Work once, which must bring the build to this status."""
        self.work()
        build.refresh_from_db()
        assert build.status == status, (build.status, build.issue, build.progress_message)
        return build

    # --- the oracle ---

    @property
    def hint(self) -> str:
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]

    def ledger(self) -> Counter[str]:
        return Counter(line["operation"] for line in self.sandbox.ledger(account=self.hint))

    def asked(self, *operations: str) -> list[dict[str, Any]]:
        """What the sandbox was asked under this account: all, or these operations. A fault `before` is not in it."""
        mine = [seen for seen in self.sandbox.requests() if seen["account"] == self.hint]
        return [seen for seen in mine if not operations or seen["operation"] in operations]

    def traffic(self, method: str = "") -> int:
        """How many requests the sandbox got since this desk was set up, from anybody, and whatever came of them."""
        seen = [one for one in self.sandbox.requests() if not one["path"].startswith("/__control")]
        return len([one for one in seen if one["number"] > self.since and method in ("", one["method"])])

    def remote(self, build: Build) -> dict[str, Any]:
        """The voice as the sandbox describes it."""
        found: dict[str, Any] = self.ask(f"voices/{build.remote_voice.remote_id}")["item"]
        return found

    def remote_recordings(self, build: Build) -> dict[str, str]:
        """Name and words of the recordings that the sandbox has of the voice."""
        listed = self.ask(f"voices/{build.remote_voice.remote_id}/recordings?page=1&page_size=100")
        return {item["name"]: item["text"] for item in listed["items"]}

    def ask(self, path: str) -> dict[str, Any]:
        """Look around at the sandbox; under the account's key, so count before you look."""
        import requests

        url = f"{self.sandbox.address}/resemble/api/v2/{path}"
        answer = requests.get(url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)
        found: dict[str, Any] = answer.json()
        return found
