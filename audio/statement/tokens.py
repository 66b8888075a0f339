"""The words of a statement as they are shown, and their keys for the decoder."""

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
DOMAIN_ENDING = re.compile(r"[^\W\d_]\.[a-z]{2}")
APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'"})
LATIN_EQUIVALENTS = str.maketrans({"æ": "ae", "ø": "o", "đ": "d", "ł": "l", "œ": "oe", "þ": "th", "ð": "d"})
MAX_ACRONYM_LETTERS = 5
MAX_WORD_LETTERS = 40
"""Anything longer is not a word and gets no key."""
MIN_KEY_WORD_LETTERS = 4


def split_words(words: str) -> frozenset[str]:
    """Return the set of words in a space-separated text."""
    return frozenset(words.split())


NEGATIONS = split_words(
    "not never no nor none nobody nothing cannot can't don't doesn't didn't won't wouldn't isn't aren't wasn't"
    " shouldn't couldn't haven't hasn't ain't refuse refused deny decline without neither unaware"
)
"""Words that negate a permission. A negation that the statement contains counts only at other positions."""

FUNCTION_WORDS = split_words(
    "about after also and any are because been before being between both but can could does each for from had has"
    " have having her here hereby his how i if in into is it its may me might must my of on or our ours shall she"
    " should so some such than that the their them then there these they this those through to under upon us was we"
    " were what when where which while who whom will with would you your yours"
)
"""English words of grammar, not content: a statement without one of them means the same."""


class Role(StrEnum):
    """The part of the statement that a word belongs to. The words said in place of a BLANK are not known or checked."""

    TEXT = "text"
    COMPANY = "company"
    TALENT = "talent"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `text` is the word as written, `key` the word for the decoder.

    `key` has only lower-case ASCII letters, digits, "'" and "_"; it is "" if nothing is left.
    """

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
    """Return the words of `text`. Wherever it contains one of the two names as written, the words have its role."""
    found = list(_split_tokens(text))
    for name, role in ((talent, Role.TALENT), (company, Role.COMPANY)):
        wanted = [token.text for token in _split_tokens(name)]
        for start in _find_positions([token.text for token in found], wanted):
            for position in range(start, start + len(wanted)):
                found[position] = replace(found[position], role=role)
    return tuple(found)


def find_key_words(statement: Sequence[Token]) -> frozenset[str]:
    """Return the keys that the meaning depends on: negations, and content words that occur once.

    A content word has at least four letters, is not in FUNCTION_WORDS and belongs to no name. A content word that
    occurs twice is not included, as its two occurrences cannot be distinguished.
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
    is_all_capitals = text.isupper()
    for match in TOKEN.finditer(text):
        word = match.group()
        if word.startswith("{"):
            yield Token(word, "", Role.BLANK)
        else:
            spelling = word.upper() if _is_domain_ending(text[: match.start()], word) else word
            yield Token(word.rstrip("."), _make_key(spelling, capitals_are_acronyms=not is_all_capitals))


def _is_domain_ending(before: str, word: str) -> bool:
    """Whether `word` is the end of a name such as Voice.ai. Such an end is read letter by letter."""
    return DOMAIN_ENDING.fullmatch(before[-2:] + word) is not None and word not in FUNCTION_WORDS


def _make_key(word: str, *, capitals_are_acronyms: bool) -> str:
    """Turn AI and A.I. into a_i, & into and, 1,000 into 1000; remove accents."""
    if word in "&+":
        return "and"
    plain = word.replace(".", "").replace(",", "")
    is_acronym = "." in word or (capitals_are_acronyms and plain.isupper() and 2 <= len(plain) <= MAX_ACRONYM_LETTERS)
    folded = unicodedata.normalize("NFKD", plain.casefold().translate(LATIN_EQUIVALENTS))
    key = re.sub(r"[^a-z0-9']", "", folded)
    if len(key) > MAX_WORD_LETTERS:
        return ""
    return "_".join(key) if is_acronym else key


def _find_positions(words: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    """Yield each index at which `wanted` starts in `words`; no index if `wanted` is empty."""
    if wanted:
        for start in range(len(words) - len(wanted) + 1):
            if list(words[start : start + len(wanted)]) == list(wanted):
                yield start
