"""Checks of the evidence: whether each file of contracts and takes is as it was stored, and each audit log is intact.

The results are stored, and the gate reads the last one. A check that cannot reach the storage changes no result.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import F, Model, Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from consent.models import Consent, Contract, Take, TakeCheck
from consent.services.audit_log import find_first_broken_event
from consent.services.gate import BuildPurpose, check_permission
from consent.services.take_checks import CHECK_FAILED
from consent.services.take_sounds import index_earlier_take
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import EVIDENCE_CHECK_HOUR, EVIDENCE_CHECK_RETRY
from voicehub.storage import StorageUnavailable, StoredFileLost, explain_storage_errors, hash_file, open_stored_file

Row = TypeVar("Row", bound=Model)

CHANGED = "The file is not the one that was filed."
ASK_ADMIN = "Ask an admin to restore it."
TAKE_CHANGED = "The file is not the one that was stored."


def check_contract_file(contract: Contract) -> str:
    """Compare the stored file with its hash, and store and return the problem, or an empty string.

    Raises StorageUnavailable, and keeps the last result, if the storage does not respond.
    """
    problem, now = _find_file_problem(contract.file, contract.sha256, CHANGED), timezone.now()
    Contract.objects.filter(pk=contract.pk).update(file_problem=problem, file_checked_at=now)
    contract.file_problem, contract.file_checked_at = problem, now
    return problem


def _find_file_problem(stored: FieldFile, sha256: str, changed: str) -> str:
    try:
        with open_stored_file(stored) as file, explain_storage_errors(stored):
            return "" if hash_file(file) == sha256 else changed
    except StoredFileLost as lost:
        return str(lost)


def check_take_files(take: Take) -> str:
    """Compare the original of a take, and the WAV made of it, with their hashes. Store and return the problem.

    Raises StorageUnavailable, and keeps the last result, if the storage does not respond.
    """
    problem, now = _find_take_problem(take), timezone.now()
    # Takes of early versions have no check of their sound.
    missing = {"error": CHECK_FAILED, "checked_at": now}
    results = {"file_problem": problem, "file_checked_at": now}
    TakeCheck.objects.update_or_create(take=take, defaults=results, create_defaults=missing | results)
    return problem


def _find_take_problem(take: Take) -> str:
    if problem := _find_file_problem(take.file, take.sha256, TAKE_CHANGED):
        return f"Original: {problem}" if take.wav else problem
    if take.wav and (problem := _find_file_problem(take.wav, take.wav_sha256, TAKE_CHANGED)):
        return f"WAV made of it: {problem}"
    return ""


def check_history(consent: Consent) -> int | None:
    """Verify the audit log of this consent, and store and return the number of its first broken entry, if any."""
    broken, now = find_first_broken_event(consent), timezone.now()
    Consent.objects.filter(pk=consent.pk).update(broken_event=broken, history_checked_at=now)
    consent.broken_event, consent.history_checked_at = broken, now
    return broken


def require_intact_evidence(consent: Consent) -> None:
    """Check the audit log and the approved recording. Raises ActionRefused with what is damaged, or not checked."""
    broken, problem = check_history(consent), ""
    reasons = [] if broken is None else [f"The audit log is damaged at entry {broken}. {ASK_ADMIN}"]
    try:
        problem = check_take_files(consent.take) if consent.take else ""
    except StorageUnavailable as error:
        reasons.append(f"The recording was not checked. {error} Check again in a few minutes.")
    if problem:
        reasons.append(f"The recording is missing or was changed. {problem} {ASK_ADMIN}")
    if reasons:
        raise ActionRefused(*reasons)


def check_evidence_for_build(purpose: BuildPurpose) -> None:
    """Check the consent and the contract that the gate would name for this build, before it decides.

    The gate may name another contract if the first one is damaged, which is then checked too.
    """
    while True:
        permission = check_permission(purpose)
        if not (permission.consent and permission.contract):
            return
        broken = check_history(permission.consent)
        is_damaged = _check_files(permission.consent, permission.contract)
        if broken is None and not is_damaged:
            return


def _check_files(consent: Consent, contract: Contract) -> bool:
    """Whether a check found a problem. The last results count if the storage does not respond."""
    try:
        problems = [check_contract_file(contract), check_take_files(consent.take) if consent.take else ""]
        return any(problems)
    except StorageUnavailable:
        return False


def check_all_evidence(heartbeat: Callable[[], None]) -> timedelta:
    """Check what was not checked since the last night began. Returns the time until the next check.

    Calls `heartbeat` before each row. If the storage does not respond, the audit logs are checked all the same.
    """
    begin = find_last_night(timezone.now())
    for consent in _iterate_unchecked(Consent.objects.all(), "history_checked_at", begin):
        heartbeat()
        check_history(consent)
    try:
        for contract in _iterate_unchecked(Contract.objects.all(), "file_checked_at", begin):
            heartbeat()
            check_contract_file(contract)
        for check in _iterate_unchecked(TakeCheck.objects.select_related("take"), "file_checked_at", begin):
            heartbeat()
            if not check_take_files(check.take):
                index_earlier_take(check.take)
    except StorageUnavailable:
        return EVIDENCE_CHECK_RETRY
    return find_last_night(timezone.now() + timedelta(days=1)) - timezone.now()


def _iterate_unchecked(rows: QuerySet[Row], field: str, begin: datetime) -> Iterator[Row]:
    """The rows whose last check is older than `begin`, the oldest check first. Each is loaded when it is its turn."""
    due = rows.filter(Q(**{field: None}) | Q(**{f"{field}__lt": begin})).order_by(F(field).asc(nulls_first=True))
    for pk in list(due.values_list("pk", flat=True)):
        if row := rows.filter(pk=pk).first():
            yield row


def find_last_night(now: datetime) -> datetime:
    """The last time before `now` at which it was EVIDENCE_CHECK_HOUR in the studio's time zone."""
    local = timezone.localtime(now)
    begin = local.replace(hour=EVIDENCE_CHECK_HOUR, minute=0, second=0, microsecond=0)
    return begin if begin <= local else begin - timedelta(days=1)
