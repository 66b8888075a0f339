"""What a voice needs before a build, and what would improve it, each as a sentence with its kind."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from providers.types import Capabilities, Handover, Limit
from voicehub.text import format_count, format_duration
from voices.services.builds.unchecked import UncheckedRecordings

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
    LANGUAGE = "language"
    OFFLINE_PROOF = "offline_proof"
    UNCHECKED = "unchecked"
    CHECK_STOPPED = "check_stopped"


@dataclass(frozen=True, slots=True)
class Gap:
    """`subject` is what is missing, in two words, where the kind alone does not say it."""

    kind: GapKind
    text: str
    subject: str = ""


class ClipCounts(NamedTuple):
    usable: int = 0
    trained_seconds: float = 0.0
    untrained: int = 0
    wrong_length: int = 0
    without_text: int = 0
    long_text: int = 0


def get_min_recordings(limits: Mapping[str, Limit]) -> int:
    """The number of recordings that the provider requires. A number that it only recommends is advice."""
    minimum = limits.get("least_recordings")
    return math.ceil(minimum.value) if minimum and minimum.hard else 1


def get_limit_value(limits: Mapping[str, Limit], name: str, default: float) -> float:
    """The value of a limit, or `otherwise` if the tier does not have it."""
    return limits[name].value if name in limits else default


def find_language_gaps(capabilities: Capabilities, language: str) -> Iterator[Gap]:
    if not capabilities.supports_language(language):
        yield Gap(GapKind.LANGUAGE, LANGUAGE_UNSUPPORTED)


def find_check_gaps(unchecked: UncheckedRecordings | None) -> Iterator[Gap]:
    if unchecked:
        yield Gap(GapKind.CHECK_STOPPED if unchecked.is_stopped else GapKind.UNCHECKED, unchecked.text)


def make_proof_gaps(texts: Iterable[str]) -> tuple[Gap, ...]:
    return tuple(Gap(GapKind.OFFLINE_PROOF, text) for text in texts)


def find_gaps(
    counts: ClipCounts, limits: Mapping[str, Limit], capabilities: Capabilities, handover: Handover
) -> Iterator[Gap]:
    missing = get_min_recordings(limits) - counts.usable
    if missing > 0:
        yield Gap(GapKind.RECORDINGS, f"{format_count(missing, 'more recording is', 'more recordings are')} needed.")
    needed = get_limit_value(limits, "least_seconds", 0)
    if needed > counts.trained_seconds:
        missing_duration = format_duration(math.ceil(needed - math.floor(counts.trained_seconds)))
        yield Gap(GapKind.RECORDINGS, f"Another {missing_duration} of usable speech is needed.")
    if counts.wrong_length and handover not in SELECTING_HANDOVERS | SINGLE_SOUND_HANDOVERS:
        short, long = get_limit_value(limits, "shortest_clip", 0), get_limit_value(limits, "longest_clip", NO_LIMIT)
        subject = format_count(counts.wrong_length, "recording is", "recordings are")
        text = f"{subject} not between {short:g} and {long:g} seconds long. Split them or exclude them."
        yield Gap(GapKind.CLIP_LENGTH, text)
    if counts.without_text and _needs_transcripts(capabilities, handover):
        subject = format_count(counts.without_text, "recording has", "recordings have")
        transcripts = format_count(counts.without_text, "transcript", "transcripts")
        yield Gap(GapKind.TRANSCRIPTS, f"{subject} no transcript. Type what is said.", transcripts)
    if counts.long_text and handover not in HANDOVERS_WITHOUT_TRANSCRIPT:
        subject = format_count(counts.long_text, "transcript is", "transcripts are")
        yield Gap(GapKind.SHORTER_TRANSCRIPTS, f"{subject} too long. Split the recording in two.")


def _needs_transcripts(capabilities: Capabilities, handover: Handover) -> bool:
    return handover == Handover.SIGNED_PUT_TEXTS or (
        capabilities.requires_transcript and handover not in HANDOVERS_WITHOUT_TRANSCRIPT
    )


def give_advice(counts: ClipCounts, limits: Mapping[str, Limit], language: str) -> Iterator[Gap]:
    advised = get_limit_value(limits, "advised_seconds", 0)
    if language.partition("-")[0] != "en":
        advised = max(advised, get_limit_value(limits, "advised_seconds_other_languages", 0))
    if advised > counts.trained_seconds:
        missing_duration = format_duration(math.ceil(advised - math.floor(counts.trained_seconds)))
        yield Gap(GapKind.RECORDINGS, f"Another {missing_duration} of speech would improve the voice.")
    missing = math.ceil(get_limit_value(limits, "least_recordings", 0)) - counts.usable
    if missing > 0 and not limits["least_recordings"].hard:
        yield Gap(
            GapKind.RECORDINGS, f"{format_count(missing, 'more recording', 'more recordings')} would improve the voice."
        )
    if counts.untrained:
        subject = format_count(counts.untrained, "recording is", "recordings are")
        longest = f"{get_limit_value(limits, 'trained_clip', NO_LIMIT):g} seconds"
        text = f"{subject} longer than {longest}. The provider accepts them but does not train on them."
        yield Gap(GapKind.TRAINED_LENGTH, text)
