"""What comparing the recordings of a set with each other says."""

from audio.findings.templates import look

RECORD_ALIKE = (
    "Listen to both days one after the other; record again with the same microphone, place and gain if you hear it."
)

CODES = {
    "same_sound": look("It is the same sound as {others}, sample by sample.", "Keep one of them."),
    "same_sound_other_words": look(
        "It is the same sound as {others}, but with another transcript.",
        "Listen; keep the one whose transcript is right.",
    ),
    "nearly_same_sound": look(
        "It is the same reading as {others}, exported or cut another way.",
        "Keep the one that is nearest to the original.",
    ),
    "same_transcript": look(
        "It has the same words as {others}.", "Check that each transcript belongs to its clip; keep the better reading."
    ),
    "unlike_level": look(
        "It is {by:.0f} dB {direction} than most of the set.",
        "Listen; bring it to the level of the others, or record it again.",
        threshold="set_level_db",
    ),
    "day_unlike_level": look(
        "The recordings of {day} are {by:.0f} dB {direction} than those of the other days.",
        RECORD_ALIKE,
        threshold="day_level_db",
    ),
    "day_unlike_floor": look(
        "The background of {day} is {by:.0f} dB {direction} than that of the other days.",
        RECORD_ALIKE,
        threshold="day_floor_db",
    ),
    "day_unlike_band": look(
        "The recordings of {day} reach up to {value:.1f} kHz, those of the other days to {usual:.1f} kHz.",
        RECORD_ALIKE,
        threshold="day_band_share",
    ),
    "day_unlike_room": look(
        "The room of {day} answers for {value:.2f} s, that of the other days for {usual:.2f} s.",
        RECORD_ALIKE,
        threshold="day_room_seconds",
    ),
}
