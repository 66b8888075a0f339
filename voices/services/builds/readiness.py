"""What a voice needs before a build, computed from the gate, the recordings and the limits of the tier."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db.models import Aggregate, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Length

from consent.services.gate import BuildPermission, check_permissions
from providers import registry
from providers.types import Capabilities, Handover, Limit, Tier
from voices.models import Account, Build, Recording, RecordingStatus, Voice
from voices.models.limits import TierKey, get_all_limits
from voices.services.builds.gaps import (
    NO_LIMIT,
    SELECTING_HANDOVERS,
    ClipCounts,
    Gap,
    find_check_gaps,
    find_gaps,
    find_language_gaps,
    get_limit_value,
    get_min_recordings,
    give_advice,
    make_proof_gaps,
)
from voices.services.builds.offline_proof import load_proofs
from voices.services.builds.unchecked import load_unchecked
from voices.services.permission import make_build_purpose
from voices.services.refused_recordings import list_refusing_providers, make_sent_condition

TEXT_LENGTH = F("text_length")
AccountTier = tuple[Account, Capabilities]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a voice has, and what it needs for a build at one account in one tier.

    `seconds` counts only audio that the provider trains on. The gaps of a handover block a build by that handover.
    `advice` blocks nothing.
    """

    capabilities: Capabilities
    permission: BuildPermission
    recording_count: int
    needed_recording_count: int
    seconds: float
    needed_seconds: float
    gaps_by_handover: Mapping[Handover, tuple[Gap, ...]]
    advice: tuple[Gap, ...]
    active_build: Build | None

    @property
    def best_handover(self) -> Handover:
        """The first handover without gaps. If every handover has gaps, the first handover."""
        complete = (handover for handover, gaps in self.gaps_by_handover.items() if not gaps)
        return next(complete, next(iter(self.gaps_by_handover)))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self.gaps_by_handover[self.best_handover]

    @property
    def blockers(self) -> tuple[str, ...]:
        return tuple(gap.text for gap in self.gaps)

    @property
    def is_ready(self) -> bool:
        return not self.gaps and self.permission.is_given and self.active_build is None


def check_readiness(
    voice: Voice, account: Account, tier: Tier | str, *, without: QuerySet[Recording] | None = None
) -> Readiness:
    """`without` are recordings that count as left out. Raises ActionRefused if the provider does not have the tier."""
    targets = [(account, account.get_capabilities(tier))]
    ((_, _, state),) = _iterate_readiness([voice], targets, get_all_limits(), without=without)
    return state


def check_readiness_everywhere(voice: Voice) -> list[tuple[Account, Readiness]]:
    """Readiness for each tier of each account, also of paused accounts. The number of queries is constant."""
    return [(account, state) for _, account, state in _iterate_readiness([voice], _list_targets(), get_all_limits())]


def check_unbuilt_voices(voices: Sequence[Voice]) -> Iterator[tuple[Voice, Account, Readiness]]:
    """As `check_readiness_everywhere`, for many voices that have no active build.

    The number of queries does not depend on the number of voices.
    """
    return _iterate_readiness(voices, _list_targets(), get_all_limits(), has_builds=False)


def _list_targets() -> list[AccountTier]:
    accounts = [account for account in Account.objects.all() if account.provider in registry.PROVIDERS]
    return [(a, tier) for a in accounts for tier in registry.get_provider_class(a.provider).tiers.values()]


def _iterate_readiness(
    voices: Sequence[Voice],
    targets: Sequence[AccountTier],
    limits: dict[TierKey, dict[str, Limit]],
    *,
    has_builds: bool = True,
    without: QuerySet[Recording] | None = None,
) -> Iterator[tuple[Voice, Account, Readiness]]:
    labels = {account.provider: registry.get_provider_label(account.provider) for account, _ in targets}
    purposes = {(voice.pk, slug): make_build_purpose(voice, slug) for voice in voices for slug in labels}
    permissions = check_permissions(purposes.values(), labels)
    capabilities_by_tier = {(account.provider, tier.tier): tier for account, tier in targets}
    counts = _load_counts(voices, capabilities_by_tier, limits, has_builds=has_builds, without=without)
    active = _find_active_builds(voices) if has_builds else {}
    unchecked = load_unchecked(voices)
    proofs = load_proofs(permissions.values(), [account for account, _ in targets])
    for account, tier in targets:
        tier_key = (account.provider, tier.tier)
        for voice in voices:
            permission = permissions[purposes[voice.pk, account.provider]]
            common_gaps = (
                *find_language_gaps(tier, voice.language),
                *find_check_gaps(unchecked.get(voice.pk)),
                *make_proof_gaps(proofs.list_missing(tier, account, permission.consent)),
            )
            advice = (
                *give_advice(counts[voice.pk, tier_key], limits[tier_key], voice.language),
                *make_proof_gaps(proofs.list_unconfirmed(tier, account, permission.consent)),
            )
            yield (
                voice,
                account,
                _make_readiness(
                    tier,
                    common_gaps,
                    limits[tier_key],
                    permission,
                    counts[voice.pk, tier_key],
                    advice,
                    active.get((voice.pk, account.pk, str(tier.tier))),
                ),
            )


