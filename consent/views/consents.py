"""Consents: the list, the page of a consent, and the staff actions."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent import extension_points
from consent.access import (
    are_takes_closed,
    find_earlier_approval,
    find_open_dispute,
    find_place_in_review,
    find_take_problem,
    fold_past_links,
    get_consent_or_404,
    get_take_or_404,
    get_user,
    list_invitation_rows,
    list_revoked_ids,
    parse_uuid_or_404,
    query_invitations,
    require_permission,
)
from consent.forms import ApprovalForm, LanguageForm
from consent.lists.consents import ENDED, ConsentFilter, ConsentTable, query_consents
from consent.models import Consent, ConsentStatus, Event, EventKind, Take
from consent.names import SEE_LINK
from consent.playback import find_first_playback
from consent.presenters import make_contract_url, make_next_step, put_after_question
from consent.services import invitations, review
from consent.services.approval import count_seconds_left, may_approve
from consent.services.audit_log import find_first_broken_event
from consent.services.disclosure import compute_term, list_allowing
from consent.services.disputes import close_dispute
from consent.services.evidence_checks import require_intact_evidence
from consent.services.filed_contracts import FiledContracts, judge_contracts
from consent.services.gate import BuildPermission, BuildPurpose, check_permission
from consent.services.languages import ALLOWING_STATUSES, allow_language, list_uncovered_languages
from consent.services.voice_comparison import is_comparison_allowed
from consent.views.reasons import act_or_refuse, make_reason_view
from voicehub.lists.pages import load_list, load_part
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import format_count, get_language_name

View = Callable[[HttpRequest, UUID], HttpResponse]
# A longer log is verified as a whole each night, before each build, and on request.
VERIFIED_EVENTS = 200
SHOWN_EVENTS = 50
RETAKE = "What should be different? The talent sees this."
RETAKE_OF_ALL = f"{RETAKE} The retake is for every purpose of this recording."
CHANGEABLE = {
    ConsentStatus.REQUESTED,
    ConsentStatus.SUBMITTED,
    ConsentStatus.APPROVED,
    ConsentStatus.SUSPENDED,
}


@require_permission("consent.view_consent")
@require_safe
def consent_list(request: HttpRequest) -> HttpResponse:
    listing = load_list(request, query_consents(), ConsentTable, ConsentFilter)
    return render(request, "consent/consent_list.html", {"list": listing})


@require_permission("consent.view_consent")
@require_safe
def consent_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    return render_consent_page(request, get_consent_or_404(pk))


def render_consent_page(
    request: HttpRequest, consent: Consent, *, status: int = 200, **extra_context: Any
) -> HttpResponse:
    takes = consent.takes.select_related("recorded_by", "check_made").defer("peaks", "check_made__fine_peaks")
    to_review = takes.filter(acceptable=True).first() if _is_under_review(consent) else None
    other_takes = load_part(request, takes.exclude(pk=to_review.pk) if to_review else takes, "takes")
    invitation_page, user = load_part(request, query_invitations(consent), "links"), get_user(request)
    revoked = list_revoked_ids(consent)
    shared_reviews = review.list_shared_reviews(to_review) if to_review else []
    links, earlier_links = fold_past_links(list_invitation_rows(consent, invitation_page, revoked))
    is_invited, term = invitation_page.paginator.count > len(revoked), _make_term_context(consent)
    deletions = extension_points.list_deletions(consent)
    next_step = make_next_step(
        consent,
        user,
        is_invited=is_invited,
        contracts=term["filed_contracts"],
        permission=_check_permission(consent),
        deletions=deletions,
    )
    questions = list(consent.questions.select_related("answered_by"))
    may_answer = user.has_perm("consent.review_consent")
    open_question = next((one for one in questions if may_answer and not one.answered_at), None)
    context = {
        "consent": consent,
        "has_takes": to_review or other_takes.paginator.count,
        "are_takes_closed": are_takes_closed(consent, user),
        "take_to_review": to_review,
        "earlier_approval": find_earlier_approval(consent) if to_review else None,
        "other_takes": other_takes,
        "review_place": find_place_in_review(consent) if to_review and user.has_perm("consent.review_consent") else {},
        "may_approve": to_review is not None and may_approve(to_review, user),
        "shared_reviews": shared_reviews,
        "retake_question": RETAKE_OF_ALL if shared_reviews else RETAKE,
        "seconds_left": _get_seconds_left(request, to_review),
        "invitations": links,
        "earlier_links": earlier_links,
        "invitation_page": invitation_page,
        "dispute": find_open_dispute(consent),
        "questions": questions,
        "open_question": open_question,
        "can_make_link": _can_make_link(consent, user),
        "may_see_link": user.has_perms(SEE_LINK),
        "may_withdraw": review.can_withdraw(consent),
        "can_renew_link": is_invited and not term["filed_contracts"].problem and _can_renew_link(consent, user),
        "deletions": deletions,
        "next_step": put_after_question(next_step) if open_question and not to_review else next_step,
        "can_change_status": consent.status in CHANGEABLE and user.has_perm("consent.review_consent"),
        "take_problem": find_take_problem(consent),
        "languages": _list_uncovered_languages(consent),
        "language_exceptions": list(consent.language_exceptions.select_related("allowed_by")),
        **_make_log_context(request, consent),
        **term,
        "notices": list(consent.notices.all()),
        "is_comparison_allowed": is_comparison_allowed(consent.talent_id),
        "replaced_consents": list(consent.replaced_consents.order_by("approved_at")),
        "withdrawal": _find_withdrawal(consent),
    }
    return render(request, "consent/consent.html", context | extra_context, status=status)


def _find_withdrawal(consent: Consent) -> Event | None:
    """The entry of the audit log that says when and by whom the consent was withdrawn."""
    is_withdrawn = consent.status == ConsentStatus.WITHDRAWN
    return consent.events.filter(kind=EventKind.WITHDRAWN).order_by("sequence").last() if is_withdrawn else None


def _make_term_context(consent: Consent) -> dict[str, Any]:
    """The contracts that allow what the consent is for, and its last day while it is open or in force."""
    if consent.status in ENDED:
        return {"is_ended": True, "last_day": consent.valid_until, "filed_contracts": FiledContracts()}
    contracts = list(consent.talent.contracts.select_related("superseded_by"))
    current = [contract for contract in contracts if not hasattr(contract, "superseded_by")]
    last_day = compute_term(consent, contracts).last_day
    return {
        "allowing_contracts": list_allowing(consent, current),
        "last_day": last_day,
        "filed_contracts": judge_contracts(consent, contracts),
        "new_contract_url": make_contract_url(consent.talent_id, consent.provider, consent.purpose),
    }


def _make_log_context(request: HttpRequest, consent: Consent) -> dict[str, Any]:
    """The newest entries of the audit log, newest first, or all of them with `?log=all`, and whether they are intact.

    Of a long log the newest entries are verified, and the others were by the last nightly check, whose result counts.
    """
    is_all = request.GET.get("log") == "all"
    events = consent.events.order_by("-sequence")
    newest = list(events if is_all else events[:SHOWN_EVENTS])
    count = newest[0].sequence if newest else 0
    verified = VERIFIED_EVENTS if count > VERIFIED_EVENTS and consent.history_checked_at and not is_all else None
    return {
        "events": newest,
        "event_count": count,
        "verified_count": verified,
        "broken_event": find_first_broken_event(consent, verified) or consent.broken_event,
    }


def _get_seconds_left(request: HttpRequest, take: Take | None) -> int | None:
    """Seconds until this person may have listened to the whole take; None before they played it."""
    played_at = find_first_playback(request, take) if take else None
    return count_seconds_left(take, played_at) if take and played_at else None


def _can_make_link(consent: Consent, user: User) -> bool:
    """Whether the list of links offers a link to an answered consent."""
    is_answered = consent.status != ConsentStatus.REQUESTED and invitations.may_have_link(consent)
    return is_answered and _may_send_or_see_link(consent, user)


def _may_send_or_see_link(consent: Consent, user: User) -> bool:
    may_send = bool(consent.talent.email) and user.has_perm("consent.invite_talent")
    return may_send or user.has_perms(SEE_LINK)


def _can_renew_link(consent: Consent, user: User) -> bool:
    """Whether the list of links offers a new one that ends the active one."""
    return consent.status == ConsentStatus.REQUESTED and _may_send_or_see_link(consent, user)


def _is_under_review(consent: Consent) -> bool:
    return consent.status == ConsentStatus.SUBMITTED


def _list_uncovered_languages(consent: Consent) -> list[str]:
    """The languages of voices that this consent in force does not cover."""
    if consent.status not in ALLOWING_STATUSES:
        return []
    return list_uncovered_languages(consent, extension_points.list_voice_languages(consent))


def _check_permission(consent: Consent) -> BuildPermission | None:
    """Whether a voice may be built with this consent in force. None for a consent that is not in force."""
    if consent.status != ConsentStatus.APPROVED:
        return None
    name = extension_points.get_provider_label(consent.provider)
    subject = BuildPurpose(consent.talent, consent.provider, consent.purpose, language="", countries=())
    return check_permission(subject, provider_label=name)


@require_permission("consent.review_consent")
@require_POST
def approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    consent = get_consent_or_404(pk)
    take = get_take_or_404(parse_uuid_or_404(request.POST.get("take", "")))
    form = ApprovalForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect(consent)
    details = {"played_at": find_first_playback(request, take), "reason": form.cleaned_data["reason"]}
    if "all" in request.POST and take.consent == consent:
        return _approve_all(request, take, **details)
    act = partial(review.approve_consent, **details)
    return act_or_refuse(
        request, consent, "Consent approved. It is now in force.", act, consent, take, get_user(request)
    )


def _approve_all(request: HttpRequest, take: Take, **details: Any) -> HttpResponse:
    """Approve every consent that the recording is for. Those with a problem are named and left."""
    approved, refused = review.approve_recording(take, get_user(request), **details)
    if approved:
        names = ", ".join(_describe_use(consent) for consent in approved)
        messages.success(request, f"{format_count(len(approved), 'consent is', 'consents are')} now in force: {names}.")
    for consent, refusal in refused:
        messages.error(request, f"Not approved: {_describe_use(consent)}. {refusal}")
    return redirect(take.consent)


def _describe_use(consent: Consent) -> str:
    return f"{extension_points.get_provider_label(consent.provider)} for {consent.get_purpose_display().lower()}"


@require_permission("consent.review_consent")
@require_POST
def check_audit_log(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Verify the audit log and the recording now, for example after a restore from the backup."""
    consent = get_consent_or_404(pk)
    text = "The audit log and the recording are intact."
    return act_or_refuse(request, consent, text, require_intact_evidence, consent)


