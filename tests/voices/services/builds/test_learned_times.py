"""Each kind of long work is measured when it ends, so that later work of its kind has an expected end."""

import pytest
from django.utils import timezone

from providers.types import Handover
from tests.support.task_runner import run_due_tasks
from tests.voices.services.builds.build_harness import BuildHarness
from tests.voices.services.builds.test_flow import replace_take
from voicehub import outbox
from voicehub.models import Task
from voices.models import BuildStatus, WorkKind, WorkSample
from voices.services.deletion import request_deletion

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def list_samples() -> dict[str, tuple[str, int]]:
    return {sample.kind: (sample.key, sample.units) for sample in WorkSample.objects.order_by("pk")}


def test_build_and_deletion_teach_their_times(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    build = harness.finish_build(harness.start_build(voice))
    assert build.status == BuildStatus.READY
    place = f"{harness.provider}:rapid:sandbox"
    samples = list_samples()
    assert samples[WorkKind.SENDING] == (f"{place}:{Handover.RECORDINGS}", 3)
    assert samples[WorkKind.TRAINING] == (place, 0)
    request_deletion(build.remote_voice, harness.producer, "No longer needed.")
    harness.run_tasks(2)
    assert list_samples()[WorkKind.DELETION] == (f"{harness.provider}:sandbox", 0)
    voice.recordings.update(analyzed_at=None)
    outbox.enqueue_task("examine_recordings", voice.pk)
    run_due_tasks("examine_recordings")
    Task.objects.filter(kind="compare_recordings").update(due_at=timezone.now())
    run_due_tasks("compare_recordings")
    samples = list_samples()
    assert samples[WorkKind.ANALYSIS] == ("", 3)
    assert samples[WorkKind.COMPARISON] == ("", 3)


def test_refused_build_teaches_no_training_time(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    replace_take(voice, "rms-silent")
    build = harness.finish_build(harness.start_build(voice))
    assert build.status == BuildStatus.CONSENT_REJECTED
    assert WorkKind.TRAINING not in list_samples()
