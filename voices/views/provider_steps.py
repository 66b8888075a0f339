"""Next steps about accounts at providers."""

from collections.abc import Iterator

from django.db.models import Count, Q
from django.urls import reverse

from providers import registry
from voicehub.text import format_count
from voices import access
from voices.models.build import ACTIVE_STATUSES
from voices.next_fixes import make_pause_fix
from voices.views.next_step import MAX_ROWS, NextStep


def list_paused_accounts() -> Iterator[NextStep]:
    waiting = Count("remote_voices__builds", Q(remote_voices__builds__status__in=ACTIVE_STATUSES))
    for account in access.query_paused_accounts().annotate(waiting=waiting)[:MAX_ROWS]:
        is_paused_by_person = account.paused_by_id is not None
        reasons = [account.pause_reason]
        if account.waiting:
            end = "until it is resumed" if is_paused_by_person else "for a working key"
            reasons.append(f"{format_count(account.waiting, 'build waits', 'builds wait')} {end}.")
        fix = make_pause_fix(account)
        yield NextStep(
            account.name,
            f"Account at {registry.get_provider_label(account.provider)}",
            "wait" if is_paused_by_person else "bad",
            "Paused",
            tuple(reasons),
            fix.url,
            fix.action,
            account.paused_at,
            fix.permission,
            subject_url=reverse("voices:account", args=[account.pk]),
            subject_permission="voices.view_account",
        )
