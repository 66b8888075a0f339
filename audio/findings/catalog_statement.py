"""Findings of the statement check on a take."""

from audio.findings.templates import make_warning

LISTEN = "Listen to it yourself, with the text beside it."

CODES = {
    "statement_unjudged": make_warning("The statement check did not run: {reason}.", LISTEN),
    "statement_too_short": make_warning(
        "Only {seconds:.1f} seconds of it are speech, too few for the statement.",
        "Ask for another take.",
        threshold="statement_speech_seconds",
    ),
    "statement_too_noisy": make_warning(
        "The noise is too strong to recognize the words: speech is {snr:.0f} dB above it.",
        "Ask for another take in a quiet room, or listen to it yourself.",
        threshold="statement_snr_db",
    ),
    "statement_not_read": make_warning(
        "Only {share:.0%} of the statement's words were recognized.",
        "Listen to it; it may be another text.",
        threshold="statement_reject_match",
    ),
    "statement_negated": make_warning(
        "“{word}” was recognized where the statement does not contain it.",
        "Listen to that part: it may mean the opposite of the statement.",
    ),
    "statement_company": make_warning(
        "The company's name was not recognized: {name}. Recognized instead: {recognized}.",
        "Listen to the company's name.",
    ),
    "statement_talent": make_warning(
        "The talent's name was not recognized: {name}. Recognized instead: {recognized}.",
        "Listen to the talent's name.",
    ),
    "statement_words_missing": make_warning(
        "Not recognized: {words}.",
        "Listen to that part; ask for another take if these words are missing.",
        threshold="statement_accept_match",
    ),
    "statement_words_added": make_warning(
        "These words are not in the statement: {words}.", "Listen to that part.", threshold="statement_added_words"
    ),
    "statement_name_doubtful": make_warning(
        "These words were not checked because their pronunciation is unknown: {words}.",
        "Listen to these words; staff can enter what they sound like for the next check.",
    ),
    "statement_name_unsure": make_warning(
        "The name may be {words}, or another name that sounds similar: {other}.", "Listen to the name."
    ),
    "statement_name_in_echo": make_warning(
        "The room echoes too much to be sure of the names: {words}.",
        "Listen to the names; ask for another take in a room with curtains and carpets if you are not sure.",
        threshold="statement_echo_seconds",
    ),
}
