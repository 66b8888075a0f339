"""No voiceprint is computed, and no result of one is kept, without the permission of the talent."""

import csv
import io
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audio.findings.findings import make_finding
from audio.networks import speaker_match
from consent.models import Take, TakeCheck
from consent.services import voice_comparison
from consent.services.take_checks import save_speaker_match
from consent.services.voice_comparison import build_question, record_answer
from tests.consent.rows import allow_comparison
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease
from voices.models import Build, BuildRecording, BuildStatus, Recording, Voice
from voices.services.recordings.comparison import SPEAKERS_NOT_COMPARED, compare_recordings
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.voiceprints import VoiceprintReader

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OTHER_SPEAKER = make_finding("other_speaker", score=0.1, limit=0.7).as_dict()
UNLIKE_LEVEL = make_finding("unlike_level", by=9.0, direction="louder").as_dict()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of samples of each voiceprint that was asked for."""
    calls: list[int] = []

    def compute_voiceprint(samples: Any, _rate: int) -> None:
        calls.append(len(samples))

    monkeypatch.setattr(speaker_match, "compute_voiceprint", compute_voiceprint)
    return calls


@pytest.fixture
def voice(studio: Studio) -> Voice:
    voice = studio.make_voice()
    studio.make_recordings(voice, 4)
    voice.recordings.update(analyzed_at=timezone.now())
    TakeCheck.objects.create(take=Take.objects.get(), checked_at=timezone.now())
    return voice


def claim_lease() -> Lease:
    task = Task.objects.create(kind="test", object_id=str(uuid4()))
    lease = outbox.claim_task(str(task.pk))
    assert lease
    return lease


def compare(voice: Voice) -> None:
    assert compare_recordings(str(voice.pk), claim_lease()) is None
    voice.refresh_from_db()


def answer(voice: Voice, *, is_allowed: bool) -> bool:
    return record_answer(voice.talent, build_question(voice.talent), is_allowed=is_allowed)


def store_results(voice: Voice) -> Recording:
    """Results as a comparison leaves them. Returns the recording that was left out as another person's."""
    allow_comparison(voice.talent)
    voice.recordings.update(speaker_result={"similarity": 0.9, "voiced_seconds": 3.0, "compared_with": 4})
    row = voice.recordings.all()[0]
    Recording.objects.filter(pk=row.pk).update(set_findings=[UNLIKE_LEVEL, OTHER_SPEAKER])
    update_figures(voice.recordings.all())
    update_inclusion(voice.recordings.all())
    Voice.objects.filter(pk=voice.pk).update(comparison={"text": "1 of 4 stand out.", "judged_together": 4})
    TakeCheck.objects.update(speaker={"verdict": "different", "score": 0.2})
    row.refresh_from_db()
    assert row.exclusion_code == "other_speaker"
    return row


def test_nothing_computes_a_voiceprint_without_an_answer(voice: Voice, computed: list[int]) -> None:
    compare(voice)
    Task.objects.create(kind="match_takes", object_id=str(voice.talent_id))
    run_due_tasks("match_takes")
    reader = VoiceprintReader(voice.talent_id, claim_lease())
    assert [reader.read(row.sound) for row in voice.recordings.all()] == [None] * 4
    assert computed == []
    assert not voice.recordings.exclude(speaker_result={}).exists() and TakeCheck.objects.get().speaker == {}
    assert voice.comparison["missing"] == SPEAKERS_NOT_COMPARED


def test_voiceprints_are_computed_with_a_yes_and_no_longer_after_a_no(voice: Voice, computed: list[int]) -> None:
    assert answer(voice, is_allowed=True)
    compare(voice)
    assert len(computed) == 5, "of four recordings and of the take"
    assert voice.comparison["missing"] != SPEAKERS_NOT_COMPARED
    assert answer(voice, is_allowed=False)
    compare(voice)
    assert len(computed) == 5
    assert voice.comparison["missing"] == SPEAKERS_NOT_COMPARED


def test_permission_of_one_talent_is_not_that_of_another(studio: Studio, voice: Voice, computed: list[int]) -> None:
    other = studio.make_voice("Other voice")
    allow_comparison(other.talent)
    compare(voice)
    assert computed == []


