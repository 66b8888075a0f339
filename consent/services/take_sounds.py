"""The rule that a recording serves one talent, provider, language and private link.

The same bytes are found by their hash, and the same sound in another format by its fingerprint, which is not biometric.
Both have an index, so that no take is compared with all others.
"""

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext

from audio.analysis.fingerprint import compute_fingerprint
from audio.analysis.sound_keys import find_offsets, is_copy, list_keys
from audio.ingest import IngestResult
from audio.wav.riff import WavHeader, WavRefused, load_samples, read_header
from consent.models import Consent, Take, TakeSound, TakeSoundKey
from voicehub.refusals import ActionRefused
from voicehub.storage import StorageUnavailable, StoredFileLost, explain_storage_errors, open_stored_file

TAKE_SOUNDS_LOCK = 7_201  # the number of an advisory lock of PostgreSQL


class RecordingUsedElsewhere(ActionRefused):
    """The recording was received for another talent, provider, language or link. `other` is the consent it is for."""

    def __init__(self, other: Consent) -> None:
        super().__init__(
            gettext(
                "This recording was already sent for another request, so it was not saved. Read the text of this "
                "request aloud, and send the new recording."
            )
        )
        self.other = other


def read_fingerprint(sound: IngestResult, file: "UploadedFile[Any]") -> str:
    """The fingerprint of a received file that can be sent to a provider; empty for another."""
    header = sound.inspection.header
    if not sound.ok or header is None:
        return ""
    if sound.wav_path:
        with sound.wav_path.open("rb") as wav:
            return _compute_fingerprint(wav, header)
    return _compute_fingerprint(cast(BinaryIO, file), header)


def _compute_fingerprint(file: BinaryIO, header: WavHeader) -> str:
    return compute_fingerprint(load_samples(file, header), header.sample_rate)


def refuse_used_recording(consents: Sequence[Consent], hashes: Iterable[str], fingerprint: str) -> None:
    """Raise RecordingUsedElsewhere if a usable take of another request has the same bytes or the same sound.

    `consents` are those that the recording is for.
    """
    if settings.VOICEHUB_ALLOW_REPEATED_RECORDINGS:
        return
    takes = {*_find_by_hash(hashes), *_find_by_sound(fingerprint)}
    rows = Consent.objects.filter(takes__in=takes).exclude(pk__in=[one.pk for one in consents])
    for other in rows.select_related("talent").order_by("created_at").distinct():
        if any(not _may_share(one, other) for one in consents):
            raise RecordingUsedElsewhere(other)


def lock_take_sounds() -> None:
    """Block other transactions here until this one ends, so that the next one sees what this one stored.

    SQLite has only one writer at a time, so it needs no lock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TAKE_SOUNDS_LOCK])


def _find_by_hash(hashes: Iterable[str]) -> set[UUID]:
    known = [sha256 for sha256 in hashes if sha256]
    takes = Take.objects.filter(Q(sha256__in=known) | Q(wav_sha256__in=known), acceptable=True)
    return set(takes.values_list("pk", flat=True))


def _find_by_sound(fingerprint: str) -> set[UUID]:
    values = {value for value, _position in list_keys(fingerprint)}
    stored = TakeSoundKey.objects.filter(value__in=values).values_list("sound_id", "value", "position")
    offsets = find_offsets(fingerprint, stored)
    sounds = TakeSound.objects.filter(pk__in=offsets).values_list("pk", "fingerprint")
    return {pk for pk, other in sounds if is_copy(fingerprint, other, offsets[pk])}


def _may_share(one: Consent, other: Consent) -> bool:
    """Whether one recording may be for both: the same talent, provider and language, asked for with the same link."""
    if (one.talent_id, one.provider, one.language) != (other.talent_id, other.provider, other.language):
        return False
    links, other_links = (set(consent.invitations.values_list("pk", flat=True)) for consent in (one, other))
    return not links.isdisjoint(other_links) or not (links or other_links)


def index_take(take: Take, fingerprint: str) -> None:
    """Store by what the sound of a usable take is found again. Call this in the transaction that saves the take."""
    sound = TakeSound.objects.create(take=take, fingerprint=fingerprint)
    keys = (TakeSoundKey(sound=sound, value=value, position=position) for value, position in list_keys(fingerprint))
    TakeSoundKey.objects.bulk_create(keys)


def index_earlier_take(take: Take) -> None:
    """Index a take that an earlier version stored. It is tried again at the next check if the file cannot be read."""
    if not take.acceptable or TakeSound.objects.filter(take=take).exists():
        return
    try:
        with open_stored_file(take.sound) as file, explain_storage_errors(take.sound):
            fingerprint = _compute_fingerprint(file, read_header(file))
    except (StoredFileLost, StorageUnavailable, WavRefused):
        return
    index_take(take, fingerprint)
