"""What lists and forms say of a talent in a few words: the contract, the consents, and the private links."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.labels import describe_term
from consent.models import Consent, ConsentStatus, Contract, ContractSuspension, Talent
from voicehub.models import User
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import render_day

CONSENTS, CONTRACTS = "consent.view_consent", "consent.view_contract"
# The status, the tone and the words after the number. A list shows the first two that a talent has.
CONSENT_MARKS = (
    (ConsentStatus.SUBMITTED, "new", "to review"),
    (ConsentStatus.REQUESTED, "over", "waiting for talent"),
    (ConsentStatus.APPROVED, "good", "in force"),
    (ConsentStatus.SUSPENDED, "wait", "suspended"),
    (ConsentStatus.WITHDRAWN, "bad", "withdrawn"),
    (ConsentStatus.DECLINED, "bad", "declined"),
)


@dataclass(frozen=True, slots=True)
class ContractState:
    """The contracts of a talent that have started and not ended. `ends_on` is the latest end of those in force."""

    has_contract: bool = False
    is_suspended: bool = False
    ends_on: date | None = None


def load_contract_states(talents: Sequence[Talent]) -> dict[UUID, ContractState]:
    open_suspensions = ContractSuspension.objects.filter(contract=OuterRef("pk"), resumed_at__isnull=True)
    rows = Contract.objects.current().filter(talent__in=talents).annotate(is_suspended=Exists(open_suspensions))
    ends: dict[UUID, list[date | None]] = defaultdict(list)
    suspended = set()
    for talent_id, ends_on, is_suspended in rows.values_list("talent_id", "ends_on", "is_suspended"):
        suspended.add(talent_id) if is_suspended else ends[talent_id].append(ends_on)
    states = {pk: ContractState(is_suspended=True) for pk in suspended}
    return states | {pk: ContractState(has_contract=True, ends_on=_find_latest(days)) for pk, days in ends.items()}


def _find_latest(days: Sequence[date | None]) -> date | None:
    """The latest end. None if one has no end."""
    return None if None in days else max(day for day in days if day)


def load_consent_counts(talents: Sequence[Talent]) -> Mapping[UUID, Counter[str]]:
    """By talent, the number of consents in each status. An approved one whose last day has passed is not counted."""
    today = timezone.localdate()
    counts: dict[UUID, Counter[str]] = defaultdict(Counter)
    rows = Consent.objects.filter(talent__in=talents).order_by()
    for talent_id, status, valid_until in rows.values_list("talent_id", "status", "valid_until"):
        is_over = status == ConsentStatus.APPROVED and valid_until is not None and valid_until < today
        counts[talent_id][status] += not is_over
    return counts


def render_contract_state(state: ContractState) -> SafeString | str:
    if not state.has_contract:
        return render_mark("wait", "Suspended") if state.is_suspended else render_mark("wait", "Missing")
    mark = describe_term(state.ends_on)
    if mark.tone != "good":
        return render_mark(*mark)
    return format_html("until {}", render_day(state.ends_on)) if state.ends_on else "no end date"


def render_consent_counts(counts: Mapping[str, int], most: int) -> SafeString:
    found = [(status, tone, label) for status, tone, label in CONSENT_MARKS if counts[status]][:most]
    marks = [(render_mark(tone, f"{counts[status]} {label}"),) for status, tone, label in found]
    return format_html_join(" ", "{}", marks) if marks else render_mark("over", "Not requested")


def list_talent_facts(talent: Talent, user: User) -> Iterator[tuple[str, SafeString | str]]:
    """What stands beside the form of a talent: what this user may see of the contract, consents and links."""
    if user.has_perm(CONTRACTS):
        state = load_contract_states([talent]).get(talent.pk, ContractState())
        yield "Contract", render_contract_state(state)
    if user.has_perm(CONSENTS):
        yield "Consents", render_consent_counts(load_consent_counts([talent])[talent.pk], len(CONSENT_MARKS))
        links = talent.invitations.filter(revoked_at=None, expires_at__gt=timezone.now()).count()
        yield "Private links", f"{links} can be opened" if links else "none can be opened"
