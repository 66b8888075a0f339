"""Requirements for approving a take: a second person, a contract on file, full playback, and a reason after objections.

The pages show the requirements, but this module enforces them. A claim by the browser is never evidence.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from consent.models import Take
from consent.services.filed_contracts import find_contract_problem
from voicehub.models import User

NOT_CHECKED = "the words have not been checked yet"
CANNOT_CHECK = "the words could not be checked"
OTHER_COMPANY = "another company was recognized"
WORDS_MISSING = "words of the statement were not recognized"
NEGATED = "a “not” was recognized that is not in the statement"
OTHER_SPEAKER = "the voice sounds like a different person"
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
    """Whether another person made the take, or the settings allow self-approval (a studio with one person)."""
    return settings.VOICEHUB_ALLOW_SELF_APPROVAL or not is_own_take(take, person)


def find_objections(take: Take) -> tuple[str, ...]:
    """The check results that require a written reason, as phrases; empty if there are none."""
    check = getattr(take, "check_made", None)
    if check is None or (check.checked_at is None and not check.statement):
        return (NOT_CHECKED,)
    objections = [*_find_statement_objections(check.statement)]
    if check.speaker.get("verdict") == "different":
        objections.append(OTHER_SPEAKER)
    return tuple(dict.fromkeys(objections))


def _find_statement_objections(statement: dict[str, Any]) -> Iterator[str]:
    accepted = statement.get("verdict") == "accept"
    if not accepted and statement.get("match") is None:
        yield CANNOT_CHECK
    yield from (
        OBJECTION_BY_CODE[finding["code"]]
        for finding in statement.get("findings") or ()
        if finding["code"] in OBJECTION_BY_CODE
    )
    # An accepted statement may lack a word or two, because almost every reading does.
    states = () if accepted else (word["state"] for word in statement.get("words") or ())
    yield from (OBJECTION_BY_STATE[state] for state in states if state in OBJECTION_BY_STATE)


def count_seconds_left(take: Take, played_at: datetime) -> int:
    """Whole seconds until the duration of the take has passed since `played_at`; 0 after that."""
    left = played_at + timedelta(seconds=take.seconds) - timezone.now()
    return max(0, math.ceil(left.total_seconds()))


def list_missing_requirements(take: Take, person: User, played_at: datetime | None, reason: str) -> Iterator[str]:
    """Yield a sentence for each requirement that this person has not yet met to approve the take.

    `played_at` is when this person first requested the audio of this take from the server.
    """
    if not may_approve(take, person):
        yield "You recorded or uploaded this recording yourself. Ask another person to approve it."
    if problem := find_contract_problem(take.consent):
        yield f"{problem} Add the contract first."
    if played_at is None:
        yield "Play the recording first. You have not played it since you signed in."
    elif seconds_left := count_seconds_left(take, played_at):
        yield f"Listen to the whole recording first: {seconds_left} s left."
    if not reason and (objections := find_objections(take)):
        yield f"Enter the reason why you approve it although {' and '.join(objections)}."
