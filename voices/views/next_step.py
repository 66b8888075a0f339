"""One row of the next steps of Today, and what of it a user may see."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from voicehub.models import User
from voicehub.status_marks import name_mark

Row = TypeVar("Row", bound=Model)
# The talents whose steps are listed. None means all.
Talents = Collection[UUID] | None

MAX_ROWS = 100  # of one kind
# The worst first. VoiceHub itself works on a row that is busy, and one that is over needs no person.
SEVERITIES = ("bad", "new", "wait", "good", "busy", "over")


@dataclass(frozen=True, slots=True)
class NextStep:
    """One row of the list: its subject, what is open or blocked, since when, and the link to the next step.

    The subject links to `subject_url`, or else to `url`. A POST to `mark_url` marks the row as seen. `voice_id` is
    there if the subject is a voice, and `talent_id` if the step is about one talent.
    """

    subject: str
    description: str
    severity: str
    status: str
    reasons: tuple[str, ...]
    url: str
    action: str  # the label of the link to `url`
    since: datetime | None = None
    permission: str = ""
    is_allowed: bool = True
    subject_url: str = ""
    subject_permission: str = ""
    mark_url: str = ""
    mark_permission: str = ""
    voice_id: UUID | None = None
    talent_id: UUID | None = None

    @property
    def tone(self) -> str:
        """The name of the status mark."""
        return name_mark(self.severity)

    @property
    def more_reasons(self) -> tuple[str, ...]:
        return self.reasons[1:3]

    @property
    def is_for_staff(self) -> bool:
        return self.severity not in ("busy", "over")

    @property
    def link(self) -> str:
        return self.subject_url or self.url


def select_talents(rows: QuerySet[Row], talents: Talents, field: str = "talent") -> QuerySet[Row]:
    """The rows of these talents. `field` leads to the talent of a row."""
    return rows if talents is None else rows.filter(**{f"{field}__in": talents})


def sort_worst_first(sources: Iterable[Iterable[NextStep]]) -> list[NextStep]:
    """The rows of all sources by severity. Rows of one severity keep the order of their sources."""
    return sorted(chain.from_iterable(sources), key=lambda step: SEVERITIES.index(step.severity))


def apply_permissions(step: NextStep, user: User) -> NextStep:
    """The step, without the links that this user may not follow."""
    if step.mark_permission and not user.has_perm(step.mark_permission):
        step = replace(step, mark_url="")
    if not step.permission or user.has_perm(step.permission):
        return step
    can_open = not step.subject_permission or user.has_perm(step.subject_permission)
    link = step.link if can_open else ""
    return replace(step, is_allowed=False, url=link, subject_url=link)
