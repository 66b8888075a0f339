"""What a voice needs before a build, computed from the gate, the recordings and the limits of the tier."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Aggregate, Count, Exists, Q, Sum
from django.db.models.functions import Length

from consent.services.gate import BuildPermission, check_permissions
from providers import registry
from providers.types import Capabilities, Handover, Limit, Tier
from voicehub.text import format_count, format_duration
from voices.models import Account, Build, BuildRecording, Recording, RecordingStatus, Voice
from voices.models.limits import TierKey, get_all_limits
from voices.services.builds.offline_proof import load_proofs
from voices.services.builds.refused_recordings import list_refusing_providers, query_refusals
from voices.services.permission import make_build_purpose

AccountTier = tuple[Account, Capabilities]

NO_LIMIT = 1e9
LANGUAGE_UNSUPPORTED = "The provider makes no voices in this language."
# Handovers that send only the best of the accepted recordings. Recordings that do not fit block nothing.
SELECTING_HANDOVERS = frozenset({Handover.FILE_IDS, Handover.ONE_FILE})
# Handovers that join the recordings into one file. The length of a single recording does not matter.
SINGLE_SOUND_HANDOVERS = frozenset({Handover.SIGNED_PUT_WAV, Handover.ONE_FILE})
# Handovers without transcripts.
HANDOVERS_WITHOUT_TRANSCRIPT = SINGLE_SOUND_HANDOVERS | {Handover.SIGNED_PUT_CLIPS, Handover.FILE_IDS}


class GapKind(StrEnum):
    """The kind of a gap. Pages choose by it the link where the gap is fixed."""

    RECORDINGS = "recordings"
    CLIP_LENGTH = "length"
    TRANSCRIPTS = "transcripts"
    SHORTER_TRANSCRIPTS = "shorter_transcripts"
    TRAINED_LENGTH = "trained_length"
    FLAGGED_RECORDINGS = "flagged_recordings"
    LANGUAGE = "language"
    OFFLINE_PROOF = "offline_proof"


@dataclass(frozen=True, slots=True)
class Gap:
    kind: GapKind
    text: str


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


class _ClipCounts(NamedTuple):
    usable: int = 0
    trained_seconds: float = 0.0
    untrained: int = 0
    wrong_length: int = 0
    without_text: int = 0
    long_text: int = 0


def check_readiness(voice: Voice, account: Account, tier: Tier | str) -> Readiness:
    """Raises ActionRefused if the provider does not have the tier."""
    targets = [(account, account.get_capabilities(tier))]
    ((_, _, state),) = _iterate_readiness([voice], targets, get_all_limits())
    return state


def check_readiness_everywhere(voice: Voice) -> list[tuple[Account, Readiness]]:
    """Readiness for each tier of each account, also of paused accounts. The number of queries is constant."""
    return [(account, state) for _, account, state in _iterate_readiness([voice], _list_targets(), get_all_limits())]


def check_unbuilt_voices(voices: Sequence[Voice]) -> Iterator[tuple[Voice, Account, Readiness]]:
    """As `check_readiness_everywhere`, for many voices that have no active build, without advice about earlier builds.

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
) -> Iterator[tuple[Voice, Account, Readiness]]:
    labels = {account.provider: registry.get_provider_label(account.provider) for account, _ in targets}
    purposes = {(voice.pk, slug): make_build_purpose(voice, slug) for voice in voices for slug in labels}
    permissions = check_permissions(purposes.values(), labels)
    capabilities_by_tier = {(account.provider, tier.tier): tier for account, tier in targets}
    counts = _count_clips(voices, capabilities_by_tier, limits)
    flagged, active = (_count_flagged(voices), _find_active_builds(voices)) if has_builds else ({}, {})
    proofs = load_proofs(permissions.values(), [account for account, _ in targets])
    for account, tier in targets:
        tier_key = (account.provider, tier.tier)
        for voice in voices:
            permission = permissions[purposes[voice.pk, account.provider]]
            yield (
                voice,
                account,
                _make_readiness(
                    tier,
                    voice.language,
                    limits[tier_key],
                    permission,
                    counts[voice.pk, tier_key],
                    (
                        *_give_advice(
                            counts[voice.pk, tier_key], flagged.get(voice.pk, 0), limits[tier_key], voice.language
                        ),
                        *_make_proof_gaps(proofs.list_unconfirmed(tier, account, permission.consent)),
                    ),
                    active.get((voice.pk, account.pk, str(tier.tier))),
                    _make_proof_gaps(proofs.list_missing(tier, account, permission.consent)),
                ),
            )


