"""Who may see what of this app, and how a page gets its rows: one helper per noun, 404 for what is not there.

Every staff view names its permission with `may`; somebody of the studio who lacks it gets 403, a stranger the sign-in
page (LoginRequiredMiddleware). The talent's own pages go by the invitation instead (see `invited`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.core import signing
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from consent.models import Consent, ConsentStatus, Contract, Event, EventKind, Invitation, Take, Talent
from voicehub.models import Task, TaskStatus, User

INVITATION_COOKIE = "voicehub-invitation"
COOKIE_PATH = "/invitation/"


def require_permission(permission: str) -> Callable[[Any], Any]:
    """Decorator: only people with this permission get to the view."""
    return permission_required(permission, raise_exception=True)


def get_user(request: HttpRequest) -> User:
    """The person behind a request that has passed `may`."""
    return cast(User, request.user)


def query_talents(search: str = "") -> QuerySet[Talent]:
    """Talents whose name or mail address holds `search`, each with what its row shows."""
    in_force = Contract.objects.in_force().filter(talent=OuterRef("pk"))
    found = Talent.objects.annotate(
        consents_waiting=Count("consents", Q(consents__status=ConsentStatus.REQUESTED)),
        consents_to_review=Count("consents", Q(consents__status=ConsentStatus.SUBMITTED)),
        consents_in_force=Count("consents", Q(consents__status=ConsentStatus.APPROVED)),
        has_contract=Exists(in_force),
    ).order_by("name", "pk")
    return found.filter(Q(name__icontains=search) | Q(email__icontains=search)) if search else found


def get_talent_or_404(pk: UUID) -> Talent:
    return get_object_or_404(Talent, pk=pk)


def get_contract_or_404(pk: UUID) -> Contract:
    return get_object_or_404(Contract.objects.select_related("talent", "supersedes", "filed_by"), pk=pk)


def get_consent_or_404(pk: UUID) -> Consent:
    rows = Consent.objects.select_related("talent", "statement", "requested_by", "approved_by")
    return get_object_or_404(rows, pk=pk)


def get_take_or_404(pk: UUID) -> Take:
    return get_object_or_404(Take, pk=pk)


def list_recent_events(talent: Talent, lines: int) -> list[Event]:
    """The newest lines over all consents of a talent."""
    events = Event.objects.filter(consent__talent=talent).select_related("consent")
    return list(events.order_by("-at", "-sequence")[:lines])


def find_invitation(token_digest: str) -> Invitation | None:
    """The live invitation whose token has this digest."""
    if not token_digest:
        return None
    rows = Invitation.objects.live().select_related("talent", "created_by")
    return rows.filter(token_digest=token_digest).first()


def get_opened_invitation(request: HttpRequest) -> Invitation:
    """The invitation that this browser opened; Http404 when it opened none or the link is over."""
    try:
        token_digest = request.get_signed_cookie(INVITATION_COOKIE, default="", salt=INVITATION_COOKIE)
    except signing.BadSignature:
        token_digest = ""
    invitation = find_invitation(token_digest or "")
    if invitation is None:
        raise Http404("No live invitation.")
    return invitation


def query_invited_consents(invitation: Invitation) -> QuerySet[Consent]:
    return invitation.consents.select_related("talent", "requested_by").order_by("created_at")


def get_invited_consent(invitation: Invitation, pk: UUID) -> Consent:
    """A consent that this very invitation is for; any other is as good as not there."""
    return get_object_or_404(query_invited_consents(invitation), pk=pk)


def get_invitation_or_404(consent: Consent, pk: UUID) -> Invitation:
    return get_object_or_404(consent.invitations.all(), pk=pk)


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as the page of a consent shows it."""

    invitation: Invitation
    given_up: str
    """Why its mail was given up; empty when it was not."""
    ended: bool
    """Somebody of the studio ended the link."""
    statuses: frozenset[str]
    """Where the consents that it is for stand."""

    @property
    def is_open(self) -> bool:
        return ConsentStatus.REQUESTED in self.statuses

    @property
    def is_void(self) -> bool:
        return self.statuses == {ConsentStatus.VOIDED}


def list_invitation_rows(consent: Consent) -> list[InvitationRow]:
    """The invitations to this consent, newest first."""
    rows = list(consent.invitations.select_related("created_by").prefetch_related("consents"))
    ids = [str(row.pk) for row in rows]
    given_up = Task.objects.filter(kind="send_invitation", object_id__in=ids, status=TaskStatus.FAILED)
    reasons = dict(given_up.values_list("object_id", "reason"))
    payloads = consent.events.filter(kind=EventKind.LINK_ENDED).values_list("payload", flat=True)
    ended = {payload["invitation"] for payload in payloads}
    return [
        InvitationRow(
            row,
            reasons.get(str(row.pk), ""),
            str(row.pk) in ended,
            frozenset(one.status for one in row.consents.all()),
        )
        for row in rows
    ]
