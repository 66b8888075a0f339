"""What a voice still lacks for a build, asked of data: the gate, the recordings, and the limits of the tier."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Aggregate, Count, Q, Sum
from django.db.models.functions import Length

from consent.services.gate import Permission, Wish, permissions
from providers import registry
from providers.types import Capabilities, Handover, Limit, Tier
from voicehub.text import clock, some
from voices.models import Account, Build, BuildRecording, Recording, RecordingStatus, Voice
from voices.models.limits import Kind, all_limits

AccountTier = tuple[Account, Capabilities]

NO_LIMIT = 1e9
NOT_THIS_LANGUAGE = "The provider makes no voices in this language."
# Ways by which a provider is sent the best of the recordings that it takes, so that the others are in nobody's way.
CHOOSING = frozenset({Handover.FILE_IDS, Handover.ONE_FILE})
# Ways by which recordings become one sound, so that the length of each does not matter.
JOINING = frozenset({Handover.SIGNED_PUT_WAV, Handover.ONE_FILE})
# Ways by which no transcript goes along.
WORDLESS = JOINING | {Handover.SIGNED_PUT_CLIPS, Handover.FILE_IDS}


class Lacks(StrEnum):
    """What kind of thing is missing, or could be better, for those who know where it is mended."""

    RECORDINGS = "recordings"
    LENGTH = "length"
    TRANSCRIPTS = "transcripts"
    SHORTER_TRANSCRIPTS = "shorter_transcripts"
    TRAINED_LENGTH = "trained_length"
    UNMARKED = "unmarked"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Lack:
    kind: Lacks
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a voice is from a build at one account in one tier; seconds count only what is used for training.

    `ways` are the ways of handing over with what each of them lacks, which blocks a build by it; `advice` does not.
    """

    capabilities: Capabilities
    permission: Permission
    count: int
    needed_count: int
    seconds: float
    needed_seconds: float
    ways: Mapping[Handover, tuple[Lack, ...]]
    advice: tuple[Lack, ...]
    active_build: Build | None

    @property
    def way(self) -> Handover:
        """The first way that lacks nothing, or else the first."""
        return next((way for way, lacks in self.ways.items() if not lacks), next(iter(self.ways)))

    @property
    def lacks(self) -> tuple[Lack, ...]:
        return self.ways[self.way]

    @property
    def blockers(self) -> tuple[str, ...]:
        return tuple(lack.text for lack in self.lacks)

    @property
    def ready(self) -> bool:
        return not self.lacks and self.permission.given and self.active_build is None


class _Counts(NamedTuple):
    usable: int = 0
    trained_seconds: float = 0.0
    untrained: int = 0
    refused_length: int = 0
    without_text: int = 0
    long_text: int = 0


def readiness(voice: Voice, account: Account, tier: Tier | str) -> Readiness:
    """What stands between this voice and a build. Raises NotPossible for a tier that the provider does not have."""
    return readinesses([voice], account, tier)[voice.pk]


def readinesses(voices: Sequence[Voice], account: Account, tier: Tier | str) -> dict[UUID, Readiness]:
    """The same for many voices, by their id; the number of queries does not grow with them."""
    capabilities = account.capabilities_for(tier)
    return {voice.pk: state for voice, _, state in _readinesses(voices, [(account, capabilities)])}


def all_readiness(voice: Voice) -> list[tuple[Account, Readiness]]:
    """Every account, also a paused one, with every tier that its provider has; the queries do not grow with them."""
    accounts = [account for account in Account.objects.all() if account.provider in registry.PROVIDERS]
    places = [(a, tier) for a in accounts for tier in registry.get_provider_class(a.provider).tiers.values()]
    return [(account, state) for _, account, state in _readinesses([voice], places)]


