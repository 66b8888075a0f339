"""Findings about the transcript of a recording. All are advice; none rejects a recording."""

from audio.findings.templates import make_warning

AS_READ = "Write it as it was read, in words."

AGAINST_THE_SOUND = {
    "transcript_empty": make_warning("The transcript is missing.", "Type what is said, word for word."),
    "transcript_over_limit": make_warning(
        "The text has {length:,} characters; at most {limit:,.0f} are kept.",
        "Split the recording in two, each with its own text.",
        threshold="transcript_longest",
    ),
    "transcript_too_much": make_warning(
        "The text is too much for {seconds:.1f} seconds: it would be read at {words:.0f} words a minute.",
        "Check that it is the text of this recording, and that the recording is whole.",
        threshold="transcript_fastest_characters",
    ),
    "transcript_too_little": make_warning(
        "The text is too little for {seconds:.1f} seconds: it would be read at {words:.0f} words a minute.",
        "Check that it is the text of this recording, and that no sentence is missing.",
        threshold="transcript_slowest_characters",
    ),
}

SEVERAL_READINGS = {
    "transcript_digits": make_warning("Digits can be read in several ways: {places}.", AS_READ),
    "transcript_abbreviation": make_warning("Abbreviations can be read in several ways: {places}.", AS_READ),
    "transcript_symbol": make_warning("Symbols can be read in several ways, or not at all: {places}.", AS_READ),
    "transcript_capitals": make_warning(
        "The whole text is in capitals, which some providers read letter by letter.",
        "Write it in capitals and small letters.",
        threshold="transcript_capitals_share",
    ),
}

NOT_SPOKEN = {
    "transcript_markup": make_warning(
        "It contains markup or an address: {places}.", "Keep only the words that are spoken."
    ),
    "transcript_brackets": make_warning(
        "It contains text in brackets: {places}.",
        "Delete it if it is not spoken, such as a stage direction; otherwise delete only the brackets.",
    ),
    "transcript_invisible": make_warning(
        "It contains invisible characters: {places}.", "Type the words around them again."
    ),
    "transcript_newline": make_warning("It has more than one line.", "Put it on one line."),
    "transcript_pipe": make_warning(
        "It contains “|”, which separates the columns of the table that is sent to a provider.", "Delete it."
    ),
}

WRONG_LETTERS = {
    "transcript_garbled": make_warning(
        "Some characters have the wrong encoding: {places}.", "Save the text as UTF-8, and send it again."
    ),
    "transcript_wrong_script": make_warning(
        "Its letters are not those of the language ({language}): {places}.",
        "Check the text, and the language of the voice.",
        threshold="transcript_foreign_share",
    ),
    "transcript_mixed_scripts": make_warning(
        "One word mixes similar letters of two alphabets: {places}.", "Type the word again."
    ),
}

SLIPS = {
    "transcript_repeated_word": make_warning(
        "A word is repeated: {places}.", "Delete one of the two if it is said once."
    ),
    "transcript_no_end": make_warning(
        "It does not end with a period, question mark or exclamation mark.",
        "Check that the end is not missing, and add the mark.",
    ),
}

CODES = AGAINST_THE_SOUND | SEVERAL_READINGS | NOT_SPOKEN | WRONG_LETTERS | SLIPS
