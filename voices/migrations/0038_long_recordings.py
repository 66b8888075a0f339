"""Recordings that were refused only for their length become usable, with a finding. No audio is read here.

Until now a recording of more than 60 seconds was refused. Those that were in no build stay out of builds until a person
includes them, so that the next build of a voice sends what it would have sent before. A task analyzes them.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models.functions import Cast

CHUNK = 500
ANALYZE_TASK = "examine_recordings"
LONGEST_CLIP, LONGEST_RECORDING = 60.0, 7200.0
LONG_ADVICE = "Cut it into clips, or build where it is taken whole."
TOO_LONG_ADVICE = "Split it at a pause."
LENGTH_CODES = ("too_long", "long")


def accept_long(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    recordings, voices = apps.get_model("voices", "Recording").objects, set()
    refused = recordings.filter(status="refused", seconds__gt=LONGEST_CLIP, seconds__lte=LONGEST_RECORDING)
    for pk, voice, seconds, findings in read_rows(refused, "voice_id"):
        if list_errors(findings) == ["too_long"]:
            accepted = replace_length(findings, make_long(seconds))
            warnings = dict.fromkeys(str(one["code"]) for one in accepted if one["severity"] == "look")
            figures = {"worst_severity": 2, "selection_quality": None, "warning_codes": " ".join(warnings)[:500]}
            out = {"active": False, "active_by": "check", "exclusion_code": "long"}
            recordings.filter(pk=pk).update(status="accepted", findings=accepted, **figures, **out)
            voices.add(voice)
    accept_long_clips(apps.get_model("voices", "ImportClip").objects)
    tasks = apps.get_model("voicehub", "Task").objects
    for voice in voices:
        tasks.get_or_create(kind=ANALYZE_TASK, object_id=str(voice), status="waiting")


def accept_long_clips(clips: Any) -> None:
    long = clips.filter(is_long=True, is_usable=False, seconds__lte=LONGEST_RECORDING)
    for pk, seconds, findings in read_rows(long):
        clips.filter(pk=pk).update(is_usable=True, findings=replace_length(findings, make_long(seconds)))


def refuse_long(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """For the version before, they are too long again. What a split made of them stays."""
    recordings = apps.get_model("voices", "Recording").objects
    for pk, seconds, findings in read_rows(recordings.filter(seconds__gt=LONGEST_CLIP, seconds__lte=LONGEST_RECORDING)):
        if any(one["code"] == "long" for one in findings):
            refused = replace_length(findings, make_too_long(seconds))
            recordings.filter(pk=pk).update(findings=refused, worst_severity=3, warning_codes=None)
            out = {"active": False, "active_by": "", "exclusion_code": ""}
            recordings.filter(pk=pk, status="accepted").update(status="refused", **out)
    clips = apps.get_model("voices", "ImportClip").objects
    for pk, seconds, findings in read_rows(clips.filter(is_long=True, is_usable=True)):
        clips.filter(pk=pk).update(is_usable=False, findings=replace_length(findings, make_too_long(seconds)))


def read_rows(rows: Any, *fields: str) -> Iterator[tuple[Any, ...]]:
    """The id, the fields, the duration and the findings of rows, those with readable findings, in chunks."""
    text = Cast("findings", models.TextField())
    values = rows.order_by("pk").annotate(findings_text=text).values_list("pk", *fields, "seconds", "findings_text")
    chunk = list(values[:CHUNK])
    while chunk:
        for *row, stored in chunk:
            if (findings := read_findings(stored)) is not None:
                yield (*row, findings)
        chunk = list(values.filter(pk__gt=chunk[-1][0])[:CHUNK])


def read_findings(text: str) -> list[Any] | None:
    """None if the text is no list of findings."""
    try:
        found = json.loads(text)
    except (RecursionError, TypeError, ValueError):
        return None
    return found if isinstance(found, list) and all(map(is_finding, found)) else None


def is_finding(value: object) -> bool:
    return isinstance(value, dict) and {"code", "severity"} <= value.keys()


def list_errors(findings: list[Any]) -> list[str]:
    return [str(one["code"]) for one in findings if one["severity"] == "refused"]


def replace_length(findings: list[Any], length: dict[str, Any]) -> list[Any]:
    return [length if one["code"] in LENGTH_CODES else one for one in findings]


def make_long(seconds: float) -> dict[str, Any]:
    text = (
        f"It lasts {int(seconds) // 60} min {int(seconds) % 60} s. Some providers take at most {LONGEST_CLIP:g} seconds"
        " in one recording."
    )
    return {"severity": "look", "code": "long", "text": text, "advice": LONG_ADVICE, "at": None}


def make_too_long(seconds: float) -> dict[str, Any]:
    text = f"It lasts {seconds:.1f} seconds; at most {LONGEST_CLIP:g} are allowed."
    return {"severity": "refused", "code": "too_long", "text": text, "advice": TOO_LONG_ADVICE, "at": None}


class Migration(migrations.Migration):
    dependencies = [("voices", "0037_import_totals"), ("voicehub", "0008_task_of_object")]

    operations = [migrations.RunPython(accept_long, refuse_long)]
