"""Audit log entries about deletions at providers. The app that deletes calls these functions in its transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consent.models import Consent, Event, EventKind
from consent.services.audit_log import record_event
from voicehub.json_fields import hash_json
from voicehub.models import User


@dataclass(frozen=True, slots=True)
class DeletionSubject:
    """What is deleted. `key` identifies this deletion, so that each consent gets one entry of each kind for it.

    `text` says it in words, such as “Voice and its 3 recordings at Resemble AI”.
    """

    key: str
    provider: str
    text: str
    voices: int = 0
    recordings: int = 0
    consent_files: int = 0

    def make_payload(self) -> dict[str, Any]:
        counts = {"voices": self.voices, "recordings": self.recordings, "consent_files": self.consent_files}
        return {"key": self.key, "provider": self.provider, "subject": self.text, **counts}


def lock_consents(talent_id: UUID) -> None:
    """Lock every consent of this talent, in one order, so that no two transactions block each other."""
    list(Consent.objects.select_for_update().filter(talent=talent_id).order_by("pk").values_list("pk"))


def record_deletion_request(consents: Iterable[Consent], subject: DeletionSubject, by: User | None) -> None:
    """Record that a deletion was requested, once for each consent. `by` is None if no user requested it."""
    _record_once(consents, EventKind.DELETION_REQUESTED, subject, by)


def record_deletion(
    consents: Iterable[Consent], subject: DeletionSubject, proof: object, how: dict[str, Any], by: User | None = None
) -> None:
    """Record that a deletion is confirmed, once for each consent.

    `proof` is what the app stored about it; the entry has its hash. `how` names the provider's answers, or the reason
    that `by`, who confirmed it, gave.
    """
    _record_once(consents, EventKind.DELETED, subject, by, proof_sha256=hash_proof(proof), **how)


def hash_proof(proof: object) -> str:
    """The SHA-256 of a stored proof as canonical JSON."""
    return hash_json(proof, default=str)


def query_requested_consents(key: str) -> Any:
    """The ids of the consents whose history has the request of this deletion."""
    return Event.objects.filter(kind=EventKind.DELETION_REQUESTED, payload__key=key).values("consent")


def _record_once(
    consents: Iterable[Consent], kind: EventKind, subject: DeletionSubject, by: User | None, **payload: Any
) -> None:
    # Always in the same order, so that no two transactions block each other.
    for consent in sorted(consents, key=lambda one: one.pk):
        Consent.objects.select_for_update().get(pk=consent.pk)
        if not consent.events.filter(kind=kind, payload__key=subject.key).exists():
            record_event(consent, kind, by, by_system=by is None, **subject.make_payload(), **payload)
