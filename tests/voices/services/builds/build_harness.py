"""Helpers for build tests: a talent with contract and consent, real speech, and an account in the test's sandbox.

Tests check the result of a build in the sandbox's ledger and request log, never only in VoiceHub's own tables.
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

from consent.models import Capture, Consent, ConsentStatus, Contract, Purpose, Statement, Talent, TalentMail
from consent.services.invitations import request_consent
from consent.services.takes import submit_take
from providers.types import Handover, Tier
from tests.support.approval import approve_after_listening
from tests.support.checked import mark_checked
from tests.support.contracts import confirm_purposes, make_confirmed_terms
from tests.support.offline_proofs import make_required_proof
from tests.support.pdfs import make_pdf
from tests.support.sandbox import SandboxProcess, poll_until
from tests.support.task_runner import run_due_tasks
from tests.support.wav import SAMPLE_FOLDER, load_sample_wav
from voicehub.models import Task, TaskStatus, User
from voices.models import Account, AccountMode, Build, BuildStatus, LimitOverride, Recording, Voice
from voices.services.builds.start import start_build
from voices.services.recordings.store import add_recording, create_voice, set_active

PROVIDER = "resemble_v2"
SLT_CLIPS = ("slt-01", "slt-02", "slt-03")
QUICK_SETTINGS = {
    "rapid_recordings": 3,
    "professional_recordings": 3,
    "professional_seconds": 10.0,
    "training_seconds": 0.0,
}
ACTIVE_STATUSES = (BuildStatus.QUEUED, BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED, BuildStatus.TRAINING)


load_sample = cache(load_sample_wav)


def make_upload(name: str) -> SimpleUploadedFile:
    """A sample recording as a WAV, or as its FLAC file if the name says so."""
    if name.endswith(".flac"):
        return SimpleUploadedFile(name, (SAMPLE_FOLDER / name).read_bytes(), content_type="audio/flac")
    return SimpleUploadedFile(f"{name}.wav", load_sample(name), content_type="audio/wav")


def forget_receipts(consent: Consent) -> None:
    """Send no mails with the receipt, which tests in tests/consent read: each takes as long as a build."""
    mails = map(str, TalentMail.objects.filter(consent=consent).values_list("pk", flat=True))
    Task.objects.filter(kind="send_talent_mail", object_id__in=list(mails), status=TaskStatus.WAITING).delete()


@dataclass
class BuildHarness:
    """Creates the rows of a build, runs its tasks, and reads what the sandbox received."""

    producer: User
    sandbox: SandboxProcess
    provider: str = PROVIDER
    key: str = field(default_factory=lambda: f"key-{uuid4().hex}")
    has_offline_proof: bool = True

    def __post_init__(self) -> None:
        self.requests_before = self.sandbox.get_last_number()
        self.account = Account(name=f"Sandbox {self.key[-6:]}", provider=self.provider, mode=AccountMode.SANDBOX)
        self.account.set_key(self.key)
        self.account.save(force_insert=True)
        # Data migrations create these rows, but a test that empties the whole database deletes them.
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

    def make_talent(self) -> Talent:
        return Talent.objects.create(name="Tilda Strand", email="tilda@people.test", created_by=self.producer)

    def make_contract(self, talent: Talent, *, is_confirmed: bool = True, **terms: Any) -> Contract:
        today = timezone.localdate()
        fields = {
            "signed_on": today - timedelta(days=9),
            "starts_on": today - timedelta(days=9),
            "purposes": [Purpose.NARRATION],
            "providers": [self.provider],
            "intended_uses": "Audiobooks.",
            "compensation": "EUR 900",
            "representation": "Agent",
            "sha256": hashlib.sha256(make_pdf()).hexdigest(),
            **make_confirmed_terms(),
        }
        contract = Contract(talent=talent, filed_by=self.producer, **fields | terms)
        contract.file.save("contract.pdf", ContentFile(make_pdf()), save=False)
        contract.save(force_insert=True)
        if is_confirmed:
            confirm_purposes(contract, self.producer)
        return contract

    def make_consent(self, talent: Talent, take: str = "consent-slt", **terms: Any) -> Consent:
        """Return an approved consent. Its take is this sample recording."""
        fields = {"provider": self.provider, "purpose": Purpose.NARRATION, "valid_until": None} | terms
        consent = request_consent(
            talent, fields["provider"], "en-US", fields["purpose"], self.producer, valid_until=fields["valid_until"]
        )
        submitted_take = submit_take(consent, make_upload(take), Capture.LINK)
        consent.refresh_from_db()
        approve_after_listening(consent, submitted_take, self.producer)
        assert consent.status == ConsentStatus.APPROVED
        forget_receipts(consent)
        if self.has_offline_proof:
            make_required_proof(consent, self.account, self.producer)
        return consent

    def make_voice(self, *clips: str, take: str = "consent-slt") -> Voice:
        """Return a voice that the gate allows to build, with these sample recordings (by default three good ones)."""
        talent = self.make_talent()
        self.make_contract(talent)
        self.make_consent(talent, take)
        voice = create_voice(talent, "Narrator", "en-US", Purpose.NARRATION, self.producer)
        for name in clips or SLT_CLIPS:
            self.add_recording(voice, name)
        return voice

    def add_recording(self, voice: Voice, name: str) -> Recording:
        """Add a sample as checked. A person puts it into builds if a check leaves it out: a build must judge it."""
        recording, _new = add_recording(voice, make_upload(name), self.producer, f"Words of {name}.")
        mark_checked(voice)
        recording.refresh_from_db()
        if not recording.active:
            set_active(recording, True)
        return recording

    # --- builds and their tasks ---

    def start_build(self, voice: Voice, tier: Tier = Tier.RAPID, handover: Handover = Handover.RECORDINGS) -> Build:
        return start_build(voice, self.account, tier, handover, self.producer)

    def run_tasks(self, rounds: int = 1) -> None:
        """Make every waiting task due and run the due tasks, `rounds` times. A build is polled once in each round."""
        for _ in range(rounds):
            Task.objects.filter(status=TaskStatus.WAITING).update(due_at=timezone.now(), notified_at=None)
            run_due_tasks(once="refresh_build")

    def finish_build(self, build: Build) -> Build:
        """Run tasks until the build has a final status."""

        def is_finished() -> bool:
            self.run_tasks()
            build.refresh_from_db()
            return build.status not in ACTIVE_STATUSES

        poll_until(is_finished)
        return build

    def reach_status(self, build: Build, status: BuildStatus) -> Build:
        """Run the due tasks once. Then the build must have this status."""
        self.run_tasks()
        build.refresh_from_db()
        assert build.status == status, (build.status, build.issue, build.progress_message)
        return build

    # --- the sandbox ---

    @property
    def key_hash(self) -> str:
        """The name of this account in the sandbox's ledger and request log."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]

    def count_billed(self) -> Counter[str]:
        """Count this account's operations in the ledger, which lists what a vendor would bill."""
        return Counter(line["operation"] for line in self.sandbox.read_ledger(account=self.key_hash))

    def list_requests(self, *operations: str) -> list[dict[str, Any]]:
        """List this account's requests to the sandbox: all, or only those of these operations.

        A request that a fault stops before the sandbox handles it is not in the list.
        """
        requests = self.sandbox.list_requests(account=self.key_hash)
        return [request for request in requests if not operations or request["operation"] in operations]

    def count_requests(self, method: str = "") -> int:
        """Count all requests to the sandbox since this harness was made, from any sender and with any result."""
        requests = self.sandbox.list_requests(after=self.requests_before)
        requests = [request for request in requests if not request["path"].startswith("/__control")]
        return len([request for request in requests if method in ("", request["method"])])

    def fetch_voice(self, build: Build) -> dict[str, Any]:
        """Fetch the sandbox's JSON of the build's voice."""
        voice: dict[str, Any] = self.fetch_json(f"voices/{build.remote_voice.remote_id}")["item"]
        return voice

    def fetch_recordings(self, build: Build) -> dict[str, str]:
        """Fetch the recordings of the build's voice in the sandbox. Map each name to its transcript."""
        page = self.fetch_json(f"voices/{build.remote_voice.remote_id}/recordings?page=1&page_size=100")
        return {item["name"]: item["text"] for item in page["items"]}

    def fetch_json(self, path: str) -> dict[str, Any]:
        """Send a GET with the account's key. The sandbox counts it, so count the requests of VoiceHub before."""
        import requests

        url = f"{self.sandbox.address}/resemble/api/v2/{path}"
        response = requests.get(url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)
        data: dict[str, Any] = response.json()
        return data