def _readinesses(voices: Sequence[Voice], places: Sequence[AccountTier]) -> Iterator[tuple[Voice, Account, Readiness]]:
    limits = all_limits()
    labels = {account.provider: registry.get_provider_label(account.provider) for account, _ in places}
    wishes = {(voice.pk, slug): Wish(voice.talent, slug, voice.purpose) for voice in voices for slug in labels}
    allowed = permissions(wishes.values(), labels)
    kinds = {(account.provider, tier.tier): tier for account, tier in places}
    counts, marked = _counts(voices, kinds, limits), _marked(voices)
    active = _active(voices)
    for account, tier in places:
        kind = (account.provider, tier.tier)
        for voice in voices:
            yield (
                voice,
                account,
                _readiness(
                    tier,
                    voice.language,
                    limits[kind],
                    allowed[wishes[voice.pk, account.provider]],
                    counts[voice.pk, kind],
                    tuple(_advice(counts[voice.pk, kind], marked.get(voice.pk, 0), limits[kind], voice.language)),
                    active.get((voice.pk, account.pk, str(tier.tier))),
                ),
            )


def _readiness(
    capabilities: Capabilities,
    language: str,
    limits: Mapping[str, Limit],
    allowed: Permission,
    counts: _Counts,
    advice: tuple[Lack, ...],
    active_build: Build | None,
) -> Readiness:
    unheard = () if capabilities.supports_language(language) else (Lack(Lacks.LANGUAGE, NOT_THIS_LANGUAGE),)
    return Readiness(
        capabilities=capabilities,
        permission=allowed,
        count=counts.usable,
        needed_count=_least_recordings(limits),
        seconds=counts.trained_seconds,
        needed_seconds=_value(limits, "least_seconds", 0),
        ways={way: (*_lacks(counts, limits, capabilities, way), *unheard) for way in capabilities.handover},
        advice=advice,
        active_build=active_build,
    )


def _active(voices: Sequence[Voice]) -> dict[tuple[UUID, UUID, str], Build]:
    """The builds on their way, by voice, account and tier."""
    found = Build.objects.active().filter(voice__in=voices).select_related("started_by", "remote_voice")
    return {(build.voice_id, build.remote_voice.account_id, build.remote_voice.tier): build for build in found}


def _least_recordings(limits: Mapping[str, Limit]) -> int:
    """Without which there is no build; what a provider only recommends is advice."""
    least = limits.get("least_recordings")
    return math.ceil(least.value) if least and least.hard else 1


def _value(limits: Mapping[str, Limit], name: str, otherwise: float) -> float:
    """A limit's value; what stands for “no limit” where the tier has none of that name."""
    return limits[name].value if name in limits else otherwise


def _counts(
    voices: Sequence[Voice], kinds: Mapping[Kind, Capabilities], limits: Mapping[Kind, Mapping[str, Limit]]
) -> dict[tuple[UUID, Kind], _Counts]:
    """One query, whatever the number of voices, recordings and tiers."""
    used = Recording.objects.filter(voice__in=voices, active=True, status=RecordingStatus.ACCEPTED).order_by()
    sums = {
        f"{name}_{number}": total
        for number, (kind, tier) in enumerate(kinds.items())
        for name, total in _sums(limits[kind], tier.handover).items()
    }
    found = used.annotate(text_length=Length("transcript")).values("voice").annotate(clips=Count("pk"), **sums)
    rows = {row["voice"]: row for row in found}
    return {
        (voice.pk, kind): _counted(rows[voice.pk], number) if voice.pk in rows else _Counts()
        for voice in voices
        for number, kind in enumerate(kinds)
    }


def _counted(row: Mapping[str, Any], number: int) -> _Counts:
    return _Counts(row["clips"], *(row[f"{name}_{number}"] for name in _Counts._fields[1:]))


