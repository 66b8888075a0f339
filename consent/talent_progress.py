"""The five steps from a contract to a built voice, for the page of a talent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

from django.db.models import Case, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from consent import extension_points
from consent.labels import describe_term
from consent.models import Consent, ConsentStatus, Talent
from consent.request_actions import ADD_CONTRACT, RESUME_CONTRACT, find_allowed_action
from consent.services.blockers import find_blocker
from voicehub.models import User
from voicehub.text import format_count

# The consent that is furthest comes first.
PROGRESS = (
    ConsentStatus.APPROVED,
    ConsentStatus.SUSPENDED,
    ConsentStatus.SUBMITTED,
    ConsentStatus.REQUESTED,
    ConsentStatus.WITHDRAWN,
    ConsentStatus.EXPIRED,
    ConsentStatus.DECLINED,
)
RECORDED = {ConsentStatus.APPROVED, ConsentStatus.SUSPENDED, ConsentStatus.SUBMITTED, ConsentStatus.WITHDRAWN}
APPROVAL_MARKS = {
    ConsentStatus.APPROVED: ("good", "In force"),
    ConsentStatus.SUSPENDED: ("wait", "Suspended"),
    ConsentStatus.WITHDRAWN: ("bad", "Withdrawn"),
    ConsentStatus.EXPIRED: ("bad", "Expired"),
    ConsentStatus.DECLINED: ("bad", "Declined"),
}
NOT_YET = ("idle", "Not yet")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its state as the tone and the word of a status mark, and the link to what it is about.

    `action` is what the user does next at `url`; empty if there is nothing to do, or if another role does it.
    """

    label: str
    tone: str
    status: str
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class ContractState:
    """Which contracts of a talent are in force or suspended now, how many there are, and the latest end of those in
    force. None if one has no end.
    """

    in_force: Collection[UUID]
    suspended: Collection[UUID]
    count: int
    ends_on: date | None = None


def find_furthest_consent(talent: Talent) -> Consent | None:
    """The newest of the consents that came furthest. Voided and replaced ones do not count."""
    ranks = (When(status=status, then=Value(rank)) for rank, status in enumerate(PROGRESS))
    rows = Consent.objects.filter(talent=talent, status__in=PROGRESS).select_related("talent")
    return rows.annotate(blocker=find_blocker()).order_by(Case(*ranks), "-created_at", "pk").first()


def list_steps(talent: Talent, contracts: ContractState, consent: Consent | None, user: User) -> list[Step]:
    """The steps that this user may see. `consent` is the one of `find_furthest_consent`."""
    steps = [_make_contract_step(talent, contracts, user), _make_request_step(talent, consent, user)]
    steps += [_make_recording_step(consent, user), _make_approval_step(talent, consent, user)]
    if user.has_perm("voices.view_voice"):
        may_add = bool(contracts.in_force) and consent is not None and consent.status == ConsentStatus.APPROVED
        steps.append(_make_voice_step(talent, user, may_add=may_add))
    return steps


def _make_contract_step(talent: Talent, contracts: ContractState, user: User) -> Step:
    if contracts.in_force:
        return Step("Contract", *describe_term(contracts.ends_on), _get_contract_url(contracts.in_force))
    if contracts.suspended:
        url = f"{_get_contract_url(contracts.suspended)}#status"
        return Step("Contract", "wait", "Suspended", url, RESUME_CONTRACT)
    tone, status = ("bad", "Not in force") if contracts.count else ("idle", "Missing")
    if not user.has_perm("consent.add_contract"):
        return Step("Contract", tone, status)
    return Step("Contract", tone, status, reverse("consent:contract_add", args=[talent.pk]), "Add contract")


def _get_contract_url(ids: Collection[UUID]) -> str:
    return reverse("consent:contract", args=[next(iter(ids))])


def _make_request_step(talent: Talent, consent: Consent | None, user: User) -> Step:
    if consent:
        requested_on = _format_day(consent.created_at)
        return Step("Consent request", "good", requested_on, consent.get_absolute_url())
    if not user.has_perm("consent.add_consent"):
        return Step("Consent request", *NOT_YET)
    return Step("Consent request", *NOT_YET, reverse("consent:consent_ask", args=[talent.pk]), "Request consent")


def _make_recording_step(consent: Consent | None, user: User) -> Step:
    if consent is None:
        return Step("Recording", *NOT_YET)
    url = consent.get_absolute_url()
    if consent.status in RECORDED:
        return Step("Recording", "good", "Received", url)
    if consent.status == ConsentStatus.REQUESTED:
        action = find_allowed_action(consent, user)
        if action is None or action.permission == ADD_CONTRACT:  # the step of the contract has it
            return Step("Recording", "idle", "Waiting for talent", url)
        return Step("Recording", "idle", "Waiting for talent", action.url, action.label)
    return Step("Recording", "idle", "Closed", url)


def _make_approval_step(talent: Talent, consent: Consent | None, user: User) -> Step:
    """A consent that waits for its review is not hidden by others that are approved."""
    if waiting := list(talent.consents.filter(status=ConsentStatus.SUBMITTED).annotate(blocker=find_blocker())):
        return _make_review_step(waiting, user)
    if consent is None or consent.status not in APPROVAL_MARKS:
        return Step("Approval", *NOT_YET)
    tone, status = APPROVAL_MARKS[ConsentStatus(consent.status)]
    if consent.status == ConsentStatus.APPROVED and consent.approved_at:
        status = _format_day(consent.approved_at)
    return Step("Approval", tone, status, consent.get_absolute_url())


def _make_review_step(waiting: Sequence[Consent], user: User) -> Step:
    first = min(waiting, key=attrgetter("created_at"))
    action, status = find_allowed_action(first, user), f"{len(waiting)} to review"
    if action:
        return Step("Approval", "new", status, action.url, action.label)
    return Step("Approval", "new", status, first.get_absolute_url())


def _format_day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "M j, Y")


def _make_voice_step(talent: Talent, user: User, *, may_add: bool) -> Step:
    summaries = extension_points.get_voice_summaries()
    if user.has_perm("voices.view_build") and (found := summaries.find_open_build(talent.pk)):
        return Step("Voices", found.tone, found.label, found.url)
    voices = summaries.summarize([talent.pk]).get(talent.pk)
    if voices and voices.build_label and user.has_perm("voices.view_build"):
        tone = {"over": "idle"}.get(voices.build_tone, voices.build_tone)
        status = f"{voices.built_count} of {voices.voice_count} built"
        return Step("Voices", tone, voices.build_label if tone == "busy" else status, voices.build_url)
    if voices and voices.voice_count:
        return Step("Voices", "idle", f"{format_count(voices.voice_count, 'voice', 'voices')}, not built", "#voices")
    if may_add and user.has_perm("voices.add_voice"):
        return Step("Voices", *NOT_YET, reverse("voices:voice_add", args=[talent.pk]), "Add voice")
    return Step("Voices", *NOT_YET)
