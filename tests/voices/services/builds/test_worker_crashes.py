"""The worker dies just before or after the commit of any journal write, and another worker continues.

The crash is an exception that VoiceHub does not catch, so a test can crash at every write. tests/processes kills
real processes.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from providers.types import Handover, Tier
from tests.support.sandbox import poll_until
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease, run_task
from voices.models import Build, BuildStatus, RemoteVoice
from voices.services.builds import lifecycle, submit
from voices.services.builds.journal import BuildJournal
from voices.services.builds.spec import make_clip_name
from voices.services.recordings.store import set_active

pytestmark = pytest.mark.django_db


class WorkerKilled(BaseException):
    """Stops the worker like SIGKILL: no failure handler catches it."""


class WorkerKiller:
    """Kills the worker just before or after the journal write with this number, counted from 1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.write_count = self.fatal_write = 0
        self.after = False
        for name in ("before_call", "record_voice", "record_recording", "save_resume_state", "record_progress"):
            monkeypatch.setattr(BuildJournal, name, self._wrap(getattr(BuildJournal, name)))
        # A submit that has returned is followed by one more write, mark_training.
        monkeypatch.setattr(submit, "mark_training", self._wrap(lifecycle.mark_training))

    def _wrap(self, write: Any) -> Any:
        def write_or_die(*args: Any) -> None:
            self.write_count += 1
            if self.write_count == self.fatal_write and not self.after:
                raise WorkerKilled
            write(*args)
            if self.write_count == self.fatal_write:
                raise WorkerKilled

        return write_or_die

    def kill_at(self, number: int, *, after: bool) -> None:
        self.write_count, self.fatal_write, self.after = 0, number, after


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> WorkerKiller:
    return WorkerKiller(monkeypatch)


def crash_and_take_over(harness: BuildHarness, build: Build) -> None:
    """Run tasks, crash, let the dead worker's lease end, and take over."""
    with pytest.raises(WorkerKilled):
        harness.run_tasks()
    leased = Task.objects.filter(status=TaskStatus.WAITING, lease__isnull=False)
    assert leased.update(lease_until=timezone.now() - timedelta(seconds=1)) == 1
    for task in leased:
        run_task(str(task.pk))


def is_training_after_run(harness: BuildHarness, build: Build) -> bool:
    harness.run_tasks()
    build.refresh_from_db()
    return build.status == BuildStatus.TRAINING


def abandon_build(build: Build) -> None:
    """End the build in VoiceHub only, so that the next build of the voice creates a new remote voice."""
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.FAILED, finished_at=timezone.now())
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(retired_at=timezone.now())


def test_crash_at_any_journal_write_bills_one_build(harness: BuildHarness, killer: WorkerKiller) -> None:
    harness.sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    voice = harness.make_voice()
    abandon_build(harness.reach_status(harness.start_build(voice), BuildStatus.TRAINING))
    writes = killer.write_count
    assert writes > 8
    for number in range(1, writes + 1):
        for after in (False, True):
            billed = harness.count_billed()
            build = harness.start_build(voice)
            killer.kill_at(number, after=after)
            crash_and_take_over(harness, build)
            poll_until(partial(is_training_after_run, harness, build))
            assert harness.count_billed() - billed == {"create_voice": 1, "build_voice": 1}, (number, after)
            assert set(harness.fetch_recordings(build)) == {make_clip_name(row) for row in voice.recordings.all()}
            abandon_build(build)
    assert len(harness.list_requests("create_recording")) == 3 * (2 * writes + 1)


@pytest.mark.parametrize("tier", list(Tier))
def test_crash_in_a_dataset_rebuild_bills_one_build(
    harness: BuildHarness, killer: WorkerKiller, live_server: Any, settings: Any, tier: Tier
) -> None:
    """A professional voice starts to train on the dataset that it was created with, but on no later one."""
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    set_active(voice.recordings.get(file_name="rms-silent.wav"), False)
    killer.kill_at(0, after=False)
    assert harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL)).status == BuildStatus.READY
    writes = killer.write_count
    for number in range(1, writes + 1):
        for after in (False, True):
            billed = harness.count_billed()
            build = harness.start_build(voice, tier, Handover.DATASET_URL)
            killer.kill_at(number, after=after)
            crash_and_take_over(harness, build)
            assert harness.finish_build(build).status == BuildStatus.READY, (number, after)
            assert harness.count_billed() - billed == {"build_voice": 1}, (number, after)


def test_lease_is_extended_at_every_journal_write(harness: BuildHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submit of many recordings may last for hours. Each write shows that its worker is alive."""
    extensions: list[int] = []
    extend = Lease.extend

    def extend_and_count(lease: Lease) -> None:
        extensions.append(1)
        extend(lease)

    monkeypatch.setattr(Lease, "extend", extend_and_count)
    killer = WorkerKiller(monkeypatch)
    harness.finish_build(harness.start_build(harness.make_voice()))
    assert len(extensions) >= killer.write_count
