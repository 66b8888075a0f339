"""Presentation of a consent: its next step and the status of its invitations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from consent import extension_points
from consent.access import InvitationRow
from consent.extension_points import Deletion
from consent.models import Consent, ConsentStatus, Event, EventKind, Invitation, Talent
from consent.services.disclosure import compute_term
from consent.services.gate import BuildPermission
from voicehub.models import User
from voicehub.text import format_date
from voicehub.tokens import hash_token

SUSPENDED_TEXT = "No build can start with this consent, and its voices cannot be used"


@dataclass(frozen=True, slots=True)
class Badge:
    """A status label; `tone` is the name of its color in states.css."""

    tone: str
    label: str


def make_invitation_badge(row: InvitationRow) -> Badge:
    invitation = row.invitation
    if row.send_failure:
        return Badge("bad", "Mail not sent")
    if row.is_revoked:
        return Badge("over", "Revoked")
    if invitation.revoked_at:
        return Badge("over", "Replaced")
    if row.is_live:
        return Badge("good", "Active") if row.is_open else Badge("over", "Answered")
    if row.is_void:
        return Badge("over", "Canceled")
    return Badge("over", "Expired") if invitation.token_digest else Badge("busy", "Mail queued")


@dataclass(frozen=True, slots=True)
class Action:
    """A button of the next step: a link, or a POST form without fields (`is_post`)."""

    label: str
    url: str
    is_primary: bool = True
    is_post: bool = False


@dataclass(frozen=True, slots=True)
class NextStep:
    """What this user should do next, or who must act first. Not open if no person has to act."""

    title: str
    paragraphs: Sequence[str]
    actions: Sequence[Action] = ()
    is_open: bool = True


def make_next_step(
    consent: Consent, user: User, *, is_invited: bool, has_contract: bool, permission: BuildPermission | None
) -> NextStep:
    """The next step of this consent for this user. `permission` is the answer of the gate for a consent in force."""
    if consent.status == ConsentStatus.REQUESTED:
        needs_contract = not has_contract and user.has_perm("consent.add_contract")
        make_step = _make_waiting_step if is_invited else _make_invite_step
        return make_step(consent, user, needs_contract=needs_contract)
    if consent.status == ConsentStatus.SUBMITTED:
        return _make_review_step(user)
    if consent.status == ConsentStatus.APPROVED:
        return _make_approved_step(consent, user, permission)
    if consent.status == ConsentStatus.SUSPENDED:
        return _make_resume_step(user)
    if consent.replaced_by:
        return _make_replaced_step(consent.replaced_by)
    return _make_closed_step(consent, user)


NO_CONTRACT = "No contract for this consent is on file. Add one before a voice is built."


def _make_waiting_step(consent: Consent, user: User, *, needs_contract: bool) -> NextStep:
    """While the talent answers, staff can add the contract, as the lists say. The card of the links has new links."""
    name, reason = consent.talent.name, consent.note_to_talent
    title = f"Waiting for {name} to record a retake" if reason else f"Waiting for {name}"
    paragraphs = [f"Reason: {reason}" if reason else "The recording appears here once it is submitted."]
    actions = []
    if needs_contract:
        paragraphs = [f"{title}.", *paragraphs[: bool(reason)], NO_CONTRACT]
        title = "Next: add a contract"
        actions.append(_make_contract_action(consent))
    if user.has_perm("consent.add_take"):
        actions.append(_make_studio_action(consent))
    return NextStep(title, paragraphs, actions, is_open=needs_contract)


def _make_invite_step(consent: Consent, user: User, *, needs_contract: bool) -> NextStep:
    talent, actions = consent.talent, []
    if user.has_perm("consent.invite_talent"):
        if talent.email:
            actions.append(Action("Send the invitation", reverse("consent:invite", args=[consent.pk]), is_post=True))
        elif user.has_perm("consent.change_talent"):
            url = reverse("consent:talent_edit", args=[talent.pk])
            actions.append(Action("Add an email address", url, is_primary=False))
        url = reverse("consent:copy_link", args=[consent.pk])
        actions.append(Action("Create a private link", url, is_primary=not talent.email, is_post=True))
    if user.has_perm("consent.add_take"):
        actions.append(_make_studio_action(consent))
    paragraphs = ["Email a private link, pass one on yourself, or record the statement in the studio."]
    if needs_contract:
        paragraphs.append(NO_CONTRACT)
        actions.append(_make_contract_action(consent, is_primary=False))
    return NextStep(f"Next: invite {talent.name}", paragraphs, actions)


def _make_contract_action(consent: Consent, *, is_primary: bool = True) -> Action:
    return Action("Add contract", make_contract_url(consent.talent_id, consent.provider, consent.purpose), is_primary)


def _make_studio_action(consent: Consent) -> Action:
    url = reverse("consent:record_in_studio", args=[consent.pk])
    return Action("Record in the studio", url, is_primary=False)


def _make_review_step(user: User) -> NextStep:
    if not user.has_perm("consent.review_consent"):
        return NextStep("Waiting for review", ["A producer will review the recording."])
    text = "Read along while you listen. Approve it if the right person reads exactly these words."
    return NextStep("Next: listen, then approve", [text])


def _make_approved_step(consent: Consent, user: User, permission: BuildPermission | None) -> NextStep:
    if permission is None or permission.is_given:
        return _make_recordings_step(consent, user)
    return NextStep("Not ready for a build", permission.reasons, list(_iterate_fixes(consent, user, permission)))


def _iterate_fixes(consent: Consent, user: User, permission: BuildPermission) -> Iterator[Action]:
    """Yield the pages on which this user can remove the gate's reasons."""
    if permission.contract_reasons and user.has_perm("consent.add_contract"):
        yield Action(*find_contract_fix(consent.talent, permission))
    if permission.consent_reasons and user.has_perm("consent.add_consent"):
        url = reverse("consent:consent_ask", args=[consent.talent_id])
        yield Action("Request a new consent", url, is_primary=not permission.contract_reasons)


