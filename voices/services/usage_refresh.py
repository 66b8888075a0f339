"""The daily refresh of the usage of all accounts."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from providers.errors import CallFailure
from voicehub.retry_policy import USAGE_REFRESH_INTERVAL
from voices.models import Account
from voices.services.accounts import open_session
from voices.services.usage import fetch_usage, reports_usage


def refresh_usage(heartbeat: Callable[[], None]) -> timedelta:
    """Ask the providers of all working accounts whose usage is old. Returns the time until the next refresh.

    An account that has made no call yet is left alone: its key is tested first. If a call fails, the account shows it,
    and the last known usage stays.
    """
    is_old = Q(usage_at=None) | Q(usage_at__lt=timezone.now() - USAGE_REFRESH_INTERVAL / 2)
    for account in Account.objects.working().filter(is_old, checked_at__isnull=False):
        if reports_usage(account):
            heartbeat()
            with suppress(CallFailure), open_session(account) as provider:
                fetch_usage(account, provider)
    return USAGE_REFRESH_INTERVAL