def _sums(limits: Mapping[str, Limit], ways: Sequence[Handover]) -> dict[str, Aggregate]:
    """What is summed up for one tier, by the names of _Counts."""
    trained = _value(limits, "trained_clip", NO_LIMIT)
    short, long = _value(limits, "shortest_clip", 0), _value(limits, "longest_clip", NO_LIMIT)
    counted = Q(seconds__lte=trained)
    if CHOOSING.intersection(ways):
        counted &= Q(seconds__gte=short, seconds__lte=long)
    return {
        "trained_seconds": Sum("seconds", filter=counted, default=0.0),
        "untrained": Count("pk", filter=Q(seconds__gt=trained)),
        "refused_length": Count("pk", filter=Q(seconds__lt=short) | Q(seconds__gt=long)),
        "without_text": Count("pk", filter=Q(text_length=0)),
        "long_text": Count("pk", filter=Q(text_length__gt=_value(limits, "longest_transcript", NO_LIMIT))),
    }


def _marked(voices: Sequence[Voice]) -> dict[UUID, int]:
    """How many recordings go into a build though the provider marked them in the last one, where there are any."""
    used = BuildRecording.objects.still_marked().filter(
        recording__voice__in=voices, recording__active=True, recording__status=RecordingStatus.ACCEPTED
    )
    return dict(used.values_list("recording__voice").annotate(clips=Count("recording", distinct=True)))


def _lacks(counts: _Counts, limits: Mapping[str, Limit], capabilities: Capabilities, way: Handover) -> Iterator[Lack]:
    missing = _least_recordings(limits) - counts.usable
    if missing > 0:
        yield Lack(Lacks.RECORDINGS, f"{some(missing, 'more recording is', 'more recordings are')} needed.")
    needed = _value(limits, "least_seconds", 0)
    if needed > counts.trained_seconds:
        more = clock(needed - math.floor(counts.trained_seconds))
        yield Lack(Lacks.RECORDINGS, f"{more} more minutes of usable speech are needed.")
    if counts.refused_length and way not in CHOOSING | JOINING:
        short, long = _value(limits, "shortest_clip", 0), _value(limits, "longest_clip", NO_LIMIT)
        those = some(counts.refused_length, "recording is", "recordings are")
        words = f"{those} not between {short:g} and {long:g} seconds long. Cut them, or leave them out."
        yield Lack(Lacks.LENGTH, words)
    if counts.without_text and _needs_texts(capabilities, way):
        those = some(counts.without_text, "recording has", "recordings have")
        yield Lack(Lacks.TRANSCRIPTS, f"{those} no transcript. Type what is said.")
    if counts.long_text and way not in WORDLESS:
        those = some(counts.long_text, "transcript is", "transcripts are")
        yield Lack(Lacks.SHORTER_TRANSCRIPTS, f"{those} too long. Cut the recording in two.")


def _needs_texts(capabilities: Capabilities, way: Handover) -> bool:
    return way == Handover.SIGNED_PUT_TEXTS or (capabilities.requires_transcript and way not in WORDLESS)


def _advice(counts: _Counts, marked: int, limits: Mapping[str, Limit], language: str) -> Iterator[Lack]:
    advised = _value(limits, "advised_seconds", 0)
    if language.partition("-")[0] != "en":
        advised = max(advised, _value(limits, "advised_seconds_other_languages", 0))
    if advised > counts.trained_seconds:
        more = clock(advised - math.floor(counts.trained_seconds))
        yield Lack(Lacks.RECORDINGS, f"{more} more minutes of speech would make it better.")
    wanted = math.ceil(_value(limits, "least_recordings", 0)) - counts.usable
    if wanted > 0 and not limits["least_recordings"].hard:
        yield Lack(Lacks.RECORDINGS, f"{some(wanted, 'more recording', 'more recordings')} would make it better.")
    if marked:
        those, them = some(marked, "recording was", "recordings were"), "it" if marked == 1 else "them"
        words = f"{those} marked by the provider in the last build. Leave {them} out or replace {them}."
        yield Lack(Lacks.UNMARKED, words)
    if counts.untrained:
        those = some(counts.untrained, "recording is", "recordings are")
        longest = f"{_value(limits, 'trained_clip', NO_LIMIT):g} seconds"
        words = f"{those} longer than {longest}. The provider takes them, but does not train on them."
        yield Lack(Lacks.TRAINED_LENGTH, words)
