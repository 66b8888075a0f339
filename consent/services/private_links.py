"""The addresses of private links."""

from django.conf import settings
from django.urls import reverse

from consent.models import Consent, Invitation
from voicehub.tokens import derive_token, hash_token


def make_private_link(token: str) -> str:
    return settings.VOICEHUB_BASE_URL + reverse("invitation:open", args=[token])


def derive_invitation_token(invitation: Invitation) -> str:
    """The token of a mailed invitation. It is the same at each call, so a reminder contains the same link."""
    return derive_token("invitation", invitation.pk)


def read_mailed_link(invitation: Invitation) -> str:
    """The private link of a mailed invitation.

    Empty if the link was mailed by an earlier version or under another secret: its token is known to the talent only.
    """
    token = derive_invitation_token(invitation)
    return make_private_link(token) if invitation.token_digest == hash_token(token) else ""


def find_mailed_link(consent: Consent, address: str) -> str:
    """The private link to this consent that was mailed to this address and still works. Empty if there is none."""
    mailed = consent.invitations.live().filter(channel=Invitation.Channel.MAIL, sent_to=address)
    return next((link for invitation in mailed if (link := read_mailed_link(invitation))), "")
