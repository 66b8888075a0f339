"""From start to report, through the real adapter and a real sandbox; tasks are run as a worker runs them."""

import hashlib
import json
from typing import Any

import pytest
import requests

from consent.models import Take
from providers import registry
from providers.types import Handover, Tier
from tests.support.sandbox import until
from tests.support.work import HEARING
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness, load_sample, make_upload
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voicehub.tokens import derive_token
from voices.models import Build, BuildStatus, DatasetFetch, RemoteVoice, Voice
from voices.services.builds.dataset import URL_LIFETIME
from voices.services.builds.scores import order_worst_first
from voices.services.builds.spec import make_callback_url, make_clip_name, make_dataset_url
from voices.services.builds.start import BuildRefused
from voices.services.recordings.store import delete_recording, set_active, set_transcript
from voices.services.remote_voices import delete_remote_voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SCORES = {"voice_similarity", "fluency", "pauses", "resemble_score"}


def put_in_place_of_take(voice: Voice, name: str) -> None:
    """Let the take of the consent be another sound."""
    take = Take.objects.get(consent__talent=voice.talent)
    take.file.storage.delete(str(take.file.name))
    take.file.storage.save(str(take.file.name), make_upload(name))
    Take._base_manager.filter(pk=take.pk).update(sha256=hashlib.sha256(load_sample(name)).hexdigest())


def sent(build: Build) -> set[str]:
    return {make_clip_name(row.recording) for row in build.recordings.select_related("recording")}


@pytest.mark.parametrize("tier", list(Tier))
def test_build_from_recordings_becomes_ready_with_its_scores(harness: BuildHarness, tier: Tier) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice(), tier))
    assert build.status == BuildStatus.READY, build.issue
    assert set(build.scores) == SCORES
    assert all(0 <= score <= 1 for score in build.scores.values())
    assert build.raw_status == "finished"
    assert build.raw_response["uuid"] == build.remote_voice.remote_id
    assert build.finished_at
    assert build.training_at
    assert build.submitted_at
    assert build.finished_at >= build.training_at >= build.submitted_at
    assert (build.pending_call, build.progress_message) == ("", "")
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}
    assert len(harness.list_requests("create_recording")) == 3
    assert harness.fetch_voice(build)["voice_type"] == tier
    assert set(harness.fetch_recordings(build)) == sent(build)
    assert not Task.objects.exclude(status="done").exclude(kind__in=HEARING).exists()


def test_name_at_the_provider_says_nothing_of_the_talent(harness: BuildHarness) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    there = json.dumps(harness.fetch_voice(build))
    assert harness.fetch_voice(build)["name"] == build.remote_voice.reference
    assert "Tilda" not in there
    assert "Narrator" not in there


def test_dataset_issue_marks_what_only_the_callback_says(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    build = harness.start_build(harness.make_voice("slt-01", "slt-02", "slt-03", "rms-wrong-speaker", "rms-silent"))
    harness.reach_status(build, BuildStatus.TRAINING)
    until(build.callbacks.exists)
    build = harness.finish_build(build)
    assert build.status == BuildStatus.DATASET_ISSUE
    assert "no speech" in build.issue
    rows = {row.recording.title: row for row in order_worst_first(build)}
    assert list(rows)[:2] == ["rms-silent", "rms-wrong-speaker"]
    assert rows["rms-silent"].is_silent
    assert rows["rms-wrong-speaker"].is_outlier
    for told in ("rms-silent", "rms-wrong-speaker"):
        assert rows[told].from_callback
        assert rows[told].has_report
    for name in SLT_CLIPS:
        assert rows[name].has_report
        assert not rows[name].from_callback
        assert rows[name].stoi is None
        assert rows[name].sample_score is not None
    assert rows["rms-wrong-speaker"].stoi is not None
    assert rows["rms-wrong-speaker"].si_sdr is not None


def test_dataset_issue_without_a_callback_is_found_by_asking(harness: BuildHarness) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent")))
    assert build.status == BuildStatus.DATASET_ISSUE
    rows = list(build.recordings.all())
    assert all(row.has_report and not row.from_callback for row in rows)
    assert all(row.is_silent is None for row in rows)


def test_refused_consent_ends_the_remote_voice(harness: BuildHarness) -> None:
    """It is retired and deleted over there; the next build makes another one."""
    voice = harness.make_voice()
    put_in_place_of_take(voice, "rms-silent")
    build = harness.finish_build(harness.start_build(voice))
    assert build.status == BuildStatus.CONSENT_REJECTED
    assert build.raw_status == "consent_validation_failed"
    harness.run_tasks()
    first = RemoteVoice.objects.get(pk=build.remote_voice_id)
    assert first.retired_at
    assert first.deleted_at
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1, "delete_voice": 1}
    put_in_place_of_take(voice, "consent-slt")
    again = harness.finish_build(harness.start_build(voice))
    assert again.status == BuildStatus.READY
    assert again.remote_voice_id != first.pk
    assert again.remote_voice.reference != first.reference
    assert harness.count_billed()["create_voice"] == 2


