"""How a word is said: from the dictionary, from what staff say that it sounds like, from its parts, or guessed.

A name that no dictionary has is guessed letter by letter from the words that have the same letters around it. That
needs no table of ours and no training, takes some milliseconds, and is right for about half of all words.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from audio.statement.decoder import BACKGROUND_WORDS, common_words, lexicon, lookup
from audio.statement.tokens import Token, tokens

PHONES = {
    "a": "AE AA EY AH AO EH", "b": "B", "c": "K S CH SH", "d": "D JH T", "e": "EH IY AH IH EY ER", "f": "F V",
    "g": "G JH F ZH", "h": "HH", "i": "IH AY IY AH Y", "j": "JH Y HH", "k": "K", "l": "L AH_L", "m": "M AH_M",
    "n": "N NG", "o": "AA OW AO AH UW UH AW OY W_AH", "p": "P F", "q": "K", "r": "R ER", "s": "S Z SH ZH",
    "t": "T CH SH TH DH", "u": "AH UW Y_UW UH IH W ER Y_AH", "v": "V F", "w": "W V", "x": "K_S G_Z Z",
    "y": "IY AY IH Y", "z": "Z S T_S ZH", "'": "",
}  # fmt: skip
"""The phones that a letter may stand for in English; phones that are said for one letter are joined by "_"."""

LETTERS = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip

COST_SILENT, COST_STRANGE = 1.0, 3.0
"""Of a letter that is not said, and of one that is said as the table does not have it."""
CONTEXTS = ((4, 4), (3, 4), (3, 3), (2, 3), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0))
"""Letters before and after that a neighbour must share, the most telling first."""
NEIGHBOURS = 25
LEAST_PART = 3

UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Saying:
    """The ways in which a word may be said; `sure` is False for a guess by spelling, and for no way at all."""

    ways: tuple[str, ...]
    sure: bool


def saying(token: Token, sounds_like: Mapping[str, str]) -> Saying:
    """How this word is said; `sounds_like` gives, for words in small letters, ordinary words that sound the same."""
    told = sounds_like.get(token.shown.casefold(), "")
    key = token.key
    if told and (ways := _phrase(told)):
        return Saying(ways, True)
    if not key:
        return Saying((), False)
    if "_" in key:
        return Saying((" ".join(LETTERS[letter] for letter in key.split("_")), *lookup(key.replace("_", ""))), True)
    if key.isdigit():
        return Saying(tuple(dict.fromkeys(_in_phones(words) for words in _numbers(key))), True)
    return Saying(ways, True) if (ways := lookup(key) or _of_parts(key)) else Saying(_guessed(key), False)


def word_by_word(sounds_like: Mapping[str, str]) -> dict[str, str]:
    """What staff said of words or of whole names, for each word in small letters.

    A name of several words and what it sounds like must have equally many, and are left out otherwise.
    """
    told: dict[str, str] = {}
    for written, heard in sounds_like.items():
        words, sounds = written.casefold().split(), heard.split()
        if len(words) == 1:
            told[words[0]] = heard
        elif len(words) == len(sounds):
            told |= dict(zip(words, sounds, strict=True))
    return told


def _phrase(text: str) -> tuple[str, ...]:
    """One way to say several words, guessing those that are in no dictionary."""
    parts = [saying(token, {}).ways for token in tokens(text)]
    return (" ".join(ways[0] for ways in parts),) if parts and all(parts) else ()


def _in_phones(words: list[str]) -> str:
    return " ".join(lookup(word)[0] for word in words)


def _numbers(digits: str) -> Iterator[list[str]]:
    """The ways to read a number: as a count, as a year, digit by digit."""
    number = int(digits[:LONGEST_NUMBER])
    if number < 1_000_000 and len(digits) <= LONGEST_NUMBER:
        yield _count(number)
    if len(digits) == 4 and digits[0] in "12":
        hundreds, rest = divmod(number, 100)
        yield _count(hundreds) + (_count(rest) if rest > 9 else ["hundred"] if not rest else ["oh", UNITS[rest]])
        yield _count(number - rest) + (["and", *_count(rest)] if rest else [])
    yield [UNITS[int(digit)] for digit in digits[:LONGEST_NUMBER]]


def _count(number: int) -> list[str]:
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            many, rest = divmod(number, size)
            return [*_count(many), name, *(_count(rest) if rest else [])]
    if number < 20:
        return [UNITS[number]]
    tens, rest = divmod(number, 10)
    return [TENS[tens - 2], *([UNITS[rest]] if rest else [])]


def _of_parts(key: str) -> tuple[str, ...]:
    """northlight as north and light, acme's as acme and s."""
    if key.endswith("'s"):
        owner = key.removesuffix("'s")
        return tuple(f"{way} {_plural(way)}" for way in lookup(owner) or _of_parts(owner))
    return tuple(f"{lookup(first)[0]} {lookup(second)[0]}" for first, second in parts(key))


