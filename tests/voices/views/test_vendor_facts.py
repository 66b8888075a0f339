"""What providers report about a training and a voice: expected end, uses, locked voices, abilities, preview limit."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers.types import BuildReport, RemoteStatus
from tests.support.html import read_html
from tests.voices.provider_studio import ProviderStudio
from tests.voices.rows import Studio
from voices.models import Build, LimitOverride, RemoteVoice
from voices.services.builds.lifecycle import mark_training, record_observation
from voices.services.builds.start import find_blockers
from voices.services.previews import find_reasons_against_preview, get_longest_preview
from voices.services.remote_state import find_retrainings
from voices.templatetags.voices import expected_end

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeStudio = Callable[[str], ProviderStudio]
LOCKED = "The provider has locked this voice"


def make_report(**fields: Any) -> BuildReport:
    return BuildReport("x", fields.pop("status", RemoteStatus.READY), "ready", **fields)


def read_remote_page(client: Client, remote: RemoteVoice) -> str:
    return read_html(client.get(reverse("voices:remote_voice", args=[remote.pk])))


def test_expected_end_is_stored_and_shown_while_training(client: Client, studio: Studio) -> None:
    build = studio.make_build(status="submitting")
    end = timezone.now() + timedelta(minutes=3)
    assert mark_training(build, make_report(status=RemoteStatus.TRAINING, expected_at=end))
    build.refresh_from_db()
    assert build.expected_at == end
    client.force_login(studio.producer)
    page = read_html(client.get(build.get_absolute_url()))
    assert expected_end(build) in page
    assert f"at {timezone.localtime(end):%H:%M}." in expected_end(build)


def test_expected_end_names_the_day_and_passes(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override(ZoneInfo("Europe/Berlin")):
        later = datetime(2999, 1, 2, 13, 32, tzinfo=ZoneInfo("UTC"))
        assert expected_end(Build(status="training", expected_at=later)) == ("Expected on January 2 at 14:32.")
        earlier = datetime(2001, 1, 2, 13, 32, tzinfo=ZoneInfo("UTC"))
        assert expected_end(Build(status="training", expected_at=earlier)).startswith("It was expected")
    assert expected_end(Build(status="ready", expected_at=later)) == ""
    assert expected_end(Build(status="training")) == ""


def test_page_says_how_often_a_voice_was_used(client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    client.force_login(studio.producer)
    assert "<dt>Used</dt>" not in read_remote_page(client, remote)
    record_observation(remote, make_report(usage_count=12345))
    assert "<dt>Used</dt><dd>12,345 times</dd>" in read_remote_page(client, remote)
    record_observation(remote, make_report())
    assert "<dt>Used</dt><dd>12,345 times</dd>" in read_remote_page(client, remote), (
        "a report without a count changes nothing"
    )


def test_page_says_which_abilities_are_not_ready(client: Client, studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    record_observation(remote, make_report(components={"text_to_speech": "ready", "fill": "training", "odd": "x"}))
    client.force_login(studio.producer)
    page = read_remote_page(client, remote)
    assert "Not supported by the provider" in page
    assert "Filling gaps in speech" in page
    assert "Speech from text" not in page
    record_observation(remote, make_report(components={"text_to_speech": "ready"}))
    assert "Not supported by the provider" not in read_remote_page(client, remote)


def test_locked_voice_refuses_previews_and_training_with_words(client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    remote = build.remote_voice
    arguments = (build.voice, remote.account, remote.tier, build.handover)
    assert not any(LOCKED in reason for reason in [*find_reasons_against_preview(remote), *find_blockers(*arguments)])
    record_observation(remote, make_report(is_locked=True))
    assert any(LOCKED in reason for reason in find_reasons_against_preview(remote))
    assert any(LOCKED in reason for reason in find_blockers(*arguments))
    client.force_login(studio.producer)
    assert LOCKED in read_remote_page(client, remote)
    assert find_retrainings(build.voice)[remote.account_id, remote.tier].is_locked
    record_observation(remote, make_report())
    assert not find_reasons_against_preview(remote)


@pytest.mark.parametrize(("provider", "longest"), [("resemble_v2", 2000), ("voiceai", 500)])
def test_longest_preview_is_that_of_the_provider(
    client: Client, make_studio: MakeStudio, provider: str, longest: int
) -> None:
    studio = make_studio(provider)
    remote = studio.make_build(status="ready").remote_voice
    assert get_longest_preview(remote) == longest
    client.force_login(studio.producer)
    page = read_remote_page(client, remote)
    assert f'maxlength="{longest}"' in page
    assert f"Up to {longest:,} characters" in page


def test_override_changes_the_longest_preview(studio: Studio) -> None:
    remote = studio.make_build(status="ready").remote_voice
    LimitOverride.objects.create(
        provider=remote.account.provider, tier=remote.tier, limit="longest_preview", value=3000, source="Support"
    )
    assert get_longest_preview(remote) == 3000
