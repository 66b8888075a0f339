"""Unguessable links: 256 random bits go out once, only their SHA-256 is stored.

A plain hash is enough for a value of this entropy (OWASP ASVS 5.0, 6.5.2); a look-up by hash needs no
constant-time comparison.
"""

import hashlib
import secrets


def digest(token: str) -> str:
    """The 64 hex digits under which `token` is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> tuple[str, str]:
    """A fresh token of 43 URL-safe characters and its digest."""
    token = secrets.token_urlsafe(32)
    return token, digest(token)
