"""What a voice needs before a build, and what would improve it, each as a sentence with its kind."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from providers.types import Capabilities, Handover, Limit, Tier
from voicehub.text import format_count, format_duration
from voices.services.builds.lengths import (
    SELECTING_HANDOVERS,
    SHOWN_NAMES,
    LengthLimit,
    LongRecording,
    advise_cut,
    find_length_limit,
    find_lowest_limit,
    get_limit_value,
    is_joined,
    join_names,
)
from voices.services.builds.unchecked import UncheckedRecordings

NO_LIMIT = 1e9
LANGUAGE_UNSUPPORTED = "The provider makes no voices in this language."
# Handovers without transcripts, beside those that join all recordings.
HANDOVERS_WITHOUT_TRANSCRIPT = frozenset({Handover.SIGNED_PUT_CLIPS, Handover.FILE_IDS})


class GapKind(StrEnum):
    """The kind of a gap. Pages choose by it the link where the gap is fixed."""

    RECORDINGS = "recordings"
    CLIP_LENGTH = "length"
    TOO_LONG = "too_long"
    TRANSCRIPTS = "transcripts"
    SHORTER_TRANSCRIPTS = "shorter_transcripts"
    TRAINED_LENGTH = "trained_length"
    LANGUAGE = "language"
    OFFLINE_PROOF = "offline_proof"
    UNCHECKED = "unchecked"
    CHECK_STOPPED = "check_stopped"


@dataclass(frozen=True, slots=True)
class Gap:
    """`subject` is what is missing, in two words, where the kind alone does not say it.

    `recordings` are those to cut, the longest first. The text names them.
    """

    kind: GapKind
    text: str
    subject: str = ""
    recordings: tuple[LongRecording, ...] = ()


class ClipCounts(NamedTuple):
    """Of the included recordings. `too_long` are for the narrowest handover of the tier (`find_lowest_limit`)."""

    usable: int = 0
    seconds: float = 0.0
    trained_seconds: float = 0.0
    untrained: int = 0
    too_short: int = 0
    too_long: int = 0
    without_text: int = 0
    long_text: int = 0


def get_min_recordings(limits: Mapping[str, Limit]) -> int:
    """The number of recordings that the provider requires. A number that it only recommends is advice."""
    minimum = limits.get("least_recordings")
    return math.ceil(minimum.value) if minimum and minimum.hard else 1


def find_language_gaps(capabilities: Capabilities, language: str) -> Iterator[Gap]:
    if not capabilities.supports_language(language):
        yield Gap(GapKind.LANGUAGE, LANGUAGE_UNSUPPORTED)


def find_check_gaps(unchecked: UncheckedRecordings | None) -> Iterator[Gap]:
    if unchecked:
        yield Gap(GapKind.CHECK_STOPPED if unchecked.is_stopped else GapKind.UNCHECKED, unchecked.text)


def make_proof_gaps(texts: Iterable[str]) -> tuple[Gap, ...]:
    return tuple(Gap(GapKind.OFFLINE_PROOF, text) for text in texts)


def is_raw_sound(counts: ClipCounts, handover: Handover, tier: Tier) -> bool:
    """Whether one raw sound is sent, whose number of recordings, their lengths and their transcripts do not matter.

    A dataset of clips has to have what the clips need one by one, because that is how they are sent by default.
    """
    return is_joined(handover, tier) and (handover != Handover.DATASET_URL or counts.too_long > 0)


def count_speech(counts: ClipCounts, handover: Handover, tier: Tier) -> float:
    """The seconds that the provider trains on."""
    is_whole = is_raw_sound(counts, handover, tier) and handover not in SELECTING_HANDOVERS
    return counts.seconds if is_whole else counts.trained_seconds


def count_needed_recordings(counts: ClipCounts, limits: Mapping[str, Limit], handover: Handover, tier: Tier) -> int:
    return 1 if is_raw_sound(counts, handover, tier) else get_min_recordings(limits)


def find_gaps(
    counts: ClipCounts,
    limits: Mapping[str, Limit],
    capabilities: Capabilities,
    handover: Handover,
    too_long: Sequence[LongRecording] = (),
) -> Iterator[Gap]:
    """`too_long` are the longest of the recordings that are too long, to be named, as far as they are known."""
    missing = count_needed_recordings(counts, limits, handover, capabilities.tier) - counts.usable
    if missing > 0:
        yield Gap(GapKind.RECORDINGS, f"{format_count(missing, 'more recording is', 'more recordings are')} needed.")
    needed, speech = get_limit_value(limits, "least_seconds", 0), count_speech(counts, handover, capabilities.tier)
    if needed > speech:
        missing_duration = format_duration(math.ceil(needed - math.floor(speech)))
        yield Gap(GapKind.RECORDINGS, f"Another {missing_duration} of usable speech is needed.")
    yield from _find_length_gaps(counts, limits, capabilities, handover, too_long)
    is_raw = is_raw_sound(counts, handover, capabilities.tier)
    if counts.without_text and not is_raw and _needs_transcripts(capabilities, handover):
        subject = format_count(counts.without_text, "recording has", "recordings have")
        transcripts = format_count(counts.without_text, "transcript", "transcripts")
        yield Gap(GapKind.TRANSCRIPTS, f"{subject} no transcript. Type what is said.", transcripts)
    if counts.long_text and not is_raw and handover not in HANDOVERS_WITHOUT_TRANSCRIPT:
        subject = format_count(counts.long_text, "transcript is", "transcripts are")
        yield Gap(GapKind.SHORTER_TRANSCRIPTS, f"{subject} too long. Split the recording in two.")


def _find_length_gaps(
    counts: ClipCounts,
    limits: Mapping[str, Limit],
    capabilities: Capabilities,
    handover: Handover,
    too_long: Sequence[LongRecording],
) -> Iterator[Gap]:
    if handover in SELECTING_HANDOVERS:
        if counts.too_long and _lacks_speech(counts, limits):
            yield _make_length_gap(counts, find_length_limit(capabilities, limits, handover), too_long)
        return
    if is_joined(handover, capabilities.tier):
        return
    if counts.too_short:
        subject = format_count(counts.too_short, "recording is", "recordings are")
        text = f"{subject} shorter than {get_limit_value(limits, 'shortest_clip', 0):g} seconds. Exclude them."
        yield Gap(GapKind.CLIP_LENGTH, text)
    if counts.too_long:
        yield _make_length_gap(counts, find_length_limit(capabilities, limits, handover), too_long)


def _lacks_speech(counts: ClipCounts, limits: Mapping[str, Limit]) -> bool:
    return not counts.trained_seconds or counts.trained_seconds < get_limit_value(limits, "least_seconds", 0)


def _make_length_gap(counts: ClipCounts, limit: LengthLimit, too_long: Sequence[LongRecording]) -> Gap:
    """A gap, or advice if the build leaves these recordings out."""
    subject = format_count(counts.too_long, "recording is", "recordings are")
    return Gap(
        GapKind.TOO_LONG,
        f"{subject} {limit.text}{_name_recordings(too_long, counts.too_long)}. {advise_cut(counts.too_long)}",
        recordings=tuple(too_long[:SHOWN_NAMES]),
    )


def _name_recordings(recordings: Sequence[LongRecording], count: int) -> str:
    """“: a.wav, b.wav and 3 more”. Empty if none is known."""
    return f": {join_names([row.name for row in recordings], count)}" if recordings else ""


def _needs_transcripts(capabilities: Capabilities, handover: Handover) -> bool:
    return handover == Handover.SIGNED_PUT_TEXTS or (
        capabilities.requires_transcript and handover not in HANDOVERS_WITHOUT_TRANSCRIPT
    )


def give_advice(
    counts: ClipCounts,
    limits: Mapping[str, Limit],
    capabilities: Capabilities,
    language: str,
    too_long: Sequence[LongRecording] = (),
) -> Iterator[Gap]:
    advised = get_limit_value(limits, "advised_seconds", 0)
    if language.partition("-")[0] != "en":
        advised = max(advised, get_limit_value(limits, "advised_seconds_other_languages", 0))
    if advised > counts.trained_seconds:
        missing_duration = format_duration(math.ceil(advised - math.floor(counts.trained_seconds)))
        yield Gap(GapKind.RECORDINGS, f"Another {missing_duration} of speech would improve the voice.")
    # With a recording that is too long for clips, one raw sound is sent, for which the numbers of clips say nothing.
    is_raw = counts.too_long > 0 and any(is_raw_sound(counts, way, capabilities.tier) for way in capabilities.handover)
    missing = math.ceil(get_limit_value(limits, "least_recordings", 0)) - counts.usable
    if missing > 0 and not limits["least_recordings"].hard and not is_raw:
        yield Gap(
            GapKind.RECORDINGS, f"{format_count(missing, 'more recording', 'more recordings')} would improve the voice."
        )
    if counts.untrained and not is_raw:
        subject = format_count(counts.untrained, "recording is", "recordings are")
        longest = f"{get_limit_value(limits, 'trained_clip', NO_LIMIT):g} seconds"
        text = f"{subject} longer than {longest}. The provider accepts them but does not train on them."
        yield Gap(GapKind.TRAINED_LENGTH, text)
    is_selecting = bool(SELECTING_HANDOVERS.intersection(capabilities.handover))
    if is_selecting and counts.too_long and not _lacks_speech(counts, limits):
        yield _make_stay_out_advice(counts, find_lowest_limit(capabilities, limits), too_long)


def _make_stay_out_advice(counts: ClipCounts, limit: LengthLimit, too_long: Sequence[LongRecording]) -> Gap:
    subject = format_count(counts.too_long, "recording is", "recordings are")
    names = _name_recordings(too_long, counts.too_long)
    them, their = ("it", "its") if counts.too_long == 1 else ("them", "their")
    text = (
        f"{subject} {limit.text}, so the build leaves {them} out{names}. Cut {them}, so that {their} clips can be sent."
    )
    return Gap(GapKind.TOO_LONG, text, recordings=tuple(too_long[:SHOWN_NAMES]))
