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
from consent.access import consent_or_404, invitation_or_404, invitation_rows, may, take_or_404, talent_or_404, user_of
from consent.forms import ApprovalForm, AskForm, ReasonForm
from consent.models import Consent, ConsentStatus, Take
from consent.playback import find_first_playback
from consent.presenters import make_next_step
from consent.services import invitations, review
from consent.services.approval import count_seconds_left, may_approve
from consent.services.audit_log import first_broken
from consent.services.gate import permission
from consent.services.invitations import ask, revoke
from voicehub.refusals import refusal_to, refusal_to_message

Act = Callable[..., Any]
View = Callable[[HttpRequest, UUID], HttpResponse]
CHANGEABLE = {ConsentStatus.REQUESTED, ConsentStatus.APPROVED, ConsentStatus.SUSPENDED}


@may("consent.add_consent")
@require_http_methods(["GET", "HEAD", "POST"])
def consent_ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent = talent_or_404(pk)
    form = AskForm(request.POST) if request.method == "POST" else AskForm(initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        provider, language = form.cleaned_data["statement"].split(":")
        consent = ask(
            talent,
            provider,
            language,
            form.cleaned_data["purpose"],
            user_of(request),
            company=form.cleaned_data["company"],
            valid_until=form.cleaned_data["valid_until"],
        )
        return redirect(consent)
    return render(request, "consent/consent_request.html", {"form": form, "talent": talent, **_statement(form, talent)})


@may("consent.add_consent")
@require_safe
def statement(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The statement as it would be read for what is chosen so far: the part of the page that htmx exchanges."""
    talent = talent_or_404(pk)
    form = AskForm(initial=request.GET.dict())
    return render(request, "consent/_statement.html", {"talent": talent, **_statement(form, talent)})


def _statement(form: AskForm, talent: Any) -> dict[str, Any]:
    chosen = form.chosen()
    company = (form["company"].value() or "").strip()
    text = chosen.filled(company=company or "…", talent=talent.name) if chosen else ""
    return {"statement": chosen, "statement_text": text}


@may("consent.view_consent")
@require_safe
def consent(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, consent_or_404(pk))


def _page(request: HttpRequest, found: Consent, **more: Any) -> HttpResponse:
    takes = list(found.takes.select_related("recorded_by", "check_made").defer("peaks", "check_made__fine_peaks"))
    links, user = invitation_rows(found), user_of(request)
    is_invited = any(not row.ended for row in links)
    to_review = next((take for take in takes if take.acceptable), None) if _waits(found) else None
    context = {
        "consent": found,
        "takes": takes,
        "to_review": to_review,
        "other_takes": [take for take in takes if take != to_review],
        "may_approve": to_review is not None and may_approve(to_review, user),
        "seconds_left": _seconds_left(request, to_review),
        "invitations": links,
        "next_step": make_next_step(found, user, is_invited=is_invited, missing=_lacking(found)),
        "can_change_status": found.status in CHANGEABLE and user.has_perm("consent.review_consent"),
        "events": list(found.events.order_by("sequence")),
        "broken": first_broken(found),
    }
    return render(request, "consent/consent.html", context | more)


def _seconds_left(request: HttpRequest, take: Take | None) -> int | None:
    """Until this person has heard all of the take under review; None before it was played."""
    played_at = find_first_playback(request, take) if take else None
    return count_seconds_left(take, played_at) if take and played_at else None


def _waits(consent: Consent) -> bool:
    return consent.status == ConsentStatus.SUBMITTED


def _lacking(consent: Consent) -> tuple[str, ...]:
    """What a consent in force still lacks before a voice may be built on it."""
    if consent.status != ConsentStatus.APPROVED:
        return ()
    name = extension_points.label(consent.provider)
    return permission(consent.talent, consent.provider, consent.purpose, provider_label=name).reasons


@may("consent.invite_talent")
@require_POST
def invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = consent_or_404(pk)
    return _try(request, found, "The invitation is on its way.", invitations.invite, [found], user_of(request))


@may("consent.invite_talent")
@require_http_methods(["GET", "HEAD", "POST"])
@refusal_to_message("consent:consent")
def copy_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a new private link, in this one answer and never again; a page that is loaded anew shows the consent."""
    found = consent_or_404(pk)
    if request.method != "POST":
        return redirect(found)
    link = invitations.copy_link([found], user_of(request))
    return _page(request, found, link=link)


@may("consent.invite_talent")
@require_POST
def end_link(request: HttpRequest, pk: UUID, link: UUID) -> HttpResponse:
    found = consent_or_404(pk)
    return _try(request, found, "The link is ended.", revoke, invitation_or_404(found, link), user_of(request))


@may("consent.review_consent")
@require_POST
def approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = consent_or_404(pk)
    take = take_or_404(_uuid_or_404(request.POST.get("take", "")))
    form = ApprovalForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect(found)
    given = {"played_at": find_first_playback(request, take), "reason": form.cleaned_data["reason"]}
    act = partial(review.approve, **given)
    return _try(request, found, "Approved: the consent is in force.", act, found, take, user_of(request))


def _uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("Not an id.") from None


def _try(request: HttpRequest, consent: Consent, done: str, act: Act, *args: Any) -> HttpResponse:
    """Do it, say that it is done or why it is not possible, and go back to the consent."""
    with refusal_to(partial(messages.error, request)):
        act(*args)
        messages.success(request, done)
    return redirect(consent)


def _with_reason(act: Act, done: str) -> View:
    """A view that does `act(consent, by, reason)` with the reason that was written down."""

    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        found = consent_or_404(pk)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            messages.error(request, str(form.errors["reason"][0]))
            return redirect(found)
        return _try(request, found, done, act, found, user_of(request), form.cleaned_data["reason"])

    guarded: View = may("consent.review_consent")(require_POST(view))
    return guarded


ask_again = _with_reason(review.ask_again, "Asked to read it again. The private link works as before.")
suspend = _with_reason(review.suspend, "Suspended: no build starts on this consent for now.")
resume = _with_reason(review.resume, "The consent is in force again.")
withdraw = _with_reason(review.withdraw, "Withdrawn: no build starts on this consent any more.")
void = _with_reason(invitations.void, "Called off.")