def _make_readiness(
    capabilities: Capabilities,
    language: str,
    limits: Mapping[str, Limit],
    permission: BuildPermission,
    counts: _ClipCounts,
    advice: tuple[Gap, ...],
    active_build: Build | None,
    proof_gaps: tuple[Gap, ...],
) -> Readiness:
    language_gaps = () if capabilities.supports_language(language) else (Gap(GapKind.LANGUAGE, LANGUAGE_UNSUPPORTED),)
    return Readiness(
        capabilities=capabilities,
        permission=permission,
        recording_count=counts.usable,
        needed_recording_count=_get_min_recordings(limits),
        seconds=counts.trained_seconds,
        needed_seconds=_get_limit_value(limits, "least_seconds", 0),
        gaps_by_handover={
            handover: (*_find_gaps(counts, limits, capabilities, handover), *language_gaps, *proof_gaps)
            for handover in capabilities.handover
        },
        advice=advice,
        active_build=active_build,
    )


def _make_proof_gaps(texts: Sequence[str]) -> tuple[Gap, ...]:
    return tuple(Gap(GapKind.OFFLINE_PROOF, text) for text in texts)


def _find_active_builds(voices: Sequence[Voice]) -> dict[tuple[UUID, UUID, str], Build]:
    builds = Build.objects.active().filter(voice__in=voices).select_related("started_by", "remote_voice")
    return {(build.voice_id, build.remote_voice.account_id, build.remote_voice.tier): build for build in builds}


def _get_min_recordings(limits: Mapping[str, Limit]) -> int:
    """The number of recordings that the provider requires. A number that it only recommends is advice."""
    minimum = limits.get("least_recordings")
    return math.ceil(minimum.value) if minimum and minimum.hard else 1


def _get_limit_value(limits: Mapping[str, Limit], name: str, default: float) -> float:
    """The value of a limit, or `otherwise` if the tier does not have it."""
    return limits[name].value if name in limits else default


def _count_clips(
    voices: Sequence[Voice],
    capabilities_by_tier: Mapping[TierKey, Capabilities],
    limits: Mapping[TierKey, Mapping[str, Limit]],
) -> dict[tuple[UUID, TierKey], _ClipCounts]:
    """One query for any number of voices, recordings and tiers."""
    usable = Recording.objects.filter(voice__in=voices, active=True, status=RecordingStatus.ACCEPTED).order_by()
    sums = {
        f"{name}_{number}": total
        for number, (tier_key, tier) in enumerate(capabilities_by_tier.items())
        for name, total in _make_aggregates(limits[tier_key], tier, tier_key[0]).items()
    }
    refused = {f"is_refused_{slug}": Exists(query_refusals(slug)) for slug in list_refusing_providers()}
    totals = usable.annotate(text_length=Length("transcript"), **refused).values("voice").annotate(**sums)
    rows = {row["voice"]: row for row in totals}
    return {
        (voice.pk, tier_key): _parse_counts(rows[voice.pk], number) if voice.pk in rows else _ClipCounts()
        for voice in voices
        for number, tier_key in enumerate(capabilities_by_tier)
    }


def _parse_counts(row: Mapping[str, Any], number: int) -> _ClipCounts:
    return _ClipCounts(*(row[f"{name}_{number}"] for name in _ClipCounts._fields))


def _make_aggregates(limits: Mapping[str, Limit], tier: Capabilities, provider: str) -> dict[str, Aggregate]:
    """The database aggregates for one tier, by field name of _ClipCounts. Without what the provider refuses."""
    sent = Q(**{f"is_refused_{provider}": False}) if provider in list_refusing_providers() else Q()
    trained = _get_limit_value(limits, "trained_clip", NO_LIMIT)
    short, long = _get_limit_value(limits, "shortest_clip", 0), _get_limit_value(limits, "longest_clip", NO_LIMIT)
    counted = sent & Q(seconds__lte=trained)
    if SELECTING_HANDOVERS.intersection(tier.handover):
        counted &= Q(seconds__gte=short, seconds__lte=long)
    return {
        "usable": Count("pk", filter=sent),
        "trained_seconds": Sum("seconds", filter=counted, default=0.0),
        "untrained": Count("pk", filter=sent & Q(seconds__gt=trained)),
        "wrong_length": Count("pk", filter=sent & (Q(seconds__lt=short) | Q(seconds__gt=long))),
        "without_text": Count("pk", filter=sent & Q(text_length=0)),
        "long_text": Count(
            "pk", filter=sent & Q(text_length__gt=_get_limit_value(limits, "longest_transcript", NO_LIMIT))
        ),
    }


