"""The whole way of a build at each provider, tier and way of handing over, and what may be done with a voice after it.

The oracle is the sandbox: what it was asked and what it would have billed.
"""

from collections import Counter
from typing import Any

import pytest

from providers import registry
from providers.types import Handover, Tier, Visibility
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.refusals import ActionRefused
from voices.models import Build, BuildStatus, Preview, PreviewStatus, RemoteVoice
from voices.services.accounts import change_key
from voices.services.previews import request_preview
from voices.services.remote_voices import record_manual_deletion, refresh_remote_voice, request_deletion, set_visibility
from voices.services.unknown_voices import adopt_voice, delete_unknown_voice, list_unknown_voices

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WAYS = [
    (provider.slug, tier, way)
    for provider in registry.list_providers()
    for tier, can in provider.tiers.items()
    for way in can.handover
]
# What the sandbox's ledger has of one build that came to a good end.
MADE = {
    "resemble_v2": {"create_voice": 1, "build_voice": 1},
    "resemble_v1": {"v1_create_voice": 1, "v1_build": 1},
    "audiostack": {"clone_voice": 1, "clone_succeeded": 1},
    "speechgen": {"sg_clone": 1},
    "voiceai": {"va_clone": 1},
}
PLACES = [provider.slug for provider in registry.list_providers()]


@pytest.fixture
def at(sandbox: Any, producer: Any) -> Any:
    """A harness at this provider."""
    return lambda provider: BuildHarness(producer, sandbox, provider)


def built(harness: BuildHarness, *clips: str, **more: Any) -> Build:
    """A finished build in the provider's first tier, by its first way."""
    tier, can = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    voice = harness.make_voice(*clips)
    return harness.finish_build(harness.start_build(voice, tier, can.handover[0]))


@pytest.mark.parametrize(("provider", "tier", "way"), [w for w in WAYS if w[2] != Handover.DATASET_URL])
def test_every_way_ends_in_a_voice_that_was_paid_once(at: Any, provider: str, tier: Tier, way: Handover) -> None:
    harness = at(provider)
    build = harness.finish_build(harness.start_build(harness.make_voice(), tier, way))
    assert (build.status, build.issue) == (BuildStatus.READY, "")
    assert harness.count_billed() == Counter(MADE[provider])
    assert build.remote_voice.remote_id and build.resume_state == ""
    assert "Tilda" not in build.remote_voice.reference


@pytest.mark.parametrize("provider", PLACES)
def test_second_build_does_not_disturb_the_first(at: Any, provider: str) -> None:
    """Where each build makes a voice of its own, the first one stays there; elsewhere it is trained again."""
    harness = at(provider)
    first = built(harness)
    second = harness.finish_build(
        harness.start_build(first.voice, Tier(first.remote_voice.tier), Handover(first.handover))
    )
    assert second.status == BuildStatus.READY
    again = first.remote_voice.capabilities.can_retrain
    assert (first.remote_voice_id == second.remote_voice_id) is again
    first.remote_voice.refresh_from_db()
    refresh_remote_voice(first.remote_voice)
    assert first.remote_voice.deleted_at is None


@pytest.mark.parametrize("provider", PLACES)
def test_what_a_voice_says_is_kept_with_its_build_and_asked_once(at: Any, provider: str) -> None:
    harness = at(provider)
    build = built(harness)
    if not build.remote_voice.capabilities.can_preview:
        with pytest.raises(ActionRefused):
            request_preview(build.remote_voice, "Hello there.", harness.producer)
        return
    before = harness.count_requests("POST")
    preview = request_preview(build.remote_voice, " Hello\n there. ", harness.producer)
    harness.run_tasks(3)
    preview.refresh_from_db()
    assert (preview.status, preview.issue, preview.text) == (PreviewStatus.READY, "", "Hello there.")
    assert preview.build == build
    with preview.file.open() as file:
        assert len(file.read()) > 1000
    assert harness.count_requests("POST") == before + 1


@pytest.mark.parametrize("provider", PLACES)
def test_deletion_is_proved_or_left_to_a_person(at: Any, provider: str) -> None:
    harness = at(provider)
    remote = built(harness).remote_voice
    if remote.capabilities.can_delete:
        request_deletion(remote, harness.producer, "The talent asked for it.")
        harness.run_tasks(2)
        remote.refresh_from_db()
        assert remote.deletion_proof["look"] == "404"
    else:
        with pytest.raises(ActionRefused):
            request_deletion(remote, harness.producer, "The talent asked for it.")
        record_manual_deletion(remote, harness.producer, "Deleted on its page.")
    assert remote.deleted_at and remote.retired_at
    assert (remote.deletion_requested_by, bool(remote.deletion_reason)) == (harness.producer, True)
    with pytest.raises(ActionRefused):
        request_preview(remote, "Hello there.", harness.producer)


@pytest.mark.parametrize("provider", PLACES)
def test_key_that_is_refused_stops_the_account_once_and_all_goes_on_after_a_new_one(at: Any, provider: str) -> None:
    harness = at(provider)
    key = harness.key
    change_key(harness.account, "bad-key-of-somebody")
    build = harness.start_build(harness.make_voice(), *_first(provider))
    harness.reach_status(build, BuildStatus.QUEUED)
    asked = harness.count_requests()
    harness.run_tasks(3)
    harness.account.refresh_from_db()
    assert harness.count_requests() == asked and harness.account.paused_at
    assert not harness.count_billed()
    change_key(harness.account, key)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == Counter(MADE[provider])
    told = " ".join(f"{call.operation} {call.response_text}" for call in harness.account.calls.all())
    assert told and key not in told and "bad-key-of-somebody" not in told


