"""The whole way of a build at each provider, tier and way of handing over, and what may be done with a voice after it.

The oracle is the sandbox: what it was asked and what it would have billed.
"""

from collections import Counter
from typing import Any

import pytest

from providers import registry
from providers.types import Handover, Tier, Visibility
from tests.voices.services.builds.desk import Desk
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
    """A desk at this provider."""
    return lambda provider: Desk(producer, sandbox, provider)


def built(desk: Desk, *clips: str, **more: Any) -> Build:
    """A finished build in the provider's first tier, by its first way."""
    tier, can = next(iter(registry.get_provider_class(desk.provider).tiers.items()))
    voice = desk.voice(*clips)
    return desk.finish(desk.start(voice, tier, can.handover[0]))


@pytest.mark.parametrize(("provider", "tier", "way"), [w for w in WAYS if w[2] != Handover.DATASET_URL])
def test_every_way_ends_in_a_voice_that_was_paid_once(at: Any, provider: str, tier: Tier, way: Handover) -> None:
    desk = at(provider)
    build = desk.finish(desk.start(desk.voice(), tier, way))
    assert (build.status, build.issue) == (BuildStatus.READY, "")
    assert desk.ledger() == Counter(MADE[provider])
    assert build.remote_voice.remote_id and build.resume_state == ""
    assert "Tilda" not in build.remote_voice.reference


@pytest.mark.parametrize("provider", PLACES)
def test_second_build_does_not_disturb_the_first(at: Any, provider: str) -> None:
    """Where each build makes a voice of its own, the first one stays there; elsewhere it is trained again."""
    desk = at(provider)
    first = built(desk)
    second = desk.finish(desk.start(first.voice, Tier(first.remote_voice.tier), Handover(first.handover)))
    assert second.status == BuildStatus.READY
    again = first.remote_voice.capabilities.can_retrain
    assert (first.remote_voice_id == second.remote_voice_id) is again
    first.remote_voice.refresh_from_db()
    refresh_remote_voice(first.remote_voice)
    assert first.remote_voice.deleted_at is None


@pytest.mark.parametrize("provider", PLACES)
def test_what_a_voice_says_is_kept_with_its_build_and_asked_once(at: Any, provider: str) -> None:
    desk = at(provider)
    build = built(desk)
    if not build.remote_voice.capabilities.can_preview:
        with pytest.raises(ActionRefused):
            request_preview(build.remote_voice, "Hello there.", desk.producer)
        return
    before = desk.traffic("POST")
    preview = request_preview(build.remote_voice, " Hello\n there. ", desk.producer)
    desk.work(3)
    preview.refresh_from_db()
    assert (preview.status, preview.issue, preview.text) == (PreviewStatus.READY, "", "Hello there.")
    assert preview.build == build
    with preview.file.open() as file:
        assert len(file.read()) > 1000
    assert desk.traffic("POST") == before + 1


@pytest.mark.parametrize("provider", PLACES)
def test_deletion_is_proved_or_left_to_a_person(at: Any, provider: str) -> None:
    desk = at(provider)
    remote = built(desk).remote_voice
    if remote.capabilities.can_delete:
        request_deletion(remote, desk.producer, "The talent asked for it.")
        desk.work(2)
        remote.refresh_from_db()
        assert remote.deletion_proof["look"] == "404"
    else:
        with pytest.raises(ActionRefused):
            request_deletion(remote, desk.producer, "The talent asked for it.")
        record_manual_deletion(remote, desk.producer, "Deleted on its page.")
    assert remote.deleted_at and remote.retired_at
    assert (remote.deletion_requested_by, bool(remote.deletion_reason)) == (desk.producer, True)
    with pytest.raises(ActionRefused):
        request_preview(remote, "Hello there.", desk.producer)


@pytest.mark.parametrize("provider", PLACES)
def test_key_that_is_refused_stops_the_account_once_and_all_goes_on_after_a_new_one(at: Any, provider: str) -> None:
    desk = at(provider)
    key = desk.key
    change_key(desk.account, "bad-key-of-somebody")
    build = desk.start(desk.voice(), *_first(provider))
    desk.reach(build, BuildStatus.QUEUED)
    asked = desk.traffic()
    desk.work(3)
    desk.account.refresh_from_db()
    assert desk.traffic() == asked and desk.account.paused_at
    assert not desk.ledger()
    change_key(desk.account, key)
    assert desk.finish(build).status == BuildStatus.READY
    assert desk.ledger() == Counter(MADE[provider])
    told = " ".join(f"{call.operation} {call.response_text}" for call in desk.account.calls.all())
    assert told and key not in told and "bad-key-of-somebody" not in told


def _first(provider: str) -> tuple[Tier, Handover]:
    tier, can = next(iter(registry.get_provider_class(provider).tiers.items()))
    return tier, can.handover[0]


