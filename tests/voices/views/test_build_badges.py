"""The badge of a finished build: no page says "Ready" of a voice that may not, or can no longer, be used."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, ContractSuspension, Talent
from tests.voices.rows import Studio
from tests.voices.views.test_dashboard import count_queries
from voices.models import Account, Build, RemoteVoice, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
YESTERDAY = timezone.localdate() - timedelta(days=1)


def suspend_contract(build: Build) -> None:
    ContractSuspension.objects.create(contract=build.contract, reason="Dispute.", suspended_by=build.started_by)


def request_deletion(**fields: Any) -> Callable[[Build], object]:
    requested = {"deletion_requested_at": timezone.now(), "remote_id": "clone-1", **fields}
    return lambda build: RemoteVoice.objects.update(**requested)


def delete_by_hand(build: Build) -> None:
    request_deletion()(build)
    Account.objects.update(provider="audiostack")


def hold_deletion(build: Build) -> None:
    request_deletion()(build)
    Talent.objects.update(legal_hold_at=timezone.now(), legal_hold_by=build.started_by, legal_hold_reason="Court.")


CHANGES: list[tuple[Callable[[Build], object], str]] = [
    (lambda build: Consent.objects.update(status=ConsentStatus.WITHDRAWN), "Withdrawn"),
    (lambda build: Consent.objects.update(status=ConsentStatus.SUSPENDED), "Suspended"),
    (suspend_contract, "Suspended"),
    (lambda build: Consent.objects.update(status=ConsentStatus.EXPIRED), "Ended"),
    (lambda build: Contract.objects.update(ends_on=YESTERDAY), "No longer allowed"),
    (
        lambda build: Voice.objects.update(countries=["FR"]) and Contract.objects.update(countries=["DE"]),
        "No longer allowed",
    ),
    (request_deletion(), "Being deleted"),
    (delete_by_hand, "To delete"),
    (hold_deletion, "Legal hold"),
    (request_deletion(deleted_at=timezone.now()), "Deleted"),
    (lambda build: RemoteVoice.objects.update(deleted_at=timezone.now()), "Gone"),
]


def read_badges(client: Client, url: str, build: Build) -> list[str]:
    """The badges of the build in a list, or in the header of its own page."""
    page = client.get(url).content.decode()
    is_own_page, is_table = url == build.get_absolute_url(), url == build.voice.get_builds_url()
    link, row_end = f'href="{build.get_absolute_url()}"', "</tr>" if is_table else "</li>"
    start, end = ('id="build-state"', "</ul>") if is_own_page else (link, row_end)
    row = page[page.index(start) :]
    return re.findall(r'<span class="state state-\w+">([^<]+)</span>', row[: row.index(end)])


@pytest.mark.parametrize(("change", "label"), CHANGES)
def test_badge_of_a_ready_build_says_what_became_of_its_voice(
    producer_client: Client, studio: Studio, change: Callable[[Build], object], label: str
) -> None:
    build = studio.make_build(status="ready")
    pages = [reverse("voices:active_builds"), build.voice.get_builds_url(), build.get_absolute_url()]
    assert [read_badges(producer_client, page, build) for page in pages] == [["Ready"]] * 3
    change(build)
    assert [read_badges(producer_client, page, build) for page in pages] == [[label]] * 3


def test_newer_consent_in_force_keeps_the_badge(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    Consent.objects.update(status=ConsentStatus.EXPIRED)
    studio.make_consent(build.voice.talent)
    assert read_badges(producer_client, reverse("voices:active_builds"), build) == ["Ready"]


def test_failed_build_keeps_its_badge(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="failed")
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    assert read_badges(producer_client, reverse("voices:active_builds"), build) == ["Failed"]


def test_page_that_polls_is_sent_again_when_a_voice_is_withdrawn(producer_client: Client, studio: Studio) -> None:
    studio.make_build(studio.make_voice("Training"), status="training")
    studio.make_build(status="ready")
    url = reverse("voices:active_builds")
    token = producer_client.get(url).context["active_builds"].change_token
    assert producer_client.get(url, {"seen": token}).status_code == 204
    Consent.objects.update(status=ConsentStatus.SUSPENDED)
    assert "Suspended" in producer_client.get(url, {"seen": token}).content.decode()


def test_query_count_of_the_list_does_not_grow_with_rows(producer_client: Client, studio: Studio) -> None:
    def make_rows() -> int:
        studio.make_build(status="ready")
        held = studio.make_build(status="ready")
        Consent.objects.filter(talent=held.voice.talent).update(status=ConsentStatus.SUSPENDED)
        deleted = studio.make_build(status="ready")
        RemoteVoice.objects.filter(pk=deleted.remote_voice_id).update(deletion_requested_at=timezone.now())
        return count_queries(producer_client, reverse("voices:active_builds"))

    assert make_rows() == make_rows() == make_rows()
