"""What is said of a sound, the same for takes and for recordings: findings as chips, facts with a verdict, measures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat

from voicehub.audio.estimates import NOTES
from voicehub.audio.measures import MEANINGS
from voicehub.templatetags.studio import duration

register = template.Library()

Json = Mapping[str, Any]

BEFORE = 0.5  # seconds that are heard before a place
PLACES_SHOWN = 8
MINUTE = 60

SEVERITIES = {
    "refused": ("bad", "Cannot be used"),
    "put_right": ("busy", "Put right"),
    "look": ("wait", "Worth a look"),
}
FINE = ("good", "Fine")
TONES_BY_WEIGHT = ("bad", "wait", "busy", "good")

# A code as it is written for people; where nothing is said here, its underscores become spaces.
WRITTEN = {
    "dc": "DC", "wav": "WAV", "mp3": "MP3", "mp4": "M4A or MP4", "flac": "FLAC", "aiff": "AIFF", "caf": "CAF",
    "ogg": "Ogg", "zip": "ZIP", "webm": "WebM", "rf64": "RF64", "rifx": "RIFX", "wave64": "Wave64", "pcm": "PCM",
    "dnsmos": "DNSMOS", "is": "", "bit": "bits",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A moment in a sound: the words for it, and from where it is played (seconds, as an attribute)."""

    words: str
    play: str


