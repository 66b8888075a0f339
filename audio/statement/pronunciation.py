"""Finds how a word is pronounced: from staff's sounds-like text, the dictionary, the parts of the word, or by a guess.

The pronunciation of a name that is in no dictionary is guessed letter by letter, from dictionary words with the same
letters around that letter. This needs no table and no training, takes some milliseconds, and is right for about half of
all words.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from audio.statement.decoder import BACKGROUND_WORD_COUNT, find_pronunciations, list_common_words, load_lexicon
from audio.statement.tokens import Token, tokenize

LETTER_PHONES = {
    "a": "AE AA EY AH AO EH", "b": "B", "c": "K S CH SH", "d": "D JH T", "e": "EH IY AH IH EY ER", "f": "F V",
    "g": "G JH F ZH", "h": "HH", "i": "IH AY IY AH Y", "j": "JH Y HH", "k": "K", "l": "L AH_L", "m": "M AH_M",
    "n": "N NG", "o": "AA OW AO AH UW UH AW OY W_AH", "p": "P F", "q": "K", "r": "R ER", "s": "S Z SH ZH",
    "t": "T CH SH TH DH", "u": "AH UW Y_UW UH IH W ER Y_AH", "v": "V F", "w": "W V", "x": "K_S G_Z Z",
    "y": "IY AY IH Y", "z": "Z S T_S ZH", "'": "",
}  # fmt: skip
"""The phones that a letter may stand for in English; several phones for one letter are joined by "_"."""

LETTER_NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip

SILENT_COST, UNUSUAL_COST = 1.0, 3.0
"""Alignment costs of a silent letter, and of phones that the table does not list for the letter."""
CONTEXTS = ((4, 4), (3, 4), (3, 3), (2, 3), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0))
"""How many letters before and after a letter must also be in a dictionary word, the longest context first. The words
that are found are the letter's neighbors."""
MAX_NEIGHBORS = 25
MIN_PART_LETTERS = 3

UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """The pronunciations of a word. `is_certain` is False if they are guessed from the spelling, or if it has none."""

    variants: tuple[str, ...]
    is_certain: bool


def get_pronunciation(token: Token, sounds_by_word: Mapping[str, str]) -> Pronunciation:
    """Return how a word is pronounced. `sounds_by_word` is the result of `map_words_to_sounds`."""
    sounds_like = sounds_by_word.get(token.text.casefold(), "")
    key = token.key
    if sounds_like and (variants := _pronounce_phrase(sounds_like)):
        return Pronunciation(variants, True)
    if not key:
        return Pronunciation((), False)
    if "_" in key:
        return Pronunciation(
            (" ".join(LETTER_NAMES[letter] for letter in key.split("_")), *find_pronunciations(key.replace("_", ""))),
            True,
        )
    if key.isdigit():
        return Pronunciation(tuple(dict.fromkeys(_join_phones(words) for words in _read_number(key))), True)
    return (
        Pronunciation(variants, True)
        if (variants := find_pronunciations(key) or _pronounce_parts(key))
        else Pronunciation(_guess_pronunciation(key), False)
    )


def map_words_to_sounds(sounds_like: Mapping[str, str]) -> dict[str, str]:
    """Return one sounds-like text for each lower-case word, from those that staff entered for words or whole names.

    A name of several words is ignored unless its sounds-like text has equally many words.
    """
    sounds_by_word: dict[str, str] = {}
    for written, sound in sounds_like.items():
        words, sounds = written.casefold().split(), sound.split()
        if len(words) == 1:
            sounds_by_word[words[0]] = sound
        elif len(words) == len(sounds):
            sounds_by_word |= dict(zip(words, sounds, strict=True))
    return sounds_by_word


def _pronounce_phrase(text: str) -> tuple[str, ...]:
    """Return one pronunciation of a text of several words. It is guessed for words that are in no dictionary."""
    parts = [get_pronunciation(token, {}).variants for token in tokenize(text)]
    return (" ".join(variants[0] for variants in parts),) if parts and all(parts) else ()


