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
    ClipCounts,
    Gap,
    count_needed_recordings,
    count_speech,
    find_check_gaps,
    find_gaps,
    find_language_gaps,
    give_advice,
    make_proof_gaps,
)
from voices.services.builds.lengths import (
    SELECTING_HANDOVERS,
    LongRecording,
    find_lowest_limit,
    get_limit_value,
    list_exceeding,
    load_long_recordings,
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

    The gaps of a handover block a build by that handover. `advice` blocks nothing.
    """

    capabilities: Capabilities
    permission: BuildPermission
    counts: ClipCounts
    limits: Mapping[str, Limit]
    gaps_by_handover: Mapping[Handover, tuple[Gap, ...]]
    advice: tuple[Gap, ...]
    active_build: Build | None

    @property
    def best_handover(self) -> Handover:
        """The first handover with the fewest gaps."""
        return min(self.gaps_by_handover, key=lambda handover: len(self.gaps_by_handover[handover]))

    @property
    def recording_count(self) -> int:
        return self.counts.usable

    @property
    def needed_recording_count(self) -> int:
        return count_needed_recordings(self.counts, self.limits, self.best_handover, self.capabilities.tier)

    @property
    def seconds(self) -> float:
        """Only of audio that the provider trains on."""
        return count_speech(self.counts, self.best_handover, self.capabilities.tier)

    @property
    def needed_seconds(self) -> float:
        return get_limit_value(self.limits, "least_seconds", 0)

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
    ((_, _, state),) = _iterate_readiness([voice], targets, get_all_limits(), without=without, has_names=True)
    return state


def check_readiness_everywhere(voice: Voice) -> list[tuple[Account, Readiness]]:
    """Readiness for each tier of each account, also of paused accounts. The number of queries is constant."""
    rows = _iterate_readiness([voice], _list_targets(), get_all_limits(), has_names=True)
    return [(account, state) for _, account, state in rows]


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
    has_names: bool = False,
) -> Iterator[tuple[Voice, Account, Readiness]]:
    """`has_names`: the gaps name recordings. Only for one voice, because it needs another query."""
    labels = {account.provider: registry.get_provider_label(account.provider) for account, _ in targets}
    purposes = {(voice.pk, slug): make_build_purpose(voice, slug) for voice in voices for slug in labels}
    permissions = check_permissions(purposes.values(), labels)
    capabilities_by_tier = {(account.provider, tier.tier): tier for account, tier in targets}
    sent = _make_sent_conditions(voices, has_builds=has_builds)
    usable = _query_usable(voices, without)
    counts = _load_counts(usable, [voice.pk for voice in voices], capabilities_by_tier, limits, sent)
    length_limits = {key: find_lowest_limit(tier, limits[key]) for key, tier in capabilities_by_tier.items()}
    longest = load_long_recordings(usable, length_limits.values(), sent) if has_names else ()
    active = _find_active_builds(voices) if has_builds else {}
    unchecked = load_unchecked(voices)
    proofs = load_proofs(permissions.values(), [account for account, _ in targets])
    for account, tier in targets:
        tier_key = (account.provider, tier.tier)
        too_long = list_exceeding(longest, length_limits[tier_key], account.provider)
        for voice in voices:
            permission = permissions[purposes[voice.pk, account.provider]]
            common_gaps = (
                *find_language_gaps(tier, voice.language),
                *find_check_gaps(unchecked.get(voice.pk)),
                *make_proof_gaps(proofs.list_missing(tier, account, permission.consent)),
            )
            advice = (
                *give_advice(counts[voice.pk, tier_key], limits[tier_key], tier, voice.language, too_long),
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
                    too_long,
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
    too_long: Sequence[LongRecording],
    advice: tuple[Gap, ...],
    active_build: Build | None,
) -> Readiness:
    """`common_gaps` block every handover."""
    return Readiness(
        capabilities=capabilities,
        permission=permission,
        counts=counts,
        limits=limits,
        gaps_by_handover={
            handover: (*find_gaps(counts, limits, capabilities, handover, too_long), *common_gaps)
            for handover in capabilities.handover
        },
        advice=advice,
        active_build=active_build,
    )


def _find_active_builds(voices: Sequence[Voice]) -> dict[tuple[UUID, UUID, str], Build]:
    builds = Build.objects.active().filter(voice__in=voices).select_related("started_by", "remote_voice")
    return {(build.voice_id, build.remote_voice.account_id, build.remote_voice.tier): build for build in builds}


def _make_sent_conditions(voices: Sequence[Voice], *, has_builds: bool) -> dict[str, Q]:
    """By provider that refuses recordings, the condition on those that it gets.

    Each provider needs one query, unless the voices have no builds.
    """
    ids = [voice.pk for voice in voices]
    return {slug: make_sent_condition(ids, slug, has_builds=has_builds) for slug in list_refusing_providers()}


def _query_usable(voices: Sequence[Voice], without: QuerySet[Recording] | None) -> QuerySet[Recording]:
    included = Recording.objects.filter(voice__in=voices, active=True, status=RecordingStatus.ACCEPTED).order_by()
    return included if without is None else included.exclude(pk__in=without.values("pk"))


def _load_counts(
    usable: QuerySet[Recording],
    voices: Sequence[UUID],
    capabilities_by_tier: Mapping[TierKey, Capabilities],
    limits: Mapping[TierKey, Mapping[str, Limit]],
    sent: Mapping[str, Q],
) -> dict[tuple[UUID, TierKey], ClipCounts]:
    """By voice and tier, what the included recordings have. Two queries for any number of voices and tiers.

    Each total is computed once, however many tiers need it.
    """
    aggregates = {
        tier_key: _make_aggregates(limits[tier_key], tier, sent.get(tier_key[0], Q()))
        for tier_key, tier in capabilities_by_tier.items()
    }
    names: dict[Aggregate, str] = {}
    for aggregate in (aggregate for row in aggregates.values() for aggregate in row):
        names.setdefault(aggregate, f"total_{len(names)}")
    shortest_limit = min(
        (get_limit_value(row, "longest_transcript", NO_LIMIT) for row in limits.values()), default=NO_LIMIT
    )
    totals = _load_totals(usable, names, shortest_limit)
    return {
        (pk, tier_key): ClipCounts(*(totals[pk][names[one]] for one in row)) if pk in totals else ClipCounts()
        for pk in voices
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
    short, too_long = get_limit_value(limits, "shortest_clip", 0), find_lowest_limit(tier, limits).make_condition()
    counted = sent & Q(seconds__lte=trained)
    if SELECTING_HANDOVERS.intersection(tier.handover):
        counted &= Q(seconds__gte=short) & (~too_long if too_long else Q())
    longest_text = get_limit_value(limits, "longest_transcript", NO_LIMIT)
    return (
        Count("seconds", filter=sent),
        Sum("seconds", filter=sent, default=0.0),
        Sum("seconds", filter=counted, default=0.0),
        Count("seconds", filter=sent & Q(seconds__gt=trained)),
        Count("seconds", filter=sent & Q(seconds__lt=short)),
        Count("seconds", filter=sent & (too_long or Q(seconds__gt=NO_LIMIT))),
        Count(TEXT_LENGTH, filter=sent & Q(text_length=0)),
        Count(TEXT_LENGTH, filter=sent & Q(text_length__gt=longest_text)),
    )
