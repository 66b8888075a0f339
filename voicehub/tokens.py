"""Unguessable links: 256 bits go out, only their SHA-256 is stored, and no log gets one.

A plain hash is enough for a value of this entropy (OWASP ASVS 5.0, 6.5.2); a look-up by hash needs no
constant-time comparison.
"""

import base64
import hashlib
import logging
import re
import secrets

from django.utils.crypto import salted_hmac


def hash_token(token: str) -> str:
    """The 64 hex digits under which `token` is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> tuple[str, str]:
    """A fresh token of 43 URL-safe characters and its digest."""
    token = secrets.token_urlsafe(32)
    return token, hash_token(token)


def derive_token(purpose: str, row_id: object) -> str:
    """The token of one row for one purpose: as long and as unguessable, but the same each time it is asked for.

    Work that is taken up again after a crash so sends out the address that it sent before, without storing it.
    """
    made = salted_hmac(f"voicehub.token.{purpose}", str(row_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


SECRET_LINK = re.compile(r"(/(?:i|datasets|hooks/[\w-]+)/)[\w-]{20,}")


def redact_links(line: str) -> str:
    """`line` with the token of each private link replaced by an ellipsis."""
    return SECRET_LINK.sub(r"\1…", line)


class LinkRedactor(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact_links(record.getMessage()), None
        return True
