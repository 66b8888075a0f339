"""The answer to the question about the voice comparison, from the talent's private pages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from consent.access import get_user
from consent.code_gate import is_code_missing, make_code_url
from consent.link_pages import require_invitation
from consent.models import Invitation
from consent.services.voice_comparison import build_question, record_answer


@login_not_required
@require_POST
@require_invitation
def answer_comparison(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Store the answer, if the words that the talent read are still those of today. No tick means no."""
    question = build_question(invitation.talent)
    if request.POST.get("words") != question.sha256:
        messages.warning(
            request, gettext("The text about the voice comparison has changed. Read it again, then answer.")
        )
        return _go_back(invitation)
    by = get_user(request) if request.user.is_authenticated else None
    is_allowed = "is_allowed" in request.POST
    if is_allowed and is_code_missing(request, invitation):  # “no” needs none
        messages.warning(request, gettext("Enter the code from your mail first, then answer again."))
        return redirect(make_code_url(invitation, _make_question_url(invitation)))
    record_answer(invitation.talent, question, is_allowed=is_allowed, invitation=invitation, by=by)
    if is_allowed:
        messages.success(request, gettext("Saved: you allow the voice comparison."))
    else:
        messages.success(
            request, gettext("Saved: your voice is not compared, and no results of a comparison are kept.")
        )
    return _go_back(invitation)


def _go_back(invitation: Invitation) -> HttpResponse:
    return redirect(_make_question_url(invitation))


def _make_question_url(invitation: Invitation) -> str:
    return f"{reverse('invitation:home', args=[invitation.pk])}#voice-comparison"
