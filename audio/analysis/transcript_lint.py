"""Check the transcript of a recording without its audio: speaking rate and unusual text.

Only the text and the duration are used, so a wrong text of about the same length passes. `audio.statement` and people
check whether these words were spoken.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from audio.findings.findings import Finding, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds

MAX_SHOWN = 3
"""A finding quotes at most this many excerpts, each shortened to MAX_SHOWN_CHARACTERS."""
MAX_SHOWN_CHARACTERS = 24

DASHES = re.compile(r"[\u2012-\u2015/]")
LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
SENTENCE_ENDS = frozenset(".!?…。！？｡।॥؟۔։።")
PUNCTUATION = ".,;:!?…\"'“”„«»‘’‚‹›()[]{}*。，！？、；：（）「」『』《》¿¡"
CLOSING_MARKS = "\"'”’»›“‘)]}」』 "
WITHOUT_FULL_STOP = frozenset({"th", "lo", "km", "my", "bo"})
"""Languages written without a mark at the end of a sentence."""

VOWELS = re.compile(r"[aeiouy]+")
SILENT_END = re.compile(r"(?<=[^aeiouy])(?:e|es|ed)$")
"""A silent e at the end of a word, as in "made", "makes", "liked"."""
PRONOUNCED_END = re.compile(r"(?:[^aeiouy]le|[^aeiouy]les|[td]ed|[sxz]es|[cs]hes|[cg]es)$")
"""Exceptions to SILENT_END, in which the e is pronounced, as in "table", "wanted", "wishes", "pages"."""

ABBREVIATION = re.compile(
    r"(?<!\w)(?:(?:Dr|St|Ave|Blvd|Rd|Mt|Ft|Prof|Rev|Capt|Gen|Sgt|Lt|Jr|Sr|Inc|Ltd|Co|Corp|Dept|approx|appt|est|etc|vs"
    r"|cf|vol|ed|Fig|Jan|Feb|Apr|Aug|Sept?|Oct|Nov|Dec)\.(?!\w)(?!\s*$)|(?:e\.g|i\.e|etc|approx|vs|Inc|Ltd|Jr|Sr)\.)"
)
MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>|&(?:#\d{1,6}|[A-Za-z]{2,8});|https?://\S{0,80}|\bwww\.\S{1,80}|\*\*|__")
BRACKETS = re.compile(r"\([^()]{0,200}\)?|\[[^\[\]]{0,200}\]?|\{[^{}]{0,200}\}?|(?<!\*)\*[\w ]{1,40}\*(?!\*)|[)\]}]")
SYMBOLS = frozenset("%&@#*/\\_§¶†‡‰‱")
REPEATED_WORD = re.compile(r"\b([^\W\d_]+)\s+\1\b", re.IGNORECASE)
REPEATABLE_WORDS = frozenset({"had", "that", "very", "so", "nous", "vous", "die", "der", "das", "sie"})
"""Words that may be repeated: in English, French ("nous nous levons") and German ("die, die" without comma)."""

GARBLED = re.compile(r"Ã[\xa0-\xba\xbc-\xbf]|Â[\xa0-\xbf]|â€.?|ðŸ..?|ï¿½|\ufffd+")
"""UTF-8 that was read as Windows-1252 and stored again; U+FFFD replaces lost characters."""

SCRIPTS = {
    "CYRILLIC": ("ru", "uk", "bg", "be", "mk", "kk", "ky", "mn", "tg"),
    "GREEK": ("el",),
    "ARABIC": ("ar", "fa", "ur", "ps"),
    "HEBREW": ("he", "yi"),
    "DEVANAGARI": ("hi", "mr", "ne", "sa"),
    "BENGALI": ("bn", "as"),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "GUJARATI": ("gu",),
    "GURMUKHI": ("pa",),
    "THAI": ("th",),
    "ARMENIAN": ("hy",),
    "GEORGIAN": ("ka",),
    "HANGUL": ("ko",),
    "CJK": ("zh", "yue", "ja", "ko"),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "LATIN": (
        *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sk", "sl", "hr", "hu", "ro", "sv", "da", "nb", "no"),
        *("nn", "fi", "et", "lv", "lt", "tr", "vi", "id", "ms", "fil", "sw", "af", "ca", "eu", "gl", "cy", "ga", "is"),
    ),
}
"""The languages of each script, by primary subtag. Letters of a language without entry, such as Serbian, pass."""
DENSE_SCRIPTS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})
"""Scripts in which one character is about a syllable."""
LOOKALIKE_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK"})
SHARED_LETTER_PREFIXES = frozenset({"FEMININE", "MASCULINE", "MICRO", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC"})
"""First words of the Unicode names of letters that several scripts share."""


@dataclass(frozen=True, slots=True)
class SpeakingRate:
    """The counts of a text that is read aloud in `seconds`; `syllables` are counted by a rough rule for English."""

    words: int
    syllables: int
    characters: int
    seconds: float

    @property
    def words_per_minute(self) -> float:
        return 60 * self.words / self.seconds

    @property
    def syllables_per_second(self) -> float:
        return self.syllables / self.seconds

    @property
    def characters_per_second(self) -> float:
        return self.characters / self.seconds


def split_words(text: str) -> list[str]:
    """Split at spaces and dashes. Returns words with at least a letter or digit, without the punctuation around them.

    Not meaningful for languages without spaces between words.
    """
    return [one.strip(PUNCTUATION) for one in DASHES.sub(" ", text).split() if any(map(str.isalnum, one))]


@lru_cache(4096)
def count_syllables(word: str) -> int:
    """Approximate syllables of an English word: its groups of vowels, without a silent e at the end, at least 1.

    The count is right for 87 % of the words in the CMU pronouncing dictionary, and off by at most one for 99 %. Each
    digit counts as one syllable.
    """
    letters = "".join(one for one in unicodedata.normalize("NFC", word.lower()) if one.isalnum())
    groups = len(VOWELS.findall(unicodedata.normalize("NFD", letters)))
    silent = bool(SILENT_END.search(letters)) and not PRONOUNCED_END.search(letters)
    return max(1, groups - silent, sum(map(str.isdigit, letters)))


def compute_speaking_rate(text: str, seconds: float | None) -> SpeakingRate | None:
    """Compute how fast the text is read; `seconds` is the time from the first word to the last, if known.

    Letters, digits and combining marks count as characters; spaces and punctuation do not. Returns None without a word
    or a duration.
    """
    spoken = split_words(text)
    if not spoken or not seconds or not math.isfinite(seconds) or seconds < 0:
        return None
    characters = sum(unicodedata.category(one)[0] in "LNM" for one in text)
    return SpeakingRate(len(spoken), sum(map(count_syllables, spoken)), characters, seconds)


def lint_transcript(
    text: str, seconds: float | None, language: str = "en-US", thresholds: Thresholds = THRESHOLDS
) -> tuple[Finding, ...]:
    """Return the problems in the transcript of a recording that lasts `seconds`; `language` is a BCP 47 tag.

    Never raises for any text. Text beyond the longest allowed length is not checked.
    """
    checked = text[: int(thresholds.transcript_longest)]
    if not split_words(checked):
        return (make_finding("transcript_empty"),)
    found = [
        *_check_length(text, seconds, thresholds),
        *_report_excerpts("transcript_garbled", _find_garbled_text(checked)),
    ]
    if not _is_garbled(checked):
        subtag = re.split("[-_]", language)[0].lower()
        clean = GARBLED.sub("", checked)
        found += [*_check_ambiguous_readings(clean, subtag, thresholds), *_check_unspoken_text(clean)]
        found += [*_check_scripts(clean, subtag, language, thresholds), *_check_typos(clean, text, subtag)]
    return tuple(found)


def _check_length(text: str, seconds: float | None, thresholds: Thresholds) -> Iterator[Finding]:
    if len(text) > thresholds.transcript_longest:
        yield make_finding("transcript_over_limit", length=len(text), limit=thresholds.transcript_longest)
        return
    rate = compute_speaking_rate(text, seconds)
    if rate is None:
        return
    fastest, slowest = _compute_rate_limits(text, thresholds)
    values = {"seconds": rate.seconds, "words": rate.words_per_minute}
    if rate.characters_per_second > fastest:
        yield make_finding("transcript_too_much", **values)
    # A text with numerals may be short: one numeral can be several spoken words.
    elif rate.characters < slowest * (rate.seconds - thresholds.transcript_pause_seconds) and not _find_numerals(text):
        yield make_finding("transcript_too_little", **values)


def _compute_rate_limits(text: str, thresholds: Thresholds) -> tuple[float, float]:
    """Return the maximum and minimum of characters per second, lower in dense scripts: a character holds more there."""
    found = [_get_script(one) for one in text if one.isalpha()]
    dense = sum(one in DENSE_SCRIPTS for one in found) > len(found) / 2
    density = max(1.0, thresholds.transcript_dense_characters) if dense else 1.0
    return thresholds.transcript_fastest_characters / density, thresholds.transcript_slowest_characters / density


def _check_ambiguous_readings(text: str, subtag: str, thresholds: Thresholds) -> Iterator[Finding]:
    plain = MARKUP.sub(" ", text)
    yield from _report_excerpts("transcript_digits", _find_numerals(plain))
    if subtag == "en":
        yield from _report_excerpts("transcript_abbreviation", ABBREVIATION.findall(plain))
    yield from _report_excerpts("transcript_symbol", filter(_is_symbol, BRACKETS.sub(" ", plain)))
    cased = [one for one in text if one.isupper() or one.islower()]
    capitals = sum(map(str.isupper, cased))
    if len(split_words(text)) > 2 and capitals > thresholds.transcript_capitals_share * len(cased):
        yield make_finding("transcript_capitals")


def _find_numerals(text: str) -> list[str]:
    """Return the words that contain a numeral: a digit, or a character such as Ⅳ or ½."""
    return [one for one in split_words(text) if any(unicodedata.category(each)[0] == "N" for each in one)]


def _is_symbol(one: str) -> bool:
    return one in SYMBOLS or (unicodedata.category(one)[0] == "S" and one != "|")


def _check_unspoken_text(text: str) -> Iterator[Finding]:
    yield from _report_excerpts("transcript_markup", MARKUP.findall(text))
    yield from _report_excerpts("transcript_brackets", BRACKETS.findall(MARKUP.sub(" ", text)))
    if LINE_ENDS & set(text.strip()):
        yield make_finding("transcript_newline")
    if "|" in text:
        yield make_finding("transcript_pipe")
    yield from _report_excerpts("transcript_invisible", _find_invisible_characters(text), quoted=False)


def _find_invisible_characters(text: str) -> Iterator[str]:
    """Describe control, zero-width and direction characters and lone surrogates, except joiners that a script needs."""
    for index, one in enumerate(text):
        if is_invisible(text, index):
            yield f"U+{ord(one):04X} after {index:,} characters"


def is_invisible(text: str, index: int) -> bool:
    """Whether the character at this index cannot be seen. Line ends, and joiners that a script needs, do not count."""
    one = text[index]
    if unicodedata.category(one)[0] != "C" or one in LINE_ENDS:
        return False
    return not (one in "\u200c\u200d" and index > 0 and _get_script(text[index - 1]) not in LOOKALIKE_SCRIPTS)


def _check_scripts(text: str, subtag: str, language: str, thresholds: Thresholds) -> Iterator[Finding]:
    letters = [one for one in text if one.isalpha()]
    foreign = _find_foreign_letters(letters, subtag)
    if sum(one in foreign for one in letters) > thresholds.transcript_foreign_share * len(letters):
        excerpts = (word for word in split_words(text) if foreign.intersection(word))
        yield from _report_excerpts("transcript_wrong_script", excerpts, language=language)
    yield from _report_excerpts("transcript_mixed_scripts", filter(_is_mixed, split_words(text)))


def _find_garbled_text(text: str) -> Iterable[str]:
    """Return the garbled excerpts; the whole text if it is garbled but has no sequence of GARBLED."""
    return GARBLED.findall(text) or ([text] if _is_garbled(text) else [])


def _is_garbled(text: str) -> bool:
    """Whether the text, encoded as Windows-1252, is valid UTF-8; this hardly ever happens by chance."""
    return decode_garbled(text) != text


def decode_garbled(text: str) -> str:
    """The text that was read as Windows-1252 although it is UTF-8. Any other text as it is."""
    try:
        return text if text.isascii() else b"".join(map(_encode_windows_1252, text)).decode()
    except UnicodeError:
        return text


def _encode_windows_1252(one: str) -> bytes:
    """Return the byte of a character. Control characters stand for the five bytes that Windows-1252 does not define."""
    return one.encode("latin-1" if "\x80" <= one <= "\x9f" else "cp1252")


def _find_foreign_letters(letters: Iterable[str], subtag: str) -> set[str]:
    """Return letters that the language does not use. Latin letters (names) pass if its own script is used too."""
    own = {script for script, languages in SCRIPTS.items() if subtag in languages}
    scripts = {one: _get_script(one) for one in letters}
    if own.intersection(scripts.values()):
        own |= {"LATIN"}
    return {one for one, script in scripts.items() if own and script not in own | SHARED_LETTER_PREFIXES}


@lru_cache(4096)
def _get_script(one: str) -> str:
    """The script of a letter, from the start of its Unicode name: LATIN, CYRILLIC, CJK …"""
    return re.split("[ -]", unicodedata.name(one, ""))[0]


def _is_mixed(word: str) -> bool:
    return len({_get_script(one) for one in word if one.isalpha()} & LOOKALIKE_SCRIPTS) > 1


def _check_typos(text: str, full_text: str, subtag: str) -> Iterator[Finding]:
    repeated = (one for one in REPEATED_WORD.findall(text) if one.lower() not in REPEATABLE_WORDS)
    yield from _report_excerpts("transcript_repeated_word", repeated)
    if subtag not in WITHOUT_FULL_STOP and full_text.rstrip().rstrip(CLOSING_MARKS)[-1:] not in SENTENCE_ENDS:
        yield make_finding("transcript_no_end")


def _report_excerpts(code: str, excerpts: Iterable[str], quoted: bool = True, **values: object) -> Iterator[Finding]:
    """Yield a finding that names the first excerpts, each once; no finding if there are no excerpts."""
    unique = list(dict.fromkeys(excerpts))
    if unique:
        shown = [_quote_text(one) if quoted else one for one in unique[:MAX_SHOWN]]
        more = f" and {len(unique) - MAX_SHOWN} more" if len(unique) > MAX_SHOWN else ""
        yield make_finding(code, None, places=", ".join(shown) + more, **values)


def _quote_text(text: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in text)
    shortened = plain[:MAX_SHOWN_CHARACTERS] + "…" if len(plain) > MAX_SHOWN_CHARACTERS else plain
    return f"“{shortened.strip()}”"
