"""Finds the code page of file names in an old archive, which does not say it: Explorer writes that of the system.

The page with which most names occur in a table of transcripts is right. Without a table, the one that gives plausible
words: letters of one script, in usual case, and no drawing characters. Otherwise a page of the language.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import islice

PAGES = {
    "cp437": "code page 437 (DOS)",
    "cp850": "code page 850 (Western Europe, DOS)",
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp866": "code page 866 (Cyrillic, DOS)",
    "cp932": "code page 932 (Japanese)",
    "cp949": "code page 949 (Korean)",
    "gbk": "code page 936 (Simplified Chinese)",
    "big5": "code page 950 (Traditional Chinese)",
    "mac_roman": "Mac OS Roman",
}
"""The candidates for all languages, with their names for people. Code page 949 contains EUC-KR."""
OTHER_PAGES = {
    "cp852": "code page 852 (Central Europe, DOS)",
    "cp737": "code page 737 (Greek, DOS)",
    "cp1253": "Windows-1253 (Greek)",
    "cp857": "code page 857 (Turkish, DOS)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp862": "code page 862 (Hebrew, DOS)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp720": "code page 720 (Arabic, DOS)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp775": "code page 775 (Baltic, DOS)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp874": "code page 874 (Thai)",
    "cp1258": "Windows-1258 (Vietnamese)",
}
"""Candidates only for their own languages, because they resemble others."""
LANGUAGE_PAGES = {
    "en": ("cp437", "cp1252"),
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"), ("cp852", "cp1250")),
    **dict.fromkeys(("be", "bg", "kk", "mk", "ru", "sr", "uk"), ("cp866", "cp1251")),
    **dict.fromkeys(("et", "lt", "lv"), ("cp775", "cp1257")),
    **dict.fromkeys(("ar", "fa", "ur"), ("cp720", "cp1256")),
    **dict.fromkeys(("he", "iw"), ("cp862", "cp1255")),
    **dict.fromkeys(("az", "tr"), ("cp857", "cp1254")),
    "el": ("cp737", "cp1253"),
    "ja": ("cp932",),
    "ko": ("cp949",),
    "th": ("cp874",),
    "vi": ("cp1258",),
    "zh": ("gbk", "big5"),
    "zh-hk": ("big5", "gbk"),
    "zh-tw": ("big5", "gbk"),
}
"""The pages of Windows for console and desktop, by language. Explorer uses the first one."""
WESTERN_PAGES = ("cp850", "cp1252")
COMMON_CHARACTERS = {
    "cp932": (0x88, 0x97, 0x40),
    "cp949": (0xB0, 0xC8, 0xA1),
    "gbk": (0xB0, 0xD7, 0xA1),
    "big5": (0xA4, 0xC6, 0x40),
}
"""The first and last first byte, and the lowest second byte, of the characters that most texts consist of."""
EAST_ASIAN_SCRIPTS = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"}
GREEK_PAGES = ("cp737", "cp1253")
USUAL_MARKS = "–—…’‘“”„«»·・、。「」『』（）№°"
WORD_PATTERN = re.compile(r"[^\W\d_]+|[^\w\s]")
MAX_NAMES = 500
TOLERANCE = 0.15
"""Pages this close to the most plausible one are as plausible; the language decides."""
RARE, LONE_LETTER, MAX_ACCENTED = 0.3, 0.5, 0.75


def choose_code_page(names: Sequence[bytes], is_in_table: Callable[[str], bool], language: str = "") -> str:
    """The code page of these names, which all occur in it. `language` is a BCP 47 tag, or ""."""
    favorites = LANGUAGE_PAGES.get(language.lower()) or LANGUAGE_PAGES.get(language.lower()[:2], WESTERN_PAGES)
    decoded = {page: texts for page in dict.fromkeys([*favorites, *PAGES]) if (texts := _decode(names, page))}
    counts = {page: sum(map(is_in_table, texts[:MAX_NAMES])) for page, texts in decoded.items()}
    if most := max(counts.values()):
        decoded = {page: texts for page, texts in decoded.items() if counts[page] == most}
    ratings = {page: rate_names(texts, page) for page, texts in decoded.items()}
    best = max(ratings.values())
    return next(page for page, rating in ratings.items() if rating >= best - TOLERANCE)


def describe_code_page(page: str) -> str:
    return (PAGES | OTHER_PAGES)[page]


def can_decode(names: Sequence[bytes], page: str) -> bool:
    """Whether this is a code page of `PAGES` or `OTHER_PAGES` that has all characters of these names."""
    return page in PAGES | OTHER_PAGES and bool(_decode(names, page))


def _decode(names: Sequence[bytes], page: str) -> list[str]:
    """The names in this code page; none if it lacks a character. Code page 437 has all."""
    try:
        return [name.decode(page) for name in names]
    except UnicodeDecodeError:
        return []


def rate_names(names: Sequence[str], page: str) -> float:
    """How plausible the letters of these names are that are not ASCII: from 0 to 1."""
    rating, count = 0.0, 0
    parts = dict.fromkeys(part for name in names for part in name.split("/") if not part.isascii())
    text = unicodedata.normalize("NFC", "/".join(islice(parts, MAX_NAMES)))
    for word in WORD_PATTERN.findall(text):
        odd = [character for character in word if not character.isascii()]
        count += len(odd)
        rating += _rate_word(word, odd, page)
    return rating / count if count else 1.0


def _rate_word(word: str, odd: list[str], page: str) -> float:
    """The rating of a word is the sum over its letters that are not ASCII."""
    if not odd or not word.isalpha():
        return float(word in USUAL_MARKS and bool(odd))
    scripts = {unicodedata.name(character, "?").split()[0] for character in word}
    if scripts <= EAST_ASIAN_SCRIPTS | {"LATIN"} and scripts & EAST_ASIAN_SCRIPTS:
        return _rate_east_asian_word(word, odd, scripts, page)
    if len(scripts) > 1 or scripts & {"HALFWIDTH", "?"} or ("GREEK" in scripts and page not in GREEK_PAGES):
        return 0.0
    if "LATIN" in scripts and not _is_latin_word(word, len(odd)):
        return 0.0
    if not word.islower() and not word.isupper() and not word[1:].islower() and word.lower() != word.upper():
        return 0.0
    return float(len(odd)) if len(word) > 1 else LONE_LETTER


def _is_latin_word(word: str, odd_count: int) -> bool:
    """Whether it has ASCII letters too, as nearly all words of European languages."""
    return len(word) == 1 or odd_count < len(word) and (len(word) < 4 or odd_count <= MAX_ACCENTED * len(word))


def _rate_east_asian_word(word: str, odd: list[str], scripts: set[str], page: str) -> float:
    if len(odd) == 1 < len(word):
        return 0.0  # one such letter among Latin ones
    if "HANGUL" in scripts and len(scripts) > 1 or "LATIN" in scripts:
        return RARE * len(odd)
    first, last, second = COMMON_CHARACTERS.get(page, (0, 0, 0))
    rating = 0.0
    for character in odd:
        raw = character.encode(page, "replace")
        is_common = len(raw) == 2 and first <= raw[0] <= last and raw[1] >= second
        rating += 1.0 if is_common or unicodedata.name(character, "").startswith(("HIRAGANA", "KATAKANA")) else RARE
    return rating