def test_deletion_is_tried_until_it_is_done(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    remote = build.remote_voice
    sandbox.faults(*({"operation": "delete_voice", "do": "status:500", "nth": n} for n in (1, 2, 3)))
    for _ in range(3):
        assert delete_remote_voice(str(remote.pk)) is not None
        remote.refresh_from_db()
        assert remote.deleted_at is None
    assert delete_remote_voice(str(remote.pk)) is None
    remote.refresh_from_db()
    assert remote.deleted_at
    assert delete_remote_voice(str(remote.pk)) is None
    assert harness.count_requests("DELETE") == 4


# --- the dataset's address --------------------------------------------------------------


@pytest.mark.parametrize("tier", list(Tier))
def test_dataset_is_fetched_from_the_address_of_the_build(
    harness: BuildHarness, live_server: Any, settings: Any, tier: Tier
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice()
    voice.recordings.update(transcript="Two\nlines | and a bar.")
    build = harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    assert build.status == BuildStatus.READY, build.issue
    assert set(build.scores) == SCORES
    by_itself = tier is Tier.PROFESSIONAL
    assert harness.count_billed() == ({"create_voice": 1} if by_itself else {"create_voice": 1, "build_voice": 1})
    assert not harness.list_requests("create_recording")
    assert DatasetFetch.objects.filter(build=build).count() == 1
    if by_itself:
        assert harness.fetch_recordings(build) == dict.fromkeys(sent(build), "Two lines and a bar.")
    assert requests.get(make_dataset_url(build), timeout=60).status_code == 404


@pytest.mark.parametrize("tier", list(Tier))
def test_second_dataset_is_built_on_a_call(harness: BuildHarness, live_server: Any, settings: Any, tier: Tier) -> None:
    """A voice that exists does not train by itself when it is given another dataset."""
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    before = harness.count_billed()
    set_active(voice.recordings.get(file_name="rms-silent.wav"), False)
    second = harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    assert second.status == BuildStatus.READY, second.issue
    assert second.remote_voice_id == first.remote_voice_id
    assert harness.count_billed() - before == {"build_voice": 1}
    assert DatasetFetch.objects.filter(build=second).count() == 1


def test_link_that_nobody_may_use(harness: BuildHarness, live_server: Any, settings: Any) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    build = harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.DATASET_URL)
    good = make_dataset_url(build)
    assert requests.get(good, timeout=60).status_code == 200
    token = derive_token("dataset", build.pk)
    for wrong in (
        good.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B")),
        good.replace(token, derive_token("callback", build.pk)),
        good.replace(token, build.dataset_digest),
        good.replace("dataset.zip", "dataset.wav"),
    ):
        assert requests.get(wrong, timeout=60).status_code == 404
    Build.objects.filter(pk=build.pk).update(created_at=build.created_at - URL_LIFETIME)
    assert requests.get(good, timeout=60).status_code == 404
    assert DatasetFetch.objects.filter(build=build).exists()


def test_expired_link_is_a_dataset_issue_of_the_provider(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    build = harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.DATASET_URL)
    Build.objects.filter(pk=build.pk).update(created_at=build.created_at - URL_LIFETIME)
    assert harness.finish_build(build).status == BuildStatus.DATASET_ISSUE
    assert not DatasetFetch.objects.filter(build=build).exists()


def test_build_by_recordings_has_no_dataset(harness: BuildHarness, client: Any) -> None:
    build = harness.start_build(harness.make_voice())
    assert build.dataset_digest == ""
    assert client.get(make_dataset_url(build)).status_code == 404


# --- building again ---------------------------------------------------------------------


def test_rebuild_uses_the_voice_again_and_sends_only_what_is_new(harness: BuildHarness) -> None:
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice))
    assert first.status == BuildStatus.DATASET_ISSUE
    set_active(voice.recordings.get(file_name="rms-silent.wav"), False)
    set_transcript(voice.recordings.get(file_name="slt-02.wav"), "Other words.")
    harness.add_recording(voice, "slt-04")
    second = harness.finish_build(harness.start_build(voice))
    assert second.status == BuildStatus.READY, second.issue
    assert second.remote_voice_id == first.remote_voice_id
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 2}
    assert len(harness.list_requests("create_recording")) == 5
    assert len(harness.list_requests("delete_recording")) == 1
    assert len(harness.list_requests("update_recording")) == 1
    there = harness.fetch_recordings(second)
    assert set(there) == sent(second)
    assert there[make_clip_name(voice.recordings.get(file_name="slt-02.wav"))] == "Other words."
    assert harness.fetch_voice(second)["callback_uri"] == make_callback_url(second) != make_callback_url(first)


