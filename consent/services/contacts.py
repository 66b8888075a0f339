"""Where a talent reaches the person who asked for a consent, and where that person gets mails."""

from email.utils import parseaddr

from django.conf import settings

from consent.models import Consent
from voicehub.models import User


def get_producer_address(consent: Consent) -> str:
    """The email address of the requester of the consent, or of the studio (see `get_staff_address`)."""
    return get_staff_address(consent.requested_by)


def get_staff_address(person: User) -> str:
    """The email address of this person, or of the studio if they have none or may not sign in."""
    return (person.email if person.is_active else "") or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
