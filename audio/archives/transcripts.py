"""Reads what the tables and texts of an archive say of its recordings. No table refuses the archive.

That is the transcripts, and whether a recording is used in builds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from audio.archives.limits import ArchiveLimits, Entry, MemberRefused, quote_name
from audio.archives.sorting import SortedFiles
from audio.findings.findings import FileRefused, Finding, make_finding
from audio.transcripts.cleaning import clean_text
from audio.transcripts.names import NameIndex, get_file_name
from audio.transcripts.rows import read_lines
from audio.transcripts.table import TableLine, TableMatch, match_lines, read_table

MAX_NAMED = 5
README_PATTERN = ("readme", "license", "licence", "copying", "changelog", "notes")


@dataclass(frozen=True, slots=True)
class LooseLine:
    """A line of a table that gives no recording its text. `code` is that of the finding that says why."""

    table: str
    number: int
    name: str
    code: str


class ArchiveTexts:
    """The transcripts and choices by recording, what was found wrong, and the text files that are no transcripts."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.by_path: dict[str, str] = {}
        self.in_builds: dict[str, bool] = {}
        self.findings: list[Finding] = []
        self.others: list[str] = []
        self.loose: list[LooseLine] = []
        self.has_source = False
        self._conflicts: dict[str, None] = {}

    def read(self, files: SortedFiles) -> None:
        index = NameIndex(files.recordings)
        for path, entry in files.tables.items():
            if path not in files.clip_texts:
                self._read_table(path, entry, index)
        for path, recording in files.clip_texts.items():
            self._read_clip_text(path, files.tables[path], recording)
        if self._conflicts:
            self.findings.append(make_finding("texts_differ", files=_name_some(self._conflicts)))

    def _read_table(self, path: str, entry: Entry, index: NameIndex) -> None:
        data = self._load(path, entry)
        if data is None:
            return
        try:
            table = read_table(data, index.is_known)
        except FileRefused as refused:
            if is_called_table(path):
                self._report_unread(path, refused.finding)
            else:
                self.others.append(path)
            return
        match = match_lines(table.lines, index)
        if not match.lines and not is_called_table(path):
            self.others.append(path)  # a text in which nothing is the name of a recording
            return
        self.has_source = True
        self.in_builds |= match.choices
        self.findings += _list_table_findings(path, match, table.cleaned, table.columns.is_certain)
        for code, lines in _list_reasons(match).items():
            self.loose += [LooseLine(path, line.number, line.name, code) for line in lines]
        long = [line for line in match.lines.values() if len(line.text) > self.limits.text_characters]
        if long:
            self._report_long_texts(path, _name_lines(long))
        for recording, line in match.lines.items():
            if line not in long:
                self._add(recording, line.text)

    def _read_clip_text(self, path: str, entry: Entry, recording: str) -> None:
        data = self._load(path, entry)
        if data is None:
            return
        try:
            text = clean_text("".join(read_lines(data)))
        except FileRefused as refused:
            self._report_unread(path, refused.finding)
            return
        self.has_source = True
        if len(text) > self.limits.text_characters:
            self._report_long_texts(path, "1")
        elif text:
            self._add(recording, text)

    def _add(self, recording: str, text: str) -> None:
        """Two different texts of one recording are both left out: only a person can tell which is right."""
        if recording in self._conflicts or self.by_path.setdefault(recording, text) == text:
            return
        self._conflicts[recording] = None
        del self.by_path[recording]

    def _load(self, path: str, entry: Entry) -> bytes | None:
        """The bytes of a text file; None if it is too large or damaged."""
        if entry.size > self.limits.list_bytes:
            self._report_unread(path, make_finding("table_too_big", limit=self.limits.list_bytes >> 20))
            return None
        try:
            return b"".join(entry.read())
        except MemberRefused as refused:
            self._report_unread(path, refused.make_finding(path))
            return None

    def _report_long_texts(self, path: str, lines: str) -> None:
        name, limit = quote_name(path), self.limits.text_characters
        self.findings.append(make_finding("table_texts_long", name=name, lines=lines, limit=limit))

    def _report_unread(self, path: str, reason: Finding) -> None:
        self.findings.append(make_finding("table_unread", name=quote_name(path), reason=reason.text))


def is_called_table(path: str) -> bool:
    """Whether the name says that it is a table. Others, such as a README, may be texts of any kind."""
    name = get_file_name(path).lower()
    is_plain_text = name.endswith(".txt") and not name.startswith(("metadata", "transcript", "text", "list", "line"))
    return not is_plain_text and not name.startswith(README_PATTERN)


def _list_table_findings(path: str, match: TableMatch, cleaned: int, is_certain: bool) -> Iterator[Finding]:
    name = quote_name(path)
    for code, lines in _list_reasons(match).items():
        if lines:
            yield make_finding(code, name=name, lines=_name_lines(lines))
    if match.proposals:
        number, recording = next(iter(match.proposals.items()))
        yield make_finding(
            "table_zeros_lost", name=name, count=len(match.proposals), line=number, file=quote_name(recording)
        )
    if cleaned:
        yield make_finding("table_cleaned", name=name, count=cleaned)
    if not is_certain:
        yield make_finding("table_in_doubt", name=name)


def _list_reasons(match: TableMatch) -> dict[str, list[TableLine]]:
    """The lines that give no recording its text, by the code of the finding that says why."""
    return {
        "table_lines_unknown": match.unknown,
        "table_lines_ambiguous": match.ambiguous,
        "table_lines_repeated": match.repeated,
        "table_lines_empty": match.empty,
    }


def _name_lines(lines: Iterable[TableLine]) -> str:
    """“3 “a.wav”, 5 “b.wav” and 7 more”"""
    return _join_some(
        [f"{line.number} {quote_name(line.name)}" for line in sorted(lines, key=lambda line: line.number)]
    )


def _name_some(names: Iterable[str]) -> str:
    return _join_some([quote_name(name) for name in names])


def _join_some(parts: Sequence[str]) -> str:
    named = ", ".join(parts[:MAX_NAMED])
    return f"{named} and {len(parts) - MAX_NAMED:,} more" if len(parts) > MAX_NAMED else named


def list_file_findings(files: SortedFiles, texts: ArchiveTexts) -> Iterator[Finding]:
    """What was passed over, and recordings without a text where others have one."""
    if files.side_files:
        yield make_finding("side_files", count=len(files.side_files), name=quote_name(files.side_files[0]))
    if files.archives:
        yield make_finding("nested_archives", files=_name_some(files.archives))
    if others := list(chain(files.others, texts.others)):
        yield make_finding("other_files", count=len(others), files=_name_some(others))
    missing = [path for path in files.recordings if path not in texts.by_path]
    if missing and texts.has_source:
        yield make_finding("metadata_missing", count=len(missing), name=quote_name(missing[0]))
