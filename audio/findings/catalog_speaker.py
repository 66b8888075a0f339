"""What comparing voices says: of a take against the recordings, and of a recording against its set."""

from audio.findings.templates import look

LISTEN_TO_BOTH = "Listen to the take and to a recording, one after the other."

CODES = {
    "take_other_voice": look(
        "The voice is unlike that of the {count} recordings: likeness {score:.2f}, below {different:.2f}.",
        LISTEN_TO_BOTH + " Nothing is decided by this number.",
        threshold="speaker_different",
    ),
    "take_voice_unsure": look(
        "The voice may be that of the {count} recordings: likeness {score:.2f}, between {different:.2f} and {same:.2f}."
        " Another room or microphone has the same effect as another person.",
        LISTEN_TO_BOTH,
        threshold="speaker_same",
    ),
    "take_voice_unchecked": look("Whether it is the voice of the recordings is not checked: {reason}.", LISTEN_TO_BOTH),
    "other_speaker": look(
        "Somebody else seems to have read it: likeness to the rest {score:.2f}, below {limit:.2f}.",
        "Listen to it beside another one; take it out of the set if so.",
        threshold="speaker_outlier",
    ),
}
