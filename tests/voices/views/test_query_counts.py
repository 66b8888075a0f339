"""Pages and polls make the same number of queries, however many rows they list."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.voices.rows import Studio
from tests.voices.views.page_rows import GrowingStudio

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

FEW, MANY = 3, 60


@pytest.fixture
def growing(studio: Studio) -> GrowingStudio:
    return GrowingStudio(studio)


def list_pages(growing: GrowingStudio) -> dict[str, str]:
    pair = f"?build={growing.finished.pk}&build={growing.remote.builds.order_by('created_at')[1].pk}"
    return {
        "Today": reverse("today"),
        "voice": growing.voice.get_absolute_url(),
        "voice, flagged": f"{growing.voice.get_absolute_url()}?show=flagged",
        "voice, to review": f"{growing.voice.get_absolute_url()}?show=look&sort=longest",
        "voice, readiness": growing.voice.get_readiness_url(),
        "voice, readiness with improvements": f"{growing.voice.get_readiness_url()}?improvements=show",
        "voice, builds": growing.voice.get_builds_url(),
        "voice, at providers": growing.voice.get_providers_url(),
        "talent": growing.talent.get_absolute_url(),
        "consent": growing.consent.get_absolute_url(),
        "active build": growing.active.get_absolute_url(),
        "finished build": growing.finished.get_absolute_url(),
        "finished build with details": f"{growing.finished.get_absolute_url()}?details=show",
        "compare": reverse("voices:compare") + pair,
        "remote voice": growing.remote.get_absolute_url(),
        "account": reverse("voices:account", args=[growing.account.pk]),
        "deletions": reverse("voices:deletion_list"),
        "contract": growing.talent.contracts.latest("filed_at").get_absolute_url(),
    }


def list_polls(growing: GrowingStudio) -> dict[str, str]:
    """Polls of a page that shows nothing yet, so that each of them sends all that it can."""
    return {
        "recordings": reverse("voices:recordings_poll", args=[growing.voice.pk]),
        "build options": reverse("voices:build_options", args=[growing.voice.pk]),
        "ready count": reverse("voices:ready_count", args=[growing.voice.pk]),
        "readiness": reverse("voices:readiness_poll", args=[growing.voice.pk]),
        "findings": reverse("voices:finding_list", args=[growing.voice.pk]),
        "improvements": reverse("voices:improvements", args=[growing.voice.pk]),
        "build": reverse("voices:build_progress", args=[growing.active.pk]),
        "build details": reverse("voices:build_details", args=[growing.finished.pk]),
        "active builds": reverse("voices:active_builds"),
        "deletions": reverse("voices:running_deletions"),
        "remote voice": reverse("voices:remote_progress", args=[growing.remote.pk]),
        "previews": reverse("voices:previews", args=[growing.remote.pk]),
        "take": reverse("consent:take_check", args=[growing.consent.takes.latest("created_at").pk]),
    }


def count_queries(client: Client, urls: dict[str, str]) -> dict[str, int]:
    counts = {}
    for name, url in urls.items():
        client.get(url)  # the first request of a session makes more queries
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200, name
        counts[name] = len(queries)
    return counts


@pytest.mark.parametrize("list_urls", [list_pages, list_polls])
def test_number_of_queries_does_not_grow_with_rows(
    producer_client: Client, growing: GrowingStudio, list_urls: Any
) -> None:
    growing.grow(FEW)
    few = count_queries(producer_client, list_urls(growing))
    growing.grow(MANY)
    assert count_queries(producer_client, list_urls(growing)) == few
