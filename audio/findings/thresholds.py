"""Thresholds at which a measured value becomes a finding, each with its unit and source.

An admin can override them for a provider and tier; `with_overrides` returns the resulting set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self


def threshold_field(default: float, unit: str, source: str) -> Any:
    """Declare a threshold, with a unit and a source that pages show."""
    return field(default=default, metadata={"unit": unit, "source": source})


HUMAN_SPEECH = (
    "Set by measuring human speech, clean and increasingly degraded. Four in five amateur clips do not cross it."
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds, grouped by area."""

    silent_peak_dbfs: float = threshold_field(-50.0, "dBFS", HUMAN_SPEECH)
    silent_rms_dbfs: float = threshold_field(-55.0, "dBFS", HUMAN_SPEECH)
    silent_speech_seconds: float = threshold_field(0.3, "s", HUMAN_SPEECH)
    little_speech_share: float = threshold_field(0.4, "share", HUMAN_SPEECH)
    too_quiet_dbfs: float = threshold_field(
        -32.0,
        "dBFS",
        "ElevenLabs asks for -23 to -18 dBFS. A margin is added for pauses and for a provider's own leveling.",
    )
    too_loud_dbfs: float = threshold_field(-13.0, "dBFS", "As for `too_quiet_dbfs`.")
    peak_high_dbfs: float = threshold_field(-0.5, "dBFS", HUMAN_SPEECH)
    clipping_share: float = threshold_field(0.001, "share", HUMAN_SPEECH)
    clipping_slight_share: float = threshold_field(0.0001, "share", HUMAN_SPEECH)
    noisy_db: float = threshold_field(
        15.0, "dB", "Ours. Azure measures noise in another way: it warns below 35 dB and fails below 20 dB."
    )
    noise_heard_db: float = threshold_field(25.0, "dB", "As for `noisy_db`.")
    dc_offset_share: float = threshold_field(0.01, "share", HUMAN_SPEECH)
    edge_silence_seconds: float = threshold_field(1.0, "s", HUMAN_SPEECH)
    take_edge_silence_seconds: float = threshold_field(
        2.0, "s", "Ours, for spoken consents: a talent needs about a second to begin, and another to press Stop."
    )
    pause_seconds: float = threshold_field(1.5, "s", "Ours: longer than the pause between two sentences read aloud.")
    hum_over_db: float = threshold_field(
        14.0,
        "dB",
        "Ours: clean voices stay below 12 dB; hum that is 25 dB below the speech has at least 13 dB, mostly 25 dB.",
    )
    hum_least_dbfs: float = threshold_field(-60.0, "dBFS", "Ours: weaker hum is inaudible beside speech of -20 dBFS.")
    reverberation_seconds: float = threshold_field(
        0.42, "s", "Ours: dry rooms measure up to 0.31 s; nine in ten rooms with a true 0.4 s measure 0.43 s or more."
    )
    band_edge_share: float = threshold_field(
        0.8, "share", "Ours: share of half the sampling rate; the filters of converters may begin above this share."
    )
    band_cliff_db: float = threshold_field(
        25.0, "dB", "Ours: files upsampled from a lower rate fall by 29 dB or more within 400 Hz at their edge."
    )
    narrow_band_hz: float = threshold_field(
        7000.0, "Hz", "Ours: without sound above it, s and f cannot be distinguished."
    )
    telephone_rate: float = threshold_field(16000, "Hz", "Below 16 kHz most of s, f and th is missing.")

    transcript_longest: float = threshold_field(
        2000, "characters", "Ours: a minute and a half of speech, far above any clip."
    )
    transcript_fastest_characters: float = threshold_field(
        22.0, "letters/s", "Ours: about 310 English words a minute; fast readers reach 240."
    )
    transcript_slowest_characters: float = threshold_field(
        4.0, "letters/s", "Ours: about 55 English words a minute; slow readers stay above 90."
    )
    transcript_pause_seconds: float = threshold_field(
        1.0, "s", "Ours: the silence around a short clip, which does not count against its text."
    )
    transcript_dense_characters: float = threshold_field(
        2.5, "letters", "Ours: one Chinese, Japanese or Korean character counts as this many letters."
    )
    transcript_capitals_share: float = threshold_field(
        0.9, "share", "Ours: share of capitals among the letters of a text."
    )
    transcript_foreign_share: float = threshold_field(
        0.2, "share", "Ours: share of letters from another script; a foreign name stays below it."
    )

    channel_silent_db: float = threshold_field(
        -30.0, "dB", "Ours: crosstalk of an open input stays below it; a second microphone does not."
    )
    channels_alike_share: float = threshold_field(
        0.7,
        "share",
        "Ours: power of the channels' mean, divided by their mean power: 1 if equal, 0.5 if unrelated, 0 if opposite.",
    )

    statement_reject_match: float = threshold_field(
        0.6,
        "share",
        "Measured: people who read another text stay below 0.25, those who read the statement above 0.7 even in noise.",
    )
    statement_accept_match: float = threshold_field(
        0.85,
        "share",
        "Measured: every clean human reading is above it, and so are nine in ten readings with noise at 15 dB.",
    )
    statement_snr_db: float = threshold_field(
        15.0, "dB", "Measured: below it one reading in ten is no longer recognized."
    )
    statement_speech_seconds: float = threshold_field(1.0, "s", "Ours: no consent statement is read faster.")
    statement_echo_seconds: float = threshold_field(
        0.33,
        "s",
        "Measured: 0.19 to 0.22 s in dry rooms; from 0.38 s on, names were confused with similar names.",
    )
    statement_added_words: float = threshold_field(
        3, "words", "Ours: one or two misrecognized words are not an addition to the statement."
    )

    speaker_same: float = threshold_field(
        0.75, "similarity", "Measured on human speech: 1 in 100 comparisons with another person reaches it."
    )
    speaker_different: float = threshold_field(
        0.62,
        "similarity",
        "Measured: 1 in 100 comparisons of a voice with itself in noise, another room or on a telephone is below it.",
    )
    speaker_least_recordings: float = threshold_field(
        3, "recordings", "Measured: from three recordings on, the mean of a voice is stable."
    )
    speaker_outlier: float = threshold_field(
        0.75,
        "similarity",
        "Measured on sets of one session: 99 of 100 other speakers are below it, and none of the speaker's own clips.",
    )
    speaker_outlier_short: float = threshold_field(
        0.65, "similarity", "Measured on clips of two seconds: 1 in 50 of the speaker's own clips is below it."
    )
    speaker_long_seconds: float = threshold_field(3.0, "s", "Shorter clips have the similarity limit for short clips.")
    speaker_short_seconds: float = threshold_field(1.5, "s", "The encoder analyzes 1.6 seconds at once.")
    speaker_least_set: float = threshold_field(
        4, "recordings", "Ours: three recordings are too few to identify an outlier."
    )

    set_same_difference: float = threshold_field(
        0.25,
        "share",
        "Measured: exports of one reading at other rates, levels and codecs differ in up to 0.21 of the bits.",
    )
    set_level_db: float = threshold_field(
        6.0, "dB", "Ours: twice the variation of one speaker from clip to clip at one microphone."
    )
    set_least_day: float = threshold_field(3, "recordings", "Ours: a median of two clips depends on one clip.")
    day_level_db: float = threshold_field(
        4.0, "dB", "Ours: with an unchanged setup, the median levels of two days differ by less."
    )
    day_floor_db: float = threshold_field(
        8.0, "dB", "Ours: an open window or a fan changes the background by more, the time of day by less."
    )
    day_band_share: float = threshold_field(
        0.25, "share", "Ours: half of the step to the next common sampling rate, or another microphone."
    )
    day_room_seconds: float = threshold_field(
        0.15, "s", "Ours: the difference between a dry booth and a furnished room."
    )

    def with_overrides(self, overrides: Mapping[str, float]) -> Self:
        """Return a copy with these values; TypeError for an unknown name."""
        return replace(self, **overrides)


@dataclass(frozen=True, slots=True)
class ThresholdInfo:
    """Default, unit and source of one threshold."""

    default: float
    unit: str
    source: str


THRESHOLDS = Thresholds()
THRESHOLD_INFO = {
    one.name: ThresholdInfo(getattr(THRESHOLDS, one.name), one.metadata["unit"], one.metadata["source"])
    for one in fields(Thresholds)
}
