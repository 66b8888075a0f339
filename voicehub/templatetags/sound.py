"""Template tags for analyzed audio, the same for takes and recordings: findings as chips, measures, estimates."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import template

from audio.analysis.measures import MEANINGS, has_no_speech, merge_measures
from audio.networks.estimates import NOTES
from voicehub.sound_report import (
    FEW_DECAYS,
    TONES_BY_WEIGHT,
    Json,
    list_reasons,
    make_chip,
    make_clipping_marks,
)
from voicehub.text import format_minus

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


# Measures of the speech. Without speech, their values mean nothing.
SPEECH_MEASURES = {
    "rms_dbfs", "lufs", "noise_floor_dbfs", "snr_db", "clipped_share", "bandwidth_hz", "reverberation_seconds",
    "leading_silence_seconds", "trailing_silence_seconds", "words_per_minute",
}  # fmt: skip


@register.inclusion_tag("studio/measurements.html")
def measures(levels: Json, analysis: Json, found: Iterable[Json] = ()) -> dict[str, Any]:
    """All measures from the check at upload and from the background analysis, and what was not measured.

    `problems` say why nothing was measured by the analysis. They are shown without opening the list.
    """
    sound, estimates = merge_measures(levels, analysis), analysis.get("estimates") or {}
    is_silent = bool(sound) and has_no_speech(sound, found)
    unmeasured = SPEECH_MEASURES if is_silent else set()
    marks = () if is_silent else make_clipping_marks(sound)
    reasons = [*list_reasons(analysis.get("missing")), *list_reasons(estimates.get("missing"))]
    is_failed = bool(analysis) and "rms_dbfs" not in analysis
    if not is_silent and not is_failed and analysis and "reverberation_seconds" not in sound:
        reasons.append(f"Reverberation time: {FEW_DECAYS}")
    return {
        "measured": list(_format_values({key: sound[key] for key in sound.keys() - unmeasured}, MEASURES)),
        "clipped": marks[:MAX_MARKS_SHOWN],
        "clipped_more": max(0, len(marks) - MAX_MARKS_SHOWN),
        "estimated": list(_format_values(estimates, ESTIMATES)),
        "unmeasured": [name.lower() for key, (name, *_) in MEASURES.items() if key in unmeasured],
        "problems": reasons if is_failed else [],
        "missing": [] if is_failed else reasons,
    }


@register.simple_tag
def estimate(measures: Json, key: str) -> str:
    """One estimate from a recording's measures, with its unit."""
    known_estimates = _format_values(measures.get("estimates") or {}, {key: ESTIMATES[key]})
    return next((value for _name, value, _meaning in known_estimates), "Not measured")


@register.inclusion_tag("studio/estimate_notes.html")
def estimate_notes(keys: Iterable[str] = NOTES) -> dict[str, Any]:
    """Explain these estimates: their scales, what they rank well, and what they do not detect."""
    return {"notes": [NOTES[key] for key in keys]}