@dataclass(frozen=True, slots=True)
class Chip:
    """One finding as people see it."""

    code: str
    short: str
    tone: str
    word: str
    text: str
    advice: str
    place: Place | None
    compared: bool = False
    """It comes from a comparison with other recordings."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known of a sound, with the findings that belong to it."""

    label: str
    value: str
    chips: tuple[Chip, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def tone(self) -> str:
        return min((chip.tone for chip in self.chips), key=TONES_BY_WEIGHT.index, default=FINE[0])

    @property
    def word(self) -> str:
        return next((chip.word for chip in self.chips if chip.tone == self.tone), FINE[1])


def short(code: str) -> str:
    """A code in a few words: "silence_at_end" → "Silence at end", "transcript_digits" → "Transcript: digits"."""
    area, _, rest = code.partition("_")
    if area == "transcript" and rest:
        return f"Transcript: {rest.replace('_', ' ')}"
    words = " ".join(WRITTEN.get(part, part) for part in code.split("_")).strip()
    return words[:1].upper() + words[1:]


def place(at: float, before: float = BEFORE) -> Place:
    """A place with what is played of it: "1.5 s" within the first minute, "1:05" after it."""
    words = f"{at:.1f} s" if at < MINUTE else duration(at)
    return Place(words, f"{max(0.0, at - before):.2f}")


def chip(found: Json, *, compared: bool = False) -> Chip:
    """A finding as `voicehub.audio.findings.Finding.as_dict` makes it."""
    tone, word = SEVERITIES.get(str(found["severity"]), SEVERITIES["look"])
    at = found.get("at")
    return Chip(
        str(found["code"]),
        short(str(found["code"])),
        tone,
        word,
        str(found["text"]),
        str(found["advice"]),
        None if at is None else place(at),
        compared,
    )


@register.inclusion_tag("studio/chips.html")
def chips(
    found: Iterable[Json], compared: Iterable[Json] = (), *, shown: bool = False, playable: bool = True
) -> dict[str, Any]:
    """Findings, the gravest first; what they say is behind each unless `shown` or it keeps the file from being used."""
    both = [chip(one) for one in found] + [chip(one, compared=True) for one in compared]
    both.sort(key=lambda one: TONES_BY_WEIGHT.index(one.tone))
    return {"chips": both, "shown": shown, "playable": playable}


# --- facts ----------------------------------------------------------------------------------------

# What a quick look says, by the names that the deep look has for the same (see `voicehub.audio.measures.Measures`).
NAMES = {
    "leading_silence": "leading_silence_seconds",
    "trailing_silence": "trailing_silence_seconds",
    "dc_offset": "dc_offset_share",
    "clipped": "clipped_spans",
    "pauses": "pause_spans",
}


def known(levels: Json, more: Json) -> dict[str, Any]:
    """The levels of a quick look with the measures of a deep one over them; what could not be told is left out."""
    both = {**{NAMES.get(name, name): value for name, value in levels.items()}, **more}
    return {name: value for name, value in both.items() if value is not None}


def signed(text: str) -> str:
    """A number with a true minus sign."""
    return text.replace("-", "−")


def _format(sound: Json) -> str:
    """The strict reader takes no WAV but a 16-bit mono one; of what it cannot read it gives no rate."""
    return f"WAV, 16-bit, mono, {sound['sample_rate'] / 1000:g} kHz" if sound.get("sample_rate") else ""


def _length(sound: Json) -> str:
    return f"{sound['seconds']:.1f} s, {filesizeformat(sound['size'])}" if sound.get("seconds") else ""


def _level(sound: Json) -> str:
    return signed("{rms_dbfs:.0f} dBFS on average, {peak_dbfs:.1f} at the highest point".format_map(sound))


def _clipping(sound: Json) -> str:
    share = sound["clipped_share"]
    return f"{share:.2%} of it is cut off at the top" if share else "None"


def _treble(sound: Json) -> str:
    return f"Reaches up to {sound['bandwidth_hz'] / 1000:.1f} kHz"


# Each line with its words, what has to be known for them, and the codes of the findings that belong to it.
FACTS: tuple[tuple[str, Callable[[Json], str], str, frozenset[str]], ...] = (
    ("Format", _format, "sample_rate", frozenset({"rate_not_allowed", "not_mono", "not_16_bit", "not_pcm"})),
    ("Length", _length, "seconds", frozenset({"too_short", "too_long"})),
    ("Level", _level, "rms_dbfs", frozenset({"too_quiet", "too_loud", "peak_high", "silent", "dc_offset"})),
    (
        "Noise",
        "Speech is {snr_db:.0f} dB above it".format_map,
        "snr_db",
        frozenset({"noisy", "noise_heard", "hum"}),
    ),
    ("Clipping", _clipping, "clipped_share", frozenset({"clipping", "clipping_slight"})),
    (
        "Silence",
        "{leading_silence_seconds:.1f} s before, {trailing_silence_seconds:.1f} s after".format_map,
        "leading_silence_seconds",
        frozenset({"silence_at_start", "silence_at_end", "little_speech", "no_speech", "long_pause"}),
    ),
    (
        "Room",
        "A sound dies away in {reverberation_seconds:.2f} s".format_map,
        "reverberation_seconds",
        frozenset({"reverberant"}),
    ),
    ("Treble", _treble, "bandwidth_hz", frozenset({"telephone_band", "narrow_band", "upsampled"})),
)


def facts(sound: Json, found: Iterable[Json]) -> list[Fact]:
    """What was measured in lines with a verdict each; a finding that belongs to none of them is a line of its own.

    `sound` is what is `known` of it with its `sample_rate`, `seconds` and `size`.
    """
    left = {(one["code"], one.get("at")): chip(one) for one in found}
    lines = []
    for label, words, needed, codes in FACTS:
        here = tuple(left.pop(key) for key in list(left) if key[0] in codes)
        value = words(sound) if needed in sound else ""
        if value or here:
            lines.append(Fact(label, value, here, clipped(sound) if label == "Clipping" else ()))
    return lines + [Fact(one.short, "", (one,)) for one in left.values()]


def clipped(sound: Json) -> tuple[Place, ...]:
    """Where the tops are cut off, as far as that is kept."""
    return tuple(place(start) for start, _end in sound.get("clipped_spans") or ())


# --- measures -------------------------------------------------------------------------------------

# What is measured, by its key: plain name, how it is written, and how much of its unit the number holds.
MEASURES: dict[str, tuple[str, str, float]] = {
    "rms_dbfs": ("Level on average", "{:.1f} dBFS", 1),
    "lufs": ("Loudness", "{:.1f} LUFS", 1),
    "peak_dbfs": ("Highest point", "{:.1f} dBFS", 1),
    "noise_floor_dbfs": ("Noise in the pauses", "{:.0f} dBFS", 1),
    "snr_db": ("Speech above the noise", "{:.0f} dB", 1),
    "hum_over_db": ("Mains hum above the rest", "{:.0f} dB", 1),
    "clipped_share": ("Cut off at the top", "{:.2%}", 1),
    "dc_offset_share": ("Off its centre", "{:z.2%}", 1),
    "bandwidth_hz": ("Reaches up to", "{:.1f} kHz", 1000),
    "reverberation_seconds": ("A sound dies away in", "{:.2f} s", 1),
    "speech_seconds": ("Speech", "{:.1f} s", 1),
    "speech_share": ("Share of speech", "{:.0%}", 1),
    "leading_silence_seconds": ("Silence before", "{:.1f} s", 1),
    "trailing_silence_seconds": ("Silence after", "{:.1f} s", 1),
    "words_per_minute": ("Speed of reading", "{:.0f} words a minute", 1),
}
ESTIMATES: dict[str, tuple[str, str, float]] = {key: (note.name, note.form, 1) for key, note in NOTES.items()}


def _written(values: Json, table: Mapping[str, tuple[str, str, float]]) -> Iterator[tuple[str, str, str]]:
    """(plain name, value with its unit, what it means exactly) of each that is known."""
    for key, (name, form, unit) in table.items():
        value = values.get(key)
        if isinstance(value, int | float):
            yield name, signed(form.format(value / unit)), MEANINGS.get(key, ("", ""))[1]


@register.inclusion_tag("studio/measures.html")
def measures(levels: Json, more: Json) -> dict[str, Any]:
    """What was measured of a sound at once and in the background, in plain names and with units."""
    sound, estimates = known(levels, more), more.get("estimates") or {}
    places = clipped(sound)
    return {
        "measured": list(_written(sound, MEASURES)),
        "clipped": places[:PLACES_SHOWN],
        "clipped_more": max(0, len(places) - PLACES_SHOWN),
        "estimated": list(_written(estimates, ESTIMATES)),
        "missing": [*_reasons(more.get("missing")), *_reasons(estimates.get("missing"))],
    }


def _reasons(missing: Any) -> Iterable[str]:
    """Why something is missing, from a list of reasons or a table of what is missing with its reason."""
    return missing.values() if isinstance(missing, Mapping) else missing or ()


@register.simple_tag
def estimate(measures: Json, key: str) -> str:
    """One estimate out of a recording's measures, written with its unit; "–" where there is none."""
    known_estimates = _written(measures.get("estimates") or {}, {key: ESTIMATES[key]})
    return next((value for _name, value, _meaning in known_estimates), "–")


@register.inclusion_tag("studio/estimate_notes.html")
def estimate_notes(keys: Iterable[str] = NOTES) -> dict[str, Any]:
    """What these estimates are worth: their scales, what they rank well, and what they do not hear."""
    return {"notes": [NOTES[key] for key in keys]}
