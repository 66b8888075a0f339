from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext

from audio.ingest import IngestResult, ingest_audio
from audio.levels.inspection import DurationLimits
from audio.wav.convert import ConversionLimits
from consent.models import Capture, Consent, ConsentStatus, EventKind, Take, TalentMail
from consent.services.audit_log import record_event
from consent.services.filed_contracts import ContractMissing, explain_to_talent, require_contract
from consent.services.finding_words import EMPTY_TAKE_CODES, describe_error
from consent.services.notices import find_shown_notice
from consent.services.take_checks import enqueue_take_check
from consent.services.talent_mails import enqueue_talent_mail
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_take_thresholds
from voicehub.transitions import move
from voicehub.upload_limits import TAKE_BYTES, TAKES_PER_CONSENT

TAKE_LIMITS = DurationLimits(min_seconds=2, max_seconds=120)
# A person waits for the answer to the upload.
CONVERSION_LIMITS = ConversionLimits(TAKE_LIMITS.max_seconds, cpu_seconds=30, wall_seconds=60)


def explain_size_limit() -> str:
    text = gettext("The file is larger than {megabytes} MB. Record only the statement.")
    return text.format(megabytes=TAKE_BYTES >> 20)


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

    A file in another format gets a converted WAV beside it. A take that cannot be sent to a provider is stored too,
    with its findings. The consent then keeps waiting.
    Raises ActionRefused if the consent does not wait for a take, ContractMissing if no contract on file allows it,
    TakeDamaged if the hash differs from the claimed hash, TakeWithoutStatement if there is no speech to check. Nothing
    is stored in these cases.
    """
    if (file.size or 0) > TAKE_BYTES:
        raise ActionRefused(explain_size_limit())
    _require_open_request(Consent.objects.get(pk=consent.pk))  # before a conversion, which may take seconds
    with ExitStack() as stack:
        thresholds = load_take_thresholds(consent.provider)
        sound = stack.enter_context(ingest_audio(cast(BinaryIO, file), TAKE_LIMITS, thresholds, CONVERSION_LIMITS))
        if claimed_sha256 and claimed_sha256.lower() != sound.original.sha256:
            raise TakeDamaged(gettext("The recording was damaged during the upload. Send it again."))
        _refuse_take_without_speech(sound)
        take = Take(
            file=file,
            file_name=(file.name or "")[-200:],
            capture=capture,
            recorded_by=by,
            acceptable=sound.ok,
            device=device or {},
            user_agent=user_agent[:300],
            address=address,
            **_build_sound_fields(sound),
        )
        if sound.wav_path and sound.ok:
            take.wav = File(stack.enter_context(sound.wav_path.open("rb")), name=sound.wav_path.name)
        file.seek(0)
        _store_take(consent, take)
    return take


def _build_sound_fields(sound: IngestResult) -> dict[str, Any]:
    """The fields of the row that describe the sound. A WAV that cannot be sent is not kept: it can be made again."""
    fields = sound.build_row_fields()
    del fields["fine_peaks"]
    return fields if sound.ok else fields | {"recipe": {}, "wav_sha256": ""}


def _store_take(consent: Consent, take: Take) -> None:
    with transaction.atomic():
        take.consent = _lock_requested_consent(consent)
        _require_contract(take.consent, take.recorded_by)
        take.save()
        record_event(
            take.consent,
            EventKind.TAKE,
            take.recorded_by,
            take=str(take.pk),
            **take.hashes,
            capture=take.capture,
            ok=take.acceptable,
            **_bind_notice(take.consent),
        )
        if take.acceptable:
            move(take.consent, ConsentStatus.SUBMITTED, note_to_talent="")
            enqueue_take_check(take)
            enqueue_talent_mail(take.consent, TalentMail.Kind.RECEIVED)
            if take.recorded_by is None:
                enqueue_talent_mail(take.consent, TalentMail.Kind.ANSWERED)


def _bind_notice(consent: Consent) -> dict[str, Any]:
    """The hash of the notice that the talent was shown, for the audit log entry of the take. Empty without one."""
    notice = find_shown_notice(consent)
    return {"notice": notice.sha256} if notice else {}


def _require_contract(consent: Consent, by: User | None) -> None:
    if by:
        require_contract(consent)
    elif reason := explain_to_talent(consent):
        raise ContractMissing(reason)


def _refuse_take_without_speech(sound: IngestResult) -> None:
    empty = [finding for finding in sound.findings if finding.code in EMPTY_TAKE_CODES]
    if empty:
        reasons = [describe_error(finding.as_dict()) for finding in empty]
        raise TakeWithoutStatement(gettext("This recording was not saved."), *reasons)


def _lock_requested_consent(consent: Consent) -> Consent:
    """The consent with its row locked. Raises ActionRefused if it does not wait for a take."""
    locked = Consent.objects.select_for_update().select_related("talent").get(pk=consent.pk)
    _require_open_request(locked)
    return locked


def _require_open_request(consent: Consent) -> None:
    if consent.status != ConsentStatus.REQUESTED:
        raise ActionRefused(gettext("This consent is no longer waiting for a recording."))
    if consent.takes.count() >= TAKES_PER_CONSENT:
        text = gettext("There are already {count} recordings. Ask the studio for a new request.")
        raise ActionRefused(text.format(count=TAKES_PER_CONSENT))
