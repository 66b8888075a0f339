"""Filters for the row of a recording: whether it can be played, how its WAV was made, and where it is used."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import mark_safe

from audio.findings.catalog import EXCLUSION_LABELS
from voicehub.sound_report import MINUTE
from voicehub.text import format_duration, format_minus, format_position
from voicehub.wave_paths import make_wave_digits, make_wave_path
from voices.length_notes import LengthNote, make_length_note
from voices.models import InclusionSource, Recording, RecordingStatus
from voices.presenters import is_playable
from voices.recording_rows import (
    DETAILS_BARS,
    DETAILS_HEIGHT,
    ROW_BARS,
    ROW_HEIGHT,
    WaveMark,
    describe_grades,
    get_code_tone,
    get_quality_grade,
    is_silent,
    list_flags,
    make_finding_chip,
    make_row_chips,
    make_row_state,
    make_wave_marks,
    sort_chips,
)
from voices.row_polls import make_list_token
from voices.services.recordings.inclusion import EXCLUSION_REASONS, find_exclusion, list_warning_codes

register = template.Library()

RecipeStep = Mapping[str, Any]

register.filter(is_playable)
register.filter("row_chips", make_row_chips)
register.filter("quality_grade", get_quality_grade)
register.inclusion_tag("voices/_quality_key.html", name="quality_key")(describe_grades)
register.filter("code_tone", get_code_tone)
register.filter(is_silent)


@register.filter
def format_length(recording: Recording) -> str:
    """The duration, below a minute to a tenth of a second. Empty if it is not known."""
    if not recording.seconds:
        return ""
    return f"{recording.seconds:.1f} s" if recording.seconds < MINUTE else format_duration(recording.seconds)


# Closing tags that HTML does not need, and attributes that need no quotes. Text has neither, because it is escaped.
OPTIONAL_TAGS = re.compile(r"\s*</t(?:[dhr]|body)>\s*")
QUOTED_VALUE = re.compile(r'="([\w.:-]+)"(?=[\s>])')


@register.simple_block_tag
def short_row(content: str) -> str:
    """A row with less markup and the same meaning: a page has up to 100 of them."""
    return mark_safe(QUOTED_VALUE.sub(r"=\1", OPTIONAL_TAGS.sub("", content)))  # noqa: S308 - escaped by its templates


@register.filter
def wave_digits(recording: Recording) -> str:
    """The waveform of a row: the size of each of its bars."""
    return make_wave_digits(recording.peaks, ROW_BARS)


@register.filter
def wave_path(recording: Recording) -> str:
    """A small waveform that needs no script: what stands in `d` of its path. Its view box is 27 × 9."""
    return make_wave_path(recording.peaks, ROW_BARS, ROW_HEIGHT)


@register.filter
def wide_wave_path(recording: Recording) -> str:
    """The waveform of opened details. Its view box is 160 × 100."""
    return make_wave_path(recording.peaks, DETAILS_BARS, DETAILS_HEIGHT)


@register.filter
def wave_marks(recording: Recording) -> list[WaveMark]:
    """Where its findings begin, in the view box of opened details."""
    return make_wave_marks(recording)


@register.inclusion_tag("voices/_recording_finding_list.html")
def finding_list(recording: Recording) -> dict[str, Any]:
    """All findings with text and advice, the most severe first, below what a provider reported."""
    own = [make_finding_chip(found) for found in recording.findings]
    compared = [make_finding_chip(found, is_comparison=True) for found in recording.set_findings]
    chips, flags = sort_chips([*own, *compared]), list_flags(recording)
    return {"chips": chips, "playable": is_playable(recording), "flags": flags, "recording": recording}


@register.simple_tag(takes_context=True)
def rows_token(context: Context) -> str:
    """What a poll says about the rows that the page shows."""
    if "row_poll" in context:
        return str(context["row_poll"].token)
    is_analyzing = context["recording_progress"].is_analyzing
    return make_list_token(make_row_state(row, is_analyzing=is_analyzing) for row in context["page"])


def _describe_decode(step: RecipeStep) -> str:
    subtype = step.get("subtype")
    return f"read from {step['container']}{f' ({subtype})' if subtype else ''}"


def _describe_mix(step: RecipeStep) -> str:
    channels = step["channels"]
    if len(channels) > 1:
        return f"{len(channels)} of {step['of']} channels mixed to one"
    return f"channel {channels[0]} of {step['of']} used"


def _describe_resample(step: RecipeStep) -> str:
    return f"resampled from {step['from']:,} Hz to {step['to']:,} Hz"


def _describe_round(step: RecipeStep) -> str:
    return f"rounded to {step['bits']} bits{'' if step.get('dither') is None else ' with dither'}"


# How each recipe step is described (the steps are made in audio.wav.convert). An unknown step is shown by its name.
STEP_DESCRIBERS: dict[str, Callable[[RecipeStep], str]] = {
    "decode": _describe_decode,
    "mix": _describe_mix,
    "resample": _describe_resample,
    "gain": lambda step: format_minus(f"levels multiplied by {step['factor']:.3f}"),
    "round": _describe_round,
}


@register.filter
def describe_conversion(recording: Recording) -> str:
    """How the WAV was made from the upload: "read from FLAC (PCM_24), rounded to 16 bits with dither"."""
    steps = [step for step in recording.recipe.get("steps", ()) if step.get("step") != "cut"]
    return ", ".join(_describe_step(step) for step in steps)


def _describe_step(step: RecipeStep) -> str:
    """The step in words, or only its name if it is unknown or lacks a value."""
    name = str(step["step"])
    try:
        return STEP_DESCRIBERS[name](step)
    except (LookupError, TypeError, ValueError):
        return name


@register.filter
def format_source_span(recording: Recording) -> str:
    """The time span of a clip in the recording that it was split from: "1:02 to 1:09".

    Empty if the recording was not split from another.
    """
    cut = next((step for step in recording.recipe.get("steps", ()) if step.get("step") == "cut"), None)
    frames = [cut.get(name) for name in ("start_frame", "end_frame")] if cut else []
    if None in frames or not frames or not recording.sample_rate:
        return ""
    start, end = (frame / recording.sample_rate for frame in frames)
    return f"{format_position(start)} to {format_position(end)}"


@register.filter
def describe_inclusion(recording: Recording) -> str:
    """Who decided that a recording is out of builds, or in them against a check, and why. Empty if nothing to say."""
    is_choice = recording.active_by == InclusionSource.PERSON
    if not recording.active:
        reason = EXCLUSION_REASONS.get(recording.exclusion_code, recording.exclusion_code)
        return "Excluded by a person" if is_choice else f"Excluded: {reason}" if reason else ""
    code = find_exclusion(list_warning_codes(recording.findings, recording.set_findings))
    return f"Included by a person, although: {EXCLUSION_LABELS[code]}" if is_choice and code else ""


@register.simple_tag
def length_note(recording: Recording) -> LengthNote | None:
    """Which tiers take a recording whole. None if there is nothing to say, or if the recording cannot be cut."""
    return make_length_note(recording) if recording.can_be_cut else None


@register.filter
def describe_use(recording: Recording) -> str:
    """What happens to a file that is not itself sent in any build."""
    return {
        RecordingStatus.SPLITTING: "Its clips appear here. The original file is stored.",
        RecordingStatus.SPLIT: "Its clips go into builds. The original file is stored.",
    }.get(RecordingStatus(recording.status), "The original file is stored. It goes into no build.")
