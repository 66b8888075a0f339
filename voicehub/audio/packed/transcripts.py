"""metadata.csv: what is said in each recording, as lines of `name|text`, which is how voice datasets have it."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from voicehub.audio.packed.limits import ArchiveLimits, Entry, refuse

LIST = "metadata.csv"
TITLES = ({"name", "file", "filename", "file_name", "path", "id"}, {"text", "transcript", "transcription"})


def transcripts(entry: Entry, paths: Iterable[str], limits: ArchiveLimits) -> dict[str, str]:
    """The text of each recording that has a line, by its path; Refused for a line that is not exactly right.

    A line names a recording by its path, or by its name alone, with or without its ending.
    """
    known = _names(paths)
    said: dict[str, str] = {}
    for line, name, text in _lines(_content(entry, limits), limits):
        found = known.get(name, ())
        if not found and line == 1 and name.lower() in TITLES[0] and text.lower() in TITLES[1]:
            continue
        if len(found) != 1:
            refuse("metadata_ambiguous" if found else "metadata_unknown", line=line, name=name)
        (path,) = found
        if path in said:
            refuse("metadata_twice", line=line, name=name)
        said[path] = text
    return said


def _names(paths: Iterable[str]) -> dict[str, set[str]]:
    """All that a recording may be called, each with the recordings that it fits."""
    known: dict[str, set[str]] = {}
    for path in paths:
        name = PurePosixPath(path).name
        for one in {path, name, _without_ending(path), _without_ending(name)}:
            known.setdefault(one, set()).add(path)
    return {name: {name} if name in fits else fits for name, fits in known.items()}


def _without_ending(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _content(entry: Entry, limits: ArchiveLimits) -> str:
    if entry.size > limits.list_bytes:
        refuse("metadata_long", limit=limits.list_bytes >> 20)
    try:
        return b"".join(entry.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("metadata_not_utf8")


def _lines(content: str, limits: ArchiveLimits) -> Iterator[tuple[int, str, str]]:
    """Number, name and text of each line; empty lines are passed over."""
    for number, line in enumerate(content.split("\n"), start=1):
        plain = line.removesuffix("\r")
        if not plain.replace("\t", " ").isprintable():
            refuse("metadata_control", line=number)
        if not plain.strip():
            continue
        name, *texts = (part.strip() for part in plain.split("|"))
        if len(texts) != 1 or not name:
            refuse("metadata_columns", line=number)
        text = " ".join(texts[0].split())
        if not text:
            refuse("metadata_no_text", line=number)
        if len(text) > limits.text_characters:
            refuse("metadata_text_long", line=number, limit=limits.text_characters)
        yield number, name, text
