"""Findings from comparing the recordings of a set with each other, and their voice with that of a take."""

from audio.findings.templates import make_warning

LISTEN_TO_BOTH = "Listen to the take and to a recording, one after the other."
COMPARE_DAYS = (
    "Listen to both days one after the other; record again with the same microphone, place and gain if they differ."
)

CODES = {
    "same_sound": make_warning(
        "It is the same sound as {others}, sample by sample.",
        "Keep one of them.",
        exclusion="One copy stays in builds, the one with a transcript: a second copy only costs upload and training.",
    ),
    "same_sound_other_words": make_warning(
        "It is the same sound as {others}, but with another transcript.",
        "Listen; keep the one whose transcript is right.",
    ),
    "nearly_same_sound": make_warning(
        "It is the same reading as {others}, exported or trimmed differently.",
        "Keep the one that is closest to the original.",
    ),
    "same_transcript": make_warning(
        "It has the same words as {others}.", "Check that each transcript belongs to its clip; keep the better reading."
    ),
    "unlike_level": make_warning(
        "It is {by:.0f} dB {direction} than most of the set.",
        "Listen; adjust it to the level of the others, or record it again.",
        threshold="set_level_db",
    ),
    "day_unlike_level": make_warning(
        "The recordings of {day} are {by:.0f} dB {direction} than those of the other days.",
        COMPARE_DAYS,
        threshold="day_level_db",
    ),
    "day_unlike_floor": make_warning(
        "The background of {day} is {by:.0f} dB {direction} than that of the other days.",
        COMPARE_DAYS,
        threshold="day_floor_db",
    ),
    "day_unlike_band": make_warning(
        "The recordings of {day} reach up to {value:.1f} kHz, those of the other days to {usual:.1f} kHz.",
        COMPARE_DAYS,
        threshold="day_band_share",
    ),
    "day_unlike_room": make_warning(
        "The reverberation of {day} lasts {value:.2f} s, that of the other days {usual:.2f} s.",
        COMPARE_DAYS,
        threshold="day_room_seconds",
    ),
    "take_other_voice": make_warning(
        "The voice is unlike that of {others}: similarity {score:.2f}, below {different:.2f}.",
        LISTEN_TO_BOTH + " This number alone decides nothing.",
        threshold="speaker_different",
    ),
    "take_voice_unsure": make_warning(
        "The voice may be that of {others}: similarity {score:.2f}, from {different:.2f} to {same:.2f}."
        " Another room or microphone has the same effect as another person.",
        LISTEN_TO_BOTH,
        threshold="speaker_same",
    ),
    "take_voice_unchecked": make_warning("The voice was not compared: {reason}.", LISTEN_TO_BOTH),
    "other_speaker": make_warning(
        "Another person seems to have read it: similarity to the rest {score:.2f}, below {limit:.2f}.",
        "Listen to it and to another recording; remove it from the set if the voices differ.",
        threshold="speaker_outlier",
        exclusion="A second person in the set makes the voice a mixture, and the talent's consent does not cover them.",
    ),
}
