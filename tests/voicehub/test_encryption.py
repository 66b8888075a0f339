"""An encrypted value can be decrypted only for its own row, and only with a configured key."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from voicehub.encryption import DecryptionError, decrypt, encrypt
from voices.models import Account


def test_value_is_encrypted_and_decrypts_for_its_own_row() -> None:
    encrypted = encrypt("key-123\nwith a line", "account:1")
    assert "key-123" not in encrypted
    assert decrypt(encrypted, "account:1") == "key-123\nwith a line"


@pytest.mark.parametrize("other", ["account:2", "", "account:1\nkey-123"])
def test_value_copied_to_another_row_does_not_decrypt(other: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(encrypt("key-123", "account:1"), other)


def test_tampered_value_does_not_decrypt() -> None:
    encrypted = encrypt("key-123", "account:1")
    for index in (0, len(encrypted) // 2, len(encrypted) - 5):
        changed = encrypted[:index] + ("A" if encrypted[index] != "A" else "B") + encrypted[index + 1 :]
        with pytest.raises(DecryptionError):
            decrypt(changed, "account:1")


def test_value_of_an_old_field_key_decrypts_until_that_key_is_removed(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.VOICEHUB_FIELD_KEYS = [old]
    encrypted = encrypt("key-123", "account:1")
    settings.VOICEHUB_FIELD_KEYS = [new, old]
    assert decrypt(encrypted, "account:1") == "key-123"
    settings.VOICEHUB_FIELD_KEYS = [new]
    with pytest.raises(DecryptionError):
        decrypt(encrypted, "account:1")


@pytest.mark.django_db
def test_api_key_of_account_does_not_decrypt_for_another_account() -> None:
    one, two = Account(name="one", provider="resemble_v2"), Account(name="two", provider="resemble_v2")
    one.set_key("secret-key-of-one")
    assert (one.decrypt_key(), one.key_hint) == ("secret-key-of-one", "-one")
    two.encrypted_key = one.encrypted_key
    with pytest.raises(DecryptionError):
        two.decrypt_key()


def test_api_key_that_is_too_short_has_no_hint() -> None:
    account = Account(name="short", provider="resemble_v2")
    account.set_key("abcd")
    assert account.key_hint == ""
