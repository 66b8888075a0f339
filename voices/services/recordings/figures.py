"""The figures of a recording in columns of their own: tables sort by them, plots and selections read no JSON.

They repeat what the results of the checks say. `update_figures` follows every write of these results.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from audio.analysis.measures import has_no_speech, merge_measures
from audio.datasets.select import compute_levels_quality
from voicehub.json_fields import is_number
from voices.models import FindingSeverity, Recording
from voices.models.voice import WARNING_CODES_LENGTH
from voices.services.recordings.inclusion import list_warning_codes

Findings = Sequence[Mapping[str, Any]]

RATING = "dnsmos_overall"
SOURCES = ("seconds", "levels", "measures", "findings", "set_findings")
FIGURES = ("quality", "signal_to_noise", "loudness", "worst_severity", "selection_quality", "warning_codes")
BATCH_SIZE = 500
# As `voicehub.sound_report.SEVERITIES`: pages show an unknown severity as a warning.
SEVERITIES = {
    "put_right": FindingSeverity.FIXED,
    "look": FindingSeverity.WARNING,
    "refused": FindingSeverity.ERROR,
}


def set_figures(recording: Recording) -> None:
    """Set the figures of a row that is not saved yet."""
    figures = compute_figures(*(getattr(recording, name) for name in SOURCES))
    for name, figure in figures.items():
        setattr(recording, name, figure)


def update_figures(recordings: QuerySet[Recording]) -> None:
    """Compute the figures of these rows again. Call it in the transaction that wrote their results.

    The rows are then locked by that write, so that the figures are those of what is stored.
    """
    changed = []
    for row in recordings.only(*SOURCES, *FIGURES).order_by():
        before = [getattr(row, name) for name in FIGURES]
        set_figures(row)
        if before != [getattr(row, name) for name in FIGURES]:
            changed.append(row)
    Recording.objects.bulk_update(changed, FIGURES, batch_size=BATCH_SIZE)


def compute_figures(
    seconds: float,
    levels: Mapping[str, Any] | None,
    measures: Mapping[str, Any] | None,
    findings: Findings | None,
    set_findings: Findings | None,
) -> dict[str, Any]:
    """Each of `FIGURES`. A figure whose source is None, because it cannot be read, is None too."""
    return dict(zip(FIGURES, _list_figures(seconds, levels, measures, findings, set_findings), strict=True))


def _list_figures(
    seconds: float,
    levels: Mapping[str, Any] | None,
    measures: Mapping[str, Any] | None,
    findings: Findings | None,
    set_findings: Findings | None,
) -> Iterator[float | str | None]:
    yield None if measures is None else _read_number(measures.get("estimates") or {}, RATING)
    if levels is None or measures is None or findings is None:
        yield from (None, None)
    else:
        sound = merge_measures(levels, measures)
        is_silent = has_no_speech(sound, findings)
        # Without speech, pages show neither.
        yield from (None if is_silent else _read_number(sound, name) for name in ("snr_db", "lufs"))
    is_known = findings is not None and set_findings is not None
    both = [*(findings or ()), *(set_findings or ())]
    yield max(map(_rank_severity, both), default=FindingSeverity.NONE) if is_known else None
    if levels is None or findings is None:
        yield None
    else:
        yield compute_levels_quality(seconds, levels, [str(finding["code"]) for finding in findings])
    codes = " ".join(list_warning_codes(both))
    yield codes if is_known and len(codes) <= WARNING_CODES_LENGTH else None


def _rank_severity(finding: Mapping[str, Any]) -> int:
    return SEVERITIES.get(str(finding["severity"]), FindingSeverity.WARNING)


def _read_number(values: Mapping[str, Any], name: str) -> float | None:
    value = values.get(name)
    return float(value) if is_number(value) else None
