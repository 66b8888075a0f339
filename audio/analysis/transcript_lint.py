"""What the text of a recording tells before anybody listens: how fast it would be read, and what is odd in it.

Only the text and the length of the sound are looked at. Another text of about the same length passes; whether these
words were said is for `audio.statement`, and for people.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audio.findings.findings import Finding, finding
from audio.findings.thresholds import THRESHOLDS, Thresholds

SHOWN = 3
"""So many places are named in a finding, each cut to so many characters."""
SHOWN_CHARACTERS = 24

DASHES = re.compile(r"[\u2012-\u2015/]")
LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
ENDS = frozenset(".!?…。！？｡।॥؟۔։።")
MARKS = ".,;:!?…\"'“”„«»‘’‚‹›()[]{}*。，！？、；：（）「」『』《》¿¡"
CLOSERS = "\"'”’»›“‘)]}」』 "
WITHOUT_FULL_STOP = frozenset({"th", "lo", "km", "my", "bo"})
"""Languages that are written without a mark at the end of a sentence."""

VOWELS = re.compile(r"[aeiouy]+")
SILENT_END = re.compile(r"(?<=[^aeiouy])(?:e|es|ed)$")
"""The e of "made", "makes", "liked" …"""
SPOKEN_END = re.compile(r"(?:[^aeiouy]le|[^aeiouy]les|[td]ed|[sxz]es|[cs]hes|[cg]es)$")
"""… but not of "table", "wanted", "wishes", "pages"."""

ABBREVIATION = re.compile(
    r"(?<!\w)(?:(?:Dr|St|Ave|Blvd|Rd|Mt|Ft|Prof|Rev|Capt|Gen|Sgt|Lt|Jr|Sr|Inc|Ltd|Co|Corp|Dept|approx|appt|est|etc|vs"
    r"|cf|vol|ed|Fig|Jan|Feb|Apr|Aug|Sept?|Oct|Nov|Dec)\.(?!\w)(?!\s*$)|(?:e\.g|i\.e|etc|approx|vs|Inc|Ltd|Jr|Sr)\.)"
)
MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>|&(?:#\d{1,6}|[A-Za-z]{2,8});|https?://\S{0,80}|\bwww\.\S{1,80}|\*\*|__")
BRACKETS = re.compile(r"\([^()]{0,200}\)?|\[[^\[\]]{0,200}\]?|\{[^{}]{0,200}\}?|(?<!\*)\*[\w ]{1,40}\*(?!\*)|[)\]}]")
SIGNS = frozenset("%&@#*/\\_§¶†‡‰‱")
REPEATED = re.compile(r"\b([^\W\d_]+)\s+\1\b", re.IGNORECASE)
MAY_REPEAT = frozenset({"had", "that", "very", "so", "nous", "vous", "die", "der", "das", "sie"})
"""Words that are rightly said twice: in English, French ("nous nous levons") and German ("die, die" without comma)."""

GARBLED = re.compile(r"Ã[\xa0-\xba\xbc-\xbf]|Â[\xa0-\xbf]|â€.?|ðŸ..?|ï¿½|\ufffd+")
"""What UTF-8 becomes when it is read as Windows-1252 and stored again; U+FFFD stands for what was lost."""

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
"""Which languages use a script, by primary subtag; the letters of all others, such as Serbian, are not judged."""
DENSE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})
"""Scripts in which one character is about a syllable."""
LOOK_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK"})
NO_SCRIPT = frozenset({"FEMININE", "MASCULINE", "MICRO", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC"})
"""How the Unicode names of letters begin that belong to several scripts."""


@dataclass(frozen=True, slots=True)
class SpeakingRate:
    """How fast a text is read in so many `seconds`; `syllables` are counted as of English, by rule of thumb."""

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


def words(text: str) -> list[str]:
    """What stands between spaces and dashes and has a letter or digit in it, without the marks around it.

    Without meaning for languages that put no spaces between words.
    """
    return [one.strip(MARKS) for one in DASHES.sub(" ", text).split() if any(map(str.isalnum, one))]


def syllables(word: str) -> int:
    """About how many syllables an English word has: its groups of vowels but for a silent e at the end, at least 1.

    Right for 87 in 100 words of the CMU pronouncing dictionary, within one for 99; a digit counts as one.
    """
    letters = "".join(one for one in unicodedata.normalize("NFC", word.lower()) if one.isalnum())
    groups = len(VOWELS.findall(unicodedata.normalize("NFD", letters)))
    silent = bool(SILENT_END.search(letters)) and not SPOKEN_END.search(letters)
    return max(1, groups - silent, sum(map(str.isdigit, letters)))


def speaking_rate(text: str, seconds: float | None) -> SpeakingRate | None:
    """How fast the text is read; `seconds` are those from the first word to the last, where they are known.

    Characters are letters, digits and marks, without spaces and punctuation. None without a word or a length.
    """
    spoken = words(text)
    if not spoken or not seconds or not math.isfinite(seconds) or seconds < 0:
        return None
    characters = sum(unicodedata.category(one)[0] in "LNM" for one in text)
    return SpeakingRate(len(spoken), sum(map(syllables, spoken)), characters, seconds)


def lint(
    text: str, seconds: float | None, language: str = "en-US", thresholds: Thresholds = THRESHOLDS
) -> tuple[Finding, ...]:
    """What is odd in the text of a recording of so many `seconds`; `language` is a BCP 47 tag.

    Never raises, whatever the text. What stands beyond the longest text allowed is not looked at.
    """
    looked_at = text[: int(thresholds.transcript_longest)]
    if not words(looked_at):
        return (finding("transcript_empty"),)
    found = [*_length(text, seconds, thresholds), *_at("transcript_garbled", _garbled(looked_at))]
    if not _is_garbled(looked_at):
        tongue = re.split("[-_]", language)[0].lower()
        rest = GARBLED.sub("", looked_at)
        found += [*_readings(rest, tongue, thresholds), *_unspoken(rest)]
        found += [*_scripts(rest, tongue, language, thresholds), *_slips(rest, text, tongue)]
    return tuple(found)


def _length(text: str, seconds: float | None, thresholds: Thresholds) -> Iterator[Finding]:
    if len(text) > thresholds.transcript_longest:
        yield finding("transcript_over_limit", length=len(text), limit=thresholds.transcript_longest)
        return
    rate = speaking_rate(text, seconds)
    if rate is None:
        return
    fastest, slowest = _range(text, thresholds)
    told = {"seconds": rate.seconds, "words": rate.words_per_minute}
    if rate.characters_per_second > fastest:
        yield finding("transcript_too_much", **told)
    # One figure stands for several spoken words.
    elif rate.characters < slowest * (rate.seconds - thresholds.transcript_pause_seconds) and not _figures(text):
        yield finding("transcript_too_little", **told)


def _range(text: str, thresholds: Thresholds) -> tuple[float, float]:
    """Characters per second, most and least: in dense scripts each holds several times as much."""
    found = [_script(one) for one in text if one.isalpha()]
    dense = sum(one in DENSE for one in found) > len(found) / 2
    few = max(1.0, thresholds.transcript_dense_characters) if dense else 1.0
    return thresholds.transcript_fastest_characters / few, thresholds.transcript_slowest_characters / few


def _readings(text: str, tongue: str, thresholds: Thresholds) -> Iterator[Finding]:
    plain = MARKUP.sub(" ", text)
    yield from _at("transcript_digits", _figures(plain))
    if tongue == "en":
        yield from _at("transcript_abbreviation", ABBREVIATION.findall(plain))
    yield from _at("transcript_symbol", filter(_is_sign, BRACKETS.sub(" ", plain)))
    cased = [one for one in text if one.isupper() or one.islower()]
    capitals = sum(map(str.isupper, cased))
    if len(words(text)) > 2 and capitals > thresholds.transcript_capitals_share * len(cased):
        yield finding("transcript_capitals")


def _figures(text: str) -> list[str]:
    """Words with a figure in them, Roman or any other."""
    return [one for one in words(text) if any(unicodedata.category(each)[0] == "N" for each in one)]


def _is_sign(one: str) -> bool:
    return one in SIGNS or (unicodedata.category(one)[0] == "S" and one != "|")


def _unspoken(text: str) -> Iterator[Finding]:
    yield from _at("transcript_markup", MARKUP.findall(text))
    yield from _at("transcript_brackets", BRACKETS.findall(MARKUP.sub(" ", text)))
    if LINE_ENDS & set(text.strip()):
        yield finding("transcript_newline")
    if "|" in text:
        yield finding("transcript_pipe")
    yield from _at("transcript_invisible", _invisible(text), quoted=False)


def _invisible(text: str) -> Iterator[str]:
    """Controls, zero widths, marks of direction, halves of pairs; but not the joiners that some scripts need."""
    for place, one in enumerate(text):
        if unicodedata.category(one)[0] != "C" or one in LINE_ENDS:
            continue
        joins = one in "\u200c\u200d" and place > 0 and _script(text[place - 1]) not in LOOK_ALIKE
        if not joins:
            yield f"U+{ord(one):04X} after {place:,} characters"


def _scripts(text: str, tongue: str, language: str, thresholds: Thresholds) -> Iterator[Finding]:
    letters = [one for one in text if one.isalpha()]
    foreign = _foreign(letters, tongue)
    if sum(one in foreign for one in letters) > thresholds.transcript_foreign_share * len(letters):
        places = (word for word in words(text) if foreign.intersection(word))
        yield from _at("transcript_wrong_script", places, language=language)
    yield from _at("transcript_mixed_scripts", filter(_is_mixed, words(text)))


def _garbled(text: str) -> Iterable[str]:
    """The places; where the garbled letters are of another alphabet the whole text is one."""
    return GARBLED.findall(text) or ([text] if _is_garbled(text) else [])


def _is_garbled(text: str) -> bool:
    """Whether the bytes of the text, as Windows wrote them, are UTF-8; by chance they hardly ever are."""
    if text.isascii():
        return False
    try:
        b"".join(map(_windows, text)).decode()
    except UnicodeError:
        return False
    return True


def _windows(one: str) -> bytes:
    """The byte of a character in Windows-1252, whose five gaps many programs fill with control characters."""
    return one.encode("latin-1" if "\x80" <= one <= "\x9f" else "cp1252")


def _foreign(letters: Iterable[str], tongue: str) -> set[str]:
    """Letters that this language does not use. Latin ones stand in all languages as names, if others do too."""
    own = {script for script, languages in SCRIPTS.items() if tongue in languages}
    scripts = {one: _script(one) for one in letters}
    if own.intersection(scripts.values()):
        own |= {"LATIN"}
    return {one for one, script in scripts.items() if own and script not in own | NO_SCRIPT}


def _script(one: str) -> str:
    """The script of a letter, as its Unicode name begins: LATIN, CYRILLIC, CJK …"""
    return re.split("[ -]", unicodedata.name(one, ""))[0]


def _is_mixed(word: str) -> bool:
    return len({_script(one) for one in word if one.isalpha()} & LOOK_ALIKE) > 1


def _slips(text: str, whole: str, tongue: str) -> Iterator[Finding]:
    twice = (one for one in REPEATED.findall(text) if one.lower() not in MAY_REPEAT)
    yield from _at("transcript_repeated_word", twice)
    if tongue not in WITHOUT_FULL_STOP and whole.rstrip().rstrip(CLOSERS)[-1:] not in ENDS:
        yield finding("transcript_no_end")


def _at(code: str, places: Iterable[str], quoted: bool = True, **values: object) -> Iterator[Finding]:
    """A finding that names the first places, each once; none without a place."""
    different = list(dict.fromkeys(places))
    if different:
        shown = [_quoted(one) if quoted else one for one in different[:SHOWN]]
        more = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
        yield finding(code, None, places=", ".join(shown) + more, **values)


def _quoted(place: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in place)
    cut = plain[:SHOWN_CHARACTERS] + "…" if len(plain) > SHOWN_CHARACTERS else plain
    return f"“{cut.strip()}”"
