"""Archives of recordings: ZIP files, and tar archives, plain or compressed, with transcripts in tables or text files.

They are parsed only in a limited child process (audio.untrusted), and nothing in them is unpacked under its own name.
"""

import os
from collections.abc import Callable, Generator
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
from audio.levels.inspection import DEFAULT_LIMITS, DurationLimits, unpack_fields
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
class Archive:
    """The contents of an archive; a refused archive has no members, and its findings say why."""

    members: tuple[Member, ...]
    findings: tuple[Finding, ...]
    loose_lines: tuple[LooseLine, ...] = ()

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
    child_limits: ChildLimits = CHILD_LIMITS,
    progress: Callable[[int, int], object] = ignore_progress,
) -> Archive:
    """Read an archive in a limited child process. Invalid content is a finding; only reading the source raises OSError.

    Accepted files are written to `folder`, which must be empty, and are named by number. With `keep_refused`, refused
    files are written too, unless they are damaged. If the archive itself is refused, no file stays in the folder.
    `language` (a BCP 47 tag) helps to find the code page of names that are not UTF-8. `progress` is called with the
    number of files read so far and the number of all files.
    """
    request = ArchiveRequest(folder, keep_refused, clip_limits, thresholds, limits, language)
    members: list[Member] = []
    head = ArchiveHead(0, (), (), "")
    try:
        with closing(stream_archive(source, request, child_limits)) as parts:
            for part in parts:
                if isinstance(part, ArchiveHead):
                    head = part
                elif isinstance(part, Member):
                    members.append(part)
                progress(len(members), head.files)
    except ChildFailed as failed:
        for number in range(1, min(head.files, limits.files) + 1 if folder else 0):
            build_member_path(folder or Path(), number).unlink(missing_ok=True)
        return Archive((), (failed.finding,))
    return Archive(tuple(members), head.findings, head.loose_lines)


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """How to read an archive, as in `read_archive`.

    Names that are not UTF-8 are read in `code_page`; without one, it is found. With `keep_texts`, tables and texts are
    written to the folder too, and not read: no member has a transcript.
    """

    folder: Path | None = None
    keep_refused: bool = False
    clip_limits: DurationLimits = DEFAULT_LIMITS
    thresholds: Thresholds = THRESHOLDS
    limits: ArchiveLimits = ARCHIVE_LIMITS
    language: str = ""
    code_page: str = ""
    keep_texts: bool = False


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """What is known before the members are read. `code_page` is that of the names, empty if they are UTF-8."""

    files: int
    findings: tuple[Finding, ...]
    loose_lines: tuple[LooseLine, ...]
    code_page: str


@dataclass(frozen=True, slots=True)
class TextFile:
    """A table or a text of an archive. Either `path` is where it was written, or `problem` says why it was not."""

    name: str
    path: Path | None
    problem: str


def stream_archive(
    source: BinaryIO | Path, request: ArchiveRequest, child_limits: ChildLimits = CHILD_LIMITS
) -> Generator[ArchiveHead | TextFile | Member, None, None]:
    """Yield the head of an archive, its texts if they are kept, and its members, while a child reads the next ones.

    Raises ChildFailed if the archive is refused as a whole, perhaps after some members. Files stay in the folder. A
    caller that does not read to the end must close the iterator, which ends the child.
    """
    limits, folder = request.limits, request.folder
    arguments = {
        "folder": folder and str(folder.resolve()),
        "keep_refused": request.keep_refused,
        "archive_limits": asdict(limits),
        "clip_limits": asdict(request.clip_limits),
        "thresholds": asdict(request.thresholds),
        "language": request.language,
        "code_page": request.code_page,
        "keep_texts": request.keep_texts,
    }
    members = texts = 0
    scaled = _scale_limits(child_limits, source, limits)
    with closing(run_job(read_members, source, arguments, RECORD_SHAPES, scaled)) as records:
        for record in records:
            kind = record.pop("kind")
            if kind == "contents":
                yield _parse_head(record)
            elif kind == "text":
                texts += 1
                yield _build_text(texts, record, folder)
            else:
                members += 1
                yield _build_member(members, record, folder)


def _parse_head(record: dict[str, Any]) -> ArchiveHead:
    findings = tuple(parse_finding(finding, {Severity.WARNING, Severity.FIXED}) for finding in record["findings"])
    return ArchiveHead(
        record["files"], findings, tuple(map(_parse_loose_line, record["loose_lines"])), record["code_page"]
    )


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
    kept, facts = record["kept"] and folder, unpack_fields(record["facts"])
    return Member(
        number=number,
        name=record["name"],
        size=facts["size"],
        sha256=facts["sha256"],
        transcript=record["transcript"],
        in_builds=record["in_builds"],
        inspection={
            "ok": record["ok"],
            "size": facts["size"],
            "sha256": facts["sha256"],
            "header": record["header"],
            "levels": facts["levels"] or None,
            "findings": facts["findings"],
        },
        facts=facts,
        path=build_member_path(kept, number) if kept else None,
    )


def _build_text(number: int, record: dict[str, Any], folder: Path | None) -> TextFile:
    path = build_text_path(folder, number) if folder and not record["problem"] else None
    return TextFile(record["name"], path, record["problem"])
