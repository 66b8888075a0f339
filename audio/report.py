"""What all checks together say of a file or an archive, as objects for people and programs.

An object has `path`, `ok`, `format` (container, subtype, sample_rate, channels, frames, seconds; None if it cannot be
read), `measures`, and `findings` as of `Finding.as_dict`.
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
    """What files are judged by."""

    limits: Limits = LIMITS
    thresholds: Thresholds = THRESHOLDS


def reports(path: Path, judge: Judge, progress: Callable[[int, int], object] = ignore) -> Iterator[Report]:
    """One object for a file; for an archive one for each file in it, and one for itself where there is anything to say.

    Nothing raises: what cannot be read is an object that is not ok. `progress` hears how much of an archive is done, of
    how much: each file in it is read, then listened to.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield _unreadable(path, "it is no regular file")  # a pipe or a device would be read for ever
        elif _is_archive(path):
            yield from _of_archive(path, judge, progress)
        else:
            yield _of_file(path, str(path), judge)
    except OSError as error:
        yield _unreadable(path, (error.strerror or type(error).__name__).lower())
    except Exception as error:  # noqa: BLE001 - one file that sets off what nobody thought of must not hide the others
        yield report(str(path), None, {}, [finding("broke_the_reader", reason=type(error).__name__)])


def report(path: str, form: dict[str, Any] | None, measures: dict[str, Any], findings: Iterable[Finding]) -> Report:
    """The object; it is ok unless something refused the file."""
    said = [one.as_dict() for one in findings]
    ok = all(one["severity"] != Severity.REFUSED for one in said)
    return {"path": path, "ok": ok, "format": form, "measures": measures, "findings": said}


def _unreadable(path: Path, reason: str) -> Report:
    return report(str(path), None, {}, [finding("unreadable", reason=reason)])


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return is_archive(path.name, file.read(HEAD))


def _of_archive(path: Path, judge: Judge, progress: Callable[[int, int], object]) -> Iterator[Report]:
    with tempfile.TemporaryDirectory(prefix="voicehub-archive-") as folder:
        archive = read_archive(
            path,
            folder=Path(folder),
            keep_refused=True,
            clip_limits=judge.limits,
            thresholds=judge.thresholds,
            progress=lambda done, files: progress(done, 2 * files),
        )
        if archive.findings:
            yield report(str(path), None, {}, archive.findings)
        for number, member in enumerate(archive.members, start=1):
            if member.path:
                told = _of_file(member.path, f"{path}/{member.name}", judge, member.transcript)
                progress(len(archive.members) + number, 2 * len(archive.members))
                yield told
                member.path.unlink()


def _of_file(path: Path, shown: str, judge: Judge, transcript: str = "") -> Report:
    with path.open("rb") as file, understood(file, judge.limits, judge.thresholds) as sound:
        if sound.heard.header is None or sound.refusal:
            return report(shown, None, {}, sound.findings)
        with (sound.wav or path).open("rb") as wav:
            examination = examine(wav, sound.heard.header, judge.thresholds, transcript)
        # The deep look's findings take the place of what the levels alone said.
        kept = [one for one in sound.findings if one.code not in sound_codes.CODES]
        form = sound.made.original_format if sound.made else _format(sound.heard.header)
        return report(shown, form, examination.measures, [*kept, *examination.findings])


def _format(header: WavHeader) -> dict[str, Any]:
    return {
        "container": "WAV",
        "subtype": "PCM_16",
        "sample_rate": header.sample_rate,
        "channels": header.channels,
        "frames": header.frames,
        "seconds": header.seconds,
    }