def test_recording_that_was_left_out_comes_back(harness: BuildHarness) -> None:
    voice = harness.make_voice(*SLT_CLIPS, "slt-04")
    out = voice.recordings.get(file_name="slt-04.wav")
    for active in (True, False, True):
        set_active(out, active)
        build = harness.finish_build(harness.start_build(voice))
        assert build.status == BuildStatus.READY
        assert set(harness.fetch_recordings(build)) == sent(build)
        assert (make_clip_name(out) in sent(build)) == active


def test_voice_deleted_over_there_is_made_anew_by_the_next_build(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    first = harness.finish_build(harness.start_build(voice))
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(first.remote_voice.remote_id)
    second = harness.finish_build(harness.start_build(voice))
    assert second.status == BuildStatus.FAILED
    assert second.issue.startswith("The provider no longer has this voice under this account's key")
    third = harness.finish_build(harness.start_build(voice))
    assert third.status == BuildStatus.READY
    assert third.remote_voice_id != first.remote_voice_id


def test_voice_that_has_a_dataset_is_not_built_from_recordings(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    """The provider would read the old dataset again, whose address is dead."""
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice()
    harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL))
    with pytest.raises(BuildRefused) as told:
        harness.start_build(voice, Tier.RAPID, Handover.RECORDINGS)
    assert told.value.reasons == ("The provider trains this voice on a dataset. Send a new dataset instead.",)
    assert (
        harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL)).status == BuildStatus.READY
    )


def test_recordings_sent_before_do_not_stay_beside_a_dataset(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice()
    harness.finish_build(harness.start_build(voice))
    build = harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL))
    assert build.status == BuildStatus.READY
    assert set(harness.fetch_recordings(build)) == {"dataset"}


def test_frozen_recordings_stay_as_they_were(harness: BuildHarness) -> None:
    """What is changed between start and sending goes into the next build."""
    voice = harness.make_voice()
    build = harness.start_build(voice)
    frozen = sent(build)
    one = voice.recordings.get(file_name="slt-01.wav")
    set_transcript(one, "Changed.")
    set_active(voice.recordings.get(file_name="slt-02.wav"), False)
    harness.add_recording(voice, "slt-05")
    with pytest.raises(ActionRefused):
        delete_recording(one)
    build = harness.finish_build(build)
    assert build.status == BuildStatus.READY
    assert build.progress_total == 3
    there = harness.fetch_recordings(build)
    assert set(there) == frozen
    assert there[make_clip_name(one)] == "Words of slt-01."
    for row in build.recordings.select_related("recording"):
        assert row.sha256 == row.recording.sha256
