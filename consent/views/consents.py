"""A consent: asking for it, its page, and everything staff can do with it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent import extension_points
from consent.access import (
    get_consent_or_404,
    get_invitation_or_404,
    get_take_or_404,
    get_talent_or_404,
    get_user,
    list_invitation_rows,
    require_permission,
)
from consent.forms import ApprovalForm, ConsentRequestForm, ReasonForm
from consent.models import Consent, ConsentStatus, Take
from consent.playback import find_first_playback
from consent.presenters import make_next_step
from consent.services import invitations, review
from consent.services.approval import count_seconds_left, may_approve
from consent.services.audit_log import find_first_broken_event
from consent.services.gate import check_permission
from consent.services.invitations import request_consent, revoke_invitation
from voicehub.refusals import handle_refusal, show_refusal_as_message

Act = Callable[..., Any]
View = Callable[[HttpRequest, UUID], HttpResponse]
CHANGEABLE = {ConsentStatus.REQUESTED, ConsentStatus.APPROVED, ConsentStatus.SUSPENDED}


@require_permission("consent.add_consent")
@require_http_methods(["GET", "HEAD", "POST"])
def consent_request(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent = get_talent_or_404(pk)
    form = (
        ConsentRequestForm(request.POST) if request.method == "POST" else ConsentRequestForm(initial=request.GET.dict())
    )
    if request.method == "POST" and form.is_valid():
        provider, language = form.cleaned_data["statement"].split(":")
        consent = request_consent(
            talent,
            provider,
            language,
            form.cleaned_data["purpose"],
            get_user(request),
            company=form.cleaned_data["company"],
            valid_until=form.cleaned_data["valid_until"],
        )
        return redirect(consent)
    return render(
        request,
        "consent/consent_request.html",
        {"form": form, "talent": talent, **_make_statement_context(form, talent)},
    )


@require_permission("consent.add_consent")
@require_safe
def statement_preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The statement as it would be read for what is chosen so far: the part of the page that htmx exchanges."""
    talent = get_talent_or_404(pk)
    form = ConsentRequestForm(initial=request.GET.dict())
    return render(request, "consent/_statement.html", {"talent": talent, **_make_statement_context(form, talent)})


def _make_statement_context(form: ConsentRequestForm, talent: Any) -> dict[str, Any]:
    chosen = form.get_selected_statement()
    company = (form["company"].value() or "").strip()
    text = chosen.fill(company=company or "…", talent=talent.name) if chosen else ""
    return {"statement": chosen, "statement_text": text}


@require_permission("consent.view_consent")
@require_safe
def consent_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _render_consent_page(request, get_consent_or_404(pk))


def _render_consent_page(request: HttpRequest, found: Consent, **more: Any) -> HttpResponse:
    takes = list(found.takes.select_related("recorded_by", "check_made").defer("peaks", "check_made__fine_peaks"))
    links, user = list_invitation_rows(found), get_user(request)
    is_invited = any(not row.is_revoked for row in links)
    to_review = next((take for take in takes if take.acceptable), None) if _is_waiting(found) else None
    context = {
        "consent": found,
        "takes": takes,
        "to_review": to_review,
        "other_takes": [take for take in takes if take != to_review],
        "may_approve": to_review is not None and may_approve(to_review, user),
        "seconds_left": _get_seconds_left(request, to_review),
        "invitations": links,
        "next_step": make_next_step(found, user, is_invited=is_invited, missing=_list_missing(found)),
        "can_change_status": found.status in CHANGEABLE and user.has_perm("consent.review_consent"),
        "events": list(found.events.order_by("sequence")),
        "broken": find_first_broken_event(found),
    }
    return render(request, "consent/consent.html", context | more)


def _get_seconds_left(request: HttpRequest, take: Take | None) -> int | None:
    """Until this person has heard all of the take under review; None before it was played."""
    played_at = find_first_playback(request, take) if take else None
    return count_seconds_left(take, played_at) if take and played_at else None


def _is_waiting(consent: Consent) -> bool:
    return consent.status == ConsentStatus.SUBMITTED


def _list_missing(consent: Consent) -> tuple[str, ...]:
    """What a consent in force still lacks before a voice may be built on it."""
    if consent.status != ConsentStatus.APPROVED:
        return ()
    name = extension_points.get_provider_label(consent.provider)
    return check_permission(consent.talent, consent.provider, consent.purpose, provider_label=name).reasons


@require_permission("consent.invite_talent")
@require_POST
def invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = get_consent_or_404(pk)
    return _act_or_refuse(
        request, found, "The invitation is on its way.", invitations.invite_talent, [found], get_user(request)
    )


@require_permission("consent.invite_talent")
@require_http_methods(["GET", "HEAD", "POST"])
@show_refusal_as_message("consent:consent")
def copy_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a new private link, in this one answer and never again; a page that is loaded anew shows the consent."""
    found = get_consent_or_404(pk)
    if request.method != "POST":
        return redirect(found)
    link = invitations.create_private_link([found], get_user(request))
    return _render_consent_page(request, found, link=link)


@require_permission("consent.invite_talent")
@require_POST
def revoke_link(request: HttpRequest, pk: UUID, link: UUID) -> HttpResponse:
    found = get_consent_or_404(pk)
    return _act_or_refuse(
        request, found, "The link is ended.", revoke_invitation, get_invitation_or_404(found, link), get_user(request)
    )


@require_permission("consent.review_consent")
@require_POST
def approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = get_consent_or_404(pk)
    take = get_take_or_404(_parse_uuid_or_404(request.POST.get("take", "")))
    form = ApprovalForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect(found)
    given = {"played_at": find_first_playback(request, take), "reason": form.cleaned_data["reason"]}
    act = partial(review.approve_consent, **given)
    return _act_or_refuse(request, found, "Approved: the consent is in force.", act, found, take, get_user(request))


def _parse_uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("Not an id.") from None


def _act_or_refuse(request: HttpRequest, consent: Consent, success_message: str, act: Act, *args: Any) -> HttpResponse:
    """Do it, say that it is done or why it is not possible, and go back to the consent."""
    with handle_refusal(partial(messages.error, request)):
        act(*args)
        messages.success(request, success_message)
    return redirect(consent)


def _make_reason_view(act: Act, success_message: str) -> View:
    """A view that does `act(consent, by, reason)` with the reason that was written down."""

    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        found = get_consent_or_404(pk)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            messages.error(request, str(form.errors["reason"][0]))
            return redirect(found)
        return _act_or_refuse(
            request, found, success_message, act, found, get_user(request), form.cleaned_data["reason"]
        )

    guarded: View = require_permission("consent.review_consent")(require_POST(view))
    return guarded


ask_again = _make_reason_view(review.request_retake, "Asked to read it again. The private link works as before.")
suspend = _make_reason_view(review.suspend_consent, "Suspended: no build starts on this consent for now.")
resume = _make_reason_view(review.resume_consent, "The consent is in force again.")
withdraw = _make_reason_view(review.withdraw_consent, "Withdrawn: no build starts on this consent any more.")
void = _make_reason_view(invitations.void_consent, "Called off.")
