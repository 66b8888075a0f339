"""What a talent reaches through a private link: four pages, without an account.

Opening the link (GET, which mail scanners do too) changes nothing: it trades the token for a signed cookie, so that the
token stands in no further address. An unknown, expired, replaced or used-up link gives the same page.
"""

from collections.abc import Callable
from email.utils import parseaddr
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from consent.access import (
    COOKIE,
    COOKIE_PATH,
    invitation_for,
    invited,
    invited_consent,
    invited_consents,
    user_of,
)
from consent.forms import DeclineForm
from consent.models import Capture, Consent, ConsentStatus, Invitation
from consent.recorder_config import build_recorder_config
from consent.services import invitations, review
from consent.services.disclosure import disclosure
from consent.take_upload import answer, receive
from voicehub.middleware import allow_microphone
from voicehub.refusals import refusal_to
from voicehub.tokens import digest

P = ParamSpec("P")
# What is over, and needs nothing from the talent any more.
OVER = {ConsentStatus.DECLINED, ConsentStatus.VOIDED, ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED}


def _for_invited(
    view: Callable[Concatenate[HttpRequest, Invitation, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the invitation that this browser opened; without one, the page for links that are over."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, invited(request), *args, **kwargs)
        except Http404:
            return _over(request)

    return wrapped


def _over(request: HttpRequest) -> HttpResponse:
    return _private(render(request, "public/link_expired.html", status=404))


def _private(response: HttpResponse) -> HttpResponse:
    """No search engine keeps a talent's page; nothing is told to other sites about where a link came from.

    The token's own address is never named as a referrer at all. The pages behind it have to name their origin
    to us, as a form that comes without it is refused as forged.
    """
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@login_not_required
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    invitation = invitation_for(digest(token))
    if invitation is None or all(consent.status in OVER for consent in invitation.consents.all()):
        response = _over(request)
    else:
        response = _private(redirect("invitation:home"))
        left = invitation.expires_at - timezone.now()
        response.set_signed_cookie(
            COOKIE,
            invitation.token_digest,
            salt=COOKIE,
            max_age=left,
            path=COOKIE_PATH,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@login_not_required
@require_safe
@_for_invited
def home(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    consents = list(invited_consents(invitation))
    context = {"invitation": invitation, "consents": consents, "first": consents[0], **_studio(consents[0])}
    context["leaves_studio"] = any(disclosure(consent).leaves_studio for consent in consents)
    return _private(render(request, "public/home.html", context))


def _studio(consent: Consent) -> dict[str, Any]:
    """Whom a talent can write to: the person who asked, or else the studio's own address."""
    person = consent.requested_by
    return {"contact_name": str(person), "contact_mail": person.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}


@login_not_required
@require_POST
@_for_invited
def begin(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = invited_consent(invitation, pk)
    invitations.begin(invitation, consent)
    return redirect("invitation:record", consent.pk)


@login_not_required
@require_safe
@_for_invited
def record(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """The recorder, for a consent that waits for it; otherwise the page that says how things stand."""
    consent = invited_consent(invitation, pk)
    if consent.status != ConsentStatus.REQUESTED:
        return redirect(_standing(consent))
    context = {"consent": consent, "invitation": invitation, **_studio(consent)}
    context["recorder_config"] = build_recorder_config(consent)
    return _private(allow_microphone(render(request, "public/record.html", context)))


def _standing(consent: Consent) -> str:
    if consent.status in OVER:
        return reverse("invitation:home")
    return reverse("invitation:receipt", args=[consent.pk])


@login_not_required
@require_POST
@_for_invited
def submit(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = invited_consent(invitation, pk)
    # Of staff who open the link themselves the browser says who they are, and they may not approve what they sent.
    by = user_of(request) if request.user.is_authenticated else None
    received = receive(request, consent, Capture.LINK, by=by)
    return answer(
        request,
        received,
        done=reverse("invitation:receipt", args=[consent.pk]),
        again=reverse("invitation:record", args=[consent.pk]),
    )


@login_not_required
@require_POST
@_for_invited
def decline(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = invited_consent(invitation, pk)
    form = DeclineForm(request.POST)
    with refusal_to(partial(messages.error, request)):
        review.decline(consent, form.cleaned_data["reason"] if form.is_valid() else "")
    return redirect("invitation:home")


@login_not_required
@require_safe
@_for_invited
def receipt(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = invited_consent(invitation, pk)
    take = consent.takes.filter(acceptable=True).first()
    if take is None or consent.status in OVER | {ConsentStatus.REQUESTED}:
        return redirect("invitation:home")
    others = invited_consents(invitation).filter(status=ConsentStatus.REQUESTED)
    context = {"consent": consent, "take": take, "others": others, **_studio(consent)}
    return _private(render(request, "public/receipt.html", context))
