"""Which recordings are too long for a build: it depends on the tier, and on the way in which they are sent."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from django.db.models.expressions import ExpressionWrapper
from django.db.models.lookups import GreaterThan

from audio.wav.pcm import HEADER_BYTES
from audio.wav.riff import BYTES_PER_FRAME
from providers.types import Capabilities, Encoding, Handover, Limit, Tier
from voicehub.text import format_duration, join_with_and
from voices.models import Build, Recording

# Handovers that send only the best of the accepted recordings. Recordings that do not fit block nothing.
SELECTING_HANDOVERS = frozenset({Handover.FILE_IDS, Handover.ONE_FILE})
NAMED_FIELDS = ("pk", "file_name", "seconds", "sample_rate")
# A page names some of them. Of the longest ones, a provider may refuse a few.
MAX_NAMED, SHOWN_NAMES = 20, 3


def get_limit_value(limits: Mapping[str, Limit], name: str, default: float = math.inf) -> float:
    """The value of a limit, or `default` if the tier does not have it."""
    return limits[name].value if name in limits else default


def is_joined(handover: str, tier: Tier | str) -> bool:
    """Whether all recordings reach the provider as one sound, each of them whole. The dataset of a rapid voice is one.

    Such a sound has no transcripts.
    """
    if handover == Handover.DATASET_URL:
        return tier == Tier.RAPID
    return handover in {Handover.SIGNED_PUT_WAV, Handover.ONE_FILE}


@dataclass(frozen=True, slots=True)
class LongRecording:
    """A recording that is too long for a tier of its voice. `refusing` are the providers that refuse it anyway."""

    id: UUID
    name: str
    seconds: float
    rate: int
    refusing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LengthLimit:
    """The most that one recording may last, and that it may take as a WAV, in seconds and bytes."""

    seconds: float = math.inf
    size: float = math.inf

    @property
    def is_known(self) -> bool:
        return min(self.seconds, self.size) < math.inf

    @property
    def text(self) -> str:
        """“longer than 5 min”"""
        if self.seconds < math.inf:
            return f"longer than {format_duration(self.seconds)}"
        return f"larger than {self.size / 1_000_000:g} MB"

    def is_exceeded(self, seconds: float, rate: int) -> bool:
        return seconds > self.seconds or seconds * rate > self._max_frames

    def make_condition(self) -> Q:
        """Condition on recordings that are too long. It needs only the columns of the indexes."""
        condition = Q(seconds__gt=self.seconds) if self.seconds < math.inf else Q()
        if self.size < math.inf:
            frames = ExpressionWrapper(F("seconds") * F("sample_rate"), FloatField())
            condition |= Q(GreaterThan(frames, self._max_frames))
        return condition

    @property
    def _max_frames(self) -> float:
        return (self.size - HEADER_BYTES) / BYTES_PER_FRAME


def find_length_limit(capabilities: Capabilities, limits: Mapping[str, Limit], handover: str) -> LengthLimit:
    """What one recording may have in a build by this handover.

    With a handover that selects, the limits of all recordings together hold for one, too. An MP3 is encoded to fit.
    """
    if handover in SELECTING_HANDOVERS:
        is_fitted = handover == Handover.ONE_FILE and capabilities.encoding is Encoding.MP3
        size = math.inf if is_fitted else get_limit_value(limits, "most_bytes")
        return LengthLimit(min(get_limit_value(limits, "longest_clip"), get_limit_value(limits, "most_seconds")), size)
    if is_joined(handover, capabilities.tier):
        return LengthLimit()
    return LengthLimit(get_limit_value(limits, "longest_clip"))


def find_lowest_limit(capabilities: Capabilities, limits: Mapping[str, Limit]) -> LengthLimit:
    """The narrowest of the tier's handovers. A tier that takes a recording whole may have another that does not."""
    found = [find_length_limit(capabilities, limits, handover) for handover in capabilities.handover]
    return LengthLimit(min(limit.seconds for limit in found), min(limit.size for limit in found))


def takes_whole(capabilities: Capabilities, limits: Mapping[str, Limit], seconds: float, rate: int) -> bool:
    """Whether one of the tier's handovers sends a recording of this length whole."""
    found = (find_length_limit(capabilities, limits, handover) for handover in capabilities.handover)
    return not all(limit.is_exceeded(seconds, rate) for limit in found)


def load_long_recordings(
    usable: QuerySet[Recording], limits: Iterable[LengthLimit], sent: Mapping[str, Q]
) -> tuple[LongRecording, ...]:
    """The longest of these recordings that are too long for one of the limits, in one query.

    `sent` has the condition on the recordings that a provider gets, if it refuses some.
    """
    known = [limit.make_condition() for limit in limits if limit.is_known]
    if not known:
        return ()
    is_sent = {
        f"sent_{number}": Case(When(condition, then=True), default=False) if condition else Value(True)
        for number, condition in enumerate(sent.values())
    }
    rows = usable.filter(reduce(or_, known)).annotate(**is_sent).order_by("-seconds", "file_name", "pk")
    return tuple(
        LongRecording(
            pk, name, seconds, rate, frozenset(slug for slug, one in zip(sent, found, strict=True) if not one)
        )
        for pk, name, seconds, rate, *found in rows.values_list(*NAMED_FIELDS, *is_sent)[:MAX_NAMED]
    )


def find_length_objection(build: Build) -> str:
    """Why the recordings of a build cannot be sent, if a limit has changed since it started. Empty if they can."""
    remote = build.remote_voice
    limit = find_length_limit(remote.capabilities, remote.limits, build.handover)
    if not limit.is_known:
        return ""
    sent = Recording.objects.filter(limit.make_condition(), pk__in=build.recordings.values("recording"))
    names = list(sent.order_by("-seconds", "file_name").values_list("file_name", flat=True))
    if not names:
        return ""
    are = "is" if len(names) == 1 else "are"
    shown = join_names(names, len(names))
    return f"{shown} {are} {limit.text}, which the provider does not take. {advise_cut(len(names))}"


def advise_cut(count: int) -> str:
    them = "it" if count == 1 else "them"
    return f"Cut {them} into clips, or exclude {them}."


def join_names(names: Sequence[str], count: int) -> str:
    """The first of `count` names: “a.wav, b.wav, c.wav and 3 more”."""
    shown = list(names[:SHOWN_NAMES])
    more = count - len(shown)
    return join_with_and([*shown, f"{more} more"] if more > 0 else shown)


def list_exceeding(recordings: Iterable[LongRecording], limit: LengthLimit, provider: str) -> tuple[LongRecording, ...]:
    """Those that the provider would get if they were not too long."""
    return tuple(row for row in recordings if provider not in row.refusing and limit.is_exceeded(row.seconds, row.rate))
