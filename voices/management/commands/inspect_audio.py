"""Check audio files on the command line, with the same checks as when files are uploaded."""

import json
import math
from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.inspection import DurationLimits
from audio.report import CheckCriteria, Report, generate_folder_reports, generate_reports
from providers import registry
from providers.types import Capabilities, Limit, Tier
from voicehub.models import ThresholdOverride
from voicehub.threshold_overrides import load_thresholds
from voices.models.limits import LimitOverride, get_limits
from voices.models.recording_lengths import RECORDING_LIMITS
from voices.services.builds.lengths import find_length_limit

BAR_WIDTH = 24
MAX_NAME_CHARACTERS = 40
NO_DATABASE = "No studio database found. The built-in limits are used."


class Command(BaseCommand):
    help = "Check audio files, also in folders and archives, and print the findings for each file."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths",
            nargs="+",
            metavar="PATH",
            type=Path,
            help="a file, a folder, or an archive (.zip, .tar, .tar.gz …)",
        )
        parser.add_argument("--json", action="store_true", help="print a list with one object per file")
        parser.add_argument(
            "--provider", choices=sorted(registry.PROVIDERS), help="check against this provider's limits"
        )
        parser.add_argument("--tier", choices=[tier.value for tier in Tier], help="the provider's tier")

    def handle(self, *, paths: list[Path], json: bool, provider: str, tier: str, **_: Any) -> None:
        criteria = CheckCriteria(get_clip_limits(provider, tier), get_thresholds(provider, tier))
        if not has_database():
            self.stderr.write(NO_DATABASE, style_func=str)
        reports: list[Report] = []
        for number, path in enumerate(paths):
            if path.is_dir():
                reports += generate_folder_reports(path, criteria, self._show_progress)
            else:
                self._show_progress(path, number, len(paths))
                reports += generate_reports(path, criteria, partial(self._show_progress, path, number, len(paths)))
        self._show_progress(Path(), len(paths), len(paths), end="\n")
        self.stdout.write(format_json(reports) if json else "\n\n".join(map(format_report, reports)))

    def _show_progress(self, path: Path, number: int, files: int, done: int = 0, parts: int = 1, end: str = "") -> None:
        """Redraw the progress line of the run or of a folder. `done` of `parts` is the progress within one file."""
        if self.stderr.isatty():
            share = (number + done / max(1, parts)) / max(1, files)
            bar = "█" * round(share * BAR_WIDTH)
            line = f"\r\x1b[K{bar:░<{BAR_WIDTH}} {share:4.0%}  {number} of {files} files  {clean_name(path.name)}"
            self.stderr.write(line + end, style_func=str, ending="")


def clean_name(name: str) -> str:
    """The start of a file name, with control characters replaced, because a terminal would interpret them."""
    return "".join(char if char.isprintable() else "?" for char in name[:MAX_NAME_CHARACTERS])


def get_thresholds(provider: str | None, tier: str | None) -> Thresholds:
    """The studio's thresholds, or the built-in ones if there is no studio database."""
    return load_thresholds(provider or "", tier or "") if has_database() else THRESHOLDS


def has_database() -> bool:
    """Whether there is a studio database. Checks for the SQLite file first, because connecting would create it."""
    if connection.vendor == "sqlite" and not _sqlite_database_exists(connection.settings_dict["NAME"]):
        return False
    try:
        tables = connection.introspection.table_names()
    except DatabaseError:
        return False
    return {LimitOverride._meta.db_table, ThresholdOverride._meta.db_table} <= set(tables)


def _sqlite_database_exists(name: str | Path) -> bool:
    """Whether the SQLite database exists. A database in memory, which tests use, always exists."""
    return "mode=memory" in str(name) or Path(name).exists()


def get_clip_limits(provider: str | None, tier: str | None) -> DurationLimits:
    """The allowed length of a recording at this provider and tier, with the limits that an admin has overridden.

    A length that only some of the tier's handovers take is long, one that none takes is too long.
    """
    if not provider and not tier:
        return RECORDING_LIMITS
    capabilities, limits = _find_tier(provider, tier)
    longest = [find_length_limit(capabilities, limits, handover).seconds for handover in capabilities.handover]
    shortest = limits["shortest_clip"].value if "shortest_clip" in limits else 0
    return DurationLimits(shortest, min(max(longest), RECORDING_LIMITS.max_seconds), min(longest))


def get_tier_limits(provider: str | None, tier: str | None) -> dict[str, float]:
    """All limits of this tier, by the name of the limit. Raises CommandError if the provider has no such tier."""
    _capabilities, limits = _find_tier(provider, tier)
    return {name: limit.value for name, limit in limits.items()}


def _find_tier(provider: str | None, tier: str | None) -> tuple[Capabilities, Mapping[str, Limit]]:
    if not provider or not tier:
        raise CommandError("Give --provider and --tier together.")
    capabilities = registry.get_provider_class(provider).tiers.get(Tier(tier))
    if capabilities is None:
        raise CommandError(f"{registry.get_provider_label(provider)} has no tier {tier}. Choose another --tier.")
    return capabilities, get_limits(capabilities, provider) if has_database() else capabilities.limits


def format_json(reports: list[Report]) -> str:
    """The reports as strict JSON in ASCII. Names of invalid Unicode are escaped. NaN and infinity become null."""
    return json.dumps([_make_json_value(report) for report in reports], indent=2, ensure_ascii=True, allow_nan=False)


def _make_json_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _make_json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_make_json_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def format_report(report: Report) -> str:
    """A report for people: the format, then a line for each finding."""
    audio_format = report["format"]
    format_text = f"{audio_format['seconds']:.1f} s, {audio_format['sample_rate']:,} Hz" if audio_format else ""
    head = f"{report['path']}: {(format_text or 'an archive') if report['ok'] else 'cannot be used'}"
    lines = [
        f"  {finding['severity']:9} {finding['code']:20} {_format_time(finding)}{finding['text']} {finding['advice']}"
        for finding in report["findings"]
    ]
    return "\n".join([head, *(lines or ["  no problems found"])]).encode("utf-8", "replace").decode()


def _format_time(finding: dict[str, Any]) -> str:
    return "" if finding["at"] is None else f"at {finding['at']:.2f} s: "