def find_contract_fix(
    talent: Talent, permission: BuildPermission, *, provider: str = "", purpose: str = ""
) -> tuple[str, str]:
    """The label and the URL of the page on which a person can remove the gate's reasons against the contract.

    A new contract is proposed with this provider and this purpose.
    """
    if permission.contract_to_confirm:
        return "Confirm terms", f"{permission.contract_to_confirm.get_absolute_url()}#confirm"
    return "Add contract", make_contract_url(talent.pk, provider, purpose)


def make_contract_url(talent_id: UUID, provider: str = "", purpose: str = "") -> str:
    """The form of a new contract, which proposes this provider and this purpose."""
    query = urlencode({name: value for name, value in (("provider", provider), ("purpose", purpose)) if value})
    return f"{reverse('consent:contract_add', args=[talent_id])}{'?' if query else ''}{query}"


def _make_recordings_step(consent: Consent, user: User) -> NextStep:
    provider = extension_points.get_provider_label(consent.provider)
    text = f"Consent and contract are in force for voices of {consent.talent.name} at {provider}."
    if not user.has_perm("voices.add_recording"):
        return NextStep("In force", [text], is_open=False)
    url = f"{consent.talent.get_absolute_url()}#voices"
    if consent.events.filter(kind=EventKind.USED).exists():
        title = f"In force for voices of {consent.talent.name}"
        text = f"Consent and contract are in force at {provider}. A build has used this consent."
        return NextStep(title, [text], [Action("Go to the voices", url, is_primary=False)], is_open=False)
    return NextStep("Next: collect the recordings", [text], [Action("Go to the voices", url)])


def _make_resume_step(user: User) -> NextStep:
    if not user.has_perm("consent.review_consent"):
        return NextStep("Suspended", [f"{SUSPENDED_TEXT} until a producer resumes it."])
    return NextStep("Suspended", [f"{SUSPENDED_TEXT} until it is resumed."], [Action("Change the status", "#status")])


def _make_replaced_step(newer: Consent) -> NextStep:
    text = "A newer consent for the same provider and purpose was approved. Builds use that one."
    return NextStep("Replaced", [text], [Action("Open the newer consent", newer.get_absolute_url())])


