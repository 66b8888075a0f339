"""Links by which people confirm a new email address. They are signed, not stored."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from voicehub.models import User
from voicehub.refusals import ActionRefused

SALT = "voicehub.new-email"
LINK_ENDED = "This link no longer works. Enter the new address on your profile again."


def _make_mark(user: User) -> str:
    """Changes with the present address and with the password, so that an earlier link ends with either."""
    return salted_hmac(SALT, f"{user.pk} {user.email} {user.password}", algorithm="sha256").hexdigest()


def make_email_link(user: User, email: str) -> str:
    token = signing.dumps({"user": user.pk, "email": email, "mark": _make_mark(user)}, salt=SALT)
    return settings.VOICEHUB_BASE_URL + reverse("profile_email_confirm", args=[token])


def read_email_link(token: str) -> tuple[User, str]:
    """The person and the new address. Raises ActionRefused if the link works no longer."""
    try:
        value: dict[str, Any] = signing.loads(token, salt=SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature:
        raise ActionRefused(LINK_ENDED) from None
    user = User.objects.filter(pk=value["user"], is_active=True).first()
    if user is None or not constant_time_compare(value["mark"], _make_mark(user)):
        raise ActionRefused(LINK_ENDED)
    return user, value["email"]
