"""Deletes what is kept about the access of people, after as long as it is needed.

The French authority recommends to keep logs of access from six months to one year (CNIL, deliberation 2021-122 of
14 October 2021). Addresses and browsers serve to look into recent events, so they go after six months; what was changed
and by whom goes after VOICEHUB_SECURITY_EVENT_DAYS, by default one year.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from voicehub.models import BrowserSession, SecurityEvent, SignInAttempts
from voicehub.sign_in.limits import WINDOW
from voicehub.sign_in.sessions import find_idle_limit

logger = logging.getLogger(__name__)

TASK = "delete_old_access_data"
ADDRESS_DAYS = 183
BATCH = 1000


def find_old_events() -> QuerySet[SecurityEvent]:
    return SecurityEvent.objects.filter(at__lt=timezone.now() - timedelta(days=settings.VOICEHUB_SECURITY_EVENT_DAYS))


def find_old_addresses() -> QuerySet[SecurityEvent]:
    old = SecurityEvent.objects.filter(at__lt=timezone.now() - timedelta(days=ADDRESS_DAYS))
    return old.exclude(address=None, browser="")


def find_ended_sessions() -> QuerySet[BrowserSession]:
    """Sessions that open nothing anymore: of staff and talents, at their fixed end or because their person was idle."""
    is_idle = Q(user__isnull=False, seen_at__lt=find_idle_limit())
    return BrowserSession.objects.filter(Q(expire_date__lt=timezone.now()) | is_idle)


def find_old_attempts() -> QuerySet[SignInAttempts]:
    return SignInAttempts.objects.filter(since__lte=timezone.now() - WINDOW)


def delete_old_access_data(extend_lease: Callable[[], None]) -> None:
    """Batch by batch, so that no transaction locks many rows for long."""
    events = _run_in_batches(find_old_events(), extend_lease, lambda rows: rows.delete())
    addresses = _run_in_batches(find_old_addresses(), extend_lease, lambda rows: rows.update(address=None, browser=""))
    sessions = _run_in_batches(find_ended_sessions(), extend_lease, lambda rows: rows.delete())
    _run_in_batches(find_old_attempts(), extend_lease, lambda rows: rows.delete())
    logger.info(
        "Deleted %d security events older than %d days, the addresses of %d older than %d days, and %d ended sessions.",
        events, settings.VOICEHUB_SECURITY_EVENT_DAYS, addresses, ADDRESS_DAYS, sessions,
    )  # fmt: skip


def _run_in_batches(
    rows: QuerySet[Any], extend_lease: Callable[[], None], change: Callable[[QuerySet[Any]], object]
) -> int:
    """Returns how many rows were changed. `rows` must no longer contain a row that was changed."""
    count = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        change(rows.model._default_manager.filter(pk__in=keys))
        count += len(keys)
        extend_lease()
    return count
