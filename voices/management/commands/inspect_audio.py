"""What is wrong with audio files, on the command line: the same checks that an upload goes through."""

import json
import math
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.inspection import DurationLimits
from audio.report import CheckCriteria, Report, generate_reports
from providers import registry
from providers.types import Tier
from voicehub.models import ThresholdOverride
from voicehub.threshold_overrides import load_thresholds
from voices.models.limits import LimitOverride, get_limits
from voices.services.recordings.store import CLIP_LIMITS

BAR = 24
SHOWN = 40
NO_DATABASE = "There is no studio's database here, so the built-in limits are used."


class Command(BaseCommand):
    help = "Checks audio files, all files in folders, and those in archives, and says what is wrong with each."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="a file, a folder, a .zip or a .tar.gz")
        parser.add_argument("--json", action="store_true", help="print one list of objects, one for each file")
        parser.add_argument("--provider", choices=sorted(registry.PROVIDERS), help="judge by this provider's limits")
        parser.add_argument("--tier", choices=[tier.value for tier in Tier], help="and by those of this tier of it")

    def handle(self, *, paths: list[Path], json: bool, provider: str, tier: str, **_: Any) -> None:
        judge = CheckCriteria(clip_limits(provider, tier), studio_thresholds(provider, tier))
        if not has_database():
            self.stderr.write(NO_DATABASE, style_func=str)
        files = list(found_in(paths))
        told: list[Report] = []
        for number, path in enumerate(files):
            self._progress(path, number, len(files), 0, 1)
            told += generate_reports(path, judge, partial(self._progress, path, number, len(files)))
        self._progress(Path(), len(files), len(files), 0, 1, end="\n")
        self.stdout.write(as_json(told) if json else "\n\n".join(in_words(one) for one in told))

    def _progress(self, path: Path, number: int, files: int, done: int, parts: int, end: str = "") -> None:
        """One line that is drawn over and over; what is done within an archive moves it as well."""
        if self.stderr.isatty():
            share = (number + done / max(1, parts)) / max(1, files)
            bar = "█" * round(share * BAR)
            line = f"\r\x1b[K{bar:░<{BAR}} {share:4.0%}  {number} of {files} files  {shown_name(path.name)}"
            self.stderr.write(line + end, style_func=str, ending="")


def shown_name(name: str) -> str:
    """As much of a name as a line has room for, with nothing that a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in name[:SHOWN])


def studio_thresholds(provider: str | None, tier: str | None) -> Thresholds:
    """As an admin has set them; where no studio has been set up yet, nothing has been changed."""
    return load_thresholds(provider or "", tier or "") if has_database() else THRESHOLDS


def has_database() -> bool:
    """Whether a studio was set up here. A SQLite file that is not there stays so: to ask it is to make it."""
    if connection.vendor == "sqlite" and not _is_there(connection.settings_dict["NAME"]):
        return False
    try:
        tables = connection.introspection.table_names()
    except DatabaseError:
        return False
    return {LimitOverride._meta.db_table, ThresholdOverride._meta.db_table} <= set(tables)


def _is_there(name: str | Path) -> bool:
    """The tests have theirs in memory."""
    return "mode=memory" in str(name) or Path(name).exists()


def clip_limits(provider: str | None, tier: str | None) -> DurationLimits:
    """How long a clip may be at this provider, in this tier, as an admin may have put it right."""
    if not provider and not tier:
        return CLIP_LIMITS
    known = tier_limits(provider, tier)
    return DurationLimits(known.get("shortest_clip", 0), known.get("longest_clip", math.inf))


def tier_limits(provider: str | None, tier: str | None) -> dict[str, float]:
    """All limits of this tier by name; CommandError if there is no such tier."""
    if not provider or not tier:
        raise CommandError("Give --provider and --tier together.")
    capabilities = registry.get_provider_class(provider).tiers.get(Tier(tier))
    if capabilities is None:
        raise CommandError(f"{registry.get_provider_label(provider)} has no tier {tier}.")
    limits = get_limits(capabilities, provider) if has_database() else capabilities.limits
    return {name: limit.value for name, limit in limits.items()}


def found_in(paths: list[Path]) -> Iterator[Path]:
    """The files themselves, and those below the folders, by name; links in folders are not followed."""
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
        else:
            yield path


def as_json(told: list[Report]) -> str:
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


def in_words(one: Report) -> str:
    """One file for people: its format, then a line for each finding."""
    known = one["format"]
    read = f"{known['seconds']:.1f} s, {known['sample_rate']:,} Hz" if known else ""
    head = f"{one['path']}: {(read or 'an archive') if one['ok'] else 'cannot be used'}"
    lines = [
        f"  {said['severity']:9} {said['code']:20} {_place(said)}{said['text']} {said['advice']}"
        for said in one["findings"]
    ]
    return "\n".join([head, *(lines or ["  nothing to complain about"])]).encode("utf-8", "replace").decode()


def _place(said: dict[str, Any]) -> str:
    return "" if said["at"] is None else f"at {said['at']:.2f} s: "
