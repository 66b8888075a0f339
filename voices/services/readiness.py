"""What a voice still lacks for a build, asked of data: the gate, the recordings, and the limits of the tier."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.db.models.functions import Length

from consent.services import Permission, permission
from voices.models import Account, Build, LimitOverride, RecordingStatus, Voice
from voices.providers import registry
from voices.providers.types import Capabilities, Limit, Tier

NO_LIMIT = 1e9


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a voice is from a build at one account in one tier; seconds count only what is used for training."""

    capabilities: Capabilities
    permission: Permission
    count: int
    needed_count: int
    seconds: float
    needed_seconds: float
    blockers: tuple[str, ...]
    advice: tuple[str, ...]
    active_build: Build | None

    @property
    def ready(self) -> bool:
        return not self.blockers and not self.permission.reasons and self.active_build is None


@dataclass(frozen=True, slots=True)
class _Counts:
    usable: int
    trained_seconds: float
    too_long: int
    refused_length: int
    without_text: int
    long_text: int


def limits_of(capabilities: Capabilities, provider: str) -> dict[str, Limit]:
    """The tier's limits with what an admin has put right."""
    overrides = {o.limit: o for o in LimitOverride.objects.filter(provider=provider, tier=capabilities.tier)}
    return {name: _overridden(limit, overrides.get(name)) for name, limit in capabilities.limits.items()}


def _overridden(limit: Limit, override: LimitOverride | None) -> Limit:
    if override is None:
        return limit
    return Limit(override.value, limit.unit, override.source, limit.checked, limit.hard, limit.note)


def readiness(voice: Voice, account: Account, tier: Tier | str) -> Readiness:
    """What stands between this voice and a build. Raises KeyError for a tier that the provider does not have."""
    provider = registry.provider_class(account.provider)
    capabilities = provider.tiers[Tier(tier)]
    limits = limits_of(capabilities, account.provider)
    counts = _count(voice, limits)
    active = Build.objects.active().filter(voice=voice, remote_voice__account=account, remote_voice__tier=tier)
    return Readiness(
        capabilities=capabilities,
        permission=permission(voice.talent, account.provider, voice.purpose, provider_label=provider.label),
        count=counts.usable,
        needed_count=math.ceil(_value(limits, "least_recordings", 1)),
        seconds=counts.trained_seconds,
        needed_seconds=_value(limits, "least_seconds", 0),
        blockers=tuple(_blockers(counts, limits, capabilities)),
        advice=tuple(_advice(counts, limits)),
        active_build=active.first(),
    )


def all_readiness(voice: Voice) -> list[tuple[Account, Readiness]]:
    """Every active account with every tier that its provider has."""
    accounts = [a for a in Account.objects.filter(active=True) if a.provider in registry.PROVIDERS]
    return [(a, readiness(voice, a, tier)) for a in accounts for tier in registry.provider_class(a.provider).tiers]


def _value(limits: Mapping[str, Limit], name: str, otherwise: float) -> float:
    """A limit's value; what stands for “no limit” where the tier has none of that name."""
    return limits[name].value if name in limits else otherwise


def _count(voice: Voice, limits: Mapping[str, Limit]) -> _Counts:
    """One query, whatever the number of recordings."""
    trained = _value(limits, "trained_clip", NO_LIMIT)
    short, long = _value(limits, "shortest_clip", 0), _value(limits, "longest_clip", NO_LIMIT)
    used = voice.recordings.filter(active=True, status=RecordingStatus.ACCEPTED)
    found = used.annotate(text_length=Length("transcript")).aggregate(
        usable=Count("pk"),
        trained_seconds=Sum("seconds", filter=Q(seconds__lte=trained), default=0.0),
        too_long=Count("pk", filter=Q(seconds__gt=trained)),
        refused_length=Count("pk", filter=Q(seconds__lt=short) | Q(seconds__gt=long)),
        without_text=Count("pk", filter=Q(text_length=0)),
        long_text=Count("pk", filter=Q(text_length__gt=_value(limits, "longest_transcript", NO_LIMIT))),
    )
    return _Counts(**found)


def _blockers(counts: _Counts, limits: Mapping[str, Limit], capabilities: Capabilities) -> list[str]:
    told = []
    missing = math.ceil(_value(limits, "least_recordings", 1)) - counts.usable
    if missing > 0:
        told.append(f"{some(missing, 'more recording is', 'more recordings are')} needed.")
    needed = _value(limits, "least_seconds", 0)
    if counts.trained_seconds < needed:
        told.append(f"{clock(needed - counts.trained_seconds)} more minutes of usable speech are needed.")
    if counts.refused_length:
        short, long = _value(limits, "shortest_clip", 0), _value(limits, "longest_clip", NO_LIMIT)
        those = some(counts.refused_length, "recording is", "recordings are")
        told.append(f"{those} not between {short:g} and {long:g} seconds long. Cut them, or leave them out.")
    if capabilities.transcript_required and counts.without_text:
        those = some(counts.without_text, "recording has", "recordings have")
        told.append(f"{those} no transcript. Type what is said.")
    if counts.long_text:
        told.append(f"{some(counts.long_text, 'transcript is', 'transcripts are')} too long. Cut the recording in two.")
    return told


def _advice(counts: _Counts, limits: Mapping[str, Limit]) -> list[str]:
    if not counts.too_long:
        return []
    those = some(counts.too_long, "recording is", "recordings are")
    longest = f"{_value(limits, 'trained_clip', NO_LIMIT):g} seconds"
    return [f"{those} longer than {longest}. The provider takes them, but does not train on them."]


def some(count: int, one: str, many: str) -> str:
    """“1 recording is”, “3 recordings are”."""
    return f"{count} {one if count == 1 else many}"


def clock(seconds: float) -> str:
    """“9:12” for 552 seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
