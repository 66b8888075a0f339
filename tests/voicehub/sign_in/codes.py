"""Codes of an authenticator app, as the app computes them (RFC 6238), and steps of a sign-in."""

import base64
import hashlib
import hmac
import struct
import time
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from voicehub.confirmation import SIGN_IN_KEY
from voicehub.models import User

PERIOD = 30  # seconds
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD, WRONG_PASSWORD = "secret", "not the secret"


def compute_code(secret: str = SECRET, at: float | None = None) -> str:
    counter = int(time.time() if at is None else at) // PERIOD
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def add_app(user: User) -> list[str]:
    """Give the user an authenticator app with SECRET. Return the recovery codes."""
    TOTP.activate(user, SECRET)
    return list(RecoveryCodes.activate(user).get_unused_codes())


def has_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def sign_in(client: Client, name: str, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": name, "password": password})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def sign_in_earlier(client: Client, age: timedelta) -> None:
    """Let the sign-in of this browser be so long ago."""
    session = client.session
    session[SIGN_IN_KEY] = session[SIGN_IN_KEY] | {"at": (timezone.now() - age).isoformat()}
    session.save()
