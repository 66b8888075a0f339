"""Encryption of what must never stand readable in the database, such as a provider's key. It fails closed.

A sealed value that was tampered with, copied to another row, or made with a key that is no longer known is an
error, never a shrug. Keys rotate: the first of VOICEHUB_FIELD_KEYS seals, each of them opens.
"""

import functools

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DecryptionError(Exception):
    """A stored secret cannot be opened for its row; it has to be entered again."""


@functools.cache
def _parse_keys(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("VOICEHUB_FIELD_KEYS must be Fernet keys, separated by commas.") from error


def load_keys() -> MultiFernet:
    """The keys in force. Raises ImproperlyConfigured when one is no Fernet key."""
    return _parse_keys(tuple(settings.VOICEHUB_FIELD_KEYS))


def encrypt(plain: str, bound_to: str) -> str:
    """Encrypt `plain` so that `unseal` gives it back only for the same `bound_to` (say, a row's id)."""
    return load_keys().encrypt(f"{bound_to}\n{plain}".encode()).decode()


def decrypt(encrypted: str, bound_to: str) -> str:
    """The text that was sealed for `bound_to`. Raises SecretUnreadable for anything else."""
    try:
        owner, _, plain = load_keys().decrypt(encrypted.encode()).decode().partition("\n")
    except InvalidToken:
        owner, plain = "", ""
    if not owner or owner != bound_to:
        raise DecryptionError("The stored key cannot be read with the encryption keys at hand. Enter it again.")
    return plain
