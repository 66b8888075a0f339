"""A provider that wants the proof of a consent by mail gets no build before the proof is recorded."""

import hashlib
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from consent.labels import describe_event
from consent.models import Consent, ConsentStatus
from consent.services.audit_log import find_first_broken_event
from consent.services.review import withdraw_consent
from providers.types import Handover, Tier
from tests.support.offline_proofs import make_offline_proof
from tests.support.pdfs import make_pdf
from tests.support.sandbox import SandboxProcess
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Account, AccountMode, Build, BuildStatus, OfflineProof, Voice
from voices.services.builds.gaps import GapKind
from voices.services.builds.offline_proof import confirm_proof
from voices.services.builds.proof_files import check_proof_file
from voices.services.builds.readiness import check_readiness
from voices.services.builds.start import BuildRefused

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MISSING = "No proof of the consent for"
TODAY = timezone.localdate()


@pytest.fixture
def harness(sandbox: SandboxProcess, producer: User) -> BuildHarness:
    return BuildHarness(producer, sandbox, "resemble_v1", has_offline_proof=False)


def start_build(harness: BuildHarness, voice: Voice) -> Build:
    return harness.start_build(voice, Tier.PROFESSIONAL, Handover.SIGNED_PUT_TEXTS)


def make_proof(harness: BuildHarness, consent: Consent, account: Account | None = None) -> OfflineProof:
    return make_offline_proof(consent, account or harness.account, harness.producer)


def test_build_starts_only_with_a_proof_for_its_account(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    other = Account(name="Other", provider="resemble_v1", mode=AccountMode.SANDBOX)
    other.set_key("another-key")
    other.save()
    make_proof(harness, Consent.objects.get(), other)
    with pytest.raises(BuildRefused, match=MISSING):
        start_build(harness, voice)
    assert not Build.objects.exists() and not harness.count_requests()
    make_proof(harness, Consent.objects.get())
    assert harness.finish_build(start_build(harness, voice)).status == BuildStatus.READY


def test_readiness_names_missing_and_unconfirmed_proof(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    state = check_readiness(voice, harness.account, Tier.PROFESSIONAL)
    assert [gap.kind for gap in state.gaps] == [GapKind.OFFLINE_PROOF] and not state.is_ready
    proof = make_proof(harness, Consent.objects.get())
    state = check_readiness(voice, harness.account, Tier.PROFESSIONAL)
    assert state.is_ready and GapKind.OFFLINE_PROOF in [advice.kind for advice in state.advice]
    confirm_proof(proof, TODAY, harness.producer)
    state = check_readiness(voice, harness.account, Tier.PROFESSIONAL)
    assert GapKind.OFFLINE_PROOF not in [advice.kind for advice in state.advice]


def test_voice_without_consent_is_not_asked_for_a_proof(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    Consent.objects.update(status=ConsentStatus.SUBMITTED)
    state = check_readiness(voice, harness.account, Tier.PROFESSIONAL)
    assert not state.permission.is_given and GapKind.OFFLINE_PROOF not in [gap.kind for gap in state.gaps]


def test_proof_counts_for_the_consent_that_replaces_its_own(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    make_proof(harness, Consent.objects.get())
    newer = harness.make_consent(voice.talent)
    assert Consent.objects.get(replaced_by=newer).status == ConsentStatus.REPLACED
    assert check_readiness(voice, harness.account, Tier.PROFESSIONAL).is_ready


def test_proof_of_a_withdrawn_consent_does_not_count_for_the_next(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    make_proof(harness, Consent.objects.get())
    withdraw_consent(Consent.objects.get(), harness.producer, "They asked.")
    harness.make_consent(voice.talent)
    with pytest.raises(BuildRefused, match=MISSING):
        start_build(harness, voice)


def test_build_that_was_queued_before_goes_on_without_a_proof(harness: BuildHarness) -> None:
    """An upgrade finds builds that started when no proof was wanted."""
    voice = harness.make_voice()
    make_proof(harness, Consent.objects.get())
    build = start_build(harness, voice)
    OfflineProof.objects.all().delete()
    assert harness.finish_build(build).status == BuildStatus.READY


def test_audit_log_has_the_hash_of_the_document(harness: BuildHarness) -> None:
    harness.make_voice()
    consent = Consent.objects.get()
    proof = make_proof(harness, consent)
    confirm_proof(proof, TODAY, harness.producer)
    sent, confirmed = consent.events.order_by("sequence").filter(payload__proof=str(proof.pk))
    assert sent.payload["document"] == proof.sha256 == hashlib.sha256(make_pdf()).hexdigest()
    with proof.file.open("rb") as file:
        assert file.read() == make_pdf()
    assert describe_event(sent) == "Paula recorded that a proof of the consent was sent to ethics@provider.test"
    assert "the provider accepted the proof" in describe_event(confirmed)
    assert find_first_broken_event(consent) is None


def test_proof_is_refused_for_a_consent_that_is_not_in_force(harness: BuildHarness) -> None:
    harness.make_voice()
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    with pytest.raises(ActionRefused, match="not in force"):
        make_proof(harness, Consent.objects.get())
    assert not OfflineProof.objects.exists()


def test_confirmation_is_recorded_once_and_not_before_the_proof_was_sent(harness: BuildHarness) -> None:
    harness.make_voice()
    proof = make_proof(harness, Consent.objects.get())
    with pytest.raises(ActionRefused, match="before it was sent"):
        confirm_proof(proof, TODAY - timedelta(days=1), harness.producer)
    confirm_proof(proof, TODAY, harness.producer)
    with pytest.raises(ActionRefused, match="already recorded"):
        confirm_proof(proof, TODAY, harness.producer)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (make_pdf(), "application/pdf"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 40, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"0" * 40, "image/jpeg"),
        (b"\x00\x00\x00\x18ftypmp42" + b"0" * 40, "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  " + b"0" * 40, "video/quicktime"),
        (b"\x1aE\xdf\xa3" + b"0" * 40, "video/webm"),
        (b"<html><script>alert(1)</script></html>", ""),
        (b"MZ" + b"0" * 40, ""),
        (b"", ""),
        (make_pdf()[:-20], ""),
    ],
)
def test_content_type_is_read_from_the_file(content: bytes, content_type: str) -> None:
    checked = check_proof_file(SimpleUploadedFile("proof.pdf", content, content_type="application/pdf"))
    assert (checked.content_type if not checked.problem else "") == content_type
    assert bool(checked.problem) is not bool(content_type)
