"""The pages that a talent reaches through a private link, without an account.

Opening the link (GET, which mail scanners do too) changes nothing: it exchanges the token for a signed cookie, so that
no later URL contains the token. An unknown, expired, replaced or revoked link shows the same page.
"""

from functools import partial
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
    parse_uuid_or_404,
)
from consent.code_gate import describe_address_check, is_code_missing, require_code
from consent.contract_download import send_contract
from consent.forms import DeclineForm
from consent.link_pages import COOKIE_MARK, add_privacy_headers, render_closed_page, require_invitation
from consent.models import Capture, Consent, ConsentStatus, Invitation
from consent.services import review
from consent.services.filed_contracts import find_readable_contract
from consent.services.sittings import record_ticks
from consent.take_upload import UploadResult, make_response, receive_take
from consent.talent_pages import (
    FOR,
    find_next_page,
    find_receipt_take,
    get_status_url,
    list_served_consents,
    list_shown_notices,
    make_home_context,
    make_receipt_context,
    make_record_context,
)
from consent.talent_statuses import list_talent_statuses
from voicehub.middleware import allow_microphone
from voicehub.refusals import handle_refusal
from voicehub.tokens import hash_token

NOT_READ = gettext_lazy(
    "Open your private link again, read what this is about, and tick what you agree to. Your recording stays in this "
    "browser."
)


@login_not_required
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    invitation = find_invitation(hash_token(token))
    if invitation is None:
        response = render_closed_page(request)
    else:
        home_url = reverse("invitation:home", args=[invitation.pk])
        response = add_privacy_headers(redirect(f"{home_url}?{COOKIE_MARK}"))
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
    return render_closed_page(request)


