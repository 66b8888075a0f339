"""The measures of a recording, each with its unit and meaning."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from audio.levels.measure import Span


def define_measure(unit: str, meaning: str) -> Any:
    return field(metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All measures of one recording. A measure is None if it cannot be measured in this recording.

    `missing` says what could not be measured on this machine, and why.

    A share is 0..1, a level is in dBFS (0 is full scale, -100 the lowest), a span is a pair of times in seconds.
    """

    seconds: float = define_measure("s", "duration")
    peak_dbfs: float = define_measure("dBFS", "level of the loudest sample")
    rms_dbfs: float = define_measure("dBFS", "average power of all samples")
    lufs: float | None = define_measure("LUFS", "integrated loudness by ITU-R BS.1770-4; needs 0.4 s or more")
    dc_offset_share: float = define_measure("share", "mean of all samples, as a share of full scale")
    clipped_share: float = define_measure(
        "share", "samples in flat tops; a flat top is three or more equal samples at the file's own peak"
    )
    clipped_runs: int = define_measure("", "number of flat tops")
    clipped_spans: tuple[Span, ...] = define_measure(
        "s", "times of the first 50 flat tops; flat tops less than 50 ms apart count as one"
    )
    leading_silence_seconds: float = define_measure("s", "silence before the first speech")
    trailing_silence_seconds: float = define_measure("s", "silence after the last speech")
    speech_seconds: float = define_measure(
        "s", "duration of speech, detected by a small neural model, or by level without it"
    )
    speech_share: float = define_measure("share", "speech as a share of the duration")
    speech_spans: tuple[Span, ...] = define_measure("s", "times of the speech")
    pause_spans: tuple[Span, ...] = define_measure(
        "s", "times of the first 50 pauses of half a second or more between speech"
    )
    noise_floor_dbfs: float = define_measure("dBFS", "level of the quietest moments without speech")
    snr_db: float | None = define_measure("dB", "power of speech over the noise floor; not measured without speech")
    hum_mains_hz: int | None = define_measure("Hz", "mains frequency of the stronger hum: 50 or 60")
    hum_over_db: float | None = define_measure(
        "dB", "level of the strongest of the first six hum lines over the sound between the lines"
    )
    hum_dbfs: float | None = define_measure(
        "dBFS", "level of all hum lines that stand out by 10 dB; -100 if there are none"
    )
    bandwidth_hz: float | None = define_measure(
        "Hz", "highest frequency with a level within 65 dB of the loudest 900 Hz"
    )
    cliff_db: float | None = define_measure(
        "dB", "how much the level falls within 400 Hz at the highest frequency of the bandwidth"
    )
    reverberation_seconds: float | None = define_measure(
        "s", "T60, measured where speech decays; not measured with fewer than four decays"
    )
    words_per_minute: float | None = define_measure(
        "words/min", "words of the transcript per minute, from the first speech to the last"
    )
    syllables_per_second: float | None = define_measure(
        "syllables/s", "syllables per second from the first speech to the last, counted by English rules"
    )
    missing: tuple[str, ...] = define_measure("", "what could not be measured, and why")

    def as_dict(self) -> dict[str, Any]:
        """Return the measures by name, for a JSON column."""
        return {name: _build_json_value(value) for name, value in asdict(self).items()}


def _build_json_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_build_json_value(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


MEANINGS = {one.name: (one.metadata["unit"], one.metadata["meaning"]) for one in fields(Measures)}
"""Unit and meaning of each measure, by name."""

LEVEL_NAMES = {
    "leading_silence": "leading_silence_seconds",
    "trailing_silence": "trailing_silence_seconds",
    "dc_offset": "dc_offset_share",
    "clipped": "clipped_spans",
    "pauses": "pause_spans",
}
"""Names in the quick level check, and the names of the same measures in the full analysis."""


def merge_measures(levels: Mapping[str, Any], analysis: Mapping[str, Any]) -> dict[str, Any]:
    """The measures of the quick level check, overridden by those of the full analysis, without unknown values."""
    both = {**{LEVEL_NAMES.get(name, name): value for name, value in levels.items()}, **analysis}
    return {name: value for name, value in both.items() if value is not None}


NO_SPEECH_CODES = frozenset({"silent", "no_speech"})


def has_no_speech(sound: Mapping[str, Any], found: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the checks found no speech, so that checks of speech mean nothing. `sound` is of `merge_measures`."""
    return sound.get("speech_seconds") == 0 or any(one["code"] in NO_SPEECH_CODES for one in found)