def _make_closed_step(consent: Consent, user: User) -> NextStep:
    text = "No voice can be built with this consent. Its recordings and its audit log are kept as evidence."
    url = reverse("consent:consent_ask", args=[consent.talent_id])
    actions = [Action("Request a new consent", url, is_primary=False)] if user.has_perm("consent.add_consent") else []
    return NextStep(consent.get_status_display(), [text], actions)


# The words for the talent, where staff have others.
TALENT_LABELS = {ConsentStatus.REQUESTED: "Requested", ConsentStatus.SUBMITTED: "Sent"}


@dataclass(frozen=True, slots=True)
class TalentStatus:
    """The status of a consent, in words for the talent. `tone` and `icon` name the look of its status line."""

    consent: Consent
    tone: str
    icon: str
    detail: str
    is_late: bool
    deletions: Sequence[Deletion]

    @property
    def label(self) -> str:
        return TALENT_LABELS.get(ConsentStatus(self.consent.status)) or self.consent.get_status_display()

    @property
    def is_answerable(self) -> bool:
        return self.consent.status == ConsentStatus.REQUESTED and not self.is_late

    @property
    def can_withdraw(self) -> bool:
        return self.consent.status in {ConsentStatus.APPROVED, ConsentStatus.SUSPENDED}

    @property
    def has_receipt(self) -> bool:
        return self.can_withdraw or self.consent.status == ConsentStatus.SUBMITTED

    @property
    def has_open_deletion(self) -> bool:
        return any(deletion.deleted_at is None for deletion in self.deletions)

    @property
    def change_token(self) -> str:
        """Changes with everything that the list of deletions shows."""
        return hash_token("|".join(str(deletion) for deletion in self.deletions))


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
    ConsentStatus.SUBMITTED: ("wait", "waiting"),
    ConsentStatus.APPROVED: ("good", "in-force"),
    ConsentStatus.SUSPENDED: ("wait", "waiting"),
}


def list_talent_statuses(consents: Sequence[Consent], invitation: Invitation) -> list[TalentStatus]:
    """How each of these consents of an invitation stands."""
    entries = Event.objects.filter(consent__in=consents, kind__in=STATUS_EVENTS.values()).order_by("sequence")
    events = {(event.consent_id, event.kind): event for event in entries}
    return [_make_talent_status(consent, invitation, _find_event(consent, events)) for consent in consents]


def _find_event(consent: Consent, events: Mapping[tuple[UUID, str], Event]) -> Event | None:
    kind = STATUS_EVENTS.get(ConsentStatus(consent.status))
    return events.get((consent.pk, kind)) if kind else None


def _make_talent_status(consent: Consent, invitation: Invitation, event: Event | None) -> TalentStatus:
    is_late = consent.status == ConsentStatus.REQUESTED and not invitation.can_answer(consent)
    tone, icon = LOOKS.get(ConsentStatus(consent.status), ("over", "over"))
    deletions = extension_points.list_deletions(consent.find_newest_replacement())
    return TalentStatus(consent, tone, icon, _describe_to_talent(consent, event), is_late, deletions)


def _describe_to_talent(consent: Consent, event: Event | None) -> str:
    """When and by whom the status was set, and what it means."""
    day = f"on {format_date(event.at)}" if event else ""
    who = f"by {event.actor_name}, on your behalf" if event and event.actor_id else "by you"
    parts = {
        ConsentStatus.SUBMITTED: ("The studio listens to your recording next. There is nothing more for you to do.",),
        ConsentStatus.APPROVED: (_describe_term(consent),),
        ConsentStatus.SUSPENDED: ("by the studio", day),
        ConsentStatus.DECLINED: (who, day),
        ConsentStatus.WITHDRAWN: (who, day),
        ConsentStatus.VOIDED: ("by the studio", day),
        ConsentStatus.EXPIRED: (day,),
        ConsentStatus.REPLACED: ("by a newer consent for the same provider and purpose", day),
    }.get(ConsentStatus(consent.status), ())
    return ", ".join(part for part in parts if part)


def _describe_term(consent: Consent) -> str:
    last_day = compute_term(consent).last_day
    return f"until {format_date(last_day)}" if last_day else "without an end date"
