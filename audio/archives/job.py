"""The job of the limited child that reads an archive: check all headers first, then each recording."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from audio.archives.contents import Contents, read_contents
from audio.archives.kinds import RECORD, is_archive_header
from audio.archives.limits import ArchiveLimits, Entry, MemberRefused, refuse_member
from audio.findings.findings import Finding, make_finding

if TYPE_CHECKING:
    from audio.levels.inspection import Inspection

MAX_MEMORY_BYTES = 16 << 20
MAX_LOOSE_LINES = 1000
"""At most so many lines that fit no recording are listed one by one. The findings count all."""

FACTS_SHAPE = {
    "sha256": str,
    "size": int,
    "seconds": int | float,
    "sample_rate": int,
    "findings": list,
    "levels": dict,
    "peaks": str,
    "fine_peaks": str,
}
RECORD_SHAPES: dict[str, dict[str, Any]] = {
    "contents": {"files": int, "findings": list, "loose_lines": list, "code_page": str},
    "text": {"name": str, "problem": str},
    "member": {
        "name": str,
        "transcript": str,
        "in_builds": bool | None,
        "ok": bool,
        "header": dict | None,
        "facts": FACTS_SHAPE,
        "kept": bool,
    },
}
"""The records that this job yields: first the contents of the archive, then each text if they are kept, then each
recording in order. A text with a `problem` was not written."""


def read_members(
    source: BinaryIO,
    *,
    folder: str | None,
    keep_refused: bool,
    archive_limits: dict[str, Any],
    clip_limits: dict[str, float],
    thresholds: dict[str, float],
    language: str,
    code_page: str = "",
    keep_texts: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield records of RECORD_SHAPES. Accepted recordings are written to `folder`, named by number.

    With `keep_texts`, the tables and texts are written there too, and not read.
    """
    limits = ArchiveLimits(**archive_limits)
    contents = read_contents(source, limits, language, code_page, reads_texts=not keep_texts)
    findings = [finding.as_dict() for finding in contents.findings]
    loose_lines = [[line.table, line.number, line.name, line.code] for line in contents.loose_lines[:MAX_LOOSE_LINES]]
    yield {
        "kind": "contents",
        "files": len(contents.recordings),
        "findings": findings,
        "loose_lines": loose_lines,
        "code_page": contents.code_page,
    }
    if keep_texts and folder:
        yield from _write_texts(contents.texts, Path(folder), limits)
    inspect = _make_inspector(clip_limits, thresholds)
    for number, (path, entry) in enumerate(contents.recordings.items(), start=1):
        target = build_member_path(Path(folder or "."), number)
        kept = False
        try:
            with _open_copy(entry, target) as copy:
                inspection = inspect(copy)
                kept = folder is not None and (inspection.ok or keep_refused)
                if kept and isinstance(copy, io.BytesIO):
                    target.write_bytes(copy.getvalue())
        except MemberRefused as refused:
            inspection = _build_refusal(entry.size, refused.make_finding(path))
        if not kept:
            target.unlink(missing_ok=True)
        yield _build_record(path, inspection, contents, kept)


def _write_texts(texts: dict[str, Entry], folder: Path, limits: ArchiveLimits) -> Iterator[dict[str, Any]]:
    """Write each table and text, named by number."""
    for number, (path, entry) in enumerate(texts.items(), start=1):
        problem = ""
        if entry.size > limits.list_bytes:
            problem = make_finding("table_too_big", limit=limits.list_bytes >> 20).text
        else:
            try:
                build_text_path(folder, number).write_bytes(b"".join(entry.read()))
            except MemberRefused as refused:
                problem = refused.make_finding(path).text
        yield {"kind": "text", "name": path, "problem": problem}


def _build_record(path: str, inspection: "Inspection", contents: Contents, kept: bool) -> dict[str, Any]:
    from audio.levels.inspection import build_header_dict

    return {
        "kind": "member",
        "name": path,
        "transcript": contents.transcripts.get(path, ""),
        "in_builds": contents.in_builds.get(path),
        "ok": inspection.ok,
        "header": inspection.header and build_header_dict(inspection.header),
        "facts": inspection.build_packed_fields(),
        "kept": kept,
    }


def _build_refusal(size: int, finding: Finding) -> "Inspection":
    """The result for a damaged file. It has no checksum, because its bytes may be wrong."""
    from audio.levels.inspection import Inspection

    return Inspection(False, size, "", None, None, (), (), (finding,))


def _make_inspector(clip_limits: dict[str, float], thresholds: dict[str, float]) -> Callable[[BinaryIO], "Inspection"]:
    """Return the function that inspects a file. numpy is imported here, as that takes 10 times as long as a refusal."""
    from audio.findings.thresholds import Thresholds
    from audio.levels.inspection import DurationLimits, inspect_file

    return partial(inspect_file, limits=DurationLimits(**clip_limits), thresholds=Thresholds(**thresholds))


def build_member_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.wav"


def build_text_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.txt"


def _open_copy(entry: Entry, target: Path) -> BinaryIO:
    """A copy of the entry, at its start: in memory, which is twice as fast as the disk, unless it is large."""
    if entry.size <= MAX_MEMORY_BYTES:
        # BytesIO takes these bytes without another copy, and gives them back.
        copy: BinaryIO = io.BytesIO(b"".join(entry.read()))
    else:
        copy = target.open("w+b")
        try:
            for block in entry.read():
                copy.write(block)
        except BaseException:
            copy.close()
            raise
    copy.seek(0)
    if is_archive_header(copy.read(RECORD)):
        copy.close()
        refuse_member("member_nested")
    copy.seek(0)
    return copy
