"""The four figures of the page Today. Each leads to the list of what it counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone

from consent.access import query_submitted_consents
from consent.labels import ENDING_SOON
from voicehub.models import User
from voicehub.row_counts import count_rows
from voicehub.templatetags.studio import describe_moment
from voices.lists.voices import list_voice_views
from voices.models import Build, RemoteVoice, Voice
from voices.views.consent_steps import TO_REVIEW
from voices.views.dashboard_lists import ActiveBuilds, EndingContract
from voices.views.next_step import NextStep

NOTHING = "idle"


@dataclass(frozen=True, slots=True)
class Figure:
    """`tone` is the name of a status mark, and `note` the line below the number."""

    label: str
    tone: str
    count: int
    note: str
    url: str


class TodayCounts(NamedTuple):
    to_review: int = 0
    building: int = 0
    ready: int = 0
    voices: int = 0
    deletions: int = 0


def count_today(user: User) -> TodayCounts:
    """All that the page counts in the database, in one query."""
    ready = next(choice.condition for choice in list_voice_views() if choice.value == "ready")
    deletions = RemoteVoice.objects.filter(deletion_requested_at__isnull=False, deleted_at=None)
    voices = (Voice.objects.filter(ready), Voice.objects.all())
    counted = (query_submitted_consents(), Build.objects.active(), *voices, deletions)
    row = User.objects.filter(pk=user.pk).values_list(*map(count_rows, counted)).first()
    return TodayCounts(*(row or ()))


def list_figures(
    user: User,
    counts: TodayCounts,
    steps: Sequence[NextStep],
    active: ActiveBuilds,
    endings: Sequence[EndingContract],
) -> list[Figure]:
    """What this user may see of the four figures."""
    figures = (
        ("consent.view_consent", _make_review_figure(counts.to_review, steps)),
        ("voices.view_build", _make_building_figure(counts.building, active)),
        ("voices.view_voice", _make_ready_figure(counts.ready, counts.voices)),
        ("consent.view_contract", _make_ending_figure(endings)),
    )
    return [figure for permission, figure in figures if user.has_perm(permission)]


def _make_review_figure(count: int, steps: Sequence[NextStep]) -> Figure:
    oldest = min((step.since for step in steps if step.status == TO_REVIEW and step.since), default=None)
    note = f"Oldest: {_describe(oldest)}" if oldest else "No recording waits"
    return Figure(
        TO_REVIEW, "new" if count else NOTHING, count, note, f"{reverse('consent:consent_list')}?show=to_review"
    )


def _make_building_figure(count: int, active: ActiveBuilds) -> Figure:
    oldest = min((build.created_at for build in active.rows if build.is_active), default=None)
    note = f"Longest: started {_describe(oldest)}" if oldest else "No build runs"
    note = "The newest are shown below" if active.may_have_more else note
    return Figure("Building", "busy" if count else NOTHING, count, note, f"{reverse('voices:build_list')}?show=active")


def _make_ready_figure(count: int, total: int) -> Figure:
    return Figure(
        "Voices built", "good" if count else NOTHING, count, f"of {total}", f"{reverse('voices:voice_list')}?show=ready"
    )


def _make_ending_figure(endings: Sequence[EndingContract]) -> Figure:
    note = f"within {ENDING_SOON.days} days"
    return Figure("Contracts ending", "wait" if endings else NOTHING, len(endings), note, "#contracts-ending")


def _describe(moment: datetime) -> str:
    return describe_moment(moment, timezone.now())
