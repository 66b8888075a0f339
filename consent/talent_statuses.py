"""The status of each consent of a private link, in words for the talent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils.translation import gettext, gettext_lazy

from consent import extension_points
from consent.extension_points import Deletion
from consent.models import Consent, ConsentStatus, Contract, Event, EventKind, Invitation, Take
from consent.models.consent import APPROVED_STATUSES
from consent.services.disclosure import compute_term
from consent.services.filed_contracts import explain_to_talent, list_readable_contracts, load_contracts
from consent.services.notices import NoticeText, build_notice
from consent.services.review import can_withdraw
from voicehub.text import format_date
from voicehub.tokens import hash_token

# The words for the talent.
TALENT_LABELS = {
    ConsentStatus.REQUESTED: gettext_lazy("Requested"),
    ConsentStatus.SUBMITTED: gettext_lazy("Being checked"),
    ConsentStatus.APPROVED: gettext_lazy("In force"),
    ConsentStatus.SUSPENDED: gettext_lazy("Suspended"),
    ConsentStatus.DECLINED: gettext_lazy("Declined"),
    ConsentStatus.VOIDED: gettext_lazy("Canceled"),
    ConsentStatus.WITHDRAWN: gettext_lazy("Withdrawn"),
    ConsentStatus.EXPIRED: gettext_lazy("Expired"),
    ConsentStatus.REPLACED: gettext_lazy("Replaced"),
}


@dataclass(frozen=True, slots=True)
class TalentStatus:
    """The status of a consent, in words for the talent. `tone` and `icon` name the look of its status line.

    `contracts` are those that allow the consent. `contract_problem` says why the talent cannot record it now.
    `notice` is what the talent reads before. `take` is the recording that the page lets the talent play.
    """

    consent: Consent
    tone: str
    icon: str
    detail: str
    is_late: bool
    deletions: Sequence[Deletion]
    contracts: Sequence[Contract]
    contract_problem: str = ""
    notice: NoticeText | None = None
    take: Take | None = None
    can_withdraw: bool = False

    @property
    def label(self) -> str:
        return str(TALENT_LABELS[ConsentStatus(self.consent.status)])

    @property
    def is_answerable(self) -> bool:
        return self.consent.status == ConsentStatus.REQUESTED and not self.is_late

    @property
    def is_replaced(self) -> bool:
        return self.consent.status == ConsentStatus.REPLACED

    @property
    def as_list(self) -> list[Consent]:
        """For templates that show one or several consents."""
        return [self.consent]

    @property
    def has_receipt(self) -> bool:
        return self.consent.status in {*APPROVED_STATUSES, ConsentStatus.SUBMITTED}

    @property
    def has_open_deletion(self) -> bool:
        return any(deletion.deleted_at is None for deletion in self.deletions)

    @property
    def change_token(self) -> str:
        """Changes with everything that the list of deletions shows."""
        return hash_token("|".join(str(deletion) for deletion in self.deletions))


def find_shared_contracts(statuses: Sequence[TalentStatus]) -> Sequence[Contract]:
    """The contracts that all of these consents have, if none has a receipt: the page then names them once."""
    if len(statuses) < 2 or any(status.has_receipt or status.is_late for status in statuses):
        return []
    first, *others = [list(status.contracts) for status in statuses]
    return first if all(contracts == first for contracts in others) else []


# The audit log entry that says when and by whom a status was set.
STATUS_EVENTS = {
    ConsentStatus.SUSPENDED: EventKind.SUSPENDED,
    ConsentStatus.DECLINED: EventKind.DECLINED,
    ConsentStatus.VOIDED: EventKind.VOIDED,
    ConsentStatus.WITHDRAWN: EventKind.WITHDRAWN,
    ConsentStatus.EXPIRED: EventKind.EXPIRED,
    ConsentStatus.REPLACED: EventKind.REPLACED,
}
LOOKS = {
    ConsentStatus.SUBMITTED: ("new", "waiting"),
    ConsentStatus.APPROVED: ("good", "in-force"),
    ConsentStatus.SUSPENDED: ("wait", "waiting"),
}


def list_talent_statuses(consents: Sequence[Consent], invitation: Invitation) -> list[TalentStatus]:
    """How each of these consents of an invitation stands."""
    entries = Event.objects.filter(consent__in=consents, kind__in=STATUS_EVENTS.values()).order_by("sequence")
    events = {(event.consent_id, event.kind): event for event in entries}
    contracts = load_contracts(consents[0]) if consents else []
    return [_make_talent_status(consent, invitation, _find_event(consent, events), contracts) for consent in consents]


def add_takes(statuses: Sequence[TalentStatus]) -> list[TalentStatus]:
    """The same, with the newest acceptable take of each consent that has a receipt."""
    consents = [status.consent for status in statuses if status.has_receipt]
    rows = Take.objects.filter(consent__in=consents, acceptable=True) if consents else Take.objects.none()
    takes = {take.consent_id: take for take in rows.only("consent_id", "peaks", "seconds").order_by("created_at")}
    return [replace(status, take=takes.get(status.consent.pk)) for status in statuses]


def _find_event(consent: Consent, events: Mapping[tuple[UUID, str], Event]) -> Event | None:
    kind = STATUS_EVENTS.get(ConsentStatus(consent.status))
    return events.get((consent.pk, kind)) if kind else None


def _make_talent_status(
    consent: Consent, invitation: Invitation, event: Event | None, contracts: Sequence[Contract]
) -> TalentStatus:
    is_late = consent.status == ConsentStatus.REQUESTED and not invitation.can_answer(consent)
    tone, icon = LOOKS.get(ConsentStatus(consent.status), ("over", "over"))
    deletions = extension_points.list_deletions(consent.find_newest_replacement())
    is_open = consent.status == ConsentStatus.REQUESTED and not is_late
    return TalentStatus(
        consent,
        tone,
        icon,
        _describe_to_talent(consent, event),
        is_late,
        deletions,
        list_readable_contracts(consent, contracts),
        explain_to_talent(consent, contracts) if is_open else "",
        build_notice(consent, contracts) if is_open else None,
        can_withdraw=can_withdraw(consent),
    )


def _describe_to_talent(consent: Consent, event: Event | None) -> str:
    """When and by whom the status was set, and what it means."""
    status = ConsentStatus(consent.status)
    if status == ConsentStatus.SUBMITTED:
        return gettext("The studio listens to your recording next. There is nothing more for you to do.")
    if status == ConsentStatus.APPROVED:
        return _describe_term(consent)
    return _describe_end(status, event)


def _describe_end(status: ConsentStatus, event: Event | None) -> str:
    """By whom the consent was suspended or ended, and on which day. Without its entry, no day is known."""
    by_staff = event.actor_name if event and event.actor_id else ""
    if status in {ConsentStatus.SUSPENDED, ConsentStatus.VOIDED}:
        text = gettext("by the studio, on {day}") if event else gettext("by the studio")
    elif status == ConsentStatus.REPLACED:
        text = (
            gettext("by a newer consent for the same provider and purpose, on {day}")
            if event
            else gettext("by a newer consent for the same provider and purpose")
        )
    elif status == ConsentStatus.EXPIRED:
        text = gettext("on {day}") if event else ""
    elif by_staff:
        text = gettext("by {name}, on your behalf, on {day}")
    else:
        text = gettext("by you, on {day}") if event else gettext("by you")
    return text.format(name=by_staff, day=format_date(event.at) if event else "")


def _describe_term(consent: Consent) -> str:
    last_day = compute_term(consent).last_day
    if last_day is None:
        return gettext("without an end date")
    return gettext("until {day}").format(day=format_date(last_day))
