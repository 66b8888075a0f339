"""Building again without the recordings that the provider marked: one build, or nothing at all."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import Task, User
from voicehub.refusals import ActionRefused
from voices.models import Account, Build, BuildRecording, Recording
from voices.services.builds.rebuild import plan_rebuild, query_marked, rebuild_without_marked
from voices.services.builds.start import DELETED_MEANWHILE, BuildRefused, start_build

pytestmark = pytest.mark.django_db
MARKS: tuple[dict[str, Any], ...] = ({"is_silent": True}, {"is_outlier": True}, {"discard_reason": "noisy"})


def make_marked_build(studio: Studio, good: int = 4, **fields: Any) -> Build:
    """A build that has ended, of `good` recordings and three marked ones."""
    voice = studio.make_voice()
    studio.make_recordings(voice, good + len(MARKS))
    build = studio.make_build(voice, **{"status": "dataset_issue", "handover": "recordings", **fields})
    build.recordings.update(has_report=True)
    for row, mark in zip(build.recordings.order_by("recording__file_name"), MARKS, strict=False):
        BuildRecording.objects.filter(pk=row.pk).update(**mark)
    return build


def click(client: Client, build: Build, **fields: str) -> Any:
    return client.post(reverse("voices:build_rebuild", args=[build.pk]), fields, follow=True)


def list_sent_tasks() -> list[str]:
    return list(Task.objects.filter(kind="submit_build").values_list("object_id", flat=True))


def test_rebuild_leaves_out_the_marked_recordings_and_starts_one_build(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio, options={})
    assert "Exclude these 3 and build again</button>" in read_html(producer_client.get(build.get_absolute_url()))
    response = click(producer_client, build)
    new = Build.objects.exclude(pk=build.pk).get()
    assert response.redirect_chain == [(new.get_absolute_url(), 302)]
    assert "3 recordings were excluded, and this build was started." in read_html(response)
    assert (new.status, new.handover, new.started_by) == ("queued", "recordings", studio.producer)
    assert new.remote_voice.account == studio.account and new.remote_voice.tier == "rapid"
    assert new.recordings.count() == 4
    left_out = build.voice.recordings.filter(active=False)
    assert {(row.active_by, row.exclusion_code) for row in left_out} == {("person", "")}
    assert list_sent_tasks() == [str(new.pk)]


def test_second_click_finds_the_same_build(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio)
    click(producer_client, build)
    new = Build.objects.exclude(pk=build.pk).get()
    text = read_html(click(producer_client, build))
    assert "This build had already been started. Nothing was started again." in text
    assert Build.objects.count() == 2
    assert list_sent_tasks() == [str(new.pk)]
    Build.objects.filter(pk=new.pk).update(status="ready", finished_at=timezone.now())
    assert click(producer_client, build).redirect_chain == [(new.get_absolute_url(), 302)]
    assert Build.objects.count() == 2, "a page that is opened again after the end of the new build starts no other"


def test_refused_rebuild_leaves_nothing_out(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio)
    Account.objects.update(paused_at=timezone.now(), pause_reason="The key was refused.")
    text = read_html(producer_client.get(build.get_absolute_url()))
    assert "not possible yet. The account Main is paused. The key was refused." in text
    assert "and build again</button>" not in text and "See what is missing" in text
    assert "The account Main is paused." in read_html(click(producer_client, build))
    assert Build.objects.count() == 1
    assert not Recording.objects.filter(active=False).exists()


def test_page_names_what_is_missing_without_the_marked_recordings(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio, good=1)
    text = read_html(producer_client.get(build.get_absolute_url()))
    assert "is not possible yet. 2 more recordings are needed." in text
    assert "and build again</button>" not in text and ">Add recordings</a>" in text
    assert "2 more recordings are needed." in read_html(click(producer_client, build))
    assert not Recording.objects.filter(active=False).exists()


def test_gate_refuses_the_rebuild_of_a_withdrawn_voice(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio)
    build.consent.__class__.objects.update(status="withdrawn")
    click(producer_client, build)
    assert Build.objects.count() == 1
    assert not Recording.objects.filter(active=False).exists()


def test_recordings_that_are_already_left_out_do_not_count(studio: Studio) -> None:
    build = make_marked_build(studio)
    silent, *_others = query_marked(build).order_by("file_name")
    Recording.objects.filter(pk=silent.pk).update(active=False, active_by="person")
    plan = plan_rebuild(build)
    assert plan and (plan.marked.total, plan.marked.silent, plan.marked.outlier, plan.marked.discarded) == (2, 0, 1, 1)
    Recording.objects.update(active=False, active_by="person")
    assert plan_rebuild(build) is None
    with pytest.raises(ActionRefused, match="that the provider flagged are no longer in builds"):
        rebuild_without_marked(build, studio.producer)


def test_active_build_cannot_be_rebuilt(studio: Studio) -> None:
    build = make_marked_build(studio, status="training")
    assert plan_rebuild(build) is None
    with pytest.raises(ActionRefused, match="still in progress"):
        rebuild_without_marked(build, studio.producer)


@pytest.mark.parametrize("name", ["start.record_used_consent", "rebuild.start_prepared_build"])
def test_deletion_at_the_same_moment_is_said_and_nothing_is_started(
    producer_client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The database finds that a recording of the new build is gone, at once or at the commit."""
    build = make_marked_build(studio)

    def fail(*_arguments: object, **_options: object) -> None:
        raise IntegrityError("FOREIGN KEY constraint failed")

    monkeypatch.setattr(f"voices.services.builds.{name}", fail)
    assert DELETED_MEANWHILE in read_html(click(producer_client, build))
    assert Build.objects.get() == build and not Recording.objects.filter(active=False).exists()
    if name.startswith("start."):
        with pytest.raises(BuildRefused, match="deleted at the same moment"):
            start_build(build.voice, studio.account, "rapid", "recordings", studio.producer)


def test_canceled_rebuild_does_not_count_as_a_newer_build(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio)
    click(producer_client, build)
    Build.objects.exclude(pk=build.pk).update(status="cancelled", finished_at=timezone.now())
    Recording.objects.update(active=True, active_by="")
    plan = plan_rebuild(build)
    assert plan and plan.newer_build is None
    click(producer_client, build)
    assert Build.objects.filter(status="queued").count() == 1


def test_provider_that_is_gone_offers_no_rebuild(producer_client: Client, studio: Studio) -> None:
    build = make_marked_build(studio)
    Account.objects.update(provider="gone")
    assert "build again</button>" not in read_html(producer_client.get(build.get_absolute_url()))
    assert "no longer supports" in read_html(click(producer_client, build))


def test_only_producers_see_and_use_the_button(client: Client, studio: Studio, engineer: User, viewer: User) -> None:
    build = make_marked_build(studio)
    for user in (engineer, viewer):
        client.force_login(user)
        assert 'id="rebuild"' not in read_html(client.get(build.get_absolute_url()))
        assert click(client, build).status_code == 403
    assert Build.objects.count() == 1
