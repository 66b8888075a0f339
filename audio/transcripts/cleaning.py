"""Makes the text of a cell plain: composed letters, ordinary spaces, and nothing that cannot be seen or spoken."""

import re
import unicodedata

# Joiners (U+200C, U+200D) stay: Persian, Hindi and other scripts need them.
INVISIBLE_PATTERN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
UNUSUAL_SPACE_PATTERN = re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
# What exports of VoiceHub put an apostrophe before, so that spreadsheets take it for no formula.
FORMULA_PATTERN = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def clean_text(text: str) -> str:
    """The text in Unicode form NFC, on one line, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", INVISIBLE_PATTERN.sub("", text)).split())


def has_unusual_characters(text: str) -> bool:
    """Whether `clean_text` removes invisible marks or replaces unusual spaces."""
    return bool(INVISIBLE_PATTERN.search(text) or UNUSUAL_SPACE_PATTERN.search(text))


def unescape_cell(text: str) -> str:
    return text[1:] if text.startswith("'") and FORMULA_PATTERN.match(text) else text


def escape_cell(text: str) -> str:
    """The text as a cell from which `unescape_cell` makes it again."""
    return f"'{text}" if FORMULA_PATTERN.match(text) else text
