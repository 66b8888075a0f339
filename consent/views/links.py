"""The private links to a consent: staff mail one, create one to pass on, revoke it, or send a reminder."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from consent.access import get_consent_or_404, get_invitation_or_404, get_user, require_permission
from consent.link_cookie import read_link_cookie, set_link_cookie
from consent.models import ConsentStatus
from consent.names import SEE_LINK
from consent.services import invitations
from consent.services.reminders import remind_talent
from consent.views.consents import render_consent_page
from consent.views.reasons import act_or_refuse
from voicehub.refusals import show_refusal_as_message


@require_permission("consent.invite_talent")
@require_POST
def invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    consent = get_consent_or_404(pk)
    is_requested = consent.status == ConsentStatus.REQUESTED
    message = "The invitation is being sent." if is_requested else "The private link is being sent."
    return act_or_refuse(request, consent, message, invitations.invite_talent, [consent], get_user(request))


@require_permission(*SEE_LINK)
@require_http_methods(["GET", "HEAD", "POST"])
@show_refusal_as_message("consent:consent")
def copy_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Create a private link, then show it. Reloading the page shows the same link again for some minutes."""
    consent = get_consent_or_404(pk)
    if request.method == "POST":
        link = invitations.create_private_link([consent], get_user(request))
        response = redirect("consent:copy_link", consent.pk)
        set_link_cookie(request, response, consent, link)
        return response
    shown_link = read_link_cookie(request, consent)
    return render_consent_page(request, consent, link=shown_link) if shown_link else redirect(consent)


@require_permission("consent.invite_talent")
@require_POST
def revoke_link(request: HttpRequest, pk: UUID, link: UUID) -> HttpResponse:
    consent = get_consent_or_404(pk)
    return act_or_refuse(
        request,
        consent,
        "The link was revoked.",
        invitations.revoke_invitation,
        get_invitation_or_404(consent, link),
        get_user(request),
    )


@require_permission("consent.invite_talent")
@require_POST
def remind(request: HttpRequest, pk: UUID, link: UUID) -> HttpResponse:
    consent, user = get_consent_or_404(pk), get_user(request)
    invitation = get_invitation_or_404(consent, link)
    return act_or_refuse(request, consent, "The reminder is being sent.", remind_talent, invitation, user)
