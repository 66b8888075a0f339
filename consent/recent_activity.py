"""The newest entries of the audit log on the page of a talent."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.utils import timezone

from consent.extension_points import get_provider_label
from consent.labels import describe_event, get_purpose_label
from consent.models import Event, Talent
from voicehub.text import format_count


class Activity(NamedTuple):
    """What happened, with the reason and the time, and to which consents."""

    text: str
    reason: str
    at: datetime
    subject: str


def list_activity(talent: Talent, events: Iterable[Event]) -> list[Activity]:
    """One entry for equal events of a day, such as the approvals of several consents, where the newest one stands."""
    groups: dict[tuple[str, str, date], list[Event]] = defaultdict(list)
    for event in events:
        reason = event.payload.get("reason") or ""
        groups[_describe(talent, event), reason, timezone.localdate(event.at)].append(event)
    return [_make_activity(text, reason, group) for (text, reason, _day), group in groups.items()]


def _describe(talent: Talent, event: Event) -> str:
    """The event as a sentence, without the address of the talent, which the page already has."""
    text = describe_event(event)
    return text.replace(talent.email, "the talent") if talent.email else text


def _make_activity(text: str, reason: str, events: list[Event]) -> Activity:
    consents = {event.consent_id: event.consent for event in events}
    first = events[0].consent
    use = f"{get_provider_label(first.provider)}, {get_purpose_label(first.purpose).lower()}"
    subject = use if len(consents) == 1 else f"for {format_count(len(consents), 'consent', 'consents')}"
    return Activity(text, reason, events[0].at, subject)