_make_view = partial(make_reason_view, get_consent_or_404)


def _answer_report(consent: Consent, by: User, reason: str) -> None:
    dispute = find_open_dispute(consent)
    if dispute is None:
        raise ActionRefused("This report has already been answered.")
    close_dispute(dispute, by, reason)


ask_again = _make_view(review.request_retake, "Retake requested. The private link works as before.")
suspend = _make_view(
    review.suspend_consent,
    "Consent suspended. No build can start with it, and its voices cannot be used until you resume it.",
)
resume = _make_view(review.resume_consent, "Consent resumed. It is in force again.")
withdraw = _make_view(
    review.withdraw_consent,
    "Consent withdrawn. Its builds stop, and the deletion of its voices is requested.",
    is_confirmed=True,
)
decline = _make_view(review.decline_consent, "Recorded that the talent declined.")
answer_report = _make_view(_answer_report, "Report answered. The talent can read the answer behind their link.")
void = _make_view(invitations.void_consent, "Request canceled.")


@require_permission("consent.review_consent")
@require_POST
def language_allow(request: HttpRequest, pk: UUID) -> HttpResponse:
    consent, form = get_consent_or_404(pk), LanguageForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect(consent)
    language, reason = form.cleaned_data["language"], form.cleaned_data["reason"]
    text = f"Voices in {get_language_name(language)} are allowed with this consent."
    return act_or_refuse(request, consent, text, allow_language, consent, language, get_user(request), reason)