def test_permission_taken_back_while_a_comparison_runs_stops_it(
    voice: Voice, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(voice, is_allowed=True)

    def compute_and_take_back(samples: Any, _rate: int) -> None:
        computed.append(len(samples))
        answer(voice, is_allowed=False)

    monkeypatch.setattr(speaker_match, "compute_voiceprint", compute_and_take_back)
    assert compare_recordings(str(voice.pk), claim_lease()) is not None, "it runs again, without voiceprints"
    assert len(computed) == 1
    assert not voice.recordings.exclude(speaker_result={}).exists()
    save_speaker_match(Take.objects.get(), {"verdict": "same"})
    assert TakeCheck.objects.get().speaker == {}


def test_permission_taken_back_deletes_all_results_at_once(voice: Voice) -> None:
    row = store_results(voice)
    assert answer(voice, is_allowed=False)
    row.refresh_from_db()
    voice.refresh_from_db()
    assert [finding["code"] for finding in row.set_findings] == ["unlike_level"]
    assert row.warning_codes == "unlike_level" and row.active and not row.exclusion_code
    assert not voice.recordings.exclude(speaker_result={}).exists()
    assert voice.comparison == {"text": "1 of 4 stand out.", "missing": SPEAKERS_NOT_COMPARED}
    assert TakeCheck.objects.get().speaker == {}
    assert Task.objects.filter(kind="compare_recordings", status=TaskStatus.WAITING).exists(), "for the summary"


def freeze_codes(build: Build, row: Recording, codes: list[str]) -> BuildRecording:
    build.recordings.filter(recording=row).update(finding_codes=codes)
    return build.recordings.get(recording=row)


def test_builds_keep_no_finding_of_another_speaker(studio: Studio, voice: Voice) -> None:
    row, build = store_results(voice), studio.make_build(voice, BuildStatus.READY)
    frozen = freeze_codes(build, row, ["too_quiet", "other_speaker"])
    answer(voice, is_allowed=False)
    frozen.refresh_from_db()
    assert frozen.finding_codes == ["too_quiet"]


def test_upgrade_deletes_the_results_of_talents_who_were_not_asked(studio: Studio, voice: Voice) -> None:
    row = store_results(voice)
    voice.talent.comparison_answers.all()._raw_delete("default")
    frozen = freeze_codes(studio.make_build(voice, BuildStatus.READY), row, ["other_speaker"])
    Task.objects.all().delete()
    loader = MigrationLoader(connection)
    for name in (("consent", "0023_comparison_answers"), ("voices", "0027_forget_speakers")):
        operation = loader.get_migration(*name).operations[-1]
        assert isinstance(operation, RunPython)
        run: Any = operation.code  # its types are those of a migration's state
        run(apps, None)
    assert TakeCheck.objects.get().speaker == {}
    assert not voice.recordings.exclude(speaker_result={}).exists()
    run_due_tasks("compare_recordings")
    for each in (row, voice, frozen):
        each.refresh_from_db()
    assert row.active and "other_speaker" not in (row.warning_codes or "") and frozen.finding_codes == []
    assert voice.comparison["missing"] == SPEAKERS_NOT_COMPARED and "judged_together" not in voice.comparison


def test_pages_and_exports_say_not_compared(voice: Voice, producer_client: Client) -> None:
    export, pages = reverse("voices:recordings_export", args=[voice.pk]), [voice.get_readiness_url()]
    compare(voice)
    pages.append(voice.get_absolute_url())
    for url in pages:
        page = read_html(producer_client.get(url))
        assert "not compared" in page and "The talent has not allowed the voice comparison." in page, url
    lines = list(csv.DictReader(io.StringIO(producer_client.get(export).getvalue().decode("utf-8-sig"))))
    assert {line["speaker"] for line in lines} == {"not compared"}
    store_results(voice)
    lines = list(csv.DictReader(io.StringIO(producer_client.get(export).getvalue().decode("utf-8-sig"))))
    assert {line["speaker"] for line in lines} == {"similarity to the others 0.90"}
    assert "not allowed the voice comparison" not in read_html(producer_client.get(voice.get_readiness_url()))


def test_results_of_other_talents_stay(studio: Studio, voice: Voice) -> None:
    store_results(voice)
    other = studio.make_talent("Nils Holm")
    allow_comparison(other)
    record_answer(other, build_question(other), is_allowed=False)
    assert voice.recordings.exclude(speaker_result={}).count() == 4
    assert TakeCheck.objects.get().speaker["verdict"] == "different"


def test_yes_starts_the_comparison_of_takes_and_recordings(voice: Voice) -> None:
    Task.objects.all().delete()
    answer(voice, is_allowed=True)
    due = {(task.kind, task.object_id) for task in Task.objects.filter(status=TaskStatus.WAITING)}
    assert due == {("compare_recordings", str(voice.pk)), ("match_takes", str(voice.talent_id))}


def test_checked_take_is_compared_only_with_permission(voice: Voice) -> None:
    from consent import extension_points

    Task.objects.all().delete()
    extension_points.compare_takes(voice.talent)
    assert not Task.objects.exists()
    allow_comparison(voice.talent)
    extension_points.compare_takes(voice.talent)
    assert [task.kind for task in Task.objects.all()] == ["match_takes"]


def test_reading_the_answer_needs_no_row_of_the_talent() -> None:
    assert not voice_comparison.is_comparison_allowed(uuid4())
