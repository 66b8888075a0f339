import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
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
from consent.services.sittings import get_statement_key
from consent.services.take_checks import enqueue_take_check
from consent.services.take_sounds import index_take, lock_take_sounds, read_fingerprint, refuse_used_recording
from consent.services.talent_mails import enqueue_shared_mails
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
    others: Sequence[Consent] = (),
    by: User | None = None,
    claimed_sha256: str = "",
    device: dict[str, Any] | None = None,
    user_agent: str = "",
    address: str | None = None,
    address_check: str = "",
) -> Take:
    """Store a take of the statement byte for byte. `by` is None when the talent sent it.

    A recording that is also for `others`, which have the same statement, makes a take of each of them with its own
    files. All are stored, or none. A file in another format gets a converted WAV beside it. A take that cannot be sent
    to a provider is stored too, with its findings. The consent then keeps waiting. Returns the take of `consent`.
    Raises ActionRefused if a consent does not wait for a take, ContractMissing if no contract on file allows it,
    TakeDamaged if the hash differs from the claimed hash, TakeWithoutStatement if there is no speech to check,
    RecordingUsedElsewhere if it was received for another talent, provider, language or link. Nothing is stored in these
    cases.
    """
    if (file.size or 0) > TAKE_BYTES:
        raise ActionRefused(explain_size_limit())
    consents = [consent, *others]
    _require_one_statement(consents)
    for row in Consent.objects.filter(pk__in=[one.pk for one in consents]):
        _require_open_request(row)  # before a conversion, which may take seconds
    with ExitStack() as stack:
        thresholds = load_take_thresholds(consent.provider)
        sound = stack.enter_context(ingest_audio(cast(BinaryIO, file), TAKE_LIMITS, thresholds, CONVERSION_LIMITS))
        if claimed_sha256 and claimed_sha256.lower() != sound.original.sha256:
            raise TakeDamaged(gettext("The recording was damaged during the upload. Send it again."))
        _refuse_take_without_speech(sound)
        make_take = partial(
            Take,
            sitting=uuid.uuid4() if others else None,
            file_name=(file.name or "")[-200:],
            capture=capture,
            recorded_by=by,
            acceptable=sound.ok,
            device=device or {},
            user_agent=user_agent[:300],
            address=address,
            address_check=address_check,
            **_build_sound_fields(sound),
        )
        wav = stack.enter_context(sound.wav_path.open("rb")) if sound.wav_path and sound.ok else None
        fingerprint = read_fingerprint(sound, file)
        takes = _store_takes(consents, fingerprint, partial(_make_take_with_files, make_take, file, wav))
    return takes[consent.pk]


def _make_take_with_files(make_take: Callable[[], Take], file: "UploadedFile[Any]", wav: BinaryIO | None) -> Take:
    """A row whose files are read from their start when it is saved. A plain `File` is copied, never moved."""
    take = make_take()
    file.seek(0)
    take.file = File(file, name=file.name)
    if wav:
        wav.seek(0)
        take.wav = File(wav, name="made.wav")
    return take


def _build_sound_fields(sound: IngestResult) -> dict[str, Any]:
    """The fields of the row that describe the sound. A WAV that cannot be sent is not kept: it can be made again."""
    fields = sound.build_row_fields()
    del fields["fine_peaks"]
    return fields if sound.ok else fields | {"recipe": {}, "wav_sha256": ""}


def _store_takes(consents: Sequence[Consent], fingerprint: str, make_take: Callable[[], Take]) -> dict[uuid.UUID, Take]:
    """A take of each consent, by the id of the consent."""
    with transaction.atomic():
        locked = _lock_requested_consents(consents)
        made = {consent.pk: make_take() for consent in locked}
        first = made[consents[0].pk]
        if first.acceptable:
            refuse_used_recording(locked, (first.sha256, first.wav_sha256), fingerprint)
        takes = {consent.pk: _store_take(consent, made[consent.pk], fingerprint) for consent in locked}
        if first.acceptable:  # once more, with those that others stored while the files were saved
            lock_take_sounds()
            refuse_used_recording(locked, (first.sha256, first.wav_sha256), fingerprint)
        by_id = {consent.pk: consent for consent in locked}
        ordered, first = [by_id[consent.pk] for consent in consents], takes[consents[0].pk]
        if first.acceptable:
            enqueue_take_check(*(takes[consent.pk] for consent in ordered))
            enqueue_shared_mails(ordered, TalentMail.Kind.RECEIVED)
            if first.recorded_by is None:
                enqueue_shared_mails(ordered, TalentMail.Kind.ANSWERED)
    return takes


def _store_take(consent: Consent, take: Take, fingerprint: str) -> Take:
    take.consent = consent
    _require_contract(consent, take.recorded_by)
    take.save()
    record_event(
        consent,
        EventKind.TAKE,
        take.recorded_by,
        take=str(take.pk),
        **take.hashes,
        capture=take.capture,
        ok=take.acceptable,
        **_bind_notice(consent),
        **_describe_origin(take),
    )
    if take.acceptable:
        index_take(take, fingerprint)
        move(consent, ConsentStatus.SUBMITTED, note_to_talent="")
    return take


def _bind_notice(consent: Consent) -> dict[str, Any]:
    """The hash of the notice that the talent was shown, for the audit log entry of the take. Empty without one."""
    notice = find_shown_notice(consent)
    return {"notice": notice.sha256} if notice else {}


def _describe_origin(take: Take) -> dict[str, Any]:
    """What else the audit log entry of this take says, if there is anything."""
    sitting = str(take.sitting) if take.sitting else ""
    values = {"sitting": sitting, "address_check": take.address_check}
    return {name: value for name, value in values.items() if value}


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


def _require_one_statement(consents: Sequence[Consent]) -> None:
    first = consents[0]
    for one in consents[1:]:
        if one.talent_id != first.talent_id or get_statement_key(one) != get_statement_key(first):
            raise ActionRefused("One recording can only be for consents with the same statement.")


def _lock_requested_consents(consents: Sequence[Consent]) -> list[Consent]:
    """The consents with their rows locked, in one order. Raises ActionRefused if one does not wait for a take."""
    rows = Consent.objects.select_for_update(of=("self",)).select_related("talent", "requested_by").order_by("pk")
    locked = list(rows.filter(pk__in=[consent.pk for consent in consents]))
    for consent in locked:
        _require_open_request(consent)
    return locked


def _require_open_request(consent: Consent) -> None:
    if consent.status != ConsentStatus.REQUESTED:
        raise ActionRefused(gettext("This consent is no longer waiting for a recording."))
    if consent.takes.count() >= TAKES_PER_CONSENT:
        text = gettext("There are already {count} recordings. Ask the studio for a new request.")
        raise ActionRefused(text.format(count=TAKES_PER_CONSENT))
