"""What comparing says: of the recordings of a set with each other, and of their voice with that of a take."""

from audio.findings.templates import make_warning

LISTEN_TO_BOTH = "Listen to the take and to a recording, one after the other."
COMPARE_DAYS = (
    "Listen to both days one after the other; record again with the same microphone, place and gain if you hear it."
)

CODES = {
    "same_sound": make_warning("It is the same sound as {others}, sample by sample.", "Keep one of them."),
    "same_sound_other_words": make_warning(
        "It is the same sound as {others}, but with another transcript.",
        "Listen; keep the one whose transcript is right.",
    ),
    "nearly_same_sound": make_warning(
        "It is the same reading as {others}, exported or cut another way.",
        "Keep the one that is nearest to the original.",
    ),
    "same_transcript": make_warning(
        "It has the same words as {others}.", "Check that each transcript belongs to its clip; keep the better reading."
    ),
    "unlike_level": make_warning(
        "It is {by:.0f} dB {direction} than most of the set.",
        "Listen; bring it to the level of the others, or record it again.",
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
        "The room of {day} answers for {value:.2f} s, that of the other days for {usual:.2f} s.",
        COMPARE_DAYS,
        threshold="day_room_seconds",
    ),
    "take_other_voice": make_warning(
        "The voice is unlike that of the {count} recordings: likeness {score:.2f}, below {different:.2f}.",
        LISTEN_TO_BOTH + " Nothing is decided by this number.",
        threshold="speaker_different",
    ),
    "take_voice_unsure": make_warning(
        "The voice may be that of the {count} recordings: likeness {score:.2f}, between {different:.2f} and {same:.2f}."
        " Another room or microphone has the same effect as another person.",
        LISTEN_TO_BOTH,
        threshold="speaker_same",
    ),
    "take_voice_unchecked": make_warning(
        "Whether it is the voice of the recordings is not checked: {reason}.", LISTEN_TO_BOTH
    ),
    "other_speaker": make_warning(
        "Another person seems to have read it: similarity to the rest {score:.2f}, below {limit:.2f}.",
        "Listen to it beside another one; take it out of the set if so.",
        threshold="speaker_outlier",
    ),
}
