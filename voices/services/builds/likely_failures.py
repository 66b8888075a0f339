"""Recordings that would probably fail in a build at one tier, each with its reasons. They are advice and block nothing.

The finding codes that leave a recording out by default count, as judged by the thresholds of the tier; what a provider
marked in its last report; the limits of the tier; and findings that a provider has marked in most past builds.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audio.findings.catalog import EXCLUSION_LABELS
from audio.findings.thresholds import Thresholds
from providers import registry
from providers.types import Handover, Limit
from voicehub.threshold_overrides import load_tier_thresholds
from voices.models import BuildRecording, InclusionSource, RecordingStatus, Voice
from voices.models.build import MARKS
from voices.models.limits import TierKey
from voices.services.builds.lengths import SELECTING_HANDOVERS, is_joined
from voices.services.builds.predictions import Prediction, Predictions, load_predictions
from voices.services.builds.selection import ClipRow
from voices.services.recordings.inclusion import EXCLUSION_REASONS
from voices.services.refused_recordings import list_refused, list_refusing_providers


@dataclass(frozen=True, slots=True)
class ProviderMark:
    """What a provider said about a recording in the newest build that reported on it."""

    provider: str
    is_silent: bool
    is_outlier: bool
    is_unused: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a recording would probably fail, and how often the provider marked others with this finding, if known."""

    text: str
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class LikelyFailure:
    """A recording that would probably fail. `is_chosen` says that a person put it into builds.

    `is_refused`: it is left out because the provider never uses it, so it cannot be put back there.
    """

    id: UUID
    name: str
    is_chosen: bool
    reasons: tuple[Reason, ...]
    is_left_out: bool = False
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class TierJudge:
    """What decides at one tier. `studio_thresholds` are those by which the stored findings were made."""

    tier_key: TierKey
    limits: Mapping[str, Limit]
    thresholds: Thresholds
    studio_thresholds: Thresholds
    marks: Mapping[UUID, ProviderMark]
    predictions: Predictions

    @property
    def is_by_levels(self) -> bool:
        """Whether the tier has thresholds of its own, which judge the levels of every recording again."""
        return self.thresholds != self.studio_thresholds

    def has_likely_failure(self, rows: Sequence[ClipRow], handover: Handover) -> bool:
        return any(True for row in rows for _reason in self._list_reasons(row, handover))

    def find_likely_failures(self, rows: Sequence[ClipRow], handover: Handover) -> list[LikelyFailure]:
        """Those of the included recordings that would probably fail if this handover sends them."""
        found = ((row, tuple(self._list_reasons(row, handover))) for row in rows)
        return [LikelyFailure(row.id, row.name, row.is_chosen, reasons) for row, reasons in found if reasons]

    def _list_reasons(self, row: ClipRow, handover: Handover) -> Iterator[Reason]:
        for code in self._list_codes(row):
            prediction = self.predictions.get((self.tier_key[0], code))
            if code in EXCLUSION_LABELS:
                yield Reason(EXCLUSION_LABELS[code], prediction)
            elif prediction and prediction.is_likely:
                yield Reason(code.replace("_", " "), prediction)
        if mark := self.marks.get(row.id):
            yield from self._list_marks(mark)
        if handover not in SELECTING_HANDOVERS and not is_joined(handover, self.tier_key[1]):
            yield from self._list_limit_reasons(row)

    def _list_codes(self, row: ClipRow) -> Iterator[str]:
        """The codes of the stored findings. If the tier has thresholds of its own, they judge the stored levels."""
        judged = judge_levels(row.levels, self.thresholds) if self.is_by_levels else {}
        yield from (code for code in row.codes if judged.get(code, True))
        yield from (code for code, is_found in judged.items() if is_found and code not in row.codes)

    def _list_marks(self, mark: ProviderMark) -> Iterator[Reason]:
        """Silence and another speaker count at every provider, any other reason only at the one that gave it."""
        label = registry.get_provider_label(mark.provider)
        if mark.is_silent:
            yield Reason(f"{label} found it silent")
        if mark.is_outlier:
            yield Reason(f"{label} found another speaker or sound")
        if mark.is_unused and mark.provider == self.tier_key[0]:
            yield Reason(f"{label} did not use it in the last build")

    def _list_limit_reasons(self, row: ClipRow) -> Iterator[Reason]:
        short, long = self.limits.get("shortest_clip"), self.limits.get("longest_clip")
        if short and row.seconds < short.value:
            yield Reason(f"shorter than {short.value:g} s")
        if long and row.seconds > long.value:
            yield Reason(f"longer than {long.value:g} s")
        low, high = self.limits.get("lowest_rate"), self.limits.get("highest_rate")
        if (low and row.rate < low.value) or (high and row.rate > high.value):
            yield Reason(f"a sampling rate of {row.rate / 1000:g} kHz is not accepted")