def _join_phones(words: list[str]) -> str:
    return " ".join(find_pronunciations(word)[0] for word in words)


def _read_number(digits: str) -> Iterator[list[str]]:
    """Yield the words of a number read as a count, as a year, and digit by digit."""
    number = int(digits[:MAX_DIGITS])
    if number < 1_000_000 and len(digits) <= MAX_DIGITS:
        yield _spell_number(number)
    if len(digits) == 4 and digits[0] in "12":
        hundreds, rest = divmod(number, 100)
        yield _spell_number(hundreds) + (
            _spell_number(rest) if rest > 9 else ["hundred"] if not rest else ["oh", UNITS[rest]]
        )
        yield _spell_number(number - rest) + (["and", *_spell_number(rest)] if rest else [])
    yield [UNITS[int(digit)] for digit in digits[:MAX_DIGITS]]


def _spell_number(number: int) -> list[str]:
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            many, rest = divmod(number, size)
            return [*_spell_number(many), name, *(_spell_number(rest) if rest else [])]
    if number < 20:
        return [UNITS[number]]
    tens, rest = divmod(number, 10)
    return [TENS[tens - 2], *([UNITS[rest]] if rest else [])]


def _pronounce_parts(key: str) -> tuple[str, ...]:
    """Return the pronunciations from the parts of a word: northlight is north and light, acme's is acme and s."""
    if key.endswith("'s"):
        owner = key.removesuffix("'s")
        return tuple(
            f"{phones} {_get_plural_phones(phones)}" for phones in find_pronunciations(owner) or _pronounce_parts(owner)
        )
    return tuple(
        f"{find_pronunciations(first)[0]} {find_pronunciations(second)[0]}"
        for first, second in find_compound_parts(key)
    )


def find_compound_parts(key: str) -> list[tuple[str, str]]:
    """Split a compound into two common words. Return the most common pair, or [] if no pair fits."""
    ranks = _rank_common_words()
    splits = [(key[:position], key[position:]) for position in range(MIN_PART_LETTERS, len(key) - MIN_PART_LETTERS + 1)]
    known = [split for split in splits if all(part in ranks for part in split)]
    return sorted(known, key=lambda split: max(ranks[part] for part in split))[:1]


def _get_plural_phones(phones: str) -> str:
    last = phones.split()[-1]
    return "AH Z" if last in ("S", "Z", "SH", "ZH", "CH", "JH") else "S" if last in ("P", "T", "K", "F", "TH") else "Z"


@cache
def _rank_common_words() -> dict[str, int]:
    return {word: rank for rank, word in enumerate(list_common_words())}


def _guess_pronunciation(key: str) -> tuple[str, ...]:
    """Guess the phones of each letter from words with the same letters around it; () if `key` has no letters."""
    letters = f"\n{re.sub('[^a-z]', '', key)}\n"
    phones = [_choose_phones(letters, position) for position in range(1, len(letters) - 1)]
    pronunciation = " ".join(phone.replace("_", " ") for phone in phones if phone)
    return (pronunciation,) if pronunciation else ()


def _choose_phones(letters: str, position: int) -> str:
    """Return the phones that the letter at `position` has in most of its neighbors; "" if it is silent."""
    for before, after in CONTEXTS:
        start = max(0, position - before)
        votes = Counter(_list_neighbor_phones(letters[start : position + after + 1], position - start))
        if votes:
            return votes.most_common(1)[0][0]
    return LETTER_PHONES[letters[position]].split(" ")[0]


def _list_neighbor_phones(letters: str, position: int) -> Iterator[str]:
    """Yield the phones that the letter at `position` of `letters` has in each dictionary word with these letters."""
    lexicon_text, found = _join_lexicon_words(), -1
    for _ in range(MAX_NEIGHBORS):
        found = lexicon_text.find(letters, found + 1)
        if found < 0:
            return
        start = lexicon_text.rfind("\n", 0, found + position) + 1
        word = lexicon_text[start : lexicon_text.index("\n", found + position)]
        if aligned := _align_phones(word):
            yield aligned[found + position - start]


