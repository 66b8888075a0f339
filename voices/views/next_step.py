"""One row of the next steps of Today, and what of it a user may see."""

from dataclasses import dataclass, replace
from datetime import datetime

from voicehub.models import User

MAX_ROWS = 100  # of one kind


@dataclass(frozen=True, slots=True)
class NextStep:
    """One row of the list: its subject, what is open or blocked, since when, and the link to the next step."""

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
    subject_url: str = ""  # linked instead of `url` for users without `permission`
    subject_permission: str = ""


def apply_permissions(step: NextStep, user: User) -> NextStep:
    """The step, without the links that this user may not follow."""
    if not step.permission or user.has_perm(step.permission):
        return step
    can_open = not step.subject_permission or user.has_perm(step.subject_permission)
    return replace(step, is_allowed=False, url=(step.subject_url or step.url) if can_open else "")
