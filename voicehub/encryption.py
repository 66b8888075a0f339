"""Encryption of secret database fields, such as provider API keys.

Decryption raises an error if a value was changed, copied to another row, or encrypted with a key that is no longer
configured. Keys rotate: the first of VOICEHUB_FIELD_KEYS encrypts, and each of them decrypts.
"""

import functools

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DecryptionError(Exception):
    """A stored secret cannot be decrypted for its row. An admin must enter it again."""


@functools.cache
def _parse_keys(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("VOICEHUB_FIELD_KEYS must be Fernet keys, separated by commas.") from error


def load_keys() -> MultiFernet:
    """The configured keys. Raises ImproperlyConfigured if any of them is not a Fernet key."""
    return _parse_keys(tuple(settings.VOICEHUB_FIELD_KEYS))


def encrypt(plain: str, bound_to: str) -> str:
    """Encrypt `plain`. `decrypt` returns it only for the same `bound_to` (for example a row's id)."""
    return load_keys().encrypt(f"{bound_to}\n{plain}".encode()).decode()


def decrypt(encrypted: str, bound_to: str) -> str:
    """The text that was encrypted for `bound_to`. Raises DecryptionError for any other value."""
    try:
        owner, _, plain = load_keys().decrypt(encrypted.encode()).decode().partition("\n")
    except InvalidToken:
        owner, plain = "", ""
    if not owner or owner != bound_to:
        raise DecryptionError("The stored key cannot be decrypted with the current encryption keys. Enter it again.")
    return plain
