"""The worker dies at any line of the journal, before or after it is committed; another one goes on.

Here the death is an exception that nothing of ours catches, so that every line can be tried; real processes are
killed in tests/processes.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from providers.types import Handover, Tier
from tests.support.sandbox import until
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease, run_task
from voices.models import Build, BuildStatus, RemoteVoice
from voices.services.builds import lifecycle, submit
from voices.services.builds.journal import BuildJournal
from voices.services.builds.spec import make_clip_name
from voices.services.recordings.store import set_active

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As SIGKILL: no handler of failures gets to see it."""


class Reaper:
    """Kills the worker at the write number `line` of the journal (from 1), just before or just after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines = self.line = 0
        self.after = False
        for name in ("before_call", "record_voice", "record_recording", "save_resume_state", "record_progress"):
            monkeypatch.setattr(BuildJournal, name, self._watched(getattr(BuildJournal, name)))
        # And what is written when a submit has come back.
        monkeypatch.setattr(submit, "mark_training", self._watched(lifecycle.mark_training))

    def _watched(self, write: Any) -> Any:
        def watched(*told: Any) -> None:
            self.lines += 1
            if self.lines == self.line and not self.after:
                raise Killed
            write(*told)
            if self.lines == self.line:
                raise Killed

        return watched

    def kill_at(self, line: int, *, after: bool) -> None:
        self.lines, self.line, self.after = 0, line, after


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


def die_and_go_on(harness: BuildHarness, build: Build) -> None:
    """Work, die, let the dead worker's lease end, and take over."""
    with pytest.raises(Killed):
        harness.run_tasks()
    leased = Task.objects.filter(status=TaskStatus.WAITING, lease__isnull=False)
    assert leased.update(lease_until=timezone.now() - timedelta(seconds=1)) == 1
    for task in leased:
        run_task(str(task.pk))


def trains(harness: BuildHarness, build: Build) -> bool:
    harness.run_tasks()
    build.refresh_from_db()
    return build.status == BuildStatus.TRAINING


def forget(build: Build) -> None:
    """End it on our side, so that the next build of the voice begins from nothing."""
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.FAILED, finished_at=timezone.now())
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(retired_at=timezone.now())


def test_killed_at_any_line_of_the_journal(harness: BuildHarness, reaper: Reaper) -> None:
    harness.sandbox.control("POST", "settings", {"training_seconds": 600.0})
    voice = harness.make_voice()
    forget(harness.reach_status(harness.start_build(voice), BuildStatus.TRAINING))
    lines = reaper.lines
    assert lines > 8
    for line in range(1, lines + 1):
        for after in (False, True):
            before = harness.count_billed()
            build = harness.start_build(voice)
            reaper.kill_at(line, after=after)
            die_and_go_on(harness, build)
            until(partial(trains, harness, build))
            assert harness.count_billed() - before == {"create_voice": 1, "build_voice": 1}, (line, after)
            assert set(harness.fetch_recordings(build)) == {make_clip_name(row) for row in voice.recordings.all()}
            forget(build)
    assert len(harness.list_requests("create_recording")) == 3 * (2 * lines + 1)


@pytest.mark.parametrize("tier", list(Tier))
def test_killed_at_any_line_of_a_rebuild_from_a_dataset(
    harness: BuildHarness, reaper: Reaper, live_server: Any, settings: Any, tier: Tier
) -> None:
    """A professional voice trains by itself on the dataset that it was made with, and on no later one."""
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    set_active(voice.recordings.get(file_name="rms-silent.wav"), False)
    reaper.kill_at(0, after=False)
    assert harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL)).status == BuildStatus.READY
    lines = reaper.lines
    for line in range(1, lines + 1):
        for after in (False, True):
            before = harness.count_billed()
            build = harness.start_build(voice, tier, Handover.DATASET_URL)
            reaper.kill_at(line, after=after)
            die_and_go_on(harness, build)
            assert harness.finish_build(build).status == BuildStatus.READY, (line, after)
            assert harness.count_billed() - before == {"build_voice": 1}, (line, after)


def test_lease_is_taken_anew_at_every_line(harness: BuildHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submit of many recordings may last for hours; each line says that the worker lives."""
    extended: list[int] = []
    extend = Lease.extend

    def counted(lease: Lease) -> None:
        extended.append(1)
        extend(lease)

    monkeypatch.setattr(Lease, "extend", counted)
    reaper = Reaper(monkeypatch)
    harness.finish_build(harness.start_build(harness.make_voice()))
    assert len(extended) >= reaper.lines
