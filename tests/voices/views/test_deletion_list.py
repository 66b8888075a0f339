"""The page Deletions, and what Today and the page of a voice say about planned deletions and legal holds."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus
from consent.services.invitations import create_private_link
from consent.services.legal_hold import set_hold
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import Task, User
from voicehub.text import format_date
from voices.models import Account, Build, BuildStatus, RemoteFile, RemoteVoice
from voices.services.scheduled_deletion import schedule_deletions

pytestmark = pytest.mark.django_db


@pytest.fixture
def build(studio: Studio) -> Build:
    """A finished build whose consent ended yesterday."""
    build = studio.make_build(studio.make_voice(), BuildStatus.READY)
    Consent.objects.update(valid_until=timezone.localdate() - timedelta(days=1))
    return build


def read_page(client: Client, name: str = "voices:deletion_list") -> str:
    response = client.get(reverse(name))
    assert response.status_code == 200
    return read_html(response)


def mark_ended_before(**fields: Any) -> RemoteVoice:
    RemoteVoice.objects.update(
        deletion_needs_confirmation=True,
        coverage_ended_on=timezone.localdate() - timedelta(days=90),
        coverage_end_reason="The consent was withdrawn.",
        **fields,
    )
    return RemoteVoice.objects.get()


def decide(client: Client, action: str, reason: str = "The talent was asked.") -> RemoteVoice:
    remote = RemoteVoice.objects.get()
    response = client.post(reverse(f"voices:deletion_{action}", args=[remote.pk]), {"reason": reason})
    assert response.status_code == 302
    remote.refresh_from_db()
    return remote


def get_day(days: int) -> str:
    day = timezone.localdate() + timedelta(days=days)
    return f"{day:%b} {day.day}"


def test_planned_deletion_is_shown_everywhere_until_the_voice_is_covered(
    producer_client: Client, studio: Studio, build: Build
) -> None:
    schedule_deletions()
    assert f"Deletion on {get_day(7)}" in read_page(producer_client, "today")
    voice_page = read_html(producer_client.get(build.remote_voice.get_absolute_url()))
    page = read_page(producer_client)
    for text in (page, voice_page):
        assert "Deletion on" in text and "The consent ended on" in text
    studio.make_consent(build.voice.talent)  # no sweep has run since
    assert "Deletion on" not in read_page(producer_client, "today")
    assert "No open deletions" in read_page(producer_client)
    assert "Deletion on" not in read_html(producer_client.get(build.remote_voice.get_absolute_url()))


def test_voice_that_ended_before_the_upgrade_is_never_planned(producer_client: Client, build: Build) -> None:
    mark_ended_before()
    schedule_deletions()
    remote = RemoteVoice.objects.get()
    assert remote.deletion_due_on is None and remote.deletion_requested_at is None
    page = read_page(producer_client)
    assert "Ended before the upgrade" in page and "The consent was withdrawn." in page
    assert "To decide" in read_page(producer_client, "today")


def test_confirmed_voice_is_deleted_as_after_a_withdrawal(
    producer_client: Client, producer: User, build: Build
) -> None:
    mark_ended_before()
    remote = decide(producer_client, "confirm")
    assert remote.deletion_requested_at and remote.deletion_requested_by == producer
    assert remote.deletion_reason == "The talent was asked." and not remote.deletion_needs_confirmation
    assert Task.objects.filter(kind="delete_remote_voice", object_id=str(remote.pk)).exists()
    assert "Being deleted" in read_page(producer_client)


def test_kept_voice_is_not_asked_again_until_coverage_changes(
    producer_client: Client, producer: User, studio: Studio, build: Build
) -> None:
    mark_ended_before()
    remote = decide(producer_client, "keep")
    assert (remote.kept_by, remote.kept_reason) == (producer, "The talent was asked.") and remote.kept_at
    schedule_deletions()
    assert RemoteVoice.objects.get().deletion_due_on is None
    assert "Kept after the end" in read_page(producer_client)
    assert "1 voice is kept after the end" in read_page(producer_client, "today")
    consent = studio.make_consent(build.voice.talent)
    schedule_deletions()
    assert RemoteVoice.objects.get().kept_at is None
    Consent.objects.filter(pk=consent.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    schedule_deletions()
    assert RemoteVoice.objects.get().deletion_due_on is not None


def test_kept_voice_can_be_deleted_later(producer_client: Client, build: Build) -> None:
    mark_ended_before()
    decide(producer_client, "keep")
    assert "Why is it deleted?" in read_page(producer_client)
    remote = decide(producer_client, "confirm", reason="The talent wants it.")
    assert remote.deletion_requested_at and remote.deletion_reason == "The talent wants it." and remote.kept_at is None


def test_staff_and_talent_see_the_planned_deletion(producer_client: Client, build: Build) -> None:
    schedule_deletions()
    page = read_html(producer_client.get(build.consent.get_absolute_url()))
    due_on = timezone.localdate() + timedelta(days=7)
    assert f"Planned for {format_date(due_on)}. The consent ended on" in page
    talent = Client()
    response = talent.get(make_link(build.consent), follow=True)
    assert f"Planned for {format_date(due_on)}." in read_html(response)


def make_link(consent: Consent) -> str:
    """A private link from before the approval. Links to approved consents are not made anymore."""
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.REQUESTED)
    consent.refresh_from_db()
    link = create_private_link([consent], consent.requested_by)
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.APPROVED)
    return link.removeprefix(settings.VOICEHUB_BASE_URL)


@pytest.mark.parametrize("action", ["confirm", "keep"])
def test_decision_needs_a_reason_and_a_voice_that_waits_for_one(
    producer_client: Client, studio: Studio, build: Build, action: str
) -> None:
    assert decide(producer_client, action).deletion_requested_at is None
    mark_ended_before()
    remote = decide(producer_client, action, reason=" ")
    assert remote.deletion_needs_confirmation and remote.kept_at is None and remote.deletion_requested_at is None
    studio.make_consent(build.voice.talent)
    remote = decide(producer_client, action)
    assert remote.deletion_requested_at is None and remote.kept_at is None


def test_viewer_sees_the_list_without_buttons(viewer_client: Client, build: Build) -> None:
    mark_ended_before()
    page = read_page(viewer_client)
    assert "Ended before the upgrade" in page and "Why is it deleted?" not in page


def test_voice_under_a_legal_hold_cannot_be_deleted(producer_client: Client, producer: User, build: Build) -> None:
    mark_ended_before()
    set_hold(build.voice.talent, producer, "A court order.")
    page = read_page(producer_client)
    assert "Legal hold" in page and "A court order." in page and "Why is it deleted?" not in page
    assert decide(producer_client, "confirm").deletion_requested_at is None
    today = read_page(producer_client, "today")
    assert "Legal hold" in today and "A court order." in today
    assert "Legal hold: nothing is deleted" in read_html(producer_client.get(build.remote_voice.get_absolute_url()))


def test_requested_deletion_shows_the_legal_hold_that_stops_it(
    producer_client: Client, producer: User, build: Build
) -> None:
    RemoteVoice.objects.update(deletion_requested_at=timezone.now(), deletion_reason="The consent was withdrawn.")
    set_hold(build.voice.talent, producer, "A court order.")
    assert "Legal hold" in read_page(producer_client)
    assert "A legal hold keeps it." in read_page(producer_client, "today")
    page = read_html(producer_client.get(build.remote_voice.get_absolute_url()))
    assert "Kept because of a legal hold." in page


def test_voice_without_delete_call_is_listed_for_a_person(producer_client: Client, studio: Studio) -> None:
    studio.account.provider = studio.provider = "audiostack"
    studio.account.save()
    studio.make_build(status=BuildStatus.READY)
    RemoteVoice.objects.update(deletion_requested_at=timezone.now(), deletion_reason="The contract ended.")
    assert "To delete by hand" in read_page(producer_client)


def test_rows_beyond_the_limit_are_counted_on_today(
    producer_client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voices.views.deletion_steps.MAX_ROWS", 1)
    voice = studio.make_voice()
    for _ in range(3):
        studio.make_build(voice, BuildStatus.READY)
    Consent.objects.update(status=ConsentStatus.EXPIRED, valid_until=timezone.localdate() - timedelta(days=1))
    schedule_deletions()
    assert "2 more deletions" in read_page(producer_client, "today")


def test_query_count_does_not_grow_with_deletions(
    producer_client: Client, studio: Studio, django_assert_max_num_queries: Any
) -> None:
    voice = studio.make_voice()
    for _ in range(6):
        studio.make_build(voice, BuildStatus.READY)
    mark_count = RemoteVoice.objects.filter(pk__in=RemoteVoice.objects.values("pk")[:3])
    Consent.objects.update(valid_until=timezone.localdate() - timedelta(days=1))
    schedule_deletions()
    mark_count.update(deletion_due_on=None, deletion_needs_confirmation=True)
    read_page(producer_client)
    with django_assert_max_num_queries(10):
        assert read_page(producer_client).count("Deletion on") == 3


def test_files_of_a_deleted_voice_are_decided_by_what_ended(producer_client: Client, studio: Studio) -> None:
    remote = studio.make_build(status=BuildStatus.READY).remote_voice
    now = timezone.now()
    RemoteFile.objects.create(
        account=remote.account, remote_voice=remote, kind="consent", remote_id="f1", announced_at=now
    )
    RemoteVoice.objects.update(deletion_requested_at=now, deletion_reason="No longer used.", deleted_at=now)
    RemoteVoice.objects.update(
        coverage_ended_on=timezone.localdate(), coverage_end_reason="It ended.", deletion_needs_confirmation=True
    )
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    text = read_page(producer_client)
    assert "It ended." in text and "No longer used." not in text and "Requested" not in text
    assert "Delete or keep the files that were sent for it." in read_page(producer_client, "today")


def test_last_deletions_are_listed_with_their_check(producer_client: Client, build: Build) -> None:
    Consent.objects.update(valid_until=timezone.localdate() + timedelta(days=90))
    assert "Deleted</h2>" not in read_page(producer_client)
    now = timezone.now()
    RemoteVoice.objects.update(deletion_requested_at=now, deletion_reason="No longer used.", deleted_at=now)
    RemoteVoice.objects.update(deletion_proof={"by_hand": "Paula Reyes", "at": now.isoformat()})
    page = read_page(producer_client)
    assert "No open deletions" in page and "Deleted</h2>" in page
    assert "No longer used." in page and "Confirmed by Paula Reyes" in page


def test_work_for_a_person_stands_above_what_is_planned(producer_client: Client, studio: Studio, build: Build) -> None:
    schedule_deletions()
    by_hand = studio.make_build(studio.make_voice("By hand"), status="ready").remote_voice
    gone = Account.objects.create(name="Gone", provider="gone_vendor")
    RemoteVoice.objects.filter(pk=by_hand.pk).update(account=gone, deletion_requested_at=timezone.now())
    page = read_page(producer_client)
    assert page.index('id="manual-title"') < page.index('id="planned-title"')
