"""What is said of a sound, the same for takes and for recordings: findings as chips, facts with a verdict, measures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import template

from audio.analysis.measures import MEANINGS
from audio.networks.estimates import NOTES
from voicehub.sound_report import TONES_BY_WEIGHT, Json, format_minus, make_chip, make_clipping_marks, merge_measures

register = template.Library()

MAX_MARKS_SHOWN = 8


@register.inclusion_tag("studio/finding_chips.html")
def chips(
    found: Iterable[Json], compared: Iterable[Json] = (), *, shown: bool = False, playable: bool = True
) -> dict[str, Any]:
    """Findings, the gravest first; what they say is behind each unless `shown` or it keeps the file from being used."""
    both = [make_chip(one) for one in found] + [make_chip(one, is_comparison=True) for one in compared]
    both.sort(key=lambda one: TONES_BY_WEIGHT.index(one.tone))
    return {"chips": both, "shown": shown, "playable": playable}


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
ESTIMATES: dict[str, tuple[str, str, float]] = {key: (note.name, note.value_format, 1) for key, note in NOTES.items()}


def _format_values(values: Json, table: Mapping[str, tuple[str, str, float]]) -> Iterator[tuple[str, str, str]]:
    """(plain name, value with its unit, what it means exactly) of each that is known."""
    for key, (name, form, unit) in table.items():
        value = values.get(key)
        if isinstance(value, int | float):
            yield name, format_minus(form.format(value / unit)), MEANINGS.get(key, ("", ""))[1]


@register.inclusion_tag("studio/measurements.html")
def measures(levels: Json, more: Json) -> dict[str, Any]:
    """What was measured of a sound at once and in the background, in plain names and with units."""
    sound, estimates = merge_measures(levels, more), more.get("estimates") or {}
    places = make_clipping_marks(sound)
    return {
        "measured": list(_format_values(sound, MEASURES)),
        "clipped": places[:MAX_MARKS_SHOWN],
        "clipped_more": max(0, len(places) - MAX_MARKS_SHOWN),
        "estimated": list(_format_values(estimates, ESTIMATES)),
        "missing": [*_list_reasons(more.get("missing")), *_list_reasons(estimates.get("missing"))],
    }


def _list_reasons(missing: Any) -> Iterable[str]:
    """Why something is missing, from a list of reasons or a table of what is missing with its reason."""
    return missing.values() if isinstance(missing, Mapping) else missing or ()


@register.simple_tag
def estimate(measures: Json, key: str) -> str:
    """One estimate out of a recording's measures, written with its unit; "–" where there is none."""
    known_estimates = _format_values(measures.get("estimates") or {}, {key: ESTIMATES[key]})
    return next((value for _name, value, _meaning in known_estimates), "–")


@register.inclusion_tag("studio/estimate_notes.html")
def estimate_notes(keys: Iterable[str] = NOTES) -> dict[str, Any]:
    """What these estimates are worth: their scales, what they rank well, and what they do not hear."""
    return {"notes": [NOTES[key] for key in keys]}
