"""The progress of work on recordings: transcripts from a table, analysis and comparison."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voicehub.text import format_clock, format_count
from voices.models import Voice, WorkKind
from voices.services.estimates import PastWork, describe_end, estimate_counted, estimate_uncounted
from voices.services.recordings.bulk.parts import SET_TEXTS_TASK, count_recordings, list_due, load_tables
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK
from voices.services.work_samples import load_past_work
from voices.work_progress import WorkProgress, make_counted_progress

RECORDING_KEYS = ((WorkKind.ANALYSIS, ""), (WorkKind.COMPARISON, ""))


def make_work_progress(
    voice: Voice, counts: Mapping[str, Any], tasks: Mapping[str, Task], started_at: datetime | None
) -> WorkProgress | None:
    """“40 of 84 checked, about 1 min left”, “Comparing 84 recordings”. None if nothing is under way.

    Transcripts from a table come first: a person has just asked for them.

    `counts` are the recordings of the voice: `usable`, `waiting` for their analysis, and `fresh` ones analyzed since
    `started_at`. `tasks` are the waiting and the failed tasks by kind.
    """
    analysis, comparison, texts = tasks.get(ANALYZE_TASK), tasks.get(COMPARE_TASK), tasks.get(SET_TEXTS_TASK)
    if texts and (progress := _make_texts_progress(voice, texts)):
        return progress
    if counts["waiting"] and analysis:
        return _make_checking_progress(voice, counts, analysis, started_at)
    if comparison and comparison.status == TaskStatus.WAITING and counts["usable"]:
        return _make_comparison_progress(voice, counts["usable"], comparison)
    return None


def _make_texts_progress(voice: Voice, task: Task) -> WorkProgress | None:
    """“4500 of 20000 transcripts set”, of all tables that are not finished. None if there is none."""
    tables = [parts for parts in load_tables(voice) if list_due(parts)]
    if not tables:
        return None
    left = sum(count_recordings(list_due(parts)) for parts in tables)
    total = sum(count_recordings(parts) for parts in tables)
    first = tables[0][0]
    act, noun = ("restored", "restoring") if first.undone_at else ("set", "setting")
    if problem := _explain_stop(task, format_count(left, "transcript is", "transcripts are"), act, noun):
        return _make_recordings_progress(voice, problem, is_stopped=True)
    started_at = first.undone_at or first.applied_at
    elapsed = (timezone.now() - started_at).total_seconds() if started_at else None
    end = describe_end(estimate_counted(None, total - left, total, elapsed))
    text = f"{total - left} of {total} transcripts {act}"
    activity = f"{noun.capitalize()} transcripts"
    return _make_recordings_progress(voice, text, activity=activity, end=end, done=total - left, total=total)


def _make_checking_progress(
    voice: Voice, counts: Mapping[str, Any], task: Task, started_at: datetime | None
) -> WorkProgress:
    usable, waiting = counts["usable"], counts["waiting"]
    if problem := _explain_stop(task, format_count(waiting, "recording is", "recordings are"), "checked", "check"):
        return _make_recordings_progress(voice, problem, is_stopped=True)
    past = load_past_work(RECORDING_KEYS).get((WorkKind.ANALYSIS, ""))
    elapsed = (timezone.now() - started_at).total_seconds() if started_at else None
    end = describe_end(estimate_counted(past, counts["fresh"], counts["fresh"] + waiting, elapsed))
    done = usable - waiting
    return _make_recordings_progress(voice, f"{done} of {usable} checked", end=end, done=done, total=usable)


def _explain_stop(task: Task, they_are: str, act: str, noun: str) -> str:
    """Why the task does not go on now. Empty if it does."""
    if task.status == TaskStatus.FAILED:
        return f"{they_are} not {act}, because the {noun} failed. An admin can start it again under Tasks."
    if task.reason and task.due_at > timezone.now():
        return f"{they_are} not {act} yet. The {noun} failed, and starts again at {format_clock(task.due_at)}."
    return ""


def _make_comparison_progress(voice: Voice, usable: int, task: Task) -> WorkProgress:
    past = load_past_work(RECORDING_KEYS).get((WorkKind.COMPARISON, ""))
    elapsed = max(0.0, (timezone.now() - task.due_at).total_seconds())
    usual = past.per_unit * usable if past and past.per_unit else None
    estimate = estimate_uncounted(PastWork(past.count, usual, usual) if past and usual else None, elapsed)
    text = f"Comparing {format_count(usable, 'recording', 'recordings')}"
    return _make_recordings_progress(voice, text, activity="Comparing", end=describe_end(estimate))


def _make_recordings_progress(voice: Voice, text: str, activity: str = "Checking", **amounts: Any) -> WorkProgress:
    return make_counted_progress(f"recordings-{voice.pk}", activity, voice.name, text, **amounts)


def parse_time(text: object) -> datetime | None:
    """Parse a time from JSON or a query string. Returns None unless it is a time with a time zone."""
    try:
        time = parse_datetime(str(text))
    except ValueError:
        return None
    return time if time and timezone.is_aware(time) else None
