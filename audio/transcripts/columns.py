"""Tells which columns of a table have the names, the texts and the normalized texts.

By titles where the first row has them, as in tables of Coqui, XTTS, Hugging Face and Common Voice. Otherwise, as in
those of LJSpeech, Piper and Azure, by what the columns contain: a column with one value in all rows is a speaker or a
language, not a transcript.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from audio.transcripts.names import AUDIO_SUFFIX_PATTERN

MIN_TEXT_SHARE = 0.5
"""A column has texts if its cells have on average at least this share of the words of the wordiest column."""
MIN_FILLED_SHARE = 0.5
"""A column of notes has a value in fewer rows than this share of those of the fullest column."""
MIN_SHARED_WORDS = 0.4
"""Two columns have the same texts, one of them normalized, if they share on average this part of their words."""
FEW_VALUES = 3
"""A column of single words is in doubt if each of its values stands in so many rows: it may name speakers."""
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "।")
MAX_SAMPLES = 3


class Role(StrEnum):
    NAME = "name"
    TEXT = "text"
    NORMALIZED = "normalized"
    IN_BUILDS = "in builds"
    OTHER = ""


TITLES = {
    Role.NAME: {
        "name", "file", "filename", "file name", "path", "file path", "filepath", "id", "recording", "audio",
        "audio file", "audio path", "audio filepath", "audio filename", "audio name", "wav", "wav file", "wav path",
        "wav filename", "clip", "utterance", "utterance id", "utt", "utt id", "uttid", "segment", "segment id", "sound",
    },
    Role.TEXT: {
        "text", "transcript", "transcription", "sentence", "raw text", "raw transcription", "raw transcript", "caption",
        "script", "line", "prompt", "words", "content", "original text", "orthography",
    },
    Role.NORMALIZED: {
        "normalized", "normalised", "normalized text", "normalised text", "text normalized", "text normalised",
        "normalized transcription", "normalised transcription", "normalized transcript", "normalised transcript",
        "normalized sentence", "clean text", "text clean",
    },
    Role.IN_BUILDS: {"in builds", "included", "use"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of the columns in a row. `normalized_at` is None if there is one text only.

    `in_builds_at` is None if the table does not say which recordings are used in builds. Only its title tells it.
    `has_titles`: the first row is no line. `is_certain` is False if a person should look at the choice.
    """

    name_at: int
    text_at: int
    normalized_at: int | None = None
    has_titles: bool = False
    is_certain: bool = True
    in_builds_at: int | None = None


@dataclass(slots=True)
class ColumnFacts:
    """What a column without a title contains."""

    place: int
    filled: int = 0
    values: set[str] = field(default_factory=set)
    words: int = 0
    numbers: int = 0
    paths: int = 0

    def add(self, cell: str) -> None:
        if not cell:
            return
        self.filled += 1
        self.values.add(cell)
        self.words += len(cell.split())
        self.numbers += _is_number(cell)
        self.paths += bool(AUDIO_SUFFIX_PATTERN.search(cell))

    @property
    def average_words(self) -> float:
        return self.words / self.filled if self.filled else 0.0

    @property
    def may_have_texts(self) -> bool:
        """Whether it is something else than numbers, paths, nothing, or one value in all rows."""
        return self.filled > 0 and not self.is_label and self.numbers < self.filled and self.paths < self.filled

    @property
    def is_label(self) -> bool:
        """Whether all rows have the same word, which is no sentence."""
        if self.filled < 2 or len(self.values) > 1:
            return False
        (value,) = self.values
        return len(value.split()) == 1 and not value.endswith(SENTENCE_ENDS)


def find_titled_columns(titles: Sequence[str]) -> Columns | None:
    """The columns by their titles. None if these are no titles of a name and of a text."""
    roles = [get_role(title) for title in titles]
    if Role.NAME not in roles or not {Role.TEXT, Role.NORMALIZED} & set(roles):
        return None
    text_role = Role.TEXT if Role.TEXT in roles else Role.NORMALIZED
    normalized_at = roles.index(Role.NORMALIZED) if {Role.TEXT, Role.NORMALIZED} <= set(roles) else None
    in_builds_at = roles.index(Role.IN_BUILDS) if Role.IN_BUILDS in roles else None
    return Columns(
        roles.index(Role.NAME), roles.index(text_role), normalized_at, has_titles=True, in_builds_at=in_builds_at
    )


def get_role(title: str) -> Role:
    words = " ".join(title.strip().strip("\ufeff").casefold().replace("_", " ").replace("-", " ").split())
    return next((role for role, titles in TITLES.items() if words in titles), Role.OTHER)


def guess_columns(rows: Sequence[Sequence[str]], is_known: Callable[[str], bool]) -> Columns | None:
    """The columns by their contents. None if no column has texts. `is_known`: a recording has this name."""
    if not rows:
        return None
    width = max(len(row) for row in rows)
    name_at = _find_name_column(rows, width, is_known)
    has_titles = _has_other_titles(rows, name_at, is_known)
    lines = rows[1:] if has_titles else rows
    candidates = [facts for facts in _collect_facts(lines, width) if facts.place != name_at and facts.may_have_texts]
    if not candidates:
        return None
    most = max(facts.filled for facts in candidates)
    candidates = [facts for facts in candidates if facts.filled >= most * MIN_FILLED_SHARE]
    wordiest = max(facts.average_words for facts in candidates)
    texts = [facts for facts in candidates if facts.average_words >= wordiest * MIN_TEXT_SHARE]
    if wordiest <= 1:  # single words: the column with more of them is no list of speakers
        texts = sorted(texts, key=lambda facts: -len(facts.values))[:1]
    first = texts[0]
    normalized = next((facts for facts in texts[1:] if _have_same_texts(lines, first.place, facts.place)), None)
    is_doubtful = wordiest <= 1 and len(candidates) > 1 or first.filled >= FEW_VALUES * len(first.values)
    others = [facts for facts in texts[1:] if facts is not normalized]
    return Columns(
        name_at,
        first.place,
        normalized.place if normalized else None,
        has_titles=has_titles,
        is_certain=not is_doubtful and not others,
    )


def _find_name_column(rows: Sequence[Sequence[str]], width: int, is_known: Callable[[str], bool]) -> int:
    """The column with the most names of recordings; of equals, the first one."""
    known = [sum(place < len(row) and is_known(row[place].strip()) for row in rows) for place in range(width)]
    return known.index(max(known))


def _has_other_titles(rows: Sequence[Sequence[str]], name_at: int, is_known: Callable[[str], bool]) -> bool:
    """Whether the first row has titles, but not those of both a name and a text."""
    first = rows[0]
    if len(rows) < 2 or any(is_known(cell.strip()) for cell in first):
        return False
    return name_at < len(first) and any(get_role(cell) for cell in first)


def _collect_facts(rows: Sequence[Sequence[str]], width: int) -> list[ColumnFacts]:
    columns = [ColumnFacts(place) for place in range(width)]
    for row in rows:
        for facts, cell in zip(columns, row, strict=False):
            facts.add(cell.strip())
    return columns


def _have_same_texts(rows: Sequence[Sequence[str]], one: int, other: int) -> bool:
    """Whether both columns have the same words in most rows: a text and its normalized form."""
    shares = []
    for row in rows:
        if len(row) > max(one, other) and row[one].strip() and row[other].strip():
            words, others = set(row[one].casefold().split()), set(row[other].casefold().split())
            shares.append(len(words & others) / max(1, min(len(words), len(others))))
    return bool(shares) and sum(shares) / len(shares) >= MIN_SHARED_WORDS


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
