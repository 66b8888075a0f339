"""Archives of recordings: ZIP files, and tar archives, plain or compressed, with transcripts in tables or text files.

They are parsed only in a limited child process (audio.untrusted), and nothing in them is unpacked under its own name.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from audio.archives.job import RECORD_SHAPES, build_member_path, build_text_path, read_members
from audio.archives.limits import ARCHIVE_LIMITS, ArchiveLimits
from audio.archives.transcripts import LooseLine
from audio.findings.catalog_archive import CODES
from audio.findings.findings import Finding, Severity, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.inspection import DEFAULT_LIMITS, DurationLimits
from audio.untrusted.runner import ChildFailed, ChildLimits, parse_finding, run_job

CHILD_LIMITS = ChildLimits(cpu_seconds=10, wall_seconds=60.0)
MIN_BYTES_PER_SECOND = 2 << 20
"""Minimum reading speed, used to extend the time limits of the child for large archives."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. `name` is for display only; `path` is where the file was written, or None.

    `inspection` and `facts` come from `Inspection`, `transcript` comes from a table or a text file ("" if there is none
    for the file). `in_builds` comes from a table (None if none says whether the file is used in builds).
    """

    number: int
    name: str
    size: int
    sha256: str
    transcript: str
    in_builds: bool | None
    inspection: dict[str, Any]
    facts: dict[str, Any]
    path: Path | None

    @property
    def ok(self) -> bool:
        return self.inspection.get("ok") is True


@dataclass(frozen=True, slots=True)
class TextFile:
    """A table or a text of an archive. Either `path` is where it was written, or `problem` says why it was not."""

    name: str
    path: Path | None
    problem: str


@dataclass(frozen=True, slots=True)
class Archive:
    """The contents of an archive; a refused archive has no members, and its findings say why.

    `texts` has its tables and texts, if they are kept. `code_page` is that of its names, empty if they are UTF-8.
    """

    members: tuple[Member, ...]
    findings: tuple[Finding, ...]
    loose_lines: tuple[LooseLine, ...] = ()
    texts: tuple[TextFile, ...] = ()
    code_page: str = ""

    @property
    def ok(self) -> bool:
        return not any(finding.severity == Severity.ERROR for finding in self.findings)


def ignore_progress(_done: int, _total: int) -> None:
    """For callers that show no progress."""


def read_archive(
    source: BinaryIO | Path,
    *,
    folder: Path | None = None,
    keep_refused: bool = False,
    clip_limits: DurationLimits = DEFAULT_LIMITS,
    thresholds: Thresholds = THRESHOLDS,
    limits: ArchiveLimits = ARCHIVE_LIMITS,
    language: str = "",
    code_page: str = "",
    keep_texts: bool = False,
    child_limits: ChildLimits = CHILD_LIMITS,
    progress: Callable[[int, int], object] = ignore_progress,
) -> Archive:
    """Read an archive in a limited child process. Invalid content is a finding; only reading the source raises OSError.

    Accepted files are written to `folder`, which must be empty, and are named by number. With `keep_refused`, refused
    files are written too, unless they are damaged. If the archive itself is refused, no file stays in the folder.
    `language` (a BCP 47 tag) helps to find the code page of names that are not UTF-8, unless `code_page` says it.
    With `keep_texts`, tables and texts are written to the folder too, and not read: no member has a transcript.
    `progress` is called with the number of files read so far and the number of all files.
    """
    arguments = {
        "folder": folder and str(folder.resolve()),
        "keep_refused": keep_refused,
        "archive_limits": asdict(limits),
        "clip_limits": asdict(clip_limits),
        "thresholds": asdict(thresholds),
        "language": language,
        "code_page": code_page,
        "keep_texts": keep_texts,
    }
    members: list[Member] = []
    texts: list[TextFile] = []
    contents: dict[str, Any] = {"files": 0, "findings": [], "loose_lines": [], "code_page": ""}
    try:
        with closing(
            run_job(read_members, source, arguments, RECORD_SHAPES, _scale_limits(child_limits, source, limits))
        ) as results:
            for record in results:
                kind = record.pop("kind")
                if kind == "contents":
                    contents = record
                elif kind == "text":
                    texts.append(_build_text(len(texts) + 1, record, folder))
                else:
                    members.append(_build_member(len(members) + 1, record, folder))
                progress(len(members), contents["files"])
        findings = tuple(parse_finding(finding, {Severity.WARNING, Severity.FIXED}) for finding in contents["findings"])
        loose_lines = tuple(_parse_loose_line(line) for line in contents["loose_lines"])
    except ChildFailed as failed:
        _delete_files(folder, min(contents["files"], limits.files), texts)
        return Archive((), (failed.finding,))
    return Archive(tuple(members), findings, loose_lines, tuple(texts), contents["code_page"])


def _parse_loose_line(values: object) -> LooseLine:
    """A line as the child describes it. Raises ChildFailed if it is none."""
    if isinstance(values, list) and list(map(type, values)) == [str, int, str, str] and values[3] in CODES:
        return LooseLine(*values)
    raise ChildFailed(make_finding("broke_the_reader", reason="invalid output"))


def _scale_limits(base: ChildLimits, source: BinaryIO | Path, limits: ArchiveLimits) -> ChildLimits:
    """Extend the time limits by the size of the archive file, not by the unpacked size that it claims."""
    size = source.stat().st_size if isinstance(source, Path) else source.seek(0, os.SEEK_END)
    extra_seconds = size // MIN_BYTES_PER_SECOND
    return replace(
        base,
        cpu_seconds=base.cpu_seconds + extra_seconds,
        wall_seconds=base.wall_seconds + 2 * extra_seconds,
        file_bytes=limits.member_bytes,
    )


def _build_member(number: int, record: dict[str, Any], folder: Path | None) -> Member:
    kept = record.pop("kept") and folder
    return Member(number=number, path=build_member_path(kept, number) if kept else None, **record)


def _build_text(number: int, record: dict[str, Any], folder: Path | None) -> TextFile:
    path = build_text_path(folder, number) if folder and not record["problem"] else None
    return TextFile(record["name"], path, record["problem"])


def _delete_files(folder: Path | None, files: int, texts: Iterable[TextFile]) -> None:
    for number in range(1, files + 1 if folder else 0):
        build_member_path(folder or Path(), number).unlink(missing_ok=True)
    for text in texts:
        if text.path:
            text.path.unlink(missing_ok=True)
