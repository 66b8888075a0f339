"""Filing a contract with its terms, confirming the terms that the gate needs, and suspending a contract."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from audio.documents.pdf import inspect_pdf
from audio.findings.findings import FileRefused, Finding
from consent.extension_points import resume_use
from consent.models import Contract, ContractConfirmation, ContractDraft, ContractSuspension, Talent
from consent.services.contract_drafts import use_draft
from consent.services.evidence_checks import check_contract_file
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.storage import StorageUnavailable, hash_file
from voicehub.upload_limits import CONTRACT_BYTES


@dataclass(frozen=True, slots=True)
class PdfCheck:
    """Why a file cannot be filed as a contract, or else the warnings about its content."""

    problem: str = ""
    warnings: tuple[Finding, ...] = ()


def check_pdf(file: "File[Any]") -> PdfCheck:
    """Check a file that is to be filed as a contract; a limited child process opens it."""
    if problem := _find_pdf_problem(file):
        return PdfCheck(problem)
    try:
        return PdfCheck(warnings=tuple(inspect_pdf(cast(BinaryIO, file))))
    except FileRefused as refused:
        return PdfCheck(f"{refused.finding.text} {refused.finding.advice}")
    finally:
        file.seek(0)


def _find_pdf_problem(file: "File[Any]") -> str:
    """Why this cannot be a whole PDF, or an empty string.

    A PDF has its header within the first 1,024 bytes and ends with %%EOF (ISO 32000-1, 7.5 and annex H).
    """
    if (file.size or 0) > CONTRACT_BYTES:
        return f"The file is larger than {CONTRACT_BYTES >> 20} MB. Make it smaller and try again."
    file.seek(0)
    head = file.read(1024)
    file.seek(max((file.size or 0) - 1024, 0))
    tail = file.read()
    file.seek(0)
    if b"%PDF-" not in head:
        return "This is not a PDF. Save or scan the contract as a PDF and try again."
    if b"%%EOF" not in tail:
        return "The end of this PDF is missing. Save it again and try again."
    return ""


def file_contract(
    talent: Talent,
    file: "File[Any]",
    terms: dict[str, Any],
    by: User,
    *,
    are_uses_read: bool = False,
    warnings: Sequence[Finding] = (),
    draft: ContractDraft | None = None,
) -> Contract:
    """File a contract that passed `check_pdf` with these warnings; `terms` maps field names of Contract to values.

    `are_uses_read` confirms every purpose: the person has read the excluded uses and the training clause. The stored
    file is read back. If it differs, the contract is kept with this result, and the gate refuses it. `draft` was kept
    after an error in the form, and is no longer needed. Raises ActionRefused if a contract was filed from it before.
    """
    contract = Contract(
        talent=talent,
        file=file,
        file_name=(file.name or "contract.pdf")[-200:],
        sha256=hash_file(file),
        file_warnings=[finding.as_dict() for finding in warnings],
        filed_by=by,
    )
    for name, value in terms.items():
        setattr(contract, name, value)
    _record_confirmer(contract, by)
    with transaction.atomic():
        if draft:
            use_draft(draft)
        contract.save(force_insert=True)
        if are_uses_read:
            _confirm_purposes(contract, contract.purposes, by)
    with suppress(StorageUnavailable):
        check_contract_file(contract)
    return contract


def confirm_terms(
    contract: Contract, by: User, *, company: str = "", countries: Sequence[str] = (), purposes: Collection[str] = ()
) -> None:
    """Confirm the party, the countries or purposes of a contract. What is confirmed is never changed.

    Raises ActionRefused for a term that is already confirmed, and for a purpose that the contract does not allow.
    """
    with transaction.atomic():
        row = Contract.objects.select_for_update().get(pk=contract.pk)
        if (company and row.company) or (countries and row.countries):
            raise ActionRefused("This is already confirmed. To change it, add a contract that replaces this one.")
        if not set(purposes) <= set(row.purposes):
            raise ActionRefused("The contract does not allow this purpose. Reload the page and try again.")
        row.company, row.countries = row.company or company, row.countries or list(countries)
        _record_confirmer(row, by)
        row.save(update_fields=["company", "countries", "terms_confirmed_by", "terms_confirmed_at"])
        _confirm_purposes(row, purposes, by)


def _record_confirmer(contract: Contract, by: User) -> None:
    """Record who confirmed the party and the countries, once both are known."""
    if contract.company and contract.countries and not contract.terms_confirmed_by_id:
        contract.terms_confirmed_by, contract.terms_confirmed_at = by, timezone.now()


def _confirm_purposes(contract: Contract, purposes: Collection[str], by: User) -> None:
    """Confirm these purposes. A purpose that is already confirmed keeps its first name and date."""
    confirmed = set(contract.confirmations.values_list("purpose", flat=True))
    for purpose in purposes:
        if purpose not in confirmed:
            ContractConfirmation.objects.create(contract=contract, purpose=purpose, confirmed_by=by)


def suspend_contract(contract: Contract, by: User, reason: str) -> None:
    """Stop everything that this contract allows until it is resumed. Nothing is deleted. Raises ActionRefused."""
    with transaction.atomic():
        Contract.objects.select_for_update().get(pk=contract.pk)
        if contract.suspensions.filter(resumed_at__isnull=True).exists():
            raise ActionRefused("This contract is already suspended.")
        if not Contract.objects.current().filter(pk=contract.pk).exists():
            raise ActionRefused("This contract is not in force, so there is nothing to suspend.")
        ContractSuspension.objects.create(contract=contract, suspended_by=by, reason=reason)


def resume_contract(contract: Contract, by: User, reason: str) -> None:
    """Allow again what a suspended contract allows. Raises ActionRefused."""
    with transaction.atomic():
        suspended = ContractSuspension.objects.filter(contract=contract, resumed_at__isnull=True)
        if not suspended.update(resumed_at=timezone.now(), resumed_by=by, resume_reason=reason):
            raise ActionRefused("This contract is not suspended.")
        resume_use(contract.talent)
