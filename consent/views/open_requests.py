"""The page of all open requests, and the actions on those that are selected there."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_user, require_permission
from consent.forms import ReasonForm
from consent.link_forms import LastDayForm
from consent.lists.open_requests import OpenRequestFilter, OpenRequestTable, query_open_requests
from consent.models import Consent
from consent.names import get_name_field
from consent.services import open_requests
from consent.services.link_days import DayChange, undo_changes
from consent.services.open_requests import BulkResult
from voicehub.lists.pages import load_list
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import UNDO_TIME
from voicehub.text import format_count, join_with_and

MOST_REQUESTS = 200
"""Of one action. A person waits for its answer."""
SHOWN_REASONS = 20
UNDO_SALT = "consent.open_requests"
NOTHING_SELECTED = "No request is selected. Select one or more, then choose the action again."


@require_permission("consent.view_consent")
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    listing = load_list(request, query_open_requests(), OpenRequestTable, OpenRequestFilter)
    return render(request, "consent/open_requests.html", {"list": listing, "query": request.GET.urlencode()})


def _read_consents(data: QueryDict, user: User) -> list[Consent]:
    """The selected requests, or all that match the filter of the list. Raises ActionRefused if there are none."""
    rows = query_open_requests()
    if data.get("all") == "1":
        rows = OpenRequestFilter(QueryDict(data.get("filter", "")), rows, user).qs
    else:
        rows = rows.filter(pk__in=_read_ids(data))
    consents = list(rows.order_by(get_name_field("talent__"), "created_at")[: MOST_REQUESTS + 1])
    if not consents:
        raise ActionRefused(NOTHING_SELECTED)
    if len(consents) > MOST_REQUESTS:
        raise ActionRefused(f"More than {MOST_REQUESTS} requests are selected. Filter the list, and do it in parts.")
    return consents


def _read_ids(data: QueryDict) -> list[UUID]:
    try:
        return [UUID(text) for text in data.getlist("consent")]
    except ValueError:
        raise ActionRefused("The selection could not be read. Reload the list and select the requests again.") from None


Act = Callable[[HttpRequest, list[Consent]], HttpResponse]


def _act_on_selection(request: HttpRequest, act: Act) -> HttpResponse:
    try:
        return act(request, _read_consents(request.POST, get_user(request)))
    except ActionRefused as refusal:
        return _render_step(request, {"problem": str(refusal)})


def _render_step(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page on which an action gets its day or its reason, or says why nothing was done."""
    shared = {"query": request.POST.get("filter", ""), "list_url": _make_list_url(request)}
    return render(request, "consent/open_requests_step.html", shared | context)


def _make_list_url(request: HttpRequest) -> str:
    query = QueryDict(request.POST.get("filter", "")).urlencode()
    return f"{reverse('consent:open_requests')}{'?' if query else ''}{query}"


@require_permission("consent.invite_talent")
@require_POST
def remind(request: HttpRequest) -> HttpResponse:
    def act(request: HttpRequest, consents: list[Consent]) -> HttpResponse:
        result = open_requests.remind_many(consents, get_user(request))
        text = format_count(result.done, "reminder is being sent", "reminders are being sent")
        return _show_result(request, result, f"{text}.", "Not reminded")

    return _act_on_selection(request, act)


@require_permission("consent.invite_talent")
@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    def act(request: HttpRequest, consents: list[Consent]) -> HttpResponse:
        result = open_requests.resend_many(consents, get_user(request))
        text = format_count(result.done, "link is being sent", "links are being sent")
        return _show_result(request, result, f"{text}. The earlier ones no longer work.", "Not sent")

    return _act_on_selection(request, act)


@require_permission("consent.invite_talent")
@require_POST
def extend(request: HttpRequest) -> HttpResponse:
    """Ask for the new last day, then change it."""

    def act(request: HttpRequest, consents: list[Consent]) -> HttpResponse:
        form = LastDayForm(request.POST if "day" in request.POST else None)
        if not form.is_valid():
            return _render_step(request, {"consents": consents, "form": form, "action": "extend"})
        result = open_requests.extend_many(consents, form.cleaned_data["day"], get_user(request))
        text = format_count(result.done, "link has", "links have")
        return _show_result(request, result, f"{text} the new last day.", "Not changed")

    return _act_on_selection(request, act)


@require_permission("consent.review_consent")
@require_POST
def void(request: HttpRequest) -> HttpResponse:
    """Ask for the reason, then cancel the requests."""

    def act(request: HttpRequest, consents: list[Consent]) -> HttpResponse:
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return _render_step(request, {"consents": consents, "form": form, "action": "void"})
        result = open_requests.void_many(consents, get_user(request), form.cleaned_data["reason"])
        text = format_count(result.done, "request was", "requests were")
        return _show_result(request, result, f"{text} canceled.", "Not canceled")

    return _act_on_selection(request, act)


@require_permission("consent.invite_talent")
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Put back the last days that this person changed within the last hour."""
    try:
        changes = _load_changes(request.POST.get("changes", ""), get_user(request))
    except ActionRefused as refusal:
        return _render_step(request, {"problem": str(refusal)})
    count = undo_changes(changes, get_user(request))
    left = len(changes) - count
    text = f"Undone: {format_count(count, 'link has', 'links have')} the earlier last day again."
    left_alone = f" {format_count(left, 'was', 'were')} changed since and left alone." if left else ""
    messages.success(request, text + left_alone)
    return redirect(_make_list_url(request))


def _show_result(request: HttpRequest, result: BulkResult, text: str, not_done: str) -> HttpResponse:
    """Say how many were done, and name the others with the reason."""
    if result.done:
        context = {"text": text, "query": request.POST.get("filter", "")}
        context["changes"] = _dump_changes(result.changes, get_user(request)) if result.changes else ""
        messages.success(request, render_to_string("consent/_open_requests_done.html", context, request))
    reasons = list(result.refused.items())
    for reason, names in reasons[:SHOWN_REASONS]:
        messages.warning(request, f"{not_done}: {join_with_and(names)}. {reason}")
    if len(reasons) > SHOWN_REASONS:
        messages.warning(request, f"{not_done}, for other reasons: {len(reasons) - SHOWN_REASONS} more talents.")
    return redirect(_make_list_url(request))


def _dump_changes(changes: list[DayChange], user: User) -> str:
    rows = [[str(one.invitation_id), one.before.isoformat(), one.after.isoformat()] for one in changes]
    return signing.dumps([user.pk, rows], salt=UNDO_SALT, compress=True)


def _load_changes(text: str, user: User) -> list[DayChange]:
    try:
        owner, rows = signing.loads(text, salt=UNDO_SALT, max_age=UNDO_TIME)
    except signing.BadSignature:
        raise ActionRefused("This can no longer be undone. Change the last day instead.") from None
    if owner != user.pk:
        raise ActionRefused("Only the person who changed the days can undo it.")
    moments = [(UUID(pk), parse_datetime(before), parse_datetime(after)) for pk, before, after in rows]
    return [DayChange(pk, before, after) for pk, before, after in moments if before and after]