@cache
def _join_lexicon_words() -> str:
    """Return one text of all dictionary words that consist of letters only, each word between newlines."""
    return "\n" + "\n".join(word for word in load_lexicon() if re.fullmatch("[a-z]+", word)) + "\n"


def _align_phones(word: str) -> list[str]:
    """Assign a dictionary word's phones to its letters, zero to two for each letter; [] if it has too many phones."""
    phones = find_pronunciations(word)[0].split()
    best: dict[int, tuple[float, list[str]]] = {0: (0.0, [])}
    for letter in word:
        reached: dict[int, tuple[float, list[str]]] = {}
        for used, (cost, assigned) in best.items():
            for count in range(min(3, len(phones) - used + 1)):
                letter_phones = "_".join(phones[used : used + count])
                total = cost + _compute_cost(letter, letter_phones)
                if used + count not in reached or total < reached[used + count][0]:
                    reached[used + count] = (total, [*assigned, letter_phones])
        best = reached
    return best[len(phones)][1] if len(phones) in best else []


def _compute_cost(letter: str, phones: str) -> float:
    if not phones:
        return SILENT_COST
    return 0.0 if phones in LETTER_PHONES[letter].split() else UNUSUAL_COST * (phones.count("_") + 1)


MAX_CONFUSABLE_WORDS = 200
"""For each kind of words in `find_confusable_words`. A smaller number would leave out words that differ from the name
as much, but in another part."""
MIN_DISTANCE = 2
"""In phones. A person could hardly distinguish words that differ by less."""
MAX_LENGTH_DIFFERENCE = 2


def find_confusable_words(key: str, phones: str) -> dict[str, str]:
    """Return the words most similar to a name with these phones, and their phones.

    They are dictionary words that begin or end with half of its phones. For a name made of two words, they are also the
    compounds in which another common word replaces one of the two: northland and southlight for northlight.
    """
    wanted = phones.split()
    found = _find_nearest(wanted, _find_similar_words(wanted))
    for first, second in find_compound_parts(key):
        others = [(word, find_pronunciations(word)[0]) for word in list_common_words()[:BACKGROUND_WORD_COUNT]]
        found |= _find_nearest(
            wanted,
            ((f"{first}_{word}", f"{find_pronunciations(first)[0]} {other_phones}") for word, other_phones in others),
        )
        found |= _find_nearest(
            wanted,
            ((f"{word}_{second}", f"{other_phones} {find_pronunciations(second)[0]}") for word, other_phones in others),
        )
    return found


def _find_nearest(wanted: Sequence[str], words: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the most similar words and their phones. Equally similar words keep their order."""
    ranked = [(_compute_distance(wanted, phones.split()), word, phones) for word, phones in words]
    near = sorted((one for one in ranked if one[0] >= MIN_DISTANCE), key=lambda one: one[0])
    return {word: phones for _, word, phones in near[:MAX_CONFUSABLE_WORDS]}


def _find_similar_words(wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    half = (len(wanted) + 1) // 2
    begin, end = " ".join(wanted[:half]) + " ", " " + " ".join(wanted[-half:])
    for word, phones in load_lexicon().items():
        is_similar = phones.startswith(begin) or phones.endswith(end)
        if is_similar and abs(phones.count(" ") + 1 - len(wanted)) <= MAX_LENGTH_DIFFERENCE and "(" not in word:
            yield word, phones


def _compute_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the fewest insertions, deletions and changes of phones (Levenshtein)."""
    costs = list(range(len(other) + 1))
    for row, phone in enumerate(one, 1):
        diagonal, costs[0] = costs[0], row
        for column, other_phone in enumerate(other, 1):
            change = diagonal + (phone != other_phone)
            diagonal = costs[column]
            costs[column] = min(change, diagonal + 1, costs[column - 1] + 1)
    return costs[-1]
