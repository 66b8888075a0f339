"""What the table of recordings shows of one row: its quality, its worst findings, and where they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.template.defaultfilters import floatformat

from voicehub.sound_report import TONES_BY_WEIGHT, Chip, Json, make_chip
from voices.models import Recording
from voices.row_polls import RowState
from voices.services.recordings.found_problems import UNFIT_CODES

# A row has room for this many findings. The others are in its details.
MAX_CHIPS = 2
# The view box of a waveform: one unit for each bar.
ROW_BARS, ROW_HEIGHT = 27, 9
SOUND_BARS = 56  # of the player of a preview
DETAILS_BARS, DETAILS_HEIGHT = 160, 100
# On the scale of the estimate, from 1 to 5. These limits are VoiceHub's: no source states one for recordings.
POOR_BELOW, FAIR_BELOW = 2.5, 3.4
PROVIDER_FLAGS = (
    ("flagged_silent", "Silent", "bad"),
    ("flagged_outlier", "Other speaker or sound", "wait"),
    ("flagged_discarded", "Not used", ""),
)
# Fixed findings ask for nothing, so their chips have no tint.
CHIP_TONES = {"bad": "bad", "wait": "wait"}


@dataclass(frozen=True, slots=True)
class RowChip:
    title: str
    tone: str


@dataclass(frozen=True, slots=True)
class RowChips:
    """The worst findings of a row, and how many more there are."""

    shown: Sequence[RowChip]
    more: int


def make_row_chips(recording: Recording) -> RowChips:
    """What the provider marked, then our findings, the worst first."""
    chips = sort_chips(make_finding_chip(found) for found in (*recording.findings, *recording.set_findings))
    titles = dict.fromkeys(
        [*list_flags(recording), *(RowChip(chip.title, CHIP_TONES.get(chip.tone, "")) for chip in chips)]
    )
    return RowChips(list(titles)[:MAX_CHIPS], max(0, len(titles) - MAX_CHIPS))


def make_finding_chip(found: Json, *, is_comparison: bool = False) -> Chip:
    """The chip of a finding. What makes a recording unfit for every build has one color in all lists."""
    chip = make_chip(found, is_comparison=is_comparison)
    return replace(chip, tone=get_code_tone(chip.code)) if chip.tone == "wait" else chip


def get_code_tone(code: str) -> str:
    """The tone of one of our findings that is to review."""
    return "bad" if code in UNFIT_CODES else "wait"


def sort_chips(chips: Iterable[Chip]) -> list[Chip]:
    """The most severe first."""
    return sorted(chips, key=lambda chip: TONES_BY_WEIGHT.index(chip.tone))


def is_silent(recording: Recording) -> bool:
    """Whether the provider found no speech, so that an estimate of quality means nothing."""
    return bool(getattr(recording, "flagged_silent", False))


def list_flags(recording: Recording) -> list[RowChip]:
    """What the newest build with a report on the recording says of it."""
    return [RowChip(title, tone) for name, title, tone in PROVIDER_FLAGS if getattr(recording, name, False)]


def get_quality_grade(quality: float) -> str:
    """The variant of `vh-quality`, as it follows that class. It agrees with the figure shown, which is rounded."""
    shown = float(floatformat(quality, "1u"))
    if shown < POOR_BELOW:
        return " is-poor"
    return " is-fair" if shown < FAIR_BELOW else ""


def describe_grades() -> dict[str, str]:
    """The figures from which an estimate is fair or good, as they are shown."""
    return {"fair_least": f"{POOR_BELOW:.1f}", "good_least": f"{FAIR_BELOW:.1f}"}


@dataclass(frozen=True, slots=True)
class WaveMark:
    """Where a finding begins in the waveform of the details. No finding says where it ends."""

    left: str
    tone: str


def make_wave_marks(recording: Recording) -> list[WaveMark]:
    length = recording.seconds
    if not length:
        return []
    found = [one for one in recording.findings if one.get("at") is not None]
    return [
        WaveMark(f"{min(1.0, one['at'] / length) * DETAILS_BARS:.1f}", make_finding_chip(one).tone) for one in found
    ]


def make_row_state(recording: Recording, *, is_analyzing: bool) -> RowState[Recording]:
    """What a poll compares: everything in the row that changes without a new page."""
    chips = make_row_chips(recording)
    is_waiting = is_analyzing and recording.analyzed_at is None
    shown = (chips.shown, chips.more, recording.quality, recording.status, recording.active, is_waiting)
    return RowState(recording, recording.pk, (*shown, recording.transcript, recording.checked_at))
