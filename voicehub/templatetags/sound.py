"""Template tags for analyzed audio, the same for takes and recordings: findings as chips, measures, estimates."""

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
    """Findings, the most severe first. Texts are folded, unless `shown` is set or the finding refuses the file."""
    both = [make_chip(finding) for finding in found] + [make_chip(finding, is_comparison=True) for finding in compared]
    both.sort(key=lambda chip: TONES_BY_WEIGHT.index(chip.tone))
    return {"chips": both, "shown": shown, "playable": playable}


# --- measures -------------------------------------------------------------------------------------

# For each measure: its label, its format, and the divisor that converts it to the unit shown.
MEASURES: dict[str, tuple[str, str, float]] = {
    "rms_dbfs": ("Average level", "{:.1f} dBFS", 1),
    "lufs": ("Loudness", "{:.1f} LUFS", 1),
    "peak_dbfs": ("Peak level", "{:.1f} dBFS", 1),
    "noise_floor_dbfs": ("Noise in the pauses", "{:.0f} dBFS", 1),
    "snr_db": ("Speech above noise", "{:.0f} dB", 1),
    "hum_over_db": ("Mains hum above other noise", "{:.0f} dB", 1),
    "clipped_share": ("Clipped samples", "{:.2%}", 1),
    "dc_offset_share": ("DC offset", "{:z.2%}", 1),
    "bandwidth_hz": ("Bandwidth", "{:.1f} kHz", 1000),
    "reverberation_seconds": ("Reverberation time", "{:.2f} s", 1),
    "speech_seconds": ("Speech", "{:.1f} s", 1),
    "speech_share": ("Share of speech", "{:.0%}", 1),
    "leading_silence_seconds": ("Silence before", "{:.1f} s", 1),
    "trailing_silence_seconds": ("Silence after", "{:.1f} s", 1),
    "words_per_minute": ("Reading speed", "{:.0f} words per minute", 1),
}
ESTIMATES: dict[str, tuple[str, str, float]] = {key: (note.name, note.value_format, 1) for key, note in NOTES.items()}


def _format_values(values: Json, table: Mapping[str, tuple[str, str, float]]) -> Iterator[tuple[str, str, str]]:
    """(label, value with unit, exact meaning) of each known value."""
    for key, (name, value_format, divisor) in table.items():
        value = values.get(key)
        if isinstance(value, int | float):
            yield name, format_minus(value_format.format(value / divisor)), MEANINGS.get(key, ("", ""))[1]


@register.inclusion_tag("studio/measurements.html")
def measures(levels: Json, analysis: Json) -> dict[str, Any]:
    """All measures from the check at upload and from the background analysis, with labels and units."""
    sound, estimates = merge_measures(levels, analysis), analysis.get("estimates") or {}
    marks = make_clipping_marks(sound)
    return {
        "measured": list(_format_values(sound, MEASURES)),
        "clipped": marks[:MAX_MARKS_SHOWN],
        "clipped_more": max(0, len(marks) - MAX_MARKS_SHOWN),
        "estimated": list(_format_values(estimates, ESTIMATES)),
        "missing": [*_list_reasons(analysis.get("missing")), *_list_reasons(estimates.get("missing"))],
    }


def _list_reasons(missing: Any) -> Iterable[str]:
    """The reasons why something is missing, from a list of reasons or a mapping of names to reasons."""
    return missing.values() if isinstance(missing, Mapping) else missing or ()


@register.simple_tag
def estimate(measures: Json, key: str) -> str:
    """One estimate from a recording's measures, with its unit. "–" if there is none."""
    known_estimates = _format_values(measures.get("estimates") or {}, {key: ESTIMATES[key]})
    return next((value for _name, value, _meaning in known_estimates), "–")


@register.inclusion_tag("studio/estimate_notes.html")
def estimate_notes(keys: Iterable[str] = NOTES) -> dict[str, Any]:
    """Explain these estimates: their scales, what they rank well, and what they do not detect."""
    return {"notes": [NOTES[key] for key in keys]}
