"""The voices of one account, those that need a person first."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable

from voices import access
from voices.models import Account, Build, RemoteVoice
from voices.models.build import ACTIVE_STATUSES, FAILED_STATUSES
from voices.presenters import StatusBadge, make_remote_badge
from voices.services.builds.recheck import find_held_voices

PER_PAGE, SHOWN = 25, 8
SEVERITIES = ("bad", "wait", "busy", "good", "over")


@dataclass(frozen=True, slots=True)
class VoiceRow:
    remote: RemoteVoice
    state: StatusBadge


def load_account_voices(account: Account, number: str | None) -> dict[str, Any]:
    """A page of voices: the rows that are shown at once, and those in the fold below them."""
    builds = Build.objects.filter(remote_voice=OuterRef("pk")).order_by("-created_at")
    last_status = Subquery(builds.values("status")[:1])
    voices = access.query_remote_voices().filter(account=account).annotate(last_status=last_status)
    page = Paginator(voices.order_by(_rank_need(), "-created_at", "pk"), PER_PAGE).get_page(number)
    remotes = list(page.object_list)
    held = find_held_voices(remotes)
    rows = [VoiceRow(remote, make_remote_badge(remote, is_held=remote.pk in held)) for remote in remotes]
    rows.sort(key=lambda row: (not row.remote.alert, SEVERITIES.index(row.state.severity)))
    shown = SHOWN if len(rows) > SHOWN + 1 else len(rows)
    return {"page": page, "voice_rows": rows[:shown], "more_voice_rows": rows[shown:]}


def _rank_need() -> Combinable:
    """The order of the pages, from what the database knows. The rows of a page are sorted by their states."""
    return Case(
        When(deleted_at__isnull=False, then=Value(4)),
        When(~Q(alert=""), then=Value(0)),
        When(last_status__in=FAILED_STATUSES, then=Value(1)),
        When(Q(deletion_requested_at__isnull=False) | Q(last_status__in=ACTIVE_STATUSES), then=Value(2)),
        default=Value(3),
    )
