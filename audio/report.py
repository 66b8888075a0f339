"""Run all checks on a file or an archive, and return reports for people and programs.

A report has `path`, `ok`, `format` (container, subtype, sample_rate, channels, frames, seconds; None if the file cannot
be read), `measures`, and `findings` as in `Finding.as_dict`.
"""

import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio.analysis.analyze import examine
from audio.archives.read import ignore, is_archive, read_archive
from audio.findings import catalog_sound as sound_codes
from audio.findings.findings import Finding, Severity, finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.ingest import understood
from audio.levels.inspect import LIMITS, Limits
from audio.wav.riff import WavHeader

HEAD = 512

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judge:
    """Limits and thresholds that files are checked against."""

    limits: Limits = LIMITS
    thresholds: Thresholds = THRESHOLDS


def reports(path: Path, judge: Judge, progress: Callable[[int, int], object] = ignore) -> Iterator[Report]:
    """One report for a file; for an archive, one for each file in it, and one for the archive if it has findings.

    Never raises: an unreadable file gives a report that is not ok. `progress` gets (steps done, all steps) of an
    archive. Each file in it counts twice: it is read, then analyzed.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield _unreadable(path, "it is not a regular file")  # reading a pipe or a device would never end
        elif _is_archive(path):
            yield from _of_archive(path, judge, progress)
        else:
            yield _of_file(path, str(path), judge)
    except OSError as error:
        yield _unreadable(path, (error.strerror or type(error).__name__).lower())
    except Exception as error:  # noqa: BLE001 - an unexpected error on one file must not hide the others
        yield report(str(path), None, {}, [finding("broke_the_reader", reason=type(error).__name__)])


def report(path: str, form: dict[str, Any] | None, measures: dict[str, Any], findings: Iterable[Finding]) -> Report:
    """It is ok unless a finding refuses the file."""
    entries = [one.as_dict() for one in findings]
    ok = all(one["severity"] != Severity.REFUSED for one in entries)
    return {"path": path, "ok": ok, "format": form, "measures": measures, "findings": entries}


def _unreadable(path: Path, reason: str) -> Report:
    return report(str(path), None, {}, [finding("unreadable", reason=reason)])


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return is_archive(path.name, file.read(HEAD))


def _of_archive(path: Path, criteria: Judge, progress: Callable[[int, int], object]) -> Iterator[Report]:
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
            yield report(str(path), None, {}, archive.findings)
        for number, member in enumerate(archive.members, start=1):
            if member.path:
                member_report = _of_file(member.path, f"{path}/{member.name}", criteria, member.transcript)
                progress(len(archive.members) + number, 2 * len(archive.members))
                yield member_report
                member.path.unlink()


def _of_file(path: Path, shown_path: str, criteria: Judge, transcript: str = "") -> Report:
    with path.open("rb") as file, understood(file, criteria.limits, criteria.thresholds) as ingested:
        if ingested.heard.header is None or ingested.refusal:
            return report(shown_path, None, {}, ingested.findings)
        with (ingested.wav or path).open("rb") as wav:
            analysis = examine(wav, ingested.heard.header, criteria.thresholds, transcript)
        # The findings of the full analysis replace those from levels alone.
        others = [one for one in ingested.findings if one.code not in sound_codes.CODES]
        format_dict = ingested.made.original_format if ingested.made else _format(ingested.heard.header)
        return report(shown_path, format_dict, analysis.measures, [*others, *analysis.findings])


def _format(header: WavHeader) -> dict[str, Any]:
    return {
        "container": "WAV",
        "subtype": "PCM_16",
        "sample_rate": header.sample_rate,
        "channels": header.channels,
        "frames": header.frames,
        "seconds": header.seconds,
    }
