"""What pages say about long work: counts, an expected end and its source, and why work waits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import Task, TaskStatus
from voices.models import Account, AccountMode, Build, BulkChange, RemoteFile, RemoteVoice, Voice, WorkKind
from voices.services.recordings.bulk import parts
from voices.services.recordings.bulk.transcripts import apply_transcripts
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK
from voices.services.work_samples import record_work

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HERE = "resemble_v2:rapid:sandbox"


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def read_build(client: Client, build: Build) -> str:
    return read_html(client.get(reverse("voices:build_progress", args=[build.pk])))


# --- Builds ------------------------------------------------------------------------------


def test_first_build_says_that_nothing_is_known(viewer_client: Client, studio: Studio) -> None:
    text = read_build(viewer_client, studio.make_build(training_at=ago(30)))
    assert "There is no earlier build of this kind to estimate from." in text
    assert " left" not in text and 'value="' not in text.partition("<progress")[2].partition(">")[0]


def test_training_shows_its_expected_end_and_what_it_is_learnt_from(viewer_client: Client, studio: Studio) -> None:
    for seconds in (500, 600, 900):
        record_work(WorkKind.TRAINING, HERE, seconds)
    record_work(WorkKind.TRAINING, "resemble_v2:rapid:live", 9)
    build = studio.make_build(training_at=ago(300))
    text = read_build(viewer_client, build)
    assert "About 5 min left." in text
    assert "The median of 3 earlier builds of this kind is 10 min." in text
    assert 'aria-valuenow="50"' in text and f"(50 %) Training – {build.voice.name}" in text
    Build.objects.filter(pk=build.pk).update(training_at=ago(2000))
    text = read_build(viewer_client, build)
    assert "Takes longer than usual (usually 10 min)." in text and 'aria-valuenow="95"' in text


def test_live_account_shows_what_the_vendor_states(viewer_client: Client, studio: Studio) -> None:
    Account.objects.update(mode=AccountMode.LIVE)
    text = read_build(viewer_client, studio.make_build(training_at=ago(20)))
    assert "Resemble AI states: in under a minute. There is no earlier build of this kind to estimate from." in text
    assert "About 40 s left." in text


def test_sending_shows_its_count_and_end(viewer_client: Client, studio: Studio) -> None:
    record_work(WorkKind.SENDING, f"{HERE}:recordings", 75, units=75)
    build = studio.make_build(
        status="submitting",
        submitted_at=ago(46),
        progress_message="Sending recordings",
        progress_done=46,
        progress_total=75,
    )
    text = read_build(viewer_client, build)
    assert "Sending 46 of 75 recordings, about 30 s left" in text
    assert f"(46/75) Sending – {build.voice.name}" in text


@pytest.mark.parametrize("status", ["training", "submitting"])
def test_paused_account_shows_no_moving_bar(viewer_client: Client, studio: Studio, status: str) -> None:
    record_work(WorkKind.TRAINING, HERE, 60)
    build = studio.make_build(status=status, training_at=ago(10))
    Account.objects.update(paused_at=timezone.now(), pause_reason="Holiday.")
    text = read_build(viewer_client, build)
    assert "<progress" not in text and "is paused." in text and "min left" not in text
    assert f'data-title="Waiting – {build.voice.name}"' in text


def test_build_that_waits_to_be_tried_again_says_so(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(
        status="queued", progress_message="The provider is busy. Trying again.", submitted_at=ago(5)
    )
    text = read_build(viewer_client, build)
    assert "The provider is busy. Trying again. Last tried at " in text and "<progress" not in text


def test_end_of_a_build_is_told_to_the_tab(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready", finished_at=timezone.now())
    assert f'data-work-result="build-{build.pk}" data-title="✓ Ready – {build.voice.name}"' in read_build(
        viewer_client, build
    )


def test_polls_of_active_builds_need_a_constant_number_of_queries(viewer_client: Client, studio: Studio) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert "About 1 min left." in read_html(viewer_client.get(reverse("voices:active_builds")))
        return len(queries)

    record_work(WorkKind.TRAINING, HERE, 60)
    studio.make_build(training_at=timezone.now())
    expected = count_queries()
    for _ in range(3):
        studio.make_build(training_at=timezone.now())
    assert count_queries() == expected


# --- Recordings --------------------------------------------------------------------------


@pytest.fixture
def read_table(viewer_client: Client, studio: Studio) -> Callable[[], str]:
    """A function that reads the table of a voice with four recordings. One is checked."""
    voice = studio.make_voice()
    rows = studio.make_recordings(voice, 4)
    Task.objects.filter(kind=ANALYZE_TASK).update(created_at=ago(4))
    voice.recordings.exclude(pk=rows[0].pk).update(analyzed_at=None)
    return lambda: read_html(viewer_client.get(reverse("voices:recording_table", args=[voice.pk])))


def test_table_counts_checked_recordings(read_table: Callable[[], str]) -> None:
    assert "1 of 4 checked" in read_table()
    record_work(WorkKind.ANALYSIS, "", 400, units=20)
    text = read_table()
    assert "1 of 4 checked, about 1 min left" in text
    assert "(1/4) Checking – Warm narrator" in text


def test_failed_check_says_what_to_do(read_table: Callable[[], str]) -> None:
    Task.objects.filter(kind=ANALYZE_TASK).update(reason="OSError", due_at=timezone.now() + timedelta(minutes=1))
    assert "3 recordings are not checked yet. The check failed, and starts again at" in read_table()
    Task.objects.filter(kind=ANALYZE_TASK).update(status=TaskStatus.FAILED)
    text = read_table()
    assert "3 recordings are not checked, because the check failed." in text and "<progress" not in text


def test_comparison_shows_how_many_recordings_it_compares(read_table: Callable[[], str]) -> None:
    task = Task.objects.get(kind=ANALYZE_TASK)
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.DONE)
    Task.objects.create(kind=COMPARE_TASK, object_id=task.object_id)
    record_work(WorkKind.COMPARISON, "", 100, units=20)
    assert "Comparing 4 recordings, about 20 s left" in read_table()


def test_transcripts_of_a_table_are_counted_until_they_are_set(
    read_table: Callable[[], str], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_SIZE", 1)
    voice = Voice.objects.get()
    rows = [{"id": row.pk.hex, "before": row.transcript, "after": "New."} for row in voice.recordings.all()]
    first = parts.record_parts(voice, studio.producer, rows)
    assert first and "transcripts set" not in read_table()
    apply_transcripts(first.pk, voice, studio.producer)
    text = read_table()
    assert "1 of 4 transcripts set" in text and "(1/4) Setting transcripts – Warm narrator" in text
    BulkChange.objects.filter(pk__in=[part.pk for part in parts.load_tables(voice)[0][:3]]).update(applied_at=ago(9))
    assert "3 of 4 transcripts set, a few seconds left" in read_table()
    Task.objects.filter(kind=parts.SET_TEXTS_TASK).update(status=TaskStatus.FAILED)
    text = read_table()
    assert "1 transcript is not set, because the setting failed. An admin can start it again" in text
    BulkChange.objects.filter(pk=first.pk).update(undone_at=ago(1))
    assert "2 transcripts are not restored, because the restoring failed." in read_table()
    BulkChange.objects.all().delete()
    assert "1 of 4 checked" in read_table()


# --- Deletions ---------------------------------------------------------------------------


@pytest.fixture
def remote(studio: Studio) -> RemoteVoice:
    """A voice that is being deleted, with five files. Three are deleted."""
    remote = studio.make_build(status="ready", finished_at=timezone.now()).remote_voice
    now = timezone.now()
    RemoteVoice.objects.update(deletion_requested_at=now, deletion_reason="No longer used.")
    for number in range(5):
        RemoteFile.objects.create(
            account=remote.account,
            remote_voice=remote,
            kind="recording",
            remote_id=f"file{number}",
            announced_at=now,
            deletion_requested_at=now,
            deleted_at=now if number < 3 else None,
        )
    return remote


REPEATS = "VoiceHub repeats the deletion until the provider confirms it"


def test_deletions_are_counted_and_say_what_is_usual(viewer_client: Client, remote: RemoteVoice) -> None:
    addresses = (reverse("voices:deletion_list"), remote.get_absolute_url())
    for address in addresses:
        text = read_html(viewer_client.get(address))
        assert "3 of 5 files deleted" in text and f"{REPEATS}." in text and "sually" not in text
    record_work(WorkKind.DELETION, "resemble_v2:sandbox", 2)
    record_work(WorkKind.FILES, "resemble_v2:sandbox", 7, units=5)
    listed, page = (read_html(viewer_client.get(address)) for address in addresses)
    assert "3 of 5 files deleted, usually 7 s" in listed and "3 of 5 files deleted, usually 7 s" in page
    assert f"{REPEATS}. Usually 2 s." in page and "This page updates itself." in page
    assert listed.count(REPEATS) == 1 and "Usually 2 s." in listed, "said once for all of the section"
    RemoteVoice.objects.update(deletion_requested_at=ago(60))
    text = read_html(viewer_client.get(remote.get_absolute_url()))
    assert "Takes longer than usual (usually 2 s)." in text


def test_running_deletions_are_polled_until_they_end(viewer_client: Client, remote: RemoteVoice) -> None:
    path = reverse("voices:running_deletions")
    token = viewer_client.get(path).context["change_token"]
    assert viewer_client.get(path, {"seen": token}).status_code == 204
    RemoteFile.objects.update(deleted_at=timezone.now())
    response = viewer_client.get(path, {"seen": token})
    assert response.status_code == 200 and "files deleted" not in read_html(response)
    RemoteVoice.objects.update(deleted_at=timezone.now())
    assert "every 5s" not in read_html(viewer_client.get(path))
