"""Tokens of 256 bits for secret links. Only the SHA-256 of a token is stored, and logs contain no token.

A plain hash is enough for this entropy (OWASP ASVS 5.0, 6.5.2). A look-up by hash needs no constant-time comparison.
"""

import base64
import hashlib
import logging
import re
import secrets

from django.utils.crypto import salted_hmac


def hash_token(token: str) -> str:
    """The SHA-256 (64 hex digits) under which `token` is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> tuple[str, str]:
    """A new token of 43 URL-safe characters, and its digest."""
    token = secrets.token_urlsafe(32)
    return token, hash_token(token)


def derive_token(purpose: str, row_id: object) -> str:
    """A token for one row and purpose, as long and as hard to guess as a new token, but the same at each call.

    So a task that is retried after a crash sends the same URL as before, without storing it.
    """
    digest = salted_hmac(f"voicehub.token.{purpose}", str(row_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


SECRET_LINK = re.compile(r"(/(?:i|reports|datasets|hooks/[\w-]+|password/new|profile/email)/)[\w-]{20,}")


def redact_links(line: str) -> str:
    """Replace the token in each private link with an ellipsis."""
    return SECRET_LINK.sub(r"\1…", line)


class LinkRedactor(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact_links(record.getMessage()), None
        return True
