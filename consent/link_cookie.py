"""The cookie that lets staff reload the page that shows a new private link.

The database stores only the hash of a link, so the browser of the user who made it keeps it, encrypted, for a few
minutes. The browser sends the cookie only to that page.
"""

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from consent.access import find_invitation, get_user
from consent.models import Consent, Invitation
from voicehub.encryption import DecryptionError, decrypt, encrypt
from voicehub.tokens import hash_token

LINK_COOKIE = "voicehub-new-link"
LIFETIME_SECONDS = 600


def set_link_cookie(request: HttpRequest, response: HttpResponse, consent: Consent, link: str) -> None:
    response.set_cookie(
        LINK_COOKIE,
        encrypt(link, _bind(request, consent)),
        max_age=LIFETIME_SECONDS,
        path=request.path,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )


def read_link_cookie(request: HttpRequest, consent: Consent) -> str:
    """The link that this user made for this consent minutes ago. Empty if there is none or it no longer works."""
    with suppress(DecryptionError):
        link = decrypt(request.COOKIES.get(LINK_COOKIE, ""), _bind(request, consent))
        if _find_live_invitation(link, consent):
            return link
    return ""


def _find_live_invitation(link: str, consent: Consent) -> Invitation | None:
    invitation = find_invitation(hash_token(link.rstrip("/").rpartition("/")[2]))
    return invitation if invitation and consent.invitations.contains(invitation) else None


def _bind(request: HttpRequest, consent: Consent) -> str:
    return f"link:{get_user(request).pk}:{consent.pk}"
