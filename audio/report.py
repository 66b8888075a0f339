"""Run all checks on a file or an archive, and return reports for people and programs.

A report has `path`, `ok`, `format` (container, subtype, sample_rate, channels, frames, seconds; None if the file cannot
be read), `measures`, and `findings` as in `Finding.as_dict`. That of a recording in an archive or a folder also has
`transcript`, the text that it would get. A line of a table that gives no recording its text has a report of its own.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from audio.analysis.analyze import analyze_recording
from audio.archives.kinds import EXTENSIONS, is_archive
from audio.archives.limits import ARCHIVE_LIMITS, BLOCK, Entry, quote_name
from audio.archives.read import Member, ignore_progress, read_archive
from audio.archives.sorting import sort_files
from audio.archives.transcripts import ArchiveTexts, LooseLine, list_file_findings
from audio.findings import catalog_sound as sound_codes
from audio.findings.findings import Finding, Severity, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.ingest import ingest_audio
from audio.levels.inspection import DEFAULT_LIMITS, DurationLimits
from audio.wav.riff import WavHeader

HEAD_BYTES = 512

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckCriteria:
    """Limits and thresholds that files are checked against."""

    limits: DurationLimits = DEFAULT_LIMITS
    thresholds: Thresholds = THRESHOLDS


def generate_reports(
    path: Path,
    criteria: CheckCriteria,
    progress: Callable[[int, int], object] = ignore_progress,
    transcript: str | None = None,
) -> Iterator[Report]:
    """Yield one report for a file. For an archive, yield one for each file in it, and one for its own findings, if any.

    It never raises: an unreadable file gives a report that is not ok. `progress` gets (steps done, all steps) of an
    archive. Each file in it has two steps: reading and analysis.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield _report_unreadable(path, "it is not a regular file")  # reading a pipe or a device would never end
        elif _is_archive(path):
            yield from _report_archive(path, criteria, progress)
        else:
            yield _report_file(path, str(path), criteria, transcript)
    except OSError as error:
        yield _report_unreadable(path, (error.strerror or type(error).__name__).lower())
    except Exception as error:  # noqa: BLE001 - an unexpected error on one file must not hide the others
        yield build_report(str(path), None, {}, [make_finding("broke_the_reader", reason=type(error).__name__)])


def generate_folder_reports(folder: Path, criteria: CheckCriteria, progress: Callable[..., object]) -> Iterator[Report]:
    """Yield one report for each recording and archive in the folder, and one for the folder if it has findings.

    Recordings get their transcripts from the tables and text files of the folder, as those of an archive do. `progress`
    gets the file that is read next, its number from 0, the number of files, and of an archive (steps done, all steps).
    Symbolic links are not followed.
    """
    paths = list_folder_files(folder)
    whole = [path for path in paths if path.name.lower().endswith(EXTENSIONS) or not os.access(path, os.R_OK)]
    found = sort_files({path.relative_to(folder).as_posix(): _make_entry(path) for path in paths if path not in whole})
    texts = ArchiveTexts(ARCHIVE_LIMITS)
    texts.read(found)
    if findings := [*texts.findings, *list_file_findings(found, texts)]:
        yield build_report(str(folder), None, {}, findings)
    yield from (_report_loose_line(line, str(folder)) for line in texts.loose)
    transcripts = {folder / name: texts.by_path.get(name, "") for name in found.recordings}
    files = sorted([*whole, *transcripts])
    for number, path in enumerate(files):
        progress(path, number, len(files))
        yield from generate_reports(path, criteria, partial(progress, path, number, len(files)), transcripts.get(path))


def list_folder_files(folder: Path) -> list[Path]:
    """All files below the folder, sorted by name. Symbolic links are not followed."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _make_entry(path: Path) -> Entry:
    size = path.stat().st_size

    def read() -> Iterator[bytes]:
        with path.open("rb") as file:
            while data := file.read(BLOCK):
                yield data

    return Entry(path.name, size, size, False, read)


def build_report(
    path: str, format_dict: dict[str, Any] | None, measures: dict[str, Any], findings: Iterable[Finding]
) -> Report:
    """Build a report. It is ok unless a finding refuses the file."""
    entries = [one.as_dict() for one in findings]
    ok = all(one["severity"] != Severity.ERROR for one in entries)
    return {"path": path, "ok": ok, "format": format_dict, "measures": measures, "findings": entries}


def _report_unreadable(path: Path, reason: str) -> Report:
    return build_report(str(path), None, {}, [make_finding("unreadable", reason=reason)])


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return is_archive(path.name, file.read(HEAD_BYTES))


def _report_archive(path: Path, criteria: CheckCriteria, progress: Callable[[int, int], object]) -> Iterator[Report]:
    with tempfile.TemporaryDirectory(prefix="voicehub-archive-") as folder:
        archive = read_archive(
            path,
            folder=Path(folder),
            keep_refused=True,
            clip_limits=criteria.limits,
            thresholds=criteria.thresholds,
            progress=lambda done, files: progress(done, 2 * files),
        )
        if archive.findings:
            yield build_report(str(path), None, {}, archive.findings)
        yield from (_report_loose_line(line, str(path)) for line in archive.loose_lines)
        for number, member in enumerate(archive.members, start=1):
            member_report = _report_member(member, f"{path}/{member.name}", criteria)
            progress(len(archive.members) + number, 2 * len(archive.members))
            yield member_report
            if member.path:
                member.path.unlink()


def _report_member(member: Member, shown_path: str, criteria: CheckCriteria) -> Report:
    """The report on a file of an archive. A damaged one was not written."""
    if member.path:
        return _report_file(member.path, shown_path, criteria, member.transcript)
    report = build_report(shown_path, None, {}, [])
    return report | {"ok": False, "findings": member.inspection["findings"], "transcript": member.transcript}


def _report_loose_line(line: LooseLine, folder: str) -> Report:
    """A line of a table that gives no recording its text, as a row of its own: `folder/metadata.csv:12`."""
    finding = make_finding(line.code, name=quote_name(line.table), lines=f"{line.number} {quote_name(line.name)}")
    return build_report(f"{folder}/{line.table}:{line.number}", None, {}, [finding]) | {"ok": False}


def _report_file(path: Path, shown_path: str, criteria: CheckCriteria, transcript: str | None = None) -> Report:
    """`transcript` is the text that a recording of an archive or a folder gets; None for a single file."""
    report = _check_file(path, shown_path, criteria, transcript or "")
    return report if transcript is None else report | {"transcript": transcript}


def _check_file(path: Path, shown_path: str, criteria: CheckCriteria, transcript: str) -> Report:
    with path.open("rb") as file, ingest_audio(file, criteria.limits, criteria.thresholds) as ingested:
        if ingested.inspection.header is None or ingested.refusal:
            return build_report(shown_path, None, {}, ingested.findings)
        with (ingested.wav_path or path).open("rb") as wav:
            analysis = analyze_recording(wav, ingested.inspection.header, criteria.thresholds, transcript)
        # The analysis repeats the findings about the sound, from more than the levels.
        other_findings = [one for one in ingested.findings if one.code not in sound_codes.CODES]
        format_dict = (
            ingested.conversion.original_format
            if ingested.conversion
            else _build_format_dict(ingested.inspection.header)
        )
        return build_report(shown_path, format_dict, analysis.measures, [*other_findings, *analysis.findings])


def _build_format_dict(header: WavHeader) -> dict[str, Any]:
    return {
        "container": "WAV",
        "subtype": "PCM_16",
        "sample_rate": header.sample_rate,
        "channels": header.channels,
        "frames": header.frames,
        "seconds": header.seconds,
    }
