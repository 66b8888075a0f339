from django.utils import timezone

from voicehub.secrets import SecretUnreadable
from voices.models import Account
from voices.providers import registry
from voices.providers.errors import ProviderError


def note_error(account: Account, error: Exception | None) -> None:
    """Keep an account's last error where staff see it; None means that it has just worked."""
    told = "" if error is None else getattr(error, "public", str(error))
    Account.objects.filter(pk=account.pk).update(last_error=told[:300], checked_at=timezone.now())


def test_account(account: Account) -> None:
    """Ask the provider whether the key is good; what came of it stands in the account's row."""
    try:
        with registry.open_provider(account) as provider:
            provider.check_key()
    except (ProviderError, SecretUnreadable) as error:
        note_error(account, error)
    else:
        note_error(account, None)
    account.refresh_from_db(fields=["last_error", "checked_at"])
