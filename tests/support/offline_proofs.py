"""The proof of a consent that a provider wants by mail, recorded as staff would."""

from datetime import date
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from consent.models import Consent
from tests.support.pdfs import make_pdf
from voicehub.models import User
from voices.models import Account, OfflineProof
from voices.services.builds.offline_proof import ProofDetails, provider_requires_proof, record_proof
from voices.services.builds.proof_files import check_proof_file


def make_proof_upload(name: str = "contract.pdf", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_pdf() if content is None else content)


def make_offline_proof(
    consent: Consent, account: Account, by: User, *, confirmed_on: date | None = None, **details: Any
) -> OfflineProof:
    file = make_proof_upload()
    sent = {"sent_on": timezone.localdate(), "sent_to": "ethics@provider.test", "sent_by": str(by), **details}
    return record_proof(
        consent, account, file, check_proof_file(file), ProofDetails(confirmed_on=confirmed_on, **sent), by
    )


def make_required_proof(consent: Consent, account: Account, by: User) -> None:
    """Record a confirmed proof if the provider wants one by mail."""
    if provider_requires_proof(account.provider) and consent.provider == account.provider:
        make_offline_proof(consent, account, by, confirmed_on=timezone.localdate())
