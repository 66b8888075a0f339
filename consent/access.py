"""Access control and queries of this app: one helper function per kind of row, 404 for a missing row.

Every staff view names its permission with `require_permission`. Staff without it get 403, anonymous users the sign-in
page (LoginRequiredMiddleware). The talent's pages check the invitation instead (see `get_opened_invitation`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone

from consent.models import (
    Consent,
    ConsentStatus,
    Contract,
    ContractDraft,
    ContractSuspension,
    Event,
    EventKind,
    Invitation,
    Take,
    TakeCheck,
    Talent,
    TalentMail,
)
from consent.models.consent import APPROVED_STATUSES
from consent.names import REFUSALS, hide_addresses
from voicehub.models import Task, TaskStatus, User

# Each invitation has its own cookie, sent only to the pages of this invitation, so that one browser can open several.
INVITATION_COOKIE = "voicehub-link"
# A browser that is not the talent's own must not open the pages for as long as the link works.
COOKIE_LIFETIME = timedelta(days=14)


ASK_ADMIN = "Ask an admin of the studio for access."


def require_permission(*permissions: str) -> Callable[[Any], Any]:
    """Decorator: return 403 to users without these permissions."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require_user_permission(get_user(request), *permissions)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def require_user_permission(user: User, *permissions: str) -> None:
    """Raise PermissionDenied, in words, if the user lacks one of these permissions."""
    missing = next((permission for permission in permissions if not user.has_perm(permission)), None)
    if missing:
        refusal = REFUSALS.get(missing)
        raise PermissionDenied(f"{refusal} {ASK_ADMIN}" if refusal else "")


def get_user(request: HttpRequest) -> User:
    """The signed-in user of a request that has passed `require_permission`."""
    return cast(User, request.user)


