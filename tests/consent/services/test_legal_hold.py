"""A legal hold on a talent stops every deletion, names its reason and person, and is in the audit log."""

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Event, EventKind
from consent.services.audit_log import find_broken_logs
from consent.services.legal_hold import (
    is_deletion_on_hold,
    query_talents_on_hold,
    release_hold,
    require_no_hold,
    set_hold,
)
from tests.consent.rows import ConsentFactory, read_page
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.viewer import view_as

pytestmark = pytest.mark.django_db


def test_hold_is_recorded_on_every_consent(factory: ConsentFactory, producer: User) -> None:
    talent = factory.make_talent()
    consents = [factory.make_consent(talent), factory.make_consent(talent)]
    other = factory.make_consent(factory.make_talent("Someone else"))
    set_hold(talent, producer, "A court order.")
    assert is_deletion_on_hold(talent) and list(query_talents_on_hold()) == [talent]
    release_hold(talent, producer, "The case is closed.")
    assert not is_deletion_on_hold(talent)
    for consent in consents:
        events = list(consent.events.order_by("sequence").values_list("kind", "payload__reason", "actor"))[-2:]
        assert events == [
            (EventKind.HOLD_SET, "A court order.", producer.pk),
            (EventKind.HOLD_RELEASED, "The case is closed.", producer.pk),
        ]
    assert not other.events.filter(kind__in=[EventKind.HOLD_SET, EventKind.HOLD_RELEASED]).exists()
    assert list(find_broken_logs()) == []


def test_hold_is_set_once_and_released_once(factory: ConsentFactory, producer: User) -> None:
    talent = factory.make_consent().talent
    with pytest.raises(ActionRefused, match="has no legal hold"):
        release_hold(talent, producer, "Why.")
    set_hold(talent, producer, "The first reason.")
    with pytest.raises(ActionRefused, match="already has a legal hold"):
        set_hold(talent, producer, "The second reason.")
    talent.refresh_from_db()
    assert talent.legal_hold_reason == "The first reason."
    assert Event.objects.filter(kind=EventKind.HOLD_SET).count() == 1


def test_refusal_names_person_and_reason(factory: ConsentFactory, producer: User) -> None:
    talent = factory.make_talent("Tilda Strand")
    require_no_hold(talent)
    set_hold(talent, producer, "A court order.")
    text = f"has a legal hold, set by {producer} .“A court order.”"
    with view_as(producer), pytest.raises(ActionRefused, match=f"Tilda Strand {text}"):
        require_no_hold(talent)
    with pytest.raises(ActionRefused, match=rf"Tilda S\. {text}"):  # a reader without the permission for names
        require_no_hold(talent)


def test_talent_page_sets_shows_and_releases_the_hold(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_consent().talent
    url = talent.get_absolute_url()
    assert "Why must everything be kept?" in read_page(producer_client, url)
    producer_client.post(reverse("consent:hold_set", args=[talent.pk]), {"reason": "  "})
    assert not is_deletion_on_hold(talent)
    producer_client.post(reverse("consent:hold_set", args=[talent.pk]), {"reason": "A court order."})
    page = read_page(producer_client, url)
    assert "Legal hold: nothing is deleted" in page and "A court order." in page
    assert "Why must everything be kept?" not in page
    producer_client.post(reverse("consent:hold_release", args=[talent.pk]), {"reason": "Closed."})
    assert "Legal hold: nothing is deleted" not in read_page(producer_client, url)


def test_viewer_sees_the_hold_without_its_form(factory: ConsentFactory, producer: User, viewer_client: Client) -> None:
    talent = factory.make_talent()
    set_hold(talent, producer, "A court order.")
    page = read_page(viewer_client, talent.get_absolute_url())
    assert "A court order." in page and "Why can deletions continue?" not in page
