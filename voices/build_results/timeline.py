"""The steps of a build with their times, as far as they are stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from django.utils import timezone

from voicehub.text import format_duration
from voices.models import Build, BuildStatus

RESULT_TONES = {
    BuildStatus.READY: "good",
    BuildStatus.DATASET_ISSUE: "wait",
    BuildStatus.CONSENT_REJECTED: "bad",
    BuildStatus.FAILED: "bad",
    BuildStatus.CANCELED: "idle",
    BuildStatus.WITHDRAWN: "bad",
}

SENDING_STATUSES = {BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED}


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step. `state` is "done", "now", "next", or the tone of the result. It began at `at` and lasted `duration`.

    The result has no duration: it is reached, and does not end.

    `has_day` is True if the time alone would be read as of another day: of today, or of the step before.
    """

    label: str
    state: str
    at: datetime | None = None
    duration: str = ""
    has_day: bool = False


def make_timeline(build: Build, *, is_outdated: bool = False) -> list[TimelineStep]:
    """The steps of the build: queued, sending, training, result. Each name is true of the whole time of its step, so
    that no step reads as done at the time at which it began.
    """
    steps = [*_list_steps(build), _make_result(build, is_outdated=is_outdated)]
    return list(_add_days(_add_durations(steps)))


def _list_steps(build: Build) -> Iterator[TimelineStep]:
    """The steps before the result. Of a build that has ended, only those that it reached."""
    yield TimelineStep("Queued", "now" if build.status == BuildStatus.QUEUED else "done", build.created_at)
    if build.status == BuildStatus.CANCELED:
        return
    sending = TimelineStep("Sending", "next", build.submitted_at)
    training = TimelineStep("Training", "next", build.training_at)
    for step, statuses in ((sending, SENDING_STATUSES), (training, {BuildStatus.TRAINING})):
        if build.status in statuses:
            yield replace(step, state="now")
        elif step.at and (not build.is_active or build.status == BuildStatus.TRAINING):
            yield replace(step, state="done")
        elif build.is_active:
            yield step


def _make_result(build: Build, *, is_outdated: bool) -> TimelineStep:
    if build.is_active:
        return TimelineStep("Result", "next")
    if is_outdated:
        return TimelineStep("Was ready", "idle", build.finished_at)
    return TimelineStep(build.get_status_display(), RESULT_TONES[BuildStatus(build.status)], build.finished_at)


def _add_durations(steps: list[TimelineStep]) -> Iterator[TimelineStep]:
    for step, following in pairwise(steps):
        known = step.at is not None and following.at is not None and following.at >= step.at
        seconds = (following.at - step.at).total_seconds() if known and step.at and following.at else None
        yield replace(step, duration=_format_step(seconds) if seconds is not None else "")
    yield steps[-1]


def _add_days(steps: Iterable[TimelineStep]) -> Iterator[TimelineStep]:
    shown = timezone.localdate()
    for step in steps:
        day = timezone.localdate(step.at) if step.at else shown
        yield replace(step, has_day=day != shown)
        shown = day


def _format_step(seconds: float) -> str:
    return "under 1 s" if seconds < 0.5 else format_duration(seconds)
