"""Approving as a person does who has listened."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Take
from consent.playback import SESSION_KEY
from consent.services.review import approve_consent
from voicehub.models import User

REASON = "I know the voice, and read along."


def approve_after_listening(consent: Consent, take: Take, by: User, reason: str = REASON) -> None:
    """Approve a take that was first played as long ago as it lasts, with a reason in case that its check objects."""
    approve_consent(consent, take, by, played_at=timezone.now() - timedelta(seconds=take.seconds), reason=reason)


def play(client: Client, take: Take, **headers: str) -> int:
    """Ask for the sound as a player does and take all of it; the status of the answer."""
    response = client.get(reverse("consent:take_audio", args=[take.pk]), headers=headers)
    b"".join(response)
    return response.status_code


def let_time_pass(client: Client, seconds: float) -> None:
    """Put what this browser's person has played so much further back; nothing if they have played nothing."""
    session = client.session
    if SESSION_KEY in session:
        session[SESSION_KEY] = {take: at - seconds for take, at in session[SESSION_KEY].items()}
        session.save()
