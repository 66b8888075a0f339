"""The pages that a talent reaches through a private link, without an account.

Opening the link (GET, which mail scanners do too) changes nothing: it exchanges the token for a signed cookie, so that
no later URL contains the token. An unknown, expired, replaced or revoked link shows the same page.
"""

from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import (
    COOKIE_LIFETIME,
    INVITATION_COOKIE,
    find_invitation,
    get_answerable_consent,
    get_invited_consent,
    get_user,
    list_withdrawable_consents,
    query_invited_consents,
)
from consent.contract_download import send_contract
from consent.forms import DeclineForm
from consent.link_pages import COOKIE_MARK
from consent.link_pages import add_privacy_headers as _add_privacy_headers
from consent.link_pages import render_closed_page as _render_closed_page
from consent.link_pages import require_invitation as _require_invitation
from consent.lists.consents import ENDED
from consent.models import Capture, Consent, ConsentStatus, Invitation
from consent.recorder_config import build_recorder_config
from consent.services import invitations, review
from consent.services.filed_contracts import explain_to_talent, find_readable_contract, list_readable_contracts
from consent.services.notices import WITHDRAWAL, build_notice, find_shown_notice
from consent.services.talent_mails import get_producer_address
from consent.take_upload import UploadResult, make_response, receive_take
from consent.talent_statuses import list_talent_statuses
from voicehub.middleware import allow_microphone
from voicehub.refusals import handle_refusal
from voicehub.tokens import hash_token

NOT_READ = gettext_lazy(
    "Open your private link again and read what this is about first. Your recording stays in this browser."
)