@pytest.mark.parametrize("provider", PLACES)
def test_lost_answer_to_a_creating_call_makes_no_second_voice(at: Any, sandbox: Any, provider: str) -> None:
    """Found again where that can be; else a person says that it is there, or the upload's address is lost for good."""
    desk = at(provider)
    creating = next(iter(MADE[provider]))
    sandbox.faults({"operation": creating, "do": "drop", "phase": "after_commit", "nth": 1})
    build = desk.finish(desk.start(desk.voice(), *_first(provider)))
    assert desk.asked(creating) and len(desk.asked(creating)) == 1
    if provider == "resemble_v1":
        assert build.status == BuildStatus.FAILED and "Build again" in build.issue
        assert desk.finish(desk.start(build.voice, *_first(provider))).status == BuildStatus.READY
    else:
        assert build.status == BuildStatus.READY
        assert desk.ledger() == Counter(MADE[provider])


def test_recordings_that_were_not_used_say_why(at: Any) -> None:
    desk = at("audiostack")
    build = built(desk, "slt-01", "slt-02", "slt-03", "rms-01")
    assert build.status == BuildStatus.READY
    said = {row.recording.file_name: row.discard_reason for row in build.recordings.all()}
    assert said.pop("rms-01.wav")
    assert not any(said.values())


def test_one_file_is_made_of_the_best_that_fit(at: Any) -> None:
    desk = at("voiceai")
    clips = [f"slt-0{n}" for n in range(1, 9)] + [f"rms-0{n}" for n in range(1, 6)]
    build = built(desk, *clips)
    used = sum(row.recording.seconds for row in build.recordings.all())
    assert 45 < used <= 60
    assert 0 < build.recordings.count() < len(clips)


def test_samples_are_fetched_without_the_key_when_the_voice_is_ready(at: Any) -> None:
    desk = at("speechgen")
    build = built(desk)
    assert build.samples
    desk.work(2)
    kept = Preview.objects.filter(build=build)
    assert kept and all(one.status == PreviewStatus.READY and one.file.size for one in kept)
    fetched = [one for one in desk.sandbox.requests() if one["operation"] == "sg_sample"]
    assert fetched and all(desk.hint not in str(one["headers"]) for one in fetched)


def test_voice_that_is_public_after_all_raises_an_alarm(at: Any, sandbox: Any) -> None:
    sandbox.faults({"operation": "va_clone", "do": "public"})
    desk = at("voiceai")
    remote = built(desk).remote_voice
    remote.refresh_from_db()
    assert (remote.visibility, bool(remote.alert)) == ("public", True)
    set_visibility(remote, Visibility.PRIVATE, desk.producer)
    assert (remote.visibility, remote.alert) == ("private", "")
    set_visibility(remote, Visibility.PUBLIC, desk.producer)
    assert (remote.visibility, remote.alert) == ("public", "")


def test_voices_that_nobody_here_knows_are_adopted_or_deleted(at: Any) -> None:
    desk = at("voiceai")
    known, lost, wanted = built(desk), built(desk), built(desk)
    ids = {one.remote_voice.remote_id for one in (lost, wanted)}
    for one in (lost, wanted):
        RemoteVoice.objects.filter(pk=one.remote_voice_id).update(remote_id="")
    Build.objects.filter(pk__in=[lost.pk, wanted.pk]).update(remote_voice=known.remote_voice)
    RemoteVoice.objects.filter(remote_id="").delete()
    assert {one.remote_id for one in list_unknown_voices(desk.account)} == ids
    first, second = sorted(ids)
    adopted = adopt_voice(desk.account, first, Tier.RAPID, known.voice, desk.producer)
    gone = delete_unknown_voice(desk.account, second, Tier.RAPID, desk.producer, "Nobody's.")
    desk.work(2)
    gone.refresh_from_db()
    assert gone.deleted_at and gone.deletion_proof["look"] == "404"
    assert list_unknown_voices(desk.account) == []
    with pytest.raises(ActionRefused, match="already"):
        adopt_voice(desk.account, first, Tier.RAPID, known.voice, desk.producer)
    assert request_preview(adopted, "Hello.", desk.producer).status == PreviewStatus.QUEUED


def test_deletion_that_was_only_said_is_not_believed(at: Any, sandbox: Any) -> None:
    desk = at("voiceai")
    remote = built(desk).remote_voice
    sandbox.faults({"operation": "va_delete_voice", "do": "ignore", "nth": 1})
    request_deletion(remote, desk.producer, "It was a trial.")
    desk.work()
    remote.refresh_from_db()
    assert remote.deleted_at is None and remote.alert
    desk.work()
    remote.refresh_from_db()
    assert remote.deleted_at and not remote.alert
