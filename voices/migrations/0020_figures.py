"""Figures of each recording in columns of their own, for sorting, plots and the choice of the best recordings.

They are computed from the stored results of the checks, as the checks did when the columns were added. A figure whose
source cannot be read stays empty.
On PostgreSQL, uploads wait meanwhile: some seconds for 20,000 recordings.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models.functions import Cast, Length

CHUNK = 500
# The results as text: a damaged value would fail, or not be what it seems, when Django reads it as JSON.
RESULTS: dict[str, type] = {"levels": dict, "measures": dict, "findings": list, "set_findings": list}
SEVERITIES = {"put_right": 1, "look": 2, "refused": 3}
NO_SPEECH_CODES = ("silent", "no_speech")
MARKED = models.Q(is_silent=True) | models.Q(is_outlier=True) | ~models.Q(discard_reason="")
FIGURES = ("quality", "signal_to_noise", "loudness", "worst_severity", "selection_quality", "warning_codes")
ORDERS = {
    "recording_by_worst_quality": ("quality", 1000),
    "recording_by_best_quality": ("quality", -1000),
    "recording_by_severity": ("worst_severity", -1000),
    "recording_by_noise": ("signal_to_noise", 1000),
    "recording_by_quietest": ("loudness", 1000),
    "recording_by_loudest": ("loudness", -1000),
}


def fill_figures(apps: StateApps, _editor: BaseDatabaseSchemaEditor | None) -> None:
    recordings = apps.get_model("voices", "Recording").objects
    for pk, seconds, *texts in read_results(recordings.order_by("pk")):
        results = [read_json(text, kind) for text, kind in zip(texts, RESULTS.values(), strict=True)]
        try:
            figures = compute_figures(seconds, *results)
        except (AttributeError, ArithmeticError, KeyError, TypeError, ValueError):  # JSON of another shape
            continue
        recordings.filter(pk=pk).update(**{name: figures[name] for name in FIGURES})


def read_results(recordings: Any) -> Iterator[tuple[Any, ...]]:
    """The id, the duration and the results of each recording. Few are in memory at once, and no read meets a write."""
    rows = recordings.annotate(**{f"{name}_text": Cast(name, models.TextField()) for name in RESULTS})
    values = rows.values_list("pk", "seconds", *(f"{name}_text" for name in RESULTS))
    chunk = list(values[:CHUNK])
    while chunk:
        yield from chunk
        chunk = list(values.filter(pk__gt=chunk[-1][0])[:CHUNK])


def read_json(text: str, kind: type) -> Any:
    """None if the text is not JSON of this kind."""
    try:
        value = json.loads(text)
    except (RecursionError, TypeError, ValueError):
        return None
    return value if isinstance(value, kind) else None


def compute_figures(seconds: float, levels: Any, measures: Any, findings: Any, set_findings: Any) -> dict[str, Any]:
    """Each of `FIGURES`. A figure whose source is None, because it could not be read, is None too."""
    noise, loudness = compute_sound_figures(levels, measures, findings)
    both = [*(findings or ()), *(set_findings or ())]
    severity = max((SEVERITIES.get(str(one["severity"]), 2) for one in both), default=0)
    codes = " ".join(dict.fromkeys(str(one["code"]) for one in both if one["severity"] == "look"))
    is_known = findings is not None and set_findings is not None
    return {
        "quality": None if measures is None else read_number((measures.get("estimates") or {}).get("dnsmos_overall")),
        "signal_to_noise": noise,
        "loudness": loudness,
        "worst_severity": severity if is_known else None,
        "selection_quality": compute_selection_quality(seconds, levels, findings),
        "warning_codes": codes if is_known and len(codes) <= 500 else None,
    }


def compute_sound_figures(levels: Any, measures: Any, findings: Any) -> tuple[float | None, float | None]:
    """The signal-to-noise ratio and the loudness. Without speech, pages show neither."""
    if levels is None or measures is None or findings is None:
        return None, None
    sound = {**levels, **measures}
    if sound.get("speech_seconds") == 0 or any(one["code"] in NO_SPEECH_CODES for one in findings):
        return None, None
    return read_number(sound.get("snr_db")), read_number(sound.get("lufs"))


def compute_selection_quality(seconds: float, levels: Any, findings: Any) -> float | None:
    if levels is None or findings is None:
        return None
    if any(str(one["code"]) in NO_SPEECH_CODES for one in findings):
        return 0.0
    noise = min(1.0, max(0.05, (levels.get("snr_db", 40.0) - 10.0) / 30.0))
    clean = 1.0 - 0.15 * len(findings) - 30.0 * levels.get("clipped_share", 0.0)
    return float(noise * min(1.0, seconds / 3.0) * max(0.05, clean))


def read_number(value: object) -> float | None:
    """The value from JSON as a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


class Migration(migrations.Migration):
    dependencies = [("voices", "0019_page_indexes")]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="quality",
            field=models.FloatField(blank=True, editable=False, help_text="Estimated, from 1 to 5.", null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="signal_to_noise",
            field=models.FloatField(blank=True, editable=False, help_text="In decibels.", null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="loudness",
            field=models.FloatField(blank=True, editable=False, help_text="In LUFS.", null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="worst_severity",
            field=models.PositiveSmallIntegerField(
                blank=True,
                choices=[(0, "No finding"), (1, "Fixed"), (2, "Check this"), (3, "Not usable")],
                editable=False,
                help_text="Of its findings.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="recording",
            name="selection_quality",
            field=models.FloatField(
                blank=True,
                editable=False,
                help_text="By it, builds of the best recordings choose, from 0 to 1.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="recording",
            name="warning_codes",
            field=models.CharField(blank=True, editable=False, help_text="Of its findings.", max_length=500, null=True),
        ),
        migrations.RemoveIndex(model_name="recording", name="recording_counts"),
        migrations.RunPython(fill_figures, migrations.RunPython.noop),
        *(
            migrations.AddIndex(
                model_name="recording",
                index=models.Index(
                    "voice",
                    models.Func(models.F(column), template=f"COALESCE(%(expressions)s, {stand_in})"),
                    "id",
                    name=name,
                ),
            )
            for name, (column, stand_in) in ORDERS.items()
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(
                fields=[
                    *("voice", "status", "active", "analyzed_at", "checked_at", "seconds", "sample_rate"),
                    "warning_codes",
                ],
                name="recording_counts",
            ),
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(
                fields=[
                    *("voice", "file_name", "created_at", "id", "seconds", "sample_rate"),
                    *("selection_quality", "warning_codes", "active_by"),
                ],
                condition=models.Q(active=True, status="accepted"),
                name="recording_selection",
            ),
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(
                models.F("voice"),
                Length("transcript"),
                condition=models.Q(active=True, status="accepted"),
                name="recording_by_text_length",
            ),
        ),
        migrations.AddIndex(
            model_name="buildrecording",
            index=models.Index(
                fields=["build"],
                condition=MARKED & models.Q(has_report=True),
                name="build_recording_build_marked",
            ),
        ),
    ]