def parts(key: str) -> list[tuple[str, str]]:
    """The two common words that a word is made of, the commonest if there are several such pairs; [] if none."""
    ranks = _ranks()
    splits = [(key[:place], key[place:]) for place in range(LEAST_PART, len(key) - LEAST_PART + 1)]
    known = [split for split in splits if all(part in ranks for part in split)]
    return sorted(known, key=lambda split: max(ranks[part] for part in split))[:1]


def _plural(phones: str) -> str:
    last = phones.split()[-1]
    return "AH Z" if last in ("S", "Z", "SH", "ZH", "CH", "JH") else "S" if last in ("P", "T", "K", "F", "TH") else "Z"


@cache
def _ranks() -> dict[str, int]:
    return {word: rank for rank, word in enumerate(common_words())}


def _guessed(key: str) -> tuple[str, ...]:
    """As the words say it that have the same letters around each letter; () if it holds no letters."""
    letters = f"\n{re.sub('[^a-z]', '', key)}\n"
    phones = [_voted(letters, place) for place in range(1, len(letters) - 1)]
    said = " ".join(phone.replace("_", " ") for phone in phones if phone)
    return (said,) if said else ()


def _voted(letters: str, place: int) -> str:
    """What most neighbours say for the letter at `place`; "" for nothing."""
    for before, after in CONTEXTS:
        start = max(0, place - before)
        votes = Counter(_neighbours(letters[start : place + after + 1], place - start))
        if votes:
            return votes.most_common(1)[0][0]
    return PHONES[letters[place]].split(" ")[0]


def _neighbours(letters: str, place: int) -> Iterator[str]:
    """What dictionary words that hold `letters` say for the letter at `place` in them."""
    heads, found = _heads(), -1
    for _ in range(NEIGHBOURS):
        found = heads.find(letters, found + 1)
        if found < 0:
            return
        start = heads.rfind("\n", 0, found + place) + 1
        word = heads[start : heads.index("\n", found + place)]
        if aligned := _aligned(word):
            yield aligned[found + place - start]


@cache
def _heads() -> str:
    """The words of the dictionary that are letters only, each between line ends."""
    return "\n" + "\n".join(word for word in lexicon() if re.fullmatch("[a-z]+", word)) + "\n"


def _aligned(word: str) -> list[str]:
    """The phones of a dictionary word given to its letters, none, one or two for each; [] if there are too many."""
    phones = lookup(word)[0].split()
    best: dict[int, tuple[float, list[str]]] = {0: (0.0, [])}
    for letter in word:
        reached: dict[int, tuple[float, list[str]]] = {}
        for done, (cost, given) in best.items():
            for count in range(min(3, len(phones) - done + 1)):
                said = "_".join(phones[done : done + count])
                total = cost + _cost(letter, said)
                if done + count not in reached or total < reached[done + count][0]:
                    reached[done + count] = (total, [*given, said])
        best = reached
    return best[len(phones)][1] if len(phones) in best else []


def _cost(letter: str, said: str) -> float:
    if not said:
        return COST_SILENT
    return 0.0 if said in PHONES[letter].split() else COST_STRANGE * (said.count("_") + 1)


MOST = 200
"""Of each kind. Fewer would leave out words at the same distance that lie in another direction."""
NEAREST = 2
"""Phones that differ. Of words nearer than this a person could hardly say which was read."""
LONGER = 2


def rivals(key: str, way: str) -> dict[str, str]:
    """The words nearest to a name that is said this way, with how they are said.

    They are words of the dictionary that begin or end with half of its phones and, for a name made of two words, what
    comes out if another common word takes the place of one: northland and southlight for northlight.
    """
    wanted = way.split()
    found = _nearest(wanted, _in_dictionary(wanted))
    for first, second in parts(key):
        others = [(word, lookup(word)[0]) for word in common_words()[:BACKGROUND_WORDS]]
        found |= _nearest(wanted, ((f"{first}_{word}", f"{lookup(first)[0]} {said}") for word, said in others))
        found |= _nearest(wanted, ((f"{word}_{second}", f"{said} {lookup(second)[0]}") for word, said in others))
    return found


def _nearest(wanted: Sequence[str], words: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of equally near words those that come first."""
    ranked = [(_distance(wanted, phones.split()), word, phones) for word, phones in words]
    near = sorted((one for one in ranked if one[0] >= NEAREST), key=lambda one: one[0])
    return {word: phones for _, word, phones in near[:MOST]}


def _in_dictionary(wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    half = (len(wanted) + 1) // 2
    begin, end = " ".join(wanted[:half]) + " ", " " + " ".join(wanted[-half:])
    for word, phones in lexicon().items():
        is_like = phones.startswith(begin) or phones.endswith(end)
        if is_like and abs(phones.count(" ") + 1 - len(wanted)) <= LONGER and "(" not in word:
            yield word, phones


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Fewest phones to put in, to leave out or to change (Levenshtein)."""
    costs = list(range(len(other) + 1))
    for row, phone in enumerate(one, 1):
        diagonal, costs[0] = costs[0], row
        for column, said in enumerate(other, 1):
            change = diagonal + (phone != said)
            diagonal = costs[column]
            costs[column] = min(change, diagonal + 1, costs[column - 1] + 1)
    return costs[-1]
