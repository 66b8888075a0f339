"""In the sample studio, one person records a statement and another person approves it, as the rules demand."""

import pytest

from consent.models import Capture, Consent, ConsentStatus, EventKind
from voicehub.models import User
from voices import sample_studio

pytestmark = pytest.mark.django_db


def test_sample_consent_is_approved_by_another_person_without_listening(producer: User, engineer: User) -> None:
    sample_studio._create_approved_talent("Sally Lind", "slt", producer, sample_studio.PROVIDER)
    consent = Consent.objects.get()
    assert consent.status == ConsentStatus.APPROVED and consent.approved_by == producer
    assert consent.take
    assert (consent.take.capture, consent.take.recorded_by) == (Capture.IN_STUDIO, engineer)
    event = consent.events.get(kind=EventKind.APPROVED)
    assert event.payload["reason"] == sample_studio.NO_LISTENER
    assert "approver_made_take" not in event.payload
