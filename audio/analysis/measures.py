"""What is measured of a recording: each number with its unit in its name, and what it means."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from audio.levels.measure import Span


def told(unit: str, meaning: str) -> Any:
    return field(metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All of them. None where one cannot be told of this sound; `missing` says what could not be done here, and why.

    A share is 0..1, a level in dBFS (0 is full scale, -100 the least), a span a pair of times in seconds.
    """

    seconds: float = told("s", "how long it is")
    peak_dbfs: float = told("dBFS", "its loudest sample")
    rms_dbfs: float = told("dBFS", "average power of all samples")
    lufs: float | None = told("LUFS", "integrated loudness as of ITU-R BS.1770-4, of 0.4 s or more")
    dc_offset_share: float = told("share", "mean of all samples, of full scale")
    clipped_share: float = told("share", "samples in flat tops: three or more equal ones at the file's own peak")
    clipped_runs: int = told("", "number of flat tops")
    clipped_spans: tuple[Span, ...] = told("s", "where they are, those less than 50 ms apart as one, the first 50")
    leading_silence_seconds: float = told("s", "before the first speech")
    trailing_silence_seconds: float = told("s", "after the last speech")
    speech_seconds: float = told("s", "time in which somebody speaks, found by a small neural model, or else by level")
    speech_share: float = told("share", "the same, of all time")
    speech_spans: tuple[Span, ...] = told("s", "where somebody speaks")
    pause_spans: tuple[Span, ...] = told("s", "half a second or more without speech between speech, the first 50")
    noise_floor_dbfs: float = told("dBFS", "level of the quietest moments without speech")
    snr_db: float | None = told("dB", "power of speech over that floor; none without speech")
    hum_mains_hz: int | None = told("Hz", "50 or 60, whichever is the stronger")
    hum_over_db: float | None = told("dB", "the strongest of its first six lines over what lies between them")
    hum_dbfs: float | None = told("dBFS", "level of the lines that stand out by 10 dB; -100 without any")
    bandwidth_hz: float | None = told("Hz", "highest frequency within 65 dB of the loudest 900 Hz")
    cliff_db: float | None = told("dB", "how much the level falls there within 400 Hz")
    reverberation_seconds: float | None = told("s", "T60, from how speech dies away; none without four such places")
    words_per_minute: float | None = told("words/min", "words of the transcript from the first speech to the last")
    syllables_per_second: float | None = told("syllables/s", "the same with syllables, counted as of English")
    missing: tuple[str, ...] = told("", "what could not be measured, and why")

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


MEANINGS = {one.name: (one.metadata["unit"], one.metadata["meaning"]) for one in fields(Measures)}
"""Unit and meaning by name."""
