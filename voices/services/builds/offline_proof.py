"""The proof of a consent that a provider wants by mail before any recording: what is missing, and its record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from consent.models import Consent, EventKind
from consent.services.audit_log import record_event
from consent.services.gate import BuildPermission
from providers import registry
from providers.types import Capabilities, ConsentProof
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.storage import hash_file
from voices.models import Account, OfflineProof
from voices.services.builds.proof_files import ProofFile

PROOF_MISSING = (
    "No proof of the consent for {account} is recorded. Mail the provider the contract or a video of the talent, then"
    " record it with the document."
)
PROOF_UNCONFIRMED = "{account} has not confirmed the proof of the consent yet. Until then it may refuse the build."

ProofKey = tuple[UUID, UUID]
"""The ids of a consent in force and of an account."""


@dataclass(frozen=True, slots=True)
class ProofDetails:
    """What a person records about a proof besides the document."""

    sent_on: date
    sent_to: str
    sent_by: str
    confirmed_on: date | None = None
    note: str = ""


def requires_proof(capabilities: Capabilities) -> bool:
    return capabilities.consent_proof is ConsentProof.OFFLINE


def provider_requires_proof(provider: str) -> bool:
    """Whether any tier of this provider wants a proof by mail."""
    return provider in registry.PROVIDERS and any(
        requires_proof(tier) for tier in registry.get_provider_class(provider).tiers.values()
    )


@dataclass(frozen=True, slots=True)
class Proofs:
    """The newest proof of each consent in force at each account."""

    by_key: Mapping[ProofKey, OfflineProof]

    def list_missing(self, capabilities: Capabilities, account: Account, consent: Consent | None) -> list[str]:
        """Why a build is refused. Empty if it needs no proof, has one, or has no consent to prove yet."""
        if consent is None or not requires_proof(capabilities) or (consent.pk, account.pk) in self.by_key:
            return []
        return [PROOF_MISSING.format(account=account.name)]

    def list_unconfirmed(self, capabilities: Capabilities, account: Account, consent: Consent | None) -> list[str]:
        """What staff should know about a proof that the provider has not confirmed."""
        proof = self.by_key.get((consent.pk, account.pk)) if consent and requires_proof(capabilities) else None
        return [PROOF_UNCONFIRMED.format(account=account.name)] if proof and proof.confirmed_on is None else []


def load_proofs(permissions: Iterable[BuildPermission], accounts: Iterable[Account]) -> Proofs:
    """The proofs for these results of the gate, in at most two queries.

    A proof of a consent that was replaced counts for its replacement, because it is the same talent who agreed.
    """
    consents = (permission.consent for permission in permissions)
    in_force = {consent.pk: consent for consent in consents if consent and provider_requires_proof(consent.provider)}
    account_ids = {account.pk for account in accounts if provider_requires_proof(account.provider)}
    if not (account_ids and in_force):
        return Proofs({})
    talents = {consent.talent_id for consent in in_force.values()}
    rows = OfflineProof.objects.filter(consent__talent__in=talents, account__in=account_ids).order_by("recorded_at")
    proofs = list(rows.defer("file_warnings", "note"))
    replaced_by = _load_replacements(talents) if any(row.consent_id not in in_force for row in proofs) else {}
    return Proofs({(_find_newest(row.consent_id, replaced_by), row.account_id): row for row in proofs})


def _load_replacements(talents: Iterable[UUID]) -> dict[UUID, UUID | None]:
    return dict(Consent.objects.filter(talent__in=talents).values_list("pk", "replaced_by"))


def _find_newest(consent_id: UUID, replaced_by: Mapping[UUID, UUID | None]) -> UUID:
    while replacement := replaced_by.get(consent_id):
        consent_id = replacement
    return consent_id


def list_proof_accounts(consent: Consent) -> list[Account]:
    """The accounts to which a proof of this consent can be sent."""
    return list(Account.objects.filter(provider=consent.provider)) if provider_requires_proof(consent.provider) else []


def record_proof(
    consent: Consent, account: Account, file: "UploadedFile[Any]", checked: ProofFile, details: ProofDetails, by: User
) -> OfflineProof:
    """Store a document that passed `check_proof_file`, and record in the audit log to whom it was sent.

    Raises ActionRefused if the consent is not in force, or the account belongs to another provider.
    """
    if account not in list_proof_accounts(consent):
        raise ActionRefused("This account needs no proof of this consent. Choose another account.")
    proof = OfflineProof(
        consent=consent,
        account=account,
        file_name=(file.name or "proof")[-200:],
        content_type=checked.content_type,
        file_warnings=[finding.as_dict() for finding in checked.warnings],
        sha256=hash_file(file),
        size=file.size or 0,
        sent_on=details.sent_on,
        sent_to=details.sent_to,
        sent_by=details.sent_by,
        confirmed_on=details.confirmed_on,
        confirmed_by=by if details.confirmed_on else None,
        note=details.note,
        recorded_by=by,
    )
    _require_consent_in_force(consent)
    # Not in the transaction: while it waits for the storage, it would block other SQLite writers.
    proof.file.save(proof.file_name, file, save=False)
    try:
        with transaction.atomic():
            _require_consent_in_force(consent, lock=True)
            proof.save(force_insert=True)
            _record_event(proof, by, sent_on=details.sent_on.isoformat())
    except BaseException:
        if not OfflineProof.objects.filter(pk=proof.pk).exists():
            proof.file.storage.delete(str(proof.file.name))
        raise
    return proof


def _require_consent_in_force(consent: Consent, *, lock: bool = False) -> None:
    rows = Consent.objects.select_for_update() if lock else Consent.objects.all()
    if not (rows & Consent.objects.in_force_or_suspended()).filter(pk=consent.pk).exists():
        raise ActionRefused("This consent is not in force, so there is nothing to prove. Approve a consent first.")


def confirm_proof(proof: OfflineProof, confirmed_on: date, by: User) -> None:
    """Record that the provider accepted a proof. Raises ActionRefused if this is recorded, or the day cannot be."""
    with transaction.atomic():
        row = OfflineProof.objects.select_for_update().select_related("consent", "account").get(pk=proof.pk)
        if row.confirmed_on:
            raise ActionRefused("The confirmation of this proof is already recorded.")
        if confirmed_on < row.sent_on:
            raise ActionRefused("The provider cannot have confirmed the proof before it was sent. Correct the date.")
        row.confirmed_on, row.confirmed_by = confirmed_on, by
        row.save(update_fields=["confirmed_on", "confirmed_by"])
        _record_event(row, by, confirmed_on=confirmed_on.isoformat())


def _record_event(proof: OfflineProof, by: User, **dates: str) -> None:
    """An entry of the kind “sent to the provider”, which names the document by its hash."""
    payload: dict[str, Any] = {"document": proof.sha256, "account": str(proof.account_id), "to": proof.sent_to, **dates}
    record_event(proof.consent, EventKind.USED, by, proof=str(proof.pk), **payload)
