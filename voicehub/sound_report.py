"""How pages show the analysis of an audio file: its findings as chips, its measured facts with a verdict."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat

from audio.analysis.measures import has_no_speech
from voicehub.text import format_minus, format_position

Json = Mapping[str, Any]

LEAD_IN_SECONDS = 0.5  # playback starts this long before the marked time

MINUTE = 60

SEVERITIES = {
    "refused": ("bad", "Not usable"),
    "put_right": ("busy", "Fixed"),
    "look": ("wait", "Check this"),
}
NO_PROBLEM = ("good", "Fine")
NOT_MEASURED = ("over", "Not measured")
TONES_BY_WEIGHT = ("bad", "wait", "busy", "good")

# How pages write these words of a finding code. Other words stay as they are.
CODE_WORDS = {
    "dc": "DC", "wav": "WAV", "mp3": "MP3", "mp4": "M4A or MP4", "flac": "FLAC", "aiff": "AIFF", "caf": "CAF",
    "ogg": "Ogg", "zip": "ZIP", "webm": "WebM", "rf64": "RF64", "rifx": "RIFX", "wave64": "Wave64", "pcm": "PCM",
    "dnsmos": "DNSMOS", "is": "", "bit": "bits",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeMark:
    """A position in the audio: its label, and where playback starts (seconds, for an HTML attribute)."""

    label: str
    play_from: str


@dataclass(frozen=True, slots=True)
class Chip:
    """One finding, as a page shows it."""

    code: str
    title: str
    tone: str
    label: str
    text: str
    advice: str
    mark: TimeMark | None
    is_comparison: bool = False
    """The finding comes from a comparison with other recordings."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One property of the audio, with the findings that belong to it.

    `missing` says why it was not measured. A property without findings is fine only if it was measured.
    """

    label: str
    value: str
    chips: tuple[Chip, ...] = ()
    marks: tuple[TimeMark, ...] = ()
    missing: str = ""

    @property
    def tone(self) -> str:
        return min((chip.tone for chip in self.chips), key=TONES_BY_WEIGHT.index, default=self._state[0])

    @property
    def verdict(self) -> str:
        return next((chip.label for chip in self.chips if chip.tone == self.tone), self._state[1])

    @property
    def _state(self) -> tuple[str, str]:
        return NOT_MEASURED if self.missing else NO_PROBLEM


def format_code(code: str) -> str:
    """A finding code as a title: "silence_at_end" → "Silence at end", "transcript_digits" → "Transcript: digits"."""
    area, _, rest = code.partition("_")
    if area == "transcript" and rest:
        return f"Transcript: {rest.replace('_', ' ')}"
    title = " ".join(CODE_WORDS.get(part, part) for part in code.split("_")).strip()
    return title[:1].upper() + title[1:]


def make_time_mark(at: float, before: float = LEAD_IN_SECONDS) -> TimeMark:
    """A mark labeled "1.5 s" in the first minute, "1:05" after it. Playback starts `before` seconds earlier."""
    label = f"{at:.1f} s" if at < MINUTE else format_position(at)
    return TimeMark(label, f"{max(0.0, at - before):.2f}")


def make_chip(found: Json, *, is_comparison: bool = False) -> Chip:
    """The chip of a finding, in the form of `audio.findings.findings.Finding.as_dict`."""
    tone, label = SEVERITIES.get(str(found["severity"]), SEVERITIES["look"])
    at = found.get("at")
    return Chip(
        str(found["code"]),
        format_code(str(found["code"])),
        tone,
        label,
        str(found["text"]),
        str(found["advice"]),
        None if at is None else make_time_mark(at),
        is_comparison,
    )


# --- facts ----------------------------------------------------------------------------------------


def list_reasons(missing: Any) -> Iterable[str]:
    """The reasons why something is missing, from a list of reasons or a mapping of names to reasons."""
    return missing.values() if isinstance(missing, Mapping) else missing or ()


def _describe_format(sound: Json) -> str:
    """The strict reader accepts only 16-bit mono WAVs, and gives no sample rate for other files."""
    return f"WAV, 16-bit, mono, {sound['sample_rate'] / 1000:g} kHz" if sound.get("sample_rate") else ""


def _describe_length(sound: Json) -> str:
    return f"{sound['seconds']:.1f} s, {filesizeformat(sound['size'])}" if sound.get("seconds") else ""


def _describe_level(sound: Json) -> str:
    return format_minus("{rms_dbfs:.0f} dBFS on average, {peak_dbfs:.1f} dBFS peak".format_map(sound))


def _describe_clipping(sound: Json) -> str:
    share = sound["clipped_share"]
    return f"{share:.2%} of the samples are clipped" if share else "None"


def _describe_treble(sound: Json) -> str:
    return f"Up to {sound['bandwidth_hz'] / 1000:.1f} kHz"


# Why a property was not measured.
NO_SPEECH = "no speech was found."
UNREADABLE = "the file could not be read."
NO_ANALYSIS = "the full analysis was not made."
NO_VALUE = "no value is stored."
FEW_DECAYS = "there are too few places where speech stops."


@dataclass(frozen=True, slots=True)
class FactKind:
    """How a fact is made: the measures that it needs, the codes of its findings, why it may not be measured."""

    label: str
    format_value: Callable[[Json], str]
    needed: Set[str]
    codes: Set[str]
    needs_speech: bool = True
    needs_analysis: bool = False
    unmeasurable: str = NO_VALUE

    def find_missing_reason(self, sound: Json, *, is_silent: bool, is_analyzed: bool) -> str:
        """Why the fact was not measured; "" if it was."""
        if self.needs_speech and is_silent:
            return NO_SPEECH
        if sound.keys() >= self.needed:
            return ""
        return self.unmeasurable if is_analyzed or not self.needs_analysis else NO_ANALYSIS


FACTS: tuple[FactKind, ...] = (
    FactKind(
        "Format",
        _describe_format,
        {"sample_rate"},
        {"rate_not_allowed", "not_mono", "not_16_bit", "not_pcm"},
        needs_speech=False,
    ),
    FactKind("Length", _describe_length, {"seconds"}, {"too_short", "too_long", "long"}, needs_speech=False),
    FactKind(
        "Level",
        _describe_level,
        {"rms_dbfs", "peak_dbfs"},
        {"too_quiet", "too_loud", "peak_high", "silent", "dc_offset"},
    ),
    FactKind(
        "Noise",
        "{snr_db:.0f} dB below the speech".format_map,
        {"snr_db"},
        {"noisy", "noise_heard", "hum"},
    ),
    FactKind("Clipping", _describe_clipping, {"clipped_share"}, {"clipping", "clipping_slight"}),
    FactKind(
        "Silence",
        "{leading_silence_seconds:.1f} s before, {trailing_silence_seconds:.1f} s after".format_map,
        {"leading_silence_seconds", "trailing_silence_seconds"},
        {"silence_at_start", "silence_at_end", "little_speech", "no_speech", "long_pause"},
    ),
    FactKind(
        "Room",
        "Sound decays in {reverberation_seconds:.2f} s".format_map,
        {"reverberation_seconds"},
        {"reverberant"},
        needs_analysis=True,
        unmeasurable=FEW_DECAYS,
    ),
    FactKind(
        "Treble",
        _describe_treble,
        {"bandwidth_hz"},
        {"telephone_band", "narrow_band", "upsampled"},
        needs_analysis=True,
    ),
)


def make_facts(sound: Json, found: Iterable[Json], *, is_analyzed: bool = True) -> list[Fact]:
    """Each property as a line with a verdict. A finding that belongs to no property gets its own line.

    `sound` holds the result of `merge_measures`, and `sample_rate`, `seconds` and `size`. A file that could not be
    read has one line for all that was not measured.
    """
    found = list(found)
    remaining = {(one["code"], one.get("at")): make_chip(one) for one in found}
    is_silent, lines = has_no_speech(sound, found), []
    for kind in FACTS:
        fact_chips = tuple(remaining.pop(key) for key in list(remaining) if key[0] in kind.codes)
        missing = kind.find_missing_reason(sound, is_silent=is_silent, is_analyzed=is_analyzed)
        value = "" if missing else kind.format_value(sound)
        missing = missing or ("" if value else NO_VALUE)
        if value or fact_chips or "rms_dbfs" in sound:
            marks = make_clipping_marks(sound) if kind.label == "Clipping" and not missing else ()
            lines.append(Fact(kind.label, value, fact_chips, marks, missing if not fact_chips else ""))
    lines += [Fact(one.title, "", (one,)) for one in remaining.values()]
    if "rms_dbfs" not in sound:
        lines.append(Fact("Sound", "", missing=NO_VALUE if sound.get("sample_rate") else UNREADABLE))
    return lines


def make_clipping_marks(sound: Json) -> tuple[TimeMark, ...]:
    """Marks at those clipped time spans that were stored."""
    return tuple(make_time_mark(start) for start, _end in sound.get("clipped_spans") or ())