def _make_readiness(
    capabilities: Capabilities,
    common_gaps: tuple[Gap, ...],
    limits: Mapping[str, Limit],
    permission: BuildPermission,
    counts: ClipCounts,
    advice: tuple[Gap, ...],
    active_build: Build | None,
) -> Readiness:
    """`common_gaps` block every handover."""
    return Readiness(
        capabilities=capabilities,
        permission=permission,
        recording_count=counts.usable,
        needed_recording_count=get_min_recordings(limits),
        seconds=counts.trained_seconds,
        needed_seconds=get_limit_value(limits, "least_seconds", 0),
        gaps_by_handover={
            handover: (*find_gaps(counts, limits, capabilities, handover), *common_gaps)
            for handover in capabilities.handover
        },
        advice=advice,
        active_build=active_build,
    )


def _find_active_builds(voices: Sequence[Voice]) -> dict[tuple[UUID, UUID, str], Build]:
    builds = Build.objects.active().filter(voice__in=voices).select_related("started_by", "remote_voice")
    return {(build.voice_id, build.remote_voice.account_id, build.remote_voice.tier): build for build in builds}


def _load_counts(
    voices: Sequence[Voice],
    capabilities_by_tier: Mapping[TierKey, Capabilities],
    limits: Mapping[TierKey, Mapping[str, Limit]],
    *,
    has_builds: bool,
    without: QuerySet[Recording] | None = None,
) -> dict[tuple[UUID, TierKey], ClipCounts]:
    """By voice and tier, what the included recordings have. Two queries for any number of voices and tiers.

    Each total is computed once, however many tiers need it. A provider that refuses recordings needs one more query,
    unless the voices have no builds.
    """
    ids = [voice.pk for voice in voices]
    sent = {slug: make_sent_condition(ids, slug, has_builds=has_builds) for slug in list_refusing_providers()}
    aggregates = {
        tier_key: _make_aggregates(limits[tier_key], tier, sent.get(tier_key[0], Q()))
        for tier_key, tier in capabilities_by_tier.items()
    }
    names: dict[Aggregate, str] = {}
    for aggregate in (aggregate for row in aggregates.values() for aggregate in row):
        names.setdefault(aggregate, f"total_{len(names)}")
    usable = Recording.objects.filter(voice__in=ids, active=True, status=RecordingStatus.ACCEPTED).order_by()
    if without is not None:
        usable = usable.exclude(pk__in=without.values("pk"))
    shortest_limit = min(
        (get_limit_value(row, "longest_transcript", NO_LIMIT) for row in limits.values()), default=NO_LIMIT
    )
    totals = _load_totals(usable, names, shortest_limit)
    return {
        (pk, tier_key): ClipCounts(*(totals[pk][names[one]] for one in row)) if pk in totals else ClipCounts()
        for pk in ids
        for tier_key, row in aggregates.items()
    }


def _load_totals(
    usable: QuerySet[Recording], names: Mapping[Aggregate, str], shortest_limit: float
) -> dict[UUID, dict[str, Any]]:
    """These totals by voice. Indexes have all that is counted, and the second query finds only what it counts."""
    of_text = {name: one for one, name in names.items() if one.get_source_expressions()[0] == TEXT_LENGTH}
    others = {name: one for one, name in names.items() if name not in of_text}
    rows = cast("Iterable[dict[str, Any]]", usable.values("voice").annotate(**others))
    totals = {row["voice"]: {**row, **dict.fromkeys(of_text, 0)} for row in rows}
    texts = usable.annotate(text_length=Length("transcript"))
    # Grouped by the length, because SQLite then uses its index; apart, because for both it would read all lengths.
    missing, long = (
        texts.filter(condition).values("voice", "text_length").annotate(**of_text)
        for condition in (Q(text_length=0), Q(text_length__gt=shortest_limit))
    )
    for group in cast("Iterable[dict[str, Any]]", missing.union(long, all=True)):
        for name in of_text if group["voice"] in totals else ():
            totals[group["voice"]][name] += group[name]
    return totals


def _make_aggregates(limits: Mapping[str, Limit], tier: Capabilities, sent: Q) -> Iterable[Aggregate]:
    """The database aggregates for one tier, in the order of ClipCounts, of the recordings that are `sent`."""
    trained = get_limit_value(limits, "trained_clip", NO_LIMIT)
    short, long = get_limit_value(limits, "shortest_clip", 0), get_limit_value(limits, "longest_clip", NO_LIMIT)
    counted = sent & Q(seconds__lte=trained)
    if SELECTING_HANDOVERS.intersection(tier.handover):
        counted &= Q(seconds__gte=short, seconds__lte=long)
    longest_text = get_limit_value(limits, "longest_transcript", NO_LIMIT)
    return (
        Count("seconds", filter=sent),
        Sum("seconds", filter=counted, default=0.0),
        Count("seconds", filter=sent & Q(seconds__gt=trained)),
        Count("seconds", filter=sent & (Q(seconds__lt=short) | Q(seconds__gt=long))),
        Count(TEXT_LENGTH, filter=sent & Q(text_length=0)),
        Count(TEXT_LENGTH, filter=sent & Q(text_length__gt=longest_text)),
    )
