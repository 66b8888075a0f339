"""Presentation of a consent: its next step and the status of its invitations. Also the confirmations of a contract."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from consent import extension_points
from consent.access import InvitationRow
from consent.extension_points import Deletion
from consent.models import Consent, ConsentStatus, Contract, ContractConfirmation, Talent
from consent.names import SEE_LINK
from consent.services.filed_contracts import FiledContracts
from consent.services.gate import BuildPermission
from voicehub.models import User
from voicehub.text import format_count, join_with_and

SUSPENDED_TEXT = "No build can start with this consent, and its voices cannot be used"
MAX_NAMED_VOICES = 3
VIEW_REMOTE_VOICE = "voices.view_remotevoice"


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
    """What this user should do next, or who must act first. Not open if no person has to act.

    It warns if a provider still has what a withdrawn consent no longer allows, and a person has to delete it.
    `noun` is its heading while a question of the talent comes first, if its title would contradict that.
    """

    title: str
    paragraphs: Sequence[str]
    actions: Sequence[Action] = ()
    is_open: bool = True
    is_warning: bool = False
    noun: str = ""


def make_next_step(
    consent: Consent,
    user: User,
    *,
    is_invited: bool,
    contracts: FiledContracts,
    permission: BuildPermission | None,
    deletions: Sequence[Deletion] = (),
) -> NextStep:
    """The next step of this consent for this user. `permission` is the answer of the gate for a consent in force."""
    if consent.status == ConsentStatus.REQUESTED and contracts.problem:
        return _make_contract_step(consent, user, contracts.problem)
    if consent.status == ConsentStatus.REQUESTED:
        make_step = _make_waiting_step if is_invited else _make_invite_step
        return make_step(consent, user, contracts.start_note)
    if consent.status == ConsentStatus.SUBMITTED:
        return _make_review_step(user)
    if consent.status == ConsentStatus.APPROVED:
        return _make_approved_step(consent, user, permission)
    if consent.status == ConsentStatus.SUSPENDED:
        return _make_resume_step(user)
    if consent.replaced_by:
        return _make_replaced_step(consent.replaced_by)
    is_open = [deletion for deletion in deletions if not deletion.deleted_at]
    return _make_deletion_step(is_open, user) if is_open else _make_closed_step(consent, user)


def put_after_question(step: NextStep) -> NextStep:
    """The same step without emphasis, as the answer to a question of the talent comes first."""
    title = step.noun or capfirst(step.title.removeprefix("Next: "))
    return replace(step, title=title, actions=[replace(one, is_primary=False) for one in step.actions], is_open=False)


def _make_contract_step(consent: Consent, user: User, problem: str) -> NextStep:
    text = (
        f"{problem} Until one is added, {consent.talent.shown_name} cannot be invited and cannot record the statement."
    )
    if not user.has_perm("consent.add_contract"):
        return NextStep("Waiting for the contract", [text])
    url = make_contract_url(consent.talent_id, consent.provider, consent.purpose)
    return NextStep("Next: add a contract", [text], [Action("Add contract", url)])


def _make_waiting_step(consent: Consent, user: User, start_note: str) -> NextStep:
    """Nothing is left to do while the talent answers. The card of the links has new links."""
    name, reason = consent.talent.shown_name, consent.note_to_talent
    title = f"Waiting for {name} to record a retake" if reason else f"Waiting for {name}"
    paragraphs = [f"Reason: {reason}" if reason else "The recording appears here once it is submitted."]
    if start_note:
        paragraphs.append(start_note)
    actions = []
    if user.has_perm("consent.add_take"):
        actions.append(_make_studio_action(consent))
    return NextStep(title, paragraphs, actions, is_open=False, noun="Retake" if reason else "Recording")


def _make_invite_step(consent: Consent, user: User, start_note: str) -> NextStep:
    talent, actions = consent.talent, []
    if user.has_perm("consent.invite_talent"):
        if talent.email:
            actions.append(Action("Send the invitation", reverse("consent:invite", args=[consent.pk]), is_post=True))
        elif user.has_perm("consent.change_talent"):
            url = reverse("consent:talent_edit", args=[talent.pk])
            actions.append(Action("Add an email address", url, is_primary=False))
        if user.has_perms(SEE_LINK):
            url = reverse("consent:copy_link", args=[consent.pk])
            actions.append(Action("Create a private link", url, is_primary=not talent.email, is_post=True))
    if user.has_perm("consent.add_take"):
        actions.append(_make_studio_action(consent))
    paragraphs = ["Email a private link, pass one on yourself, or record the statement in the studio."]
    if start_note:
        paragraphs.append(start_note)
    return NextStep(f"Next: invite {talent.shown_name}", paragraphs, actions)


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
    text = f"Consent and contract are in force for voices of {consent.talent.shown_name} at {provider}."
    if not user.has_perm("voices.add_recording"):
        return NextStep("In force", [text], is_open=False)
    url = f"{consent.talent.get_absolute_url()}#voices"
    if used := extension_points.list_using_voices(consent):
        action = Action("Open the voice", used[0].url) if len(used) == 1 else Action("Go to the voices", url)
        text = f"{_name_voices(used)}. Consent and contract are in force at {provider}."
        return NextStep(_count_uses(len(used)), [text], [replace(action, is_primary=False)], is_open=False)
    return NextStep("Next: collect the recordings", [text], [Action("Go to the voices", url)])


def _count_uses(count: int) -> str:
    return f"Used by {format_count(count, 'voice', 'voices')}"


def _name_voices(voices: Sequence[extension_points.UsingVoice]) -> str:
    names = [voice.name for voice in voices[:MAX_NAMED_VOICES]]
    rest = len(voices) - len(names)
    return join_with_and([*names, f"{rest} more"] if rest else names)


def _make_resume_step(user: User) -> NextStep:
    if not user.has_perm("consent.review_consent"):
        return NextStep("Suspended", [f"{SUSPENDED_TEXT} until a producer resumes it."])
    return NextStep("Suspended", [f"{SUSPENDED_TEXT} until it is resumed."], [Action("Change the status", "#status")])


def _make_replaced_step(newer: Consent) -> NextStep:
    text = "A newer consent for the same provider and purpose was approved. Builds use that one."
    return NextStep("Replaced", [text], [Action("Open the newer consent", newer.get_absolute_url())])


def _make_deletion_step(deletions: Sequence[Deletion], user: User) -> NextStep:
    """The open deletions. Those that a person makes come first, and only they ask this user to act.

    How each is made stands in the table of deletions.
    """
    first, *others = sorted(deletions, key=lambda deletion: not deletion.needs_person)
    title = f"{first.subject} at {first.provider} not deleted yet"
    more = [f"{format_count(len(others), 'more deletion is open', 'more deletions are open')}."] if others else []
    is_mine = first.needs_person and user.has_perm("voices.delete_remotevoice")
    label = "Confirm the deletion" if is_mine else "Open the deletion"
    has_website = is_mine and bool(first.website)
    actions = []
    if user.has_perm(VIEW_REMOTE_VOICE):
        actions.append(Action(label, f"{first.url}#deletion", is_primary=is_mine and not has_website))
    if has_website:
        actions.insert(0, Action(f"Open {first.provider}", first.website))
    texts = [*_explain_deletion(first, is_mine=is_mine), *more]
    return NextStep(title, texts, actions, is_open=is_mine, is_warning=first.needs_person)


def _explain_deletion(deletion: Deletion, *, is_mine: bool) -> list[str]:
    if not deletion.needs_person:
        return []
    how = "Delete it on the provider's website, then confirm" if is_mine else "A producer deletes it and confirms"
    return [f"The consent has ended, and VoiceHub cannot delete there itself. {how}."]


def _make_closed_step(consent: Consent, user: User) -> NextStep:
    text = "No voice can be built with this consent. Its recordings and its audit log stay."
    url = reverse("consent:consent_ask", args=[consent.talent_id])
    actions = [Action("Request a new consent", url, is_primary=False)] if user.has_perm("consent.add_consent") else []
    return NextStep("Kept as evidence", [text], actions, is_open=False)


def list_confirmations(
    contract: Contract, purposes: Sequence[ContractConfirmation]
) -> list[tuple[str, User, datetime]]:
    """The confirmed terms, the person and the moment. What a person confirmed on one day is one entry."""
    confirmed: list[tuple[str, User, datetime]] = []
    if contract.terms_confirmed_by and contract.terms_confirmed_at:
        confirmed.append(("party and countries", contract.terms_confirmed_by, contract.terms_confirmed_at))
    confirmed += [(row.get_purpose_display().lower(), row.confirmed_by, row.confirmed_at) for row in purposes]
    days: dict[tuple[Any, date], list[tuple[str, User, datetime]]] = {}
    for entry in confirmed:
        days.setdefault((entry[1].pk, timezone.localdate(entry[2])), []).append(entry)
    is_all_at_once = len(days) == 1 and len(confirmed) == len(contract.purposes) + 1
    return [
        ("All terms" if is_all_at_once else capfirst("; ".join(entry[0] for entry in entries)), *entries[0][1:])
        for entries in days.values()
    ]
