"""The answer about the voice comparison that a talent gave to staff, in person or on paper."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from consent.access import get_talent_or_404, get_user, require_permission
from consent.forms import ComparisonAnswerForm
from consent.services.voice_comparison import build_question, record_answer

WORDS_CHANGED = (
    "The text about the voice comparison has changed. Read the new one to the talent, then record the answer."
)


@require_permission("consent.add_take")
@require_POST
def comparison_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent, form = get_talent_or_404(pk), ComparisonAnswerForm(request.POST)
    question = build_question(talent)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
    elif form.cleaned_data["words"] != question.sha256:
        messages.error(request, WORDS_CHANGED)
    else:
        is_allowed, reason = form.cleaned_data["is_allowed"] == "yes", form.cleaned_data["reason"]
        is_new = record_answer(talent, question, is_allowed=is_allowed, by=get_user(request), reason=reason)
        messages.success(request, "The answer is recorded." if is_new else "This was the answer already.")
    return redirect(f"{talent.get_absolute_url()}#voice-comparison")
