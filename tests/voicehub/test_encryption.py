"""Sealed values open for their own row and with a known key, and fail closed for everything else."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from voicehub.encryption import DecryptionError, decrypt, encrypt
from voices.models import Account


def test_opens_for_the_row_it_was_sealed_for() -> None:
    sealed = encrypt("key-123\nwith a line", "account:1")
    assert "key-123" not in sealed
    assert decrypt(sealed, "account:1") == "key-123\nwith a line"


@pytest.mark.parametrize("other", ["account:2", "", "account:1\nkey-123"])
def test_a_value_copied_to_another_row_does_not_open(other: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(encrypt("key-123", "account:1"), other)


def test_a_tampered_value_does_not_open() -> None:
    sealed = encrypt("key-123", "account:1")
    for place in (0, len(sealed) // 2, len(sealed) - 5):
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(DecryptionError):
            decrypt(changed, "account:1")


def test_keys_rotate(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.VOICEHUB_FIELD_KEYS = [old]
    sealed = encrypt("key-123", "account:1")
    settings.VOICEHUB_FIELD_KEYS = [new, old]
    assert decrypt(sealed, "account:1") == "key-123"
    settings.VOICEHUB_FIELD_KEYS = [new]
    with pytest.raises(DecryptionError):
        decrypt(sealed, "account:1")


@pytest.mark.django_db
def test_an_account_keeps_its_key_for_itself() -> None:
    one, two = Account(name="one", provider="resemble_v2"), Account(name="two", provider="resemble_v2")
    one.set_key("secret-key-of-one")
    assert (one.decrypt_key(), one.key_hint) == ("secret-key-of-one", "-one")
    two.encrypted_key = one.encrypted_key
    with pytest.raises(DecryptionError):
        two.decrypt_key()


def test_a_short_key_gives_no_hint() -> None:
    account = Account(name="short", provider="resemble_v2")
    account.set_key("abcd")
    assert account.key_hint == ""
