"""What the views have in common that act on a row: a consent, a contract or a talent."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from consent.forms import ReasonForm
from voicehub.confirmation import require_confirmation
from voicehub.refusals import handle_refusal

View = Callable[[HttpRequest, UUID], HttpResponse]


def make_reason_view(
    get_row: Callable[[UUID], Any], change: Callable[..., None], success_message: str, *, is_confirmed: bool = False
) -> View:
    """A view that calls `change(row, by, reason)` with the reason from the form, and then shows the page of the row.

    With `is_confirmed`, people confirm first that it is them.
    """

    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        row, form = get_row(pk), ReasonForm(request.POST)
        if not form.is_valid():
            messages.error(request, str(form.errors["reason"][0]))
            return redirect(row)
        with handle_refusal(partial(messages.error, request)):
            change(row, get_user(request), form.cleaned_data["reason"])
            messages.success(request, success_message)
        return redirect(row)

    confirmed = require_confirmation()(view) if is_confirmed else view
    guarded: View = require_permission("consent.review_consent")(require_POST(confirmed))
    return guarded


def act_or_refuse(
    request: HttpRequest, row: Any, success_message: str, act: Callable[..., Any], *args: Any
) -> HttpResponse:
    """Call `act`, show the success message or the refusal, and redirect to the page of the row."""
    with handle_refusal(partial(messages.error, request)):
        act(*args)
        messages.success(request, success_message)
    return redirect(row)
