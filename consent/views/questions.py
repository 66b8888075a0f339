"""The answer to a question of a talent, on the page of the consent."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from consent.access import get_consent_or_404, get_user, require_permission
from consent.link_forms import AnswerForm
from consent.services.questions import answer_question
from voicehub.refusals import ActionRefused


@require_permission("consent.review_consent")
@require_POST
def answer(request: HttpRequest, pk: UUID, question: UUID) -> HttpResponse:
    consent = get_consent_or_404(pk)
    row, form = get_object_or_404(consent.questions.all(), pk=question), AnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["text"][0]))
        return redirect(consent)
    try:
        answer_question(row, get_user(request), form.cleaned_data["text"])
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        sent = "It is mailed to the talent." if consent.talent.email else "The talent reads it behind the private link."
        messages.success(request, f"Question answered. {sent}")
    return redirect(f"{consent.get_absolute_url()}#questions")