@login_not_required
@require_safe
@require_invitation
def home(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if COOKIE_MARK in request.GET:
        return redirect("invitation:home", invitation.pk)  # a reload or a bookmark comes without the mark
    return _render_home(request, invitation)


def _render_home(request: HttpRequest, invitation: Invitation, tick_problem: str = "") -> HttpResponse:
    """The first page. `tick_problem` stands beside the ticks."""
    context = make_home_context(invitation, tick_problem, can_listen=not is_code_missing(request, invitation))
    if context is None:
        return render_closed_page(request)
    status = 422 if tick_problem else 200
    return add_privacy_headers(render(request, "public/home.html", context, status=status))


@login_not_required
@require_safe
@require_invitation
def deletions(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """The list of deletions for a page that polls it; 204 if the page is up to date."""
    (status,) = list_talent_statuses([get_invited_consent(invitation, pk)], invitation)
    if request.GET.get("seen") == status.change_token:
        return add_privacy_headers(HttpResponse(status=204))
    return add_privacy_headers(render(request, "public/_deletions.html", {"status": status}))


@login_not_required
@require_safe
@require_invitation
@require_code
def contract_file(request: HttpRequest, invitation: Invitation, pk: UUID, contract: UUID) -> HttpResponseBase:
    """The PDF of a contract of the talent that allows this consent."""
    row = find_readable_contract(get_invited_consent(invitation, pk), contract)
    if row is None:
        raise Http404("No contract for this consent.")
    return add_privacy_headers(send_contract(request, row, row.talent.name))


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@require_invitation
def begin(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Store the ticks and go to the recorder, if the notices that the talent read are still those of today.

    The page with a problem has this URL, so a GET request leads back to the form.
    """
    if request.method != "POST":
        return redirect("invitation:home", invitation.pk)
    ticked, shown = set(request.POST.getlist("purpose")), list_shown_notices(invitation)
    consents = [consent for consent, _notice in shown if str(consent.pk) in ticked]
    if not shown:  # the page says why nothing can be recorded
        return redirect("invitation:home", invitation.pk)
    if not {notice.sha256 for _consent, notice in shown} <= set(request.POST.getlist("notice")):
        messages.warning(request, gettext("This page has changed since you opened it. Read it again, then continue."))
        return redirect("invitation:home", invitation.pk)
    if not consents:
        return _render_home(request, invitation, gettext("Tick at least one purpose to continue."))
    record_ticks(invitation, shown, [consent.pk for consent in consents])
    return redirect("invitation:record", invitation.pk, consents[0].pk)


@login_not_required
@require_safe
@require_invitation
@require_code
def record_page(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """The recorder if the consent waits for a recording; otherwise redirect to the page that shows its status."""
    return _render_record_page(request, invitation, get_answerable_consent(invitation, pk))


def _render_record_page(
    request: HttpRequest, invitation: Invitation, consent: Consent, file_problem: str = "", status: int = 200
) -> HttpResponse:
    """The recorder. Another page, if the consent is answered, has no contract, or its notice was not shown."""
    url, context = "", make_record_context(invitation, consent)
    if consent.status != ConsentStatus.REQUESTED:
        url = get_status_url(invitation, consent)
    elif context is None:
        url = reverse("invitation:home", args=[invitation.pk])
    if url and file_problem:
        messages.error(request, file_problem)
    if url:
        return redirect(url)
    context = {**(context or {}), "file_problem": file_problem}
    return add_privacy_headers(allow_microphone(render(request, "public/record.html", context, status=status)))


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@require_invitation
@require_code
def submit(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """Receive a take. The page with a problem has this URL, so a GET request leads back to the form."""
    consent = get_answerable_consent(invitation, pk)
    if request.method != "POST":
        return redirect("invitation:record", invitation.pk, consent.pk)
    served = list_served_consents(invitation, consent, request.GET.getlist(FOR))
    if consent.status == ConsentStatus.REQUESTED and not served:
        received = UploadResult(problem=str(NOT_READ), status=409)
    else:
        # Staff who open the link while signed in are recorded as makers of the take, so they may not approve it.
        by = get_user(request) if request.user.is_authenticated else None
        others = [one for one in served if one != consent]
        check = describe_address_check(request, invitation)
        received = receive_take(request, consent, Capture.LINK, by=by, others=others, address_check=check)
    consent.refresh_from_db(fields=["status"])
    success_url, note = find_next_page(invitation, consent)
    if note and not received.problem:
        messages.success(request, note)
    render_form = partial(_render_record_page, request, invitation, consent)
    return make_response(request, received, success_url, render_form)


@login_not_required
@require_POST
@require_invitation
def decline(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """Decline this request, or those of the link that are ticked in a form with several."""
    by = get_user(request) if request.user.is_authenticated else None
    form = DeclineForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    chosen = request.POST.getlist("purpose") if "choose" in request.POST else [str(pk)]
    if not chosen:
        messages.error(request, gettext("Nothing was declined. Tick what you decline first."))
    for consent in [get_answerable_consent(invitation, parse_uuid_or_404(text)) for text in chosen]:
        with handle_refusal(partial(messages.error, request)):
            review.decline_consent(consent, by, reason)
    return redirect("invitation:home", invitation.pk)


@login_not_required
@require_POST
@require_invitation
def withdraw(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    """Withdraw this consent or the one that replaced it.

    With `all`, withdraw every consent of the talent that is in force, and decline each that waits for review.
    """
    consent = get_invited_consent(invitation, pk)
    by = get_user(request) if request.user.is_authenticated else None
    form = DeclineForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    is_all = "all" in request.POST
    consents = review.list_withdrawable_consents(consent.talent) if is_all else [consent.find_newest_replacement()]
    act = review.withdraw_or_decline if is_all else review.withdraw_consent
    for each in consents:
        with handle_refusal(partial(messages.error, request)):
            act(each, by, reason)
    return redirect("invitation:home", invitation.pk)


@login_not_required
@require_safe
@require_invitation
@require_code
def receipt(request: HttpRequest, invitation: Invitation, pk: UUID) -> HttpResponse:
    consent = get_invited_consent(invitation, pk)
    take = find_receipt_take(consent)
    if take is None:
        return redirect("invitation:home", invitation.pk)
    context = make_receipt_context(invitation, consent, take)
    return add_privacy_headers(render(request, "public/receipt.html", context))
