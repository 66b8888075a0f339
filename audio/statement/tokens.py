"""The words of a statement as they are shown, and the keys by which the decoder knows them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

TOKEN = re.compile(
    r"\{\w+\}"  # a blank, such as {company}: any words may be said there
    r"|(?:[^\W\d_]\.){2,}"  # A.I.
    r"|\d[\d,]*"
    r"|[^\W\d_]+(?:'[^\W\d_]+)*"
    r"|[&+]"
)
APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'"})
LATIN_EQUIVALENTS = str.maketrans({"æ": "ae", "ø": "o", "đ": "d", "ł": "l", "œ": "oe", "þ": "th", "ð": "d"})
MAX_ACRONYM_LETTERS = 5
MAX_WORD_LETTERS = 40
"""Letters; what is longer is no word, and gets no key."""
MIN_KEY_WORD_LETTERS = 4


def split_words(words: str) -> frozenset[str]:
    """A set of words that are written with spaces between."""
    return frozenset(words.split())


NEGATIONS = split_words(
    "not never no nor none nobody nothing cannot can't don't doesn't didn't won't wouldn't isn't aren't wasn't"
    " shouldn't couldn't haven't hasn't ain't refuse refused deny decline without neither unaware"
)
"""Words that turn a permission round. Those that a statement itself says count only where it does not say them."""

FUNCTION_WORDS = split_words(
    "about after also and any are because been before being between both but can could does each for from had has"
    " have having her here hereby his how i if in into is it its may me might must my of on or our ours shall she"
    " should so some such than that the their them then there these they this those through to under upon us was we"
    " were what when where which while who whom will with would you your yours"
)
"""English words that carry grammar, not content: a statement that lacks one of them still says the same."""


class Role(StrEnum):
    """Whose word it is. BLANK stands for words that are not known, and is never judged."""

    TEXT = "text"
    COMPANY = "company"
    TALENT = "talent"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `shown` as in the text; `key` in small ASCII letters, digits, "'" and "_" ("" if nothing is left)."""

    text: str
    key: str
    role: Role = Role.TEXT

    @property
    def is_name(self) -> bool:
        return self.role in (Role.COMPANY, Role.TALENT)

    @property
    def is_negation(self) -> bool:
        return self.key in NEGATIONS


def tokenize(text: str, *, company: str = "", talent: str = "") -> tuple[Token, ...]:
    """The words of `text`, those of the two names marked as such wherever they stand in it as written."""
    found = list(_split_tokens(text))
    for name, role in ((talent, Role.TALENT), (company, Role.COMPANY)):
        wanted = [token.text for token in _split_tokens(name)]
        for start in _find_positions([token.text for token in found], wanted):
            for place in range(start, start + len(wanted)):
                found[place] = replace(found[place], role=role)
    return tuple(found)


def find_key_words(statement: Sequence[Token]) -> frozenset[str]:
    """The keys without which the sense is lost: negations, and the words of content that are said only once.

    A word of content has at least four letters and is neither grammar nor a name; one that is said twice cannot be
    told from its twin, and the share of words heard speaks for it.
    """
    keys = [token.key for token in statement]
    return frozenset(
        token.key
        for token in statement
        if token.role is Role.TEXT and (token.is_negation or (_has_content(token.key) and keys.count(token.key) == 1))
    )


def _has_content(key: str) -> bool:
    return len(key) >= MIN_KEY_WORD_LETTERS and key not in FUNCTION_WORDS


def _split_tokens(text: str) -> Iterator[Token]:
    text = unicodedata.normalize("NFKC", text).translate(APOSTROPHES)
    shouted = text.isupper()
    for match in TOKEN.finditer(text):
        word = match.group()
        if word.startswith("{"):
            yield Token(word, "", Role.BLANK)
        else:
            yield Token(word.rstrip("."), _make_key(word, spelled=not shouted))


def _make_key(word: str, *, spelled: bool) -> str:
    """AI and A.I. become a_i, & and, 1,000 1000; accents go."""
    if word in "&+":
        return "and"
    plain = word.replace(".", "").replace(",", "")
    is_acronym = "." in word or (spelled and plain.isupper() and 2 <= len(plain) <= MAX_ACRONYM_LETTERS)
    folded = unicodedata.normalize("NFKD", plain.casefold().translate(LATIN_EQUIVALENTS))
    key = re.sub(r"[^a-z0-9']", "", folded)
    if len(key) > MAX_WORD_LETTERS:
        return ""
    return "_".join(key) if is_acronym else key


def _find_positions(words: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    """Where `wanted` stands in `words`; nowhere if it is empty."""
    if wanted:
        for start in range(len(words) - len(wanted) + 1):
            if list(words[start : start + len(wanted)]) == list(wanted):
                yield start
