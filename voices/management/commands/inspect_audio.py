"""What is wrong with audio files, on the command line: the same checks that an upload goes through."""

import json
import math
import stat
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voicehub.audio.findings import finding
from voicehub.audio.inspect import Inspection, Limits, inspect
from voices.providers import registry
from voices.providers.types import Tier
from voices.services.readiness import limits_of
from voices.services.recordings import CLIP_LIMITS


class Command(BaseCommand):
    help = "Checks audio files, or all files in folders, and says what is wrong with each."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a file, or a folder with files in it")
        parser.add_argument("--json", action="store_true", help="print one list of objects, one for each file")
        parser.add_argument("--provider", choices=sorted(registry.PROVIDERS), help="judge by this provider's limits")
        parser.add_argument("--tier", choices=[tier.value for tier in Tier], help="and by those of this tier of it")

    def handle(self, *, paths: list[Path], json: bool, provider: str, tier: str, **_: Any) -> None:
        limits = clip_limits(provider, tier)
        files = list(found_in(paths))
        told = []
        for number, path in enumerate(files, start=1):
            self._progress(number, len(files), path)
            told.append(report(path, limits))
        self.stdout.write(as_json(told) if json else "\n\n".join(in_words(one) for one in told))

    def _progress(self, number: int, total: int, path: Path) -> None:
        if sys.stderr.isatty():
            end = "\n" if number == total else ""
            self.stderr.write(f"\r\x1b[K{number} of {total}  {path.name[:60]}", ending=end)


def clip_limits(provider: str | None, tier: str | None) -> Limits:
    """How long a clip may be at this provider, in this tier, as an admin may have put it right."""
    if not provider and not tier:
        return CLIP_LIMITS
    if not provider or not tier:
        raise CommandError("Give --provider and --tier together.")
    capabilities = registry.provider_class(provider).tiers.get(Tier(tier))
    if capabilities is None:
        raise CommandError(f"{registry.label(provider)} has no tier {tier}.")
    known = limits_of(capabilities, provider)
    shortest, longest = known.get("shortest_clip"), known.get("longest_clip")
    return Limits(shortest.value if shortest else 0, longest.value if longest else math.inf)


def found_in(paths: list[Path]) -> Iterator[Path]:
    """The files themselves, and those below the folders, by name; links in folders are not followed."""
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
        else:
            yield path


def report(path: Path, limits: Limits) -> dict[str, Any]:
    """One file as an object: path, ok, format, measures, findings. A file that cannot be read is one that is not ok."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return _unreadable(path, "it is no regular file")  # a pipe or a device would be read for ever
        with path.open("rb") as file:
            return {"path": str(path), **_inspected(inspect(file, limits))}
    except OSError as error:
        return _unreadable(path, (error.strerror or type(error).__name__).lower())


def _unreadable(path: Path, reason: str) -> dict[str, Any]:
    why = finding("unreadable", reason=reason)
    return {"path": str(path), "ok": False, "format": None, "measures": {}, "findings": [why.as_dict()]}


def _inspected(inspection: Inspection) -> dict[str, Any]:
    return {
        "ok": inspection.ok,
        "format": _format(inspection),
        "measures": inspection.levels.as_dict() if inspection.levels else {},
        "findings": [one.as_dict() for one in inspection.findings],
    }


def _format(inspection: Inspection) -> dict[str, Any] | None:
    header = inspection.header
    if header is None:
        return None
    return {
        "container": "WAV",
        "subtype": "PCM_16",
        "sample_rate": header.sample_rate,
        "channels": header.channels,
        "frames": header.frames,
        "seconds": header.seconds,
    }


def as_json(told: list[dict[str, Any]]) -> str:
    """A list that any JSON reader takes, also with names that are no text and numbers that are none."""
    return json.dumps([_plain(one) for one in told], indent=2, ensure_ascii=True, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def in_words(one: dict[str, Any]) -> str:
    """One file for people: its format, then a line for each finding."""
    known = one["format"]
    head = f"{one['path']}: " + (
        f"{known['seconds']:.1f} s, {known['sample_rate']:,} Hz" if known else "cannot be used"
    )
    lines = [
        f"  {said['severity']:9} {said['code']:20} {_place(said)}{said['text']} {said['advice']}"
        for said in one["findings"]
    ]
    return "\n".join([head, *(lines or ["  nothing to complain about"])]).encode("utf-8", "replace").decode()


def _place(said: dict[str, Any]) -> str:
    return "" if said["at"] is None else f"at {said['at']:.2f} s: "
