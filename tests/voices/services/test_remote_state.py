"""The state of a remote voice follows its last training and the provider's last report."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from providers.types import BuildReport, RemoteStatus
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import User
from voices import presenters
from voices.models import Build, BuildStatus, RemoteVoice
from voices.services.builds.lifecycle import record_observation
from voices.services.previews import find_reasons_against_preview
from voices.services.remote_state import VoiceState, find_outdated_builds, find_remote_state, load_build_history

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def add_build(first: Build, status: str) -> Build:
    """Another build of the same remote voice, that the provider trained."""
    now = timezone.now()
    is_final = status not in {"queued", "training"}
    return Build.objects.create(
        voice=first.voice, remote_voice=first.remote_voice, status=status, started_by=first.started_by,
        consent=first.consent, contract=first.contract, training_at=now, finished_at=now if is_final else None,
    )  # fmt: skip


def observe(remote: RemoteVoice, status: RemoteStatus, raw_status: str = "word") -> None:
    record_observation(remote, BuildReport(remote.remote_id, status, raw_status))


def reload(remote: RemoteVoice) -> RemoteVoice:
    return RemoteVoice.objects.get(pk=remote.pk)


@pytest.mark.parametrize(
    ("status", "badge"),
    [
        ("dataset_issue", presenters.StatusBadge("wait", "Needs work")),
        ("failed", presenters.StatusBadge("bad", "Failed")),
        ("consent_rejected", presenters.StatusBadge("bad", "Consent rejected")),
    ],
)
def test_failed_training_makes_the_voice_unusable(studio: Studio, status: str, badge: presenters.StatusBadge) -> None:
    first = studio.make_build(status="ready")
    assert find_remote_state(first.remote_voice).is_usable
    last = add_build(first, status)
    state = find_remote_state(reload(first.remote_voice))
    assert (state.kind, state.last_training, state.is_usable) == (VoiceState.FAILED, last, False)
    assert presenters.make_remote_badge(first.remote_voice) == badge
    assert "Whether the earlier training can still be used is not known" in " ".join(state.texts)
    assert find_reasons_against_preview(first.remote_voice) == list(state.texts)
    assert find_outdated_builds([first, last]) == {first.pk}


def test_build_that_never_trained_leaves_the_voice_as_it_was(studio: Studio) -> None:
    first = studio.make_build(status="ready")
    for status in ("failed", "cancelled"):
        build = add_build(first, status)
        Build.objects.filter(pk=build.pk).update(training_at=None)
    assert find_remote_state(reload(first.remote_voice)).kind == VoiceState.USABLE
    assert not find_outdated_builds([first])


def test_later_report_of_the_provider_outweighs_the_last_training(studio: Studio) -> None:
    first = studio.make_build(status="ready")
    observe(first.remote_voice, RemoteStatus.DATASET_ISSUE)
    state = find_remote_state(reload(first.remote_voice))
    assert state.kind == VoiceState.UNUSABLE
    assert "The last training was ready on" in state.texts[0]
    assert state.texts[1] == "The provider reports that the voice cannot be used because of its recordings."
    observe(first.remote_voice, RemoteStatus.READY)
    assert find_remote_state(reload(first.remote_voice)).kind == VoiceState.USABLE


def test_report_from_before_the_last_training_does_not_count(studio: Studio) -> None:
    first = studio.make_build(status="ready")
    observe(first.remote_voice, RemoteStatus.READY)
    add_build(first, "failed")
    assert find_remote_state(reload(first.remote_voice)).kind == VoiceState.FAILED
    observe(first.remote_voice, RemoteStatus.READY)
    state = find_remote_state(reload(first.remote_voice))
    assert state.kind == VoiceState.USABLE
    assert state.texts[0].startswith("The last training failed on")
    assert state.texts[1] == "The provider reports that the voice is ready."


@pytest.mark.parametrize(
    ("raw_status", "kind"), [("", VoiceState.USABLE), ("resting", VoiceState.UNKNOWN)], ids=["no status", "new status"]
)
def test_unknown_report_refuses_nothing(studio: Studio, raw_status: str, kind: VoiceState) -> None:
    build = studio.make_build(status="ready")
    observe(build.remote_voice, RemoteStatus.UNKNOWN, raw_status)
    state = find_remote_state(reload(build.remote_voice))
    assert (state.kind, state.is_usable) == (kind, True)


def test_active_build_makes_the_earlier_build_outdated(studio: Studio) -> None:
    first = studio.make_build(status="ready")
    newest = add_build(first, "training")
    history = load_build_history(first)
    assert (history.is_outdated, history.newest_build) == (True, newest)
    assert history.texts[1] == "A build trains the voice again. Wait until it ends."
    assert history.newest_effect == "trains this voice again"


def test_state_of_many_voices_needs_a_constant_number_of_queries(
    studio: Studio, django_assert_num_queries: object
) -> None:
    builds = [studio.make_build(status="ready") for _ in range(3)]
    with django_assert_num_queries(2):  # type: ignore[operator]  # pytest-django has no type for it
        assert not find_outdated_builds(builds)


# --- pages ------------------------------------------------------------------------------


def test_page_of_the_earlier_build_says_what_became_of_the_voice(producer_client: Client, studio: Studio) -> None:
    first = studio.make_build(status="ready")
    last = add_build(first, "dataset_issue")
    text = read_html(producer_client.get(first.get_absolute_url()))
    assert "These are the results of" in text and "Build 2 has trained this voice again" in text
    assert "The voice has since been trained again. The last training ended on" in text
    assert f'href="{last.get_absolute_url()}">Open build 2</a>' in text
    assert ">Ready</span>" not in text
    assert "Generate preview" not in text
    assert 'state-over">Earlier result</span>' in text


def test_page_of_a_retrained_build_offers_no_preview_of_the_newer_training(
    producer_client: Client, studio: Studio
) -> None:
    first = studio.make_build(status="ready")
    newest = add_build(first, "ready")
    text = read_html(producer_client.get(first.get_absolute_url()))
    assert "Build 2 has replaced this voice" in text and "The last training" not in text
    assert "Generate preview" not in text
    assert "Generate preview" in read_html(producer_client.get(newest.get_absolute_url()))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"deletion_reason": "The consent was withdrawn."}, "The consent was withdrawn. The voice is being deleted"),
        ({"deleted_at": timezone.now()}, "The voice was deleted at the provider on"),
    ],
    ids=["being deleted", "deleted"],
)
def test_ready_build_of_a_deleted_voice_says_so(
    producer_client: Client, studio: Studio, fields: dict[str, object], text: str
) -> None:
    build = studio.make_build(status="ready")
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(deletion_requested_at=timezone.now(), **fields)
    page = read_html(producer_client.get(build.get_absolute_url()))
    assert text in page
    assert ">Ready</span>" not in page


def test_page_of_the_voice_says_both_when_training_and_report_differ(producer_client: Client, studio: Studio) -> None:
    first = studio.make_build(status="ready")
    observe(first.remote_voice, RemoteStatus.FAILED)
    page = read_html(producer_client.get(first.remote_voice.get_absolute_url()))
    assert "The provider reports that the voice cannot be used." in page
    assert 'state-bad">Not usable</span>' in page


def test_first_training_is_not_called_outdated(studio: Studio, producer: User) -> None:
    build = studio.make_build(status=BuildStatus.READY, finished_at=timezone.now() - timedelta(days=3))
    assert load_build_history(build).texts == ()
    assert build.started_by == producer
