"""Requests for consent: the choice of the talent, the form, and the statement that it would show to the talent."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_talent_or_404, get_user, require_permission
from consent.forms import ConsentRequestForm
from consent.lists.talents import AskTable, TalentFilter, query_talents
from consent.services.invitations import request_consent
from consent.services.statements import describe_language_risk
from voicehub.lists.pages import load_list


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
    """The statement for the current selection, as the HTML fragment that htmx swaps in."""
    talent = get_talent_or_404(pk)
    form = ConsentRequestForm(initial=request.GET.dict())
    return render(request, "consent/_statement.html", {"talent": talent, **_make_statement_context(form, talent)})


def _make_statement_context(form: ConsentRequestForm, talent: Any) -> dict[str, Any]:
    statement = form.get_selected_statement()
    company = (form["company"].value() or "").strip()
    text = statement.fill(company=company or "…", talent=talent.name) if statement else ""
    risk = describe_language_risk(statement) if statement else ""
    return {"statement": statement, "statement_text": text, "language_risk": risk}
