"""A recording that the provider refuses as an outlier is in no build there, and its switch says so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.refusals import ActionRefused
from voices.models import Account, Build, Recording
from voices.services.builds.readiness import check_readiness
from voices.services.builds.selection import load_clip_rows
from voices.services.builds.start import start_build
from voices.services.recordings.store import set_active

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

REFUSAL = "Resemble AI refuses this recording: another speaker or sound. Replace it."


@pytest.fixture
def build(studio: Studio) -> Build:
    """A build that ended, with four recordings. The provider called the first one an outlier."""
    voice = studio.make_voice()
    studio.make_recordings(voice, 4)
    build = studio.make_build(voice, "dataset_issue")
    outlier = build.recordings.order_by("pk").first()
    assert outlier
    build.recordings.filter(pk=outlier.pk).update(has_report=True, is_outlier=True)
    return build


def find_outlier(build: Build) -> Recording:
    return build.recordings.get(is_outlier=True).recording


def test_refused_recording_is_in_no_build_at_that_provider(build: Build, studio: Studio) -> None:
    outlier = find_outlier(build)
    assert check_readiness(build.voice, studio.account, "rapid").recording_count == 3
    assert outlier.pk not in {row.id for row in load_clip_rows(build.voice, studio.provider)}
    assert outlier.pk in {row.id for row in load_clip_rows(build.voice, "voiceai")}
    Consent.objects.filter(pk=build.consent_id).update(valid_until=None)
    again = start_build(build.voice, studio.account, "rapid", "recordings", studio.producer)
    assert outlier.pk not in again.recordings.values_list("recording_id", flat=True)
    assert again.recordings.count() == 3


def find_switch(recording: Recording) -> str:
    name = "leave_out" if recording.active else "put_back"
    return f"role=switch form=switches name={name} value={recording.pk} "


def test_switch_of_a_refused_recording_is_not_live(build: Build, producer_client: Client) -> None:
    outlier = find_outlier(build)
    text = read_html(producer_client.get(f"{build.voice.get_absolute_url()}?open={outlier.pk}"))
    assert text.count(REFUSAL) == 1
    assert find_switch(outlier) not in text
    assert text.count("role=switch ") == 3
    with pytest.raises(ActionRefused, match="Replace it"):
        set_active(outlier, True)
    response = producer_client.post(
        reverse("voices:recordings_switch", args=[outlier.voice_id]),
        {"put_back": outlier.pk},
        headers={"HX-Request": "true"},
    )
    text = read_html(response)
    assert "Refused" in text and 'role="switch"' not in text


def test_other_providers_may_use_a_refused_recording(build: Build, producer_client: Client) -> None:
    Account.objects.create(name="Voice.ai", provider="voiceai", encrypted_key="")
    outlier = find_outlier(build)
    text = read_html(producer_client.get(f"{build.voice.get_absolute_url()}?open={outlier.pk}"))
    assert f"{REFUSAL} Other providers may use it." in text
    assert find_switch(outlier) in text
    set_active(outlier, True)


@pytest.mark.parametrize("change", ["newer report", "other bytes"])
def test_refusal_ends_with_a_newer_report_or_other_bytes(build: Build, studio: Studio, change: str) -> None:
    outlier = find_outlier(build)
    if change == "other bytes":
        build.recordings.filter(recording=outlier).update(sha256="0" * 64)
    else:
        newer = studio.make_build(build.voice, "ready")
        newer.recordings.filter(recording=outlier).update(has_report=True, is_outlier=False)
        Build.objects.filter(pk=newer.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    assert check_readiness(build.voice, studio.account, "rapid").recording_count == 4
