"""Requests for consent: the choice of the talent, and the form with the statements that the talent will read."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import get_talent_or_404, get_user, require_permission
from consent.lists.talents import AskTable, TalentFilter, query_talents
from consent.models import Consent, Statement, Talent
from consent.presenters import make_contract_url
from consent.request_choices import make_use_matrix
from consent.request_forms import ManyUsesForm, read_address
from consent.services.consent_requests import list_unsent_requests, request_consents, send_requests
from consent.services.request_rules import RequestRules
from consent.services.statements import describe_language_risk
from voicehub.lists.pages import load_list
from voicehub.refusals import ActionRefused
from voicehub.text import format_count, get_language_name


@require_permission("consent.add_consent")
@require_permission("consent.view_talent")
@require_safe
def consent_add(request: HttpRequest) -> HttpResponse:
    """The first step of a request: the choice of the talent."""
    listing = load_list(request, query_talents(), AskTable, TalentFilter)
    return render(request, "consent/consent_add.html", {"list": listing})


@require_permission("consent.add_consent")
@require_http_methods(["GET", "HEAD", "POST"])
def consent_request(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ticks for what to request of one talent. All of it is requested, or nothing."""
    talent = get_talent_or_404(pk)
    rules = RequestRules(talent)
    if request.method != "POST":
        form = ManyUsesForm(initial=_propose(request, rules))
        return _render_form(request, form, rules)
    form = ManyUsesForm(request.POST)
    if not form.is_valid():
        return _render_form(request, form, rules)
    try:
        consents = request_consents(
            talent,
            form.get_uses(),
            get_user(request),
            company=form.cleaned_data["company"],
            valid_until=form.cleaned_data["valid_until"],
        )
    except ActionRefused as refusal:
        form.add_error("use", list(refusal.reasons))
        return _render_form(request, form, RequestRules(talent))
    if form.cleaned_data["is_sent"] and request.user.has_perm("consent.invite_talent"):
        _send(request, talent, consents)
    if len(consents) == 1:
        return redirect(consents[0])
    messages.success(request, f"{format_count(len(consents), 'consent is', 'consents are')} requested.")
    return redirect(f"{talent.get_absolute_url()}#consents-title")


def _propose(request: HttpRequest, rules: RequestRules) -> dict[str, Any]:
    """What a new form has. An address with the other fields is that of a form where the invitation may be cleared."""
    can_send = bool(rules.talent.email) and not rules.describe_missing_contracts()
    is_sent = {"is_sent": can_send} if "company" not in request.GET else {}
    return {"valid_until": rules.propose_end(), **is_sent, **read_address(request.GET)}


def _send(request: HttpRequest, talent: Talent, consents: list[Consent]) -> None:
    sent = send_requests(talent, consents, get_user(request))
    if sent.is_sent:
        messages.success(request, "The invitation is being sent.")
    if sent.problem:
        messages.error(request, f"Not everything was sent. {sent.problem}" if sent.is_sent else sent.problem)


@require_permission("consent.invite_talent")
@require_POST
def talent_invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Email one private link for every request of the talent that has none."""
    talent = get_talent_or_404(pk)
    consents = list_unsent_requests(talent)
    if consents:
        _send(request, talent, consents)
    else:
        messages.error(request, f"No request of {talent.shown_name} waits for a link.")
    return redirect(f"{talent.get_absolute_url()}#consents-title")


@require_permission("consent.add_consent")
@require_safe
def statement_preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The ticks, the statements and the count for the current selection, as the HTML that htmx swaps in."""
    talent = get_talent_or_404(pk)
    form, rules = ManyUsesForm(initial=read_address(request.GET)), RequestRules(talent)
    context = {**_make_choice_context(form, rules), "is_fragment": True, "is_sent": "is_sent" in request.GET}
    return render(request, "consent/_request_choice.html", context)


def _render_form(request: HttpRequest, form: ManyUsesForm, rules: RequestRules) -> HttpResponse:
    if end := rules.propose_end():
        form.explain_last_day(end)
    return render(request, "consent/consent_request.html", {"form": form, **_make_choice_context(form, rules)})


def _make_choice_context(form: ManyUsesForm, rules: RequestRules) -> dict[str, Any]:
    company = (form["company"].value() or "").strip() or "…"
    selected = form.selected_uses
    return {
        "form": form,
        "talent": rules.talent,
        "matrix": make_use_matrix(form, rules.judge),
        "language_name": get_language_name(form.selected_language),
        "statements": list(map(partial(_describe_statement, company, rules.talent), form.list_selected_statements())),
        "contract_problem": rules.describe_missing_contracts(),
        "new_contract_url": make_contract_url(
            rules.talent.pk, selected[0].provider if selected else "", selected[0].purpose if selected else ""
        ),
    }


def _describe_statement(company: str, talent: Talent, statement: Statement) -> dict[str, Any]:
    return {
        "row": statement,
        "text": statement.fill(company=company, talent=talent.shown_name),
        "risk": describe_language_risk(statement),
    }
