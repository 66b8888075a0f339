"""What is said of a sound, the same for takes and for recordings: findings as chips, facts with a verdict, measures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat

from voicehub.audio.estimates import NOTES
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


def signed(text: str) -> str:
    """A number with a true minus sign."""
    return text.replace("-", "−")


def _format(sound: Json) -> str:
    """The strict reader takes no WAV but a 16-bit mono one; of what it cannot read it gives no rate."""
    return f"WAV, 16-bit, mono, {sound['sample_rate'] / 1000:g} kHz" if sound.get("sample_rate") else ""


def _length(sound: Json) -> str:
    return f"{sound['seconds']:.1f} s, {filesizeformat(sound['size'])}" if sound.get("seconds") else ""


def _level(sound: Json) -> str:
    if "rms_dbfs" not in sound:
        return ""
    return signed(f"{sound['rms_dbfs']:.0f} dBFS on average, {sound['peak_dbfs']:.1f} at the highest point")


def _noise(sound: Json) -> str:
    return f"Speech is {sound['snr_db']:.0f} dB above it" if "snr_db" in sound else ""


def _clipping(sound: Json) -> str:
    share = sound.get("clipped_share")
    return "" if share is None else f"{share:.2%} of it is cut off at the top" if share else "None"


def _silence(sound: Json) -> str:
    if "leading_silence" not in sound:
        return ""
    return f"{sound['leading_silence']:.1f} s before, {sound['trailing_silence']:.1f} s after"


def _room(sound: Json) -> str:
    seconds = sound.get("reverb_seconds")
    return "" if seconds is None else f"A sound dies away in {seconds:.2f} s"


def _band(sound: Json) -> str:
    edge = sound.get("bandwidth_hz")
    return "" if edge is None else f"Reaches up to {edge / 1000:.1f} kHz"


# Each line with its words, and the codes of the findings that belong to it.
FACTS: tuple[tuple[str, Callable[[Json], str], frozenset[str]], ...] = (
    ("Format", _format, frozenset({"rate_not_allowed", "not_mono", "not_16_bit", "not_pcm"})),
    ("Length", _length, frozenset({"too_short", "too_long"})),
    ("Level", _level, frozenset({"too_quiet", "too_loud", "peak_high", "silent", "dc_offset"})),
    ("Noise", _noise, frozenset({"noisy", "noise_heard", "mains_hum", "hum"})),
    ("Clipping", _clipping, frozenset({"clipping", "clipping_slight"})),
    ("Silence", _silence, frozenset({"silence_at_start", "silence_at_end", "little_speech", "no_speech"})),
    ("Room", _room, frozenset({"reverberant", "reverb", "echo"})),
    ("Treble", _band, frozenset({"telephone_band", "narrow_band", "upsampled"})),
)


def facts(sound: Json, found: Iterable[Json]) -> list[Fact]:
    """What was measured in lines with a verdict each; a finding that belongs to none of them is a line of its own.

    `sound` is the row's levels and measures with its `sample_rate`, `seconds` and `size`.
    """
    left = {(one["code"], one.get("at")): chip(one) for one in found}
    lines = []
    for label, words, codes in FACTS:
        here = tuple(left.pop(key) for key in list(left) if key[0] in codes)
        value = words(sound)
        if value or here:
            lines.append(Fact(label, value, here, clipped(sound) if label == "Clipping" else ()))
    return lines + [Fact(one.short, "", (one,)) for one in left.values()]


def clipped(sound: Json) -> tuple[Place, ...]:
    """Where the tops are cut off, as far as that is kept (see `voicehub.audio.measure.Levels`)."""
    return tuple(place(start) for start, _end in sound.get("clipped") or ())


# --- measures -------------------------------------------------------------------------------------

# What is measured, by its key: plain name, how it is written, and how much of its unit the number holds.
MEASURES: dict[str, tuple[str, str, float]] = {
    "rms_dbfs": ("Level on average", "{:.1f} dBFS", 1),
    "lufs": ("Loudness", "{:.1f} LUFS", 1),
    "peak_dbfs": ("Highest point", "{:.1f} dBFS", 1),
    "noise_floor_dbfs": ("Noise in the pauses", "{:.0f} dBFS", 1),
    "snr_db": ("Speech above the noise", "{:.0f} dB", 1),
    "clipped_share": ("Cut off at the top", "{:.2%}", 1),
    "dc_offset": ("Off its centre", "{:z.2%}", 1),
    "bandwidth_hz": ("Reaches up to", "{:.1f} kHz", 1000),
    "reverb_seconds": ("A sound dies away in", "{:.2f} s", 1),
    "speech_seconds": ("Speech", "{:.1f} s", 1),
    "speech_share": ("Share of speech", "{:.0%}", 1),
    "leading_silence": ("Silence before", "{:.1f} s", 1),
    "trailing_silence": ("Silence after", "{:.1f} s", 1),
    "words_per_minute": ("Speed of reading", "{:.0f} words a minute", 1),
}
ESTIMATES: dict[str, tuple[str, str, float]] = {
    key: (note.name, "{:.1f} dB" if note.scale.startswith("dB") else "{:.2f}", 1) for key, note in NOTES.items()
}


def _written(values: Json, table: Mapping[str, tuple[str, str, float]]) -> Iterator[tuple[str, str]]:
    for key, (name, form, unit) in table.items():
        value = values.get(key)
        if isinstance(value, int | float):
            yield name, signed(form.format(value / unit))


@register.inclusion_tag("studio/measures.html")
def measures(levels: Json, more: Json) -> dict[str, Any]:
    """What was measured of a sound at once and in the background, in plain names and with units."""
    sound, estimates = {**levels, **more}, more.get("estimates") or {}
    places = clipped(sound)
    return {
        "measured": list(_written(sound, MEASURES)),
        "clipped": places[:PLACES_SHOWN],
        "clipped_more": max(0, len(places) - PLACES_SHOWN),
        "estimated": list(_written(estimates, ESTIMATES)),
        "missing": list(estimates.get("missing") or ()),
    }


@register.simple_tag
def estimate(measures: Json, key: str) -> str:
    """One estimate out of a recording's measures, written with its unit; "–" where there is none."""
    name = {key: ESTIMATES[key]}
    return next((value for _name, value in _written(measures.get("estimates") or {}, name)), "–")


@register.inclusion_tag("studio/estimate_notes.html")
def estimate_notes(keys: Iterable[str] = NOTES) -> dict[str, Any]:
    """What these estimates are worth: their scales, what they rank well, and what they do not hear."""
    return {"notes": [NOTES[key] for key in keys]}
