"""What Today shows of the days around: contracts that end within two weeks, and voices that became ready this week."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Talent
from consent.services.review import withdraw_consent
from tests.voices.rows import Studio
from tests.voices.views.test_dashboard import read_today
from tests.voices.views.test_remote_samples import make_preview
from voices.models import Build, PreviewStatus, RemoteVoice
from voices.views import next_steps
from voices.views.next_step import NextStep

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def make_ending(studio: Studio, name: str, days: int) -> Talent:
    talent = studio.make_talent(name)
    studio.make_contract(talent, ends_on=timezone.localdate() + timedelta(days=days))
    return talent


def list_endings() -> list[NextStep]:
    return [step for step in next_steps.list_steps() if step.reasons[0].startswith("The contract ends on")]


@pytest.mark.usefixtures("reads_names")
def test_contract_that_ends_within_14_days_is_a_next_step(studio: Studio) -> None:
    talents = {days: make_ending(studio, f"Ends in {days}", days) for days in (14, 15, 0, -1)}
    found = {step.subject: (step.severity, step.status, step.url) for step in list_endings()}
    links = {days: reverse("consent:contract_add", args=[talent.pk]) for days, talent in talents.items()}
    assert found == {
        "Ends in 14": ("wait", "Ends in 14 days", links[14]),
        "Ends in 0": ("bad", "Ends today", links[0]),
    }


@pytest.mark.usefixtures("reads_names")
@pytest.mark.parametrize("days", [None, 15])
def test_contract_does_not_end_soon_if_another_ends_later(studio: Studio, days: int | None) -> None:
    """Also if that one has not started yet. Contracts of other talents do not count."""
    talent = make_ending(studio, "Vera", 3)
    studio.make_contract(studio.make_talent("Nils"), ends_on=None)
    today = timezone.localdate()
    assert [step.subject for step in list_endings()] == ["Vera"]
    studio.make_contract(
        talent, starts_on=today + timedelta(days=4), ends_on=None if days is None else today + timedelta(days=days)
    )
    assert list_endings() == []


@pytest.fixture
def build(studio: Studio) -> Build:
    """A ready build with a preview."""
    build = studio.make_build(status="ready")
    make_preview(build, "Welcome to the museum.")
    return build


def test_voice_that_became_ready_this_week_is_played_on_today(build: Build, viewer_client: Client) -> None:
    preview = make_preview(build, "A newer sentence.")
    page = read_today(viewer_client)
    assert "Previews of new voices" in page and page.count("<audio") == 1
    assert f'src="{reverse("voices:preview_audio", args=[preview.pk])}"' in page


def age(build: Build, **_: Any) -> None:
    Build.objects.update(finished_at=timezone.now() - timedelta(days=7, minutes=1))


def train_again(build: Build, studio: Studio) -> None:
    newer = studio.make_build(build.voice, status="failed")
    Build.objects.filter(pk=newer.pk).update(remote_voice=build.remote_voice)


def withdraw(build: Build, studio: Studio) -> None:
    withdraw_consent(build.consent, studio.producer, "The talent changed their mind.")
    RemoteVoice.objects.update(deletion_requested_at=None)


def delete_at_provider(build: Build, **_: Any) -> None:
    RemoteVoice.objects.update(deleted_at=timezone.now())


def request_deletion(build: Build, **_: Any) -> None:
    RemoteVoice.objects.update(deletion_requested_at=timezone.now())


def lose_preview(build: Build, **_: Any) -> None:
    build.remote_voice.previews.update(status=PreviewStatus.FAILED)


@pytest.mark.parametrize("change", [age, train_again, withdraw, delete_at_provider, request_deletion, lose_preview])
def test_voice_that_does_not_speak_as_the_build_made_it_is_not_played_on_today(
    build: Build, studio: Studio, viewer_client: Client, change: Callable[..., None]
) -> None:
    change(build=build, studio=studio)
    assert "ready this week" not in read_today(viewer_client)
