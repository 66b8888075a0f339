"""Approve a take as a reviewer does: first play the take, then approve it."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Take
from consent.playback import SESSION_KEY
from consent.services.review import approve_consent
from voicehub.models import User

APPROVAL_REASON = "I know the voice, and read along."


def approve_after_listening(consent: Consent, take: Take, by: User, reason: str = APPROVAL_REASON) -> None:
    """Approve a take as if it was played to its end. The reason is needed if the check of the take found problems."""
    approve_consent(consent, take, by, played_at=timezone.now() - timedelta(seconds=take.seconds), reason=reason)


def play_take(client: Client, take: Take, **headers: str) -> int:
    """Request the audio as a player does, read the whole response, and return its status."""
    response = client.get(reverse("consent:take_audio", args=[take.pk]), headers=headers)
    b"".join(response)
    return response.status_code


def backdate_playback(client: Client, seconds: float) -> None:
    """Move the stored playback starts of this session back by `seconds`. A session without playback stays unchanged."""
    session = client.session
    if SESSION_KEY in session:
        session[SESSION_KEY] = {take: started_at - seconds for take, started_at in session[SESSION_KEY].items()}
        session.save()