@login_not_required
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    invitation = find_invitation(hash_token(token))
    if invitation is None:
        response = _render_closed_page(request)
    else:
        home_url = reverse("invitation:home", args=[invitation.pk])
        response = _add_privacy_headers(redirect(f"{home_url}?{COOKIE_MARK}"))
        response.set_signed_cookie(
            INVITATION_COOKIE,
            invitation.token_digest,
            salt=INVITATION_COOKIE,
            max_age=COOKIE_LIFETIME,
            path=home_url,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@login_not_required
@require_safe
def old_home(request: HttpRequest) -> HttpResponse:
    """The address of `home` in versions that kept one link for each browser. Bookmarks may still contain it."""
    return _render_closed_page(request)


@login_not_required
@require_safe
@_require_invitation
def home(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if COOKIE_MARK in request.GET:
        return redirect("invitation:home", invitation.pk)  # a reload or a bookmark comes without the mark
    statuses = list_talent_statuses(list(query_invited_consents(invitation)), invitation)
    if not statuses:
        return _render_closed_page(request)
    first, requests = statuses[0].consent, [status.consent for status in statuses if status.is_answerable]
    context = {
        "invitation": invitation,
        "statuses": statuses,
        "first": first,
        "is_open": bool(requests),
        "has_deadline": any(not consent.note_to_talent for consent in requests),
        "withdrawable_count": len(list_withdrawable_consents(invitation.talent)),
        **_get_contact(first),
    }
    return _add_privacy_headers(render(request, "public/home.html", context))


@login_not_required
@require_safe
@_require_invitation
def deletions(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """The list of deletions for a page that polls it; 204 if the page is up to date."""
    (status,) = list_talent_statuses([get_invited_consent(invitation, pk)], invitation)
    if request.GET.get("seen") == status.change_token:
        return _add_privacy_headers(HttpResponse(status=204))
    return _add_privacy_headers(render(request, "public/_deletions.html", {"status": status}))


@login_not_required
@require_safe
@_require_invitation
def contract_file(request: HttpRequest, invitation: Invitation, pk: UUID, contract: UUID) -> HttpResponseBase:
    """The PDF of a contract of the talent that allows this consent."""
    row = find_readable_contract(get_invited_consent(invitation, pk), contract)
    if row is None:
        raise Http404("No contract for this consent.")
    return _add_privacy_headers(send_contract(request, row))


def _get_contact(consent: Consent) -> dict[str, Any]:
    """The contact for a talent: the requester of the consent, at their own or the studio's email address."""
    return {"contact_name": str(consent.requested_by), "contact_mail": get_producer_address(consent)}


@login_not_required
@require_POST
@_require_invitation
def start_recording(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """Go to the recorder, if the notice that the talent read is still that of today."""
    consent = get_answerable_consent(invitation, pk)
    if explain_to_talent(consent):  # the overview says it
        return redirect("invitation:home", invitation.pk)
    notice = build_notice(consent)
    if request.POST.get("notice") != notice.sha256:
        text = gettext("This page has changed since you opened it. Read it again, then continue.")
        messages.warning(request, text)
        return redirect("invitation:home", invitation.pk)
    invitations.record_opening(invitation, consent, notice)
    return redirect("invitation:record", invitation.pk, consent.pk)


@login_not_required
@require_safe
@_require_invitation
def record_page(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """The recorder if the consent waits for a recording; otherwise redirect to the page that shows its status."""
    return _render_record_page(request, invitation, get_answerable_consent(invitation, pk))


def _render_record_page(
    request: HttpRequest, invitation: Invitation, consent: Consent, file_problem: str = "", status: int = 200
) -> HttpResponse:
    """The recorder. Another page, if the consent is answered, has no contract, or its notice was not shown."""
    notice, url = build_notice(consent), ""
    if consent.status != ConsentStatus.REQUESTED:
        url = _get_status_url(invitation, consent)
    elif explain_to_talent(consent) or not consent.notices.filter(sha256=notice.sha256).exists():
        url = reverse("invitation:home", args=[invitation.pk])
    if url and file_problem:
        messages.error(request, file_problem)
    if url:
        return redirect(url)
    context = {
        "consent": consent,
        "invitation": invitation,
        "withdrawal": notice.get_section(WITHDRAWAL),
        "is_only_request": query_invited_consents(invitation).count() == 1,
        "recorder_config": build_recorder_config(consent),
        "file_problem": file_problem,
    }
    return _add_privacy_headers(allow_microphone(render(request, "public/record.html", context, status=status)))


def _get_status_url(invitation: Invitation, consent: Consent) -> str:
    if consent.status in ENDED:
        return reverse("invitation:home", args=[invitation.pk])
    return reverse("invitation:receipt", args=[invitation.pk, consent.pk])


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@_require_invitation
def submit(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """Receive a take. The page with a problem has this URL, so a GET request leads back to the form."""
    consent = get_answerable_consent(invitation, pk)
    if request.method != "POST":
        return redirect("invitation:record", invitation.pk, consent.pk)
    if consent.status == ConsentStatus.REQUESTED and find_shown_notice(consent) is None:
        received = UploadResult(problem=str(NOT_READ), status=409)
    else:
        # Staff who open the link while signed in are recorded as makers of the take, so they may not approve it.
        by = get_user(request) if request.user.is_authenticated else None
        received = receive_take(request, consent, Capture.LINK, by=by)
    consent.refresh_from_db(fields=["status"])
    success_url = reverse("invitation:receipt", args=[invitation.pk, consent.pk])
    render_form = partial(_render_record_page, request, invitation, consent)
    return make_response(request, received, success_url, render_form)


@login_not_required
@require_POST
@_require_invitation
def decline(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = get_answerable_consent(invitation, pk)
    by = get_user(request) if request.user.is_authenticated else None
    form = DeclineForm(request.POST)
    with handle_refusal(partial(messages.error, request)):
        review.decline_consent(consent, by, form.cleaned_data["reason"] if form.is_valid() else "")
    return redirect("invitation:home", invitation.pk)


@login_not_required
@require_POST
@_require_invitation
def withdraw(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """Withdraw this consent or the one that replaced it.

    With `all`, withdraw every consent of the talent that is in force, and decline each that waits for review.
    """
    consent = get_invited_consent(invitation, pk)
    by = get_user(request) if request.user.is_authenticated else None
    form = DeclineForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    is_all = "all" in request.POST
    consents = list_withdrawable_consents(consent.talent) if is_all else [consent.find_newest_replacement()]
    act = review.withdraw_or_decline if is_all else review.withdraw_consent
    for each in consents:
        with handle_refusal(partial(messages.error, request)):
            act(each, by, reason)
    return redirect("invitation:home", invitation.pk)


@login_not_required
@require_safe
@_require_invitation
def receipt(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = get_invited_consent(invitation, pk)
    take = consent.takes.filter(acceptable=True).first()
    if take is None or consent.status in {*ENDED, ConsentStatus.REQUESTED}:
        return redirect("invitation:home", invitation.pk)
    others = query_invited_consents(invitation).filter(status=ConsentStatus.REQUESTED)
    context = {
        "invitation": invitation,
        "consent": consent,
        "take": take,
        "others": others,
        "contracts": list_readable_contracts(consent),
        "notice": find_shown_notice(consent),
        **_get_contact(consent),
    }
    return _add_privacy_headers(render(request, "public/receipt.html", context))
