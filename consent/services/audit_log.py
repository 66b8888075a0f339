"""The audit log of a consent: a chain in which each entry contains the hash of the previous entry.

The hash is the SHA-256 of the entry's content as canonical JSON (sorted keys, no spaces, UTF-8), so anyone with the
entries can verify it. An entry that is changed, removed or inserted breaks every hash after it.
"""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from consent.models import Consent, Event, EventKind
from voicehub.json_fields import get_stored_value, hash_json
from voicehub.models import User


def hash_event(event: Event) -> str:
    """Compute the hash of this entry from its content, ignoring the stored hash."""
    content = {
        "consent": str(event.consent_id),
        "sequence": event.sequence,
        "actor": event.actor_id,
        "actor_name": event.actor_name,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "payload": get_stored_value(event.payload),
        "previous": event.previous_hash,
    }
    return hash_json(content)


SYSTEM_NAME = "VoiceHub"


def record_event(
    consent: Consent, kind: EventKind, by: User | None, *, by_system: bool = False, **payload: Any
) -> Event:
    """Append an entry in the caller's transaction. `by` is None when the talent acted, or VoiceHub if `by_system`.

    The consent's row is locked first, so that two concurrent entries do not get the same number.
    """
    Consent.objects.select_for_update().get(pk=consent.pk)
    last = consent.events.order_by("-sequence").first()
    event = Event(
        consent=consent,
        sequence=last.sequence + 1 if last else 1,
        actor=by,
        actor_name=SYSTEM_NAME if by_system else str(by) if by else consent.talent.name,
        at=timezone.now(),
        kind=kind,
        payload=payload,
        previous_hash=last.hash if last else "",
    )
    event.hash = hash_event(event)
    event.save()
    return event


def find_first_broken_event(consent: Consent, newest: int | None = None) -> int | None:
    """The number of the first entry that does not match the chain; None when the whole audit log is intact.

    With `newest`, only so many entries are read. The first of them is then trusted to continue the chain before it.
    """
    events = list(consent.events.order_by("-sequence")[:newest])[::-1]
    is_whole = newest is None or len(events) < newest
    first = 1 if is_whole or not events else events[0].sequence
    previous = "" if is_whole or not events else events[0].previous_hash
    for number, event in enumerate(events, start=first):
        if (event.sequence, event.previous_hash, event.hash) != (number, previous, hash_event(event)):
            return number
        previous = event.hash
    return None


def find_broken_logs() -> Iterator[tuple[Consent, int]]:
    """Each consent whose audit log is broken, with the number of its first broken entry."""
    for consent in Consent.objects.select_related("talent").iterator():
        if (number := find_first_broken_event(consent)) is not None:
            yield consent, number
