"""The tabs of the page of a voice, with their counts, and the state of its consent in the header."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from django.utils import timezone

from consent.models import Consent, ConsentStatus
from providers import registry
from voicehub.models import User
from voicehub.text import format_count, format_date
from voices import access
from voices.build_option import BuildOption
from voices.models import Voice


class Tab(Enum):
    RECORDINGS = "Recordings"
    READINESS = "Readiness"
    BUILDS = "Builds"
    PROVIDERS = "At providers"


@dataclass(frozen=True, slots=True)
class TabLink:
    """`count` is empty if the page loads it later."""

    tab: Tab
    url: str
    count: str
    is_current: bool

    @property
    def label(self) -> str:
        return self.tab.value

    @property
    def is_readiness(self) -> bool:
        return self.tab is Tab.READINESS


def make_tab_context(voice: Voice, user: User, current: Tab, *, ready: str = "") -> dict[str, Any]:
    """What the frame of each tab shows. `ready` is the count of the readiness, if the page knows it."""
    badge = find_consent_badge(voice) if user.has_perm("consent.view_consent") else None
    return {
        "voice": voice,
        "tabs": _load_tabs(voice, user, current, ready),
        "consent_badge": badge,
        "is_closed": access.are_recordings_closed(voice, user),
    }


class ConsentBadge(NamedTuple):
    """`url` is the consent that it is about. It is empty if there is none, or several."""

    severity: str
    label: str
    url: str = ""


# What the header says if no consent is in force, by the status that is nearest to one.
OTHER_CONSENT_BADGES = {
    ConsentStatus.SUSPENDED: ConsentBadge("wait", "Consent suspended"),
    ConsentStatus.SUBMITTED: ConsentBadge("new", "Consent to review"),
    ConsentStatus.REQUESTED: ConsentBadge("wait", "Waiting for consent"),
    ConsentStatus.WITHDRAWN: ConsentBadge("bad", "Consent withdrawn"),
}


def find_consent_badge(voice: Voice) -> ConsentBadge:
    """The state of the consents for the purpose of this voice, at all providers together."""
    rows = Consent.objects.filter(talent=voice.talent_id, purpose=voice.purpose)
    consents = rows.order_by().values_list("status", "provider", "valid_until").distinct()
    today = timezone.localdate()
    in_force = [
        (provider, last)
        for status, provider, last in consents
        if status == ConsentStatus.APPROVED and (last is None or last >= today)
    ]
    if in_force:
        return ConsentBadge("good", _describe_consents_in_force(in_force))
    found = {status for status, _provider, _last in consents}
    for status, badge in OTHER_CONSENT_BADGES.items():
        if status in found:
            oldest = rows.filter(status=status).order_by("created_at", "pk").first()
            return badge._replace(url=oldest.get_absolute_url() if oldest else "")
    return ConsentBadge("idle", "No consent yet")


def _describe_consents_in_force(consents: Sequence[tuple[str, Any]]) -> str:
    if len(consents) > 1:
        return f"Consent in force for {format_count(len(consents), 'provider', 'providers')}"
    ((provider, last),) = consents
    until = f" until {format_date(last)}" if last else ""
    return f"Consent for {registry.get_provider_label(provider)} in force{until}"


def _load_tabs(voice: Voice, user: User, current: Tab, ready: str) -> list[TabLink]:
    """The tabs that the user may open."""
    counts = {
        Tab.RECORDINGS: (voice.get_absolute_url(), str(voice.recordings.count())),
        Tab.READINESS: (voice.get_readiness_url(), ready),
        Tab.BUILDS: (voice.get_builds_url(), str(voice.builds.count())),
    }
    if user.has_perm("voices.view_remotevoice"):
        counts[Tab.PROVIDERS] = (voice.get_providers_url(), str(access.query_shown_remote_voices(voice).count()))
    return [TabLink(tab, url, count, tab is current) for tab, (url, count) in counts.items()]


def count_ready(options: Sequence[BuildOption]) -> str:
    """“2 of 7 ready”: at how many of the accounts and tiers a build can start."""
    return f"{sum(option.is_ready for option in options)} of {len(options)} ready"