def parse_uuid_or_404(text: str) -> UUID:
    """The id in a form. Raises Http404 if it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404("Not an id.") from None


def get_talent_or_404(pk: UUID) -> Talent:
    return get_object_or_404(Talent.objects.select_related("legal_hold_by"), pk=pk)


def get_contract_or_404(pk: UUID) -> Contract:
    return get_object_or_404(Contract.objects.select_related("talent", "supersedes", "filed_by"), pk=pk)


def get_contract_draft_or_404(pk: UUID, owner: User) -> ContractDraft:
    """A draft is only for the person who uploaded it."""
    return get_object_or_404(ContractDraft, pk=pk, owner=owner)


def list_suspensions(contract: Contract) -> list[ContractSuspension]:
    """When, why and by whom the contract was suspended, newest first."""
    return list(contract.suspensions.select_related("suspended_by", "resumed_by").order_by("-suspended_at"))


def get_consent_or_404(pk: UUID) -> Consent:
    rows = Consent.objects.select_related("talent", "statement", "requested_by", "approved_by", "replaced_by")
    return get_object_or_404(rows, pk=pk)


def query_submitted_consents() -> QuerySet[Consent]:
    """The consents that wait for a review."""
    return Consent.objects.filter(status=ConsentStatus.SUBMITTED)


def find_place_in_review(consent: Consent) -> dict[str, Any]:
    """The place of this consent among those that wait for a review, oldest first, and those before and after it."""
    waiting = list(query_submitted_consents().order_by("created_at", "pk").values_list("pk", flat=True))
    if consent.pk not in waiting:
        return {}
    place = waiting.index(consent.pk) + 1
    around = {"previous": waiting[place - 2] if place > 1 else None, "next": next(iter(waiting[place:]), None)}
    return {"place": place, "count": len(waiting), **around}


def find_earlier_approval(consent: Consent) -> Consent | None:
    """The consent that an approval of this one would replace."""
    approved = Consent.objects.filter(status__in=APPROVED_STATUSES).exclude(pk=consent.pk)
    return approved.filter(talent=consent.talent_id, provider=consent.provider, purpose=consent.purpose).first()


def get_take_or_404(pk: UUID) -> Take:
    takes: QuerySet[Take] = Take.objects.select_related("consent__replaced_by")
    return get_object_or_404(takes, pk=pk)


def find_take_problem(consent: Consent) -> str:
    """What the last check of the files found wrong with the approved recording of this consent."""
    checks = TakeCheck.objects.filter(take=consent.take_id) if consent.take_id else TakeCheck.objects.none()
    return checks.values_list("file_problem", flat=True).first() or ""


def are_takes_closed(consent: Consent, user: User) -> bool:
    """Whether the statement is closed to this user, because this consent, or its replacement, was withdrawn."""
    is_withdrawn = consent.find_newest_replacement().status == ConsentStatus.WITHDRAWN
    return is_withdrawn and not user.has_perm("consent.review_consent")


def get_open_take_or_404(pk: UUID, user: User) -> Take:
    """The take. PermissionDenied if it is closed to this user after a withdrawal."""
    take = get_take_or_404(pk)
    if are_takes_closed(take.consent, user):
        raise PermissionDenied("Closed: the consent was withdrawn. Only producers and admins can open this recording.")
    return take


def list_recent_events(talent: Talent, limit: int) -> list[Event]:
    """The newest audit log entries of all consents of a talent."""
    events = Event.objects.filter(consent__talent=talent).select_related("consent")
    return list(events.order_by("-at", "-sequence")[:limit])


def find_invitation(token_digest: str) -> Invitation | None:
    """The live invitation whose token has this digest."""
    if not token_digest:
        return None
    rows = Invitation.objects.live().select_related("talent", "created_by")
    return rows.filter(token_digest=token_digest).first()


def find_disputable_mail(token_digest: str) -> TalentMail | None:
    """The mail whose link "this was not me" has a token with this digest."""
    rows = TalentMail.objects.select_related("consent__talent", "consent__requested_by", "resolved_by")
    return rows.filter(token_digest=token_digest).first() if token_digest else None


def find_open_dispute(consent: Consent) -> TalentMail | None:
    """The report of the talent about this consent that no person has answered."""
    return consent.mails.disputed().first()


def get_opened_invitation(request: HttpRequest, pk: UUID) -> Invitation:
    """The invitation, if this browser opened it. Raises Http404 if it did not, or if the link no longer works."""
    try:
        token_digest = request.get_signed_cookie(
            INVITATION_COOKIE, default="", salt=INVITATION_COOKIE, max_age=COOKIE_LIFETIME
        )
    except signing.BadSignature:
        token_digest = ""
    invitation = find_invitation(token_digest or "")
    if invitation is None or invitation.pk != pk:
        raise Http404("No live invitation.")
    return invitation


def query_invited_consents(invitation: Invitation) -> QuerySet[Consent]:
    return invitation.consents.select_related("talent", "requested_by", "replaced_by").order_by("created_at")


def get_invited_consent(invitation: Invitation, pk: UUID) -> Consent:
    """A consent of this invitation; Http404 for any other consent."""
    return get_object_or_404(query_invited_consents(invitation), pk=pk)


def get_answerable_consent(invitation: Invitation, pk: UUID) -> Consent:
    """A consent of this invitation; Http404 if the time to answer its request is over."""
    consent = get_invited_consent(invitation, pk)
    if not invitation.can_answer(consent):
        raise Http404("The time to answer is over.")
    return consent


def get_invitation_or_404(consent: Consent, pk: UUID) -> Invitation:
    return get_object_or_404(consent.invitations.all(), pk=pk)


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as shown on the page of a consent."""

    invitation: Invitation
    send_failure: str
    """Why VoiceHub gave up sending the email; empty if sending did not fail."""
    is_revoked: bool
    """Whether staff revoked the link."""
    is_live: bool
    """Whether the link works."""
    statuses: frozenset[str]
    """Statuses of the consents that the invitation covers."""

    @property
    def is_open(self) -> bool:
        return ConsentStatus.REQUESTED in self.statuses

    @property
    def can_remind(self) -> bool:
        """Whether the link was mailed and still needs an answer."""
        is_mailed = self.invitation.channel == Invitation.Channel.MAIL and self.invitation.sent_at is not None
        return is_mailed and self.is_live and self.is_open and not self.is_overdue

    @property
    def is_void(self) -> bool:
        return self.statuses == {ConsentStatus.VOIDED}

    @property
    def is_over(self) -> bool:
        """Whether the link was sent or passed on, and works no longer."""
        invitation = self.invitation
        is_queued = not (invitation.token_digest or invitation.revoked_at or self.is_revoked or self.is_void)
        return not (self.is_live or self.send_failure or is_queued)

    @property
    def is_overdue(self) -> bool:
        """Whether the time for the first answer is over."""
        return self.invitation.expires_at <= timezone.now()


def list_invitation_rows(
    consent: Consent, invitations: Iterable[Invitation], revoked: Collection[str]
) -> list[InvitationRow]:
    """These invitations of a consent as the page shows them. `revoked` are the ids of those that staff revoked."""
    rows = list(invitations)
    ids = [str(row.pk) for row in rows]
    failed = Task.objects.filter(kind="send_invitation", object_id__in=ids, status=TaskStatus.FAILED)
    reasons = dict(failed.values_list("object_id", "reason"))
    live = set(consent.invitations.live().filter(pk__in=ids).values_list("pk", flat=True))
    return [
        InvitationRow(
            row,
            hide_addresses(reasons.get(str(row.pk), "")),
            str(row.pk) in revoked,
            row.pk in live,
            frozenset(consent.status for consent in row.consents.all()),
        )
        for row in rows
    ]


def fold_past_links(rows: Sequence[InvitationRow]) -> tuple[list[InvitationRow], list[InvitationRow]]:
    """The links to show, and the earlier ones to fold: those that are over, below one that works."""
    if not any(row.is_live for row in rows):
        return list(rows), []
    return [row for row in rows if not row.is_over], [row for row in rows if row.is_over]


def query_invitations(consent: Consent) -> QuerySet[Invitation]:
    """The invitations to a consent, newest first."""
    return consent.invitations.select_related("created_by").prefetch_related("consents")


def list_revoked_ids(consent: Consent) -> set[str]:
    """The ids of the invitations whose link staff revoked."""
    payloads = consent.events.filter(kind=EventKind.LINK_ENDED).values_list("payload", flat=True)
    return {str(payload.get("invitation")) for payload in payloads}
