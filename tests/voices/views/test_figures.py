"""The four figures of the page Today, and the last of the steps on the page of a talent."""

import re
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentStatus, Take, Talent
from consent.talent_progress import Step
from tests.support.html import read_html
from tests.support.lists import allow_only
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Build
from voices.views.figures import Figure

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_figures(client: Client) -> dict[str, Figure]:
    figures: list[Figure] = client.get(reverse("today")).context["figures"]
    return {figure.label: figure for figure in figures}


def test_figures_count_what_their_lists_show(studio: Studio, viewer_client: Client) -> None:
    for _ in range(3):
        studio.make_consent(studio.make_talent(), ConsentStatus.SUBMITTED)
    QuerySet(Take).update(created_at=timezone.now() - timedelta(hours=5))
    for status in ("training", "ready", "failed"):
        studio.make_build(status=status)
    Build.objects.filter(status="training").update(created_at=timezone.now() - timedelta(minutes=7))
    ending = studio.make_talent("Ending")
    studio.make_contract(ending, ends_on=timezone.localdate() + timedelta(days=12))
    figures = read_figures(viewer_client)
    assert [(figure.label, figure.tone, figure.count) for figure in figures.values()] == [
        ("To review", "new", 3),
        ("Building", "busy", 1),
        ("Voices built", "good", 1),
        ("Contracts ending", "wait", 1),
    ]
    notes = [figure.note for figure in figures.values()]
    assert notes == ["Oldest: 5 hours ago", "Longest: started 7 minutes ago", "of 3", "within 60 days"]
    for label in ("To review", "Building", "Voices built"):
        page = viewer_client.get(figures[label].url)
        assert page.context["list"].page.paginator.count == figures[label].count, label
    assert 'id="contracts-ending"' in read_html(viewer_client.get(reverse("today")))


def test_figures_of_a_quiet_studio_say_so(studio: Studio, viewer_client: Client) -> None:
    studio.make_talent()
    figures = read_figures(viewer_client)
    assert {figure.tone for figure in figures.values()} == {"idle"}
    assert (figures["To review"].note, figures["Building"].note) == ("No recording waits", "No build runs")


def test_new_studio_and_other_permissions_have_no_figures(
    viewer_client: Client, studio: Studio, outsider: User
) -> None:
    assert read_figures(viewer_client) == {}
    studio.make_talent()
    client = allow_only(outsider, "consent.view_talent", "voices.view_voice")
    assert list(read_figures(client)) == ["Voices built"]


def read_talent_steps(client: Client, talent: Talent) -> dict[str, Step]:
    response = client.get(talent.get_absolute_url())
    return {step.label: step for step in response.context["steps"]}


def test_last_step_names_the_newest_build(producer_client: Client, studio: Studio, outsider: User) -> None:
    build = studio.make_build(status="ready")
    talent = build.voice.talent
    step = read_talent_steps(producer_client, talent)["Voices"]
    assert (step.tone, step.status, step.url) == ("good", "1 of 1 built", build.get_absolute_url())
    client = allow_only(outsider, "consent.view_talent", "voices.view_voice")
    assert read_talent_steps(client, talent)["Voices"].status == "1 voice, not built"
    client = allow_only(outsider, "consent.view_talent")
    assert list(read_talent_steps(client, talent)) == ["Contract", "Consent request", "Recording", "Approval"]


def test_older_build_that_waits_for_a_person_is_not_hidden_by_a_newer_one(
    producer_client: Client, studio: Studio
) -> None:
    waiting = studio.make_build(status="unconfirmed")
    voice = waiting.voice
    studio.make_build(voice, status="training")
    page = read_html(producer_client.get(voice.talent.get_absolute_url()))
    step = read_talent_steps(producer_client, voice.talent)["Voices"]
    assert (step.tone, step.status, step.url) == ("wait", "Unconfirmed", waiting.get_absolute_url())
    row = page[page.index(f'href="{voice.get_absolute_url()}"', page.index('id="voices-title"')) :]
    assert re.findall(r'vh-status is-(\w+)">([^<]+)<', row[: row.index("</li>")]) == [
        ("wait", "Unconfirmed"),
        ("busy", "Training"),
    ]
