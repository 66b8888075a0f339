"""The progress of the task that works on an import, and what it says if the task has stopped."""

from typing import Any

from django.utils import timezone

from voicehub.models import Task, TaskStatus
from voicehub.text import format_clock
from voices.models import Import, ImportStatus, WorkKind
from voices.services.estimates import describe_end, estimate_counted
from voices.services.imports.rows import ADD_TASK, CHECK_TASK
from voices.services.work_samples import load_past_work
from voices.views.import_counts import ImportCounts
from voices.work_progress import WorkProgress, make_counted_progress


def load_import_progress(import_set: Import, counts: ImportCounts) -> WorkProgress | None:
    """What is under way. None if nothing is, also if the check failed for good."""
    left = counts.files["waiting"] + counts.files["joining"]
    is_adding = import_set.status == ImportStatus.ADDING
    is_checking = import_set.status == ImportStatus.OPEN and (left or import_set.work_started_at)
    if not is_adding and not is_checking:
        return None
    task = _find_task(import_set)
    if is_checking and not counts.files["joining"] and _has_failed(task):
        return None
    if problem := _explain_stop(task, "adding" if is_adding else "check"):
        return _make_progress(import_set, "Waiting", problem, is_stopped=True)
    # Until the check of these files begins, the row has the counts of the one before.
    has_begun = is_adding or import_set.work_started_at is not None
    done, total = (import_set.work_done, max(import_set.work_total, left)) if has_begun else (0, left)
    activity, act = ("Adding", "added") if is_adding else ("Checking", "checked")
    if not total:
        return _make_progress(import_set, activity, "Matching transcripts")
    if done >= total and not is_adding:
        return _make_progress(import_set, activity, "Matching transcripts", done=done, total=total)
    elapsed = (timezone.now() - import_set.work_started_at).total_seconds() if import_set.work_started_at else None
    kind = WorkKind.ADDING if is_adding else WorkKind.READING
    end = describe_end(estimate_counted(load_past_work([(kind, "")]).get((kind, "")), done, total, elapsed))
    return _make_progress(import_set, activity, f"{done:,} of {total:,} {act}", end=end, done=done, total=total)


def is_check_failed(import_set: Import) -> bool:
    """Whether the latest check failed for good, so that a person sees what it left."""
    return import_set.status == ImportStatus.OPEN and _has_failed(_find_task(import_set))


def _find_task(import_set: Import) -> Task | None:
    """The latest task that works on the import in its status."""
    kind = ADD_TASK if import_set.status == ImportStatus.ADDING else CHECK_TASK
    return Task.objects.filter(kind=kind, object_id=str(import_set.pk)).order_by("-created_at").first()


def _has_failed(task: Task | None) -> bool:
    return task is not None and task.status == TaskStatus.FAILED


def _explain_stop(task: Task | None, noun: str) -> str:
    """Why the task does not go on now. Empty if it does."""
    if task is None:
        return ""
    if task.status == TaskStatus.FAILED:
        return f"The {noun} failed. An admin can start it again under Tasks."
    if task.reason and task.due_at > timezone.now():
        return f"The {noun} failed, and starts again at {format_clock(task.due_at)}."
    return ""


def _make_progress(import_set: Import, activity: str, text: str, **amounts: Any) -> WorkProgress:
    return make_counted_progress(f"import-{import_set.pk}", activity, import_set.voice.name, text, **amounts)
