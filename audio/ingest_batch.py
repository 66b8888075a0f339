"""Checks many uploaded files in one limited child process, each once, and converts those in other audio formats.

A file that breaks the child, or exceeds its limits, is refused alone: the others are checked by another child.
"""

import io
import json
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from audio.findings.findings import FileRefused, Finding
from audio.findings.thresholds import Thresholds
from audio.levels.inspection import DurationLimits, Inspection, build_refusal, inspect_file, unpack_fields
from audio.untrusted.runner import ChildFailed, ChildLimits, parse_finding, run_job
from audio.wav.convert import CONVERSION_LIMITS, ConversionLimits, convert_job, is_convertible
from audio.wav.recipe import build_recipe

MIN_BYTES_PER_SECOND = 2 << 20
"""Minimum speed of an inspection, used to extend the time limits of the child for many or large files."""
NO_LIMIT = 1 << 62
RECORD_SHAPES: dict[str, dict[str, Any]] = {
    "file": {
        "ok": bool,
        "has_sound": bool,
        "has_wav": bool,
        "has_room": bool,
        "fields": dict,
        "conversion": dict | None,
    }
}


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """The result for one file. `fields` are those of its row: see `IngestResult.build_row_fields`.

    `has_sound`: its samples could be read, perhaps after the conversion to `wav`. `ok`: nothing refuses it. `has_room`:
    its conversion is not what the WAVs before it left no room for.
    """

    ok: bool
    has_sound: bool
    fields: dict[str, Any]
    wav: Path | None
    has_room: bool = True


def ingest_files(
    paths: Sequence[Path],
    folder: Path,
    clip_limits: DurationLimits,
    thresholds: Thresholds,
    conversion_limits: ConversionLimits = CONVERSION_LIMITS,
    room: int = NO_LIMIT,
) -> Generator[IngestedFile, None, None]:
    """Yield the result of each file in their order. Converted WAVs are written to `folder`, named by number.

    They take at most `room` bytes together: no file is converted after the first one whose WAV does not fit.
    Reading a file that is not there any more raises OSError. A caller that does not read to the end must close the
    iterator, which ends the child.
    """
    first = 0
    while first < len(paths):
        count = 0
        try:
            with closing(
                _run_child(paths[first:], folder, first, clip_limits, thresholds, conversion_limits, room)
            ) as results:
                for result in results:
                    room = 0 if not result.has_room else room - _measure(result.wav)
                    yield result
                    count += 1
        except ChildFailed as failed:
            # What broke the child was the next file. If others used up the time, it gets a child of its own.
            if not count:
                yield _refuse_file(paths[first], failed.finding)
                count = 1
        first += count


def _run_child(
    paths: Sequence[Path],
    folder: Path,
    first: int,
    clip_limits: DurationLimits,
    thresholds: Thresholds,
    conversion_limits: ConversionLimits,
    room: int,
) -> Generator[IngestedFile, None, None]:
    arguments = {
        "folder": str(folder.resolve()),
        "first": first,
        "clip_limits": asdict(clip_limits),
        "thresholds": asdict(thresholds),
        "max_seconds": conversion_limits.max_seconds,
        "room": room,
    }
    limits = _make_limits(sum(path.stat().st_size for path in paths), conversion_limits)
    # The names are in the file that the child reads: a command line has no room for many.
    names = io.BytesIO(json.dumps([os.path.abspath(path) for path in paths]).encode())  # noqa: PTH100 - not resolved
    with closing(run_job(ingest_job, names, arguments, RECORD_SHAPES, limits)) as records:
        for number, record in enumerate(records, start=first):
            fields = unpack_fields(record["fields"])
            if conversion := record["conversion"]:
                recipe = build_recipe(fields["sha256"], conversion["steps"], "av")
                fields["recipe"] = {**recipe, "original": conversion["format"]}
            wav = build_wav_path(folder, number) if record["has_wav"] else None
            yield IngestedFile(record["ok"], record["has_sound"], fields, wav, record["has_room"])


def _measure(wav: Path | None) -> int:
    return wav.stat().st_size if wav else 0


def _make_limits(size: int, conversion: ConversionLimits) -> ChildLimits:
    base, extra_seconds = conversion.make_child_limits(), size // MIN_BYTES_PER_SECOND
    return ChildLimits(
        base.cpu_seconds + extra_seconds,
        base.memory_bytes,
        base.file_bytes,
        wall_seconds=base.wall_seconds + 2 * extra_seconds,
    )


def _refuse_file(path: Path, finding: Finding) -> IngestedFile:
    with path.open("rb") as file:
        return IngestedFile(False, False, unpack_fields(build_refusal(file, finding).build_packed_fields()), None)


def build_wav_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.wav"


def ingest_job(
    source: BinaryIO,
    *,
    folder: str,
    first: int,
    clip_limits: dict[str, float],
    thresholds: dict[str, float],
    max_seconds: float,
    room: int,
) -> Iterator[dict[str, Any]]:
    """Run in the child: yield a record of RECORD_SHAPES for each file that `source` names."""
    inspect = partial(inspect_file, limits=DurationLimits(**clip_limits), thresholds=Thresholds(**thresholds))
    for number, path in enumerate(json.load(source), start=first):
        with Path(path).open("rb") as file:
            found = inspect(file)
            if found.header or not is_convertible(found.findings[0].code):
                yield _build_record(found, found)
                continue
            if room <= 0:
                yield _build_record(found, found, has_room=False)
                continue
            target = build_wav_path(Path(folder), number)
            try:
                converted, conversion = _convert(file, found.sha256, target, thresholds, max_seconds)
            except FileRefused as refused:
                target.unlink(missing_ok=True)
                yield _build_record(found, found, (refused.finding,))
                continue
        room -= target.stat().st_size
        if room < 0:
            target.unlink()
            yield _build_record(found, found, has_room=False)
            continue
        with target.open("rb") as wav:
            yield _build_record(found, inspect(wav), converted, conversion)


def _convert(
    file: BinaryIO, sha256: str, target: Path, thresholds: dict[str, float], max_seconds: float
) -> tuple[tuple[Finding, ...], dict[str, Any]]:
    """Write the WAV. Returns the findings, and the format and the steps of the conversion."""
    target.touch()
    silent_db, alike_share = thresholds["channel_silent_db"], thresholds["channels_alike_share"]
    *findings, result = convert_job(file, str(target), None, sha256, silent_db, alike_share, max_seconds)
    found = tuple(parse_finding({name: one[name] for name in one if name != "kind"}) for one in findings)
    return found, {"format": result["format"], "steps": result["steps"]}


def _build_record(
    original: Inspection,
    inspection: Inspection,
    findings: tuple[Finding, ...] = (),
    conversion: dict[str, Any] | None = None,
    *,
    has_room: bool = True,
) -> dict[str, Any]:
    """`findings` are those of the conversion. Without one, they are why there is none."""
    all_findings = findings if conversion is None and findings else (*findings, *inspection.findings)
    fields = inspection.build_packed_fields() | {
        "sha256": original.sha256,
        "size": original.size,
        "findings": [one.as_dict() for one in all_findings],
    }
    if conversion:
        fields["wav_sha256"] = inspection.sha256
    is_refused = conversion is None and bool(findings)
    return {
        "kind": "file",
        "ok": inspection.ok and not is_refused,
        "has_sound": inspection.header is not None,
        "has_wav": conversion is not None,
        "has_room": has_room,
        "fields": fields,
        "conversion": conversion,
    }
