"""The measures of a recording, each with its unit and meaning."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from audio.levels.measure import Span


def define_measure(unit: str, meaning: str) -> Any:
    return field(metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """A measure is None if the recording does not allow it; `missing` says what cannot be measured here, and why.

    A share is 0..1, a level is in dBFS (0 is full scale, -100 the lowest), a span is a pair of times in seconds.
    """

    seconds: float = define_measure("s", "duration")
    peak_dbfs: float = define_measure("dBFS", "level of the loudest sample")
    rms_dbfs: float = define_measure("dBFS", "average power of all samples")
    lufs: float | None = define_measure("LUFS", "integrated loudness by ITU-R BS.1770-4; needs 0.4 s or more")
    dc_offset_share: float = define_measure("share", "mean of all samples, as a share of full scale")
    clipped_share: float = define_measure(
        "share", "samples in flat tops: three or more equal ones at the file's own peak"
    )
    clipped_runs: int = define_measure("", "number of flat tops")
    clipped_spans: tuple[Span, ...] = define_measure(
        "s", "where the flat tops are; those less than 50 ms apart count as one; the first 50"
    )
    leading_silence_seconds: float = define_measure("s", "before the first speech")
    trailing_silence_seconds: float = define_measure("s", "after the last speech")
    speech_seconds: float = define_measure(
        "s", "duration of speech, detected by a small neural model, or by level without it"
    )
    speech_share: float = define_measure("share", "speech as a share of the duration")
    speech_spans: tuple[Span, ...] = define_measure("s", "where speech is")
    pause_spans: tuple[Span, ...] = define_measure("s", "pauses of half a second or more between speech; the first 50")
    noise_floor_dbfs: float = define_measure("dBFS", "level of the quietest moments without speech")
    snr_db: float | None = define_measure("dB", "power of speech over the noise floor; none without speech")
    hum_mains_hz: int | None = define_measure("Hz", "mains frequency of the stronger hum: 50 or 60")
    hum_over_db: float | None = define_measure(
        "dB", "level of its strongest line, of the first six, over the sound between the lines"
    )
    hum_dbfs: float | None = define_measure(
        "dBFS", "level of the lines that stand out by 10 dB; -100 if there are none"
    )
    bandwidth_hz: float | None = define_measure("Hz", "highest frequency within 65 dB of the loudest 900 Hz")
    cliff_db: float | None = define_measure("dB", "how much the level falls at that frequency within 400 Hz")
    reverberation_seconds: float | None = define_measure(
        "s", "T60, from how speech decays; none with fewer than four decays"
    )
    words_per_minute: float | None = define_measure(
        "words/min", "words of the transcript per minute, from the first speech to the last"
    )
    syllables_per_second: float | None = define_measure(
        "syllables/s", "syllables per second, counted by English rules, over the same time"
    )
    missing: tuple[str, ...] = define_measure("", "what could not be measured, and why")

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column."""
        return {name: _build_json_value(value) for name, value in asdict(self).items()}


def _build_json_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_build_json_value(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


MEANINGS = {one.name: (one.metadata["unit"], one.metadata["meaning"]) for one in fields(Measures)}
"""Unit and meaning by name."""
