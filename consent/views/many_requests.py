"""Requests of many talents at once: of those ticked in the list of talents, or from a table."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from consent.access import get_user, require_permission
from consent.models import Purpose, Talent
from consent.names import VIEW_CONTACTS, VIEW_NAMES, get_name_field
from consent.request_choices import make_use_matrix
from consent.request_forms import ManyUsesForm, RequestTableForm, read_address
from consent.services.consent_requests import (
    PlannedRequest,
    RequestReport,
    preview_requests,
    request_many,
)
from consent.services.request_rules import NO_STATEMENT, Use, UseVerdict
from consent.services.request_tables import read_plans
from consent.services.statements import load_newest_statements
from providers.registry import PROVIDERS
from voicehub.csv_tables import read_text
from voicehub.refusals import ActionRefused


@require_permission("consent.add_consent")
@require_permission("consent.view_talent")
@require_http_methods(["GET", "HEAD", "POST"])
def ask_talents(request: HttpRequest) -> HttpResponse:
    """The same requests to each of the chosen talents. A GET with ticks shows what a POST would request."""
    data = request.POST if request.method == "POST" else request.GET
    talents = _list_chosen_talents(data)
    can_send = any(talent.email for talent in talents)
    form = ManyUsesForm(data if "company" in data else None, initial={"is_sent": can_send, **read_address(data)})
    form.fields["valid_until"].help_text = "Leave empty for the end of each contract."
    report = None
    if talents and form.is_bound and form.is_valid():
        plans = _plan_requests(talents, form)
        report = _run(request, form, plans, company=form.cleaned_data["company"], is_preview=request.method != "POST")
    matrix = make_use_matrix(form, lambda use: _judge_statement(use, form))
    context = {"form": form, "talents": talents, "matrix": matrix, "report": report}
    return render(request, "consent/request_talents.html", context)


@require_permission("consent.add_consent", "consent.view_talent", VIEW_NAMES, VIEW_CONTACTS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_requests(request: HttpRequest) -> HttpResponse:
    """A table of requests. The first answer shows what each row would request, the second what became of it."""
    form, report = RequestTableForm(), None
    if request.method == "POST":
        form = RequestTableForm(request.POST, request.FILES)
        if form.is_valid():
            content = form.read()
            report = _read_table(request, form, content)
            if report and report.is_preview and report.good_count:
                form = RequestTableForm(initial={"table": read_text(content)})
    context = {
        "form": form,
        "report": report,
        "providers": PROVIDERS,
        "purposes": Purpose.values,
        "languages": sorted({key.partition(":")[2] for key in load_newest_statements()}),
    }
    return render(request, "consent/request_table.html", context)


def _read_table(request: HttpRequest, form: RequestTableForm, content: bytes) -> RequestReport | None:
    try:
        plans = read_plans(content)
    except ActionRefused as refusal:
        form.add_error("file", list(refusal.reasons))
        return None
    return _run(request, form, plans, is_preview="request" not in request.POST)


def _run(
    request: HttpRequest, form: Any, plans: list[PlannedRequest], *, is_preview: bool, company: str = ""
) -> RequestReport | None:
    """Request the plans, or show what would be requested. None if there are too many, which the form then says."""
    is_sent = form.cleaned_data["is_sent"] and request.user.has_perm("consent.invite_talent")
    try:
        if is_preview:
            return preview_requests(plans)
        return request_many(plans, get_user(request), company=company, is_sent=is_sent)
    except ActionRefused as refusal:
        form.add_error(None, list(refusal.reasons))
        return None


def _list_chosen_talents(data: QueryDict) -> list[Talent]:
    ids = [pk for text in data.getlist("talent") if (pk := _parse_id(text))]
    return list(Talent.objects.filter(pk__in=ids).order_by(get_name_field()))


def _parse_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _plan_requests(talents: list[Talent], form: ManyUsesForm) -> list[PlannedRequest]:
    day = form.cleaned_data["valid_until"]
    pairs = [(talent, use) for talent in talents for use in form.get_uses()]
    return [
        PlannedRequest(number, talent.shown_name, talent, use, day) for number, (talent, use) in enumerate(pairs, 1)
    ]


def _judge_statement(use: Use, form: ManyUsesForm) -> UseVerdict:
    """Whether the provider has a statement in this language. What the contracts allow differs between the talents."""
    is_known = f"{use.provider}:{use.language}" in form.statements
    problem = "" if is_known else "There is no statement in this language."
    return UseVerdict(problem, brief=problem, mark="" if is_known else NO_STATEMENT)