def _first(provider: str) -> tuple[Tier, Handover]:
    tier, can = next(iter(registry.get_provider_class(provider).tiers.items()))
    return tier, can.handover[0]


@pytest.mark.parametrize("provider", PLACES)
def test_lost_answer_to_a_creating_call_makes_no_second_voice(at: Any, sandbox: Any, provider: str) -> None:
    """Found again where that can be; else a person says that it is there, or the upload's address is lost for good."""
    harness = at(provider)
    creating = next(iter(MADE[provider]))
    sandbox.faults({"operation": creating, "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.finish_build(harness.start_build(harness.make_voice(), *_first(provider)))
    assert harness.list_requests(creating) and len(harness.list_requests(creating)) == 1
    if provider == "resemble_v1":
        assert build.status == BuildStatus.FAILED and "Build again" in build.issue
        assert harness.finish_build(harness.start_build(build.voice, *_first(provider))).status == BuildStatus.READY
    else:
        assert build.status == BuildStatus.READY
        assert harness.count_billed() == Counter(MADE[provider])


def test_recordings_that_were_not_used_say_why(at: Any) -> None:
    harness = at("audiostack")
    build = built(harness, "slt-01", "slt-02", "slt-03", "rms-01")
    assert build.status == BuildStatus.READY
    said = {row.recording.file_name: row.discard_reason for row in build.recordings.all()}
    assert said.pop("rms-01.wav")
    assert not any(said.values())


def test_one_file_is_made_of_the_best_that_fit(at: Any) -> None:
    harness = at("voiceai")
    clips = [f"slt-0{n}" for n in range(1, 9)] + [f"rms-0{n}" for n in range(1, 6)]
    build = built(harness, *clips)
    used = sum(row.recording.seconds for row in build.recordings.all())
    assert 45 < used <= 60
    assert 0 < build.recordings.count() < len(clips)


def test_samples_are_fetched_without_the_key_when_the_voice_is_ready(at: Any) -> None:
    harness = at("speechgen")
    build = built(harness)
    assert build.samples
    harness.run_tasks(2)
    kept = Preview.objects.filter(build=build)
    assert kept and all(one.status == PreviewStatus.READY and one.file.size for one in kept)
    fetched = [one for one in harness.sandbox.requests() if one["operation"] == "sg_sample"]
    assert fetched and all(harness.key_hash not in str(one["headers"]) for one in fetched)


def test_voice_that_is_public_after_all_raises_an_alarm(at: Any, sandbox: Any) -> None:
    sandbox.faults({"operation": "va_clone", "do": "public"})
    harness = at("voiceai")
    remote = built(harness).remote_voice
    remote.refresh_from_db()
    assert (remote.visibility, bool(remote.alert)) == ("public", True)
    set_visibility(remote, Visibility.PRIVATE, harness.producer)
    assert (remote.visibility, remote.alert) == ("private", "")
    set_visibility(remote, Visibility.PUBLIC, harness.producer)
    assert (remote.visibility, remote.alert) == ("public", "")


def test_voices_that_nobody_here_knows_are_adopted_or_deleted(at: Any) -> None:
    harness = at("voiceai")
    known, lost, wanted = built(harness), built(harness), built(harness)
    ids = {one.remote_voice.remote_id for one in (lost, wanted)}
    for one in (lost, wanted):
        RemoteVoice.objects.filter(pk=one.remote_voice_id).update(remote_id="")
    Build.objects.filter(pk__in=[lost.pk, wanted.pk]).update(remote_voice=known.remote_voice)
    RemoteVoice.objects.filter(remote_id="").delete()
    assert {one.remote_id for one in list_unknown_voices(harness.account)} == ids
    first, second = sorted(ids)
    adopted = adopt_voice(harness.account, first, Tier.RAPID, known.voice, harness.producer)
    gone = delete_unknown_voice(harness.account, second, Tier.RAPID, harness.producer, "Nobody's.")
    harness.run_tasks(2)
    gone.refresh_from_db()
    assert gone.deleted_at and gone.deletion_proof["look"] == "404"
    assert list_unknown_voices(harness.account) == []
    with pytest.raises(ActionRefused, match="already"):
        adopt_voice(harness.account, first, Tier.RAPID, known.voice, harness.producer)
    assert request_preview(adopted, "Hello.", harness.producer).status == PreviewStatus.QUEUED


def test_deletion_that_was_only_said_is_not_believed(at: Any, sandbox: Any) -> None:
    harness = at("voiceai")
    remote = built(harness).remote_voice
    sandbox.faults({"operation": "va_delete_voice", "do": "ignore", "nth": 1})
    request_deletion(remote, harness.producer, "It was a trial.")
    harness.run_tasks()
    remote.refresh_from_db()
    assert remote.deleted_at is None and remote.alert
    harness.run_tasks()
    remote.refresh_from_db()
    assert remote.deleted_at and not remote.alert
