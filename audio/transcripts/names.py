"""Finds the recording that a name in a table means: with or without folder and extension, in any case and form."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable

AUDIO_SUFFIX_PATTERN = re.compile(
    r"\.(wav|wave|bwf|rf64|w64|flac|aiff?|aifc|caf|og[ga]|opus|mp3|m4a|m4b|mp4|aac|wma|webm)$", re.IGNORECASE
)
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl")
CLIP_TEXT_SUFFIX = ".txt"
"""A text file with the name of a recording is its transcript, not a table."""
NUMBER_PATTERN = re.compile(r"\d+")


def get_file_name(path: str) -> str:
    """The last part of a path with slashes or backslashes."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def get_stem(path: str) -> str:
    """The file name without its extension, if that is one of audio files: LJ001.2 keeps its 2."""
    return AUDIO_SUFFIX_PATTERN.sub("", get_file_name(path))


def fold_name(name: str) -> str:
    """The same for names that some system takes for the same: in another case or Unicode form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def drop_zeros(name: str) -> str:
    """The same for 0007 and 7, which a spreadsheet makes of it."""
    return NUMBER_PATTERN.sub(lambda match: match[0].lstrip("0") or "0", fold_name(get_stem(name)))


# The ways to read a name, from the narrowest on. The first one that finds something decides.
KEYS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    get_file_name,
    lambda name: fold_name(get_file_name(name)),
    get_stem,
    lambda name: fold_name(get_stem(name)),
)


class NameIndex:
    """Looks up names or paths of recordings by the names in a table."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(dict.fromkeys(names))
        self._indexes = [_group(self._names, key) for key in KEYS]
        self._without_zeros: dict[str, list[str]] | None = None

    def find(self, name: str) -> list[str]:
        """The names that this one means. Several if it cannot be said which. None for an empty name."""
        if not name:
            return []
        for key, index in zip(KEYS, self._indexes, strict=True):
            if found := index.get(key(name)):
                return found
        return []

    def is_known(self, name: str) -> bool:
        return bool(self.find(name))

    def propose(self, name: str) -> str:
        """The one name that this one means if it lost its leading zeros; empty if there is none."""
        if self._without_zeros is None:
            self._without_zeros = _group(self._names, drop_zeros)
        found = self._without_zeros.get(drop_zeros(name), [])
        return found[0] if len(found) == 1 else ""


def _group(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return dict(groups)