def judge_levels(levels: Mapping[str, Any], thresholds: Thresholds) -> dict[str, bool]:
    """Whether each of these findings is made by these thresholds. Empty if the levels are not complete."""
    try:
        is_silent = levels["peak_dbfs"] < thresholds.silent_peak_dbfs or levels["rms_dbfs"] < thresholds.silent_rms_dbfs
        has_no_speech = not is_silent and levels["speech_seconds"] < thresholds.silent_speech_seconds
        is_clipped = levels["clipped_share"] > thresholds.clipping_share
    except KeyError:
        return {}
    return {"silent": is_silent, "no_speech": has_no_speech, "clipping": is_clipped}


def make_judges(
    voices: Collection[UUID], tiers: Iterable[TierKey], limits: Mapping[TierKey, Mapping[str, Limit]]
) -> dict[TierKey, TierJudge]:
    """For each of these tiers, what decides which recordings of these voices would probably fail."""
    keys = set(tiers)
    thresholds, marks, predictions = load_tier_thresholds(keys), load_provider_marks(voices), load_predictions()
    studio = thresholds["", ""]
    return {key: TierJudge(key, limits[key], thresholds[key], studio, marks, predictions) for key in keys}


def load_left_out(voice: Voice) -> list[LikelyFailure]:
    """The recordings that a check excluded from builds, with its reason."""
    # `active=False` chooses the index of the few excluded recordings.
    rows = voice.recordings.filter(status=RecordingStatus.ACCEPTED, active_by=InclusionSource.CHECK, active=False)
    return [
        LikelyFailure(pk, name, False, (Reason(EXCLUSION_REASONS.get(code, code)),), is_left_out=True)
        for pk, name, code in rows.values_list("pk", "file_name", "exclusion_code")
    ]


def load_refused(voice: Voice) -> dict[str, list[LikelyFailure]]:
    """The included recordings that a provider refuses, by provider, in one query for each provider with such a rule."""
    return {
        slug: [_make_refused(*row, slug) for row in list_refused(voice, slug)] for slug in list_refusing_providers()
    }


def _make_refused(pk: UUID, name: str, provider: str) -> LikelyFailure:
    reason = Reason(f"{registry.get_provider_label(provider)} refuses it: another speaker or sound")
    return LikelyFailure(pk, name, False, (reason,), is_left_out=True, is_refused=True)


def load_provider_marks(voices: Collection[UUID]) -> dict[UUID, ProviderMark]:
    """What the providers' newest reports say against included recordings, by recording id, in one query."""
    if not voices:
        return {}
    rows = BuildRecording.objects.still_flagged().filter(
        recording__voice__in=voices, recording__active=True, recording__status=RecordingStatus.ACCEPTED
    )
    fields = ("recording_id", "build__remote_voice__account__provider", "is_silent", "is_outlier", "unused")
    return {
        pk: ProviderMark(provider, *map(bool, marks))
        for pk, provider, *marks in rows.annotate(unused=MARKS["discarded"]).values_list(*fields)
    }
