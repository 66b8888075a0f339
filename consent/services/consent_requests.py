"""Many requests at once: several of one talent, or some of many talents. Nothing is requested twice."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db import transaction

from consent.models import Consent, ConsentStatus, Invitation, Talent
from consent.services.filed_contracts import find_contract_problem
from consent.services.invitations import invite_talent, request_consent
from consent.services.request_rules import RequestRules, Use, list_problems
from consent.services.statements import load_newest_statements
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import format_date

MAX_REQUESTS = 1000
IN_FORCE = "Already in force. To replace it, request a new one on the page of the talent."
TWICE = "It is in this list twice. The first one counts."
ENDED = "The last day is in the past. Enter a later one."


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request that staff want: a line of a table, or one of the uses of a chosen talent.

    `problem` is why it cannot be made. Without a problem, talent and use are known. Without `valid_until`, the consent
    ends with the contract.
    """

    number: int
    name: str
    talent: Talent | None = None
    use: Use | None = None
    valid_until: date | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan. Without a problem it was requested; in a preview it can be, and has no consent."""

    plan: PlannedRequest
    problem: str = ""
    note: str = ""
    consent: Consent | None = None

    @property
    def description(self) -> str:
        return self.plan.use.describe() if self.plan.use else ""

    @property
    def last_day(self) -> date | None:
        return self.plan.valid_until


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """The one invitation of a talent for several requests. `problem` is why none, or not all of them, were sent."""

    talent: Talent
    problem: str = ""
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class RequestReport:
    outcomes: Sequence[Outcome]
    is_preview: bool
    invitations: Sequence[SentInvitation] = ()

    @property
    def good_count(self) -> int:
        return sum(not outcome.problem for outcome in self.outcomes)

    @property
    def problem_count(self) -> int:
        return len(self.outcomes) - self.good_count

    @property
    def sent_count(self) -> int:
        return sum(one.is_sent for one in self.invitations)


def request_consents(
    talent: Talent, uses: Sequence[Use], by: User, *, company: str = "", valid_until: date | None = None
) -> list[Consent]:
    """Request a consent for each of these uses. Raises ActionRefused with all problems; then none is requested."""
    with transaction.atomic():
        rules = RequestRules(_lock_talent(talent))
        if problems := list_problems(rules, uses):
            raise ActionRefused(*problems)
        return [
            request_consent(rules.talent, *use, by, company=company, valid_until=valid_until)
            for use in dict.fromkeys(uses)
        ]


def preview_requests(plans: Sequence[PlannedRequest]) -> RequestReport:
    """What `request_many` would do. Raises ActionRefused if there are too many plans."""
    _require_fitting(plans)
    statements = load_newest_statements()
    outcomes = [outcome for rows in _group_by_talent(plans) for outcome in _judge_plans(rows, statements)]
    return RequestReport(_sort_outcomes(outcomes), is_preview=True)


def request_many(
    plans: Sequence[PlannedRequest], by: User, *, company: str = "", is_sent: bool = False
) -> RequestReport:
    """Request what these plans want, and with `is_sent` email each talent one link for it.

    A plan with a problem is left out, and the report says why. Raises ActionRefused if there are too many plans.
    """
    _require_fitting(plans)
    outcomes: list[Outcome] = []
    sent: list[SentInvitation] = []
    statements = load_newest_statements()
    for rows in _group_by_talent(plans):
        with transaction.atomic():
            created = [_create(outcome, by, company) for outcome in _judge_plans(rows, statements, is_locked=True)]
        outcomes += created
        consents = [outcome.consent for outcome in created if outcome.consent]
        if consents and is_sent:
            sent.append(send_requests(consents[0].talent, consents, by))
    return RequestReport(_sort_outcomes(outcomes), is_preview=False, invitations=sent)


def send_requests(talent: Talent, consents: Sequence[Consent], by: User) -> SentInvitation:
    """Email the talent one link for those of these requests that a contract on file allows."""
    problems = {consent.pk: find_contract_problem(consent) for consent in consents}
    sendable = [consent for consent in consents if not problems[consent.pk]]
    reasons = list(dict.fromkeys(problem for problem in problems.values() if problem))
    if sendable:
        try:
            invite_talent(sendable, by)
        except ActionRefused as refusal:
            return SentInvitation(talent, " ".join([*refusal.reasons, *reasons]))
    return SentInvitation(talent, " ".join(reasons), is_sent=bool(sendable))


def list_unsent_requests(talent: Talent) -> list[Consent]:
    """The talent's requests without a link that works or waits to be mailed."""
    links = Invitation.objects.filter(revoked_at=None)
    rows = talent.consents.filter(status=ConsentStatus.REQUESTED).exclude(invitations__in=links)
    return list(rows.select_related("talent").order_by("created_at"))


def _require_fitting(plans: Sequence[PlannedRequest]) -> None:
    if len(plans) > MAX_REQUESTS:
        raise ActionRefused(f"These are {len(plans):,} requests. Make at most {MAX_REQUESTS:,} at once.")


def _lock_talent(talent: Talent) -> Talent:
    """Lock the talent, so that of two concurrent requests the second one sees what the first one stored."""
    return Talent.objects.select_for_update().get(pk=talent.pk)


def _group_by_talent(plans: Sequence[PlannedRequest]) -> list[list[PlannedRequest]]:
    groups: dict[object, list[PlannedRequest]] = {}
    for plan in plans:
        groups.setdefault(plan.talent.pk if plan.talent and not plan.problem else None, []).append(plan)
    return list(groups.values())


def _judge_plans(
    plans: Sequence[PlannedRequest], statements: Collection[str], *, is_locked: bool = False
) -> Iterator[Outcome]:
    """The outcomes of the plans of one talent, or of those with a problem, without consents."""
    first = plans[0]
    if first.problem or first.talent is None:
        yield from (Outcome(plan, plan.problem) for plan in plans)
        return
    rules, known = RequestRules(_lock_talent(first.talent) if is_locked else first.talent, statements), set()
    for plan in plans:
        outcome = _judge_plan(plan, rules)
        use = plan.use and (plan.use.provider, plan.use.purpose)
        yield Outcome(plan, TWICE) if use in known and not outcome.problem else outcome
        known.add(use)


def _judge_plan(plan: PlannedRequest, rules: RequestRules) -> Outcome:
    if plan.use is None:
        return Outcome(plan, plan.problem)
    verdict, end = rules.judge(plan.use), rules.find_end(plan.use)
    if verdict.problem or verdict.is_in_force:
        return Outcome(plan, verdict.problem or IN_FORCE)
    note = verdict.note
    if plan.valid_until and end and plan.valid_until > end:
        note = f"{note} The contract ends on {format_date(end)}, so the consent ends then.".strip()
    return Outcome(replace(plan, valid_until=plan.valid_until or end), note=note)


def _create(outcome: Outcome, by: User, company: str) -> Outcome:
    plan = outcome.plan
    if outcome.problem or plan.talent is None or plan.use is None:
        return outcome
    consent = request_consent(plan.talent, *plan.use, by, company=company, valid_until=plan.valid_until)
    return replace(outcome, consent=consent)


def _sort_outcomes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome.plan.number)
