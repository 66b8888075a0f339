from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from audio.levels.inspection import DurationLimits, Inspection, inspect_file
from consent.models import Capture, Consent, ConsentStatus, EventKind, Take, TalentMail
from consent.services.audit_log import record_event
from consent.services.filed_contracts import ContractMissing, explain_to_talent, require_contract
from consent.services.notices import find_shown_notice
from consent.services.take_checks import enqueue_take_check
from consent.services.talent_mails import enqueue_talent_mail
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_take_thresholds
from voicehub.transitions import move
from voicehub.upload_limits import TAKE_BYTES, TAKES_PER_CONSENT

TAKE_LIMITS = DurationLimits(min_seconds=2, max_seconds=120)
# Findings that the recorder cannot cause or does not let the talent send (`block` in static/js/recorder/checks.js).
EMPTY_TAKE_CODES = frozenset({"empty_file", "data_empty", "silent", "too_short"})


class TakeDamaged(ActionRefused):
    """The received bytes differ from the bytes that were sent."""


class TakeWithoutStatement(ActionRefused):
    """The recording is empty, silent or too short to contain the statement."""


def submit_take(
    consent: Consent,
    file: "UploadedFile[Any]",
    capture: Capture,
    *,
    by: User | None = None,
    claimed_sha256: str = "",
    device: dict[str, Any] | None = None,
    user_agent: str = "",
    address: str | None = None,
) -> Take:
    """Store a take of the statement byte for byte. `by` is None when the talent sent it.

    A take that cannot be sent to a provider is stored too, with its findings. The consent then keeps waiting.
    Raises ActionRefused if the consent does not wait for a take, ContractMissing if no contract on file allows it,
    TakeDamaged if the hash differs from the claimed hash, TakeWithoutStatement if there is no speech to check. Nothing
    is stored in these cases.
    """
    if (file.size or 0) > TAKE_BYTES:
        raise ActionRefused(f"The file is larger than {TAKE_BYTES >> 20} MB. Record only the statement.")
    file.seek(0)
    inspection = inspect_file(file, TAKE_LIMITS, load_take_thresholds(consent.provider))  # type: ignore[arg-type]  # an uploaded file is a readable binary file
    if claimed_sha256 and claimed_sha256.lower() != inspection.sha256:
        raise TakeDamaged("The recording was damaged during the upload. Send it again.")
    _refuse_take_without_speech(inspection)
    file.seek(0)
    with transaction.atomic():
        consent = _lock_requested_consent(consent)
        _require_contract(consent, by)
        take = Take(
            consent=consent,
            file=file,
            file_name=(file.name or "")[-200:],
            capture=capture,
            recorded_by=by,
            acceptable=inspection.ok,
            device=device or {},
            user_agent=user_agent[:300],
            address=address,
            **inspection.build_row_fields(),
        )
        take.save()
        record_event(
            consent,
            EventKind.TAKE,
            by,
            take=str(take.pk),
            sha256=take.sha256,
            capture=take.capture,
            ok=inspection.ok,
            **_bind_notice(consent),
        )
        if inspection.ok:
            move(consent, ConsentStatus.SUBMITTED, note_to_talent="")
            enqueue_take_check(take)
            enqueue_talent_mail(consent, TalentMail.Kind.RECEIVED)
            if by is None:
                enqueue_talent_mail(consent, TalentMail.Kind.ANSWERED)
    return take


def _bind_notice(consent: Consent) -> dict[str, Any]:
    """The hash of the notice that the talent was shown, for the audit log entry of the take. Empty without one."""
    notice = find_shown_notice(consent)
    return {"notice": notice.sha256} if notice else {}


def _require_contract(consent: Consent, by: User | None) -> None:
    if by:
        require_contract(consent)
    elif reason := explain_to_talent(consent):
        raise ContractMissing(reason)


def _refuse_take_without_speech(inspection: Inspection) -> None:
    empty = [finding for finding in inspection.findings if finding.code in EMPTY_TAKE_CODES]
    if empty:
        reasons = [f"{finding.text} {finding.advice}" for finding in empty]
        raise TakeWithoutStatement("This recording was not saved.", *reasons)


def _lock_requested_consent(consent: Consent) -> Consent:
    """The consent with its row locked. Raises ActionRefused if it does not wait for a take."""
    locked = Consent.objects.select_for_update().select_related("talent").get(pk=consent.pk)
    if locked.status != ConsentStatus.REQUESTED:
        raise ActionRefused("This consent is no longer waiting for a recording.")
    if locked.takes.count() >= TAKES_PER_CONSENT:
        raise ActionRefused(f"There are already {TAKES_PER_CONSENT} recordings. Ask the studio for a new request.")
    return locked
