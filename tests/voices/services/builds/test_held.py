"""While a consent or a contract is suspended, its voices are held: nothing of them can be used until it is resumed."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Consent, Contract
from consent.services.contracts import resume_contract, suspend_contract
from consent.services.review import resume_consent, suspend_consent
from providers import registry
from providers.types import Handover, Tier, Visibility
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.refusals import ActionRefused
from voicehub.tokens import derive_token
from voices.models import Build, BuildStatus, Preview, PreviewStatus
from voices.services.builds.dataset import open_dataset
from voices.services.builds.recheck import find_hold
from voices.services.previews import request_preview
from voices.services.remote_voices import rename_remote_voice, set_visibility
from voices.views import next_steps

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]
BASES = ["consent", "contract"]
TEXT = "The wind was loud, and no one spoke."


def suspend(build: Build, harness: BuildHarness, basis: str) -> None:
    if basis == "consent":
        suspend_consent(Consent.objects.get(pk=build.consent_id), harness.producer, "A dispute.")
    else:
        suspend_contract(Contract.objects.get(pk=build.contract_id), harness.producer, "A dispute.")


def resume(build: Build, harness: BuildHarness, basis: str) -> None:
    if basis == "consent":
        resume_consent(Consent.objects.get(pk=build.consent_id), harness.producer, "Settled.")
    else:
        resume_contract(Contract.objects.get(pk=build.contract_id), harness.producer, "Settled.")


def start_build(harness: BuildHarness) -> Build:
    tier, capabilities = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    return harness.start_build(harness.make_voice(), Tier(tier), Handover(capabilities.handover[0]))


def read(client: Client, row: Any) -> str:
    return read_html(client.get(row.get_absolute_url()))


@pytest.mark.parametrize("basis", BASES)
def test_training_ends_at_the_vendor_and_its_samples_wait_until_it_is_resumed(
    make_harness: MakeHarness, basis: str, producer_client: Client
) -> None:
    harness = make_harness("speechgen")
    build = harness.reach_status(start_build(harness), BuildStatus.TRAINING)
    suspend(build, harness, basis)
    assert "The voice is suspended after the training" in read(producer_client, build)
    harness.finish_build(build)
    harness.run_tasks(2)
    assert build.status == BuildStatus.READY
    samples = Preview.objects.filter(build=build)
    assert samples and {row.status for row in samples} == {PreviewStatus.QUEUED}
    assert not harness.list_requests("sg_sample")
    resume(build, harness, basis)
    run_due_tasks()
    assert {row.status for row in samples.all()} == {PreviewStatus.READY}


@pytest.mark.parametrize("basis", BASES)
def test_previews_of_a_held_voice_are_refused_and_not_played(
    make_harness: MakeHarness, basis: str, producer_client: Client, viewer_client: Client
) -> None:
    harness = make_harness("voiceai")
    build = harness.finish_build(start_build(harness))
    remote = build.remote_voice
    preview = request_preview(remote, TEXT, harness.producer)
    harness.run_tasks()
    waiting = request_preview(remote, "Another sentence.", harness.producer)
    requests = harness.count_requests()
    suspend(build, harness, basis)
    for client in (producer_client, viewer_client):
        response = client.get(reverse("voices:preview_audio", args=[preview.pk]))
        assert response.status_code == 403 and "The voice is suspended." in read_html(response)
        assert client.get(f"{response.request['PATH_INFO']}?download").status_code == 403
        page = read(client, remote)
        assert ">Suspended</span>" in page and "<audio" not in page and "?download" not in page
        assert "The voice is suspended" in read(client, build)
    with pytest.raises(ActionRefused, match="suspended"):
        request_preview(remote, TEXT, harness.producer)
    harness.run_tasks()
    waiting.refresh_from_db()
    assert (waiting.status, harness.count_requests()) == (PreviewStatus.FAILED, requests)
    resume(build, harness, basis)
    response = viewer_client.get(reverse("voices:preview_audio", args=[preview.pk]))
    assert response.status_code == 200 and response.getvalue()
    assert ">Suspended</span>" not in read(viewer_client, remote) and "<audio" in read(viewer_client, remote)


@pytest.mark.parametrize("basis", BASES)
def test_held_voice_is_not_renamed_or_published(make_harness: MakeHarness, basis: str) -> None:
    harness = make_harness("voiceai")
    build = harness.finish_build(start_build(harness))
    suspend(build, harness, basis)
    requests = harness.count_requests()
    with pytest.raises(ActionRefused, match="suspended"):
        rename_remote_voice(build.remote_voice, "New name")
    with pytest.raises(ActionRefused, match="suspended"):
        set_visibility(build.remote_voice, Visibility.PUBLIC, harness.producer)
    assert harness.count_requests() == requests
    set_visibility(build.remote_voice, Visibility.PRIVATE, harness.producer)


@pytest.mark.parametrize("basis", BASES)
def test_suspension_closes_the_dataset_and_stops_what_is_not_sent(make_harness: MakeHarness, basis: str) -> None:
    harness = make_harness("resemble_v2")
    build = harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.DATASET_URL)
    token = derive_token("dataset", build.pk)
    assert open_dataset(token, None, "")
    suspend(build, harness, basis)
    assert open_dataset(token, None, "") is None
    harness.reach_status(build, BuildStatus.FAILED)
    assert "suspended" in build.issue and not harness.count_requests("POST")


@pytest.mark.parametrize("basis", BASES)
def test_today_and_voice_page_show_the_held_voice(
    make_harness: MakeHarness, basis: str, producer_client: Client
) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    assert not find_hold(build.remote_voice)
    suspend(build, harness, basis)
    (step,) = [step for step in next_steps.list_steps() if step.subject == build.voice.name]
    assert (step.status, step.severity, step.action) == ("Suspended", "wait", f"Resume {basis}")
    row = build.consent if basis == "consent" else build.contract
    assert step.url == f"{row.get_absolute_url()}#status" and "suspended" in " ".join(step.reasons)
    today = read_html(producer_client.get(reverse("today")))
    assert today.count(">Suspended</span>") == 2, "as a next step and under recent builds"
    for tab in (build.voice.get_builds_url(), build.voice.get_providers_url()):
        assert ">Suspended</span>" in read_html(producer_client.get(tab)), tab
    assert ">Suspended</span>" in read_html(producer_client.get(reverse("voices:account", args=[harness.account.pk])))


def test_suspension_never_deletes(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    for basis in BASES:
        suspend(build, harness, basis)
    harness.run_tasks(3)
    build.remote_voice.refresh_from_db()
    assert build.remote_voice.deletion_requested_at is None and not harness.list_requests("delete_voice")


def test_today_shows_a_held_voice_that_has_a_newer_build(make_harness: MakeHarness, producer_client: Client) -> None:
    harness = make_harness("resemble_v2")
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    newer = Build.objects.get(pk=build.pk)
    newer.pk, newer.callback_digest, newer.status = uuid4(), "", BuildStatus.FAILED
    newer.save(force_insert=True)
    suspend(build, harness, "consent")
    steps = {step.status for step in next_steps.list_steps() if step.subject == build.voice.name}
    assert steps == {"Suspended", "Build failed"}


def test_today_makes_no_more_queries_for_held_voices(make_harness: MakeHarness, producer_client: Client) -> None:
    harness = make_harness("resemble_v2")
    counts = []
    for _ in range(3):
        build = harness.start_build(harness.make_voice())
        Build.objects.filter(pk=build.pk).update(status=BuildStatus.TRAINING)
        suspend(build, harness, "contract")
        producer_client.get(reverse("today"))
        with CaptureQueriesContext(connection) as queries:
            text = read_html(producer_client.get(reverse("today")))
        counts.append(len(queries))
    assert text.count(">Suspended</span>") == 6
    assert counts[0] == counts[1] == counts[2] < 33