def _count_flagged(voices: Sequence[Voice]) -> dict[UUID, int]:
    """By voice, the number of included recordings that the provider flagged in the last build. Zeros are omitted."""
    flagged = BuildRecording.objects.still_flagged().filter(
        recording__voice__in=voices, recording__active=True, recording__status=RecordingStatus.ACCEPTED
    )
    return dict(flagged.values_list("recording__voice").annotate(clips=Count("recording", distinct=True)))


def _find_gaps(
    counts: _ClipCounts, limits: Mapping[str, Limit], capabilities: Capabilities, handover: Handover
) -> Iterator[Gap]:
    missing = _get_min_recordings(limits) - counts.usable
    if missing > 0:
        yield Gap(GapKind.RECORDINGS, f"{format_count(missing, 'more recording is', 'more recordings are')} needed.")
    needed = _get_limit_value(limits, "least_seconds", 0)
    if needed > counts.trained_seconds:
        missing_duration = format_duration(math.ceil(needed - math.floor(counts.trained_seconds)))
        yield Gap(GapKind.RECORDINGS, f"Another {missing_duration} of usable speech is needed.")
    if counts.wrong_length and handover not in SELECTING_HANDOVERS | SINGLE_SOUND_HANDOVERS:
        short, long = _get_limit_value(limits, "shortest_clip", 0), _get_limit_value(limits, "longest_clip", NO_LIMIT)
        subject = format_count(counts.wrong_length, "recording is", "recordings are")
        text = f"{subject} not between {short:g} and {long:g} seconds long. Split them or leave them out."
        yield Gap(GapKind.CLIP_LENGTH, text)
    if counts.without_text and _needs_transcripts(capabilities, handover):
        subject = format_count(counts.without_text, "recording has", "recordings have")
        yield Gap(GapKind.TRANSCRIPTS, f"{subject} no transcript. Type what is said.")
    if counts.long_text and handover not in HANDOVERS_WITHOUT_TRANSCRIPT:
        subject = format_count(counts.long_text, "transcript is", "transcripts are")
        yield Gap(GapKind.SHORTER_TRANSCRIPTS, f"{subject} too long. Split the recording in two.")


def _needs_transcripts(capabilities: Capabilities, handover: Handover) -> bool:
    return handover == Handover.SIGNED_PUT_TEXTS or (
        capabilities.requires_transcript and handover not in HANDOVERS_WITHOUT_TRANSCRIPT
    )


def _give_advice(counts: _ClipCounts, flagged: int, limits: Mapping[str, Limit], language: str) -> Iterator[Gap]:
    advised = _get_limit_value(limits, "advised_seconds", 0)
    if language.partition("-")[0] != "en":
        advised = max(advised, _get_limit_value(limits, "advised_seconds_other_languages", 0))
    if advised > counts.trained_seconds:
        missing_duration = format_duration(math.ceil(advised - math.floor(counts.trained_seconds)))
        yield Gap(GapKind.RECORDINGS, f"Another {missing_duration} of speech would improve the voice.")
    missing = math.ceil(_get_limit_value(limits, "least_recordings", 0)) - counts.usable
    if missing > 0 and not limits["least_recordings"].hard:
        yield Gap(
            GapKind.RECORDINGS, f"{format_count(missing, 'more recording', 'more recordings')} would improve the voice."
        )
    if flagged:
        subject = format_count(flagged, "recording was", "recordings were")
        pronoun = "it" if flagged == 1 else "them"
        text = f"{subject} flagged by the provider in the last build. Leave {pronoun} out or replace {pronoun}."
        yield Gap(GapKind.FLAGGED_RECORDINGS, text)
    if counts.untrained:
        subject = format_count(counts.untrained, "recording is", "recordings are")
        longest = f"{_get_limit_value(limits, 'trained_clip', NO_LIMIT):g} seconds"
        text = f"{subject} longer than {longest}. The provider accepts them but does not train on them."
        yield Gap(GapKind.TRAINED_LENGTH, text)
