from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from audio.levels.inspection import DurationLimits, Inspection, inspect_file
from consent.models import Capture, Consent, ConsentStatus, EventKind, Take
from consent.services.audit_log import record_event
from consent.services.take_checks import enqueue_take_check
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_thresholds
from voicehub.transitions import move
from voicehub.upload_limits import TAKE_BYTES, TAKES_PER_CONSENT

TAKE_LIMITS = DurationLimits(min_seconds=2, max_seconds=120)
# What the recorder cannot make, or does not let anybody send (`stops` in static/js/recorder/verdict.js).
EMPTY_TAKE_CODES = frozenset({"empty_file", "data_empty", "silent", "too_short"})


class TakeDamaged(ActionRefused):
    """The bytes that arrived are not the bytes that were sent."""


class TakeWithoutStatement(ActionRefused):
    """The recording is empty, silent or too short to hold the statement."""


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
    """Keep a take of the statement exactly as it came. `by` is None when the talent sent it.

    A take that cannot be sent to a provider is kept too, with its findings, and the consent goes on waiting.
    Raises NotPossible when the consent does not wait for a take, TakeDamaged when the hash is not the claimed one,
    TakeWithoutStatement when there is nothing to hear; nothing is kept then.
    """
    if (file.size or 0) > TAKE_BYTES:
        raise ActionRefused(f"The file is larger than {TAKE_BYTES >> 20} MB. A statement needs well under a minute.")
    file.seek(0)
    found = inspect_file(file, TAKE_LIMITS, load_thresholds(consent.provider))  # type: ignore[arg-type]  # an uploaded file reads like any binary file
    if claimed_sha256 and claimed_sha256.lower() != found.sha256:
        raise TakeDamaged("The recording was damaged on its way. Send it again.")
    _require_statement(found)
    file.seek(0)
    with transaction.atomic():
        consent = _lock_requested_consent(consent)
        take = Take(
            consent=consent,
            file=file,
            file_name=(file.name or "")[-200:],
            capture=capture,
            recorded_by=by,
            acceptable=found.ok,
            device=device or {},
            user_agent=user_agent[:300],
            address=address,
            **found.build_row_fields(),
        )
        take.save()
        record_event(
            consent,
            EventKind.TAKE,
            by,
            take=str(take.pk),
            sha256=take.sha256,
            capture=take.capture,
            ok=found.ok,
        )
        if found.ok:
            move(consent, ConsentStatus.SUBMITTED, note_to_talent="")
            enqueue_take_check(take)
    return take


def _require_statement(found: Inspection) -> None:
    if reasons := [f"{one.text} {one.advice}" for one in found.findings if one.code in EMPTY_TAKE_CODES]:
        raise TakeWithoutStatement("This recording was not kept.", *reasons)


def _lock_requested_consent(consent: Consent) -> Consent:
    """The consent with its row locked. Raises NotPossible when it does not wait for a take."""
    locked = Consent.objects.select_for_update().select_related("talent").get(pk=consent.pk)
    if locked.status != ConsentStatus.REQUESTED:
        raise ActionRefused("This consent does not wait for a recording any more.")
    if locked.takes.count() >= TAKES_PER_CONSENT:
        raise ActionRefused(f"There are {TAKES_PER_CONSENT} recordings already. The studio has to ask anew.")
    return locked
