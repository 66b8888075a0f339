"""What has to be there before a take is approved: another person than its maker, playback, perhaps a reason.

The pages say the same beforehand, but the rule is here: what a browser says of itself is never evidence.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from consent.models import Take
from voicehub.models import User

NOT_CHECKED = "the words were not checked yet"
CANNOT_CHECK = "the words could not be checked"
OTHER_COMPANY = "another company was heard"
WORDS_MISSING = "words of the statement were not heard"
NEGATED = "a “not” was heard that the statement does not have"
OTHER_SPEAKER = "it sounds like another person"
OBJECTION_BY_CODE = {
    "statement_company": OTHER_COMPANY,
    "statement_negated": NEGATED,
    "statement_talent": WORDS_MISSING,
    "statement_words_missing": WORDS_MISSING,
    "statement_not_read": WORDS_MISSING,
}
OBJECTION_BY_STATE = {"other_company": OTHER_COMPANY, "missing": WORDS_MISSING}


def is_own_take(take: Take, person: User) -> bool:
    """Whether this person recorded or uploaded the take, or sent it over the private link while signed in."""
    return take.recorded_by_id == person.pk


def may_approve(take: Take, person: User) -> bool:
    """Whether another person made the take, or the studio has only one."""
    return settings.VOICEHUB_ALLOW_SELF_APPROVAL or not is_own_take(take, person)


def find_objections(take: Take) -> tuple[str, ...]:
    """The results of its check that call for a written reason, in words; empty when there is none."""
    check = getattr(take, "check_made", None)
    if check is None or (check.checked_at is None and not check.statement):
        return (NOT_CHECKED,)
    found = [*_find_in_words(check.statement)]
    if check.speaker.get("verdict") == "different":
        found.append(OTHER_SPEAKER)
    return tuple(dict.fromkeys(found))


def _find_in_words(statement: dict[str, Any]) -> Iterator[str]:
    accepted = statement.get("verdict") == "accept"
    if not accepted and statement.get("match") is None:
        yield CANNOT_CHECK
    yield from (
        OBJECTION_BY_CODE[one["code"]] for one in statement.get("findings") or () if one["code"] in OBJECTION_BY_CODE
    )
    # A statement that is accepted may lack a word or two, as any reading does.
    states = () if accepted else (word["state"] for word in statement.get("words") or ())
    yield from (OBJECTION_BY_STATE[state] for state in states if state in OBJECTION_BY_STATE)


def count_seconds_left(take: Take, played_at: datetime) -> int:
    """Whole seconds until as much time has passed since then as the take lasts; 0 when it has."""
    left = played_at + timedelta(seconds=take.seconds) - timezone.now()
    return max(0, math.ceil(left.total_seconds()))


def list_missing_requirements(take: Take, person: User, played_at: datetime | None, reason: str) -> Iterator[str]:
    """What this person still lacks to approve the take, a sentence each.

    `played_at` is when the server was first asked by this very person for the sound of this take.
    """
    if not may_approve(take, person):
        yield "You recorded or uploaded this recording yourself: another person has to approve it."
    if played_at is None:
        yield "Play the recording first: you have not asked to hear it since you signed in."
    elif rest := count_seconds_left(take, played_at):
        yield f"Listen to the whole recording: less time has passed than it lasts, {rest} s are left."
    if not reason and (found := find_objections(take)):
        yield f"Write down why you approve it although {' and '.join(found)}."
